//! Orders by phone number: found in every spelling by who may see whose it is, and by nobody else.

use e2e::{Api, eventually};
use serde_json::{Value, json};

use super::support::{ask, code, command, placed, text, world};

const QUERY: &str = "query($filter: OrderFilter, $fresh: Fresh, $sort: OrderSort! = OLDEST, $first: Int, $after: String) {
    orders(filter: $filter, fresh: $fresh, sort: $sort, first: $first, after: $after) {
        edges { cursor node { id } } pageInfo { hasNextPage } } }";

/// An order of a store for a number; its id and its receipt.
async fn place(api: &Api, store: &str, customer: Option<&str>, phone: &str) -> (String, Value) {
    let contact = json!({ "name": "Somebody", "phone": phone });
    let more = json!({ "storeId": store, "contact": contact, "customerId": customer });
    placed(api, more).await
}

fn ids(data: &Value) -> Vec<String> {
    let edges = data["orders"]["edges"].as_array().unwrap();
    let id = |edge: &Value| edge["node"]["id"].as_str().unwrap().to_owned();
    edges.iter().map(id).collect()
}

/// The orders found for a filter, oldest first.
async fn found(api: &Api, filter: Value) -> Vec<String> {
    ids(&api.graphql(QUERY, json!({ "filter": filter })).await)
}

/// The pages joined are all the orders of the number, in every sort.
async fn assert_pages(api: &Api, all: &[String]) {
    for sort in ["OLDEST", "NEWEST", "UPDATED", "TOTAL_DESC"] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let filter = json!({ "phone": "0812345678" });
            let asked = json!({ "filter": filter, "sort": sort, "first": 2, "after": after });
            let page = api.graphql(QUERY, asked).await;
            seen.extend(ids(&page));
            after = page["orders"]["edges"][1]["cursor"].clone();
            if page["orders"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        seen.sort();
        let mut expected = all.to_vec();
        expected.sort();
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_phone_in_any_spelling() {
    let world = world().await;
    let service = world.caller("customer-service", &[]);
    let (first, _) = place(&service, "CFR001", Some("C-1"), "081-234-5678").await;
    let (second, _) = place(&service, "CFR002", Some("C-2"), "+66 81 234 5678").await;
    let (third, _) = place(&service, "CFR001", None, "0066812345678").await;
    let (_, receipt) = place(&service, "CFR001", Some("C-1"), "0898765432").await;
    let all = vec![first.clone(), second.clone(), third.clone()];
    // What a receipt names is found: the index is as new as the order.
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    for spelling in [
        "+66812345678",
        "0812345678",
        "66 81 234 5678",
        "(081) 234.5678",
    ] {
        let asked = json!({ "filter": { "phone": spelling }, "fresh": fresh });
        assert_eq!(ids(&service.graphql(QUERY, asked).await), all, "{spelling}");
    }
    assert_eq!(
        found(&service, json!({ "phone": "0812345679" })).await,
        Vec::<String>::new()
    );

    // With other conditions, sorts and pages.
    let narrowed = json!({ "phone": "0812345678", "customerId": "C-1", "channel": "GRAB" });
    assert_eq!(
        found(&service, narrowed).await,
        std::slice::from_ref(&first)
    );
    assert_pages(&service, &all).await;

    // Of other stores nothing is found, asked for or not.
    let staff = world.caller("store-staff", &["CFR002"]);
    assert_eq!(
        found(&staff, json!({ "phone": "0812345678" })).await,
        [second]
    );
    let foreign = json!({ "phone": "0812345678", "storeIds": ["CFR001"] });
    assert_eq!(found(&staff, foreign).await, Vec::<String>::new());

    // An erased person is found by nobody, and the row is gone.
    let forget = json!({ "customerId": "C-1" });
    let forgotten = command(&world.admin, "forgetCustomer", forget).await;
    assert_eq!(forgotten["erasure"]["keysDestroyed"], 1, "{forgotten}");
    assert_eq!(
        found(&service, json!({ "phone": "0898765432" })).await,
        Vec::<String>::new()
    );
    assert!(
        !found(&service, json!({ "phone": "0812345678" }))
            .await
            .contains(&first)
    );
    let pool = world.database.superuser_pool().await;
    let left: i64 = sqlx::query_scalar("select count(*) from phone_index")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(left, 2);
    world.program.run(&["forget", "--order", &third, "--yes"]);
    assert!(
        !found(&service, json!({ "phone": "0812345678" }))
            .await
            .contains(&third)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_persons_may_not_search_for_them() {
    let world = world().await;
    place(&world.admin, "CFR001", None, "0812345678").await;
    let asked = |phone: &str| json!({ "filter": { "phone": phone } });
    let refusing = [
        "regional-coordinator",
        "auditor",
        "channel",
        "slick",
        "pmp",
        "grab",
    ];
    for role in refusing {
        let stores: &[&str] = if role == "auditor" { &[] } else { &["CFR001"] };
        let caller = world.caller(role, stores);
        // Whether anybody has the number makes no difference.
        for phone in ["0812345678", "0812345679"] {
            let answer = ask(&caller, QUERY, asked(phone)).await;
            assert_eq!(code(&answer), "FORBIDDEN", "{role}");
            assert!(!text(&answer).contains(phone));
        }
    }
    let pool = world.database.superuser_pool().await;
    let audited: Vec<(String, String, String)> = eventually("audited refusals", || async {
        let rows = sqlx::query_as(
            "select role, action, target from access_audit where reason = 'role' order by id",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        (rows.len() == 2 * refusing.len()).then_some(rows)
    })
    .await;
    for (n, (role, action, target)) in audited.iter().enumerate() {
        assert_eq!(
            (role.as_str(), action.as_str()),
            (refusing[n / 2], "read-personal-data")
        );
        assert_eq!(target, "orders by phone");
    }
    let wrong = ask(&world.admin, QUERY, asked("081 CALL ME")).await;
    assert_eq!(code(&wrong), "INVALID_INPUT");
    assert!(!text(&wrong).contains("CALL ME"));
}
