//! When the head of the log is sealed.

use std::time::Duration;

use store::Position;
use store::seal::{Signature, page, seal};

use super::db::*;

fn sign(message: &[u8]) -> Signature {
    Signature {
        key_id: format!("{} bytes", message.len()),
        public_key: vec![1; 32],
        signature: vec![2; 64],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_sealed_once_and_only_when_it_moved() {
    let db = fresh_db().await;
    let logs = [db.log().await, db.log().await];
    let now = Duration::ZERO;
    let later = Duration::from_secs(3_600);
    let pools = logs.each_ref().map(|log| log.pool());
    assert_eq!(
        seal(pools[0], LOG, now, sign).await.unwrap(),
        None,
        "nothing to seal"
    );
    logs[0].append(append("a", 0, 3)).await.unwrap();
    // Of processes that are at it at the same moment one makes the seal.
    let tries = (0..16).map(|n| seal(pools[n % 2], LOG, now, sign));
    let made: Vec<_> = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
    assert_eq!(made.len(), 1);
    let head = logs[0].head().await.unwrap();
    assert_eq!(
        (made[0].head.position, made[0].head.hash),
        (head.position, head.hash)
    );
    assert_eq!(
        seal(pools[1], LOG, now, sign).await.unwrap(),
        None,
        "it did not move"
    );
    logs[1].append(append("a", 3, 1)).await.unwrap();
    assert_eq!(
        seal(pools[0], LOG, later, sign).await.unwrap(),
        None,
        "too soon"
    );
    let second = seal(pools[0], LOG, now, sign).await.unwrap().unwrap();
    assert_eq!(second.head.position, Position(4));
    let all = page(pools[0], LOG, None, 10).await.unwrap();
    assert_eq!(all, [made[0].clone(), second]);
    assert_eq!(page(pools[0], LOG, None, 1).await.unwrap(), all[1..]);
    let behind = page(pools[0], LOG, Some(Position(3)), 10).await.unwrap();
    assert_eq!(behind, all[1..]);
}
