//! No operation of the API reads a growing table whole: PostgreSQL itself tells how it answers every statement of a
//! running ledger after a million orders, and the plans are those in `plans.txt` (`UPDATE_PLANS=1` writes it anew).

mod batches;
mod captured;
mod million;
mod operations;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use e2e::{Database, Program, ProgramOptions, fresh_database};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    captured::Plan,
    million::GROWING,
    operations::{Known, Operation},
};
use crate::api::{
    lists::caught_up,
    support::{SCHEMA, done, place_input, placed},
};

/// What is answered without the database.
const FROM_MEMORY: &str = "rateLimit";

/// Plans by operation.
type Plans = BTreeMap<String, BTreeSet<String>>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a million rows take all of a small machine: `make test` runs it by itself, after the others"]
async fn no_operation_reads_a_growing_table_whole() {
    let database = fresh_database().await.with_stores().await;
    let order = one_order(&database).await;
    let operations = operations::all(&Known { order: &order });
    assert_all_are_there(&operations);
    million::fill(&database, &order).await;
    captured::tell(&database).await;
    let program = Program::start(ProgramOptions {
        env: vec![
            ("LEDGER_LOG_LEVEL", captured::LOG_LEVEL.to_owned()),
            ("LEDGER_LOG_FORMAT", "json".to_owned()),
            ("LEDGER_CACHE_BACK_END", "none".to_owned()),
            ("LEDGER_CACHE_REDIS_URL", String::new()),
        ],
        ..ProgramOptions::on(&database)
    })
    .await;
    let api = program.admin();
    // Of one store: read as the role that the database holds to it.
    let bound = program.api(&program.token("admin", &["CFR001"]));
    let (mut seen, mut scans, mut failed) = (Plans::new(), Vec::new(), Vec::new());
    let mut read = program.log().len();
    // The plans of what was asked since the last time.
    let mut told = || {
        let log = program.log();
        let plans = captured::plans(&log[read..]);
        read = log.len();
        plans
    };
    for operation in &operations {
        let query = operation.query.as_str();
        let answer = api.try_graphql(query, &operation.variables).await;
        let answer = answer.unwrap().json();
        if answer["errors"] != Value::Null {
            failed.push(format!("{}: {answer}", operation.name));
        }
        let plans = told();
        if plans.is_empty() && operation.name != FROM_MEMORY {
            failed.push(format!("{}: no plan was told", operation.name));
        }
        scans.extend(plans.iter().filter_map(|plan| whole(operation, plan)));
        let known = seen.entry(operation.name.clone()).or_default();
        known.extend(plans.iter().flat_map(of_read_models));
        // Some things are the whole chain's, and refused. A failed read is another matter: it stops at the row that
        // has no document, and its plan is told whenever the connection is used again.
        let answer = bound.try_graphql(query, &operation.variables).await;
        let answer = answer.unwrap().json();
        if failed_inside(&answer) {
            failed.push(format!("{} of one store: {answer}", operation.name));
        }
        scans.extend(told().iter().filter_map(|plan| whole(operation, plan)));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(
        scans.is_empty(),
        "{} in all, the first:\n{}",
        scans.len(),
        scans[0]
    );
    compare(&written(&seen));
    planted(&program, &database).await;
}

/// Whether the ledger itself failed, as opposed to refusing or finding nothing.
fn failed_inside(answer: &Value) -> bool {
    let errors = answer["errors"].as_array();
    errors.is_some_and(|errors| {
        let mut codes = errors.iter().map(|error| &error["extensions"]["code"]);
        codes.any(|code| code == "INTERNAL" || code == "UNAVAILABLE")
    })
}

/// The check sees a statement that reads a growing table whole.
async fn planted(program: &Program, database: &Database) {
    let pool = database.owner_pool().await;
    sqlx::raw_sql("drop index order_view_customer")
        .execute(&pool)
        .await
        .unwrap();
    let read = program.log().len();
    let query = "{ orders(filter: { customerId: \"nobody\" }) { edges { node { id } } } }";
    program.admin().graphql(query, json!({})).await;
    let plans = captured::plans(&program.log()[read..]);
    let reads_more = |plan: &Plan| {
        plan.scans
            .iter()
            .any(|scan| !scan.contains("order_view_customer"))
    };
    assert!(
        plans
            .iter()
            .any(|plan| plan.statement.contains("order_view") && reads_more(plan))
    );
    let whole = "Query Text: select count(*) from order_view\nAggregate  (cost=1..2 rows=1 width=8)\n  ->  Seq Scan on \
                 order_view  (cost=1..2 rows=1 width=0)";
    let line = json!({ "message": format!("duration: 1 ms  plan:\n{whole}") }).to_string();
    let operation = Operation {
        name: "planted".to_owned(),
        query: String::new(),
        variables: Value::Null,
    };
    let planted = captured::plans(&line);
    assert!(
        planted
            .iter()
            .any(|plan| self::whole(&operation, plan).is_some())
    );
}

/// An order of a real ledger: its document is shown for the newest of the million.
async fn one_order(database: &Database) -> String {
    let program = Program::start(ProgramOptions::on(database)).await;
    let api = program.admin();
    let (order, _) = placed(&api, json!({})).await;
    let letter = place_input(json!({ "source": "test", "messageId": "M-1", "storeId": "CFR009" }));
    let letter = without_id(letter);
    let message = json!({ "input": letter });
    let submit =
        "mutation($input: SubmitOrderInput!) { submitOrder(input: $input) { deadLetter { id } } }";
    let kept = api.graphql(submit, message).await;
    assert!(
        kept["submitOrder"]["deadLetter"]["id"].is_string(),
        "{kept}"
    );
    // After the days that are filled in.
    let today = chrono::Utc::now().date_naive().to_string();
    let report = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": "CFR001",
        "businessDay": today, "reportId": "R-1", "items": [{ "reference": "x", "amount": "1.00" }] });
    done(&api, "reportRemittance", report).await;
    caught_up(&api).await;
    order
}

