//! How many answers need not be sent again to dashboards that ask every second while orders come in.

use std::time::{Duration, Instant};

use e2e::{Client, Program, Target};

use crate::{live, transfer};

/// How often each dashboard asks.
const EVERY: Duration = Duration::from_secs(1);

const QUERIES: [(&str, &str); 5] = [
    (
        "the board of a store",
        "{ storeBoard(storeIds: [\"CFR002\"]) { storeId status count } }",
    ),
    (
        "25 orders of a store",
        "{ orders(first: 25, filter: { storeIds: [\"CFR001\"] }) { edges { node { id number status } } } }",
    ),
    (
        "the board of a region, day by day, until yesterday",
        "{ regionBoard(region: \"R2\", from: \"2026-11-01\", to: \"2026-11-20\") { stores { storeId figures { placed value } } } }",
    ),
    (
        "cash by store",
        "{ cashBalances(by: STORE) { total balances { account storeId amount } } }",
    ),
    (
        "the newest 25 orders of all stores",
        "{ orders(first: 25) { edges { node { id number status } } } }",
    ),
];

pub(crate) async fn run(program: &Program, time: Duration) {
    let target = program.target();
    let until = Instant::now() + time;
    let dashboards: Vec<_> = QUERIES
        .map(|(_, query)| {
            let target = target.clone();
            tokio::spawn(async move { watch(&target, query, until).await })
        })
        .into();
    let _ = live::place(&target, time).await;
    println!(
        "## Answers that need not be sent again: asked every {EVERY:?} for {time:?}, {} orders a minute over {} stores\n",
        live::RATE,
        live::STORES
    );
    println!("| operation | asked | not modified | bytes sent | bytes of as many whole answers |");
    println!("|---|---|---|---|---|");
    for ((name, _), dashboard) in QUERIES.iter().zip(dashboards) {
        let Seen {
            asked,
            unmodified,
            sent,
            whole,
        } = dashboard.await.unwrap();
        let share = 100.0 * f64::from(unmodified) / f64::from(asked);
        println!("| {name} | {asked} | {share:.0}% | {sent} | {whole} |");
    }
    println!();
}

#[derive(Default)]
struct Seen {
    asked: u32,
    unmodified: u32,
    sent: usize,
    whole: usize,
}

async fn watch(target: &Target, query: &str, until: Instant) -> Seen {
    let mut client = Client::connect(target).await.unwrap();
    let path = transfer::path(query);
    let (mut seen, mut tag, mut size) = (Seen::default(), None::<String>, 0);
    let mut tick = tokio::time::interval(EVERY);
    while Instant::now() < until {
        tick.tick().await;
        let known = tag.as_deref().map(|tag| ("if-none-match", tag));
        let headers: Vec<_> = known.into_iter().collect();
        let answer = client
            .send("GET", &path, &headers, Vec::new())
            .await
            .unwrap();
        seen.asked += 1;
        seen.sent += answer.body.len();
        match answer.status {
            304 => seen.unmodified += 1,
            200 => size = answer.body.len(),
            other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
        }
        seen.whole += size;
        tag = Some(answer.headers["etag"].to_str().unwrap().to_owned());
    }
    seen
}
