//! Messages, dead letters and persons: kept, placed again, dismissed, erased, and never in a log.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    fake::{World, place_input},
    talk::{codes, done, give, with},
    *,
};
use crate::schema::order::{
    filter::OrderFilter,
    life_input::ProofInput,
    place_input::{AddressInput, ContactInput, PlaceOrderInput},
};

fn message(id: &str, more: Value) -> Value {
    let mut order = with(
        place_input(),
        json!({ "source": "order.create.v1", "messageId": id }),
    );
    order.as_object_mut().unwrap().remove("commandId");
    with(order, more)
}

#[tokio::test]
async fn a_message_becomes_an_order_or_a_dead_letter_that_is_placed_again() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let channel = world.token(Role::Channel, &[]);
    let placed = done(&world, &channel, "submitOrder", message("M-1", json!({}))).await;
    assert_eq!(placed["order"]["status"], "OPEN");
    assert_eq!(placed["deadLetter"], json!(null));
    assert_eq!(placed["receipt"]["orderId"], placed["order"]["id"]);
    let wrong = json!({ "storeId": "Bangkok", "isForceAllocation": false });
    let kept = give(
        &world,
        &channel,
        "submitOrder",
        message("M-2", wrong.clone()),
    )
    .await;
    let mut reasons = codes(&kept);
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        ["ERR_FORCE_ALLOCATION_REQUIRED", "ERR_INVALID_LOCATION"]
    );
    assert_eq!(kept["order"], json!(null));
    let letter = &kept["deadLetter"];
    assert_eq!(letter["outcome"], "REJECTED");
    assert_eq!(letter["messageId"], "M-2");
    assert_eq!(letter["problems"].as_array().unwrap().len(), 2);
    let id = letter["id"].clone();
    let again = json!({ "deadLetterId": id, "reason": "store was mended" });
    let refused = give(&world, &ops, "redriveDeadLetter", again.clone()).await;
    assert_eq!(refused["deadLetter"]["attempts"], 2);
    assert_eq!(codes(&refused).len(), 2);
    let path = &refused["problems"][0]["path"];
    assert_eq!(path[1], "corrected", "the field that would mend it: {path}");
    assert_eq!(refused["deadLetter"]["storeId"], "Bangkok");
    assert_eq!(refused["deadLetter"]["orderAsSent"]["contact"], json!(null));
    let mut corrected = place_input();
    corrected.as_object_mut().unwrap().remove("commandId");
    let corrected = with(again.clone(), json!({ "corrected": corrected }));
    let placed = done(&world, &ops, "redriveDeadLetter", corrected).await;
    assert_eq!(placed["deadLetter"]["outcome"], "PLACED");
    assert_eq!(placed["deadLetter"]["orderId"], placed["order"]["id"]);
    assert_eq!(placed["receipt"]["entityId"], id);
    assert_eq!(placed["receipt"]["orderId"], json!(null));
    let dismiss = give(&world, &ops, "dismissDeadLetter", again.clone()).await;
    assert_eq!(codes(&dismiss), ["ERR_INVALID_TRANSITION"]);
    let other = give(&world, &channel, "submitOrder", message("M-3", wrong)).await;
    let dismiss = with(again, json!({ "deadLetterId": other["deadLetter"]["id"] }));
    let dismissed = done(&world, &ops, "dismissDeadLetter", dismiss).await;
    assert_eq!(
        dismissed["deadLetter"]["dismissedReason"],
        "store was mended"
    );
    for field in ["redriveDeadLetter", "dismissDeadLetter"] {
        for id in ["no-such-id".to_owned(), Uuid::now_v7().to_string()] {
            let payload = give(
                &world,
                &ops,
                field,
                json!({ "deadLetterId": id, "reason": "x" }),
            )
            .await;
            assert_eq!(codes(&payload), ["DEAD_LETTER_NOT_FOUND"], "{field} {id}");
        }
    }
}

