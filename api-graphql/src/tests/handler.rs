//! The HTTP side of GraphQL, after the GraphQL-over-HTTP draft and its `graphql-http` audit.

use axum::http::Method;
use serde_json::json;

use super::fake::{PLACE, World, place_input};
use super::*;

fn post(body: &str) -> axum::http::request::Builder {
    let _ = body;
    HttpRequest::post("/graphql").header("content-type", "application/json")
}

async fn anonymous(world: &World, accept: Option<&str>, body: &str) -> fake::Answer {
    let mut request = post(body);
    if let Some(accept) = accept {
        request = request.header("accept", accept);
    }
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

const NEW: Option<&str> = Some("application/graphql-response+json");
const OLD: Option<&str> = Some("application/json");
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[tokio::test]
async fn answers_come_in_the_accepted_type_as_utf8() {
    let world = World::new();
    for (accept, expected) in [
        (NEW, "application/graphql-response+json; charset=utf-8"),
        (OLD, "application/json; charset=utf-8"),
        (Some("*/*"), "application/json; charset=utf-8"),
        (None, "application/json; charset=utf-8"),
    ] {
        let answer = anonymous(&world, accept, TYPENAME).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, expected),
            "{accept:?}"
        );
        let cost = json!({ "requestedQueryCost": 1, "maximumQueryCost": 20_000 });
        assert_eq!(
            answer.json(),
            json!({ "data": { "__typename": "Query" }, "extensions": { "cost": cost } })
        );
        assert_eq!(answer.header("x-trace-id").len(), 32);
        assert!(!answer.header("x-request-id").is_empty());
    }
    let refused = anonymous(&world, Some("text/html"), TYPENAME).await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (StatusCode::NOT_ACCEPTABLE, "application/problem+json")
    );
    assert_eq!(refused.json()["code"], "REQ-003");
    assert_eq!(refused.json()["traceId"], refused.header("x-trace-id"));
}

#[tokio::test]
async fn nothing_but_json_is_taken() {
    let world = World::new();
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json;charset=x"),
    ] {
        let mut request = HttpRequest::post("/graphql");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = world
            .send(request.body(Body::from(TYPENAME)).unwrap())
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
        );
    }
}

#[tokio::test]
async fn unreadable_requests_are_400() {
    let world = World::new();
    for body in [
        "",
        "{",
        "7",
        "{}",
        r#"{"query":7}"#,
        r#"{"query":"{a}","variables":7}"#,
        r#"{"query":"{a}","extensions":[]}"#,
        r#"{"query":"{a}","operationName":7}"#,
        r#"{"query":"{a}","variables":{"x":1e400}}"#,
    ] {
        for accept in [OLD, NEW] {
            let answer = anonymous(&world, accept, body).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (StatusCode::BAD_REQUEST, Some("REQ-005")),
                "{body}"
            );
        }
    }
    let nulls =
        r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#;
    assert_eq!(anonymous(&world, NEW, nulls).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_does_not_run_has_no_data() {
    let world = World::new();
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ order }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { x }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { __typename } query B { __typename }",
            "OPERATION_NOT_FOUND",
        ),
        (
            "query($a: Int!) { orders(first: $a) { pageInfo { endCursor } } }",
            "INVALID_INPUT",
        ),
    ] {
        let token = world.token(Role::Admin, &[]);
        for (accept, status) in [
            ("application/json", 200),
            ("application/graphql-response+json", 400),
        ] {
            let request = post("")
                .header("accept", accept)
                .header("authorization", format!("Bearer {token}"));
            let body = json!({ "query": query }).to_string();
            let answer = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (status, code),
                "{query}: {}",
                answer.body
            );
            assert!(answer.json().get("data").is_none());
        }
    }
}

