//! Who may do what, and what is kept of a refusal.

use commands::{CommandError, Request, Target};
use domain::{
    actor::{Action, Actor, Role},
    order::{Order, OrderCommand},
};
use e2e::{
    Database, fresh_database,
    orders::{actor, cancelling, execute, placed, placing, request},
};

async fn audited(database: &Database) -> Vec<(String, String, String)> {
    let pool = database.superuser_pool().await;
    sqlx::query_as("SELECT role, action, reason FROM access_audit ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap()
}

fn by(actor: Actor, target: Target, command: OrderCommand) -> Request {
    Request {
        actor,
        ..request(target, command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_stores_order_is_not_found() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = placed(&bus).await;
    let manager = actor(Role::StoreManager, &["CFR002"]);
    let refused = bus
        .execute(by(manager, Target::Entity(id), cancelling()))
        .await
        .unwrap_err();
    assert_eq!(refused, CommandError::not_found::<Order>(&id));
    let own = actor(Role::StoreManager, &["CFR001"]);
    bus.execute(by(own, Target::Entity(id), cancelling()))
        .await
        .unwrap();
    assert_eq!(
        audited(&database).await,
        [("store-manager".into(), "cancel".into(), "store".into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_not_shown_to_another_store() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let place = by(
        actor(Role::StoreManager, &["CFR001"]),
        Target::New,
        placing(),
    );
    let placed = bus.execute(place.clone()).await.unwrap().receipt;
    let thief = Request {
        actor: actor(Role::StoreManager, &["CFR002"]),
        ..place
    };
    assert_eq!(
        bus.execute(thief).await.unwrap_err(),
        CommandError::not_found::<Order>(&placed.id)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_the_right_is_forbidden_and_audited() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = placed(&bus).await;
    let auditor = by(
        actor(Role::Auditor, &[]),
        Target::Entity(id),
        OrderCommand::Allocate,
    );
    assert_eq!(
        bus.execute(auditor).await.unwrap_err(),
        CommandError::Forbidden {
            action: Action::Allocate
        }
    );
    assert_eq!(
        audited(&database).await,
        [("auditor".into(), "allocate".into(), "role".into())]
    );
    assert_eq!(bus.load::<Order>(&id).await.unwrap().unwrap().version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_or_unknown_store_takes_no_orders() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    for store in ["CFR009", "CFR777", "nonsense"] {
        let mut order = e2e::orders::place();
        order.store_id = store.into();
        let refused = execute(&bus, Target::New, OrderCommand::Place(Box::new(order)))
            .await
            .unwrap_err();
        let CommandError::Refused(refusal) = refused else {
            panic!("{refused}")
        };
        assert_eq!(
            refusal.problems[0].code.as_str(),
            "ERR_INVALID_LOCATION",
            "{store}"
        );
    }
}
