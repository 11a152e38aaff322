//! The disk fills up while the ledger works.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use e2e::eventually;
use sqlx::Connection;

use super::{
    callers::Callers,
    ledger::{Ledger, alive},
};
use crate::start::SmallDisk;

/// Room for the database and for little more.
const DISK_MB: u32 = 400;
/// The exit code of a ledger whose PostgreSQL cannot be kept running.
const DATABASE: i32 = 5;
/// The longest until a full disk is felt: the log's next segment does not fit.
const FELT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_under_load_loses_nothing() {
    let Some(disk) = SmallDisk::mount_if_root(DISK_MB) else {
        // Only root can make a disk small enough to fill; the kill tests prove the same recovery without one.
        println!("not run: mounting a small disk needs root");
        return;
    };
    let data_dir = disk.path.join("data");
    std::fs::create_dir(&data_dir).unwrap();
    let mut ledger = Ledger::start(&data_dir, Vec::new()).await;
    let callers = Callers::start(8, 3, &ledger.api());
    eventually("some load", async || {
        (callers.acknowledged() > 50).then_some(())
    })
    .await;
    let ballast = disk.fill_but(0);
    // Each switch asks for a new segment of 16 MB.
    let full = Instant::now();
    while callers.tally.try_again.load(Ordering::Relaxed) == 0 && alive(ledger.program.pid()) {
        assert!(full.elapsed() < FELT, "the full disk is not felt");
        if let Some(mut connection) = ledger.try_superuser().await {
            let _full = sqlx::query("select pg_switch_wal()")
                .execute(&mut connection)
                .await;
            let _gone = connection.close().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("felt after {} ms", full.elapsed().as_millis());
    tokio::time::sleep(Duration::from_secs(2)).await;
    std::fs::remove_file(ballast).unwrap();
    let freed = Instant::now();
    if !ledger.recovers(&callers, 50).await {
        let status = ledger.program.wait().await;
        assert_eq!(status.code(), Some(DATABASE), "{status}");
        println!("the ledger gave up with {status} and is started again");
        ledger.restart().await;
        assert!(ledger.recovers(&callers, 50).await);
    }
    println!(
        "commands again {} ms after there was space",
        freed.elapsed().as_millis()
    );
    let tally = std::sync::Arc::clone(&callers.tally);
    let outcome = callers.finish().await;
    assert_eq!(*tally.wrong.lock().unwrap(), Vec::<String>::new());
    ledger.check(&outcome).await;
    assert!(ledger.program.stop().await.success());
}