#[tokio::test]
async fn a_get_may_query_and_nothing_else() {
    let world = World::new();
    let token = world.token(Role::Admin, &[]);
    let send = async |method: Method, query: &str| {
        let uri = format!(
            "/graphql?query={}",
            query
                .replace(' ', "%20")
                .replace('{', "%7B")
                .replace('}', "%7D")
        );
        let request = HttpRequest::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {token}"));
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let query = send(Method::GET, "{ __typename }").await;
    assert_eq!(
        (query.status, query.json()["data"]["__typename"].as_str()),
        (StatusCode::OK, Some("Query"))
    );
    let command = "mutation { cancelOrder(input: { commandId: \"0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11\" orderId: \"1\" reason: \"x\" }) { problems { code } } }";
    let mutation = send(Method::GET, &command.replace('"', "%22")).await;
    assert_eq!(
        (mutation.status, mutation.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    let put = send(Method::PUT, "{ __typename }").await;
    assert_eq!(
        (put.status, put.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, POST")
    );
}

#[tokio::test]
async fn who_is_not_signed_in_may_only_introspect() {
    let world = World::new();
    let schema = anonymous(
        &world,
        NEW,
        r#"{"query":"{ __schema { queryType { name } } }"}"#,
    )
    .await;
    assert_eq!(schema.status, StatusCode::OK);
    let orders = anonymous(
        &world,
        NEW,
        r#"{"query":"{ __typename orders { pageInfo { endCursor } } }"}"#,
    )
    .await;
    assert_eq!(
        (orders.status, orders.code().as_str()),
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED")
    );
    assert_eq!(
        (
            orders.json()["code"].as_str(),
            orders.header("www-authenticate")
        ),
        (Some("AUTH-001"), "Bearer realm=\"ledger\"")
    );
    let forged = post("")
        .header("authorization", "Bearer a.b.c")
        .body(Body::from(TYPENAME))
        .unwrap();
    let forged = world.send(forged).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    assert!(forged.header("www-authenticate").contains("invalid_token"));
    let off = World::with(|state| state.introspection = false);
    assert_eq!(
        off.query("{ __schema { queryType { name } } }", json!({}))
            .await
            .code(),
        "INTROSPECTION_DISABLED"
    );
    assert_eq!(
        off.query("{ __typename }", json!({})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn bodies_and_batches_have_bounds() {
    let world = World::new();
    let large = format!(
        r#"{{"query":"{{ __typename }}","x":"{}"}}"#,
        "x".repeat(1024 * 1024)
    );
    let answer = world.post(large).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, Some("REQ-004"))
    );
    let batch = format!("[{}]", vec![TYPENAME; 10_000].join(","));
    let answer = world.post(batch).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("REQ-006"))
    );
}

#[tokio::test]
async fn operations_have_bounds() {
    let world = World::new();
    let order = "order(id: \"1\") { id }";
    let aliases: String = (0..51).map(|i| format!("a{i}: {order} ")).collect();
    let command = "allocateOrder(input: {commandId: \"0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11\", orderId: \"1\"}) { problems { code } }";
    let mutations: String = (0..11).map(|i| format!("m{i}: {command} ")).collect();
    let deep = format!(
        "{{ __schema {}{} }}",
        "{ types { fields ".repeat(12),
        "} }".repeat(12)
    );
    let spread: String = (0..12)
        .map(|i| format!("fragment F{i} on Query {{ ...F{n} ...F{n} }} ", n = i + 1))
        .collect();
    let cases = [
        (format!("{{ {aliases} }}"), "TOO_MANY_ALIASES"),
        (format!("mutation {{ {mutations} }}"), "TOO_MANY_MUTATIONS"),
        (format!("mutation {{ ...A }} fragment A on Mutation {{ {mutations} }}"), "TOO_MANY_MUTATIONS"),
        (deep, "TOO_DEEP"),
        ("{ a(x: ".to_owned() + &"[".repeat(60) + ") }", "TOO_DEEP"),
        (format!("{{ {} }}", "__typename ".repeat(10_001)), "TOO_MANY_TOKENS"),
        (format!("{{ {} }}", "__typename ".repeat(2_001)), "TOO_MANY_FIELDS"),
        (format!("{{ {order} {} }}", "@skip(if: false) ".repeat(51)), "GRAPHQL_PARSE_FAILED"),
        (format!("{{ __typename {} }}", "@skip(if: false) ".repeat(51)), "TOO_MANY_DIRECTIVES"),
        ("{ ...F0 } ".to_owned() + &spread + "fragment F12 on Query { __typename }", "TOO_MANY_FIELDS"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(), "TOO_DEEP"),
        ("{ orders(first: 100) { edges { node { history(first: 100) { nodes { id type } } } } } }".to_owned(), "COST_EXCEEDED"),
    ];
    for (query, code) in cases {
        let answer = world.query(&query, json!({})).await;
        let shown: String = query.chars().take(60).collect();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, code),
            "{shown}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn the_work_bench_may_introspect() {
    let world = World::new();
    let query = include_str!("introspection.graphql");
    let answer = world.query(query, json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.json().get("errors").is_none());
}

#[tokio::test]
async fn introspection_does_not_grow_without_bound() {
    let world = World::new();
    // Each level would multiply the answer by the types that implement it.
    let inner = "possibleTypes { interfaces { name } }";
    let nested = "possibleTypes { interfaces { possibleTypes { name } } }";
    for (query, expected) in [
        (format!("{{ __type(name: \"Problem\") {{ {inner} }} }}"), "OK"),
        (
            format!("{{ __type(name: \"Problem\") {{ {nested} }} }}"),
            "TOO_DEEP",
        ),
        (
            "{ __schema { types { fields { type { fields { name } } } } } }".to_owned(),
            "TOO_DEEP",
        ),
        (
            "fragment T on __Type { possibleTypes { interfaces { ...U } } } fragment U on __Type { possibleTypes { name } }
             { __type(name: \"Problem\") { ...T } }"
                .to_owned(),
            "TOO_DEEP",
        ),
        (
            format!(
                "{{ {} }}",
                (0..40)
                    .map(|n| format!("a{n}: __schema {{ types {{ fields {{ args {{ name description }} }} }} }} "))
                    .collect::<String>()
            ),
            "COST_EXCEEDED",
        ),
    ] {
        let answer = world.post(json!({ "query": query }).to_string()).await;
        let code = if answer.status == StatusCode::OK {
            "OK".to_owned()
        } else {
            answer.code()
        };
        assert_eq!(code, expected, "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_page_of_full_orders_fits() {
    let world = World::new();
    let lines = "lines { lineNumber sku quantity unitPrice net status }";
    let query = format!(
        "{{ orders(first: 100) {{ edges {{ cursor node {{ id number status version store {{ id }} totals {{ orderTotal }} {lines} }} }} }} }}"
    );
    assert_eq!(world.query(&query, json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn unusable_inputs_are_all_named_before_anything_runs() {
    let world = World::new();
    let mut input = place_input();
    input["lines"][0]["quantity"] = json!(2);
    input["lines"][0]["unitPrice"] = json!("NaN");
    input["commandId"] = json!("me");
    input["surprise"] = json!(true);
    input["channel"] = json!(null);
    let answer = world.query(PLACE, json!({ "input": input })).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "INVALID_INPUT")
    );
    let json = answer.json();
    let mut paths: Vec<_> = json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["extensions"]["inputPath"])
        .collect();
    paths.sort_by_key(|p| p.to_string());
    assert_eq!(
        paths,
        [
            "input.channel",
            "input.commandId",
            "input.lines[0].quantity",
            "input.lines[0].unitPrice",
            "input.surprise"
        ]
    );
    for literal in ["7", "\"x\"", "[7]", "{ lines: 1e400 }", "{ lines: NaN }"] {
        let query =
            format!("mutation {{ placeOrder(input: {literal}) {{ problems {{ code }} }} }}");
        let answer = world.query(&query, json!({})).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{literal}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_fault_nulls_the_nearest_nullable_field_and_tells_nothing() {
    let world = World::new();
    let placed = world
        .query(PLACE, json!({ "input": place_input() }))
        .await
        .json();
    let id = placed["data"]["placeOrder"]["order"]["id"].clone();
    world
        .fake
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let answer = world
        .query(
            "query($id: ID!) { order(id: $id) { id } __typename }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json()["data"],
        json!({ "order": null, "__typename": "Query" })
    );
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"]["code"], "INTERNAL");
    assert_eq!(error["extensions"]["traceId"], answer.header("x-trace-id"));
    assert_eq!(error["path"], json!(["order"]));
    assert!(!answer.body.contains("secret"));
    let list = world
        .query("{ orders { edges { cursor } } __typename }", json!({}))
        .await;
    assert_eq!(list.json()["data"], json!(null));
}

#[tokio::test]
async fn a_panic_is_a_500_with_a_trace_id() {
    let world = World::new();
    let placed = world.query(PLACE, json!({ "input": place_input() })).await;
    assert_eq!(placed.json()["data"]["placeOrder"]["problems"], json!([]));
    world
        .fake
        .broken
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let query = PLACE.replace("order {", "order { contact { name }");
    let answer = world.query(&query, json!({ "input": place_input() })).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, Some("SYS-001"))
    );
    assert_eq!(answer.json()["traceId"], answer.header("x-trace-id"));
}

#[tokio::test]
async fn too_many_and_too_slow_are_503_and_504() {
    let world = World::with(|state| {
        state.limits.in_flight = 1;
        state.limits.request_timeout = std::time::Duration::from_millis(150);
    });
    *world.fake.slow.lock().unwrap() = std::time::Duration::from_secs(5);
    let command = json!({ "input": place_input() });
    let (slow, turned) = tokio::join!(world.query(PLACE, command), async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world.query("{ __typename }", json!({})).await
    });
    assert_eq!(
        (turned.status, turned.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "1")
    );
    assert_eq!(
        (slow.status, slow.json()["code"].as_str()),
        (StatusCode::GATEWAY_TIMEOUT, Some("SYS-002"))
    );
    assert_eq!(
        world.query("{ __typename }", json!({})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn ids_of_the_caller_come_back() {
    let world = World::new();
    let request = post("").header("x-request-id", "till-7").header(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    let answer = world
        .send(request.body(Body::from(TYPENAME)).unwrap())
        .await;
    assert_eq!(answer.header("x-request-id"), "till-7");
    assert_eq!(
        answer.header("x-trace-id"),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
}
