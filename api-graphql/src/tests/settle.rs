//! Remittances and the cash ledger: what the API takes and shows of them, and to whom.

use chrono::NaiveDate;
use commands::{Request, Target};
use domain::{
    actor::{Actor, StoreScope},
    ids::{CommandId, RegionId, StoreId},
    money::Money,
    remittance::{ExpectedItem, Remittance, RemittanceCommand, RemittanceId},
};
use projections::cash_ledger::CollectionDay;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    fake::{World, place_input},
    talk::{self, codes, done, give, with},
    *,
};
use crate::backend::{Backend, Executes};

const DAY: &str = "GRAB:CFR029:2026-01-31";

/// An order of 57.00 whose cash GRAB's rider has: its id and its number.
async fn collected(world: &World, ops: &str, amount: &str) -> (String, String) {
    let placed = done(world, ops, "placeOrder", place_input()).await["order"].clone();
    let id = placed["id"].as_str().unwrap().to_owned();
    let proof = json!({ "signature": "s3://signatures/1" });
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "57.00" })),
        ("releaseOrder", json!({})),
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "T", "carrier": "GRAB" }),
        ),
        ("recordDelivery", json!({ "status": "DELIVERED" })),
        (
            "collectCash",
            json!({ "amount": amount, "partnerId": "GRAB", "riderId": "R1", "proof": proof }),
        ),
    ] {
        done(world, ops, field, with(json!({ "orderId": id }), more)).await;
    }
    (id, placed["number"].as_str().unwrap().to_owned())
}

/// What only the ledger's own processes do: the day is over.
async fn expect(world: &World, items: &[(&(String, String), &str)]) {
    expect_of(world, DAY, items).await;
}

async fn expect_of(world: &World, day: &str, items: &[(&(String, String), &str)]) {
    let item = |((id, number), amount): &(&(String, String), &str)| ExpectedItem {
        order_id: id.parse().unwrap(),
        reference: number.clone(),
        amount: amount.parse().unwrap(),
        rider_id: Some("R1".into()),
        collected_at: "2026-01-31T09:00:00Z".parse().unwrap(),
    };
    let request: Request<Remittance> = Request {
        command_id: CommandId(Uuid::now_v7()),
        actor: Actor {
            id: "day-end".into(),
            role: Role::System,
            stores: StoreScope::All,
        },
        expected_version: None,
        target: Target::Entity(day.parse::<RemittanceId>().unwrap()),
        command: RemittanceCommand::Expect {
            region: RegionId::new("BKK").unwrap(),
            items: items.iter().map(item).collect(),
        },
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    };
    let backend: &dyn Backend = &world.fake;
    Executes::<Remittance>::execute(backend, request)
        .await
        .unwrap();
}

fn report(items: Value) -> Value {
    json!({ "partnerId": "GRAB", "storeId": "CFR029", "businessDay": "2026-01-31", "reportId": "R-1", "items": items })
}

async fn balances(world: &World) -> Value {
    let query = "{ cashBalances { balances { account amount } total } }";
    world.query(query, json!({})).await.json()["data"]["cashBalances"].clone()
}

