//! The checker itself, on histories and logs with a defect planted in each.

use e2e::{Program, ProgramOptions, STORE_EVENTS, eventually, fresh_database};
use sqlx::Executor;
use store::{LogId, verify};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    callers::Callers,
    history::{Issued, LogCopy, violations},
    ledger::{assert_sound, caught_up},
};

type Plant = fn(&mut Vec<Issued>, &mut LogCopy);

/// Each defect, with words of the finding that must name it.
const DEFECTS: [(&str, Plant); 10] = [
    ("was acknowledged and is not in the log", |history, _| {
        let mut never = told(history).clone();
        never.command_id = Uuid::now_v7();
        history.push(never);
    }),
    ("nobody sent it", |history, _| {
        // One that is in the log: nobody knows of a command that was given up.
        let known = history.iter().position(|issued| issued.told.is_some());
        history.remove(known.expect("an acknowledged command"));
    }),
    ("told", |history, _| {
        told(history).told.as_mut().unwrap().position += 1
    }),
    ("told", |history, _| {
        told(history)
            .told
            .as_mut()
            .unwrap()
            .event_ids
            .push(Uuid::now_v7())
    }),
    ("is in the history twice", |history, _| {
        let twice = history[0].clone();
        history.push(twice);
    }),
    ("belongs", |_, log| {
        log.events.remove(log.events.len() / 2);
    }),
    ("is there twice", |_, log| {
        let mut copy = log.events[0].clone();
        copy.position = log.next();
        log.events.push(copy);
    }),
    ("has 2 events", |_, log| {
        let mut copy = log.events[0].clone();
        (copy.position, copy.event_id) = (log.next(), Uuid::now_v7());
        log.events.push(copy);
    }),
    ("has 0 rows in command_log", |_, log| {
        log.commands.remove(0);
    }),
    ("has 2 rows in command_log", |_, log| {
        let copy = log.commands[0].clone();
        log.commands.push(copy);
    }),
];

fn told(history: &mut [Issued]) -> &mut Issued {
    history
        .iter_mut()
        .find(|issued| issued.told.is_some())
        .expect("an acknowledged command")
}

/// Plants every defect in copies of a history and a log that agree.
pub(super) fn assert_seen(history: &[Issued], log: &LogCopy) {
    for (n, (words, plant)) in DEFECTS.into_iter().enumerate() {
        let (mut history, mut log) = (history.to_vec(), log.clone());
        plant(&mut history, &mut log);
        let found = violations(&history, &log);
        assert!(
            found.iter().any(|one| one.contains(words)),
            "defect {n} ({words}) was not seen: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_defects_are_seen() {
    let database = fresh_database().await.with_stores().await;
    let program = Program::start(ProgramOptions::on(&database)).await;
    let (_api, api) = watch::channel(program.admin());
    let callers = Callers::start(2, 1, &api);
    eventually("thirty commands", async || {
        (callers.acknowledged() >= 30).then_some(())
    })
    .await;
    let outcome = callers.finish().await;
    let pool = database.superuser_pool().await;
    caught_up(&pool).await;
    let log = LogCopy::read(&pool, STORE_EVENTS).await;
    assert_eq!(violations(&outcome.history, &log), Vec::<String>::new());
    assert_seen(&outcome.history, &log);
    assert_sound(&pool).await;

    // The two other judges of the fault tests see real damage as well.
    let status = "update order_view set version = version + 1 where order_id = (select min(order_id::text)::uuid from order_view)";
    pool.execute(status).await.unwrap();
    assert!(
        !projections::check::check(&pool, LogId::DEFAULT)
            .await
            .unwrap()
            .is_clean()
    );
    let lose = "alter table events_p0000000000000001 disable trigger all; \
                delete from events_p0000000000000001 where position = 7";
    pool.execute(lose).await.unwrap();
    let report = verify::verify(
        &pool,
        LogId::DEFAULT,
        &verify::Options::default(),
        |_, _| {},
    )
    .await
    .unwrap();
    assert!(!report.is_sound());
}
