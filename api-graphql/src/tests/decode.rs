//! Whatever stands in a request: a typed answer, never a 500, never a panic.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fake::{PLACE, World, place_input};
use super::*;

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "-?[0-9]{1,20}(\\.[0-9]{0,6})?".prop_map(Value::from),
        Just(json!("a\u{0}b")),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,8}", inner, 0..5).prop_map(|m| json!(m)),
        ]
    })
}

/// A place in a good input to put something else.
fn any_place() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "/commandId",
        "/number",
        "/channel",
        "/storeId",
        "/isForceAllocation",
        "/contact",
        "/contact/name",
        "/alternateOrderId",
        "/lines",
        "/lines/0",
        "/lines/0/lineNumber",
        "/lines/0/sku",
        "/lines/0/quantity",
        "/lines/0/unitPrice",
        "/lines/0/pack",
        "/lines/0/discounts",
        "/orderDiscounts",
        "/fees",
        "/requestedSlot",
        "/expectedTotal",
        "/promisedAt",
    ])
}

fn put(input: &mut Value, place: &str, value: Value) {
    match place.rsplit_once('/') {
        None => *input = value,
        Some((parent, name)) => match input.pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                fields.insert(name.to_owned(), value);
            }
            Some(Value::Array(items)) if !items.is_empty() => items[0] = value,
            _ => {}
        },
    }
}

/// 200 or 4xx, and if 200 then with problems or an order, not with a fault.
fn is_typed(answer: &fake::Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status.as_u16() < 500, "{}", answer.body);
    let json = answer.json();
    for error in json["errors"].as_array().into_iter().flatten() {
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        prop_assert!(!code.is_empty() && code != "INTERNAL", "{}", answer.body);
    }
    Ok(())
}

/// One world for all cases: only the answers matter.
static WORLD: LazyLock<(tokio::runtime::Runtime, World)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let entered = runtime.enter();
    let world = World::new();
    drop(entered);
    (runtime, world)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_change_of_a_good_input_is_answered(changes in prop::collection::vec((any_place(), any_json()), 1..4)) {
        let (runtime, world) = &*WORLD;
        let mut input = place_input();
        for (place, value) in changes {
            put(&mut input, place, value);
        }
        let answer = runtime.block_on(world.query(PLACE, json!({ "input": input })));
        is_typed(&answer)?;
    }

    #[test]
    fn any_body_is_answered(body in ".{0,200}", document in "[{}()\\[\\]:$!@.\"a-z0-9 \\\\#=|&]{0,120}", value in any_json()) {
        let (runtime, world) = &*WORLD;
        runtime.block_on(async {
            is_typed(&world.post(body).await)?;
            is_typed(&world.query(&document, json!({})).await)?;
            is_typed(&world.post(json!({ "query": "{ __typename }", "variables": value }).to_string()).await)?;
            is_typed(&world.post(value.to_string()).await)
        })?;
    }
}
