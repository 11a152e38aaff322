//! What the nodes of a list are read for is read for all of them at once, and never for two callers at once.

use domain::actor::Role;
use serde_json::json;

use super::fake::{PLACE, World, place_input};

const ORDERS: usize = 5;

const NESTED: &str = "{ orders { edges { node { id contact { state name }
    one: history(first: 1) { nodes { id } } two: history(first: 2) { nodes { id } } } } } }";

async fn world() -> World {
    let world = World::new();
    for _ in 0..ORDERS {
        let input = place_input();
        let payload = world.query(PLACE, json!({ "input": input })).await.json();
        assert_eq!(payload["data"]["placeOrder"]["problems"], json!([]));
    }
    world.fake.batches.lock().unwrap().clear();
    world
}

#[tokio::test]
async fn a_field_of_many_nodes_is_read_once() {
    let world = world().await;
    let answer = world.query(NESTED, json!({})).await.json();
    assert_eq!(answer["errors"], json!(null), "{answer}");
    let edges = answer["data"]["orders"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), ORDERS);
    for edge in edges {
        assert_eq!(edge["node"]["contact"]["state"], "VISIBLE", "{edge}");
    }
    let mut batches = world.fake.batches.lock().unwrap().clone();
    batches.sort_unstable();
    // The contacts, and both parts of every history.
    assert_eq!(batches, [ORDERS, 2 * ORDERS]);
}

#[tokio::test]
async fn requests_at_the_same_time_are_not_read_together() {
    let world = world().await;
    let tokens = [Role::Admin, Role::StoreStaff].map(|role| world.token(role, &["CFR029"]));
    let [a, b] = tokens
        .each_ref()
        .map(|token| world.query_as(token, NESTED, json!({})));
    let (a, b) = tokio::join!(a, b);
    assert_eq!((a.code(), b.code()), (String::new(), String::new()));
    let histories = world.fake.batches.lock().unwrap().clone();
    let of_one = |size: &&usize| **size == 2 * ORDERS;
    assert_eq!(histories.iter().filter(of_one).count(), 2, "{histories:?}");
    assert!(histories.iter().all(|size| *size <= 2 * ORDERS));
}

#[tokio::test]
async fn who_may_not_see_people_has_none_opened() {
    let world = world().await;
    let token = world.token(Role::Auditor, &["CFR029"]);
    let query = "{ orders { edges { node { contact { state name } } } } }";
    let answer = world.query_as(&token, query, json!({})).await.json();
    let edges = answer["data"]["orders"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), ORDERS, "{answer}");
    for edge in edges {
        assert_eq!(edge["node"]["contact"]["state"], "HIDDEN", "{edge}");
    }
    assert_eq!(world.fake.batches.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_before_anything_is_read() {
    let world = world().await;
    for first in [0, -1, 101] {
        let query = format!(
            "{{ orders {{ edges {{ node {{ history(first: {first}) {{ nodes {{ id }} }} }} }} }} }}"
        );
        let answer = world.query(&query, json!({})).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{first}");
        let path = &answer.json()["errors"][0]["extensions"]["inputPath"];
        assert_eq!(path, "first");
    }
    assert_eq!(world.fake.batches.lock().unwrap().len(), 0);
}
