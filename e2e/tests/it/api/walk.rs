//! A newcomer places an order and walks it to its end, each step by who takes it in life.

use e2e::{Api, orders};
use serde_json::{Value, json};

use super::support::{
    World, cell, command, done, input, place_input, placed, problems, rows, world,
};

/// An order as its readers see it, and its store's board, not older than a receipt.
const SHOWN: &str = "query($id: ID!, $fresh: Fresh!) {
    order(id: $id, fresh: $fresh) {
        status statusCode paymentStatus version trackingId carrier cancelReason cashDue
        history(first: 100) { nodes { type statusFrom statusTo orderVersion position actor { id role } commandId } }
    }
    storeBoard(fresh: $fresh) { storeId status statusCode count }
}";

async fn shown(reader: &Api, id: &str, receipt: &Value) -> Value {
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    reader
        .graphql(SHOWN, json!({ "id": id, "fresh": fresh }))
        .await
}

/// What everybody sees after a step: the status, one more event at the end, one order on the board.
async fn check(reader: &Api, id: &str, receipt: &Value, status: &str, role: &str) -> Value {
    let data = shown(reader, id, receipt).await;
    let order = &data["order"];
    assert_eq!(order["status"], status);
    assert_eq!(order["version"], receipt["version"]);
    let nodes = order["history"]["nodes"].as_array().unwrap();
    assert_eq!(json!(nodes.len()), order["version"]);
    let last = nodes.last().unwrap();
    assert_eq!(last["statusTo"], status);
    assert_eq!(last["actor"]["role"], role);
    assert_eq!(last["commandId"], receipt["commandId"]);
    assert_eq!(last["position"], receipt["position"]);
    for pair in nodes.windows(2) {
        assert_eq!(pair[1]["statusFrom"], pair[0]["statusTo"]);
    }
    let cell = json!([{
        "storeId": "CFR001", "status": status, "statusCode": order["statusCode"], "count": 1
    }]);
    assert_eq!(data["storeBoard"], cell, "the order moved on the board");
    data
}

/// The callers of an order's life.
struct Cast {
    manager: Api,
    ops: Api,
    slick: Api,
    grab: Api,
    auditor: Api,
}

impl Cast {
    fn of(world: &World) -> Self {
        Self {
            manager: world.caller("store-manager", &["CFR001"]),
            ops: world.caller("ops", &[]),
            slick: world.caller("slick", &[]),
            grab: world.caller("grab", &[]),
            auditor: world.caller("auditor", &[]),
        }
    }

    fn playing(&self, role: &str) -> &Api {
        match role {
            "store-manager" => &self.manager,
            "slick" => &self.slick,
            "grab" => &self.grab,
            _ => &self.ops,
        }
    }
}

/// The commands from placed to delivered, where each leads, and who gives it.
const STEPS: &str = r#"
    allocateOrder  | {}                                         | ALLOCATED        | ops
    payOrder       | {"method": "COD", "amount": "169.00"}      | ALLOCATED        | ops
    releaseOrder   | {}                                         | RELEASED         | store-manager
    recordPicking  | {"status": "IN_PROCESS"}                   | IN_PROCESS       | slick
    recordPicking  | {"status": "PICKED"}                       | PICKED           | slick
    recordPicking  | {"status": "PACKED"}                       | PACKED           | slick
    recordShipment | {"status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB"} | FULFILLED | slick
    recordShipment | {"status": "SHIPPED"}                      | SHIPPED          | slick
    recordDelivery | {"status": "IN_TRANSIT"}                   | IN_TRANSIT       | grab
    recordDelivery | {"status": "OUT_FOR_DELIVERY"}             | OUT_FOR_DELIVERY | grab
    recordDelivery | {"status": "DELIVERED"}                    | DELIVERED        | grab
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_walks_from_placed_to_delivered() {
    let world = world().await;
    let cast = Cast::of(&world);
    let more = json!({ "contact": orders::contact(), "alternateOrderId": "GF-1" });
    let (id, receipt) = placed(&cast.manager, more).await;
    check(&cast.auditor, &id, &receipt, "OPEN", "store-manager").await;

    for (at, [field, more, status, role]) in rows(STEPS).enumerate() {
        let caller = cast.playing(role);
        let payload = done(caller, field, input(&id, cell(more))).await;
        assert_eq!(payload["order"]["status"], status, "{field}");
        assert_eq!(payload["receipt"]["version"], at + 2);
        assert_eq!(payload["receipt"]["replayed"], false);
        check(&cast.auditor, &id, &payload["receipt"], status, role).await;
    }
    contact_is_shown_to_those_who_may(&cast, &id).await;
    world.assert_unharmed().await;
}

