//! Personal data: sealed in the log from the first event on, erased with its key.

use commands::Target;
use domain::order::{OrderCommand, command::Contact};
use e2e::{
    Database, fresh_database,
    orders::{contact, execute, place},
};
use store::verify;

fn placing(customer: Option<&str>) -> OrderCommand {
    let mut order = place();
    order.contact = Some(contact());
    order.customer_id = customer.map(Into::into);
    OrderCommand::Place(Box::new(order))
}

/// Every text of every table of ours.
async fn everything_stored(database: &Database) -> String {
    let pool = database.superuser_pool().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let dump = format!("SELECT coalesce(string_agg(t::text, '\n'), '') FROM {table} t");
        all += &sqlx::query_scalar::<_, String>(&dump)
            .fetch_one(&pool)
            .await
            .unwrap();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_holds_a_contact_in_the_clear() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    for customer in [None, Some("C-1001")] {
        let placed = execute(&bus, Target::New, placing(customer)).await.unwrap();
        let sealed = placed.entity.state.contact.clone().unwrap();
        let opened = database
            .bus()
            .await
            .vault()
            .open::<Contact>(&sealed)
            .await
            .unwrap()
            .unwrap();
        assert!(
            opened == contact(),
            "another process opens what this one sealed"
        );
    }
    let stored = everything_stored(&database).await;
    assert!(stored.contains("C-1001"), "the dump sees orders");
    for secret in ["สมหญิง", "0000042", "somying", "Hidden Lane"] {
        assert!(!stored.contains(secret), "{secret} is stored in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_has_one_key_and_an_order_without_one_its_own() {
    let database = fresh_database().await.with_stores().await;
    let buses = [database.bus().await, database.bus().await];
    for n in 0..6 {
        execute(&buses[n % 2], Target::New, placing(Some("C-7")))
            .await
            .unwrap();
        execute(&buses[n % 2], Target::New, placing(None))
            .await
            .unwrap();
    }
    let pool = database.superuser_pool().await;
    let count = |kind: &'static str| {
        let pool = pool.clone();
        async move {
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM subject_key WHERE subject LIKE $1")
                .bind(format!("{kind}:%"))
                .fetch_one(&pool)
                .await
                .unwrap()
        }
    };
    assert_eq!((count("customer").await, count("order").await), (1, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_key_a_contact_is_erased_and_the_chain_still_verifies() {
    let database = fresh_database().await.with_stores().await;
    let placed = execute(&database.bus().await, Target::New, placing(Some("C-9")))
        .await
        .unwrap();
    let pool = database.superuser_pool().await;
    sqlx::query("DELETE FROM subject_key WHERE subject = 'customer:C-9'")
        .execute(&pool)
        .await
        .unwrap();
    let sealed = placed.entity.state.contact.clone().unwrap();
    assert!(
        database
            .bus()
            .await
            .vault()
            .open::<Contact>(&sealed)
            .await
            .unwrap()
            .is_none()
    );
    let log = database.log().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_order_leaves_no_key_behind_and_racing_first_orders_share_one() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let mut refused = place();
    refused.contact = Some(contact());
    refused.customer_id = Some("C-3".into());
    refused.is_force_allocation = None;
    let refused = OrderCommand::Place(Box::new(refused));
    execute(&bus, Target::New, refused).await.unwrap_err();
    let pool = database.superuser_pool().await;
    let keys = || async {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM subject_key")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert_eq!(keys().await, 0);

    let racing = (0..8).map(|_| {
        let bus = bus.clone();
        tokio::spawn(async move {
            execute(&bus, Target::New, placing(Some("C-3")))
                .await
                .unwrap()
        })
    });
    for outcome in futures_util::future::join_all(racing).await {
        let sealed = outcome.unwrap().entity.state.contact.clone().unwrap();
        let opened = bus.vault().open::<Contact>(&sealed).await.unwrap().unwrap();
        assert!(opened == contact());
    }
    assert_eq!(keys().await, 1);
}
