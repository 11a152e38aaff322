//! A rehearsal says what a command would do, and leaves nothing behind.

use commands::{CommandError, Request, Target};
use domain::{
    actor::Role,
    ids::OrderId,
    order::{Order, OrderCommand, OrderStatus, command::Cancel},
};
use e2e::{
    Database, STORE_EVENTS, fresh_database,
    orders::{actor, contact, execute, paying, place, placing, request},
};
use store::Position;
use uuid::Uuid;

/// Everything that a command may leave in the database beside its events.
async fn traces(database: &Database) -> Vec<(String, i64)> {
    let pool = database.superuser_pool().await;
    let mut traces = Vec::new();
    for table in [
        "events",
        "command_log",
        "stream_head",
        "claims",
        "subject_key",
        "phone_index",
        "number_counter",
        "snapshots",
        "access_audit",
    ] {
        let count = sqlx::query_scalar(&format!("select count(*) from {table}"))
            .fetch_one(&pool)
            .await
            .unwrap();
        traces.push((table.to_owned(), count));
    }
    let next: Option<i64> = sqlx::query_scalar("select max(next) from number_counter")
        .fetch_one(&pool)
        .await
        .unwrap();
    traces.push(("next".to_owned(), next.unwrap_or(0)));
    traces
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsed_order_is_nowhere() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let before = traces(&database).await;
    let mut order = place();
    order.contact = Some(contact());
    let ask = request(Target::New, OrderCommand::Place(Box::new(order)));
    let rehearsal = bus.rehearse(&ask).await.unwrap();
    assert_eq!(rehearsal.event_types, ["order.placed"]);
    assert_eq!((rehearsal.stored, rehearsal.replayed), (0, false));
    let entity = &rehearsal.entity;
    assert_eq!(entity.id, OrderId(Uuid::nil()));
    assert_eq!((entity.version, entity.position), (1, Position::START));
    assert_eq!(entity.state.status, OrderStatus::Open);
    assert!(entity.state.number.as_str().ends_with("-000000"));
    let sealed = entity.state.contact.as_ref().unwrap();
    assert!(commands::personal::is_unsealed(sealed));
    assert_eq!(traces(&database).await, before);

    // Its command id is still free, and what was foretold is what happens.
    let placed = bus.execute(ask.clone()).await.unwrap();
    assert!(!placed.receipt.replayed);
    assert_eq!(placed.entity.state.totals, entity.state.totals);
    assert!(placed.entity.state.number.as_str().ends_with("-000001"));
    let again = bus.rehearse(&ask).await.unwrap();
    assert!(again.replayed && again.event_types.is_empty());
    assert_eq!(again.entity.id, placed.entity.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_foretells_each_step_of_a_life() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let placed = execute(&bus, Target::New, placing()).await.unwrap();
    let target = Target::Entity(placed.entity.id);
    for command in [OrderCommand::Allocate, paying(), OrderCommand::Release] {
        let ask = request(target, command);
        let before = traces(&database).await;
        let told = bus.rehearse(&ask).await.unwrap();
        assert_eq!(traces(&database).await, before, "{ask:?}");
        let done = bus.execute(ask).await.unwrap();
        assert_eq!(told.event_types.len(), done.receipt.event_ids.len());
        assert_eq!(told.stored, told.entity.version - 1);
        assert_eq!(told.entity.version, done.entity.version);
        let (mut told, mut done) = ((*told.entity.state).clone(), (*done.entity.state).clone());
        // Decided a moment apart.
        (told.released_at, done.released_at) = (None, None);
        (told.payment, done.payment) = (None, None);
        assert_eq!(told, done);
    }
    let done_already = bus
        .rehearse(&request(target, OrderCommand::Release))
        .await
        .unwrap();
    assert!(done_already.event_types.is_empty() && !done_already.replayed);
}

fn cancel() -> OrderCommand {
    OrderCommand::Cancel(Cancel {
        reason: "changed".into(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_refused_as_the_command_is() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let mut order = place();
    order.number = Some("QC-2026-01-31-000042".into());
    let named = OrderCommand::Place(Box::new(order.clone()));
    let placed = execute(&bus, Target::New, named).await.unwrap();
    let target = Target::Entity(placed.entity.id);
    let mut other = order.clone();
    other.allow_substitution = !other.allow_substitution;
    let by = |role, stores: &[&str], command: OrderCommand| Request::<Order> {
        actor: actor(role, stores),
        ..request(target, command)
    };
    let reused = Request {
        command_id: placed.receipt.command_id,
        ..request(target, cancel())
    };
    let outdated = Request {
        expected_version: Some(7),
        ..request(target, cancel())
    };
    for ask in [
        request(Target::New, OrderCommand::Place(Box::new(other))),
        request(Target::Entity(OrderId(Uuid::now_v7())), cancel()),
        request(target, OrderCommand::Release),
        by(Role::Auditor, &[], cancel()),
        by(Role::StoreManager, &["CFR002"], cancel()),
        reused,
        outdated,
    ] {
        let told = bus.rehearse(&ask).await.unwrap_err();
        let refused = bus.execute(ask).await.unwrap_err();
        assert_eq!(told.to_string(), refused.to_string());
    }
    let log = database.log().await;
    assert_eq!(log.head().await.unwrap().position.0, STORE_EVENTS + 1);
    // The same order under another command is the same order.
    let again = request(Target::New, OrderCommand::Place(Box::new(order)));
    let told = bus.rehearse(&again).await.unwrap();
    assert!(told.replayed);
    assert_eq!(told.entity.id, placed.entity.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_rests_on_the_newest_version_whatever_memory_says() {
    let database = fresh_database().await.with_stores().await;
    let (bus, other) = (database.bus().await, database.bus().await);
    let placed = execute(&bus, Target::New, placing()).await.unwrap();
    let target = Target::Entity(placed.entity.id);
    execute(&other, target, cancel()).await.unwrap();
    let told = bus.rehearse(&request(target, OrderCommand::Allocate)).await;
    assert!(matches!(told, Err(CommandError::Refused(_))), "{told:?}");
}