#[tokio::test]
async fn a_remittance_is_compared_resolved_closed_and_banked() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let first = collected(&world, &ops, "57.00").await;
    let second = collected(&world, &ops, "57.00").await;
    expect(&world, &[(&first, "57.00"), (&second, "57.00")]).await;
    let shown = "query($id: ID!) { remittance(id: $id) { status isReported items { edges { node { reference outcome expected reported } } } } }";
    let awaiting = world.query(shown, json!({ "id": DAY })).await.json();
    assert_eq!(awaiting["data"]["remittance"]["status"], "AWAITING");
    assert_eq!(
        awaiting["data"]["remittance"]["items"]["edges"][0]["node"],
        json!({ "reference": first.1, "outcome": null, "expected": "57.0000", "reported": null })
    );
    let items = json!([
        { "reference": first.1, "amount": "57.00" },
        { "reference": second.1, "amount": "50.00" },
    ]);
    let payload = done(&world, &ops, "reportRemittance", report(items)).await;
    let remittance = &payload["remittance"];
    assert_eq!(payload["receipt"]["entityId"], DAY);
    assert_eq!(remittance["status"], "DIFFERING");
    assert_eq!(remittance["summary"]["variance"], "-7.0000");
    assert_eq!(remittance["riders"][0]["reported"], "107.0000");
    assert_eq!(
        remittance["items"]["edges"][1]["node"]["outcome"],
        "VARIANCE"
    );
    let named = json!({ "remittanceId": DAY });
    let early = give(&world, &ops, "closeRemittance", named.clone()).await;
    assert_eq!(codes(&early), ["ERR_INVALID_TRANSITION"]);
    let dispute = with(
        named.clone(),
        json!({ "reference": first.1, "reason": "photo shows less" }),
    );
    let disputed = done(&world, &ops, "disputeRemittanceItem", dispute).await;
    assert_eq!(disputed["remittance"]["summary"]["open"], 2);
    for (reference, accepted, resolution) in [
        (&first.1, "57.00", "AGREED"),
        (&second.1, "57.00", "PARTNER_PAYS"),
    ] {
        let resolve = json!({ "reference": reference, "accepted": accepted, "resolution": resolution, "reason": "called" });
        done(
            &world,
            &ops,
            "resolveRemittanceItem",
            with(named.clone(), resolve),
        )
        .await;
    }
    let closed = done(&world, &ops, "closeRemittance", named.clone()).await;
    assert_eq!(closed["remittance"]["status"], "CLOSED");
    assert_eq!(closed["remittance"]["owed"], "114.0000");
    let cash = |amount: &str| {
        with(
            named.clone(),
            json!({ "amount": amount, "reference": "S-1" }),
        )
    };
    done(&world, &ops, "receiveRemittanceCash", cash("114.00")).await;
    let much = give(&world, &ops, "depositCash", cash("114.01")).await;
    assert_eq!(codes(&much).len(), 1);
    let banked = done(&world, &ops, "depositCash", cash("100.00")).await;
    assert_eq!(banked["remittance"]["held"], "14.0000");
    assert_eq!(
        balances(&world).await,
        json!({ "total": "0.0000", "balances": [
            { "account": "SALES", "amount": "-114.0000" },
            { "account": "STORE", "amount": "14.0000" },
            { "account": "DEPOSITED", "amount": "100.0000" },
        ] })
    );
}

#[tokio::test]
async fn a_report_that_names_no_remittance_is_refused_field_by_field() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let wrong = with(
        report(json!([])),
        json!({ "partnerId": "grab", "storeId": "Bangkok" }),
    );
    let refused = give(&world, &ops, "reportRemittance", wrong).await;
    assert_eq!(codes(&refused), ["VAL_001", "VAL_001"]);
    let garbled = json!({ "remittanceId": "GRAB:CFR029" });
    let refused = give(&world, &ops, "closeRemittance", garbled).await;
    assert_eq!(codes(&refused), ["REMITTANCE_NOT_FOUND"]);
    assert_eq!(refused["problems"][0]["status"], 404);
    for day in [
        "2026-02-30",
        "2026-1-31",
        "31.01.2026",
        "2026-01-31T00:00:00Z",
    ] {
        let input = with(
            report(json!([])),
            json!({ "businessDay": day, "commandId": Uuid::now_v7() }),
        );
        let query = talk::operation("reportRemittance");
        let answer = world.query(&query, json!({ "input": input })).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{day}");
    }
}