#[tokio::test]
async fn a_guessed_message_id_gives_nothing_away() {
    let world = World::new();
    let channel = world.token(Role::Channel, &[]);
    let ops = world.token(Role::Ops, &[]);
    let wrong = || message("M-7", json!({ "isForceAllocation": false }));
    give(&world, &channel, "submitOrder", wrong()).await;
    // Staff may read personal data of their store's orders; that of a message is nobody's store's.
    for token in [world.token(Role::StoreStaff, &["CFR001"]), channel] {
        let letter = give(&world, &token, "submitOrder", wrong()).await["deadLetter"].clone();
        assert_eq!(letter["outcome"], "REJECTED");
        assert_eq!(
            (&letter["orderAsSent"], &letter["storeId"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(letter["contact"]["state"], "HIDDEN");
    }
    let letter = give(&world, &ops, "submitOrder", wrong()).await["deadLetter"].clone();
    assert_eq!(letter["orderAsSent"]["storeId"], "CFR029");
    assert_eq!(letter["contact"]["state"], "VISIBLE");
}

#[tokio::test]
async fn dead_letters_are_for_those_who_see_the_whole_chain() {
    let world = World::new();
    let channel = world.token(Role::Channel, &[]);
    let kept = give(
        &world,
        &channel,
        "submitOrder",
        message("M-1", json!({ "storeId": "x" })),
    )
    .await;
    let id = kept["deadLetter"]["id"].as_str().unwrap();
    let query = format!(
        "{{ deadLetter(id: \"{id}\") {{ contact {{ state name }} problems {{ code path }} }}
            deadLetters(filter: {{ outcomes: [REJECTED] }}) {{ edges {{ node {{ id }} }} }} }}"
    );
    let ops = world.token(Role::Ops, &[]);
    let seen = world.query_as(&ops, &query, json!({})).await.json();
    assert_eq!(seen["data"]["deadLetters"]["edges"][0]["node"]["id"], id);
    assert_eq!(seen["data"]["deadLetter"]["contact"]["state"], "VISIBLE");
    assert_eq!(
        seen["data"]["deadLetter"]["problems"][0]["path"],
        json!(["input", "storeId"])
    );
    let none = query.replace("REJECTED", "DISMISSED");
    let none = world.query_as(&ops, &none, json!({})).await.json();
    assert_eq!(none["data"]["deadLetters"]["edges"], json!([]));
    for token in [
        world.token(Role::Ops, &["CFR029"]),
        world.token(Role::StoreManager, &["CFR029"]),
        world.token(Role::Auditor, &[]),
        channel,
    ] {
        let answer = world.query_as(&token, &query, json!({})).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.body);
    }
    // Each asked for two lists in one request: one attempt.
    assert_eq!(world.fake.refused.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_forgotten_customer_is_shown_as_erased_everywhere() {
    let world = World::new();
    let (admin, ops) = (world.token(Role::Admin, &[]), world.token(Role::Ops, &[]));
    let order = with(place_input(), json!({ "customerId": "C-9" }));
    let order = done(&world, &ops, "placeOrder", order).await["order"].clone();
    let id = order["id"].as_str().unwrap();
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "57.00" })),
        ("releaseOrder", json!({})),
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "T", "carrier": "GRAB" }),
        ),
        (
            "collectCash",
            json!({ "amount": "57.00", "partnerId": "GRAB", "proof": { "photo": "s3://1" } }),
        ),
    ] {
        done(&world, &ops, field, with(json!({ "orderId": id }), more)).await;
    }
    let query = format!(
        "{{ order(id: \"{id}\") {{ totals {{ cashDue }} contact {{ state erased name }}
            collection {{ amount proof {{ state erased photo collectedBy }} }} }} }}"
    );
    let shown = world.query(&query, json!({})).await.json()["data"]["order"].clone();
    assert_eq!(
        shown["contact"],
        json!({ "state": "VISIBLE", "erased": false, "name": "สมชาย 😀" })
    );
    assert_eq!(shown["collection"]["proof"]["photo"], "s3://proofs/1.jpg");
    let auditor = world.token(Role::Auditor, &[]);
    let hidden = world.query_as(&auditor, &query, json!({})).await.json()["data"]["order"].clone();
    assert_eq!(
        hidden["collection"]["proof"],
        json!({ "state": "HIDDEN", "erased": false, "photo": null, "collectedBy": null })
    );
    let forget = json!({ "customerId": "C-9" });
    assert_eq!(
        codes(&give(&world, &ops, "forgetCustomer", forget.clone()).await),
        ["AUTH_002"]
    );
    let forgotten = done(&world, &admin, "forgetCustomer", forget.clone()).await;
    assert_eq!(forgotten["erasure"]["keysDestroyed"], 1);
    let again = done(&world, &admin, "forgetCustomer", forget).await;
    assert_eq!(again["erasure"]["keysDestroyed"], 0);
    let erased = world.query(&query, json!({})).await.json()["data"]["order"].clone();
    assert_eq!(
        erased["contact"],
        json!({ "state": "ERASED", "erased": true, "name": null })
    );
    assert_eq!(
        erased["collection"],
        json!({ "amount": "57.0000",
            "proof": { "state": "ERASED", "erased": true, "photo": null, "collectedBy": null } })
    );
    assert_eq!(erased["totals"], shown["totals"]);
    let odd = give(
        &world,
        &admin,
        "forgetCustomer",
        json!({ "customerId": " " }),
    )
    .await;
    assert_eq!(codes(&odd), ["VAL_001"]);
}

