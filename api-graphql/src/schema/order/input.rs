//! The inputs of the commands on an order that exists. Field names are the domain's, so that a problem's path names the input's field.

use async_graphql::{ID, InputObject};
use domain::{
    ids::CommandId,
    order::{
        OrderCommand,
        command::{Cancel, Pay, RecordDelivery, RecordPicking, RecordShipment},
    },
};

use super::{mutation::Stated, status::OrderStatus};
use crate::schema::scalars::{DateTime, Decimal, Uuid};

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
    pub(crate) fn command(self, command: OrderCommand) -> Stated {
        stated(
            self.command_id,
            self.order_id,
            self.expected_version,
            command,
        )
    }
}

fn stated(
    command_id: Uuid,
    order_id: ID,
    expected_version: Option<i32>,
    command: OrderCommand,
) -> Stated {
    Stated {
        command_id: CommandId(command_id.0),
        order_id: Some(order_id.0),
        expected_version,
        command,
    }
}

/// The payment of an order.
#[derive(Debug, Clone, InputObject)]
pub struct PayOrderInput {
    /// Your name for this command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on.
    pub expected_version: Option<i32>,
    /// COD, today the only method.
    #[graphql(default_with = "\"COD\".to_owned()")]
    pub method: String,
    /// Must equal the order's `totals.cashDue`.
    pub amount: Decimal,
}

impl From<PayOrderInput> for Stated {
    fn from(i: PayOrderInput) -> Self {
        let command = OrderCommand::Pay(Pay {
            method: i.method,
            amount: i.amount.0,
        });
        stated(i.command_id, i.order_id, i.expected_version, command)
    }
}

/// Picking progress.
#[derive(Debug, Clone, InputObject)]
pub struct PickingInput {
    /// Your name for this command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on.
    pub expected_version: Option<i32>,
    /// IN_PROCESS, PICKED or PACKED.
    pub status: OrderStatus,
    /// When it happened, where you know.
    pub occurred_at: Option<DateTime>,
}

impl From<PickingInput> for Stated {
    fn from(i: PickingInput) -> Self {
        let step = RecordPicking {
            status: i.status.into(),
            occurred_at: i.occurred_at.map(|t| t.0),
        };
        stated(
            i.command_id,
            i.order_id,
            i.expected_version,
            OrderCommand::RecordPicking(step),
        )
    }
}

/// Shipment progress.
#[derive(Debug, Clone, InputObject)]
pub struct ShipmentInput {
    /// Your name for this command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on.
    pub expected_version: Option<i32>,
    /// FULFILLED or SHIPPED.
    pub status: OrderStatus,
    /// The carrier's tracking id: required for FULFILLED.
    pub tracking_id: Option<String>,
    /// The carrier: required for FULFILLED.
    pub carrier: Option<String>,
    /// Your id of the shipment.
    pub shipment_id: Option<String>,
    /// When it happened, where you know.
    pub occurred_at: Option<DateTime>,
}

impl From<ShipmentInput> for Stated {
    fn from(i: ShipmentInput) -> Self {
        let step = RecordShipment {
            status: i.status.into(),
            tracking_id: i.tracking_id,
            carrier: i.carrier,
            shipment_id: i.shipment_id,
            occurred_at: i.occurred_at.map(|t| t.0),
        };
        stated(
            i.command_id,
            i.order_id,
            i.expected_version,
            OrderCommand::RecordShipment(step),
        )
    }
}

/// Delivery progress.
#[derive(Debug, Clone, InputObject)]
pub struct DeliveryInput {
    /// Your name for this command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on.
    pub expected_version: Option<i32>,
    /// IN_TRANSIT, OUT_FOR_DELIVERY or DELIVERED.
    pub status: OrderStatus,
    /// Must be the shipment's, where given.
    pub tracking_id: Option<String>,
    /// When it happened, where you know.
    pub occurred_at: Option<DateTime>,
}

impl From<DeliveryInput> for Stated {
    fn from(i: DeliveryInput) -> Self {
        let step = RecordDelivery {
            status: i.status.into(),
            tracking_id: i.tracking_id,
            occurred_at: i.occurred_at.map(|t| t.0),
        };
        stated(
            i.command_id,
            i.order_id,
            i.expected_version,
            OrderCommand::RecordDelivery(step),
        )
    }
}

/// A cancel of the whole order.
#[derive(Debug, Clone, InputObject)]
pub struct CancelOrderInput {
    /// Your name for this command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The version you decided on.
    pub expected_version: Option<i32>,
    /// Why, 1 to 500 characters.
    pub reason: String,
}

impl From<CancelOrderInput> for Stated {
    fn from(i: CancelOrderInput) -> Self {
        stated(
            i.command_id,
            i.order_id,
            i.expected_version,
            OrderCommand::Cancel(Cancel { reason: i.reason }),
        )
    }
}