async fn contact_is_shown_to_those_who_may(cast: &Cast, id: &str) {
    let query = "query($id: ID!) { order(id: $id) { contact {
        state erased name phone email address { line1 city } } } }";
    let seen = cast.manager.graphql(query, json!({ "id": id })).await;
    let contact = json!({
        "state": "VISIBLE", "erased": false, "name": "สมหญิง ทดสอบระบบ", "phone": "+66800000042",
        "email": "somying.secret@example.com", "address": { "line1": "99/9 Hidden Lane", "city": null },
    });
    assert_eq!(seen["order"]["contact"], contact);
    for blind in [&cast.auditor, &cast.slick, &cast.grab] {
        let seen = blind.graphql(query, json!({ "id": id })).await;
        let hidden = json!({
            "state": "HIDDEN", "erased": false, "name": null, "phone": null, "email": null, "address": null,
        });
        assert_eq!(seen["order"]["contact"], hidden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_cancelled_for_good() {
    let world = world().await;
    let cast = Cast::of(&world);
    let (id, _) = placed(&cast.manager, json!({})).await;
    let reason = json!({ "reason": "ลูกค้าเปลี่ยนใจ 🙏" });
    let payload = done(&cast.manager, "cancelOrder", input(&id, reason.clone())).await;
    assert_eq!(payload["order"]["status"], "CANCELLED");
    let receipt = &payload["receipt"];
    let data = check(&cast.auditor, &id, receipt, "CANCELLED", "store-manager").await;
    assert_eq!(data["order"]["cancelReason"], reason["reason"]);
    assert_eq!(
        data["order"]["cashDue"], "0.0000",
        "nothing to collect any more"
    );

    let again = done(&cast.manager, "cancelOrder", input(&id, reason.clone())).await;
    assert_eq!(again["receipt"]["eventIds"], json!([]), "it is cancelled");
    let refused = command(&cast.ops, "allocateOrder", input(&id, json!({}))).await;
    assert_eq!(
        problems(&refused),
        [("ERR_ORDER_NOT_MODIFIABLE".into(), String::new())]
    );

    late_cancels_are_for_operations(&cast, reason).await;
}

async fn late_cancels_are_for_operations(cast: &Cast, reason: Value) {
    let (id, _) = placed(&cast.manager, json!({})).await;
    done(&cast.ops, "allocateOrder", input(&id, json!({}))).await;
    let payment = json!({ "method": "COD", "amount": "169.0000" });
    done(&cast.ops, "payOrder", input(&id, payment)).await;
    done(&cast.manager, "releaseOrder", input(&id, json!({}))).await;
    let picking = json!({ "status": "IN_PROCESS" });
    done(&cast.slick, "recordPicking", input(&id, picking)).await;
    let refused = command(&cast.manager, "cancelOrder", input(&id, reason.clone())).await;
    assert_eq!(
        problems(&refused),
        [("CANCELLATION_NOT_ALLOWED".into(), String::new())]
    );
    let late = done(&cast.ops, "cancelOrder", input(&id, reason)).await;
    assert_eq!(late["order"]["status"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_the_right_is_told_so() {
    let world = world().await;
    let auditor = world.caller("auditor", &[]);
    let (id, _) = placed(&world.admin, json!({})).await;
    let refused = command(&auditor, "allocateOrder", input(&id, json!({}))).await;
    assert_eq!(refused["order"], Value::Null);
    assert_eq!(refused["receipt"], Value::Null);
    assert_eq!(refused["problems"][0]["__typename"], "Forbidden");
    assert_eq!(refused["problems"][0]["code"], "AUTH_002");
    let refused = command(&auditor, "placeOrder", place_input(json!({}))).await;
    assert_eq!(refused["problems"][0]["code"], "AUTH_002");
    let docs = refused["problems"][0]["docs"].as_str().unwrap();
    assert_eq!(
        world.program.api("").get(docs).await.status,
        200,
        "the code is explained there"
    );
}