fn without_id(mut input: Value) -> Value {
    input.as_object_mut().unwrap().remove("commandId");
    input
}

/// What is wrong with a plan, if it reads a growing table whole.
fn whole(operation: &Operation, plan: &Plan) -> Option<String> {
    let grows = |scan: &String| {
        let table = scan.strip_prefix("Seq Scan on ");
        table.is_some_and(|table| GROWING.contains(&table))
    };
    let found = plan.scans.iter().find(|scan| grows(scan))?;
    Some(format!("{}: {found}\n{}", operation.name, plan.told))
}

/// The scans of read models, and of the log for histories: what the ledger's own tasks read of it meanwhile comes when it
/// comes.
fn of_read_models(plan: &Plan) -> Vec<String> {
    let ours = |scan: &&String| {
        // The table, or for a bitmap its index, which is named after the table.
        let read = scan.rsplit(" on ").next().unwrap_or_default();
        let of_histories = plan.statement.contains("order_event");
        let tables = if of_histories {
            &GROWING[..]
        } else {
            &GROWING[4..]
        };
        tables.iter().any(|table| read.starts_with(table))
    };
    plan.scans.iter().filter(ours).cloned().collect()
}

fn written(plans: &Plans) -> String {
    let mut text = String::new();
    for (operation, scans) in plans {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{operation}");
        for scan in scans {
            let _ = writeln!(text, "    {scan}");
        }
    }
    text
}

fn compare(seen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plans/plans.txt");
    if std::env::var_os("UPDATE_PLANS").is_some() {
        std::fs::write(&path, seen).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    for (seen, known) in seen.lines().zip(known.lines()) {
        assert_eq!(
            seen, known,
            "another plan; if it is a better one: UPDATE_PLANS=1"
        );
    }
    assert_eq!(seen.lines().count(), known.lines().count());
}

/// Every field of `Query`, and every condition of every filter.
fn assert_all_are_there(operations: &[Operation]) {
    for field in fields("type Query {") {
        let named =
            |operation: &Operation| operation.name.split(' ').next() == Some(field.as_str());
        assert!(
            operations.iter().any(named),
            "{field} has no plan yet: add it to `operations.rs`"
        );
    }
    for (list, filter, conditions) in operations::conditions() {
        for field in fields(&format!("input {filter} {{")) {
            assert!(
                conditions.iter().any(|(name, _)| *name == field),
                "{list} by {field} has no plan yet: add it to `operations.rs`"
            );
        }
    }
}

/// The fields of a type of the committed schema.
fn fields(start: &str) -> Vec<String> {
    let lines = SCHEMA
        .lines()
        .skip_while(|line| !line.starts_with(start))
        .skip(1);
    let mut described = false;
    let mut found = Vec::new();
    for line in lines.take_while(|line| *line != "}") {
        if line.trim() == "\"\"\"" {
            described = !described;
            continue;
        }
        let one_deep = line
            .strip_prefix('\t')
            .filter(|rest| !rest.starts_with(['\t', ')', '"']));
        if let (false, Some(field)) = (described, one_deep) {
            let end = field.find(['(', ':']).unwrap_or(field.len());
            found.push(field[..end].to_owned());
        }
    }
    assert!(!found.is_empty(), "{start}");
    found
}
