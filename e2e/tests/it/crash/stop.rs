//! SIGTERM and Ctrl-C: nothing that was begun stays without an answer.

use std::{
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use e2e::{Program, ProgramOptions, eventually};
use sqlx::{Connection, PgConnection};
use tokio::{net::TcpStream, task::JoinHandle};
use uuid::Uuid;

use super::{
    callers::Callers,
    ledger::{Ledger, alive, caught_up, directory, postmaster},
    steps::STEPS,
};
use crate::start::ledger;

/// Requests that hang in the database when the signal comes.
const IN_WORK: usize = 8;
/// `/readyz` must say so within the notice of half a second, before the door closes.
const NOTICE: Duration = Duration::from_millis(500);
/// The default of `shutdown_grace`.
const GRACE: Duration = Duration::from_secs(25);
/// A stop while the ledger starts may have to finish the step it is at.
const STARTING_GRACE: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_what_is_in_work_and_keeps_the_data() {
    stops_in_order("TERM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_answers_what_is_in_work_and_keeps_the_data() {
    stops_in_order("INT").await;
}

async fn stops_in_order(signal: &str) {
    let directory = directory();
    let deadline = vec![("LEDGER_COMMAND_DEADLINE_MS", "10000".to_owned())];
    let mut ledger = Ledger::start(directory.path(), deadline).await;
    let postgres = postmaster(&ledger.data_dir).unwrap();
    let mut lock = ledger.superuser().await;
    let in_work = hanging_requests(&ledger, &mut lock).await;

    let began = Instant::now();
    ledger.program.signal(signal);
    eventually("readyz says that it stops", async || {
        let answer = ledger.program.api("").try_get("/readyz").await.ok()?;
        (answer.status == 503 && answer.json()["status"] == "stopping").then_some(())
    })
    .await;
    let told = began.elapsed();
    assert!(told < NOTICE, "told after {told:?}");
    let address = ledger.program.address.clone();
    eventually("the door is closed", async || {
        TcpStream::connect(&address).await.is_err().then_some(())
    })
    .await;
    assert!(in_work.iter().all(|request| !request.is_finished()));
    sqlx::query("rollback").execute(&mut lock).await.unwrap();
    let mut orders = Vec::new();
    for request in in_work {
        orders.push(request.await.unwrap());
    }
    assert!(ledger.program.wait().await.success());
    let took = began.elapsed();
    assert!(took < GRACE, "{took:?}");
    assert!(!alive(postgres), "PostgreSQL still runs");
    println!(
        "{signal}: 503 after {} ms, ended after {} ms",
        told.as_millis(),
        took.as_millis()
    );

    ledger.restart().await;
    // The read models may have been stopped before the last of them.
    caught_up(&ledger.pool().await).await;
    let api = ledger.api().borrow().clone();
    for order in orders {
        let read = api
            .graphql(
                "query Q($id: ID!) { order(id: $id) { version } }",
                serde_json::json!({ "id": order }),
            )
            .await;
        assert_eq!(read["order"]["version"], 1);
    }
}

/// Placings that wait behind a lock on the head of the log; each ends with the order's id.
async fn hanging_requests(ledger: &Ledger, lock: &mut PgConnection) -> Vec<JoinHandle<String>> {
    sqlx::query("begin").execute(&mut *lock).await.unwrap();
    sqlx::query("select from log_head for update")
        .execute(&mut *lock)
        .await
        .unwrap();
    let requests = (0..IN_WORK).map(|_| {
        let api = ledger.api().borrow().clone();
        tokio::spawn(async move {
            let variables = STEPS[0].variables(Uuid::now_v7(), None);
            let data = api.graphql(&STEPS[0].query(), variables).await;
            data["placeOrder"]["receipt"]["orderId"]
                .as_str()
                .expect("a receipt")
                .to_owned()
        })
    });
    let requests = requests.collect();
    let mut watcher = ledger.superuser().await;
    let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%ledger_append(%'";
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&mut watcher)
        .await
        .unwrap()
        == 0
    {
        assert!(began.elapsed() < GRACE, "no append waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The requests behind the first one wait inside the program: give them time to get there.
    tokio::time::sleep(Duration::from_millis(200)).await;
    watcher.close().await.unwrap();
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_acknowledges_what_it_stored() {
    let directory = directory();
    let mut ledger = Ledger::start(directory.path(), Vec::new()).await;
    let callers = Callers::start(16, 7, &ledger.api());
    eventually("some load", async || {
        (callers.acknowledged() > 100).then_some(())
    })
    .await;
    let began = Instant::now();
    assert!(ledger.program.stop().await.success());
    assert!(began.elapsed() < GRACE, "{:?}", began.elapsed());
    println!("a stop under load took {} ms", began.elapsed().as_millis());
    ledger.restart().await;
    let outcome = callers.finish().await;
    ledger.check(&outcome).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_during_a_start_ends_it_and_the_next_start_works() {
    let directory = directory();
    let data_dir = directory.path().join("data");
    // The first one makes the database, the others find what it left.
    for delay in [0, 300, 900, 1800] {
        let mut child = starting(&data_dir).await;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        super::ledger::signal("TERM", child.id());
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(
                began.elapsed() < STARTING_GRACE,
                "a start that was told to stop goes on"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        println!(
            "told {delay} ms into the start, ended {} ms later with {status}",
            began.elapsed().as_millis()
        );
        assert!(status.success(), "{status}");
        eventually("PostgreSQL has ended", async || {
            postmaster(&data_dir)
                .is_none_or(|pid| !alive(pid))
                .then_some(())
        })
        .await;
    }
    let mut program = Program::start(ProgramOptions::embedded(&data_dir)).await;
    assert!(program.stop().await.success());
}

/// A start on this directory that has got as far as taking it.
async fn starting(data_dir: &Path) -> Child {
    let lock = data_dir.join("ledger.lock");
    let _first_start = std::fs::remove_file(&lock);
    let child = ledger(&[("LEDGER_DATA_DIR", data_dir.display().to_string())])
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("the start has begun", async || lock.exists().then_some(())).await;
    child
}
