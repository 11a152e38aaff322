//! `rebuild`: what it says and how it ends.

use projections::Model;
use serde_json::json;

use super::{order::delivered, support::Shell};

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_ends_as_verify_does() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    // Nobody has run the read models yet.
    let nothing = shell.run(&["rebuild", "store_board", "--compare"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.out.contains("NOT compared"), "{nothing:?}");
    assert!(nothing.err.contains("caught up"), "{nothing:?}");

    let made = shell.run(&["rebuild", "store_board", "--json"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(made.json()[0]["comparedAt"], json!(null));
    let equal = shell.run(&["rebuild", "store_board", "--compare"]);
    assert_eq!(equal.code, Some(0), "{equal:?}");
    assert!(equal.out.contains("equal to the log at"), "{equal:?}");

    let pool = database.superuser_pool().await;
    sqlx::query("update store_board set orders = orders + 1")
        .execute(&pool)
        .await
        .unwrap();
    let differs = shell.run(&["rebuild", "store_board", "--compare"]);
    assert_eq!(differs.code, Some(3), "{differs:?}");
    let verified = shell.run(&["verify"]);
    assert_eq!(verified.code, Some(3), "{verified:?}");
    assert!(verified.err.contains("ledger rebuild"), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_fails_half_way_says_what_it_did() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    // The place for the tables of before is somebody else's.
    let pool = database.superuser_pool().await;
    sqlx::query("create schema retired_cash_ledger")
        .execute(&pool)
        .await
        .unwrap();
    let failed = shell.run(&["rebuild", "all"]);
    assert_eq!(failed.code, Some(5), "{failed:?}");
    let (done, left) = failed.err.split_once("; not done, ").expect(&failed.err);
    let (_, done) = done.split_once("done with: ").expect(done);
    for model in Model::ALL.map(Model::name) {
        let is_done = model != "cash_ledger";
        let told = failed.out.lines().any(|line| line.starts_with(model));
        assert_eq!(told, is_done, "{model}: {failed:?}");
        assert_eq!(done.contains(model), is_done, "{model}: {failed:?}");
        assert_eq!(left.contains(model), !is_done, "{model}: {failed:?}");
    }
}
