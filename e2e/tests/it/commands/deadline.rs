//! A caller gets an answer inside the deadline, and a retry finds out what happened.

use std::time::{Duration, Instant};

use commands::{BusOptions, CommandError, Target};
use e2e::{
    STORE_EVENTS, fresh_database,
    orders::{placing, request},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_stands_still_is_an_unknown_outcome_and_a_retry_settles_it() {
    let database = fresh_database().await.with_stores().await;
    let deadline = Duration::from_millis(400);
    let bus = database
        .bus_with(BusOptions {
            deadline,
            ..BusOptions::default()
        })
        .await;
    // Somebody holds the head of the log.
    let pool = database.superuser_pool().await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT * FROM log_head FOR UPDATE")
        .execute(&mut *holder)
        .await
        .unwrap();

    let place = request(Target::New, placing());
    let started = Instant::now();
    let error = bus.execute(place.clone()).await.unwrap_err();
    assert_eq!(error, CommandError::OutcomeUnknown);
    assert!(error.is_retryable());
    assert!(started.elapsed() < deadline * 5, "{:?}", started.elapsed());

    holder.rollback().await.unwrap();
    let receipt = e2e::eventually("an answer to the retry", || async {
        bus.execute(place.clone()).await.ok()
    })
    .await
    .receipt;
    assert_eq!(receipt.version, 1);
    assert_eq!(
        database.log().await.head().await.unwrap().position.0,
        STORE_EVENTS + 1,
        "one effect"
    );
}
