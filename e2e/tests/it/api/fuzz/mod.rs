//! Random operations of the whole schema against a running ledger with demo data: whatever valid, odd or broken thing is
//! asked, the answer is one that the schema allows, and no fault of the ledger. A seed (`FUZZ_SEED`, printed) gives the
//! same operations again, but for ids and times of now.

mod check;
mod generate;
mod planted;
mod schema;
mod values;

use std::collections::BTreeSet;

use e2e::{Api, Program, ProgramOptions, eventually, ledger_command, reachable_directory};
use futures_util::{StreamExt, stream};
use serde_json::json;
use uuid::Uuid;

use super::support::{SCHEMA, ask, command, place_input, text};
use check::{Verdict, check};
use generate::{Manner, Operation, operation};
use schema::Schema;
use values::Pool;

/// Operations on each field of the roots.
const PER_FIELD: u64 = 24;
/// Operations at once.
const CALLERS: usize = 8;
/// What the seeds begin with; `FUZZ_SEED` sets another.
const SEED: u64 = 20_260_131;

fn seed() -> u64 {
    let given = std::env::var("FUZZ_SEED").ok();
    given.map_or(SEED, |text| text.parse().expect("FUZZ_SEED is a number"))
}

/// What an operation finds in a ledger with demo data.
async fn pool(api: &Api) -> Pool {
    let query = "{ orders(first: 20) { edges { cursor node { id number } } }
        stores(first: 20) { edges { node { id } } } bundles(first: 20) { edges { node { id } } }
        remittances(first: 20) { edges { node { id } } } deadLetters(first: 20) { edges { node { id } } } }";
    let found = api.graphql(query, json!({})).await;
    let all = |list: &str, place: &str| -> Vec<String> {
        let edges = found[list]["edges"].as_array().into_iter().flatten();
        edges
            .filter_map(|edge| edge.pointer(place)?.as_str())
            .map(str::to_owned)
            .collect()
    };
    Pool {
        orders: [all("orders", "/node/id"), all("orders", "/node/number")].concat(),
        stores: all("stores", "/node/id"),
        bundles: all("bundles", "/node/id"),
        remittances: all("remittances", "/node/id"),
        letters: all("deadLetters", "/node/id"),
        cursors: all("orders", "/cursor"),
    }
}

/// The operations of a run.
fn operations(schema: &Schema, pool: &Pool, seed: u64) -> Vec<(u64, Operation)> {
    let roots = ["Query", "Mutation"].into_iter();
    let fields = roots.flat_map(|root| schema.fields(root).iter().map(move |field| (root, field)));
    let mut all = Vec::new();
    for (at, (root, field)) in (0_u64..).zip(fields) {
        for n in 0..PER_FIELD {
            let manner = match n % 4 {
                0 | 1 => Manner::Fair,
                2 => Manner::Hostile,
                _ => Manner::Broken,
            };
            let one = seed
                .wrapping_mul(1_000_003)
                .wrapping_add(at * PER_FIELD + n);
            all.push((one, operation(schema, pool, root, field, (one, manner))));
        }
    }
    all
}

/// Some messages that cannot become orders, and whatever else there is.
async fn filled(api: &Api) -> Pool {
    for _ in 0..3 {
        let unknown = json!({ "source": "fuzz", "messageId": Uuid::now_v7(), "storeId": "CFR999" });
        let mut message = place_input(unknown);
        message.as_object_mut().unwrap().remove("commandId");
        command(api, "submitOrder", message).await;
    }
    eventually("there is something of everything", async || {
        let pool = pool(api).await;
        pool.is_full().then_some(pool)
    })
    .await
}

/// Whether an operation was answered without errors.
///
/// # Errors
/// What is wrong with the answer, and how to see it again.
async fn run(api: &Api, schema: &Schema, operation: &Operation) -> Result<bool, String> {
    let Operation {
        query, variables, ..
    } = operation;
    let answer = ask(api, query, variables.clone()).await;
    let body = answer.json();
    match check(schema, operation, answer.status, &body) {
        Ok(verdict) => Ok(verdict == Verdict::Executed && body.get("errors").is_none()),
        Err(why) => Err(format!("{why}\n{query}\n{variables}\n{body}")),
    }
}

/// All of a run's operations; the names of the fields that were answered in full, one for each time.
async fn run_all(api: &Api, schema: &Schema, all: &[(u64, Operation)]) -> Vec<String> {
    let results: Vec<Result<Option<String>, String>> = stream::iter(all)
        .map(|(one, operation)| async move {
            let done = run(api, schema, operation).await;
            let done = done.map_err(|why| format!("operation {one}: {why}"))?;
            Ok(done.then(|| format!("{}.{}", operation.root, operation.field)))
        })
        .buffer_unordered(CALLERS)
        .collect()
        .await;
    let faults: Vec<&String> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    let shown: Vec<&str> = faults.iter().take(5).map(|fault| fault.as_str()).collect();
    let (count, all) = (faults.len(), all.len());
    assert!(
        count == 0,
        "{count} of {all}, FUZZ_SEED={}:\n{}",
        seed(),
        shown.join("\n\n")
    );
    results.into_iter().flatten().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_answers_as_the_schema_says() {
    println!("FUZZ_SEED={}", seed());
    let directory = reachable_directory();
    let options = ProgramOptions {
        env: vec![
            ("LEDGER_DEMO", "true".to_owned()),
            ("LEDGER_PROCESSES", "true".to_owned()),
        ],
        ..ProgramOptions::embedded(directory.path())
    };
    let mut program = Program::start(options).await;
    let api = program.admin();
    let schema = Schema::read(SCHEMA);
    let pool = filled(&api).await;
    let all = operations(&schema, &pool, seed());
    let done = run_all(&api, &schema, &all).await;
    println!(
        "{} of {} operations were carried out in full",
        done.len(),
        all.len()
    );
    // Each field was answered in full at least once, so that something was looked at.
    let reached: BTreeSet<&str> = done.iter().map(String::as_str).collect();
    let roots = ["Query", "Mutation"].into_iter();
    let fields = roots.flat_map(|root| schema.fields(root).iter().map(move |f| (root, &f.name)));
    let names = fields.map(|(root, field)| format!("{root}.{field}"));
    let missed: Vec<String> = names
        .filter(|name| !reached.contains(name.as_str()))
        .collect();
    assert!(
        missed.is_empty(),
        "FUZZ_SEED={}: never answered: {missed:?}",
        seed()
    );
    let metrics = text(&program.api("").get("/metrics").await);
    assert!(
        metrics.contains("\nledger_api_panics_total 0\n"),
        "{metrics}"
    );
    assert!(program.stop().await.success());
    let verified = ledger_command(None, directory.path(), &["verify"]).output();
    let verified = verified.unwrap();
    assert!(
        verified.status.success(),
        "the log or a read model is damaged: {verified:?}"
    );
}

#[test]
fn a_seed_gives_the_same_operations_again() {
    let schema = Schema::read(SCHEMA);
    // Ids and times of now are no part of it.
    let texts = |seed| -> Vec<String> {
        let all = operations(&schema, &Pool::default(), seed);
        all.into_iter()
            .map(|(_, operation)| operation.query)
            .collect()
    };
    let (one, again, other) = (texts(1), texts(1), texts(2));
    assert_eq!(one.len(), again.len());
    let same = one
        .iter()
        .zip(&again)
        .filter(|(a, b)| a.len() == b.len())
        .count();
    assert!(same > one.len() * 9 / 10, "{same} of {}", one.len());
    assert_ne!(one, other);
}
