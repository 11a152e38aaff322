//! Requests that cannot be executed at all: each is told why, with a code, and nothing runs.

use e2e::Response;
use hyper::Method;
use serde_json::json;

use super::support::{GRAPHQL, World, ask, code, mutation, place_input, post, rows, world};

/// The largest body.
const LIMIT: usize = 1024 * 1024;

fn body(query: &str, variables: &str) -> String {
    format!(r#"{{"query":{},"variables":{variables}}}"#, json!(query))
}

async fn send(world: &World, method: Method, path: &str, kind: &str, body: &str) -> Response {
    let headers = [("content-type", kind), ("accept", GRAPHQL)];
    let answer = world.admin.request(method, path, &headers, body.to_owned());
    answer.await.unwrap()
}

/// Bodies that are no request.
const BODIES: &str = r#"
    {"query":
    query=1
    7
    null
    {"query":"{ storeBoard { count } }"}{"query":"{ storeBoard { count } }"}
    {}
    {"query":7}
    {"query":""}
    {"query":"{ storeBoard { count } }","variables":[]}
    {"query":"{ storeBoard { count } }","variables":{"n":1e400}}
    {"query":"{ storeBoard { count } }","variables":{"n":NaN}}
    {"query":"{ storeBoard { count } }","variables":{"n":-Infinity}}
    {"query":"{ storeBoard { count } }","variables":{"n":007}}
    {"query":"{ storeBoard { count } }","variables":{"n":"\ud800"}}
    {"query":"{ storeBoard { count } }","variables":{"n":"\ud83d\ud83d"}}
    {"query":"{ storeBoard { count } }","operationName":{}}
    {"query":"{ storeBoard { count } }","extensions":1}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request() {
    let world = world().await;
    let good = body("{ storeBoard { count } }", "{}");
    let place = body(
        &mutation("placeOrder"),
        &json!({ "input": place_input(json!({})) }).to_string(),
    );
    let deep = format!("{{\"n\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let mut all: Vec<(u16, &str, Vec<u8>)> = rows(BODIES)
        .map(|[text]| (400, "BAD_REQUEST", text.into()))
        .collect();
    let mut add = |status, code, text: &str| all.push((status, code, text.into()));
    add(400, "BAD_REQUEST", "");
    add(400, "BAD_REQUEST", "{\"query\":\"\u{0}\"}");
    add(400, "BAD_REQUEST", &body("{ storeBoard { count } }", &deep));
    add(400, "BATCH_NOT_SUPPORTED", "[]");
    add(400, "BATCH_NOT_SUPPORTED", &format!("[{place},{place}]"));
    add(
        400,
        "BATCH_NOT_SUPPORTED",
        &format!("[{}{good}]", format!("{good},").repeat(9_999)),
    );
    add(
        413,
        "PAYLOAD_TOO_LARGE",
        &format!("{good}{}", " ".repeat(LIMIT)),
    );
    add(
        413,
        "PAYLOAD_TOO_LARGE",
        &format!("{good}{}", " ".repeat(8 * LIMIT)),
    );
    all.push((400, "BAD_REQUEST", b"{\"query\":\"\xff\xfe\"}".to_vec()));
    for (status, expected, body) in all {
        let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = post(&world.admin, body).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{start}"
        );
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{start}"
        );
        assert!(answer.json()["traceId"].is_string(), "{start}");
    }
    world.assert_nothing_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ways_to_ask_that_are_not_taken() {
    let world = world().await;
    let place = json!({ "query": mutation("placeOrder"), "variables": { "input": place_input(json!({})) } });
    let place = place.to_string();
    for (kind, status) in [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/graphql", 415),
        ("application/json; charset=tis-620", 415),
    ] {
        let answer = send(&world, Method::POST, "/graphql", kind, &place).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, "UNSUPPORTED_MEDIA_TYPE"),
            "{kind}"
        );
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let answer = send(
            &world,
            method.clone(),
            "/graphql",
            "application/json",
            &place,
        )
        .await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (405, "METHOD_NOT_ALLOWED"),
            "{method}"
        );
        assert_eq!(answer.headers["allow"], "GET, HEAD, POST");
    }
    let cancel = "mutation%7BcancelOrder(input:%7BcommandId:%220198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11%22,orderId:%22x%22,reason:%22x%22%7D)%7Bproblems%7Bcode%7D%7D%7D";
    for (path, status, expected) in [
        (
            format!("/graphql?query={cancel}"),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        ("/graphql".to_owned(), 400, "BAD_REQUEST"),
        ("/graphql?query=%FF".to_owned(), 400, "GRAPHQL_PARSE_FAILED"),
        (
            "/graphql?query=%7B__typename%7D&variables=%7B".to_owned(),
            400,
            "BAD_REQUEST",
        ),
        ("/nowhere".to_owned(), 404, "NOT_FOUND"),
    ] {
        let answer = send(&world, Method::GET, &path, "application/json", "").await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (status, expected),
            "{path}"
        );
    }
    let odd = "/problems/..%2f..%2fetc%2fpasswd";
    assert_eq!(world.admin.get(odd).await.status, 404);
    let board = "/graphql?query=%7BstoreBoard%7Bcount%7D%7D";
    let answer = send(&world, Method::GET, board, "application/json", "").await;
    assert_eq!(answer.json()["data"], json!({ "storeBoard": [] }));
    world.assert_nothing_written().await;
}

