//! What the nodes of a list are read for costs a statement a field, however many nodes there are: PostgreSQL itself
//! tells which statements a running ledger sends.

use e2e::{Api, Program, ProgramOptions, fresh_database};
use serde_json::{Value, json};
use uuid::Uuid;

use super::captured;
use crate::api::{
    lists::caught_up,
    support::{done, placed},
};

const ORDERS: usize = 25;
/// Statements of a field. One is usual; on a busy machine a node may come after the millisecond that a batch waits.
const FEW: usize = 4;
const NAME: &str = "สมหญิง ทดสอบ";

const HISTORIES: &str = "query($first: Int!) { orders(first: $first) { edges { node { number
    contact { state name } all: history(first: 100) { nodes { type } } one: history(first: 1) { nodes { type }
    pageInfo { hasNextPage } } } } } }";

const ITEMS: &str =
    "{ remittances { edges { node { id items { edges { node { reference orderId } } } } } } }";

/// Two events each, and the report of two partners about all of them.
async fn trade(api: &Api) {
    let mut items = Vec::new();
    for n in 0..ORDERS {
        let customer = json!({ "customerId": format!("C{n}"), "storeId": "CFR001",
            "contact": { "name": NAME, "phone": "+66800000042" } });
        let (id, _) = placed(api, customer).await;
        let cancel = json!({ "commandId": Uuid::now_v7(), "orderId": id, "reason": "test" });
        let cancelled = done(api, "cancelOrder", cancel).await;
        items.push(json!({ "reference": cancelled["order"]["number"], "amount": "1.00" }));
    }
    let today = chrono::Utc::now().date_naive().to_string();
    for partner in ["GRAB", "PMP"] {
        let report = json!({ "commandId": Uuid::now_v7(), "partnerId": partner, "storeId": "CFR001",
            "businessDay": today, "reportId": "R-1", "items": items });
        done(api, "reportRemittance", report).await;
    }
    caught_up(api).await;
}

fn are_few(reads: &usize) -> bool {
    (1..=FEW).contains(reads)
}

/// The statements that read each of the tables while an operation was answered.
struct Told<'a> {
    program: &'a Program,
    read: usize,
}

impl Told<'_> {
    async fn reads_of<const N: usize>(
        &mut self,
        api: &Api,
        query: &str,
        variables: Value,
        tables: [&str; N],
    ) -> (Value, [usize; N]) {
        self.read = self.program.log().len();
        let answer = api.graphql(query, variables).await;
        let log = self.program.log();
        let plans = captured::plans(&log[self.read..]);
        let reads = |table: &str| {
            let from = format!("from {table}");
            let of = |plan: &&captured::Plan| {
                let statement = plan.statement.to_lowercase();
                statement.starts_with("select") && statement.contains(&from)
            };
            plans.iter().filter(of).count()
        };
        (answer, tables.map(reads))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_many_nodes_costs_one_statement() {
    let database = fresh_database().await.with_stores().await;
    {
        let program = Program::start(ProgramOptions::on(&database)).await;
        trade(&program.admin()).await;
    }
    captured::tell(&database).await;
    // One that remembers no key yet.
    let program = Program::start(ProgramOptions {
        env: vec![
            ("LEDGER_LOG_LEVEL", captured::LOG_LEVEL.to_owned()),
            ("LEDGER_LOG_FORMAT", "json".to_owned()),
        ],
        ..ProgramOptions::on(&database)
    })
    .await;
    let mut told = Told {
        program: &program,
        read: 0,
    };
    let tables = ["order_view", "order_event", "subject_key"];
    for first in [2, ORDERS] {
        let variables = json!({ "first": first });
        let (answer, reads) = told
            .reads_of(&program.admin(), HISTORIES, variables, tables)
            .await;
        let edges = answer["orders"]["edges"].as_array().unwrap();
        assert_eq!(edges.len(), first);
        for edge in edges {
            let node = &edge["node"];
            assert_eq!(node["contact"]["state"], "VISIBLE", "{node}");
            assert_eq!(node["contact"]["name"].as_str(), Some(NAME), "{node}");
            assert_eq!(node["all"]["nodes"].as_array().unwrap().len(), 2, "{node}");
            assert_eq!(node["one"]["nodes"], json!([{ "type": "order.placed" }]));
            assert_eq!(node["one"]["pageInfo"]["hasNextPage"], true);
        }
        assert!(reads.iter().all(are_few), "{first} orders: {reads:?}");
    }
    let staff = program.api(&program.token("store-manager", &["CFR001"]));
    let (answer, reads) = told
        .reads_of(&staff, ITEMS, json!({}), ["cash_order"])
        .await;
    let remittances = answer["remittances"]["edges"].as_array().unwrap();
    assert_eq!(remittances.len(), 2);
    for remittance in remittances {
        let items = remittance["node"]["items"]["edges"].as_array().unwrap();
        assert_eq!(items.len(), ORDERS);
        assert!(items.iter().all(|item| item["node"]["orderId"].is_string()));
    }
    assert!(reads.iter().all(are_few), "{reads:?}");
}
