//! A whole life, with the ledger's own processes at work: a bundle, a short, another product, the cash at the door, the
//! partner's remittance of the day, and the bank.

use chrono::{Days, NaiveDate, Utc};
use domain::calendar::{business_day, day_start};
use e2e::{Api, eventually};
use serde_json::{Value, json};

use super::support::{
    World, command, done, input, merged, place_input, placed, problems, world_with,
};

/// A lunch of 45.00 and two of 62.00 for 150.00.
fn lunch() -> Value {
    let component = |sku: &str, quantity: &str, price: &str| json!({ "sku": sku, "nameEn": sku, "quantity": quantity, "unitPrice": price, "substitutable": true });
    json!({
        "sku": "8850999000001", "nameEn": "Lunch set", "kind": "MEAL_DEAL",
        "components": [component("8850999220017", "1", "45.00"), component("8850999320021", "2", "62.00")],
        "pricing": { "fixedPrice": "150.00" },
    })
}

/// The business day before today's, over by now, and its last minute.
fn yesterday() -> (NaiveDate, Value) {
    let day = business_day(Utc::now())
        .checked_sub_days(Days::new(1))
        .unwrap();
    let end = day_start(business_day(Utc::now()));
    (day, json!(end - chrono::TimeDelta::minutes(1)))
}

/// A lunch flagged as the bundle, three cans at 20.00 and a bag of ice at 30.00: 240.00.
fn basket() -> Value {
    json!({ "allowSubstitution": true, "alternateOrderId": "GF-1", "contact": e2e::orders::contact(), "lines": [
        { "lineNumber": 1, "sku": "8850999000001", "quantity": "1", "unitPrice": "150.00",
          "bundle": { "bundleId": "LUNCH", "refId": "B1" } },
        { "lineNumber": 2, "sku": "8850000000103", "quantity": "3", "unitPrice": "20.00" },
        { "lineNumber": 3, "sku": "8850000000110", "quantity": "1", "unitPrice": "30.00" },
    ] })
}

/// The ledger takes a valid order to released by itself.
async fn released(reader: &Api, id: &str) {
    let query = "query($id: ID!) { order(id: $id) { status paymentStatus } }";
    eventually("a released order", || async {
        let order = &reader.graphql(query, json!({ "id": id })).await["order"];
        (order["status"] == "RELEASED").then_some(())
    })
    .await;
}

/// The number of the order's line that sells a product.
fn line_of(payload: &Value, sku: &str) -> Value {
    let lines = payload["order"]["lines"].as_array().unwrap().iter();
    let mut found = lines.filter(|line| line["sku"] == sku);
    found.next().unwrap()["lineNumber"].clone()
}

/// Picking finds two cans of three and another ice, which the customer takes: 150 + 40 + 34 = 224.00.
async fn picked(world: &World, id: &str) -> Value {
    let slick = world.caller("slick", &[]);
    let service = world.caller("customer-service", &[]);
    let begun = done(
        &slick,
        "recordPicking",
        input(id, json!({ "status": "IN_PROCESS" })),
    )
    .await;
    assert_eq!(begun["order"]["bundles"][0]["status"], "IN_PROCESS");
    assert_eq!(begun["order"]["bundles"][0]["savings"], "19.0000");
    let (cans, ice) = (
        line_of(&begun, "8850000000103"),
        line_of(&begun, "8850000000110"),
    );
    let short = json!({ "reportId": "S-1", "reason": "two left", "lines": [{ "lineNumber": cans, "quantity": "2" }] });
    let short = done(&slick, "reportShort", input(id, short)).await;
    assert_eq!(short["order"]["cashDue"], "220.0000");
    let offer = json!({ "proposalId": "P-1", "lineNumber": ice, "sku": "8850000000127", "unitPrice": "34.00" });
    let offered = done(&slick, "proposeSubstitution", input(id, offer.clone())).await;
    assert_eq!(offered["order"]["offers"][0]["answer"], "OPEN");
    let dear = merged(&offer, json!({ "proposalId": "P-2", "unitPrice": "36.01" }));
    let refused = command(&slick, "proposeSubstitution", input(id, dear)).await;
    let codes: Vec<String> = problems(&refused).into_iter().map(|p| p.0).collect();
    assert!(
        codes.contains(&"PRICE_INCREASE_LIMIT_EXCEEDED".to_owned()),
        "{codes:?}"
    );
    let yes = json!({ "proposalId": "P-1", "approve": true });
    let taken = done(&service, "decideSubstitution", input(id, yes)).await;
    assert_eq!(taken["order"]["cashDue"], "224.0000");
    taken
}

