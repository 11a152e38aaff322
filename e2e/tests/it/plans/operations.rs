//! Every query of the API, with every condition of its lists: what is not here fails the test.

use serde_json::{Value, json};

/// A named operation and its variables.
pub(super) struct Operation {
    /// The field of `Query`, and what is special about this use of it.
    pub(super) name: String,
    pub(super) query: String,
    pub(super) variables: Value,
}

/// What an order's own fields read besides the order.
const ORDER: &str = "id number history(first: 25) { nodes { id } }";

/// An order of the last days and what belongs to it.
pub(super) struct Known<'a> {
    pub(super) order: &'a str,
}

/// A field of a filter and a value for it.
pub(super) type Condition = (&'static str, Value);

/// Conditions of each list: name of the filter's input, and a value for each of its fields.
pub(super) fn conditions() -> Vec<(&'static str, &'static str, Vec<Condition>)> {
    vec![
        ("orders", "OrderFilter", order_conditions()),
        (
            "bundles",
            "BundleFilter",
            vec![("sku", json!("42")), ("isActive", json!(true))],
        ),
        (
            "stores",
            "StoreFilter",
            vec![("region", json!("R2")), ("isActive", json!(false))],
        ),
        (
            "remittances",
            "RemittanceFilter",
            vec![
                ("storeIds", json!(["CFR007"])),
                ("region", json!("R2")),
                ("partnerId", json!("GRAB")),
                ("statuses", json!(["DIFFERING"])),
                ("from", json!("2026-11-26")),
                ("to", json!("2026-11-26")),
            ],
        ),
        (
            "deadLetters",
            "DeadLetterFilter",
            vec![("outcomes", json!(["REJECTED"])), ("source", json!("test"))],
        ),
        (
            "events",
            "LogEventFilter",
            vec![
                ("types", json!(["order.placed"])),
                ("storeId", json!("CFR001")),
            ],
        ),
    ]
}

fn order_conditions() -> Vec<Condition> {
    vec![
        ("storeIds", json!(["CFR007"])),
        ("statuses", json!(["RELEASED"])),
        ("channel", json!("GRAB")),
        ("region", json!("R2")),
        ("customerId", json!("C42")),
        ("phone", json!("081 234 5678")),
        // Few enough that no sample of the rows makes another index look as good.
        ("numberPrefix", json!("QC-2026-11-26-00012")),
        ("ref", json!({ "system": "GRAB", "reference": "GF-999996" })),
        ("placedFrom", json!("2026-11-01T00:00:00Z")),
        ("placedTo", json!("2026-11-26T20:00:00Z")),
        ("updatedFrom", json!("2026-11-01T00:00:00Z")),
        ("updatedTo", json!("2026-11-26T20:00:00Z")),
        ("totalMin", json!("990.00")),
        ("totalMax", json!("10.00")),
        ("collection", json!(["COLLECTED"])),
        ("partnerId", json!("GRAB")),
        ("isStuck", json!(true)),
        ("isCollectionOverdue", json!(true)),
        ("hasBundles", json!(true)),
    ]
}

/// All of them.
pub(super) fn all(known: &Known<'_>) -> Vec<Operation> {
    let mut all = single(known);
    all.extend(figures());
    for (list, filter, conditions) in conditions() {
        all.push(page(list, filter, &Value::Null, None));
        for (name, value) in conditions {
            all.push(page(list, filter, &json!({ name: value }), Some(name)));
        }
    }
    for sort in ["OLDEST", "UPDATED", "TOTAL_DESC"] {
        for window in ["first: 25", "last: 25"] {
            all.push(Operation {
                name: format!("orders {sort} {window}"),
                query: format!(
                    "{{ orders(sort: {sort}, {window}) {{ edges {{ node {{ id }} }} }} }}"
                ),
                variables: Value::Null,
            });
        }
    }
    all
}

fn page(list: &str, filter: &str, condition: &Value, name: Option<&str>) -> Operation {
    let node = match list {
        "orders" => ORDER,
        "remittances" => "id items(first: 5) { edges { node { reference } } }",
        _ => "id",
    };
    let nodes = if list == "events" {
        "nodes { id }".to_owned()
    } else {
        format!("edges {{ node {{ {node} }} }}")
    };
    Operation {
        name: name.map_or_else(|| list.to_owned(), |name| format!("{list} by {name}")),
        query: format!("query($f: {filter}) {{ {list}(filter: $f, first: 3) {{ {nodes} }} }}"),
        variables: json!({ "f": condition }),
    }
}

fn single(known: &Known<'_>) -> Vec<Operation> {
    let order = known.order;
    let remittance = "GRAB:CFR007:2026-11-26";
    let queries = [
        ("node", format!("node(id: \"{order}\") {{ id }}")),
        ("order", format!("order(id: \"{order}\") {{ {ORDER} }}")),
        (
            "order as of",
            format!("order(id: \"{order}\", asOf: {{ version: 1 }}) {{ {ORDER} }}"),
        ),
        (
            "orderByRef",
            format!("orderByRef(system: GRAB, ref: \"GF-999996\") {{ {ORDER} }}"),
        ),
        (
            "orderDiff",
            format!(
                "orderDiff(id: \"{order}\", from: {{ version: 0 }}, to: {{ version: 1 }}) {{ path }}"
            ),
        ),
        (
            "verify",
            format!("verify(orderId: \"{order}\") {{ __typename }}"),
        ),
        ("projections", "projections { name }".to_owned()),
        ("rateLimit", "rateLimit { class }".to_owned()),
        ("bundle", "bundle(id: \"B-1\") { id }".to_owned()),
        ("store", "store(id: \"CFR001\") { id }".to_owned()),
        (
            "remittance",
            format!(
                "remittance(id: \"{remittance}\") {{ id items(first: 5) {{ edges {{ node {{ reference }} }} }} }}"
            ),
        ),
        (
            "deadLetter",
            "deadLetter(id: \"c4ca4238-a0b9-2382-0dcc-509a6f75849b\") { id }".to_owned(),
        ),
        (
            "cashPostings of an order",
            format!("cashPostings(orderId: \"{order}\") {{ edges {{ node {{ position }} }} }}"),
        ),
        (
            "cashPostings of a remittance",
            format!(
                "cashPostings(remittanceId: \"{remittance}\") {{ edges {{ node {{ position }} }} }}"
            ),
        ),
    ];
    queries.into_iter().map(of).collect()
}

fn figures() -> Vec<Operation> {
    const DAYS: &str = "from: \"2026-09-01\", to: \"2026-10-31\"";
    const OUT: &str = "{ edges { node { orderId } } }";
    let mut queries = vec![
        ("storeBoard", "storeBoard { count }".to_owned()),
        (
            "cashBalances",
            "cashBalances(by: STORE) { total }".to_owned(),
        ),
        ("regions", format!("regions({DAYS}) {{ position }}")),
        (
            "storeTrend",
            "storeTrend(storeId: \"CFR007\") { position }".to_owned(),
        ),
    ];
    for (field, args, of) in [
        ("storeRanking", "", "{ position }"),
        ("collectionMetrics", "", "{ days { day } }"),
        ("bundlePerformance", "", "{ position }"),
        ("partnerPerformance", "by: DAY", "{ position }"),
        ("stepTimings", "by: DAY", "{ position }"),
        ("regionBoard", "region: \"R2\"", "{ position }"),
    ] {
        queries.push((field, format!("{field}({args} {DAYS}) {of}")));
        let store = "storeIds: [\"CFR007\"]";
        queries.push((field, format!("{field}({args} {store} {DAYS}) {of}")));
    }
    for args in [
        "kind: ANY",
        "kind: RECEIVABLE",
        "kind: RIDER",
        "storeIds: [\"CFR007\"]",
        "region: \"R2\"",
        "partnerId: \"GRAB\"",
        "isDelivered: true",
        "sinceBefore: \"2026-01-01T00:00:00Z\"",
    ] {
        queries.push(("outstandingCash", format!("outstandingCash({args}) {OUT}")));
    }
    queries.into_iter().map(of).collect()
}

fn of((name, field): (&str, String)) -> Operation {
    Operation {
        name: name.to_owned(),
        query: format!("{{ {field} }}"),
        variables: Value::Null,
    }
}
