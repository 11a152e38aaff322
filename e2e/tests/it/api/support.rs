//! A running ledger, its callers, and the operations that the tests send again and again.

use e2e::{Api, Database, Program, ProgramOptions, Response, STORE_EVENTS, fresh_database, orders};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// The media type under which a status code tells whether anything was executed.
pub(super) const GRAPHQL: &str = "application/graphql-response+json";

/// The committed schema: what a command takes and answers.
pub(crate) const SCHEMA: &str = include_str!("../../../../api-graphql/schema.graphql");

const RECEIPT: &str = "receipt { commandId entityId orderId version position eventIds replayed }";
const PROBLEMS: &str = "problems {
    __typename code message status path retryable docs
    ... on RuleViolation { rule }
    ... on VersionConflict { expected actual }
    ... on OrderExists { orderId value }
    ... on TryAgain { outcomeUnknown }
}";
const ORDER: &str = "order { id number status statusCode paymentStatus version position trackingId cancelReason
    cashDue lines { lineNumber sku quantity shortQuantity original { sku } bundle { refId } }
    bundles { refId status definitionVersion savings lineNumbers }
    offers { proposalId answer } collection { status amount discrepancy } refunds { promised refunded owed } }";
const REMITTANCE: &str =
    "remittance { id status version summary { expected reported variance accepted open }
    owed held received deposited }";
const DEAD_LETTER: &str =
    "deadLetter { id source messageId attempts outcome orderId dismissedReason
    contact { state } problems { code path } }";

/// A ledger with two trading stores.
pub(super) struct World {
    pub(super) database: Database,
    pub(super) program: Program,
    /// May do everything.
    pub(super) admin: Api,
}

pub(super) async fn world() -> World {
    world_with([]).await
}

