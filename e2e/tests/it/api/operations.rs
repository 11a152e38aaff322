//! Health, metrics and the schema of the running server.

use std::collections::BTreeSet;

use e2e::STORE_EVENTS;
use projections::Model;
use serde_json::{Value, json};

use super::support::{SCHEMA, command, input, place_input, placed, rows, text, world};

#[tokio::test(flavor = "multi_thread")]
async fn health_names_its_parts() {
    let world = world().await;
    let anybody = world.program.api("");
    let alive = anybody.get("/livez").await;
    assert_eq!(
        (alive.status, alive.json()),
        (200, json!({ "status": "alive" }))
    );
    let ready = anybody.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.json()["status"].clone()),
        (200, json!("ready"))
    );
    let names: BTreeSet<String> = ready.json()["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            assert_eq!(part["ok"], true, "{part}");
            assert!(
                part["detail"].is_string() && part["required"].is_boolean(),
                "{part}"
            );
            part["name"].as_str().unwrap().to_owned()
        })
        .collect();
    let models = Model::ALL.iter().map(|model| model.name().to_owned());
    let expected: BTreeSet<String> = models.chain(["database".to_owned()]).collect();
    assert_eq!(names, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_stands_still_is_named() {
    let world = world().await;
    // A row in the way of the next order's reference.
    sqlx::query("insert into order_ref values ('GRAB', 'GF-1', gen_random_uuid())")
        .execute(&world.database.pool().await)
        .await
        .unwrap();
    placed(&world.admin, json!({ "alternateOrderId": "GF-1" })).await;
    let anybody = world.program.api("");
    let part = e2e::eventually("a failing part", || async {
        let ready = anybody.get("/readyz").await;
        assert_eq!(ready.status, 200, "the write side works on");
        let body = ready.json();
        let parts = body["parts"].as_array().unwrap().clone();
        parts.into_iter().find(|part| part["ok"] == false)
    })
    .await;
    assert_eq!(
        (&part["name"], &part["required"]),
        (&json!("order_view"), &json!(false))
    );
    let place = format!("stands still at {}", STORE_EVENTS + 1);
    assert!(part["detail"].as_str().unwrap().contains(&place), "{part}");
    let figures = [
        "ledger_projection_failed{projection=\"order_view\"} 1\n",
        "ledger_projection_failed{projection=\"store_board\"} 0\n",
        "ledger_projection_lag_events{projection=\"order_view\"} 1\n",
    ];
    e2e::eventually("figures that say so", || async {
        let metrics = text(&anybody.get("/metrics").await);
        figures.iter().all(|f| metrics.contains(f)).then_some(())
    })
    .await;
}

/// The samples of one metric whose labels contain all of some words.
fn samples<'a>(metrics: &'a str, name: &str, labels: &[&str]) -> Vec<&'a str> {
    metrics
        .lines()
        .filter(|line| {
            line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))
        })
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .collect()
}

/// Samples that are there once an order was placed, and what their labels say.
const METRICS: &str = r#"
    ledger_command_seconds_count           | command="place" outcome="done"
    ledger_command_seconds_count           | command="place" outcome="reused"
    ledger_command_seconds_count           | command="release" outcome="refused"
    ledger_command_seconds_bucket          | command="place" outcome="done" le="0.01"
    ledger_append_batch_commands_bucket    | le="1"
    ledger_append_seconds_count            |
    ledger_append_call_seconds_count       |
    ledger_head_lock_wait_seconds_count    |
    ledger_append_commands_total           | outcome="appended"
    ledger_append_queue_commands           |
    ledger_pool_connections                | state="idle"
    ledger_pool_connections                | state="used"
    ledger_projection_lag_events           | projection="order_view"
    ledger_projection_lag_seconds          | projection="store_board"
    ledger_projection_apply_seconds_count  | projection="order_view"
    ledger_projection_batch_events_count   | projection="order_view"
    ledger_api_request_seconds_count       | operation="placeOrder" status="200"
    ledger_api_in_flight                   |
    ledger_api_connections                 |
    ledger_api_panics_total                |
"#;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_documented_names_and_labels() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({})).await;
    command(&world.admin, "releaseOrder", input(&id, json!({}))).await;
    command(
        &world.admin,
        "placeOrder",
        place_input(json!({ "commandId": receipt["commandId"], "channel": "WEB" })),
    )
    .await;
    let anybody = world.program.api("");
    let metrics = e2e::eventually("figures of the read models", || async {
        let metrics = text(&anybody.get("/metrics").await);
        let of_each = [
            "ledger_projection_events_total",
            "ledger_projection_lag_seconds",
        ];
        let told = of_each
            .iter()
            .all(|name| samples(&metrics, name, &[]).len() == Model::ALL.len());
        told.then_some(metrics)
    })
    .await;
    for [name, labels] in rows(METRICS) {
        let labels: Vec<&str> = labels.split_whitespace().collect();
        let found = samples(&metrics, name, &labels);
        assert_eq!(found.len(), 1, "{name} {labels:?} in\n{metrics}");
    }
    // A caller's words never become labels, nor anything of a person.
    assert!(!metrics.contains(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_not_for_strangers_behind_a_proxy() {
    let world = world().await;
    let forwarded = [("x-forwarded-for", "203.0.113.7")];
    for (api, status) in [
        (world.program.api(""), 401),
        (world.caller("auditor", &[]), 403),
        (world.caller("ops", &[]), 200),
    ] {
        let answer = api
            .request(hyper::Method::GET, "/metrics", &forwarded, "")
            .await
            .unwrap();
        assert_eq!(answer.status, status);
    }
}

/// Every type with its fields, input fields or values, as lines `Type.field`.
fn introspected(schema: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for ty in schema["types"].as_array().unwrap() {
        let name = ty["name"].as_str().unwrap();
        let built_in = ["Boolean", "Float", "Int", "String", "ID"];
        if name.starts_with("__") || built_in.contains(&name) {
            continue;
        }
        all.insert(name.to_owned());
        for list in ["fields", "inputFields", "enumValues"] {
            for member in ty[list].as_array().into_iter().flatten() {
                all.insert(format!("{name}.{}", member["name"].as_str().unwrap()));
            }
        }
    }
    all
}

/// The same of the committed text: a type's line starts with its keyword, a member's with one tab.
fn committed() -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let (mut all, mut ty, mut in_text) = (BTreeSet::new(), String::new(), false);
    for line in SCHEMA.lines() {
        if line.trim() == "\"\"\"" {
            in_text = !in_text;
        } else if in_text {
        } else if let Some((_, name)) = ["type ", "input ", "enum ", "interface ", "scalar "]
            .iter()
            .find_map(|keyword| {
                line.split_once(keyword)
                    .filter(|(before, _)| before.is_empty())
            })
        {
            ty = word(name);
            all.insert(ty.clone());
        } else if let Some(member) = line.strip_prefix('\t') {
            let name = word(member);
            let roots = ["\tquery:", "\tmutation:", "\tsubscription:"];
            if !name.is_empty() && !roots.iter().any(|root| line.starts_with(root)) {
                all.insert(format!("{ty}.{name}"));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_schema_is_the_running_ones() {
    let world = world().await;
    let query =
        "{ __schema { types { name fields { name } inputFields { name } enumValues { name } } } }";
    // Free for everybody, so that GraphiQL can show it.
    let data = world.program.api("").graphql(query, json!({})).await;
    assert_eq!(introspected(&data["__schema"]), committed());
    let page = world.program.api("").get("/graphiql").await;
    assert_eq!(page.status, 200);
    assert!(
        !text(&page).contains("https://"),
        "nothing comes from elsewhere"
    );
}
