//! How many bytes answers take, plain and compressed, and what that costs; and how many are not sent at all.

use std::fmt::Write as _;

use e2e::{Client, Database, Program, bench::processor_time};

use crate::ledger;

/// Requests of one row.
const REQUESTS: u32 = 300;
const ENCODINGS: [&str; 4] = ["identity", "br", "zstd", "gzip"];

const QUERIES: [(&str, &str); 5] = [
    (
        "25 orders, few fields",
        "{ orders(first: 25) { edges { node { id number status placedAt totals { orderTotal } } } } }",
    ),
    (
        "100 orders with lines",
        "{ orders(first: 100) { edges { node { id number status placedAt totals { orderTotal cashDue } lines { lineNumber sku quantity unitPrice } } } } }",
    ),
    (
        "storeRanking",
        "{ storeRanking(from: \"2026-11-01\", to: \"2026-11-26\") { stores { rank storeId region figures { placed value delivered cancelled } } } }",
    ),
    (
        "regionBoard by the day",
        "{ regionBoard(region: \"R20\", from: \"2026-11-01\", to: \"2026-11-26\") { stores { storeId figures { placed value } points { at figures { placed value } } } } }",
    ),
    (
        "cashBalances by store",
        "{ cashBalances(by: STORE) { total balances { account storeId amount } } }",
    ),
];

pub(crate) async fn run(database: &Database) {
    let program = ledger(database, "memory").await;
    let mut client = Client::connect(&program.target()).await.unwrap();
    println!("## Bytes of an answer, and processor time of the ledger for it\n");
    println!("| operation | plain | brotli | zstd | gzip | not modified |");
    println!("|---|---|---|---|---|---|");
    for (name, query) in QUERIES {
        let path = path(query);
        let mut row = format!("| {name} |");
        let mut tag = String::new();
        for encoding in ENCODINGS {
            let (bytes, took, headers) = cost(&program, &mut client, &path, encoding, None).await;
            tag = headers;
            let _ = write!(row, " {bytes} B, {took:.2} ms |");
        }
        let (bytes, took, _) = cost(&program, &mut client, &path, "identity", Some(&tag)).await;
        println!("{row} {bytes} B, {took:.2} ms |");
    }
    println!();
}

pub(crate) fn path(query: &str) -> String {
    let mut path = String::from("/graphql?query=");
    for byte in query.bytes() {
        // Writing to a string does not fail.
        let _ = write!(path, "%{byte:02X}");
    }
    path
}

/// The size of an answer, the processor time for one of many, and the answer's tag.
async fn cost(
    program: &Program,
    client: &mut Client,
    path: &str,
    encoding: &str,
    known: Option<&str>,
) -> (usize, f64, String) {
    let mut headers = vec![("accept-encoding", encoding)];
    headers.extend(known.map(|tag| ("if-none-match", tag)));
    let before = processor_time(program.pid());
    let (mut bytes, mut tag) = (0, String::new());
    for _ in 0..REQUESTS {
        let answer = client
            .send("GET", path, &headers, Vec::new())
            .await
            .unwrap();
        let expected = if known.is_some() { 304 } else { 200 };
        assert_eq!(
            answer.status,
            expected,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        bytes = answer.body.len();
        tag = answer.headers["etag"].to_str().unwrap().to_owned();
    }
    let took = processor_time(program.pid()) - before;
    (
        bytes,
        took.as_secs_f64() * 1_000.0 / f64::from(REQUESTS),
        tag,
    )
}
