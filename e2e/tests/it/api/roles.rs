//! Who may give which command, and that a foreign store's order, remittance or store answers exactly as none.

use e2e::Api;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    good::{self, REMITTANCE, good, yesterday},
    support::{SCHEMA, World, command, done, merged, placed, problems, rows, world},
};

const ROLES: [&str; 11] = [
    "store-staff",
    "store-manager",
    "regional-coordinator",
    "customer-service",
    "ops",
    "admin",
    "auditor",
    "channel",
    "slick",
    "pmp",
    "grab",
];

/// Every command and who may give it: `x` in the order of [`ROLES`].
const TABLE: &str = r#"
    placeOrder            | xx.xxx.x.x.
    allocateOrder         | ....xx.....
    changeLines           | .x.xxx.....
    payOrder              | ....xx.....
    releaseOrder          | .x..xx.....
    recordPicking         | ....xx..x..
    reportShort           | ....xx..x..
    proposeSubstitution   | ....xx..x..
    decideSubstitution    | ...xxx.x.xx
    recordShipment        | ....xx..x..
    recordDelivery        | ....xx...xx
    recordFailedDelivery  | ....xx...xx
    cancelOrder           | .x.xxx..x..
    collectCash           | ....xx...xx
    failCollection        | ....xx...xx
    correctCollection     | ....xx.....
    requestReturn         | .x.xxx.....
    receiveReturn         | xx..xx.....
    refundOrder           | .x..xx.....
    defineBundle          | ....xx.....
    reviseBundle          | ....xx.....
    activateBundle        | ....xx.....
    retireBundle          | ....xx.....
    openStore             | ....xx.....
    changeStore           | ....xx.....
    activateStore         | ....xx.....
    deactivateStore       | ....xx.....
    reportRemittance      | ....xx...xx
    disputeRemittanceItem | .x..xx.....
    resolveRemittanceItem | .x..xx.....
    closeRemittance       | .x..xx.....
    receiveRemittanceCash | .x..xx.....
    depositCash           | .x..xx.....
    submitOrder           | xx.xxx.x.x.
    redriveDeadLetter     | ....xx.....
    dismissDeadLetter     | ....xx.....
    forgetCustomer        | .....x.....
"#;

