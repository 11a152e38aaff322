//! Many callers, many writers, lost connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::{Append, AppendError, AppendOptions, Position};

use super::db::*;

#[tokio::test]
async fn racing_commands_with_one_claim_have_one_winner() {
    let db = fresh_db().await;
    let logs = [db.log().await, db.log().await];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let log = logs[n % 2].clone();
        let mut command = append(&new_stream(), 0, 1);
        command.claims = vec![claim("ref:GRAB", "G1")];
        tasks.spawn(async move { log.append(command).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    let holders: BTreeSet<_> = results
        .iter()
        .filter_map(|r| match r {
            Err(AppendError::ClaimTaken {
                holder_receipt: Some(r),
                ..
            }) => Some(r.command_id),
            _ => None,
        })
        .collect();
    assert_eq!(holders.len(), 1);
    db.assert_sound(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_racing_the_same_commands_append_each_once() {
    let db = fresh_db().await;
    let logs = [db.log().await, db.log().await];
    let commands: Vec<Append> = (0..300)
        .map(|n| append(&new_stream(), 0, 1 + n % 3))
        .collect();
    let mut tasks = tokio::task::JoinSet::new();
    for (n, command) in commands.iter().enumerate() {
        for copy in 0..4 {
            let (log, command) = (logs[(n + copy) % 2].clone(), command.clone());
            tasks.spawn(async move { log.append(command).await.unwrap() });
        }
    }
    let mut firsts = 0;
    let mut positions: BTreeMap<Uuid, BTreeSet<(i64, i64)>> = BTreeMap::new();
    for receipt in tasks.join_all().await {
        firsts += i64::from(!receipt.replayed);
        positions
            .entry(receipt.command_id)
            .or_default()
            .insert((receipt.first_position.0, receipt.last_position.0));
    }
    assert_eq!(firsts, 300);
    assert!(positions.values().all(|p| p.len() == 1));
    db.assert_sound(600).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_commands_on_one_stream_are_serialised_or_told() {
    let db = fresh_db().await;
    let logs = [db.log().await, db.log().await];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let log = logs[n % 2].clone();
        tasks.spawn(async move {
            let mut version = 0;
            loop {
                match log.append(append("hot", version, 1)).await {
                    Ok(receipt) => return receipt.version,
                    Err(AppendError::VersionConflict { actual, .. }) => version = actual,
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    let versions: BTreeSet<i64> = tasks.join_all().await.into_iter().collect();
    assert_eq!(versions, (1..=20).collect());
    db.assert_sound(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_skips_an_event() {
    let db = fresh_db().await;
    let logs = [db.log().await, db.log().await];
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (log, done) = (logs[0].clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut last = Position::START;
                loop {
                    let finished = done.load(Ordering::SeqCst);
                    let page = log.page(last, 50).await.unwrap();
                    for event in &page {
                        assert_eq!(event.position.0, last.0 + 1);
                        last = event.position;
                    }
                    if finished && page.is_empty() {
                        return last;
                    }
                }
            })
        })
        .collect();
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..16 {
        let log = logs[n % 2].clone();
        writers.spawn(async move {
            for _ in 0..60 {
                log.append(append(&new_stream(), 0, 2)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert_eq!(reader.await.unwrap(), Position(16 * 60 * 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_backend_loses_and_doubles_nothing() {
    let db = fresh_db().await;
    let log = db.log().await;
    let done = Arc::new(AtomicBool::new(false));
    let killer = {
        let (pool, done) = (db.pool.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut kills = 0;
            while !done.load(Ordering::SeqCst) {
                let killed: i64 = sqlx::query_scalar(
                    "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = current_database() AND query LIKE '%ledger_append(%' \
                       AND state = 'active' AND pid <> pg_backend_pid()",
                )
                .fetch_one(&pool)
                .await
                .unwrap();
                kills += killed;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            kills
        })
    };
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let log = log.clone();
        writers.spawn(async move {
            for _ in 0..80 {
                let command = append(&new_stream(), 0, 1);
                // On a slow machine every try of the writer may be hit: then the caller repeats.
                while let Err(error) = log.append(command.clone()).await {
                    assert!(matches!(error, AppendError::OutcomeUnknown(_)), "{error}");
                }
            }
        });
    }
    writers.join_all().await;
    done.store(true, Ordering::SeqCst);
    let kills = killer.await.unwrap();
    assert!(kills > 0, "the test killed nothing");
    db.assert_sound(16 * 80).await;
}

#[tokio::test]
async fn a_held_head_lock_is_unavailable_and_not_written() {
    let db = fresh_db().await;
    let log = db
        .log_with(AppendOptions {
            queue_commands: 1,
            ..AppendOptions::default()
        })
        .await;
    let mut holder = db.pool.begin().await.unwrap();
    holder
        .execute("SELECT * FROM log_head FOR UPDATE")
        .await
        .unwrap();
    let waiting = {
        let log = log.clone();
        tokio::spawn(async move { log.append(append("a", 0, 1)).await })
    };
    // One command is with the database; one fits the queue; the next must be told at once.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let queued = {
        let log = log.clone();
        tokio::spawn(async move { log.append(append("b", 0, 1)).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        log.append(append("c", 0, 1)).await,
        Err(AppendError::Overloaded)
    );
    assert!(matches!(
        waiting.await.unwrap(),
        Err(AppendError::Unavailable(_))
    ));
    holder.rollback().await.unwrap();
    queued.await.unwrap().unwrap();
    db.assert_sound(1).await;
}

#[tokio::test]
async fn closing_answers_what_waits_and_refuses_what_comes() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let log = log.clone();
        tasks.spawn(async move { log.append(append(&new_stream(), 0, 1)).await });
    }
    tokio::task::yield_now().await;
    let late = log.clone();
    log.close().await;
    for result in tasks.join_all().await {
        assert!(
            matches!(result, Ok(_) | Err(AppendError::Unavailable(_))),
            "{result:?}"
        );
    }
    assert!(matches!(
        late.append(append("x", 0, 1)).await,
        Err(AppendError::Unavailable(_))
    ));
}
