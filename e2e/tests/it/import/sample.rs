//! The sample goes in once, however often it is imported.

use std::collections::HashSet;

use ledger::import::Outcome;

use super::support::{SAMPLE, World, assert_in_order, outcomes, printed, results, sample, world};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_sample_goes_in() {
    let world = world().await;
    let file = world.file("orders.ndjson", SAMPLE);
    let into = world.path("results.ndjson");
    let output = world.import(&file, Some(&into)).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("2000 lines: 2000 done"), "{told}");
    assert!(output.stdout.is_empty());
    let results = results(&std::fs::read_to_string(&into).unwrap());
    assert_in_order(&results, 2_000);
    assert!(
        results
            .iter()
            .all(|r| r.outcome == Outcome::Done && r.version == Some(1))
    );
    let positions: HashSet<i64> = results.iter().filter_map(|r| r.position).collect();
    let stores = World::stores_end();
    assert_eq!(positions, (stores + 1..=stores + 2_000).collect());
    world.assert_each_once(2_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_again_repeats_nothing() {
    let world = world().await;
    let file = world.file("orders.ndjson", &sample(300));
    let first = printed(&world.import(&file, None).output().unwrap(), 0);
    assert_in_order(&first, 300);
    assert_eq!(outcomes(&first), [Outcome::Done; 300]);
    let again = printed(&world.import(&file, None).output().unwrap(), 0);
    assert_eq!(outcomes(&again), [Outcome::Replayed; 300]);
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(
            (first.order_id, first.position),
            (again.order_id, again.position)
        );
    }
    world.assert_each_once(300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_results_file_is_gone_on_with() {
    let world = world().await;
    let text = sample(60);
    let part = world.file("part.ndjson", &sample(25));
    let whole = world.file("whole.ndjson", &text);
    let into = world.path("results.ndjson");
    for (file, lines) in [(&part, 25), (&whole, 60), (&whole, 60)] {
        let output = world.import(file, Some(&into)).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let results = results(&std::fs::read_to_string(&into).unwrap());
        assert_in_order(&results, lines);
        assert_eq!(
            outcomes(&results),
            vec![Outcome::Done; results.len()],
            "nothing was sent twice"
        );
    }
    // A torn result at the end is made whole.
    let written = std::fs::read_to_string(&into).unwrap();
    std::fs::write(&into, &written[..written.len() - 40]).unwrap();
    let output = world.import(&whole, Some(&into)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let mended = results(&std::fs::read_to_string(&into).unwrap());
    assert_in_order(&mended, 60);
    assert_eq!(mended[59].outcome, Outcome::Replayed);

    let other = world.file(
        "other.ndjson",
        &text.lines().rev().collect::<Vec<_>>().join("\n"),
    );
    let output = world.import(&other, Some(&into)).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "another input's results");
    let notes = world.file("notes.txt", "my notes\n");
    let output = world.import(&whole, Some(&notes)).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        std::fs::read_to_string(&notes).unwrap(),
        "my notes\n",
        "left alone"
    );
    world.assert_each_once(60).await;
}
