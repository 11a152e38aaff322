//! `forget`: a person is erased, their orders stay.

use std::process::Stdio;

use e2e::{
    Api, Database, Program, ProgramOptions, fresh_database,
    orders::{contact, place},
};
use serde_json::{Value, json};
use store::LogId;
use uuid::Uuid;

use super::support::{Ended, Shell, run};

/// Words of [`contact`] that stand nowhere else.
const SECRETS: [&str; 4] = ["สมหญ", "0000042", "somying", "Hidden Lane"];

/// Places [`place`] for somebody with [`contact`]; the order's id.
async fn placed(api: &Api, customer: Option<&str>) -> String {
    let query = "mutation M($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } problems { code } } }";
    let mut order = place();
    order.contact = Some(contact());
    order.customer_id = customer.map(Into::into);
    let mut input = serde_json::to_value(order).unwrap();
    input["commandId"] = json!(Uuid::now_v7());
    let data = api.graphql(query, json!({ "input": input })).await;
    let id = data["placeOrder"]["order"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{data}")).to_owned()
}

/// An order's total and what is shown of the person.
async fn shown(api: &Api, id: &str) -> Value {
    let query = "query Q($id: ID!) { order(id: $id) { totals { orderTotal }
        contact { state erased name phone email address { line1 } } } }";
    e2e::eventually("the order in the read model", || async {
        let order = api.graphql(query, json!({ "id": id })).await["order"].clone();
        order.is_object().then_some(order)
    })
    .await
}

/// `ledger forget ...` where nobody can be asked.
fn forget(shell: &Shell<'_>, arguments: &[&str]) -> Ended {
    let mut command = shell.command(&["forget"]);
    command.args(arguments).stdin(Stdio::null());
    let ended = run(command);
    for secret in SECRETS {
        assert!(
            !ended.out.contains(secret) && !ended.err.contains(secret),
            "{secret}: {ended:?}"
        );
    }
    ended
}

/// Two orders of `C-1001`, one of `C-1002`, one of somebody unnamed.
async fn traded(database: &Database) -> [String; 4] {
    let mut program = Program::start(ProgramOptions::on(database)).await;
    let api = program.admin();
    let mut orders = Vec::new();
    for customer in [Some("C-1001"), Some("C-1001"), Some("C-1002"), None] {
        orders.push(placed(&api, customer).await);
    }
    let before = shown(&api, &orders[0]).await;
    assert_eq!(before["contact"]["name"], "สมหญิง ทดสอบระบบ");
    assert!(program.stop().await.success());
    orders.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_customer_is_erased_from_every_order() {
    let database = fresh_database().await.with_stores().await;
    let [first, second, other, unnamed] = traded(&database).await;
    let shell = Shell::new(Some(&database));
    let asked = forget(&shell, &["C-1001"]);
    assert_eq!((asked.code, asked.out.as_str()), (Some(2), ""), "{asked:?}");
    assert!(asked.err.contains("--yes"), "{}", asked.err);

    let erased = forget(&shell, &["C-1001", "--yes", "--json"]);
    assert_eq!(erased.code, Some(0), "{erased:?}");
    assert_eq!(erased.json()["destroyed"], 1, "the key was still there");
    let of_order = forget(&shell, &["--order", &unnamed, "-y"]);
    assert_eq!(of_order.code, Some(0), "{of_order:?}");
    assert!(of_order.out.contains("erased"), "{}", of_order.out);
    for again in [&["C-1001", "--yes"][..], &["--order", &unnamed, "--yes"]] {
        let ended = forget(&shell, again);
        assert_eq!((ended.code, ended.out.as_str()), (Some(6), ""), "{ended:?}");
    }

    let verified = shell.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let order = shell.run(&["order", "show", &first]);
    assert_eq!(order.code, Some(0), "{order:?}");
    assert!(order.out.contains("169.0000 THB"), "{}", order.out);

    let program = Program::start(ProgramOptions::on(&database)).await;
    let api = program.admin();
    let nothing = json!({ "state": "ERASED", "erased": true, "name": null, "phone": null,
        "email": null, "address": null });
    for id in [&first, &second, &unnamed] {
        let order = shown(&api, id).await;
        assert_eq!(order["contact"], nothing);
        assert_eq!(order["totals"]["orderTotal"], "169.0000");
    }
    let kept = shown(&api, &other).await;
    assert_eq!(kept["contact"]["phone"], "+66800000042");
    // Who comes back is somebody new.
    let back = placed(&api, Some("C-1001")).await;
    assert_eq!(shown(&api, &back).await["contact"]["state"], "VISIBLE");
    assert_eq!(shown(&api, &second).await["contact"], nothing);
    let pool = database.pool().await;
    e2e::eventually("read models that are a fold of the log", || async {
        let checked = projections::check::check(&pool, LogId::DEFAULT).await;
        checked.unwrap().is_clean().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_forgotten_by_mistake() {
    let database = fresh_database().await.with_stores().await;
    let shell = Shell::new(Some(&database));
    for (arguments, code) in [
        (&["C-9999", "--yes"][..], 6),
        (&["--order", "QC-2026-01-31-000042", "--yes"], 6),
        (&["--order", "42", "--yes"], 2),
        (&["\u{7}", "--yes"], 2),
        (&["--yes"], 2),
        (&[], 2),
    ] {
        let ended = forget(&shell, arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(code), ""),
            "{arguments:?}: {ended:?}"
        );
        assert!(!ended.err.is_empty());
    }
}
