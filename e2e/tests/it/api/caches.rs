//! Kept answers: whatever happens to where they are kept, no answer differs from one that was just read.

use e2e::{Api, Database, Program, ProgramOptions, Redis, eventually, fresh_database};
use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::support::{done, placed, text};

/// Rounds of placing an order and asking about it; each kind of harm comes often.
const ROUNDS: usize = 60;

const FIGURES: &str = "query($day: Date!, $position: Position!) {
    regions(from: $day, to: $day, fresh: { minPosition: $position, waitMs: 1000 }) { total { placed value } }
    one: storeRanking(from: $day, to: $day, storeIds: [\"CFR001\"], fresh: { minPosition: $position, waitMs: 1000 }) {
        stores { storeId figures { placed } } }
    storeBoard(fresh: { minPosition: $position, waitMs: 1000 }) { storeId status count }
    cashBalances(by: STORE, fresh: { minPosition: $position, waitMs: 1000 }) { total balances { account storeId amount } }
    stepTimings(from: $day, to: $day, fresh: { minPosition: $position, waitMs: 1000 }) { steps { step durations { count } } }
    bundlePerformance(from: $day, to: $day, fresh: { minPosition: $position, waitMs: 1000 }) { count }
}";

async fn program(database: &Database, back_end: &str, redis: Option<&Redis>) -> Program {
    let mut env = vec![("LEDGER_CACHE_BACK_END", back_end.to_owned())];
    env.extend(redis.map(|redis| ("LEDGER_CACHE_REDIS_URL", redis.url())));
    if redis.is_none() {
        env.push(("LEDGER_CACHE_REDIS_URL", String::new()));
    }
    Program::start(ProgramOptions {
        env,
        ..ProgramOptions::on(database)
    })
    .await
}

/// Today's figures, at least as of a position.
async fn figures(api: &Api, position: &Value) -> Value {
    let today = chrono::Utc::now() + chrono::TimeDelta::hours(7);
    let day = today.date_naive().to_string();
    api.graphql(FIGURES, json!({ "day": day, "position": position }))
        .await
}

/// How often reads ended so, as a program's metrics have it.
async fn counted(program: &Program, name: &str, label: &str) -> u64 {
    let metrics = text(&program.api("").get("/metrics").await);
    let ours = |line: &&str| line.starts_with(name) && line.contains(label);
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    metrics.lines().filter(ours).map(value).sum()
}

