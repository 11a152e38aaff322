//! Persons appear nowhere but in answers to whoever may see them: not in what commands print, not in any log, figure or
//! file.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use domain::order::command::Contact;
use e2e::{
    Api, Program, ProgramOptions, eventually,
    orders::{contact, place},
    reachable_directory,
};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::run;

/// Words that stand in what the test sends and nowhere else: a short number could also be part of a time measured.
/// Of the Thai name only what a debug print leaves as it is: it escapes marks above and below a letter.
const SECRETS: [&str; 10] = [
    "สมหญ",
    "ทดสอบระบบ",
    PHONE,
    "somying",
    "Hidden Lane",
    "hidden-42.jpg",
    "hidden-42.svg",
    LATITUDE,
    LONGITUDE,
    "Rider Name",
];
const PHONE: &str = "+66859174362";
const LATITUDE: &str = "13.756397";
const LONGITUDE: &str = "100.501864";
/// Larger files are only scanned up to here; PostgreSQL's have at most this size.
const MAX_FILE: u64 = 64 << 20;

fn proof() -> Value {
    json!({ "photo": "s3://proofs/hidden-42.jpg", "signature": "s3://proofs/hidden-42.svg",
        "latitude": LATITUDE, "longitude": LONGITUDE, "collectedBy": "Rider Name" })
}

/// An order of a customer with [`contact`], with changes.
fn order(more: Value) -> Value {
    let mut order = place();
    order.contact = Some(Contact {
        phone: Some(PHONE.to_owned()),
        ..contact()
    });
    order.customer_id = Some("C-1001".into());
    let mut fields = serde_json::to_value(order).unwrap();
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    fields
}

/// Gives a command under a new id; whatever is answered.
async fn give(api: &Api, field: &str, input: &str, mut fields: Value) -> Value {
    fields["commandId"] = json!(Uuid::now_v7());
    let query = format!(
        "mutation M($input: {input}!) {{ {field}(input: $input) {{ problems {{ code }} }} }}"
    );
    let variables = json!({ "input": fields });
    let answer = api.try_graphql(&query, &variables).await.unwrap();
    answer.json()
}

/// As [`give`], for what must be done.
async fn done(api: &Api, field: &str, input: &str, fields: Value) {
    let answer = give(api, field, input, fields).await;
    assert_eq!(answer["data"][field]["problems"], json!([]), "{answer}");
}

/// Places an order that the ledger takes to released, and takes the cash for it; its id.
async fn collected(api: &Api) -> String {
    let query = "mutation M($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } problems { code } } }";
    let mut fields = order(json!({}));
    fields["commandId"] = json!(Uuid::now_v7());
    let data = api.graphql(query, json!({ "input": fields })).await;
    let id = data["placeOrder"]["order"]["id"].as_str();
    let id = id.unwrap_or_else(|| panic!("{data}")).to_owned();
    let status = "query Q($id: ID!) { order(id: $id) { status } }";
    eventually("a released order", || async {
        let order = &api.graphql(status, json!({ "id": id })).await["order"];
        (order["status"] == "RELEASED").then_some(())
    })
    .await;
    let shipped =
        json!({ "orderId": id, "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" });
    done(api, "recordShipment", "ShipmentInput", shipped).await;
    let cash = json!({ "orderId": id, "amount": "169.00", "partnerId": "GRAB", "proof": proof() });
    done(api, "collectCash", "CollectCashInput", cash).await;
    let seen = "query Q($id: ID!) { order(id: $id) { contact { name phone email address { line1 } }
        collection { proof { photo signature latitude longitude collectedBy } } } }";
    eventually("every secret, shown to whoever may see it", || async {
        let seen = api.graphql(seen, json!({ "id": id })).await.to_string();
        SECRETS
            .iter()
            .all(|secret| seen.contains(secret))
            .then_some(())
    })
    .await;
    id
}