/// As [`world`], with more variables for the program.
pub(super) async fn world_with<const N: usize>(env: [(&'static str, String); N]) -> World {
    let database = fresh_database().await.with_stores().await;
    let options = ProgramOptions {
        env: env.into(),
        ..ProgramOptions::on(&database)
    };
    let program = Program::start(options).await;
    let admin = program.admin();
    World {
        database,
        program,
        admin,
    }
}

impl World {
    /// The API as somebody in a role, for some stores or for all.
    pub(super) fn caller(&self, role: &str, stores: &[&str]) -> Api {
        self.program.api(&self.program.token(role, stores))
    }

    /// Unharmed, and the log holds nothing but the stores.
    pub(super) async fn assert_nothing_written(&self) {
        self.assert_unharmed().await;
        assert_eq!(self.events().await, 0, "something was executed");
    }

    /// Events in the log beside those of the stores.
    pub(super) async fn events(&self) -> i64 {
        let head = self.database.log().await.head().await.unwrap();
        head.position.0 - STORE_EVENTS
    }

    /// The process answers, and no request has made it panic.
    pub(super) async fn assert_unharmed(&self) {
        let anybody = self.program.api("");
        assert_eq!(anybody.get("/livez").await.status, 200);
        assert_eq!(anybody.get("/readyz").await.status, 200);
        let metrics = text(&anybody.get("/metrics").await);
        assert!(
            metrics.contains("\nledger_api_panics_total 0\n"),
            "{metrics}"
        );
    }
}

pub(super) fn text(response: &Response) -> String {
    String::from_utf8(response.body.to_vec()).unwrap()
}

/// The operation of one command.
pub(super) fn mutation(field: &str) -> String {
    let start = format!("\t{field}(input: ");
    let mut lines = SCHEMA.lines();
    let signature = lines.find_map(|line| line.strip_prefix(&start));
    let signature = signature.unwrap_or_else(|| panic!("{field} is no command"));
    let (input, payload) = signature.split_once("): ").unwrap();
    let answer = match payload.trim_end_matches('!') {
        "OrderPayload" => format!("{ORDER} {RECEIPT}"),
        "BundlePayload" => format!("bundle {{ id version definitionVersion isActive }} {RECEIPT}"),
        "StorePayload" => format!("store {{ id version isActive zone }} {RECEIPT}"),
        "RemittancePayload" => format!("{REMITTANCE} {RECEIPT}"),
        "DeadLetterPayload" => format!("{DEAD_LETTER} {RECEIPT}"),
        "IntakePayload" => format!("order {{ id status }} {DEAD_LETTER} {RECEIPT}"),
        _ => "erasure { keysDestroyed erasedAt }".to_owned(),
    };
    format!("mutation($input: {input}) {{ {field}(input: $input) {{ {answer} {PROBLEMS} }} }}")
}

/// Gives a command; its payload.
pub(super) async fn command(api: &Api, field: &str, input: Value) -> Value {
    let data = api
        .graphql(&mutation(field), json!({ "input": input }))
        .await;
    data[field].clone()
}

/// As [`command`], for one that must have its effect.
pub(crate) async fn done(api: &Api, field: &str, input: Value) -> Value {
    let payload = command(api, field, input).await;
    assert_eq!(payload["problems"], json!([]), "{field}");
    assert!(payload["receipt"]["version"].is_i64(), "{field}: {payload}");
    payload
}

/// The input of a command on an order, under a new command id.
pub(super) fn input(order: &str, more: Value) -> Value {
    let mut input = json!({ "commandId": Uuid::now_v7(), "orderId": order });
    merge(&mut input, more);
    input
}

/// The input of a new order, under a new command id.
pub(crate) fn place_input(more: Value) -> Value {
    let mut input = serde_json::to_value(orders::place()).unwrap();
    input["commandId"] = json!(Uuid::now_v7());
    merge(&mut input, more);
    input
}

/// The fields of both; those of the second win.
pub(super) fn merged(fields: &Value, more: Value) -> Value {
    let mut all = fields.clone();
    merge(&mut all, more);
    all
}

fn merge(into: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("fields are expected, not {more}")
    };
    for (name, value) in more {
        into[name] = value;
    }
}

/// Places an order; its id and its receipt.
pub(crate) async fn placed(api: &Api, more: Value) -> (String, Value) {
    let payload = done(api, "placeOrder", place_input(more)).await;
    (
        payload["order"]["id"].as_str().unwrap().to_owned(),
        payload["receipt"].clone(),
    )
}

/// The rows of a table: cells apart by `|`, JSON among them.
pub(super) fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    let rows = table.lines().map(str::trim).filter(|row| !row.is_empty());
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        cells
            .try_into()
            .unwrap_or_else(|_| panic!("{N} cells: {row}"))
    })
}

/// A cell that holds JSON.
pub(super) fn cell(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A change of an order that has one good line but for these fields.
pub(super) fn with_line(fields: Value) -> Value {
    let line =
        json!({ "lineNumber": 1, "sku": "8850999220017", "quantity": "1", "unitPrice": "45.00" });
    json!({ "lines": [merged(&line, fields)] })
}

/// One GraphQL request, answered with the status code of the newer media type.
pub(super) async fn ask(api: &Api, query: &str, variables: Value) -> Response {
    let body = json!({ "query": query, "variables": variables }).to_string();
    post(api, body).await
}

/// A POST of any body to the API.
pub(super) async fn post(api: &Api, body: impl Into<Vec<u8>>) -> Response {
    let headers = [("content-type", "application/json"), ("accept", GRAPHQL)];
    api.request(Method::POST, "/graphql", &headers, body.into())
        .await
        .unwrap()
}

/// The code of an answer's first error, whether HTTP's or GraphQL's.
pub(super) fn code(response: &Response) -> String {
    let body = response.json();
    let code = &body["errors"][0]["extensions"]["code"];
    code.as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// `[code, path joined with dots]` of each problem.
pub(super) fn problems(payload: &Value) -> Vec<(String, String)> {
    let problems = payload["problems"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = |value: &Value| {
        let parts: Vec<String> = value.as_array().into_iter().flatten().map(word).collect();
        parts.join(".")
    };
    problems
        .iter()
        .map(|problem| (word(&problem["code"]), path(&problem["path"])))
        .collect()
}
