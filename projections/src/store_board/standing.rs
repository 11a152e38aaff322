//! Where one order counts, as a fold of its events.

use domain::{
    money::Quantity,
    order::{
        OrderEvent, OrderStatus,
        event::{Figures, Line, ReturnRequested},
    },
};
use serde::{Deserialize, Serialize};

use crate::order_view::status_code;

/// Where an order counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) store_id: String,
    pub(crate) region: String,
    pub(crate) status: i16,
}

/// What of an order decides where it counts. The order's own fold says the same and much more; this
/// is what is small enough to be written with every move, and the tests hold the two together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) cell: Cell,
    pub(crate) lines: Vec<LineStanding>,
}

/// Where a line stands, how much of it there is, and how much came or comes back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "Fields", from = "Fields")]
pub(crate) struct LineStanding {
    number: u16,
    status: OrderStatus,
    quantity: Quantity,
    returned: Quantity,
}

/// In JSON without names: it is stored once per line and order.
type Fields = (u16, OrderStatus, Quantity, Quantity);

impl From<Fields> for LineStanding {
    fn from((number, status, quantity, returned): Fields) -> Self {
        Self {
            number,
            status,
            quantity,
            returned,
        }
    }
}

impl From<LineStanding> for Fields {
    fn from(line: LineStanding) -> Self {
        (line.number, line.status, line.quantity, line.returned)
    }
}

impl LineStanding {
    const fn placed(line: &Line) -> Self {
        Self {
            number: line.line_number,
            status: OrderStatus::Open,
            quantity: line.quantity,
            returned: Quantity::ZERO,
        }
    }
}

impl Standing {
    /// An order's standing after its first event; `None` for any other event.
    pub(crate) fn placed(event: &OrderEvent) -> Option<Self> {
        let OrderEvent::Placed(placed) = event else {
            return None;
        };
        Some(Self {
            cell: Cell {
                store_id: placed.store_id.to_string(),
                region: placed.region.to_string(),
                status: status_code(OrderStatus::Open.code()),
            },
            lines: placed.lines.iter().map(LineStanding::placed).collect(),
        })
    }

    /// Takes in a later event.
    pub(crate) fn apply(&mut self, event: &OrderEvent) {
        if let Some(to) = event.status_after() {
            for line in &mut self.lines {
                if line.status != OrderStatus::Cancelled {
                    line.status = to;
                }
            }
            self.roll_up(Some(to));
            return;
        }
        match event {
            OrderEvent::LinesChanged { figures, .. }
            | OrderEvent::SubstitutionApproved { figures, .. }
            | OrderEvent::Shorted { figures, .. } => self.refigure(figures),
            OrderEvent::ReturnRequested(request) => self.take_back(request),
            OrderEvent::ReturnReceived { .. } => {
                for line in &mut self.lines {
                    if line.status == OrderStatus::PendingReturn {
                        line.status = OrderStatus::Returned;
                    }
                }
            }
            _ => return,
        }
        self.roll_up(None);
    }

    /// Where a line stands, and how much there is of it.
    pub(crate) fn line_of(&self, number: u16) -> Option<(OrderStatus, Quantity)> {
        let line = self.lines.iter().find(|l| l.number == number)?;
        Some((line.status, line.quantity))
    }

    fn refigure(&mut self, figures: &Figures) {
        for new in &figures.lines {
            if let Some(line) = self.line(new.line_number) {
                line.status = new.status;
                line.quantity = new.quantity;
            }
        }
    }

    fn take_back(&mut self, request: &ReturnRequested) {
        for back in &request.lines {
            if let Some(line) = self.line(back.line_number) {
                let returned = line.returned.units().saturating_add(back.quantity.units());
                line.returned = Quantity::from_units(returned);
                if line.returned >= line.quantity {
                    line.status = OrderStatus::PendingReturn;
                }
            }
        }
    }

    /// The order stands where its least advanced line does; one without lines, where the event says.
    fn roll_up(&mut self, otherwise: Option<OrderStatus>) {
        if let Some(status) =
            OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).or(otherwise)
        {
            self.cell.status = status_code(status.code());
        }
    }

    fn line(&mut self, number: u16) -> Option<&mut LineStanding> {
        self.lines.iter_mut().find(|l| l.number == number)
    }
}

#[cfg(test)]
mod tests {
    use domain::order::Order;
    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    proptest! {
        /// However an order lives, the board has it where the order's own fold has it.
        #[test]
        fn an_order_stands_where_its_own_fold_says(later in prop::collection::vec(testing::later(), 0..30)) {
            let placed = testing::placed();
            let mut order = Order::default();
            order.apply(&placed);
            let mut standing = Standing::placed(&placed).unwrap();
            for event in &later {
                order.apply(event);
                standing.apply(event);
                let lines = serde_json::to_string(&standing.lines).unwrap();
                standing.lines = serde_json::from_str(&lines).unwrap();
                prop_assert_eq!(standing.cell.status, status_code(order.status.code()), "{:?}", event);
            }
        }
    }
}
