//! What orders and events count for in the flow.

use chrono::{DateTime, NaiveDate, Utc};
use domain::order::{OrderEvent, OrderStatus};

use crate::metrics::{
    clock::{day, hour},
    life::{Happened, Life, Micros},
    table::{Measures as _, Table, Wanted, key, measures},
};

measures! {
    /// The flow of orders in a stretch of time.
    Flow {
        /// Orders placed.
        Sum placed,
        /// Orders that could not be allocated.
        Sum back_ordered,
        /// Orders allocated.
        Sum allocated,
        /// Orders released to picking.
        Sum released,
        /// Orders whose picking began.
        Sum in_process,
        /// Orders picked.
        Sum picked,
        /// Orders packed.
        Sum packed,
        /// Orders that left the store's hands.
        Sum fulfilled,
        /// Orders handed to the rider.
        Sum shipped,
        /// Orders scanned on the way.
        Sum in_transit,
        /// Orders out for delivery.
        Sum out_for_delivery,
        /// Orders delivered.
        Sum delivered,
        /// Orders of which all goods began to come back.
        Sum pending_return,
        /// Orders of which the store has all goods back.
        Sum returned,
        /// Orders cancelled.
        Sum cancelled,
        /// What the orders placed come to now, cancelled ones nothing; in 1/10,000 THB.
        Sum value_units,
        /// What of it is due in cash at the door now; in 1/10,000 THB.
        Sum cash_due_units,
        /// Returns asked for, of whole orders or parts.
        Sum returns,
        /// What the goods of these returns are worth, fees included; in 1/10,000 THB.
        Sum returned_units,
        /// Reports of goods that picking did not find.
        Sum shorts,
        /// Orders found standing still before picking.
        Sum stuck,
        /// Deliveries that failed.
        Sum failed_deliveries,
        /// Collections that failed.
        Sum failed_collections,
        /// Orders of whose cash nobody said anything in time.
        Sum overdue_collections,
    }
}

impl Flow {
    /// The figures of these names: those of the fields.
    pub fn wanted(names: &[&str]) -> Wanted {
        Wanted::of::<Self>(names)
    }

    /// Everything that did not go straight: back orders, shorts, orders that stood still, failed deliveries, failed and
    /// overdue collections.
    pub const fn exceptions(&self) -> i64 {
        self.back_ordered
            + self.shorts
            + self.stuck
            + self.failed_deliveries
            + self.failed_collections
            + self.overdue_collections
    }

    /// Orders that reached a status.
    pub const fn reached(&self, status: OrderStatus) -> i64 {
        match status {
            OrderStatus::Open => self.placed,
            OrderStatus::BackOrdered => self.back_ordered,
            OrderStatus::Allocated => self.allocated,
            OrderStatus::Released => self.released,
            OrderStatus::InProcess => self.in_process,
            OrderStatus::Picked => self.picked,
            OrderStatus::Packed => self.packed,
            OrderStatus::Fulfilled => self.fulfilled,
            OrderStatus::Shipped => self.shipped,
            OrderStatus::InTransit => self.in_transit,
            OrderStatus::OutForDelivery => self.out_for_delivery,
            OrderStatus::Delivered => self.delivered,
            OrderStatus::PendingReturn => self.pending_return,
            OrderStatus::Returned => self.returned,
            OrderStatus::Cancelled => self.cancelled,
        }
    }

