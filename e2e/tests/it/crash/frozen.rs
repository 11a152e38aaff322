//! A process that freezes and comes back when another has taken its place.

use std::time::{Duration, Instant};

use e2e::{Program, ProgramOptions, STORE_EVENTS, eventually, fresh_database};
use projections::Model;
use tokio::sync::watch;

use super::{
    callers::Callers,
    history::{LogCopy, violations},
    ledger::{assert_sound, caught_up, signal},
};

/// What a process logs about each projection that it takes.
const OWNS: &str = "owns the projection";
/// What an owner of a projection logs when it finds that it was replaced.
const REPLACED: &str = "another process took the projection over";
/// How much longer than its lease the frozen process sleeps.
const PAST_THE_LEASE: Duration = Duration::from_secs(5);
/// The lease of 3 s, or 10 s where the process froze inside a transaction.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_owner_of_the_read_models_is_replaced_and_applies_nothing_twice() {
    let database = fresh_database().await.with_stores().await;
    let owner = Program::start(ProgramOptions::on(&database)).await;
    eventually("the first program owns the read models", async || {
        (owner.log().matches(OWNS).count() == Model::ALL.len()).then_some(())
    })
    .await;
    let other = Program::start(ProgramOptions::on(&database)).await;
    let (_owner, owners) = watch::channel(owner.admin());
    let (_other, others) = watch::channel(other.admin());
    let callers = [Callers::start(4, 1, &owners), Callers::start(4, 2, &others)];
    eventually("some load", async || {
        (callers.iter().all(|c| c.acknowledged() > 30)).then_some(())
    })
    .await;

    signal("STOP", owner.pid());
    let frozen = Instant::now();
    let before = callers[1].acknowledged();
    while other.log().matches(OWNS).count() < Model::ALL.len() {
        assert!(
            frozen.elapsed() < TAKE_OVER_LIMIT,
            "nobody took over:\n{}",
            other.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let taken = frozen.elapsed();
    tokio::time::sleep(PAST_THE_LEASE).await;
    assert!(
        callers[1].acknowledged() > before,
        "the other process answers nobody"
    );
    signal("CONT", owner.pid());
    eventually(
        "the frozen process finds that it was replaced",
        async || (owner.log().matches(REPLACED).count() >= Model::ALL.len()).then_some(()),
    )
    .await;
    println!("replaced after {} ms", taken.as_millis());

    let woken = callers[0].acknowledged();
    eventually("the woken process answers", async || {
        (callers[0].acknowledged() > woken).then_some(())
    })
    .await;
    for program in [&owner, &other] {
        assert_eq!(program.api("").get("/readyz").await.status, 200);
    }
    let mut history = Vec::new();
    for callers in callers {
        history.extend(callers.finish().await.history);
    }
    let pool = database.pool().await;
    caught_up(&pool).await;
    assert_eq!(
        violations(&history, &LogCopy::read(&pool, STORE_EVENTS).await),
        Vec::<String>::new()
    );
    assert_sound(&pool).await;
}
