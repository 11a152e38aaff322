//! Commands and callers that tests use again and again.

use commands::{CommandBus, CommandError, Kind, Outcome, Request, Target};
use domain::{
    actor::{Actor, Role, StoreScope},
    entity::Entity,
    ids::{CommandId, OrderId, StoreId},
    order::{
        Order, OrderCommand, OrderStatus,
        command::{
            Address, Cancel, Contact, LineInput, Pay, PlaceOrder, RecordDelivery, RecordPicking,
            RecordShipment,
        },
    },
};
use uuid::Uuid;

/// Somebody who may do everything everywhere.
pub fn admin() -> Actor {
    actor(Role::Admin, &[])
}

/// Somebody in a role, for some stores, or for all where none is named.
pub fn actor(role: Role, stores: &[&str]) -> Actor {
    let stores = match stores {
        [] => StoreScope::All,
        some => StoreScope::Only(some.iter().map(|s| StoreId::new(*s).unwrap()).collect()),
    };
    Actor {
        id: format!("test-{}", role.as_str()),
        role,
        stores,
    }
}

/// A request about an order with a new command id.
pub fn request(target: Target, command: OrderCommand) -> Request {
    request_for::<Order>(target, command)
}

/// A request with a new command id.
pub fn request_for<E: Entity>(target: Target<E::Id>, command: E::Command) -> Request<E> {
    Request {
        command_id: CommandId(Uuid::now_v7()),
        actor: admin(),
        expected_version: None,
        target,
        command,
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    }
}

/// An order of 45.00 + 2 x 62.00 = 169.00 THB at store CFR001.
pub fn place() -> PlaceOrder {
    let line = |line_number, sku: &str, quantity: &str, price: &str| LineInput {
        line_number,
        sku: sku.into(),
        quantity: quantity.parse().unwrap(),
        unit_price: price.parse().unwrap(),
        ..LineInput::default()
    };
    PlaceOrder {
        channel: "GRAB".into(),
        store_id: "CFR001".into(),
        is_force_allocation: Some(true),
        lines: vec![
            line(1, "8850999220017", "1", "45.00"),
            line(2, "8850999320021", "2", "62.00"),
        ],
        ..PlaceOrder::default()
    }
}

/// A contact whose every word is easy to find where it should not be.
pub fn contact() -> Contact {
    Contact {
        name: Some("สมหญิง ทดสอบระบบ".into()),
        phone: Some("+66800000042".into()),
        email: Some("somying.secret@example.com".into()),
        address: Some(Address {
            line1: "99/9 Hidden Lane".into(),
            ..Address::default()
        }),
    }
}

/// The command that places [`place`].
pub fn placing() -> OrderCommand {
    OrderCommand::Place(Box::new(place()))
}

/// The payment of [`place`].
pub fn paying() -> OrderCommand {
    OrderCommand::Pay(Pay {
        method: "COD".into(),
        amount: "169.00".parse().unwrap(),
    })
}

/// A cancel.
pub fn cancelling() -> OrderCommand {
    OrderCommand::Cancel(Cancel {
        reason: "customer changed her mind".into(),
    })
}

/// Picking, shipment or delivery progress, by its status.
pub fn progress(status: OrderStatus) -> OrderCommand {
    let occurred_at = None;
    match status {
        OrderStatus::InProcess | OrderStatus::Picked | OrderStatus::Packed => {
            OrderCommand::RecordPicking(RecordPicking {
                status,
                occurred_at,
            })
        }
        OrderStatus::Fulfilled | OrderStatus::Shipped => {
            OrderCommand::RecordShipment(RecordShipment {
                status,
                tracking_id: Some("TRK-1".into()),
                carrier: Some("GRAB".into()),
                shipment_id: None,
                occurred_at,
            })
        }
        _ => OrderCommand::RecordDelivery(RecordDelivery {
            status,
            tracking_id: None,
            occurred_at,
        }),
    }
}

/// The commands that take a placed order to delivered.
pub fn to_delivered() -> Vec<OrderCommand> {
    use OrderStatus::{
        Delivered, Fulfilled, InProcess, InTransit, OutForDelivery, Packed, Picked, Shipped,
    };
    let mut commands = vec![OrderCommand::Allocate, paying(), OrderCommand::Release];
    commands.extend(
        [
            InProcess,
            Picked,
            Packed,
            Fulfilled,
            Shipped,
            InTransit,
            OutForDelivery,
            Delivered,
        ]
        .map(progress),
    );
    commands
}

/// Places [`place`] and returns its id.
pub async fn placed(bus: &CommandBus) -> OrderId {
    execute(bus, Target::New, placing())
        .await
        .unwrap()
        .receipt
        .id
}

/// Executes a command on an order with a new command id.
pub async fn execute(
    bus: &CommandBus,
    target: Target,
    command: OrderCommand,
) -> Result<Outcome, CommandError> {
    bus.execute(request(target, command)).await
}

/// Executes with a new command id.
pub async fn execute_on<E: Kind>(
    bus: &CommandBus,
    id: E::Id,
    command: E::Command,
) -> Result<Outcome<E>, CommandError> {
    bus.execute(request_for::<E>(Target::Entity(id), command))
        .await
}