#[tokio::test]
async fn a_foreign_stores_remittance_is_not_there() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let order = collected(&world, &ops, "57.00").await;
    expect(&world, &[(&order, "57.00")]).await;
    let own = world.token(Role::StoreManager, &["CFR029"]);
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let read = format!(
        "{{ remittance(id: \"{DAY}\") {{ id }} remittances {{ edges {{ node {{ id }} }} }}
            cashPostings(remittanceId: \"{DAY}\") {{ edges {{ node {{ line }} }} }}
            outstandingCash {{ edges {{ node {{ orderId }} }} }} cashBalances {{ balances {{ amount }} total }} }}"
    );
    let seen = world.query_as(&own, &read, json!({})).await.json();
    assert_eq!(seen["data"]["remittance"]["id"], DAY);
    assert_eq!(
        seen["data"]["outstandingCash"]["edges"][0]["node"]["orderId"],
        order.0.as_str()
    );
    let hidden = world.query_as(&foreign, &read, json!({})).await.json();
    assert_eq!(
        hidden["data"],
        json!({ "remittance": null, "remittances": { "edges": [] }, "cashPostings": { "edges": [] },
            "outstandingCash": { "edges": [] }, "cashBalances": { "balances": [], "total": "0.0000" } })
    );
    let refused = world.fake.refused.lock().unwrap().clone();
    assert_eq!(
        refused
            .iter()
            .filter(|r| r.target == DAY && r.reason == "store")
            .count(),
        1,
        "both fields ask for the same day"
    );
    let postings =
        "query($o: ID) { cashPostings(orderId: $o) { edges { node { account amount } } } }";
    let seen = world
        .query_as(&own, postings, json!({ "o": order.0 }))
        .await
        .json();
    assert_eq!(
        seen["data"]["cashPostings"]["edges"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let hidden = world
        .query_as(&foreign, postings, json!({ "o": order.0 }))
        .await
        .json();
    assert_eq!(hidden["data"]["cashPostings"]["edges"], json!([]));
    // A command on it answers word for word as one on a remittance that does not exist.
    let close = |id: &str| json!({ "remittanceId": id });
    let foreign_answer = give(&world, &foreign, "closeRemittance", close(DAY)).await;
    let absent = "GRAB:CFR001:2026-01-30";
    let absent_answer = give(&world, &foreign, "closeRemittance", close(absent)).await;
    assert_eq!(
        foreign_answer.to_string().replace(DAY, absent),
        absent_answer.to_string()
    );
    assert_eq!(codes(&foreign_answer), ["REMITTANCE_NOT_FOUND"]);
}

#[tokio::test]
async fn lists_of_the_cash_ledger_have_bounds() {
    let world = World::new();
    for query in [
        "cashPostings { pageInfo { endCursor } }",
        "cashPostings(orderId: \"1\", remittanceId: \"2\") { pageInfo { endCursor } }",
        "cashPostings(orderId: \"1\", first: 101) { pageInfo { endCursor } }",
        "outstandingCash(first: 0) { pageInfo { endCursor } }",
        "outstandingCash(partnerId: \"grab\") { pageInfo { endCursor } }",
        "cashBalances(storeIds: [\"x\"]) { total }",
        "cashBalances(region: \" \") { total }",
        "collectionMetrics(from: \"2026-01-02\", to: \"2026-01-01\") { total { delivered } }",
        "collectionMetrics(from: \"2026-01-01\", to: \"2026-04-03\") { total { delivered } }",
        "remittances(filter: { partnerId: \"grab\" }) { pageInfo { endCursor } }",
        "remittances(first: 1, last: 1) { pageInfo { endCursor } }",
        "stores(filter: { region: \"\" }) { pageInfo { endCursor } }",
        "bundles(last: 1, after: \"x\") { pageInfo { endCursor } }",
        "deadLetters(first: 101) { pageInfo { endCursor } }",
        "bundle(id: \"X\", fresh: { minPosition: \"1\", waitMs: 1001 }) { id }",
    ] {
        let answer = world.query(&format!("{{ {query} }}"), json!({})).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{query}: {}", answer.body);
    }
    world
        .fake
        .stale
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let fresh = "fresh: { minPosition: \"9\", waitMs: 1 }";
    for query in [
        format!("bundles({fresh}) {{ pageInfo {{ endCursor }} }}"),
        format!("store(id: \"CFR001\", {fresh}) {{ id }}"),
        format!("remittances({fresh}) {{ pageInfo {{ endCursor }} }}"),
        format!("cashBalances({fresh}) {{ total }}"),
        format!("cashPostings(orderId: \"1\", {fresh}) {{ pageInfo {{ endCursor }} }}"),
        format!("outstandingCash({fresh}) {{ pageInfo {{ endCursor }} }}"),
        format!(
            "collectionMetrics(from: \"2026-01-01\", to: \"2026-01-01\", {fresh}) {{ total {{ delivered }} }}"
        ),
        format!("deadLetters({fresh}) {{ pageInfo {{ endCursor }} }}"),
    ] {
        let answer = world.query(&format!("{{ {query} }}"), json!({})).await;
        assert_eq!(answer.code(), "STALE_READ", "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn collections_are_summed_over_the_stores_the_caller_sees() {
    let world = World::new();
    let day = |store: &str, delivered: i64, in_time: i64| CollectionDay {
        day: NaiveDate::from_ymd_opt(2026, 1, 31).unwrap(),
        store_id: StoreId::new(store).unwrap(),
        region: RegionId::new("BKK").unwrap(),
        delivered,
        collected: in_time + 1,
        collected_in_time: in_time,
        failed: 1,
        discrepancies: 1,
        discrepancy_sum: Money::from_units(-10_000),
    };
    *world.fake.days.lock().unwrap() = vec![day("CFR001", 3, 1), day("CFR002", 197, 197)];
    let query = "{ collectionMetrics(from: \"2026-01-31\", to: \"2026-01-31\") {
        days { day storeId figures { successRate } }
        total { delivered collected collectedInTime successRate failed discrepancies discrepancySum } } }";
    let metrics = world.query(query, json!({})).await.json()["data"]["collectionMetrics"].clone();
    assert_eq!(
        metrics["total"],
        json!({ "delivered": 200, "collected": 200, "collectedInTime": 198, "successRate": "0.9900",
            "failed": 2, "discrepancies": 2, "discrepancySum": "-2.0000" })
    );
    assert_eq!(metrics["days"][0]["figures"]["successRate"], "0.3333");
    let own = world.token(Role::StoreManager, &["CFR001"]);
    let metrics =
        world.query_as(&own, query, json!({})).await.json()["data"]["collectionMetrics"].clone();
    assert_eq!(metrics["total"]["delivered"], 3);
    assert_eq!(metrics["days"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_posting_of_another_stores_remittance_does_not_name_it() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let order = collected(&world, &ops, "57.00").await;
    // As it was booked before such items were refused.
    let elsewhere = "GRAB:CFR030:2026-01-31";
    let items = json!([{ "reference": order.1, "amount": "10.00" }]);
    let report = with(report(items), json!({ "storeId": "CFR030" }));
    done(&world, &ops, "reportRemittance", report).await;
    expect_of(&world, elsewhere, &[]).await;
    let named = json!({ "remittanceId": elsewhere });
    let resolve = json!({ "reference": order.1, "accepted": "10.00", "resolution": "WRITTEN_OFF", "reason": "x" });
    let resolve = with(named.clone(), resolve);
    done(&world, &ops, "resolveRemittanceItem", resolve).await;
    done(&world, &ops, "closeRemittance", named).await;
    let query =
        "query($o: ID) { cashPostings(orderId: $o) { edges { node { eventType remittanceId } } } }";
    let manager = world.token(Role::StoreManager, &["CFR029"]);
    for (token, seen) in [(&ops, json!(elsewhere)), (&manager, Value::Null)] {
        let answer = world.query_as(token, query, json!({ "o": order.0 })).await;
        let edges = answer.json()["data"]["cashPostings"]["edges"].clone();
        let closed: Vec<&Value> = edges
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| &edge["node"])
            .filter(|node| node["eventType"] == "remittance.closed")
            .collect();
        assert_eq!(closed.len(), 2);
        assert!(closed.iter().all(|node| node["remittanceId"] == seen));
    }
}
