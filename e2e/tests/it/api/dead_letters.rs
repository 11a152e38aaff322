//! Orders that come by messages: placed, kept, placed again, dismissed.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{command, done, merged, place_input, problems, world};

fn message(id: &str, more: Value) -> Value {
    let mut message = place_input(json!({ "source": "order.create.v1", "messageId": id }));
    message.as_object_mut().unwrap().remove("commandId");
    merged(&message, more)
}

fn redrive(letter: &Value, more: Value) -> Value {
    let head = json!({ "commandId": Uuid::now_v7(), "deadLetterId": letter["id"], "reason": "the store is open again" });
    merged(&head, more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_in_once() {
    let world = world().await;
    let channel = world.caller("channel", &[]);
    let first = command(&channel, "submitOrder", message("M-1", json!({}))).await;
    assert_eq!(first["problems"], json!([]));
    assert_eq!(first["order"]["status"], "OPEN");
    let again = command(&channel, "submitOrder", message("M-1", json!({}))).await;
    assert_eq!(again["order"]["id"], first["order"]["id"]);
    assert_eq!(again["receipt"]["replayed"], true);
    assert_eq!(world.events().await, 1);
    // The same id with other content is refused, and nothing is kept of it.
    let other = command(
        &channel,
        "submitOrder",
        message("M-1", json!({ "channel": "WEB" })),
    )
    .await;
    let reused = [("COMMAND_REUSED".into(), "input.messageId".into())];
    assert_eq!(problems(&other), reused);
    assert_eq!(other["deadLetter"], Value::Null);
    assert_eq!(world.events().await, 1);
    let again = command(&channel, "submitOrder", message("M-1", json!({}))).await;
    assert_eq!(again["order"]["id"], first["order"]["id"]);
    for (more, path) in [
        (json!({ "source": "" }), "source"),
        (json!({ "messageId": "x".repeat(201) }), "messageId"),
        (json!({ "messageId": " M-9" }), "messageId"),
        (json!({ "messageId": "M\u{200b}-9" }), "messageId"),
    ] {
        let bad = merged(&message("M-9", json!({})), more);
        let refused = command(&channel, "submitOrder", bad).await;
        assert_eq!(
            problems(&refused),
            [("VAL_001".into(), format!("input.{path}"))]
        );
        assert_eq!(refused["deadLetter"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_is_mended_and_placed_again() {
    let world = world().await;
    let channel = world.caller("channel", &[]);
    let ops = world.caller("ops", &[]);
    // CFR009 is closed; the contact comes along sealed.
    let closed = json!({ "storeId": "CFR009", "contact": e2e::orders::contact(), "lines": [] });
    let kept = command(&channel, "submitOrder", message("M-2", closed)).await;
    let letter = &kept["deadLetter"];
    assert_eq!(letter["outcome"], "REJECTED");
    assert_eq!(letter["contact"]["state"], "HIDDEN");
    let mut reasons: Vec<String> = problems(&kept).into_iter().map(|p| p.0).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["ERR_INVALID_LINE_ITEM", "ERR_INVALID_LOCATION"]);
    let ask = redrive(letter, json!({}));
    let still = command(&ops, "redriveDeadLetter", ask.clone()).await;
    assert_eq!(still["deadLetter"]["attempts"], 2);
    assert_eq!(still["order"], Value::Null);
    let repeated = command(&ops, "redriveDeadLetter", ask).await;
    assert_eq!(repeated["deadLetter"]["attempts"], 2);
    assert_eq!(repeated["receipt"]["replayed"], true);
    assert_eq!(problems(&repeated), problems(&still));
    let open = json!({ "commandId": Uuid::now_v7(), "storeId": "CFR009" });
    done(&ops, "activateStore", open).await;

    let mut corrected = place_input(json!({ "storeId": "CFR009" }));
    corrected.as_object_mut().unwrap().remove("commandId");
    let again = redrive(letter, json!({ "corrected": corrected }));
    let placed = done(&ops, "redriveDeadLetter", again.clone()).await;
    assert_eq!(placed["deadLetter"]["outcome"], "PLACED");
    let repeated = done(&ops, "redriveDeadLetter", again).await;
    assert_eq!(repeated["order"]["id"], placed["order"]["id"]);

    let query = "query($id: ID!, $fresh: Fresh!) {
        deadLetter(id: $id, fresh: $fresh) { outcome orderId attempts source messageId storeId contact { state name } }
        deadLetters(filter: { outcomes: [PLACED] }) { edges { node { id } } }
        rejected: deadLetters(filter: { outcomes: [REJECTED] }) { edges { node { id } } } }";
    let fresh = json!({ "minPosition": repeated["receipt"]["position"], "waitMs": 1000 });
    let data = ops
        .graphql(query, json!({ "id": letter["id"], "fresh": fresh }))
        .await;
    assert_eq!(data["deadLetter"]["orderId"], placed["order"]["id"]);
    assert_eq!(data["deadLetter"]["contact"]["name"], "สมหญิง ทดสอบระบบ");
    assert_eq!(data["deadLetters"]["edges"][0]["node"]["id"], letter["id"]);
    assert_eq!(data["rejected"]["edges"], json!([]));
    // The order has the contact that the message brought.
    let contact = "query($id: ID!) { order(id: $id) { contact { state name } } }";
    let order = e2e::eventually("the placed order", || async {
        let data = ops
            .graphql(contact, json!({ "id": placed["order"]["id"] }))
            .await;
        data["order"].is_object().then_some(data)
    })
    .await;
    assert_eq!(order["order"]["contact"]["name"], "สมหญิง ทดสอบระบบ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_message_stays_dismissed() {
    let world = world().await;
    let ops = world.caller("ops", &[]);
    let kept = command(
        &ops,
        "submitOrder",
        message("M-3", json!({ "storeId": "x" })),
    )
    .await;
    let letter = &kept["deadLetter"];
    let dismissed = done(&ops, "dismissDeadLetter", redrive(letter, json!({}))).await;
    assert_eq!(
        dismissed["deadLetter"]["dismissedReason"],
        "the store is open again"
    );
    let late = command(&ops, "redriveDeadLetter", redrive(letter, json!({}))).await;
    assert_eq!(problems(&late)[0].0, "ERR_INVALID_TRANSITION");
    let again = command(
        &ops,
        "submitOrder",
        message("M-3", json!({ "storeId": "x" })),
    )
    .await;
    assert_eq!(again["deadLetter"]["outcome"], "DISMISSED");
    for letter in [json!({ "id": Uuid::now_v7() }), json!({ "id": "nothing" })] {
        for field in ["redriveDeadLetter", "dismissDeadLetter"] {
            let refused = command(&ops, field, redrive(&letter, json!({}))).await;
            assert_eq!(
                problems(&refused),
                [("DEAD_LETTER_NOT_FOUND".into(), "input.deadLetterId".into())]
            );
        }
    }
    // Who is bound to stores sees no dead letters: the store a message names may be wrong.
    let bound = world.caller("ops", &["CFR001"]);
    let refused = command(&bound, "redriveDeadLetter", redrive(letter, json!({}))).await;
    assert_eq!(problems(&refused), [("AUTH_002".into(), String::new())]);
    let list = bound
        .try_graphql("{ deadLetters { pageInfo { endCursor } } }", &json!({}))
        .await
        .unwrap();
    assert_eq!(list.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
