//! The inputs of the commands that move an order that exists on its way. Field names are the domain's, so that a
//! problem's path names the input's field.

use async_graphql::{ID, InputObject};
use domain::order::{
    Order, OrderCommand,
    command::{
        Cancel, ChangeLines, LineQuantityInput as DomainQuantity, Pay, RecordDelivery,
        RecordFailedDelivery, RecordPicking, RecordShipment,
    },
};

use super::status::OrderStatus;
use crate::schema::{
    command::{Stated, Statement, command_input},
    scalars::{DateTime, Decimal, Uuid},
};

/// A command without content of its own.
#[derive(Debug, Clone, InputObject)]
pub struct OrderCommandInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on; a VersionConflict when the order has moved on. Without it the ledger decides
    /// on the newest version.
    pub expected_version: Option<i32>,
}

impl OrderCommandInput {
    pub(crate) fn command(self, command: OrderCommand) -> Statement<Order> {
        Stated::on(
            self.command_id,
            &self.order_id,
            self.expected_version,
            command,
        )
    }
}

command_input! {
    /// The payment of an order.
    PayOrderInput on Order, order_id: "The order." {
        /// COD, today the only method.
        #[graphql(default_with = "\"COD\".to_owned()")]
        method: String,
        /// Must equal the order's `totals.cashDue`.
        amount: Decimal,
    }
    input => OrderCommand::Pay(Pay {
        method: input.method,
        amount: input.amount.0,
    })
}

command_input! {
    /// New quantities of lines, before the release.
    ChangeLinesInput on Order, order_id: "The order." {
        /// The lines and what is wanted of each now: nothing cancels the line.
        lines: Vec<LineQuantityInput>,
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => OrderCommand::ChangeLines(ChangeLines {
        lines: quantities(input.lines),
        reason: input.reason,
    })
}

command_input! {
    /// Picking progress.
    PickingInput on Order, order_id: "The order." {
        /// IN_PROCESS, PICKED or PACKED.
        status: OrderStatus,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::RecordPicking(RecordPicking {
        status: input.status.into(),
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// Shipment progress.
    ShipmentInput on Order, order_id: "The order." {
        /// FULFILLED or SHIPPED.
        status: OrderStatus,
        /// The carrier's tracking id: required for FULFILLED.
        tracking_id: Option<String>,
        /// The carrier: required for FULFILLED.
        carrier: Option<String>,
        /// Your id of the shipment.
        shipment_id: Option<String>,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::RecordShipment(RecordShipment {
        status: input.status.into(),
        tracking_id: input.tracking_id,
        carrier: input.carrier,
        shipment_id: input.shipment_id,
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// Delivery progress.
    DeliveryInput on Order, order_id: "The order." {
        /// IN_TRANSIT, OUT_FOR_DELIVERY or DELIVERED.
        status: OrderStatus,
        /// Must be the shipment's, where given.
        tracking_id: Option<String>,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::RecordDelivery(RecordDelivery {
        status: input.status.into(),
        tracking_id: input.tracking_id,
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// A delivery that did not happen.
    FailedDeliveryInput on Order, order_id: "The order." {
        /// Your id of the attempt: the same one again changes nothing.
        attempt_id: Option<String>,
        /// Why, 1 to 500 characters.
        reason: String,
        /// Must be the shipment's, where given.
        tracking_id: Option<String>,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
        attempt_id: input.attempt_id,
        reason: input.reason,
        tracking_id: input.tracking_id,
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// A cancel of the whole order.
    CancelOrderInput on Order, order_id: "The order." {
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => OrderCommand::Cancel(Cancel { reason: input.reason })
}

/// A quantity of a line.
#[derive(Debug, Clone, InputObject)]
pub struct LineQuantityInput {
    /// Which line.
    pub line_number: i32,
    /// How much of it.
    pub quantity: Decimal,
}

/// Quantities of lines as the domain has them.
pub(super) fn quantities(lines: Vec<LineQuantityInput>) -> Vec<DomainQuantity> {
    let one = |line: LineQuantityInput| DomainQuantity {
        line_number: line.line_number,
        quantity: line.quantity.into(),
    };
    lines.into_iter().map(one).collect()
}