/// What may happen to a Redis.
fn harm(redis: &mut Redis, round: usize) {
    const GARBAGE: &str =
        "for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('SET', key, 'no answer') end";
    // Each key gets what is sealed under another one.
    const SWAPPED: &str = "local keys = redis.call('KEYS', '*') for i = 2, #keys do \
        redis.call('SET', keys[i - 1], redis.call('GET', keys[i])) end";
    match round % 6 {
        1 => redis.run(&["FLUSHALL"]),
        2 => redis.run(&["EVAL", GARBAGE, "0"]),
        3 => redis.run(&["EVAL", SWAPPED, "0"]),
        4 => redis.kill(),
        5 => redis.restart(),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_flushed_or_poisoned_changes_no_answer() {
    let database = fresh_database().await.with_stores().await;
    let mut redis = Redis::start();
    let one = program(&database, "redis", Some(&redis)).await;
    let two = program(&database, "redis", Some(&redis)).await;
    let plain = program(&database, "none", None).await;
    let (first, second, reader) = (one.admin(), two.admin(), plain.admin());
    for round in 0..ROUNDS {
        let store = ["CFR001", "CFR002"][round % 2];
        let (_, receipt) = placed(&first, json!({ "storeId": store })).await;
        let position = &receipt["position"];
        let expected = figures(&reader, position).await;
        assert_eq!(figures(&first, position).await, expected, "{round}");
        harm(&mut redis, round);
        for (name, api) in [("the other", &second), ("the same again", &first)] {
            assert_eq!(figures(api, position).await, expected, "{name}, {round}");
        }
    }
    const READS: &str = "ledger_cache_reads_total";
    const FAILURES: &str = "ledger_cache_shared_failures_total";
    assert!(
        counted(&one, READS, "\"hit\"").await > 0,
        "nothing was kept"
    );
    assert!(
        counted(&two, READS, "\"shared\"").await > 0,
        "nothing was shared"
    );
    assert!(counted(&two, FAILURES, "\"forged\"").await > 0);
    assert!(counted(&one, FAILURES, "\"unreachable\"").await > 0);
    assert_eq!(counted(&plain, READS, "").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_one_ledger_was_sent_is_known_to_the_other() {
    let database = fresh_database().await.with_stores().await;
    let redis = Redis::start();
    let one = program(&database, "redis", Some(&redis)).await;
    let two = program(&database, "redis", Some(&redis)).await;
    let text = "{ storeBoard { count } }";
    let hash = store::hash::hex(&<[u8; 32]>::from(Sha256::digest(text)));
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let ask = async |api: Api, query: Option<&str>| {
        let mut body = json!({ "extensions": extensions });
        if let Some(query) = query {
            body["query"] = json!(query);
        }
        let headers = [("content-type", "application/json")];
        let sent = api.request(Method::POST, "/graphql", &headers, body.to_string());
        sent.await.unwrap().json()
    };
    let unknown = ask(two.admin(), None).await;
    let code = &unknown["errors"][0]["extensions"]["code"];
    assert_eq!(code, "PERSISTED_QUERY_NOT_FOUND");
    let sent = ask(one.admin(), Some(text)).await;
    assert_eq!(sent["errors"], Value::Null, "{sent}");
    let known = ask(two.admin(), None).await;
    assert_eq!(known["data"], sent["data"], "{known}");
    // Another text under the same name is none.
    redis.run(&[
        "EVAL",
        "for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('SET', key, 'x') end",
        "0",
    ]);
    let three = program(&database, "redis", Some(&redis)).await;
    let forged = ask(three.admin(), None).await;
    assert_eq!(
        forged["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_one_store_are_kept_while_others_trade() {
    let database = fresh_database().await.with_stores().await;
    let program = program(&database, "memory", None).await;
    let api = program.admin();
    let (_, receipt) = placed(&api, json!({ "storeId": "CFR001" })).await;
    let mut position = receipt["position"].clone();
    const READS: &str = "ledger_cache_reads_total{read=\"flow_beside\"";
    let hits = async || counted(&program, READS, "\"hit\"").await;
    let bypassed = async || counted(&program, READS, "\"bypassed\"").await;
    let before = eventually("the figures are kept", async || {
        let hits_before = hits().await;
        let figures = figures(&api, &position).await;
        (hits().await > hits_before).then_some(figures)
    })
    .await;
    let mut found = 0;
    for _ in 0..5 {
        let (_, receipt) = placed(&api, json!({ "storeId": "CFR002" })).await;
        position = receipt["position"].clone();
        let (hits_before, bypassed_before) = (hits().await, bypassed().await);
        let now = figures(&api, &position).await;
        assert_eq!(now["one"], before["one"]);
        assert_ne!(now["regions"], before["regions"]);
        // Where the order was shown before those who keep answers heard of it, nothing kept was looked for.
        if bypassed().await == bypassed_before {
            // The ranking of one store is found, the regions are not.
            assert_eq!(hits().await, hits_before + 1);
            found += 1;
        }
    }
    assert!(found > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_and_the_list_of_a_store_are_kept_until_something_happens_to_them() {
    const READS: &str = "query($id: ID!, $position: Position!) {
        one: order(id: $id, fresh: { minPosition: $position, waitMs: 1000 }) { version status }
        list: orders(filter: { storeIds: [\"CFR001\"] }, fresh: { minPosition: $position, waitMs: 1000 }) {
            edges { cursor node { id version } } }
        all: orders(first: 1, fresh: { minPosition: $position, waitMs: 1000 }) { edges { node { id } } }
        cash: outstandingCash(storeIds: [\"CFR001\"], fresh: { minPosition: $position, waitMs: 1000 }) {
            edges { node { orderId } } } }";
    let database = fresh_database().await.with_stores().await;
    let program = program(&database, "memory", None).await;
    let api = program.admin();
    let (order, receipt) = placed(&api, json!({ "storeId": "CFR001" })).await;
    let hits = async |read: &str| {
        let name = format!("ledger_cache_reads_total{{read=\"{read}\"");
        counted(&program, &name, "\"hit\"").await
    };
    let ask = async |position: &Value| {
        api.graphql(READS, json!({ "id": order, "position": position }))
            .await
    };
    let first = eventually("both are kept", async || {
        let read = async || {
            let lists = hits("orders").await;
            [hits("order").await, lists, hits("outstanding_cash").await]
        };
        let before = read().await;
        let answer = ask(&receipt["position"]).await;
        let after = read().await;
        // Both lists of orders: that of the store and that of the chain.
        let more = [1, 2, 1].iter().zip(before).zip(after);
        let mut more = more.map(|((more, before), after)| after - before >= *more);
        more.all(|more| more).then_some(answer)
    })
    .await;

    // Another order of the store: the list shows it at once, the order is found where it was kept.
    let (second, receipt) = placed(&api, json!({ "storeId": "CFR001" })).await;
    let answer = ask(&receipt["position"]).await;
    assert_eq!(answer["one"], first["one"]);
    let listed = |answer: &Value| answer["list"]["edges"].as_array().unwrap().len();
    assert_eq!((listed(&first), listed(&answer)), (1, 2));
    assert_eq!(answer["list"]["edges"][0]["node"]["id"], second);
    assert_eq!(answer["all"]["edges"][0]["node"]["id"], second);
    eventually("an order is kept while its store trades", async || {
        placed(&api, json!({ "storeId": "CFR001" })).await;
        let before = hits("order").await;
        ask(&receipt["position"]).await;
        (hits("order").await > before).then_some(())
    })
    .await;

    // It changes: both show that at once, and so does what a caller of another store finds.
    let cancel = json!({ "commandId": Uuid::now_v7(), "orderId": order, "reason": "test" });
    let cancelled = done(&api, "cancelOrder", cancel).await["receipt"].clone();
    let answer = ask(&cancelled["position"]).await;
    assert_eq!(answer["one"]["status"], "CANCELLED");
    let version =
        |edge: &Value| (edge["node"]["id"] == order).then(|| edge["node"]["version"].clone());
    let mut listed = answer["list"]["edges"].as_array().unwrap().iter();
    assert_eq!(
        listed.find_map(version).as_ref(),
        Some(&answer["one"]["version"])
    );
    let other = program.api(&program.token("admin", &["CFR002"]));
    let answer = other
        .graphql(
            READS,
            json!({ "id": order, "position": cancelled["position"] }),
        )
        .await;
    let nothing = json!({ "edges": [] });
    assert_eq!(
        answer,
        json!({ "one": null, "list": nothing, "all": nothing, "cash": nothing })
    );
}
