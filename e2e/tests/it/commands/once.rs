//! One effect per command id, whoever races and whatever happened since.

use commands::{CommandError, Request, Target};
use domain::{
    ids::StoreId,
    order::OrderCommand,
    store::{Store, StoreCommand},
};
use e2e::{
    STORE_EVENTS, fresh_database,
    orders::{cancelling, execute, paying, placed, placing, request, request_for},
    stores,
};
use futures_util::future::join_all;
use store::verify;

const CALLERS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_callers_with_one_command_id_have_one_effect() {
    let database = fresh_database().await.with_stores().await;
    // Two buses are two processes: neither sees the other's memory.
    let buses = [database.bus().await, database.bus().await];
    let command = request(Target::New, placing());
    let racing = (0..CALLERS).map(|n| {
        let (bus, command) = (buses[n % 2].clone(), command.clone());
        tokio::spawn(async move { bus.execute(command).await.unwrap() })
    });
    let outcomes: Vec<_> = join_all(racing)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let first = &outcomes[0].receipt;
    for outcome in &outcomes {
        assert_eq!((outcome.receipt.id, outcome.receipt.version), (first.id, 1));
        assert_eq!(outcome.receipt.event_ids, first.event_ids);
        assert_eq!(outcome.receipt.position, first.position);
    }
    assert_eq!(outcomes.iter().filter(|o| !o.receipt.replayed).count(), 1);
    let head = database.log().await.head().await.unwrap();
    assert_eq!(head.position.0, STORE_EVENTS + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_answers_with_the_first_receipt_whatever_happened_since() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let order = Target::Entity(placed(&bus).await);
    execute(&bus, order, OrderCommand::Allocate).await.unwrap();
    let pay = request(order, paying());
    let first = bus.execute(pay.clone()).await.unwrap().receipt;
    execute(&bus, order, cancelling()).await.unwrap();
    // A new payment would be refused now.
    assert!(matches!(
        execute(&bus, order, paying()).await,
        Err(CommandError::Refused(_))
    ));
    let again = bus.execute(pay).await.unwrap();
    assert!(again.receipt.replayed);
    assert_eq!(
        (again.receipt.version, again.receipt.position),
        (first.version, first.position)
    );
    assert_eq!(again.receipt.event_ids, first.event_ids);
    assert_eq!(again.entity.version, 4, "the order is shown as it is now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_id_is_for_one_content() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let order = Target::Entity(placed(&bus).await);
    let allocate = request(order, OrderCommand::Allocate);
    bus.execute(allocate.clone()).await.unwrap();
    let other = |command| Request {
        command,
        ..allocate.clone()
    };
    // Whether the other content would be carried out, or refused by the rules, makes no difference.
    for command in [cancelling(), OrderCommand::Release] {
        assert_eq!(
            bus.execute(other(command)).await.unwrap_err(),
            CommandError::CommandReused
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_stores_nothing_and_keeps_its_id_free() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let order = Target::Entity(placed(&bus).await);
    let release = request(order, OrderCommand::Release);
    assert!(matches!(
        bus.execute(release.clone()).await,
        Err(CommandError::Refused(_))
    ));
    execute(&bus, order, OrderCommand::Allocate).await.unwrap();
    execute(&bus, order, paying()).await.unwrap();
    let receipt = bus.execute(release).await.unwrap().receipt;
    assert!(!receipt.replayed);
    assert_eq!(
        (receipt.version, receipt.position.0),
        (4, STORE_EVENTS + 4),
        "no position was burnt"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_already_done_is_success_without_an_event() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let order = Target::Entity(placed(&bus).await);
    let first = execute(&bus, order, OrderCommand::Allocate)
        .await
        .unwrap()
        .receipt;
    let second = execute(&bus, order, OrderCommand::Allocate)
        .await
        .unwrap()
        .receipt;
    assert!(second.event_ids.is_empty() && !second.replayed);
    assert_eq!(
        (second.version, second.position),
        (first.version, first.position)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_already_is_not_done_by_a_late_repeat() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let store = || Target::Entity(StoreId::new("CFR001").unwrap());
    let activate = request_for::<Store>(store(), StoreCommand::Activate);
    let first = buses[0].execute(activate.clone()).await.unwrap().receipt;
    assert!(first.event_ids.is_empty() && !first.replayed);
    stores::close(&buses[0], "CFR001").await;
    let head = database.log().await.head().await.unwrap().position;

    for bus in &buses {
        let again = bus.execute(activate.clone()).await.unwrap();
        assert!(again.receipt.replayed && again.receipt.event_ids.is_empty());
        assert_eq!(
            (again.receipt.version, again.receipt.position),
            (first.version, first.position)
        );
        assert!(!again.entity.state.active, "shown as it is now");
        // The id is taken by what was acknowledged.
        let other = Request {
            command: StoreCommand::Deactivate { reason: "x".into() },
            ..activate.clone()
        };
        assert_eq!(
            bus.execute(other).await.unwrap_err(),
            CommandError::CommandReused
        );
    }
    let log = database.log().await;
    assert_eq!(log.head().await.unwrap().position, head);
    let options = verify::Options::default();
    let report = verify::verify(log.pool(), log.log_id(), &options, |_, _| {})
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_commands_racing_on_one_order_are_serialised() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let order = Target::Entity(placed(&buses[0]).await);
    let racing = (0..CALLERS).map(|n| {
        let bus = buses[n % 2].clone();
        let command = if n % 4 == 0 {
            cancelling()
        } else {
            OrderCommand::Allocate
        };
        tokio::spawn(async move { execute(&bus, order, command).await })
    });
    let mut written = 0;
    for outcome in join_all(racing).await {
        match outcome.unwrap() {
            Ok(outcome) => written += outcome.receipt.event_ids.len(),
            Err(CommandError::Refused(_) | CommandError::VersionConflict { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let log = database.log().await;
    let head = log.head().await.unwrap();
    assert_eq!(head.position.0, STORE_EVENTS + 1 + written as i64);
    let report = verify::verify(
        log.pool(),
        log.log_id(),
        &verify::Options::default(),
        |_, _| {},
    )
    .await
    .unwrap();
    assert!(report.is_sound(), "{report:?}");
}
