//! Erasing a person: their key is gone for good, everything else stands.

use std::sync::Arc;

use commands::{CommandBus, CommandError, Outcome, Target, personal::Subject};
use domain::{
    actor::{Action, Role},
    ids::CustomerId,
    order::{Order, OrderCommand, command::Contact, event::Sealed},
};
use e2e::{Database, STORE_EVENTS, fresh_database, orders::*};
use store::verify;

fn customer(id: &str) -> Subject {
    Subject::customer(&CustomerId::new(id).unwrap())
}

fn placing_for(customer: &str) -> OrderCommand {
    let mut order = place();
    order.contact = Some(contact());
    order.customer_id = Some(customer.into());
    OrderCommand::Place(Box::new(order))
}

async fn place_for(bus: &CommandBus, customer: &str) -> Outcome {
    execute(bus, Target::New, placing_for(customer))
        .await
        .unwrap()
}

fn sealed(outcome: &Outcome) -> Sealed {
    outcome.entity.state.contact.clone().unwrap()
}

async fn open(bus: &CommandBus, sealed: &Sealed) -> Option<Contact> {
    bus.vault().open(sealed).await.unwrap()
}

async fn assert_sound(database: &Database) {
    let log = database.log().await;
    let options = verify::Options::default();
    let report = verify::verify(log.pool(), log.log_id(), &options, |_, _| {})
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_gone_and_their_orders_stand() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let command = request(Target::New, placing_for("C-9"));
    let first = bus.execute(command.clone()).await.unwrap();
    let second = place_for(&bus, "C-9").await;
    let other = place_for(&bus, "C-10").await;
    assert!(open(&bus, &sealed(&first)).await == Some(contact()));

    let erasure = bus.forget(&customer("C-9"), &admin()).await.unwrap();
    assert_eq!(erasure.destroyed, ["customer:C-9"]);
    for bus in [&bus, &database.bus().await] {
        for outcome in [&first, &second] {
            assert!(open(bus, &sealed(outcome)).await.is_none());
        }
        assert!(open(bus, &sealed(&other)).await == Some(contact()));
        let loaded = bus.load::<Order>(&first.receipt.id).await.unwrap().unwrap();
        assert_eq!(loaded.state, first.entity.state, "replay is as before");
    }
    let again = bus.execute(command).await.unwrap().receipt;
    assert!(again.replayed && again.event_ids == first.receipt.event_ids);
    assert_sound(&database).await;

    let pool = database.superuser_pool().await;
    let left: Vec<u8> =
        sqlx::query_scalar("SELECT wrapped FROM subject_key WHERE subject = 'customer:C-9'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(left.is_empty());
    let kept: (String, String) = sqlx::query_as("SELECT subject, actor FROM erasure")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, ("customer:C-9".into(), "test-admin".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_order_gets_a_new_key_every_time() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let mut old: Vec<Sealed> = Vec::new();
    for name in ["customer:C-9", "customer/2:C-9", "customer/3:C-9"] {
        let placed = place_for(&bus, "C-9").await;
        let now = sealed(&placed);
        assert_eq!(now.subject, name);
        for bus in [&bus, &database.bus().await] {
            assert!(open(bus, &now).await == Some(contact()));
            for gone in &old {
                assert!(open(bus, gone).await.is_none());
            }
        }
        let erasure = bus.forget(&customer("C-9"), &admin()).await.unwrap();
        assert_eq!(erasure.destroyed, [name]);
        let nothing = bus.forget(&customer("C-9"), &admin()).await.unwrap();
        assert!(nothing.destroyed.is_empty());
        old.push(now);
    }
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_a_bounded_number_of_keys_and_the_refusal_names_nobody() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    // As after 1,023 erasures, each with an order before it.
    let pool = database.superuser_pool().await;
    sqlx::query(
        "INSERT INTO subject_key (log_id, subject, wrapped) SELECT 1, \
         CASE n WHEN 1 THEN 'customer:C-9' ELSE 'customer/' || n || ':C-9' END, '' \
         FROM generate_series(1, 1023) AS n",
    )
    .execute(&pool)
    .await
    .unwrap();
    let last = sealed(&place_for(&bus, "C-9").await);
    assert_eq!(last.subject, "customer/1024:C-9");
    assert!(open(&bus, &last).await == Some(contact()));
    let again = sealed(&place_for(&bus, "C-9").await);
    assert_eq!(again.subject, last.subject);
    let erasure = bus.forget(&customer("C-9"), &admin()).await.unwrap();
    assert_eq!(erasure.destroyed, [last.subject]);

    let worn = execute(&bus, Target::New, placing_for("C-9")).await;
    let CommandError::Refused(refusal) = worn.unwrap_err() else {
        panic!("the caller can take another id: that is for them to know");
    };
    assert_eq!(refusal.problems[0].path, "customerId");
    assert!(!refusal.problems[0].message.contains("C-9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_remembers_the_key_neither_uses_it_nor_brings_it_back() {
    let database = fresh_database().await.with_stores().await;
    let (eraser, other) = (database.bus().await, database.bus().await);
    let first = place_for(&eraser, "C-9").await;
    assert!(
        open(&other, &sealed(&first)).await == Some(contact()),
        "now it remembers"
    );
    eraser.forget(&customer("C-9"), &admin()).await.unwrap();
    let later = place_for(&other, "C-9").await;
    assert_eq!(sealed(&later).subject, "customer/2:C-9");
    assert!(open(&eraser, &sealed(&later)).await == Some(contact()));
    assert!(open(&eraser, &sealed(&first)).await.is_none());
    assert!(
        open(&other, &sealed(&first)).await.is_none(),
        "the refusal told it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_race_an_erasure_are_either_before_or_after_it() {
    let database = fresh_database().await.with_stores().await;
    let buses = [
        Arc::new(database.bus().await),
        Arc::new(database.bus().await),
    ];
    place_for(&buses[0], "C-9").await;
    let placing = (0..60).map(|n| {
        let bus = buses[n % 2].clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(n as u64)).await;
            place_for(&bus, "C-9").await
        })
    });
    let placing: Vec<_> = placing.collect();
    tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    let before = database.log().await.head().await.unwrap().position;
    buses[0].forget(&customer("C-9"), &admin()).await.unwrap();
    let fresh = database.bus().await;
    let (mut gone, mut there) = (0, 0);
    for placed in placing {
        let placed = placed.await.unwrap();
        match open(&fresh, &sealed(&placed)).await {
            Some(opened) => {
                assert!(opened == contact());
                assert!(placed.receipt.position > before);
                there += 1;
            }
            None => gone += 1,
        }
    }
    assert_eq!(gone + there, 60);
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM subject_key WHERE wrapped <> ''")
        .fetch_one(&database.superuser_pool().await)
        .await
        .unwrap();
    assert_eq!(keys, i64::from(there > 0));
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_of_the_whole_chain_erases() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let placed = place_for(&bus, "C-9").await;
    let forbidden = CommandError::Forbidden {
        action: Action::ErasePerson,
    };
    for somebody in [actor(Role::Ops, &[]), actor(Role::Admin, &["CFR001"])] {
        let refused = bus.forget(&customer("C-9"), &somebody).await;
        assert_eq!(refused.unwrap_err(), forbidden);
    }
    assert!(open(&bus, &sealed(&placed)).await == Some(contact()));
    let audited: Vec<(String, String)> =
        sqlx::query_as("SELECT target, reason FROM access_audit ORDER BY id")
            .fetch_all(&database.superuser_pool().await)
            .await
            .unwrap();
    let row = |reason: &str| ("customer:C-9".to_owned(), reason.to_owned());
    assert_eq!(audited, [row("role"), row("store")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_for_a_customer_share_no_key() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    for nobody in ["-", "undefined", " "] {
        let placed = place_for(&bus, nobody).await;
        assert_eq!(placed.entity.state.customer_id, None);
        let own = format!("order:{}", placed.receipt.id);
        assert_eq!(sealed(&placed).subject, own);
    }
    let placed = place_for(&bus, " C-9 ").await;
    assert_eq!(sealed(&placed).subject, "customer:C-9");
    // An order without a customer is erased by its own id.
    let placed = place_for(&bus, "-").await;
    let subject = Subject::order(placed.receipt.id);
    bus.forget(&subject, &admin()).await.unwrap();
    assert!(open(&bus, &sealed(&placed)).await.is_none());
    assert_eq!(placed.receipt.position.0, STORE_EVENTS + 5);
}
