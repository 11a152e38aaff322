//! The index of phone numbers: written with the order, mended where it is not, gone with the person.

use std::{sync::Arc, time::Duration};

use commands::{
    CommandBus, Outcome, Target,
    personal::Subject,
    process::{ProcessOptions, Processes},
};
use domain::{
    ids::CustomerId,
    order::{OrderCommand, command::Contact},
};
use e2e::{Database, eventually, fresh_database, orders::*};
use sqlx::PgPool;
use store::{
    phones::{self, PhoneRow},
    wake::Wake,
};
use uuid::Uuid;

fn customer(id: &str) -> Subject {
    Subject::customer(&CustomerId::new(id).unwrap())
}

fn placing_for(customer: Option<&str>, phone: Option<&str>) -> OrderCommand {
    let mut order = place();
    order.contact = Some(Contact {
        phone: phone.map(Into::into),
        ..contact()
    });
    order.customer_id = customer.map(Into::into);
    OrderCommand::Place(Box::new(order))
}

async fn place_for(bus: &CommandBus, customer: Option<&str>, phone: Option<&str>) -> Outcome {
    execute(bus, Target::New, placing_for(customer, phone))
        .await
        .unwrap()
}

/// The index: order, hash and subject.
async fn rows(pool: &PgPool) -> Vec<(Uuid, Vec<u8>, String)> {
    sqlx::query_as("SELECT order_id, hash, subject FROM phone_index ORDER BY order_id")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn run(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

/// Runs the processes until `index` has as many rows, and has read the whole log.
async fn mended(database: &Database, bus: &CommandBus, expected: usize) {
    let pool = database.superuser_pool().await;
    let log = bus.log();
    let wake = Wake::listen(log.pool().clone(), log.log_id(), Duration::from_millis(50));
    let processes = Processes::spawn(bus, &wake, ProcessOptions::default());
    eventually("an index in which nothing is missing", || async {
        let status = processes.status().await.unwrap();
        let ours = status.iter().find(|s| s.name == "process.phone_index")?;
        let done = ours.lag_events() == 0 && rows(&pool).await.len() == expected;
        done.then_some(())
    })
    .await;
    processes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_in_the_index_when_it_is_acknowledged() {
    let database = fresh_database().await.with_stores().await;
    let (bus, other) = (database.bus().await, database.bus().await);
    let pool = database.superuser_pool().await;
    let named = place_for(&bus, Some("C-9"), Some("081-234-5678")).await;
    let unnamed = place_for(&other, None, Some("+66 81 234 5678")).await;
    place_for(&bus, Some("C-9"), None).await;
    place_for(&bus, Some("C-9"), Some("-")).await;
    execute(&bus, Target::New, placing()).await.unwrap();
    // A refused order, and one that repeats.
    let mut refused = placing_for(None, Some("0812345678"));
    if let OrderCommand::Place(place) = &mut refused {
        place.is_force_allocation = None;
    }
    execute(&bus, Target::New, refused).await.unwrap_err();
    let again = request(Target::New, placing_for(None, Some("0898765432")));
    let third = bus.execute(again.clone()).await.unwrap();
    assert!(bus.execute(again).await.unwrap().receipt.replayed);

    let hash = |phone: &str| bus.vault().phone_hash(phone).unwrap().0.to_vec();
    let row = |outcome: &Outcome, phone: &str| {
        let sealed = outcome.entity.state.contact.clone().unwrap();
        (outcome.receipt.id.0, hash(phone), sealed.subject)
    };
    let mut expected = [
        row(&named, "+66812345678"),
        row(&unnamed, "+66812345678"),
        row(&third, "+66898765432"),
    ];
    expected.sort();
    assert_eq!(rows(&pool).await, expected);
    // Processes that find all of it there add nothing.
    mended(&database, &bus, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_missing_are_added_and_erased_ones_are_not() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let pool = database.superuser_pool().await;
    for n in 0..6 {
        let customer = (n % 3 > 0).then(|| format!("C-{}", n % 3));
        place_for(&bus, customer.as_deref(), Some("0812345678")).await;
    }
    let before = rows(&pool).await;
    assert_eq!(before.len(), 6);
    // As a program of the release before left it.
    run(&pool, "DELETE FROM phone_index").await;
    mended(&database, &bus, 6).await;
    assert_eq!(rows(&pool).await, before);

    let erasure = bus.forget(&customer("C-1"), &admin()).await.unwrap();
    assert_eq!(erasure.destroyed, ["customer:C-1"]);
    let left: Vec<_> = before
        .iter()
        .filter(|(.., subject)| subject != "customer:C-1")
        .cloned()
        .collect();
    assert_eq!(left.len(), 4);
    assert_eq!(rows(&pool).await, left, "gone with the key");
    // Read again from the beginning, by a program that remembers the key too.
    let remembers = database.bus().await;
    run(&pool, "DELETE FROM phone_index; UPDATE projection_checkpoint SET position = 0 WHERE name = 'process.phone_index'").await;
    mended(&database, &remembers, 4).await;
    assert_eq!(rows(&pool).await, left);
    // Who comes back is found by what came since.
    place_for(&bus, Some("C-1"), Some("0812345678")).await;
    assert_eq!(rows(&pool).await.len(), 5);
    let gone = bus.forget(&customer("C-1"), &admin()).await.unwrap();
    assert_eq!(gone.destroyed, ["customer/2:C-1"]);
    assert_eq!(rows(&pool).await, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_added_for_a_subject_without_a_key() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    place_for(&bus, Some("C-9"), None).await;
    let log = bus.log();
    let row = |subject: &str| PhoneRow {
        id: Uuid::now_v7(),
        hash: bus.vault().phone_hash("0812345678").unwrap(),
        subject: subject.to_owned(),
    };
    let add = async |rows: Vec<PhoneRow>| {
        let mut connection = log.pool().acquire().await.unwrap();
        phones::add(&mut connection, log.log_id(), &rows).await
    };
    let known = row("customer:C-9");
    assert_eq!(
        add(vec![known.clone(), row("customer:C-1")]).await.unwrap(),
        1
    );
    assert_eq!(add(vec![known]).await.unwrap(), 0, "it is there already");
    bus.forget(&customer("C-9"), &admin()).await.unwrap();
    assert_eq!(add(vec![row("customer:C-9")]).await.unwrap(), 0);
    let many = vec![row("customer:C-9"); phones::MAX_ROWS + 1];
    assert!(add(many).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_waits_for_rows_that_are_being_added_and_takes_them() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let pool = database.superuser_pool().await;
    let placed = place_for(&bus, Some("C-9"), Some("0812345678")).await;
    run(&pool, "DELETE FROM phone_index").await;
    let row = PhoneRow {
        id: placed.receipt.id.0,
        hash: bus.vault().phone_hash("0812345678").unwrap(),
        subject: "customer:C-9".to_owned(),
    };
    let mut adding = bus.log().pool().begin().await.unwrap();
    let added = phones::add(&mut adding, bus.log().log_id(), &[row]).await;
    assert_eq!(added.unwrap(), 1);
    let eraser = bus.clone();
    let forgetting =
        tokio::spawn(async move { eraser.forget(&customer("C-9"), &admin()).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!forgetting.is_finished(), "it waits for the key's row");
    adding.commit().await.unwrap();
    assert_eq!(forgetting.await.unwrap().destroyed, ["customer:C-9"]);
    assert_eq!(rows(&pool).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_race_an_erasure_are_found_when_they_can_be_read() {
    let database = fresh_database().await.with_stores().await;
    let bus = Arc::new(database.bus().await);
    place_for(&bus, Some("C-9"), Some("0812345678")).await;
    let placing: Vec<_> = (0..40)
        .map(|n| {
            let bus = bus.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(n)).await;
                place_for(&bus, Some("C-9"), Some("0812345678")).await
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    bus.forget(&customer("C-9"), &admin()).await.unwrap();
    let fresh = database.bus().await;
    let mut readable = Vec::new();
    for placed in placing {
        let placed = placed.await.unwrap();
        let sealed = placed.entity.state.contact.clone().unwrap();
        let opened: Option<Contact> = fresh.vault().open(&sealed).await.unwrap();
        readable.extend(opened.map(|_| placed.receipt.id.0));
    }
    readable.sort_unstable();
    let found = rows(&database.superuser_pool().await).await;
    let found: Vec<Uuid> = found.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(found, readable);
}
