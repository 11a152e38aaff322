//! Planted defects: each wrong answer must turn the checker red.

use serde_json::{Value, json};

use super::{
    super::support::SCHEMA,
    check::{Verdict, check},
    generate::Operation,
    schema::Schema,
};

const QUERY: &str = "query($no: Boolean!) {
    order(id: \"x\") { id status version cashDue updatedAt isStuck lines { sku } number @include(if: $no)
        history(first: 1) { nodes { position commandId } } ...F }
    node(id: \"x\") { __typename id ... on Store { name } ... on Order { sale: channel } } }
    fragment F on Order { businessDay: channel }";

fn good() -> Value {
    json!({
        "data": {
            "order": {
                "id": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", "status": "OPEN", "version": 1, "cashDue": "12.5000",
                "updatedAt": "2026-01-31T09:30:00.000Z", "isStuck": false, "lines": [{ "sku": "a" }, { "sku": "b" }],
                "history": { "nodes": [{ "position": "7", "commandId": "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11" }] },
                "businessDay": "WEB",
            },
            "node": { "__typename": "Order", "id": "x", "sale": "WEB" },
        },
        "extensions": { "cost": { "requestedQueryCost": 30 } },
    })
}

fn verdict(status: u16, answer: &Value) -> Result<Verdict, String> {
    let operation = Operation {
        root: "Query",
        field: "order".to_owned(),
        query: QUERY.to_owned(),
        variables: json!({ "no": false }),
    };
    check(&Schema::read(SCHEMA), &operation, status, answer)
}

#[test]
fn a_good_answer_is_good() {
    assert_eq!(verdict(200, &good()), Ok(Verdict::Executed));
    let mut none = good();
    none["data"]["order"] = Value::Null;
    none["errors"] =
        json!([{ "message": "gone", "path": ["order"], "extensions": { "code": "NOT_FOUND" } }]);
    assert_eq!(verdict(200, &none), Ok(Verdict::Executed));
    let refused =
        json!({ "errors": [{ "message": "no", "extensions": { "code": "COST_EXCEEDED" } }] });
    assert_eq!(verdict(400, &refused), Ok(Verdict::Refused));
}

#[test]
fn each_wrong_value_is_found() {
    for (place, wrong) in [
        ("/data/order/id", Value::Null),
        ("/data/order/id", json!(7)),
        ("/data/order/status", json!("HALF_OPEN")),
        ("/data/order/status", Value::Null),
        ("/data/order/version", json!("1")),
        ("/data/order/version", json!(3_000_000_000_u64)),
        ("/data/order/cashDue", json!(12.5)),
        ("/data/order/cashDue", json!("12.5")),
        ("/data/order/updatedAt", json!("2026-01-31 09:30")),
        ("/data/order/isStuck", json!("false")),
        ("/data/order/lines", json!({ "sku": "a" })),
        ("/data/order/lines", Value::Null),
        ("/data/order/lines/1", Value::Null),
        ("/data/order/lines/0", json!({})),
        ("/data/order/lines/0/sku", Value::Null),
        ("/data/order/history/nodes/0/position", json!(7)),
        ("/data/order/history/nodes/0/commandId", json!("x")),
        ("/data/order/history", json!([])),
        ("/data/node/__typename", json!("Nothing")),
        ("/data/node/__typename", json!("Store")),
        ("/data/node", json!({ "__typename": "Order", "id": "x" })),
        (
            "/data/node",
            json!({ "__typename": "Order", "id": "x", "sale": "WEB", "more": 1 }),
        ),
        ("/data", json!([])),
        ("/data", Value::Null),
        ("/extensions", Value::Null),
    ] {
        let mut answer = good();
        *answer
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("{place}")) = wrong.clone();
        assert!(verdict(200, &answer).is_err(), "{place}: {wrong} passed");
    }
    // What a directive left out must stay out.
    let mut answer = good();
    answer["data"]["order"]["number"] = json!("QC-2026-01-31-000001");
    assert!(verdict(200, &answer).is_err());
}

#[test]
fn each_wrong_error_is_found() {
    let no_code = json!({ "message": "no" });
    let coded =
        |code: &str| json!({ "message": "no", "path": ["order"], "extensions": { "code": code } });
    for error in [
        no_code,
        coded("INTERNAL"),
        coded("UNAVAILABLE"),
        coded("SOMETHING"),
    ] {
        let mut answer = good();
        answer["data"]["order"] = Value::Null;
        answer["errors"] = json!([error]);
        assert!(verdict(200, &answer).is_err(), "{error} passed");
    }
    let mut beside = good();
    beside["errors"] = json!([coded("NOT_FOUND")]);
    assert!(
        verdict(200, &beside).is_err(),
        "a value in spite of an error passed"
    );
    for (status, answer) in [
        (500, good()),
        (400, good()),
        (200, json!({})),
        (200, json!({ "errors": [coded("NOT_FOUND")] })),
        (503, json!({ "errors": [coded("NOT_FOUND")] })),
        (200, json!({ "data": null, "errors": [] })),
    ] {
        assert!(
            verdict(status, &answer).is_err(),
            "{status} {answer} passed"
        );
    }
}