/// Searches by the number, in every way that a request may bring it; `id` is found by who may.
async fn searched(program: &Program, api: &Api, id: &str) {
    let query = "query($f: OrderFilter) { orders(filter: $f) { edges { node { id } } } }";
    let by_phone = json!({ "f": { "phone": PHONE } });
    let found = api.graphql(query, by_phone.clone()).await.to_string();
    assert!(found.contains(id), "{found}");
    let literal =
        format!("{{ orders(filter: {{ phone: \"{PHONE}\" }}) {{ edges {{ node {{ id }} }} }} }}");
    assert!(
        api.graphql(&literal, json!({}))
            .await
            .to_string()
            .contains(id)
    );
    let by_get = format!(
        "/graphql?query={}",
        literal
            .replace(' ', "%20")
            .replace('"', "%22")
            .replace('+', "%2B")
    );
    assert_eq!(api.get(&by_get).await.status, 200);
    let auditor = program.api(&program.token("auditor", &[]));
    let refused = auditor.try_graphql(query, &by_phone).await.unwrap().json();
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "FORBIDDEN",
        "{refused}"
    );
    for wrong in [
        json!(format!("{PHONE} ext. 9")),
        json!({ "number": PHONE }),
        json!([PHONE]),
        json!(66_859_174_362_u64),
    ] {
        let answer = api
            .try_graphql(query, &json!({ "f": { "phone": wrong } }))
            .await;
        assert!(answer.unwrap().json()["errors"].is_array());
    }
    let torn = literal.replace(" } } } }", "");
    assert!(api.try_graphql(&torn, &json!({})).await.unwrap().json()["errors"].is_array());
}

/// Orders and proofs that are refused, by a rule and by their shape, and messages that become dead letters.
async fn refused(api: &Api, id: &str) {
    let short = "x".repeat(50);
    for more in [
        json!({ "storeId": "CFR777" }),
        json!({ "contact": { "name": "สมหญิง ทดสอบระบบ", "email": "somying has none" } }),
        json!({ "contact": { "phone": format!("{PHONE}{short}") } }),
        json!({ "contact": "Hidden Lane" }),
    ] {
        let answer = give(api, "placeOrder", "PlaceOrderInput", order(more)).await;
        assert_ne!(answer["data"]["placeOrder"]["problems"], json!([]));
    }
    let mut message = order(json!({ "storeId": "CFR777", "source": "test", "messageId": "M-1" }));
    let query = "mutation M($input: SubmitOrderInput!) { submitOrder(input: $input) { deadLetter { id } } }";
    message["messageId"] = json!("M-1");
    let data = api.graphql(query, json!({ "input": message })).await;
    let letter = &data["submitOrder"]["deadLetter"]["id"];
    assert!(letter.is_string(), "{data}");
    let again = json!({ "deadLetterId": letter, "reason": "tried again" });
    give(api, "redriveDeadLetter", "RedriveDeadLetterInput", again).await;
    let mut bad =
        json!({ "orderId": id, "amount": "1.001", "partnerId": "grab", "proof": proof() });
    give(api, "collectCash", "CollectCashInput", bad.clone()).await;
    bad["amount"] = json!(7);
    give(api, "collectCash", "CollectCashInput", bad).await;
    let torn = json!({ "query": "mutation {", "variables": order(json!({})) }).to_string();
    let headers = [("content-type", "application/json")];
    for body in [&torn[..], &torn[..torn.len() - 2]] {
        let sent = api.request(Method::POST, "/graphql", &headers, body.to_owned());
        assert!(sent.await.unwrap().status < 500);
    }
}

/// Lines for `import`: a good one, one that breaks a rule, and ones that are no command.
fn lines() -> String {
    let line = |more: Value| {
        let mut command = order(more);
        command["type"] = json!("place");
        json!({ "commandId": Uuid::now_v7(), "command": command }).to_string()
    };
    let good = line(json!({}));
    let torn = good.replace("\"contact\":{", "\"contact\":{\"nick\":\"somying\",");
    let wrong = line(json!({ "contact": { "name": 7, "address": "Hidden Lane" } }));
    let refused = line(json!({ "storeId": "CFR777" }));
    let cut: String = good.chars().take(good.chars().count() / 2).collect();
    [good, torn, wrong, refused, cut].join("\n")
}

