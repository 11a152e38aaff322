//! Orders that come by messages: placed once, or kept until somebody mends them.

use commands::{
    CommandBus, CommandError, Target,
    intake::{
        Context, Incoming, Redrive, Redriven, Submitted, dismiss, intake_id, placing_id, redrive,
        submit,
    },
};
use domain::{
    actor::{Action, Actor, Role},
    ids::{CommandId, CustomerId, IntakeId},
    intake::{Intake, IntakeOutcome},
    order::{OrderCommand, command::PlaceOrder},
    refusal::Code,
};
use e2e::{Database, fresh_database, orders::*, stores};
use futures_util::future::join_all;
use uuid::Uuid;

pub(super) const SOURCE: &str = "order.create.v1";

pub(super) fn context(actor: Actor) -> Context {
    Context {
        actor,
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    }
}

pub(super) fn message(id: &str, change: impl FnOnce(&mut PlaceOrder)) -> Incoming {
    let mut order = place();
    order.contact = Some(contact());
    change(&mut order);
    Incoming {
        source: SOURCE.into(),
        message_id: id.into(),
        order,
        context: context(actor(Role::Channel, &[])),
    }
}

pub(super) fn sender() -> String {
    actor(Role::Channel, &[]).id
}

/// A message for a store that nobody opened yet.
pub(super) fn too_early(id: &str) -> Incoming {
    message(id, |order| {
        order.store_id = "CFR050".into();
        order.customer_id = Some("C-50".into());
    })
}

pub(super) fn again(reason: &str) -> Redrive {
    Redrive {
        command_id: CommandId(Uuid::now_v7()),
        reason: reason.into(),
        corrected: None,
        context: context(actor(Role::Ops, &[])),
    }
}

pub(super) async fn kept(bus: &CommandBus, incoming: Incoming) -> IntakeId {
    match submit(bus, incoming).await.unwrap() {
        Submitted::Kept(kept) => kept.id,
        Submitted::Placed(outcome) => panic!("placed: {:?}", outcome.receipt),
    }
}

pub(super) async fn intake(bus: &CommandBus, id: IntakeId) -> commands::Loaded<Intake> {
    bus.load::<Intake>(&id).await.unwrap().unwrap()
}

pub(super) async fn orders(database: &Database) -> i64 {
    streams(database, "order").await
}

pub(super) async fn intakes(database: &Database) -> i64 {
    streams(database, "intake").await
}

async fn streams(database: &Database, kind: &str) -> i64 {
    let pool = database.superuser_pool().await;
    sqlx::query_scalar("SELECT count(*) FROM stream_head WHERE aggregate_type = $1")
        .bind(kind)
        .fetch_one(&pool)
        .await
        .unwrap()
}

