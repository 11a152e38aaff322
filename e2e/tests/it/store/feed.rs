//! Reading a bounded part of the log, and finding where it stood at a time.

use chrono::TimeDelta;
use store::feed::{Filter, Scan, Scanned, chain_at, position_at, scan};
use store::{Append, Position};

use super::db::*;

async fn look(db: &Db, after: i64, window: i64, limit: i64, filter: &Filter) -> Scanned {
    let wanted = Scan {
        after: Position(after),
        window,
        limit,
        filter,
    };
    scan(&db.pool, LOG, &wanted).await.unwrap()
}

/// Of 20 events every fifth is a payment, and the stores take turns.
async fn filled() -> Db {
    let db = fresh_db().await;
    let log = db.log().await;
    for n in 0..20 {
        let mut one: Append = append(&format!("s{n}"), 0, 1);
        one.events[0].metadata = format!("{{\"storeId\":\"CFR00{}\"}}", n % 2 + 1);
        if n % 5 == 4 {
            one.events[0].event_type = "order.paid".to_owned();
        }
        log.append(one).await.unwrap();
    }
    db
}

fn positions(scanned: &Scanned) -> Vec<i64> {
    scanned.events.iter().map(|e| e.position.0).collect()
}

#[tokio::test]
async fn a_scan_looks_at_no_more_than_its_window() {
    let db = filled().await;
    let paid = Filter {
        types: Some(vec!["order.paid".to_owned()]),
        ..Filter::default()
    };
    // Nothing fits in the window: the cursor moves all the same, and the answer is for good.
    let none = look(&db, 0, 4, 10, &paid).await;
    assert_eq!(
        (positions(&none), none.next, none.is_settled),
        (vec![], Position(4), true)
    );
    let some = look(&db, 4, 8, 10, &paid).await;
    assert_eq!(
        (positions(&some), some.next, some.is_settled),
        (vec![5, 10], Position(12), true)
    );
    let full = look(&db, 4, 100, 2, &paid).await;
    assert_eq!(
        (positions(&full), full.next, full.is_settled),
        (vec![5, 10], Position(10), true)
    );
    let end = look(&db, 12, 100, 10, &paid).await;
    assert_eq!(
        (positions(&end), end.next, end.is_settled),
        (vec![15, 20], Position(20), false)
    );
    let beyond = look(&db, 30, 100, 10, &paid).await;
    assert_eq!(
        (positions(&beyond), beyond.next, beyond.head),
        (vec![], Position(30), Position(20))
    );
    let store = Filter {
        stores: Some(vec!["CFR002".to_owned()]),
        ..paid
    };
    assert_eq!(positions(&look(&db, 0, 100, 10, &store).await), [10, 20]);
    let nobody = Filter {
        stores: Some(Vec::new()),
        ..Filter::default()
    };
    let hidden = look(&db, 0, 100, 10, &nobody).await;
    assert_eq!((positions(&hidden), hidden.next), (vec![], Position(20)));
}

#[tokio::test]
async fn a_scan_reads_the_log_by_its_key() {
    let db = filled().await;
    db.run("ANALYZE events").await;
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT position FROM events WHERE log_id = 1 AND position > 5 AND position <= 15 \
         AND (NULL::text[] IS NULL OR event_type = ANY (NULL)) ORDER BY position LIMIT 10",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    // Partitions that hold nothing of the window are left out.
    let scans = plan.iter().filter(|line| line.contains("Scan")).count();
    assert!(scans <= 2, "{plan:#?}");
}

#[tokio::test]
async fn a_time_is_a_position() {
    let db = filled().await;
    let times: Vec<chrono::DateTime<chrono::Utc>> =
        sqlx::query_scalar("SELECT recorded_at FROM events ORDER BY position")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    let at = async |time| position_at(&db.pool, LOG, time).await.unwrap().0;
    assert_eq!(at(times[0] - TimeDelta::seconds(1)).await, 0);
    assert_eq!(at(times[19] + TimeDelta::seconds(1)).await, 20);
    for (n, time) in times.iter().enumerate() {
        let expected = times.iter().rposition(|t| t <= time).unwrap() + 1;
        assert_eq!(at(*time).await, expected as i64, "{n}");
    }
    assert_eq!(
        chain_at(&db.pool, LOG, Position(0)).await.unwrap().hash,
        [0; 32]
    );
    assert!(chain_at(&db.pool, LOG, Position(21)).await.is_err());
}
