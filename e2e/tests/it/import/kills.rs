//! A killed import is finished by running it again.

use std::{io::Write, process::Stdio};

use ledger::import::Outcome;

use super::support::{assert_in_order, outcomes, results, sample, world};

const LINES: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_in_the_middle_is_finished_by_the_next() {
    let world = world().await;
    let text = sample(LINES);
    let file = world.file("orders.ndjson", &text);
    let into = world.path("results.ndjson");
    for (fed, killed_at) in [(120, 30), (240, 150)] {
        let mut import = world
            .import("-".as_ref(), Some(&into))
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The pipe stays open, so that the import cannot end by itself.
        let mut pipe = import.stdin.take().unwrap();
        pipe.write_all(sample(fed).as_bytes()).unwrap();
        e2e::eventually("the import is under way", || async {
            (world.events().await >= killed_at).then_some(())
        })
        .await;
        import.kill().unwrap();
        assert_eq!(import.wait().unwrap().code(), None, "killed");
    }
    let before = world.events().await;
    assert!(before < i64::try_from(LINES).unwrap());

    let output = world.import(&file, Some(&into)).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let results = results(&std::fs::read_to_string(&into).unwrap());
    assert_in_order(&results, LINES as u64);
    let done = [Outcome::Done, Outcome::Replayed];
    assert!(
        outcomes(&results)
            .iter()
            .all(|outcome| done.contains(outcome))
    );
    world.assert_each_once(LINES as i64).await;
}
