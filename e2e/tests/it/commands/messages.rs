//! What a message is recognised by: its sender, its name, its content.

use chrono::TimeDelta;
use commands::{
    CommandError, Target, derived,
    intake::{Incoming, Redrive, Submitted, intake_id, redrive, submit},
};
use domain::{
    ids::{CommandId, IntakeId},
    intake::{Intake, IntakeCommand, Message},
    order::{OrderCommand, command::PlaceOrder},
    refusal::{Code, Problem},
};
use e2e::{fresh_database, orders::*, stores};
use futures_util::future::join_all;
use uuid::Uuid;

use super::intake::{SOURCE, again, code, intake, intakes, kept, message, orders, too_early};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_placed_or_kept_but_not_both() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    let racing = (0..10).map(|n| {
        let bus = buses[n % 2].clone();
        let incoming = if n % 4 < 2 {
            too_early("m-20")
        } else {
            message("m-20", |_| {})
        };
        tokio::spawn(async move { submit(&bus, incoming).await })
    });
    let (mut taken, mut refused) = (0, 0);
    for outcome in join_all(racing).await {
        match outcome.unwrap() {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(error, CommandError::CommandReused);
                refused += 1;
            }
        }
    }
    assert!(taken > 0 && taken + refused == 10, "{taken} {refused}");
    assert_eq!(orders(&database).await + intakes(&database).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_message_of_other_content_is_refused() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-21")).await;
    let mut other = too_early("m-21");
    other.order.contact.as_mut().unwrap().phone = Some("+66800000043".into());
    for other in [message("m-21", |_| {}), other] {
        let error = submit(&bus, other).await.unwrap_err();
        assert_eq!(error, CommandError::CommandReused);
    }
    // Also after people tried another order for it.
    let mended = Redrive {
        corrected: Some(Box::new(PlaceOrder {
            store_id: "CFR051".into(),
            ..place()
        })),
        ..again("mistyped")
    };
    redrive(&bus, id, mended).await.unwrap();
    assert_eq!(kept(&bus, too_early("m-21")).await, id);
    assert_eq!(intake(&bus, id).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_its_senders_own() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let of = |sender: &str, mut incoming: Incoming| {
        incoming.context.actor.id = sender.into();
        incoming
    };
    let first = submit(&bus, of("one", message("m-22", |_| {})))
        .await
        .unwrap();
    assert!(matches!(first, Submitted::Placed(_)));
    let other = of("two", message("m-22", |order| order.channel = "WEB".into()));
    let Submitted::Placed(other) = submit(&bus, other).await.unwrap() else {
        panic!("kept");
    };
    assert!(!other.receipt.replayed);
    let one = kept(&bus, of("one", too_early("m-23"))).await;
    let two = kept(&bus, of("two", too_early("m-23"))).await;
    assert_ne!(one, two);
    assert_eq!(one, intake_id("one", SOURCE, "m-23"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_recognised_by_the_names_of_before() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    // What was derived from source and message id alone.
    let place_id = derived::command_id("intake-place", &[SOURCE, "m-24", "0"]);
    let letter = IntakeId(derived::id("intake", &[SOURCE, "m-25"]));
    let incoming = message("m-24", |_| {});
    let mut attempt = request(
        Target::New,
        OrderCommand::Place(Box::new(incoming.order.clone())),
    );
    attempt.command_id = place_id;
    attempt.actor = incoming.context.actor.clone();
    let placed = bus.execute(attempt).await.unwrap().receipt.id;
    let Submitted::Placed(repeat) = submit(&bus, incoming.clone()).await.unwrap() else {
        panic!("kept");
    };
    assert!(repeat.receipt.replayed);
    assert_eq!(repeat.receipt.id, placed);
    let other = message("m-24", |order| order.contact = None);
    let error = submit(&bus, other).await.unwrap_err();
    assert_eq!(error, CommandError::CommandReused);

    let mut early = too_early("m-25");
    early.order.contact = None;
    let command = IntakeCommand::Reject {
        message: Message {
            source: SOURCE.into(),
            message_id: "m-25".into(),
            order: Box::new(early.order.clone()),
            contact: None,
        },
        problems: vec![Problem {
            code: Code::ErrInvalidLocation,
            path: "storeId".into(),
            message: "not open".into(),
        }],
        fingerprint: "of before".into(),
    };
    bus.execute(commands::Request::<Intake> {
        command_id: CommandId(Uuid::now_v7()),
        actor: early.context.actor.clone(),
        expected_version: None,
        target: Target::Entity(letter),
        command,
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    })
    .await
    .unwrap();
    assert_eq!(kept(&bus, early.clone()).await, letter);
    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    let redriven = redrive(&bus, letter, again("open now")).await.unwrap();
    assert!(redriven.order.is_some());
    assert_eq!(orders(&database).await, 2);
    // Another sender's message of that name is another message.
    let mut foreign = early;
    foreign.context.actor.id = "somebody else".into();
    let Submitted::Placed(foreign) = submit(&bus, foreign).await.unwrap() else {
        panic!("kept");
    };
    assert!(!foreign.receipt.replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_message_waits_for_people() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let now = bus.clock().now();
    let captured = |hours| {
        move |order: &mut PlaceOrder| order.captured_at = Some(now - TimeDelta::hours(hours))
    };
    let late = message("m-26", captured(25));
    let id = kept(&bus, late.clone()).await;
    let reasons = intake(&bus, id).await.state.problems.clone();
    assert_eq!((reasons[0].path.as_str(), reasons.len()), ("capturedAt", 1));
    assert_eq!(kept(&bus, late).await, id);
    // People know better.
    let redriven = redrive(&bus, id, again("the customer still waits"))
        .await
        .unwrap();
    assert!(redriven.order.is_some());
    let young = submit(&bus, message("m-27", captured(23))).await.unwrap();
    assert!(matches!(young, Submitted::Placed(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_usable_name_leaves_nothing_behind() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    for name in ["", "a b", "a\u{200b}"] {
        let error = submit(&bus, message(name, |_| {})).await.unwrap_err();
        assert_eq!(code(error), Code::Validation);
    }
    assert_eq!((orders(&database).await, intakes(&database).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_repeated_by_its_id() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = kept(&bus, too_early("m-28")).await;
    let ask = again("asked for");
    let first = redrive(&bus, id, ask.clone()).await.unwrap();
    assert!(!first.intake.receipt.replayed && first.order.is_none());
    let second = redrive(&bus, id, ask.clone()).await.unwrap();
    assert!(second.intake.receipt.replayed && second.order.is_none());
    assert_eq!(
        second.intake.receipt.event_ids,
        first.intake.receipt.event_ids
    );
    assert_eq!(intake(&bus, id).await.version, 2);
    // The id for another attempt, while it waits and once it is placed.
    let other = Redrive {
        reason: "another".into(),
        ..ask.clone()
    };
    let reused = CommandError::CommandReused;
    assert_eq!(redrive(&bus, id, other.clone()).await.unwrap_err(), reused);
    stores::open(&bus, "CFR050", stores::profile("Rama IV")).await;
    // A repeat stays a repeat, though a new attempt would get through.
    assert!(
        redrive(&bus, id, ask.clone())
            .await
            .unwrap()
            .order
            .is_none()
    );
    let placed = redrive(&bus, id, again("open now")).await.unwrap().order;
    let late = redrive(&bus, id, ask).await.unwrap();
    assert!(late.intake.receipt.replayed);
    assert_eq!(late.order.map(|o| o.id), placed.map(|o| o.id));
    assert_eq!(redrive(&bus, id, other).await.unwrap_err(), reused);
    assert_eq!(orders(&database).await, 1);
}
