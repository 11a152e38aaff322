//! `orders` as Relay has it: pages joined are the list, in every sort, narrowed or not, in both directions.

use e2e::Api;
use serde_json::{Value, json};

use super::support::{ask, code, done, input, placed, world};

const ORDERS: usize = 14;
/// Does not divide the number of orders: the last page is short.
const PAGE: usize = 4;

const PAGES: &str = "query($filter: OrderFilter, $sort: OrderSort!, $first: Int, $after: String, $last: Int, \
    $before: String) { orders(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, \
    before: $before) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn page(api: &Api, filter: &Value, sort: &str, window: Value) -> Value {
    let mut variables = window;
    variables["filter"] = filter.clone();
    variables["sort"] = json!(sort);
    api.graphql(PAGES, variables).await["orders"].clone()
}

fn ids(page: &Value) -> Vec<Value> {
    let edges = page["edges"].as_array().unwrap();
    let info = &page["pageInfo"];
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(info["startCursor"], cursor(edges.first()));
    assert_eq!(info["endCursor"], cursor(edges.last()));
    edges
        .iter()
        .map(|edge| edge["node"]["id"].clone())
        .collect()
}

async fn forward(api: &Api, filter: &Value, sort: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let window = json!({ "first": PAGE, "after": after });
        let page = page(api, filter, sort, window).await;
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
        all.extend(ids(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        assert_eq!(ids(&page).len(), PAGE);
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn backward(api: &Api, filter: &Value, sort: &str) -> Vec<Value> {
    let (mut all, mut before) = (Vec::new(), Value::Null);
    loop {
        let window = json!({ "last": PAGE, "before": before });
        let page = page(api, filter, sort, window).await;
        assert_eq!(page["pageInfo"]["hasNextPage"], !before.is_null());
        all = ids(&page).into_iter().chain(all).collect();
        if page["pageInfo"]["hasPreviousPage"] == false {
            return all;
        }
        before = page["pageInfo"]["startCursor"].clone();
    }
}

/// Orders of two stores, channels, customers and totals, every third one cancelled; their ids, oldest first.
async fn trade(api: &Api) -> Vec<String> {
    let mut all = Vec::new();
    for n in 0..ORDERS {
        let price = format!("{}.00", 100 + (n * 7) % 5);
        let more = json!({
            "storeId": if n % 2 == 0 { "CFR001" } else { "CFR002" },
            "channel": if n % 4 == 0 { "GRAB" } else { "WEB" },
            "customerId": format!("C{}", n % 3),
            "alternateOrderId": format!("A-{n}"),
            "number": format!("QC-2026-01-{:02}-{n:06}", 10 + n % 2),
            "lines": [{ "lineNumber": 1, "sku": "8850999220017", "quantity": "1", "unitPrice": price }],
        });
        let (id, _) = placed(api, more).await;
        all.push(id);
    }
    for id in all.iter().step_by(3) {
        done(api, "cancelOrder", input(id, json!({ "reason": "test" }))).await;
    }
    all
}

/// Waits until every read model is at the head of the log.
pub(crate) async fn caught_up(api: &Api) {
    let lag = "{ projections { name lagEvents failed } }";
    e2e::eventually("read models at the head", || async {
        let data = api.graphql(lag, json!({})).await;
        let all = data["projections"].as_array().unwrap().clone();
        all.iter().all(|p| p["lagEvents"] == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_joined_are_the_list_in_every_sort_and_filter() {
    let world = world().await;
    let api = &world.admin;
    let oldest = trade(api).await;
    caught_up(api).await;
    let by = |keep: &dyn Fn(usize) -> bool| -> Vec<Value> {
        let kept = (0..ORDERS).filter(|n| keep(*n));
        kept.map(|n| json!(oldest[n])).collect()
    };
    let filters = [
        (json!(null), by(&|_| true)),
        (json!({ "storeIds": ["CFR002"] }), by(&|n| n % 2 == 1)),
        (json!({ "statuses": ["CANCELLED"] }), by(&|n| n % 3 == 0)),
        (json!({ "channel": "GRAB" }), by(&|n| n % 4 == 0)),
        (json!({ "customerId": "C1" }), by(&|n| n % 3 == 1)),
        (
            json!({ "numberPrefix": "QC-2026-01-11" }),
            by(&|n| n % 2 == 1),
        ),
        (
            json!({ "totalMin": "102.00", "totalMax": "103.00" }),
            by(&|n| matches!((n * 7) % 5, 2 | 3)),
        ),
        (
            json!({ "ref": { "system": "WEB", "reference": "A-5" } }),
            by(&|n| n == 5),
        ),
        (
            json!({ "region": "BKK-CENTRAL", "statuses": ["OPEN"] }),
            by(&|n| n % 3 != 0),
        ),
        (json!({ "statuses": [] }), Vec::new()),
        (json!({ "placedTo": "2026-01-01T00:00:00Z" }), Vec::new()),
    ];
    for (filter, expected) in &filters {
        assert_eq!(&forward(api, filter, "OLDEST").await, expected, "{filter}");
        let newest: Vec<Value> = expected.iter().rev().cloned().collect();
        assert_eq!(forward(api, filter, "NEWEST").await, newest, "{filter}");
        for sort in ["OLDEST", "NEWEST", "UPDATED", "TOTAL_DESC"] {
            let list = forward(api, filter, sort).await;
            assert_eq!(backward(api, filter, sort).await, list, "{sort} {filter}");
            assert_eq!(list.len(), expected.len(), "{sort} {filter}");
        }
    }
    let updated = forward(api, &json!(null), "UPDATED").await;
    assert_eq!(updated[0], json!(oldest[12]), "cancelled last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_is_refused_with_its_argument() {
    let world = world().await;
    placed(&world.admin, json!({})).await;
    for (window, path) in [
        (json!({ "first": 0 }), "first"),
        (json!({ "first": -1 }), "first"),
        (json!({ "first": 101 }), "first"),
        (json!({ "last": 101 }), "last"),
        (json!({ "first": 1, "last": 1 }), "last"),
        (json!({ "first": 1, "before": "x" }), "before"),
        (json!({ "last": 1, "after": "x" }), "after"),
        (json!({ "first": 1, "after": "nonsense" }), "after"),
        (json!({ "first": 1, "after": "\u{0}" }), "after"),
        (
            json!({ "first": 1, "filter": { "storeIds": ["CFR001", "here"] } }),
            "filter.storeIds[1]",
        ),
        (
            json!({ "first": 1, "filter": { "customerId": "\u{0}" } }),
            "filter.customerId",
        ),
        (
            json!({ "first": 1, "filter": { "region": "" } }),
            "filter.region",
        ),
    ] {
        let mut variables = window.clone();
        variables["sort"] = json!("NEWEST");
        let answer = ask(&world.admin, PAGES, variables).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (200, "INVALID_INPUT"),
            "{window}"
        );
        assert_eq!(
            answer.json()["errors"][0]["extensions"]["inputPath"],
            path,
            "{window}"
        );
    }
    // Words that nothing can match are no mistake.
    for odd in ["\u{0}", "%", "QC\\", "ก'; --"] {
        let found = forward(&world.admin, &json!({ "numberPrefix": odd }), "NEWEST").await;
        assert_eq!(found, [Value::Null; 0], "{odd}");
    }
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_must_be_fresher_than_the_log_is_stale() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({})).await;
    let query = "query($id: ID!, $fresh: Fresh) { order(id: $id, fresh: $fresh) { version } }";
    let ahead: i64 = receipt["position"].as_str().unwrap().parse().unwrap();
    let fresh = json!({ "minPosition": (ahead + 1).to_string(), "waitMs": 50 });
    let answer = ask(&world.admin, query, json!({ "id": id, "fresh": fresh })).await;
    assert_eq!((answer.status, code(&answer).as_str()), (200, "STALE_READ"));
    let extensions = &answer.json()["errors"][0]["extensions"];
    assert_eq!(extensions["retryable"], true);
    assert_eq!(extensions["minPosition"], (ahead + 1).to_string());
    for wait in [-1, 1001] {
        let fresh = json!({ "minPosition": "1", "waitMs": wait });
        let answer = ask(&world.admin, query, json!({ "id": id, "fresh": fresh })).await;
        assert_eq!(code(&answer), "INVALID_INPUT", "{wait}");
    }
}
