//! `order show` and `verify`.

use commands::Target;
use domain::order::OrderCommand;
use e2e::{
    Database, STORE_EVENTS, fresh_database,
    orders::{contact, execute, place, to_delivered},
};

use super::support::Shell;

/// A database with one delivered order; its id and number.
pub(super) async fn delivered() -> (Database, String, String) {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let mut order = place();
    order.contact = Some(contact());
    let place = OrderCommand::Place(Box::new(order));
    let placed = execute(&bus, Target::New, place).await.unwrap();
    let id = placed.entity.id;
    for command in to_delivered() {
        execute(&bus, Target::Entity(id), command).await.unwrap();
    }
    let number = placed.entity.state.number.to_string();
    (database, id.to_string(), number)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_shown_by_id_and_by_number() {
    let (database, id, number) = delivered().await;
    let shell = Shell::new(Some(&database));
    let by_id = shell.run(&["order", "show", &id]);
    assert_eq!(by_id.code, Some(0), "{by_id:?}");
    for word in [
        &id,
        &number,
        "CFR001",
        "7500",
        "169.0000 THB",
        "8850999220017",
        "order.placed",
        "order.delivery_recorded",
        "test-admin (admin)",
        "Bangkok time",
    ] {
        assert!(by_id.out.contains(word), "{word} in {}", by_id.out);
    }
    assert!(!by_id.out.contains('\u{1b}'), "no colour into a pipe");
    assert_eq!(shell.run(&["order", "show", &number]).out, by_id.out);

    let json = shell.run(&["order", "show", &number, "--json"]);
    let shown = json.json();
    assert_eq!(
        (shown["id"].as_str(), shown["version"].as_i64()),
        (Some(id.as_str()), Some(12))
    );
    assert_eq!(shown["order"]["number"], number);
    let history = shown["history"].as_array().unwrap();
    let codes: Vec<u64> = history
        .iter()
        .map(|e| e["statusCode"].as_u64().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            1000, 2000, 2000, 3000, 3500, 3600, 3700, 7000, 7100, 7200, 7300, 7500
        ]
    );
    assert!(
        history
            .iter()
            .all(|e| e["hash"].as_str().is_some_and(|h| h.len() == 64))
    );
    for secret in ["สมหญิง", "+66800000042", "somying.secret", "Hidden Lane"] {
        assert!(
            !by_id.out.contains(secret) && !json.out.contains(secret),
            "{secret}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_there_has_an_exit_code() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    for (id, code, word) in [
        ("QC-2026-01-31-999999", 6, "no order"),
        ("0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", 6, "no order"),
        ("42", 2, "neither an order id nor an order number"),
        ("", 2, "neither an order id nor an order number"),
    ] {
        let ended = shell.run(&["order", "show", id]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(code), ""), "{id}");
        assert!(ended.err.contains(word), "{}", ended.err);
    }
    let ended = shell.run(&["order", "show", "42", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
    assert_eq!(error["error"]["exit"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_one_flipped_byte() {
    let (database, id, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let sound = shell.run(&["verify"]);
    assert_eq!(sound.code, Some(0), "{sound:?}");
    let head = STORE_EVENTS + 12;
    let verdict = format!("the log is sound: {head} events checked, head at {head}");
    assert!(sound.out.contains(&verdict), "{}", sound.out);

    let pool = database.superuser_pool().await;
    let disable = "do $$ declare part regclass; begin alter table events disable trigger all; \
        for part in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop \
            execute format('alter table %s disable trigger all', part); \
        end loop; end $$";
    sqlx::query(disable).execute(&pool).await.unwrap();
    let paid = STORE_EVENTS + 3;
    let flip = "update events set payload = replace(payload::text, '169.0000', '168.0000')::json where position = $1";
    let flipped = sqlx::query(flip).bind(paid).execute(&pool).await.unwrap();
    assert_eq!(flipped.rows_affected(), 1);

    let damaged = shell.run(&["verify"]);
    assert_eq!(damaged.code, Some(8), "{damaged:?}");
    assert!(
        damaged.out.contains("the log is NOT what was appended"),
        "{}",
        damaged.out
    );
    let report = shell.run(&["verify", "--json"]);
    assert_eq!(report.code, Some(8));
    assert_eq!(
        report.json()["findings"][0]["position"],
        paid,
        "{}",
        report.out
    );
    let doctor = shell.run(&["doctor", "--json"]);
    let checks = doctor.json()["checks"].as_array().unwrap().clone();
    let log = checks.iter().find(|check| check["check"] == "log").unwrap();
    assert_eq!(
        (doctor.code, &log["status"]),
        (Some(10), &serde_json::json!("failure"))
    );
    // Looking at an order does not depend on the chain.
    assert_eq!(shell.run(&["order", "show", &id]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_shown_as_it_was() {
    let (database, id, number) = delivered().await;
    let shell = Shell::new(Some(&database));
    let now = shell.run(&["order", "show", &id, "--json"]).json();
    let paid_at = now["history"][2]["recordedAt"].as_str().unwrap().to_owned();
    let paid = format!("position:{}", STORE_EVENTS + 3);
    for (as_of, version, status) in [
        ("1", 1, 1000),
        ("version:4", 4, 3000),
        (&paid, 3, 2000),
        (&paid_at, 3, 2000),
        ("2099-01-01", 12, 7500),
        ("position:16", 12, 7500),
    ] {
        let ended = shell.run(&["order", "show", &number, "--as-of", as_of, "--json"]);
        assert_eq!(ended.code, Some(0), "{as_of}: {ended:?}");
        let shown = ended.json();
        assert_eq!(shown["version"], version, "{as_of}");
        let history = shown["history"].as_array().unwrap();
        assert_eq!(history.len(), version, "{as_of}");
        assert_eq!(history.last().unwrap()["statusCode"], status, "{as_of}");
    }
    for (as_of, code, word) in [
        ("13", 6, "has 12 events, not 13"),
        ("2020-01-01", 6, "was not placed yet"),
        ("position:1", 6, "was not placed yet"),
        ("position:999", 7, "the log ends at position"),
        ("soon", 2, "a version, `position:N` or a time is expected"),
    ] {
        let ended = shell.run(&["order", "show", &id, "--as-of", as_of]);
        assert_eq!(ended.code, Some(code), "{as_of}: {ended:?}");
        assert!(ended.err.contains(word), "{as_of}: {}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_shown_to_its_end() {
    let (database, id, _) = delivered().await;
    let log = database.log().await;
    let stream = store::StreamId::new("order", id.clone());
    let last = log.stream(&stream, 11, 1).await.unwrap().remove(0);
    for batch in 0..10 {
        let event = || store::NewEvent {
            event_id: uuid::Uuid::now_v7(),
            event_type: last.event_type.clone(),
            event_version: last.event_version.clone(),
            payload: last.payload.clone(),
            metadata: last.metadata.clone(),
        };
        log.append(store::Append {
            command_id: uuid::Uuid::now_v7(),
            request_hash: [7; 32],
            stream: stream.clone(),
            expected_version: 12 + batch * 100,
            events: (0..100).map(|_| event()).collect(),
            claims: Vec::new(),
            subject_key: None,
        })
        .await
        .unwrap();
    }
    let shell = Shell::new(Some(&database));
    let shown = shell.run(&["order", "show", &id, "--json"]).json();
    assert_eq!(shown["version"], 1_012);
    assert_eq!(shown["history"].as_array().unwrap().len(), 1_012);
}
