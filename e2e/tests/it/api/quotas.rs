//! Quotas of a minute at a real ledger: per credential over every route and transport, per address before that.

use std::time::Duration;

use e2e::{Api, Response};
use hyper::Method;
use serde_json::{Value, json};

use super::{
    clients,
    support::{ask, code, mutation, place_input, text, world_with},
};

const BOARD: &str = "{ storeBoard { count } }";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers
        .get(name)
        .map_or("", |v| v.to_str().unwrap())
}

fn retry_after(response: &Response) -> Duration {
    Duration::from_secs(header(response, "retry-after").parse().unwrap())
}

/// A GET of the board as a proxy passes it on.
async fn forwarded(api: &Api, address: &str) -> Response {
    let headers = [("x-forwarded-for", address)];
    let path = "/graphql?query=%7B__typename%7D";
    api.request(Method::GET, path, &headers, "").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_has_so_many_requests_over_all_routes() {
    let world = world_with([("LEDGER_LIMITS_REQUESTS_USER", "30".to_owned())]).await;
    let auditor = world.caller("auditor", &[]);
    for n in 0..10 {
        for path in ["/v1/events", "/v1/seals"] {
            assert_eq!(auditor.get(path).await.status, 200, "{n} {path}");
        }
        assert_eq!(ask(&auditor, BOARD, json!({})).await.status, 200, "{n}");
    }
    for path in ["/v1/events", "/v1/seals", "/v1/events/stream"] {
        let refused = auditor.get(path).await;
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (429, "RATE_LIMITED")
        );
        assert_eq!(refused.json()["code"], "REQ-008");
        let policy = header(&refused, "ratelimit-policy");
        assert!(policy.starts_with("\"requests\";q=30;w=60"), "{policy}");
    }
    let refused = ask(&auditor, BOARD, json!({})).await;
    assert_eq!(refused.status, 429);
    tokio::time::sleep(retry_after(&refused)).await;
    assert_eq!(ask(&auditor, BOARD, json!({})).await.status, 200);
    // Nobody else is held up, nor health.
    assert_eq!(
        ask(&world.caller("ops", &[]), BOARD, json!({}))
            .await
            .status,
        200
    );
    world.assert_unharmed().await;
    let metrics = text(&world.program.api("").get("/metrics").await);
    let counted = "ledger_api_rate_limited_total{limit=\"requests\",class=\"user\"} 4";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beyond_the_points_of_a_minute_is_not_carried_out() {
    let points = "400".to_owned();
    let settings = [
        ("LEDGER_LIMITS_COST", points.clone()),
        ("LEDGER_LIMITS_POINTS_USER", points),
    ];
    let world = world_with(settings).await;
    let manager = world.caller("store-manager", &["CFR001"]);
    let place = async || {
        let input = place_input(json!({}));
        ask(&manager, &mutation("placeOrder"), json!({ "input": input })).await
    };
    let mut placed = 0;
    let refused = loop {
        let answer = place().await;
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(answer.json()["data"]["placeOrder"]["problems"], json!([]));
        placed += 1;
        assert!(placed < 100, "the points do not end");
    };
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "RATE_LIMITED")
    );
    assert!(placed > 0);
    assert_eq!(world.events().await, placed, "the refused one left nothing");
    tokio::time::sleep(retry_after(&refused)).await;
    assert_eq!(place().await.status, 200);
    let dear = "{ orders(first: 100) { edges { node { id number status lines { sku } } } } }";
    let refused = ask(&manager, dear, json!({})).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (400, "COST_EXCEEDED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_guesses() {
    let settings = [
        ("LEDGER_LIMITS_REQUESTS_ADDRESS", "100".to_owned()),
        ("LEDGER_LIMITS_TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
    ];
    let world = world_with(settings).await;
    let guesser = world.program.api("not.a.token");
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(forwarded(&guesser, "203.0.113.7").await.status);
    }
    assert_eq!(answers, [401, 401, 401, 401, 429]);
    let auditor = world.caller("auditor", &[]);
    assert_eq!(forwarded(&auditor, "203.0.113.7").await.status, 429);
    assert_eq!(forwarded(&auditor, "203.0.113.8").await.status, 200);
    // Loopback itself is not counted.
    for _ in 0..10 {
        assert_eq!(ask(&guesser, BOARD, json!({})).await.status, 401);
    }
    assert_eq!(ask(&auditor, BOARD, json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_no_way_round_the_quotas() {
    let world = world_with([("LEDGER_LIMITS_REQUESTS_USER", "4".to_owned())]).await;
    let token = world.program.token("auditor", &[]);
    let url = format!("http://{}/graphql", world.program.address);
    let talk = clients::run("spent.mjs", &[&url, "5"], &token).await;
    let talk: Value = serde_json::from_str(&talk).unwrap();
    let said = talk["said"].as_array().unwrap();
    let of = |kind: &str| {
        said.iter()
            .filter(|m| m["type"] == kind)
            .collect::<Vec<_>>()
    };
    // The connection itself was the first of the four.
    assert_eq!((of("next").len(), of("error").len()), (3, 2), "{talk}");
    let cost = &of("next")[0]["payload"]["extensions"]["cost"];
    assert!(
        cost["throttleStatus"]["currentlyAvailable"].is_i64(),
        "{talk}"
    );
    let error = &of("error")[0]["payload"][0]["extensions"];
    assert_eq!(error["code"], "RATE_LIMITED");
    assert!(error["retryAfterSeconds"].as_u64() > Some(5), "{talk}");
}