/// Runs every command that may meet a person's data; all that they printed.
fn commands(program: &Program, dir: &Path, id: &str) -> String {
    let file = dir.join("lines.ndjson");
    std::fs::write(&file, lines()).unwrap();
    let (file, results) = (file.to_str().unwrap(), dir.join("results.ndjson"));
    let mut said = String::new();
    for (arguments, code) in [
        (
            &["import", file, "--results", results.to_str().unwrap()][..],
            1,
        ),
        (&["import", file, "--json"], 1),
        (&["order", "show", id], 0),
        (&["order", "show", id, "--json"], 0),
        (&["verify", "--json"], 0),
        (&["config", "dump"], 0),
        (&["migrate", "status"], 0),
        (&["forget", "C-1001"], 2),
        (&["forget", "C-1001", "--yes"], 0),
        (&["forget", "C-1001", "--yes", "--json"], 6),
        (&["order", "show", id], 0),
        (&["verify"], 0),
    ] {
        let mut command = program.command(arguments);
        let ended = run({
            command
                .env("LEDGER_LOG_LEVEL", "trace")
                .stdin(Stdio::null());
            command
        });
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        said += &ended.out;
        said += &ended.err;
    }
    said += &std::fs::read_to_string(results).unwrap();
    // The input is the test's own.
    std::fs::remove_file(file).unwrap();
    said
}

/// The first secret that stands somewhere.
fn secret_in(bytes: &[u8]) -> Option<&'static str> {
    let is_in = |words: &[u8]| bytes.windows(words.len()).any(|part| part == words);
    SECRETS.into_iter().find(|words| is_in(words.as_bytes()))
}

fn assert_quiet(what: &str, bytes: &[u8]) {
    assert_eq!(secret_in(bytes), None, "in {what}");
}

/// Every file under a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_are_in_no_output_no_log_no_figure_and_no_file() {
    let directory = reachable_directory();
    let data_dir = directory.path().join("data");
    std::fs::create_dir(&data_dir).unwrap();
    let mut program = Program::start(ProgramOptions {
        env: vec![
            ("LEDGER_PROCESSES", "true".to_owned()),
            ("LEDGER_LOG_LEVEL", "debug".to_owned()),
        ],
        ..ProgramOptions::embedded(&data_dir)
    })
    .await;
    let api = program.admin();
    let profile = json!({ "name": "A store", "region": "BKK-CENTRAL", "zone": "BKK" });
    let open = json!({ "storeId": "CFR001", "profile": profile });
    done(&api, "openStore", "OpenStoreInput", open).await;
    let id = collected(&api).await;
    searched(&program, &api, &id).await;
    refused(&api, &id).await;
    let said = commands(&program, directory.path(), &id);
    let metrics = program.api("").get("/metrics").await;
    let figures = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(program.stop().await.success());

    let sent = order(json!({})).to_string();
    assert!(
        secret_in(sent.as_bytes()).is_some(),
        "it is found where it stands"
    );
    let log = program.log();
    for (what, text, at_least) in [
        ("the log", &log, "DEBUG"),
        ("an output", &said, "order.cash_collected"),
        ("a figure", &figures, "ledger_command_seconds_count"),
    ] {
        assert!(text.contains(at_least), "{what} is not all there: {text}");
        assert_quiet(what, text.as_bytes());
    }
    // The database and its own log, the log's segments, tokens, the serving log: all that is kept.
    let kept = files(&data_dir);
    assert!(kept.iter().any(|path| path.ends_with("serve.log")));
    assert!(kept.len() > 500, "not all of a database: {}", kept.len());
    for path in kept {
        assert!(std::fs::metadata(&path).unwrap().len() <= MAX_FILE);
        assert_quiet(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
}
