//! Orders as they were, over a running ledger.

use e2e::{Api, orders};
use serde_json::{Value, json};

use super::support::{World, ask, code, done, input, placed, world};

/// What an order shows of itself, whichever moment it is shown as of.
const ORDER: &str = "id number version position status statusCode paymentStatus cashDue placedAt updatedAt
    lines { lineNumber quantity } totals { orderTotal } collection { status due } cancelReason contact { state name }";

/// An order as of a moment; null where there was none.
async fn as_of(api: &Api, id: &str, moment: Value) -> Value {
    let query =
        format!("query($id: ID!, $asOf: AsOf) {{ order(id: $id, asOf: $asOf) {{ {ORDER} }} }}");
    let variables = json!({ "id": id, "asOf": moment });
    api.graphql(&query, variables).await["order"].clone()
}

/// An order as the read side shows it once it has seen a receipt.
async fn now(api: &Api, receipt: &Value) -> Value {
    let query = format!(
        "query($id: ID!, $at: Position!) {{
            order(id: $id, fresh: {{ minPosition: $at, waitMs: 1000 }}) {{ {ORDER} }} }}"
    );
    let variables = json!({ "id": receipt["orderId"], "at": receipt["position"] });
    api.graphql(&query, variables).await["order"].clone()
}

/// A customer's order, changed, allocated and cancelled, and how it was shown after each event.
async fn lived(world: &World) -> (String, Vec<Value>) {
    let contact = serde_json::to_value(orders::contact()).unwrap();
    let more = json!({ "contact": contact, "customerId": "C-9" });
    let (id, receipt) = placed(&world.admin, more).await;
    let mut shown = vec![now(&world.admin, &receipt).await];
    let lines =
        json!({ "lines": [{ "lineNumber": 2, "quantity": "1" }], "reason": "one is enough" });
    for (field, more) in [
        ("changeLines", lines),
        ("allocateOrder", json!({})),
        ("cancelOrder", json!({ "reason": "another day" })),
    ] {
        let payload = done(&world.admin, field, input(&id, more)).await;
        shown.push(now(&world.admin, &payload["receipt"]).await);
    }
    (id, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_as_of_a_moment_is_what_was_shown_then() {
    let world = world().await;
    let (id, shown) = lived(&world).await;
    let history =
        "query($id: ID!) { order(id: $id) { history { nodes { orderVersion recordedAt } } } }";
    let history = world.admin.graphql(history, json!({ "id": id })).await;
    let events = history["order"]["history"]["nodes"].as_array().unwrap();
    assert_eq!((events.len(), shown.len()), (4, 4));
    for (event, then) in events.iter().zip(&shown) {
        assert_eq!(event["orderVersion"], then["version"]);
        for moment in [
            json!({ "version": then["version"] }),
            json!({ "position": then["position"] }),
            json!({ "time": event["recordedAt"] }),
        ] {
            assert_eq!(
                as_of(&world.admin, &id, moment.clone()).await,
                *then,
                "{moment}"
            );
        }
    }
    let statuses: Vec<&Value> = shown.iter().map(|order| &order["status"]).collect();
    assert_eq!(statuses, ["OPEN", "OPEN", "ALLOCATED", "CANCELLED"]);
    for before in [
        json!({ "version": 0 }),
        json!({ "position": "1" }),
        json!({ "time": "2020-01-01T00:00:00+07:00" }),
        json!({ "version": 5 }),
    ] {
        assert_eq!(
            as_of(&world.admin, &id, before.clone()).await,
            Value::Null,
            "{before}"
        );
    }
    let beyond = json!({ "id": id, "asOf": { "position": "999999" } });
    let query = "query($id: ID!, $asOf: AsOf) { order(id: $id, asOf: $asOf) { id } }";
    let refused = ask(&world.admin, query, beyond).await;
    assert_eq!(code(&refused), "INVALID_INPUT");
    // Another store sees nothing of it at any moment.
    let foreign = world.caller("store-manager", &["CFR002"]);
    assert_eq!(
        as_of(&foreign, &id, json!({ "version": 1 })).await,
        Value::Null
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_order_has_the_history_of_then_and_no_commands() {
    let world = world().await;
    let (id, _) = lived(&world).await;
    let query =
        "query($id: ID!, $first: Int!) { order(id: $id, asOf: { version: 2 }) { allowedCommands
        history(first: $first) { nodes { orderVersion } pageInfo { hasNextPage } } } }";
    for (first, versions, has_next) in [
        (1, json!([1]), true),
        (2, json!([1, 2]), false),
        (9, json!([1, 2]), false),
    ] {
        let order = world
            .admin
            .graphql(query, json!({ "id": id, "first": first }))
            .await["order"]
            .clone();
        assert_eq!(order["allowedCommands"], json!([]));
        let nodes = order["history"]["nodes"].as_array().unwrap().iter();
        let seen: Vec<&Value> = nodes.map(|event| &event["orderVersion"]).collect();
        assert_eq!(json!(seen), versions);
        assert_eq!(
            order["history"]["pageInfo"]["hasNextPage"], has_next,
            "{first}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_is_in_no_past() {
    let world = world().await;
    let (id, shown) = lived(&world).await;
    assert_eq!(shown[0]["contact"]["name"], "สมหญิง ทดสอบระบบ");
    let forget =
        "mutation { forgetCustomer(input: { customerId: \"C-9\" }) { erasure { keysDestroyed } } }";
    let erased = world.admin.graphql(forget, json!({})).await;
    assert_eq!(erased["forgetCustomer"]["erasure"]["keysDestroyed"], 1);
    for version in 1..=4 {
        let then = as_of(&world.admin, &id, json!({ "version": version })).await;
        assert_eq!(
            then["contact"],
            json!({ "state": "ERASED", "name": null }),
            "{version}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_between_two_moments_is_told_field_by_field() {
    let world = world().await;
    let (id, shown) = lived(&world).await;
    let query = "query($id: ID!, $from: AsOf!, $to: AsOf!) { orderDiff(id: $id, from: $from, to: $to) { path from to } }";
    let moments =
        json!({ "id": id, "from": { "version": 1 }, "to": { "position": shown[1]["position"] } });
    let diff = world.admin.graphql(query, moments).await["orderDiff"].clone();
    let change = |path: Value| {
        let all = diff.as_array().unwrap();
        let found = all.iter().find(|change| change["path"] == path);
        let found = found.unwrap_or_else(|| panic!("{path}: {diff}"));
        (found["from"].clone(), found["to"].clone())
    };
    assert_eq!(
        change(json!(["lines", "1", "quantity"])),
        (json!("2.0000"), json!("1.0000"))
    );
    for (path, field) in [
        (json!(["totals", "orderTotal"]), "/totals/orderTotal"),
        (json!(["cashDue"]), "/cashDue"),
    ] {
        let side = |at: usize| shown[at].pointer(field).unwrap().clone();
        assert_eq!(change(path), (side(0), side(1)));
    }
    let whole = json!({ "id": id, "from": { "version": 0 }, "to": { "version": 4 } });
    let whole = world.admin.graphql(query, whole).await.to_string();
    for secret in ["สมหญิง", "+66800000042", "sealed", "contact", "Hidden Lane"] {
        assert!(!whole.contains(secret), "{secret}");
    }
    let foreign = world.caller("store-manager", &["CFR002"]);
    let moments = json!({ "id": id, "from": { "version": 1 }, "to": { "version": 2 } });
    assert_eq!(code(&ask(&foreign, query, moments).await), "NOT_FOUND");
}

const VERIFY: &str =
    "query($id: ID!) { verify(orderId: $id) { isSound events version models { name }
    findings { kind position table } moreFindings } }";

/// `[kind, position or table]` of each finding.
fn findings(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .map(|f| (text(&f["kind"]), text(&f["position"]) + &text(&f["table"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_one_order_finds_what_was_changed_behind_the_ledger() {
    let world = world().await;
    let (id, shown) = lived(&world).await;
    let (other, _) = placed(&world.admin, json!({})).await;
    let auditor = world.caller("auditor", &[]);
    let check = async |id: &str| {
        let report = auditor.graphql(VERIFY, json!({ "id": id })).await;
        report["verify"].clone()
    };
    let sound = check(&id).await;
    assert_eq!(sound["isSound"], true, "{sound}");
    assert_eq!(
        (&sound["events"], &sound["version"]),
        (&json!(4), &json!(4))
    );
    let models = json!([{ "name": "order_view" }, { "name": "store_board" },
        { "name": "cash_ledger" }, { "name": "metrics" }]);
    assert_eq!(sound["models"], models);

    let pool = world.database.superuser_pool().await;
    let row = "update order_view set doc = jsonb_set(doc::jsonb, '{cancelReason}', '\"x\"')::json where order_id = $1::uuid";
    let changed = sqlx::query(row).bind(&id).execute(&pool).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let report = check(&id).await;
    assert_eq!(
        findings(&report),
        [("READ_MODEL".into(), "order_view".into())]
    );

    let disable = "do $$ declare part regclass; begin alter table events disable trigger all; \
        for part in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop \
            execute format('alter table %s disable trigger all', part); \
        end loop; end $$";
    sqlx::query(disable).execute(&pool).await.unwrap();
    let at = |event: usize| shown[event]["position"].as_str().unwrap().to_owned();
    let flip = "update events set payload = replace(payload::text, 'another day', 'another Day')::json \
        where position = $1::bigint";
    let flipped = sqlx::query(flip).bind(at(3)).execute(&pool).await.unwrap();
    assert_eq!(flipped.rows_affected(), 1);
    let forge = "update events set hash = sha256('x') where position = $1::bigint";
    sqlx::query(forge).bind(at(1)).execute(&pool).await.unwrap();
    let report = check(&id).await;
    assert_eq!(report["isSound"], false);
    let found = findings(&report);
    for finding in [
        ("HASH", at(1)),
        ("LINK", at(2)),
        ("CONTENT", at(3)),
        ("READ_MODEL", "order_view".to_owned()),
    ] {
        assert!(
            found.contains(&(finding.0.to_owned(), finding.1.clone())),
            "{finding:?}: {found:?}"
        );
    }
    // An order that nobody touched is sound still.
    assert_eq!(check(&other).await["isSound"], true);
    let clerk = world.caller("customer-service", &[]);
    assert_eq!(
        code(&ask(&clerk, VERIFY, json!({ "id": id })).await),
        "FORBIDDEN"
    );
}