/// The rider hands over and takes 220.00 of the 224.00 due.
async fn delivered(world: &World, id: &str, at: &Value) -> Value {
    let slick = world.caller("slick", &[]);
    let grab = world.caller("grab", &[]);
    let shipped = json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" });
    done(&slick, "recordShipment", input(id, shipped)).await;
    done(
        &grab,
        "recordDelivery",
        input(id, json!({ "status": "DELIVERED" })),
    )
    .await;
    let cash = json!({ "amount": "220.00", "partnerId": "GRAB", "riderId": "R-1", "trackingId": "TRK-1",
        "collectedAt": at, "proof": { "photo": "s3://proofs/hidden-42.jpg" }, "discrepancyReason": "no change" });
    let collected = done(&grab, "collectCash", input(id, cash)).await;
    let cash = json!({ "status": "COLLECTED", "amount": "220.0000", "discrepancy": "-4.0000" });
    assert_eq!(collected["order"]["collection"], cash);
    collected
}

/// The partner reports less than its rider has; the store disputes, resolves and closes, receives and banks.
async fn settled(world: &World, remittance: &str, number: &Value) -> Value {
    let grab = world.caller("grab", &[]);
    let manager = world.caller("store-manager", &["CFR001"]);
    let parts: Vec<&str> = remittance.split(':').collect();
    let report = json!({ "partnerId": parts[0], "storeId": parts[1], "businessDay": parts[2], "reportId": "R-1",
        "items": [{ "reference": number, "amount": "200.00" }], "total": "200.00" });
    let named = |more: Value| merged(&json!({ "remittanceId": remittance }), more);
    let give = async |api: &Api, field: &str, more: Value| {
        let id = json!({ "commandId": uuid::Uuid::now_v7() });
        done(api, field, merged(&id, more)).await["remittance"].clone()
    };
    let reported = give(&grab, "reportRemittance", report).await;
    assert_eq!(reported["status"], "DIFFERING");
    assert_eq!(reported["summary"]["variance"], "-20.0000");
    let item = json!({ "reference": number, "reason": "the photo shows more" });
    give(&manager, "disputeRemittanceItem", named(item.clone())).await;
    let resolve = json!({ "accepted": "210.00", "resolution": "AGREED" });
    let resolved = give(
        &manager,
        "resolveRemittanceItem",
        named(merged(&item, resolve)),
    )
    .await;
    assert_eq!(resolved["summary"]["open"], 0);
    let closed = give(&manager, "closeRemittance", named(json!({}))).await;
    assert_eq!(
        (&closed["status"], &closed["owed"]),
        (&json!("CLOSED"), &json!("210.0000"))
    );
    give(
        &manager,
        "receiveRemittanceCash",
        named(json!({ "amount": "210.00", "reference": "K-1" })),
    )
    .await;
    give(
        &manager,
        "depositCash",
        named(json!({ "amount": "210.00", "reference": "B-1" })),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_cash_goes_from_the_door_to_the_bank() {
    let world = world_with([("LEDGER_PROCESSES", "true".to_owned())]).await;
    let ops = world.caller("ops", &[]);
    let bundle =
        json!({ "commandId": uuid::Uuid::now_v7(), "bundleId": "LUNCH", "definition": lunch() });
    done(&ops, "defineBundle", bundle).await;
    let (day, then) = yesterday();
    let order = merged(&basket(), json!({ "capturedAt": then }));
    let (id, _) = placed(&world.caller("channel", &[]), order).await;
    released(&ops, &id).await;
    picked(&world, &id).await;
    let collected = delivered(&world, &id, &then).await;
    let number = &collected["order"]["number"];

    let remittance = format!("GRAB:CFR001:{day}");
    expected(&ops, &remittance).await;
    let banked = settled(&world, &remittance, number).await;
    assert_eq!(banked["held"], "0.0000");
    reconciled(&ops, &id, &remittance).await;
    books_balance(&ops, &id, &remittance, &banked["version"]).await;
    metrics_tell(&ops, day).await;
    figures_tell(&ops, day).await;
    orders_keep_their_bundles(&ops, &id).await;
    world.assert_unharmed().await;
}

/// The day is over, so the cash desk expects its cash at once.
async fn expected(reader: &Api, remittance: &str) {
    let query = "query($id: ID!) { remittance(id: $id) { isOpened status items { edges { node { expected } } } } }";
    let shown = eventually("an expected remittance", || async {
        let data = reader.graphql(query, json!({ "id": remittance })).await;
        data["remittance"]
            .is_object()
            .then_some(data["remittance"].clone())
    })
    .await;
    assert_eq!(shown["status"], "AWAITING");
    assert_eq!(shown["items"]["edges"][0]["node"]["expected"], "220.0000");
}

async fn reconciled(reader: &Api, id: &str, remittance: &str) {
    let query = "query($id: ID!) { order(id: $id) { collection { status reconciled { remittanceId outcome accepted variance } } } }";
    let collection = eventually("a reconciled order", || async {
        let data = reader.graphql(query, json!({ "id": id })).await;
        let collection = data["order"]["collection"].clone();
        (collection["status"] == "RECONCILED").then_some(collection)
    })
    .await;
    let how = json!({ "remittanceId": remittance, "outcome": "VARIANCE", "accepted": "210.0000", "variance": "-10.0000" });
    assert_eq!(collection["reconciled"], how);
}

async fn books_balance(reader: &Api, id: &str, remittance: &str, version: &Value) {
    let query = "query($o: ID!, $r: ID!) {
        remittance(id: $r) { version position }
        cashBalances { total balances { account amount } }
        byStore: cashBalances(by: STORE, storeIds: [\"CFR001\"]) { total balances { storeId } }
        order: cashPostings(orderId: $o, first: 100) { edges { node { position amount } } }
        whole: cashPostings(remittanceId: $r, first: 100) { edges { node { position eventType amount } } }
        outstandingCash { edges { node { orderId } } } }";
    let data = eventually("books up to the deposit", || async {
        let data = reader
            .graphql(query, json!({ "o": id, "r": remittance }))
            .await;
        let deposited = data["cashBalances"]["balances"]
            .to_string()
            .contains("DEPOSITED");
        (data["remittance"]["version"] == *version && deposited).then_some(data)
    })
    .await;
    assert_eq!(
        data["cashBalances"],
        json!({ "total": "0.0000", "balances": [
            { "account": "SALES", "amount": "-224.0000" },
            { "account": "DEPOSITED", "amount": "210.0000" },
            { "account": "VARIANCE", "amount": "14.0000" },
        ] })
    );
    assert_eq!(data["byStore"]["total"], "0.0000");
    assert_eq!(data["outstandingCash"]["edges"], json!([]));
    for list in ["order", "whole"] {
        let mut sums = std::collections::BTreeMap::<String, i64>::new();
        for edge in data[list]["edges"].as_array().unwrap() {
            let node = &edge["node"];
            let amount: domain::money::Money = node["amount"].as_str().unwrap().parse().unwrap();
            *sums.entry(node["position"].to_string()).or_default() += amount.units();
        }
        assert!(sums.len() >= 3, "{list}: {data:#}");
        assert!(sums.values().all(|sum| *sum == 0), "{list}: {sums:?}");
    }
}

async fn metrics_tell(reader: &Api, day: NaiveDate) {
    let query = "query($from: Date!, $to: Date!) { collectionMetrics(from: $from, to: $to, storeIds: [\"CFR001\"]) {
        total { delivered collected collectedInTime successRate discrepancies discrepancySum } } }";
    let today = day.succ_opt().unwrap();
    let data = reader
        .graphql(query, json!({ "from": day, "to": today }))
        .await;
    assert_eq!(
        data["collectionMetrics"]["total"],
        json!({ "delivered": 1, "collected": 1, "collectedInTime": 1, "successRate": "1.0000",
            "discrepancies": 1, "discrepancySum": "-4.0000" })
    );
}

/// The sums of the order's region, bundle, partner and steps, once its cash is settled in them.
async fn figures_tell(reader: &Api, day: NaiveDate) {
    let query = "query($from: Date!, $to: Date!) {
        regions(from: $from, to: $to) { total { placed released shipped delivered cancelled value cashDue exceptions shorts } }
        storeRanking(from: $from, to: $to, by: DELIVERED) { stores { rank storeId share } }
        bundlePerformance(from: $from, to: $to) {
            bundles { bundleId sold cancelled delivered fulfilmentRate revenue savings individualValue components { sku revenue } }
            baskets { orders attachRate value bundleRevenue singleRevenue } }
        partnerPerformance(from: $from, to: $to, partnerId: \"GRAB\") { partners { partnerId handedOver delivered
            deliverySuccess failedAttempts cashSuccess discrepancySum settled variances varianceSum rides { count } } }
        stepTimings(from: $from, to: $to) { steps { step durations { count } } stages { stage durations { count } } }
        storeTrend(storeId: \"CFR001\") { statuses { status count } } }";
    let to = day.checked_add_days(Days::new(2)).unwrap();
    let data = eventually("figures up to the settlement", || async {
        let data = reader
            .graphql(query, json!({ "from": day, "to": to }))
            .await;
        let settled = data["partnerPerformance"]["partners"][0]["settled"] == 1;
        settled.then_some(data)
    })
    .await;
    let flow = json!({ "placed": 1, "released": 1, "shipped": 1, "delivered": 1, "cancelled": 0, "value": "224.0000",
        "cashDue": "224.0000", "exceptions": 1, "shorts": 1 });
    assert_eq!(data["regions"]["total"], flow);
    let first = json!([{ "rank": 1, "storeId": "CFR001", "share": "1.0000" }]);
    assert_eq!(data["storeRanking"]["stores"], first);
    // 45.00 and 124.00 for 150.00: 19.00 off, shared 5.0592 to 13.9408.
    let bundle = json!({ "bundleId": "LUNCH", "sold": 1, "cancelled": 0, "delivered": 1, "fulfilmentRate": "1.0000",
        "revenue": "150.0000", "savings": "19.0000", "individualValue": "169.0000", "components": [
            { "sku": "8850999220017", "revenue": "39.9408" }, { "sku": "8850999320021", "revenue": "110.0592" } ] });
    assert_eq!(data["bundlePerformance"]["bundles"], json!([bundle]));
    let baskets = json!({ "orders": 1, "attachRate": "1.0000", "value": "224.0000", "bundleRevenue": "150.0000",
        "singleRevenue": "74.0000" });
    assert_eq!(data["bundlePerformance"]["baskets"], baskets);
    let partner = json!({ "partnerId": "GRAB", "handedOver": 1, "delivered": 1, "deliverySuccess": "1.0000",
        "failedAttempts": 0, "cashSuccess": "1.0000", "discrepancySum": "-4.0000", "settled": 1, "variances": 1,
        "varianceSum": "-10.0000", "rides": { "count": 1 } });
    assert_eq!(data["partnerPerformance"]["partners"], json!([partner]));
    let once = |kind: &str, name: &str| json!({ kind: name, "durations": { "count": 1 } });
    let steps = [
        "VALIDATE",
        "ENRICH",
        "CALCULATE",
        "ALLOCATE",
        "PAY",
        "RELEASE",
    ]
    .map(|name| once("step", name));
    assert_eq!(data["stepTimings"]["steps"], json!(steps));
    let stages = ["INTAKE", "PICKING", "PICKUP", "RIDE", "WHOLE"].map(|name| once("stage", name));
    assert_eq!(data["stepTimings"]["stages"], json!(stages));
    let statuses = data["storeTrend"]["statuses"].as_array().unwrap();
    let delivered = json!({ "status": "DELIVERED", "count": 1 });
    assert!(statuses.contains(&delivered), "{statuses:?}");
}

/// A later version of a bundle changes no order; a retired one is not sold.
async fn orders_keep_their_bundles(ops: &Api, id: &str) {
    let head = || json!({ "commandId": uuid::Uuid::now_v7(), "bundleId": "LUNCH" });
    let dearer = merged(&lunch(), json!({ "pricing": { "percentOff": "0.05" } }));
    let revised = done(
        ops,
        "reviseBundle",
        merged(&head(), json!({ "definition": dearer })),
    )
    .await;
    assert_eq!(revised["bundle"]["definitionVersion"], 2);
    let retired = done(
        ops,
        "retireBundle",
        merged(&head(), json!({ "reason": "season over" })),
    )
    .await;
    let query = "query($id: ID!, $fresh: Fresh!) {
        bundle(id: \"LUNCH\", fresh: $fresh) { definitionVersion isActive pricing { fixedPrice percentOff } }
        order(id: $id) { bundles { definitionVersion price savings status } } }";
    let fresh = json!({ "minPosition": retired["receipt"]["position"], "waitMs": 1000 });
    let data = ops
        .graphql(query, json!({ "id": id, "fresh": fresh }))
        .await;
    assert_eq!(
        data["bundle"],
        json!({ "definitionVersion": 2, "isActive": false, "pricing": { "fixedPrice": null, "percentOff": "0.0500" } })
    );
    assert_eq!(
        data["order"]["bundles"],
        json!([{ "definitionVersion": 1, "price": "150.0000", "savings": "19.0000", "status": "DELIVERED" }])
    );
    let refused = command(
        ops,
        "placeOrder",
        place_input(merged(&basket(), json!({ "alternateOrderId": "GF-2" }))),
    )
    .await;
    assert_eq!(refused["problems"][0]["code"], "ERR_INVALID_BUNDLE_SKU");
    assert_eq!(refused["problems"][0]["status"], 404);
}