pub(super) fn code(error: CommandError) -> Code {
    match error {
        CommandError::Refused(refusal) => refusal.problems[0].code,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_an_order_once() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let racing = (0..10).map(|n| {
        let bus = buses[n % 2].clone();
        tokio::spawn(async move { submit(&bus, message("m-1", |_| {})).await.unwrap() })
    });
    let mut ids = Vec::new();
    for outcome in join_all(racing).await {
        match outcome.unwrap() {
            Submitted::Placed(outcome) => ids.push(outcome.receipt.id),
            Submitted::Kept(kept) => panic!("{kept:?}"),
        }
    }
    ids.dedup();
    assert_eq!((ids.len(), orders(&database).await), (1, 1));
    // The same name for another order: refused, and nothing kept of it.
    let other = message("m-1", |order| order.store_id = "CFR002".into());
    let error = submit(&buses[0], other).await.unwrap_err();
    assert_eq!(error, CommandError::CommandReused);
    let other = message("m-1", |order| order.contact = None);
    let error = submit(&buses[0], other).await.unwrap_err();
    assert_eq!(error, CommandError::CommandReused);
    assert_eq!((orders(&database).await, intakes(&database).await), (1, 0));
    let Submitted::Placed(again) = submit(&buses[1], message("m-1", |_| {})).await.unwrap() else {
        panic!("kept");
    };
    assert!(again.receipt.replayed);
    assert_eq!(again.receipt.id, ids[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_kept_once_with_all_its_reasons_and_nothing_in_the_clear() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let broken = || {
        let mut incoming = too_early("m-2");
        incoming.order.is_force_allocation = None;
        incoming
    };
    let racing = (0..10).map(|n| {
        let bus = buses[n % 2].clone();
        tokio::spawn(async move { kept(&bus, broken()).await })
    });
    for id in join_all(racing).await {
        assert_eq!(id.unwrap(), intake_id(&sender(), SOURCE, "m-2"));
    }
    let loaded = intake(&buses[0], intake_id(&sender(), SOURCE, "m-2")).await;
    assert_eq!((loaded.version, loaded.state.attempts), (1, 1));
    let codes: Vec<Code> = loaded.state.problems.iter().map(|p| p.code).collect();
    for code in [Code::ErrInvalidLocation, Code::ErrForceAllocationRequired] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let message = loaded.state.message.clone().unwrap();
    assert_eq!(message.order.contact, None);
    let sealed = message.contact.unwrap();
    assert_eq!(sealed.subject, "customer:C-50");
    let opened = buses[1].vault().open(&sealed).await.unwrap();
    assert!(opened == Some(contact()));
    let pool = database.superuser_pool().await;
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM events WHERE payload::text LIKE '%Hidden%' OR payload::text LIKE '%0000042%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!((clear, orders(&database).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_placed_when_its_cause_is_gone() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-3")).await;
    // Too early still: kept with another attempt.
    let still = redrive(&bus, id, again("asked for")).await.unwrap();
    assert!(still.order.is_none());
    assert_eq!(still.intake.entity.state.attempts, 2);

    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    let ask = again("the store is open now");
    let Redriven { intake, order } = redrive(&bus, id, ask.clone()).await.unwrap();
    let order = order.unwrap();
    let placed = IntakeOutcome::Placed { order_id: order.id };
    assert_eq!(intake.entity.state.outcome, placed);
    assert_eq!(order.state.store_id.as_str(), "CFR050");
    let sealed = order.state.contact.clone().unwrap();
    assert!(bus.vault().open(&sealed).await.unwrap() == Some(contact()));

    // Everything again: the command, another redrive, the message itself.
    let repeated = redrive(&bus, id, ask).await.unwrap();
    assert!(repeated.intake.receipt.replayed);
    assert_eq!(repeated.order.unwrap().id, order.id);
    let other = redrive(&bus, id, again("once more")).await.unwrap();
    assert!(other.intake.receipt.event_ids.is_empty());
    assert_eq!(kept(&bus, too_early("m-3")).await, id);
    assert_eq!(orders(&database).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_message_keeps_its_contact() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-4")).await;
    let corrected = Some(Box::new(place()));
    let mended = Redrive {
        corrected,
        ..again("the store was mistyped")
    };
    let order = redrive(&bus, id, mended).await.unwrap().order.unwrap();
    assert_eq!(order.state.store_id.as_str(), "CFR001");
    let sealed = order.state.contact.clone().unwrap();
    assert!(bus.vault().open(&sealed).await.unwrap() == Some(contact()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_with_another_mended_order_is_no_repeat() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-9")).await;
    let mended = Redrive {
        corrected: Some(Box::new(place())),
        ..again("the store was mistyped")
    };
    let placed = redrive(&bus, id, mended.clone()).await.unwrap();
    let repeated = redrive(&bus, id, mended.clone()).await.unwrap();
    assert!(repeated.intake.receipt.replayed);
    assert_eq!(repeated.order.unwrap().id, placed.order.unwrap().id);
    let mut elsewhere = place();
    elsewhere.store_id = "CFR002".into();
    for corrected in [Some(Box::new(elsewhere)), None] {
        let other = Redrive {
            corrected,
            ..mended.clone()
        };
        let error = redrive(&bus, id, other).await.unwrap_err();
        assert_eq!(error, CommandError::CommandReused);
    }
    assert_eq!(orders(&database).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_order_and_its_note_places_nothing_twice() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-5")).await;
    // An attempt got as far as the order, and its process died.
    let mut order = place();
    order.store_id = "CFR002".into();
    let mut attempt = request(Target::New, OrderCommand::Place(Box::new(order)));
    attempt.command_id = placing_id(id, 1);
    let placed = bus.execute(attempt).await.unwrap().receipt.id;

    let by = again("").context;
    let error = dismiss(&bus, id, CommandId(Uuid::now_v7()), "no".into(), &by).await;
    assert_eq!(code(error.unwrap_err()), Code::OrderExists);
    let corrected = Some(Box::new(place()));
    let ask = Redrive {
        corrected,
        ..again("after the crash")
    };
    let redriven = redrive(&bus, id, ask).await.unwrap();
    assert_eq!(redriven.order.unwrap().id, placed);
    assert_eq!(orders(&database).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_redrive_one_message_place_one_order() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let id = kept(&buses[0], too_early("m-6")).await;
    let racing = (0..10).map(|n| {
        let bus = buses[n % 2].clone();
        let mut corrected = place();
        corrected.store_id = if n % 4 < 2 { "CFR001" } else { "CFR002" }.into();
        let ask = Redrive {
            corrected: Some(Box::new(corrected)),
            ..again("mended")
        };
        tokio::spawn(async move { redrive(&bus, id, ask).await.unwrap().order.unwrap().id })
    });
    let mut placed = Vec::new();
    for order in join_all(racing).await {
        placed.push(order.unwrap());
    }
    placed.dedup();
    assert_eq!((placed.len(), orders(&database).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_message_stays_dismissed() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-7")).await;
    let by = again("").context;
    let dismissed = dismiss(&bus, id, CommandId(Uuid::now_v7()), "a test".into(), &by)
        .await
        .unwrap();
    let reason = "a test".to_owned();
    assert_eq!(
        dismissed.entity.state.outcome,
        IntakeOutcome::Dismissed { reason }
    );
    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    let error = redrive(&bus, id, again("after all")).await.unwrap_err();
    assert_eq!(code(error), Code::ErrInvalidTransition);
    assert_eq!(
        kept(&bus, too_early("m-7")).await,
        id,
        "sent again, still kept"
    );
    assert_eq!(orders(&database).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_without_a_reason_places_nothing() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-8")).await;
    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    let error = redrive(&bus, id, again(" ")).await.unwrap_err();
    assert_eq!(code(error), Code::Validation);
    assert_eq!(orders(&database).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_for_who_sees_the_whole_chain() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-9")).await;
    let forbidden = CommandError::Forbidden {
        action: Action::Redrive,
    };
    for actor in [
        actor(Role::Ops, &["CFR050"]),
        actor(Role::StoreManager, &[]),
    ] {
        let context = context(actor);
        let ask = Redrive {
            context: context.clone(),
            ..again("mine")
        };
        assert_eq!(redrive(&bus, id, ask).await.unwrap_err(), forbidden);
        let new = CommandId(Uuid::now_v7());
        let error = dismiss(&bus, id, new, "mine".into(), &context).await;
        assert_eq!(error.unwrap_err(), forbidden);
    }
    let unknown = intake_id(&sender(), SOURCE, "never came");
    let error = redrive(&bus, unknown, again("?")).await.unwrap_err();
    assert_eq!(error, CommandError::not_found::<Intake>(&unknown));
    let mut auditor = message("m-10", |_| {});
    auditor.context.actor = actor(Role::Auditor, &[]);
    let error = submit(&bus, auditor).await.unwrap_err();
    assert_eq!(error.outcome(), "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_persons_message_is_placed_without_them() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-11")).await;
    let customer = commands::personal::Subject::customer(&CustomerId::new("C-50").unwrap());
    let erasure = bus.forget(&customer, &admin()).await.unwrap();
    assert_eq!(erasure.destroyed, ["customer:C-50"]);
    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    let order = redrive(&bus, id, again("open now")).await.unwrap().order;
    assert_eq!(order.unwrap().state.contact, None);
}