/// Whatever is written to a log with `{:?}` shows that there is personal data, and none of it.
#[test]
fn inputs_hide_personal_data_when_they_are_printed() {
    let secret = || Some("SECRET".to_owned());
    let address = AddressInput {
        line1: "SECRET".into(),
        line2: secret(),
        line3: secret(),
        city: secret(),
        state: secret(),
        postal_code: secret(),
        country: secret(),
    };
    let contact = ContactInput {
        name: secret(),
        phone: secret(),
        email: secret(),
        address: Some(address.clone()),
    };
    let proof = ProofInput {
        photo: secret(),
        signature: secret(),
        latitude: secret(),
        longitude: secret(),
        collected_by: secret(),
    };
    let value = async_graphql::Value::from_json(with(
        place_input(),
        json!({ "contact": { "name": "SECRET", "phone": "SECRET", "address": { "line1": "SECRET" } } }),
    ));
    let order: PlaceOrderInput =
        async_graphql::InputType::parse(value.ok()).unwrap_or_else(|_| panic!("no order"));
    assert!(format!("{order:?}").contains("8850999220017"));
    let filter = OrderFilter {
        phone: secret(),
        ..OrderFilter::default()
    };
    for printed in [
        format!("{address:?}"),
        format!("{contact:#?}"),
        format!("{proof:?}"),
        format!("{order:?}"),
        format!("{order:#?}"),
        format!("{filter:?}"),
    ] {
        assert!(!printed.contains("SECRET"), "{printed}");
    }
}

#[tokio::test]
async fn only_who_may_see_persons_searches_by_phone() {
    let world = World::new();
    let query = "query($f: OrderFilter) { orders(filter: $f) { edges { node { id } } } }";
    let by = |phone: &str| json!({ "f": { "phone": phone } });
    for role in roles::people() {
        world.fake.refused.lock().unwrap().clear();
        let token = world.token(role, &["CFR029"]);
        let answer = world.query_as(&token, query, by("081 234 5678")).await;
        let may = role.may(domain::actor::Action::ReadPersonalData);
        let code = answer.code();
        assert_eq!(code, if may { "" } else { "FORBIDDEN" }, "{role:?}");
        let refused = world.fake.refused.lock().unwrap().clone();
        let audited: Vec<_> = refused
            .iter()
            .map(|r| (r.action, r.target.as_str(), r.reason))
            .collect();
        let row = ("read-personal-data", "orders by phone", "role");
        assert_eq!(audited, if may { vec![] } else { vec![row] }, "{role:?}");
    }
    // Whoever may not search does not learn either whether it is a number.
    let auditor = world.token(Role::Auditor, &[]);
    let answer = world.query_as(&auditor, query, by("SECRET")).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    for none in [
        "",
        "SECRET",
        "12345",
        "+66 81 234 5678 ext. 9",
        "0812345678\u{0}",
    ] {
        let answer = world.query(query, by(none)).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{none}");
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"]["inputPath"], "filter.phone");
        assert!(!answer.body.contains("SECRET"), "{}", answer.body);
    }
}
