//! The work: whole order lives of eight commands, the same for every path.

use chrono::Utc;
use domain::{
    actor::{Actor, Role, StoreScope},
    ids::{OrderNumber, RegionId},
    order::{
        Facts, OrderCommand, OrderStatus,
        command::{
            Cancel, LineInput, Pay, PlaceOrder, RecordDelivery, RecordPicking, RecordShipment,
        },
        facts::StoreFacts,
    },
};

/// Commands in one life.
pub(crate) const STEPS: usize = 8;
/// The store that takes the orders.
pub(crate) const STORE: &str = "CFR001";
/// The sum of [`place`]: 45.00 + 2 x 62.00 + 28.00 + 199.00.
const DUE: &str = "396.00";

/// Who gives the commands.
pub(crate) fn actor() -> Actor {
    Actor {
        id: "bench".into(),
        role: Role::Admin,
        stores: StoreScope::All,
    }
}

/// The command of a step, 0 to 7.
pub(crate) fn command(step: usize) -> OrderCommand {
    let picking = |status| {
        OrderCommand::RecordPicking(RecordPicking {
            status,
            occurred_at: None,
        })
    };
    let shipment = |status| {
        OrderCommand::RecordShipment(RecordShipment {
            status,
            tracking_id: Some("TRK-000001".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
            occurred_at: None,
        })
    };
    match step {
        0 => OrderCommand::Place(Box::new(place())),
        1 => OrderCommand::Allocate,
        2 => OrderCommand::Pay(Pay {
            method: "COD".into(),
            amount: DUE.parse().unwrap(),
        }),
        3 => OrderCommand::Release,
        4 => picking(OrderStatus::Packed),
        5 => shipment(OrderStatus::Fulfilled),
        6 => shipment(OrderStatus::Shipped),
        7 => OrderCommand::RecordDelivery(RecordDelivery {
            status: OrderStatus::Delivered,
            tracking_id: None,
            occurred_at: None,
        }),
        _ => OrderCommand::Cancel(Cancel {
            reason: "no such step".into(),
        }),
    }
}

/// An order of four lines, as the chain's mean order has.
pub(crate) fn place() -> PlaceOrder {
    let line = |line_number, sku: &str, quantity: &str, price: &str, name: &str| LineInput {
        line_number,
        sku: sku.into(),
        quantity: quantity.parse().unwrap(),
        unit_price: price.parse().unwrap(),
        uom: Some("EA".into()),
        name_th: Some(name.into()),
        ..LineInput::default()
    };
    PlaceOrder {
        channel: "GRAB".into(),
        store_id: STORE.into(),
        is_force_allocation: Some(true),
        customer_id: None,
        lines: vec![
            line(1, "8850999220017", "1", "45.00", "ข้าวกล่องไก่กระเทียม"),
            line(2, "8850999320021", "2", "62.00", "แซนด์วิชแฮมชีส"),
            line(3, "8850999110035", "1", "28.00", "น้ำส้มคั้น"),
            line(4, "8850999550042", "1", "199.00", "กาแฟคั่วบด"),
        ],
        ..PlaceOrder::default()
    }
}

/// What the plain path decides with: the same facts the bus gathers, fixed.
pub(crate) fn facts() -> Facts {
    let store = StoreFacts {
        region: RegionId::new("BKK-CENTRAL").unwrap(),
        active: true,
        cod_limit: Some("5000".parse().unwrap()),
        auto_release: true,
    };
    Facts {
        number: Some(OrderNumber::new("QC-2026-01-01-000001").unwrap()),
        ..Facts::new(Utc::now(), Some(store))
    }
}