/// Documents that are refused, with the code.
fn documents() -> Vec<(&'static str, String)> {
    let many = |n: usize, one: &str| one.repeat(n);
    let aliases = |n: usize| {
        (0..n)
            .map(|i| format!("a{i}: storeBoard {{ count }} "))
            .collect::<String>()
    };
    let cancels = |n: usize| {
        let one = |i: usize| {
            format!(
                "c{i}: cancelOrder(input: {{ commandId: \"0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11\", orderId: \"x\", reason: \"x\" }}) {{ problems {{ code }} }} "
            )
        };
        format!("mutation {{ {} }}", (0..n).map(one).collect::<String>())
    };
    let orders = "orders(first: 100) { edges { node { id lines { sku } history(first: 100) { nodes { id } } } } }";
    let page = |first: &str| format!("{{ orders(first: {first}) {{ edges {{ cursor }} }} }}");
    let cycle = "fragment A on Query { ...B } fragment B on Query { ...A } { ...A }";
    vec![
        ("GRAPHQL_PARSE_FAILED", "{ storeBoard { count }".to_owned()),
        (
            "GRAPHQL_PARSE_FAILED",
            "{ order(id: \"\u{0}\") { id } ".to_owned(),
        ),
        ("GRAPHQL_PARSE_FAILED", "hello".to_owned()),
        (
            "GRAPHQL_PARSE_FAILED",
            "{ order(id: 'x') { id } }".to_owned(),
        ),
        ("GRAPHQL_VALIDATION_FAILED", "{ nonsense }".to_owned()),
        ("GRAPHQL_VALIDATION_FAILED", "{ storeBoard }".to_owned()),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "{ storeBoard { count { more } } }".to_owned(),
        ),
        ("GRAPHQL_VALIDATION_FAILED", "{ order { id } }".to_owned()),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "{ storeBoard(sort: UP) { count } }".to_owned(),
        ),
        (
            "GRAPHQL_VALIDATION_FAILED",
            "subscription { storeBoard { count } }".to_owned(),
        ),
        (
            "GRAPHQL_PARSE_FAILED",
            "{ order(id: \"\\ud800\") { id } }".to_owned(),
        ),
        ("GRAPHQL_PARSE_FAILED", page("1e400")),
        ("INVALID_INPUT", page("1.5")),
        ("INVALID_INPUT", page("99999999999999999999")),
        ("INVALID_INPUT", page("\"1\"")),
        ("INVALID_INPUT", page("NaN")),
        (
            "OPERATION_NOT_FOUND",
            "query A { __typename } query B { __typename }".to_owned(),
        ),
        ("TOO_DEEP", format!("{}{}", many(60, "{ a "), many(60, "}"))),
        (
            "TOO_DEEP",
            format!("{}{}", many(5_000, "{ a "), many(5_000, "}")),
        ),
        ("TOO_DEEP", cycle.to_owned()),
        ("TOO_MANY_TOKENS", format!("{{ {} }}", many(10_001, "a "))),
        ("TOO_MANY_ALIASES", format!("{{ {} }}", aliases(51))),
        ("TOO_MANY_MUTATIONS", cancels(11)),
        ("COST_EXCEEDED", format!("{{ {orders} }}")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_not_executed() {
    let world = world().await;
    for (expected, document) in documents() {
        let start: String = document.chars().take(60).collect();
        let answer = ask(&world.admin, &document, json!({})).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, expected),
            "{start}"
        );
        assert!(answer.json().get("data").is_none(), "{start}");
        // Under the older media type the answer is the same, but for the status.
        let old = world
            .admin
            .try_graphql(&document, &json!({}))
            .await
            .unwrap();
        assert_eq!(
            (old.status, code(&old).as_str()),
            (200, expected),
            "{start}"
        );
    }
    world.assert_nothing_written().await;
}
