//! Quotas of a minute: what is counted for whom, and what an answer says of it.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;

use super::{
    fake::{Answer, PLACE, World, place_input},
    *,
};
use crate::{
    context::Peer,
    rate::{Quotas, Rates},
};

const TYPENAME: &str = "{ __typename }";

fn quotas(user: u32) -> Quotas {
    Quotas {
        user,
        ..Rates::default().requests
    }
}

/// A GET from an address, with what a proxy says.
async fn from(world: &World, peer: &str, forwarded: Option<&str>, token: &str) -> Answer {
    let mut request = HttpRequest::get("/graphql?query=%7B__typename%7D");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    let peer: SocketAddr = peer.parse().unwrap();
    let request = request.extension(Peer(peer));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_what_it_cost_and_what_is_left() {
    let world = World::with(|state| state.rates.points = quotas(1_200));
    let token = world.token(Role::Auditor, &[]);
    let query = "{ orders(first: 10) { edges { cursor } } __typename }";
    let answer = world.query_as(&token, query, json!({})).await;
    let left = |points: u64, seconds: u64| {
        json!({ "requestedQueryCost": 22, "maximumQueryCost": 20_000, "throttleStatus": {
            "maximumAvailable": 1_200, "currentlyAvailable": points, "restoreRate": 20, "resetSeconds": seconds,
        }})
    };
    assert_eq!(answer.json()["extensions"]["cost"], left(1_178, 2));
    assert_eq!(
        (
            answer.header("ratelimit-policy"),
            answer.header("ratelimit")
        ),
        (
            "\"requests\";q=1000;w=60, \"points\";q=1200;w=60",
            "\"requests\";r=999;t=1, \"points\";r=1178;t=2"
        )
    );
    // A second token of the same subject and role is no second purse; another role's is.
    let again = world.token(Role::Auditor, &[]);
    let answer = world.query_as(&again, query, json!({})).await;
    assert_eq!(answer.json()["extensions"]["cost"], left(1_156, 3));
    let other = world.token(Role::StoreStaff, &["CFR001"]);
    let answer = world.query_as(&other, query, json!({})).await;
    assert_eq!(answer.json()["extensions"]["cost"], left(1_178, 2));
    // It comes back.
    tokio::time::advance(Duration::from_secs(60)).await;
    let answer = world.query_as(&token, query, json!({})).await;
    assert_eq!(answer.json()["extensions"]["cost"], left(1_178, 2));

    // What is refused says its cost as well, where it got that far.
    let dear =
        "{ orders(first: 100) { edges { node { id history(first: 100) { nodes { type } } } } } }";
    let answer = world.query_as(&token, dear, json!({})).await;
    assert_eq!(answer.code(), "COST_EXCEEDED", "{}", answer.body);
    let cost = answer.json()["extensions"]["cost"]["requestedQueryCost"].clone();
    assert!(cost.as_u64() > Some(20_000), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_is_429_and_nothing_is_done() {
    let world = World::with(|state| state.rates.points = quotas(60));
    let token = world.token(Role::StoreManager, &["CFR029"]);
    let dear = "{ orders(first: 20) { edges { cursor } } }";
    let first = world.query_as(&token, dear, json!({})).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let command = json!({ "input": place_input() });
    let refused = world.query_as(&token, PLACE, command.clone()).await;
    let body = refused.json();
    assert_eq!(
        (
            refused.status,
            refused.code().as_str(),
            body["code"].as_str()
        ),
        (
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            Some("REQ-008")
        )
    );
    assert_eq!((body.get("data"), &body["retryable"]), (None, &json!(true)));
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(
        world.fake.log.lock().unwrap().len(),
        0,
        "nothing was executed"
    );
    let cost = &body["extensions"]["cost"];
    let (asked, left) = (
        cost["requestedQueryCost"].as_u64().unwrap(),
        cost["throttleStatus"]["currentlyAvailable"]
            .as_u64()
            .unwrap(),
    );
    assert!(asked > left, "{cost}");
    // Retry-After is honest: a second less is too early, and then it works.
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(wait, asked - left, "one point a second");
    tokio::time::advance(Duration::from_secs(wait - 1)).await;
    let early = world.query_as(&token, PLACE, command.clone()).await;
    assert_eq!(early.status, StatusCode::TOO_MANY_REQUESTS);
    tokio::time::advance(Duration::from_secs(1)).await;
    let placed = world.query_as(&token, PLACE, command).await;
    assert_eq!(placed.json()["data"]["placeOrder"]["problems"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_credential_and_by_class() {
    let world = World::with(|state| state.rates.requests = quotas(3));
    let token = world.token(Role::Auditor, &[]);
    for _ in 0..3 {
        let answer = world.query_as(&token, TYPENAME, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let refused = world.query_as(&token, TYPENAME, json!({})).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "20")
    );
    assert!(
        refused
            .header("ratelimit")
            .starts_with("\"requests\";r=0;t=60")
    );
    // Health is not counted, other credentials and other classes have their own.
    let health = HttpRequest::get("/livez").body(Body::empty()).unwrap();
    assert_eq!(world.send(health).await.status, StatusCode::OK);
    assert_eq!(
        world
            .post(json!({ "query": TYPENAME }).to_string())
            .await
            .status,
        StatusCode::OK
    );
    let load = world.load_token(Role::Auditor);
    for _ in 0..10 {
        assert_eq!(
            world.query_as(&load, TYPENAME, json!({})).await.status,
            StatusCode::OK
        );
    }
    let asked = world
        .query_as(&load, "{ rateLimit { class maximumQueryCost requests { limit remaining resetAt } points { limit } } }", json!({}))
        .await
        .json();
    let asked = &asked["data"]["rateLimit"];
    assert_eq!(
        (&asked["class"], &asked["maximumQueryCost"]),
        (&json!("load"), &json!(20_000))
    );
    assert_eq!(asked["requests"]["limit"], 1_000_000);
    assert_eq!(asked["requests"]["remaining"], 1_000_000 - 11);
}

#[tokio::test(start_paused = true)]
async fn addresses_are_counted_before_anybody_is_asked() {
    let world = World::with(|state| {
        state.rates.address = 40;
        state.rates.trusted_proxies = "10.0.0.0/8".parse().unwrap();
    });
    let token = world.token(Role::Auditor, &[]);
    // A guess costs as much as thirty requests: two, and it is over for everybody at this address.
    for expected in [401, 401, 429] {
        let guess = from(&world, "203.0.113.7:1", None, "a.b.c").await;
        assert_eq!(guess.status.as_u16(), expected, "{}", guess.body);
    }
    let refused = from(&world, "203.0.113.7:2", None, &token).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "RATE_LIMITED")
    );
    assert_eq!(refused.header("ratelimit-policy"), "\"address\";q=40;w=60");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait));
    tokio::time::advance(Duration::from_secs(wait)).await;
    assert_eq!(
        from(&world, "203.0.113.7:2", None, &token).await.status,
        StatusCode::OK
    );
    // Neither another address nor this machine suffers; a header makes nobody another.
    for peer in ["203.0.113.8:1", "127.0.0.1:1", "[::1]:1"] {
        assert_eq!(
            from(&world, peer, None, &token).await.status,
            StatusCode::OK
        );
    }
    let forged = from(&world, "203.0.113.7:1", Some("192.0.2.1"), &token).await;
    assert_eq!(forged.status, StatusCode::TOO_MANY_REQUESTS);
    // Behind a trusted proxy it is the address that the proxy saw.
    let through = |address| from(&world, "10.1.2.3:1", Some(address), &token);
    assert_eq!(
        through("203.0.113.7").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(through("203.0.113.9").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn this_machine_is_counted_where_a_setting_says_so() {
    for (loopback, expected) in [(false, 200), (true, 429)] {
        let world = World::with(|state| {
            state.rates.address = 2;
            state.rates.loopback = loopback;
        });
        let mut last = 0;
        for _ in 0..3 {
            last = from(&world, "[::1]:1", None, "").await.status.as_u16();
        }
        assert_eq!(last, expected, "{loopback}");
    }
}

#[tokio::test]
async fn a_class_cannot_be_claimed_but_for_load() {
    let world = World::new();
    let token = world.load_token(Role::Grab);
    let caller = world
        .auth
        .caller(Some(&format!("Bearer {token}")))
        .await
        .unwrap();
    assert_eq!(caller.class, crate::rate::Class::Load);
    let plain = world.token(Role::Grab, &[]);
    let caller = world
        .auth
        .caller(Some(&format!("Bearer {plain}")))
        .await
        .unwrap();
    assert_eq!(caller.class, crate::rate::Class::Partner);
}