#[test]
fn the_tables_have_every_command() {
    let mutations = SCHEMA.split("type Mutation {").nth(1).unwrap();
    let lines = mutations.split("\n}").next().unwrap().lines();
    let commands = lines.filter_map(|line| Some(line.trim().split_once("(input:")?.0));
    let mut commands: Vec<&str> = commands.collect();
    let mut listed: Vec<&str> = rows(TABLE).map(|[field, _]: [&str; 2]| field).collect();
    let mut good = good::fields();
    for names in [&mut commands, &mut listed, &mut good] {
        names.sort_unstable();
    }
    assert_eq!(commands, listed);
    assert_eq!(commands, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_open_to_exactly_its_roles() {
    let world = world().await;
    let (order, _) = placed(&world.admin, json!({})).await;
    let letter = Uuid::now_v7().to_string();
    for (at, role) in ROLES.iter().enumerate() {
        // Dead letters, bundles and persons belong to the whole chain.
        let chain = world.caller(
            role,
            if matches!(at, 0..=2) {
                &["CFR001"]
            } else {
                &[]
            },
        );
        for [field, may] in rows(TABLE) {
            let input = good(field, &order, &letter);
            let payload = command(&chain, field, input).await;
            let forbidden = problems(&payload) == [("AUTH_002".to_owned(), String::new())];
            let expected = may.chars().nth(at) == Some('x');
            assert_eq!(!forbidden, expected, "{field} as {role}: {payload}");
        }
    }
    assert_refusals_are_audited(&world).await;
}

/// Each refused command left a row: who, in which role, what, and why.
async fn assert_refusals_are_audited(world: &World) {
    let refused: i64 =
        sqlx::query_scalar("select count(*) from access_audit where reason = 'role'")
            .fetch_one(&world.database.superuser_pool().await)
            .await
            .unwrap();
    let dots = rows(TABLE).map(|[_, may]: [&str; 2]| may.matches('.').count());
    assert_eq!(usize::try_from(refused).unwrap(), dots.sum::<usize>());
}

/// A payload without the ids that were asked for.
fn without(payload: &Value, ids: &[&str]) -> String {
    let all = payload.to_string();
    ids.iter().fold(all, |text, id| text.replace(id, "ID"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partners_credential_reports_for_its_own_partner() {
    let world = world().await;
    let pmp = world.caller("pmp", &[]);
    let refused = command(&pmp, "reportRemittance", good("reportRemittance", "", "")).await;
    let expected = [("AUTH_002".to_owned(), "input.partnerId".to_owned())];
    assert_eq!(problems(&refused), expected);
    let grab = world.caller("grab", &[]);
    done(&grab, "reportRemittance", good("reportRemittance", "", "")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_a_foreign_store_answer_as_on_none() {
    let world = world().await;
    let (order, _) = placed(&world.admin, json!({})).await;
    let report = good("reportRemittance", "", "");
    done(&world.admin, "reportRemittance", report).await;
    let nowhere = Uuid::now_v7().to_string();
    let stranger = world.caller("ops", &["CFR002"]);
    for field in good::fields() {
        let (known, unknown) = match good::kind(field) {
            "order" => (order.as_str(), nowhere.as_str()),
            "remittance" => (REMITTANCE.as_str(), "GRAB:CFR001:2026-01-30"),
            "store" if field != "openStore" => ("CFR001", "CFR404"),
            _ => continue,
        };
        let input = good(field, &order, &nowhere);
        let ask = async |id: &str| {
            let name = input
                .as_object()
                .unwrap()
                .keys()
                .find(|k| k.ends_with("Id") && *k != "commandId")
                .unwrap();
            let named = json!({ "commandId": Uuid::now_v7(), (name.as_str()): id });
            command(&stranger, field, merged(&input, named)).await
        };
        let (foreign, none) = (ask(known).await, ask(unknown).await);
        assert_eq!(
            without(&foreign, &[known]),
            without(&none, &[unknown]),
            "{field}"
        );
        assert!(
            problems(&foreign)[0].0.ends_with("_NOT_FOUND") || problems(&foreign)[0].0 == "ORD_001",
            "{foreign}"
        );
    }
    let elsewhere = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": "CFR001",
        "businessDay": yesterday(), "reportId": "R-2", "items": [] });
    let refused = command(&stranger, "reportRemittance", elsewhere).await;
    assert_eq!(refused["remittance"], Value::Null);
    reads_show_nothing(&world, &stranger, &order).await;
}

async fn reads_show_nothing(world: &World, stranger: &Api, order: &str) {
    let query = "query($o: ID!, $r: ID!) {
        remittance(id: $r) { id } remittances { edges { node { id } } }
        named: remittances(filter: { storeIds: [\"CFR001\"] }) { edges { node { id } } }
        store(id: \"CFR001\") { id } stores { edges { node { id } } }
        cashBalances(by: STORE) { balances { storeId } total }
        ofOrder: cashPostings(orderId: $o) { edges { node { line } } }
        ofRemittance: cashPostings(remittanceId: $r) { edges { node { line } } }
        outstandingCash(storeIds: [\"CFR001\"]) { edges { node { orderId } } }
        collectionMetrics(from: \"2026-01-01\", to: \"2026-01-31\") { days { storeId } } }";
    let about = json!({ "o": order, "r": *REMITTANCE });
    let seen = e2e::eventually("the remittance", || async {
        let data = world.admin.graphql(query, about.clone()).await;
        let stores = data["stores"]["edges"].as_array().unwrap().len();
        (data["remittance"].is_object() && stores == 3).then_some(data)
    })
    .await;
    assert_eq!(seen["store"]["id"], "CFR001");
    let none = json!({ "edges": [] });
    assert_eq!(
        stranger.graphql(query, about).await,
        json!({
            "remittance": null, "remittances": none, "named": none,
            "store": null, "stores": { "edges": [{ "node": { "id": "CFR002" } }] },
            "cashBalances": { "balances": [], "total": "0.0000" },
            "ofOrder": none, "ofRemittance": none, "outstandingCash": none,
            "collectionMetrics": { "days": [] },
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_order_of_another_store_is_not_named() {
    let world = world().await;
    let (own, _) = placed(&world.admin, json!({})).await;
    let (foreign, _) = placed(&world.admin, json!({ "storeId": "CFR002" })).await;
    let numbers = |id: &str| json!({ "o": id });
    let query = "query($o: ID!) { order(id: $o) { number } }";
    let mut items = Vec::new();
    for id in [&own, &foreign] {
        let data = e2e::eventually("the order", || async {
            let data = world.admin.graphql(query, numbers(id)).await;
            data["order"].is_object().then_some(data)
        })
        .await;
        items.push(json!({ "reference": data["order"]["number"], "amount": "1.00" }));
    }
    let report = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": "CFR001",
        "businessDay": yesterday(), "reportId": "R-1", "items": items });
    done(&world.admin, "reportRemittance", report).await;
    let query =
        "query($r: ID!) { remittance(id: $r) { items { edges { node { reference orderId } } } } }";
    let manager = world.caller("store-manager", &["CFR001"]);
    for (caller, seen) in [(&world.admin, json!(foreign)), (&manager, Value::Null)] {
        let data = e2e::eventually("the items", || async {
            let data = caller.graphql(query, json!({ "r": *REMITTANCE })).await;
            let first = &data["remittance"]["items"]["edges"][0]["node"];
            (first["orderId"] == json!(own)).then_some(data)
        })
        .await;
        let second = &data["remittance"]["items"]["edges"][1]["node"];
        assert_eq!(second["orderId"], seen);
        assert!(second["reference"].as_str().unwrap().starts_with("QC-"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_reads_the_stores_of_the_region() {
    let world = world().await;
    let profile = json!({ "name": "Hua Hin", "region": "SOUTH", "zone": "METRO" });
    let south = json!({ "commandId": Uuid::now_v7(), "storeId": "CFR100", "profile": profile });
    let opened = done(&world.admin, "openStore", south).await;
    for store in ["CFR001", "CFR100"] {
        let report = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": store,
            "businessDay": yesterday(), "reportId": "R-1", "items": [{ "reference": "x", "amount": "1.00" }] });
        done(&world.admin, "reportRemittance", report).await;
    }
    let query = "query($fresh: Fresh!) { stores(fresh: $fresh) { edges { node { id } } } remittances { edges { node { storeId } } } }";
    let fresh = json!({ "minPosition": opened["receipt"]["position"], "waitMs": 1000 });
    for (region, stores) in [
        ("BKK-CENTRAL", vec!["CFR001", "CFR002", "CFR009"]),
        ("SOUTH", vec!["CFR100"]),
    ] {
        let arguments = [
            "token",
            "--role",
            "regional-coordinator",
            "--region",
            region,
        ];
        let output = world.program.run(&arguments);
        let coordinator = world.program.api(output.lines().last().unwrap());
        let data = e2e::eventually("the region's remittance", || async {
            let data = coordinator.graphql(query, json!({ "fresh": fresh })).await;
            (data["remittances"]["edges"] != json!([])).then_some(data)
        })
        .await;
        let ids: Vec<&Value> = data["stores"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["node"]["id"])
            .collect();
        assert_eq!(json!(ids), json!(stores), "{region}");
        let remittances =
            json!([{ "node": { "storeId": if region == "SOUTH" { "CFR100" } else { "CFR001" } } }]);
        assert_eq!(data["remittances"]["edges"], remittances, "{region}");
    }
}
