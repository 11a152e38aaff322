//! Random bodies, bounded and seeded: whatever comes, the answer is typed and never a fault of the ledger. Operations
//! of the whole schema are [`super::fuzz`]'s.

use e2e::Response;
use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    good,
    support::{mutation, placed, post, world},
};

const REQUESTS: u64 = 2_000;
/// Requests at once.
const CALLERS: usize = 8;
/// Levels of a random value.
const DEPTH: u32 = 4;

pub(super) const WORDS: [&str; 24] = [
    "",
    " ",
    "-",
    "undefined",
    "null",
    "\u{0}",
    "\u{fffd}",
    "🛵",
    "ก",
    "\u{202e}",
    "1e400",
    "NaN",
    "-1",
    "0",
    "0.00001",
    "99999999999999.9999",
    "CFR001",
    "CFR002",
    "OPEN",
    "DELIVERED",
    "COD",
    "2026-01-01T00:00:00Z",
    "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11",
    "'; DROP TABLE events; --",
];

const TOKENS: [&str; 26] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    "!",
    "$input",
    "@include",
    "...",
    "on",
    "fragment F on Order",
    "query",
    "mutation",
    "orders",
    "storeBoard",
    "order",
    "id",
    "first: 100",
    "\"\"\"",
    "\"x\"",
    "1e400",
    "__schema",
    "#",
];

fn scalar(random: &mut StdRng) -> Value {
    match random.random_range(0..8) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random::<i64>()),
        3 => json!(random.random_range(-3..30)),
        4 => json!(f64::from_bits(random.random())),
        5 => json!(
            WORDS
                .choose(random)
                .unwrap()
                .repeat(random.random_range(1..300))
        ),
        6 => (0..random.random_range(0..20))
            .map(|_| random.random::<char>())
            .collect::<String>()
            .into(),
        _ => json!(WORDS.choose(random).unwrap()),
    }
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    match random.random_range(0..4) {
        0 if depth > 0 => (0..random.random_range(0..5))
            .map(|_| value(random, depth - 1))
            .collect(),
        1 if depth > 0 => {
            let field = |random: &mut StdRng| {
                (
                    WORDS.choose(random).unwrap().to_string(),
                    value(random, depth - 1),
                )
            };
            Value::Object(
                (0..random.random_range(0..5))
                    .map(|_| field(random))
                    .collect::<Map<_, _>>(),
            )
        }
        _ => scalar(random),
    }
}

/// Changes one place somewhere in a value.
pub(super) fn mutate(random: &mut StdRng, target: &mut Value) {
    match target {
        Value::Object(fields) if !fields.is_empty() && random.random_ratio(5, 6) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = names.choose(random).unwrap();
            match random.random_range(0..8) {
                0 => drop(fields.remove(name)),
                1 => {
                    drop(fields.insert(WORDS.choose(random).unwrap().to_string(), value(random, 2)))
                }
                _ => mutate(random, fields.get_mut(name).unwrap()),
            }
        }
        Value::Array(items) if !items.is_empty() && random.random_ratio(5, 6) => {
            let at = random.random_range(0..items.len());
            match random.random_range(0..6) {
                0 => drop(items.remove(at)),
                1 => items.extend_from_within(..),
                _ => mutate(random, &mut items[at]),
            }
        }
        _ => *target = value(random, 2),
    }
}

/// Bytes that were a request before some of them were changed.
fn torn(random: &mut StdRng, body: &Value) -> Vec<u8> {
    let mut bytes = body.to_string().into_bytes();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..3) {
            0 => bytes[at] = random.random(),
            1 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, *b"{}[]\",:\\\0\xff".choose(random).unwrap()),
        }
    }
    bytes
}

fn request(random: &mut StdRng, order: &str) -> Vec<u8> {
    let fields = good::fields();
    let field = fields.choose(random).unwrap();
    let good = good::good(field, order, &Uuid::now_v7().to_string());
    let mut body = json!({ "query": mutation(field), "variables": { "input": good } });
    match random.random_range(0..10) {
        0 => return value(random, DEPTH).to_string().into_bytes(),
        1 | 2 => return torn(random, &body),
        3 => {
            let soup: Vec<&str> = (0..random.random_range(1..60))
                .map(|_| *TOKENS.choose(random).unwrap())
                .collect();
            body["query"] = json!(soup.join(" "));
        }
        _ => {
            for _ in 0..random.random_range(1..4) {
                mutate(random, &mut body["variables"]);
            }
        }
    }
    body.to_string().into_bytes()
}

/// Typed: a problem document, GraphQL errors with codes, or data; never a fault.
fn check(seed: u64, sent: &[u8], answer: &Response) {
    let sent = String::from_utf8_lossy(sent);
    let body = answer.json();
    assert!(
        answer.status < 500,
        "seed {seed}: {} to {sent}: {body}",
        answer.status
    );
    for error in body["errors"].as_array().into_iter().flatten() {
        let code = error["extensions"]["code"].as_str();
        assert!(
            code.is_some_and(|c| c != "INTERNAL"),
            "seed {seed}: {body} to {sent}"
        );
    }
    assert!(
        body.get("errors").is_some() || body.get("data").is_some(),
        "seed {seed}: {body} to {sent}"
    );
    let payloads = body["data"].as_object().into_iter().flat_map(Map::values);
    for payload in payloads {
        for problem in payload["problems"].as_array().into_iter().flatten() {
            assert!(
                problem["code"].is_string() && problem["message"].is_string(),
                "seed {seed}: {body}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bodies_never_make_the_ledger_fail() {
    let world = world().await;
    let (order, _) = placed(&world.admin, json!({})).await;
    let (api, order) = (&world.admin, &order);
    let carried_out = stream::iter(0..REQUESTS)
        .map(|seed| async move {
            let sent = request(&mut StdRng::seed_from_u64(seed), order);
            let answer = post(api, sent.clone()).await;
            check(seed, &sent, &answer);
            usize::from(answer.json()["data"].is_object())
        })
        .buffer_unordered(CALLERS)
        .fold(0, async |sum, one| sum + one)
        .await;
    assert!(
        carried_out > 100,
        "only {carried_out} requests got past the door"
    );
    world.assert_unharmed().await;
    let log = world.database.log().await;
    let report = store::verify::verify(
        log.pool(),
        log.log_id(),
        &store::verify::Options::default(),
        |_, _| {},
    )
    .await;
    assert!(report.unwrap().is_sound());
}
