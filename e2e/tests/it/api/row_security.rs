//! The database's own line of access control, as a caller of the API meets it.

use std::collections::BTreeSet;

use e2e::{Api, eventually};
use serde_json::{Value, json};

use super::support::{World, ask, placed, world_with};

/// Every way to more than one row, and one to a figure.
const LISTS: &str = "query($position: Position!) {
    orders(first: 100, fresh: { minPosition: $position, waitMs: 1000 }) { edges { node { id store { id } history(first: 20) { edges { node { position } } } } } }
    stores(first: 100) { edges { node { id } } }
    storeBoard(fresh: { minPosition: $position, waitMs: 1000 }) { storeId status count }
    cashBalances(by: STORE, fresh: { minPosition: $position, waitMs: 1000 }) { balances { storeId } }
}";
/// Rounds in which callers of all kinds ask at once: connections go from one to the other.
const ROUNDS: usize = 15;

/// A ledger with few connections, so that callers share them; and with orders in both stores.
async fn traded() -> (World, Value, String) {
    let world = world_with([("LEDGER_DATABASE_POOL_MAX", "4".to_owned())]).await;
    let mut last = (String::new(), json!(null));
    for store in ["CFR002", "CFR001", "CFR002", "CFR001"] {
        let reference = uuid::Uuid::now_v7();
        let more = json!({ "storeId": store, "alternateOrderId": reference });
        last = placed(&world.admin, more).await;
    }
    let position = last.1["position"].clone();
    is_shown(&world, &position).await;
    (world, position, last.0)
}

/// Waits for the read models, however busy the machine is.
async fn is_shown(world: &World, position: &Value) {
    eventually("the read models", || async {
        let variables = json!({ "position": position });
        let answer = ask(&world.admin, LISTS, variables).await.json();
        answer.get("errors").is_none().then_some(())
    })
    .await;
}

async fn lists(api: &Api, position: &Value) -> Value {
    api.graphql(LISTS, json!({ "position": position })).await
}

/// The stores that an answer shows anything of.
fn shown(lists: &Value) -> BTreeSet<&str> {
    let edges = |field: &str| lists[field]["edges"].as_array().unwrap().iter();
    let orders = edges("orders").map(|edge| &edge["node"]["store"]["id"]);
    let stores = edges("stores").map(|edge| &edge["node"]["id"]);
    let rows = lists["storeBoard"].as_array().unwrap().iter();
    let balances = lists["cashBalances"]["balances"].as_array().unwrap().iter();
    let cells = rows.chain(balances).map(|row| &row["storeId"]);
    orders
        .chain(stores)
        .chain(cells)
        .map(|id| id.as_str().unwrap())
        .collect()
}

fn orders(lists: &Value) -> Vec<&Value> {
    let edges = lists["orders"]["edges"].as_array().unwrap();
    edges.iter().map(|edge| &edge["node"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_share_connections_see_what_is_theirs() {
    let (world, position, _) = traded().await;
    let one = world.caller("store-manager", &["CFR001"]);
    let two = world.caller("store-manager", &["CFR002"]);
    let none = world.caller("store-manager", &["CFR999"]);
    let both = world.caller("store-manager", &["CFR002", "CFR001"]);
    for _ in 0..ROUNDS {
        let (one, two, none, both, all) = tokio::join!(
            lists(&one, &position),
            lists(&two, &position),
            lists(&none, &position),
            lists(&both, &position),
            lists(&world.admin, &position)
        );
        assert_eq!(shown(&one), ["CFR001"].into());
        assert_eq!(shown(&two), ["CFR002"].into());
        assert_eq!(shown(&none), [].into());
        assert_eq!(shown(&both), ["CFR001", "CFR002"].into());
        assert!(shown(&all).is_superset(&shown(&both)));
        for (lists, expected) in [(&one, 2), (&two, 2), (&none, 0), (&both, 4), (&all, 4)] {
            let orders = orders(lists);
            assert_eq!(orders.len(), expected);
            let is_told = |order: &&Value| order["history"]["edges"] != json!([]);
            assert!(orders.iter().all(is_told), "{orders:?}");
        }
    }
}

/// The queries narrow what they show; that the database does so too is seen when it is told to show nothing at all.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_does_not_show_the_api_cannot() {
    let (world, position, own) = traded().await;
    let manager = world.caller("store-manager", &["CFR001"]);
    let order = "query($id: ID!) { order(id: $id) { id store { id } } }";
    let before = lists(&manager, &position).await;
    assert_eq!(orders(&before).len(), 2);
    let shown = manager.graphql(order, json!({ "id": own })).await;
    assert_eq!(shown["order"]["store"]["id"], "CFR001");

    let database = world.database.superuser_pool().await;
    for table in ["order_view", "store_view", "store_board", "cash_balance"] {
        let alter = format!("alter policy reader on {table} using (false)");
        sqlx::raw_sql(&alter).execute(&database).await.unwrap();
    }
    // Answers are kept until something happens.
    let (id, receipt) = placed(&world.admin, json!({ "storeId": "CFR001" })).await;
    let position = &receipt["position"];
    is_shown(&world, position).await;
    let asked = json!({ "id": id });
    let after = lists(&manager, position).await;
    assert_eq!(self::shown(&after), [].into());
    let hidden = manager.graphql(order, asked.clone()).await;
    assert_eq!(hidden["order"], json!(null));
    let all = lists(&world.admin, position).await;
    assert_eq!(orders(&all).len(), 5);
    let shown = world.admin.graphql(order, asked).await;
    assert_eq!(shown["order"]["store"]["id"], "CFR001");
    // It is the manager's own: nothing was refused.
    assert_eq!(refusals(&world).await, 0);
}

async fn refusals(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from access_audit where reason = 'store'")
        .fetch_one(&world.database.superuser_pool().await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_hides_is_put_on_record_when_it_is_asked_for() {
    let (world, position, foreign) = traded().await;
    let manager = world.caller("store-manager", &["CFR002"]);
    // What a manager is told has been seen by the models.
    lists(&manager, &position).await;
    let number = world
        .admin
        .graphql(
            "query($id: ID!) { order(id: $id) { refs { system reference } } }",
            json!({ "id": foreign }),
        )
        .await;
    let reference = &number["order"]["refs"][0];
    let asked = [
        "order(id: $id) { id }",
        "node(id: $id) { id }",
        "cashPostings(orderId: $id) { edges { cursor } }",
        "orderByRef(system: $system, ref: $reference) { id }",
        "store(id: \"CFR001\") { id }",
    ];
    for (expected, field) in (1..).zip(asked) {
        let named = if field.contains("$system") {
            "($system: System!, $reference: String!)"
        } else if field.contains("$id") {
            "($id: ID!)"
        } else {
            ""
        };
        let variables = json!({ "id": foreign, "system": reference["system"], "reference": reference["reference"] });
        let answer = manager
            .graphql(&format!("query{named} {{ it: {field} }}"), variables)
            .await;
        assert!(
            [json!(null), json!({ "edges": [] })].contains(&answer["it"]),
            "{field}: {answer}"
        );
        assert_eq!(refusals(&world).await, expected, "{field}");
    }
    let nobodys = json!({ "id": uuid::Uuid::now_v7() });
    let query = "query($id: ID!) { order(id: $id) { id } }";
    assert_eq!(manager.graphql(query, nobodys).await["order"], json!(null));
    assert_eq!(refusals(&world).await, 5, "what is nobody's was refused");
}