    fn reach(status: OrderStatus) -> Self {
        let mut flow = Self::default();
        let count = match status {
            OrderStatus::Open => &mut flow.placed,
            OrderStatus::BackOrdered => &mut flow.back_ordered,
            OrderStatus::Allocated => &mut flow.allocated,
            OrderStatus::Released => &mut flow.released,
            OrderStatus::InProcess => &mut flow.in_process,
            OrderStatus::Picked => &mut flow.picked,
            OrderStatus::Packed => &mut flow.packed,
            OrderStatus::Fulfilled => &mut flow.fulfilled,
            OrderStatus::Shipped => &mut flow.shipped,
            OrderStatus::InTransit => &mut flow.in_transit,
            OrderStatus::OutForDelivery => &mut flow.out_for_delivery,
            OrderStatus::Delivered => &mut flow.delivered,
            OrderStatus::PendingReturn => &mut flow.pending_return,
            OrderStatus::Returned => &mut flow.returned,
            OrderStatus::Cancelled => &mut flow.cancelled,
        };
        *count = 1;
        flow
    }

    /// What the order comes to.
    fn of_order(order: &Life) -> Self {
        Self {
            value_units: order.value().units(),
            cash_due_units: order.cash_due().units(),
            ..Self::default()
        }
    }

    /// What an event counts for: the statuses reached by it, and what it says itself. `None` for most.
    fn of_event(happened: &Happened<'_>) -> Option<Self> {
        let mut flow = happened
            .reached
            .iter()
            .fold(Self::default(), |mut sum, status| {
                sum.add(&Self::reach(*status), 1);
                sum
            });
        match happened.event {
            OrderEvent::Shorted { .. } => flow.shorts = 1,
            OrderEvent::Stuck { .. } => flow.stuck = 1,
            OrderEvent::DeliveryFailed { .. } => flow.failed_deliveries = 1,
            OrderEvent::CollectionFailed { .. } => flow.failed_collections = 1,
            OrderEvent::CollectionOverdue { .. } => flow.overdue_collections = 1,
            OrderEvent::ReturnRequested(request) => {
                flow.returns = 1;
                let values = request.lines.iter().map(|line| line.value.units());
                flow.returned_units = values.fold(request.fees.units(), i64::saturating_add);
            }
            _ => {}
        }
        (flow != Self::default()).then_some(flow)
    }
}

key! {
    /// An hour of a store.
    HourKey { store_id: String as "text", hour: DateTime<Utc> as "timestamptz", region: String as "text" }
}

key! {
    /// A Bangkok business day of a store.
    DayKey { store_id: String as "text", day: NaiveDate as "date", region: String as "text" }
}

/// The flow by hour.
pub(crate) struct FlowHour;

impl Table for FlowHour {
    const NAME: &'static str = "metrics_hour";
    type Key = HourKey;
    type Measures = Flow;

    fn standing(order: &Life) -> Vec<(HourKey, Flow)> {
        vec![(HourKey::of(order, order.placed_at()), Flow::of_order(order))]
    }

    fn event(order: &Life, event: &Happened<'_>) -> Vec<(HourKey, Flow)> {
        let flow = Flow::of_event(event);
        let cell = flow.map(|flow| (HourKey::of(order, event.at), flow));
        cell.into_iter().collect()
    }
}

/// The flow by day.
pub(crate) struct FlowDay;

impl Table for FlowDay {
    const NAME: &'static str = "metrics_day";
    type Key = DayKey;
    type Measures = Flow;

    fn standing(order: &Life) -> Vec<(DayKey, Flow)> {
        vec![(DayKey::of(order, order.placed_at()), Flow::of_order(order))]
    }

    fn event(order: &Life, event: &Happened<'_>) -> Vec<(DayKey, Flow)> {
        let flow = Flow::of_event(event);
        let cell = flow.map(|flow| (DayKey::of(order, event.at), flow));
        cell.into_iter().collect()
    }
}

impl HourKey {
    fn of(order: &Life, at: Micros) -> Self {
        Self {
            store_id: order.standing.cell.store_id.clone(),
            hour: hour(at),
            region: order.standing.cell.region.clone(),
        }
    }
}

impl DayKey {
    pub(crate) fn of(order: &Life, at: Micros) -> Self {
        Self {
            store_id: order.standing.cell.store_id.clone(),
            day: day(at),
            region: order.standing.cell.region.clone(),
        }
    }
}
