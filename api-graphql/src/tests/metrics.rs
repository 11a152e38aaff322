//! Metrics: what is shown of them, to whom, and how much at once.

use std::sync::atomic::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    actor::{Role, StoreScope},
    ids::{RegionId, StoreId},
};
use projections::metrics::{
    Span,
    bundle_sales::{Baskets, BundleRow, BundleSales, ComponentRow, ComponentSales},
    partner::{Partner, PartnerRow},
    regional::{Flow, FlowRow},
    step_timings::{Durations, Stage, Step, Timing, Timings},
};
use serde_json::{Value, json};
use store::Position;

use crate::tests::fake::{FakeMetrics, World};

fn store(n: u8) -> StoreId {
    StoreId::new(format!("CFR{n:03}")).unwrap()
}

fn row(n: u8, region: &str, at: &str, placed: i64, value: i64) -> FlowRow {
    FlowRow {
        region: RegionId::new(region).unwrap(),
        store_id: Some(store(n)),
        at: Some(at.parse::<DateTime<Utc>>().unwrap()),
        flow: Flow {
            placed,
            delivered: placed - 1,
            shorts: 1,
            value_units: value * 10_000,
            ..Flow::default()
        },
    }
}

/// Two regions, three stores. The 11th of January in Bangkok begins at 17:00 on the 10th.
fn world() -> World {
    let world = World::new();
    *world.fake.metrics.lock().unwrap() = FakeMetrics {
        flow: vec![
            row(1, "BKK", "2026-01-10T17:00:00Z", 3, 700),
            row(1, "BKK", "2026-01-10T18:00:00Z", 2, 300),
            row(2, "BKK", "2026-01-10T17:00:00Z", 1, 1_000),
            row(3, "CNX", "2026-01-10T17:00:00Z", 4, 2_000),
            row(3, "CNX", "2026-01-10T16:00:00Z", 9, 5_000),
        ],
        ..FakeMetrics::default()
    };
    world
}

async fn data(world: &World, query: &str) -> Value {
    let answer = world.query(query, json!({})).await.json();
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    answer["data"].clone()
}

#[tokio::test]
async fn regions_stand_side_by_side_and_beside_the_time_before() {
    let query = "{ regions(from: \"2026-01-11\", to: \"2026-01-11\") { position
        regions { region figures { placed value exceptions } before { placed } }
        total { placed delivered value } before { placed } } }";
    let regions = data(&world(), query).await["regions"].clone();
    assert_eq!(
        regions,
        json!({ "position": "7", "regions": [
            { "region": "BKK", "figures": { "placed": 6, "value": "2000.0000", "exceptions": 3 }, "before": { "placed": 0 } },
            { "region": "CNX", "figures": { "placed": 4, "value": "2000.0000", "exceptions": 1 }, "before": { "placed": 9 } },
        ], "total": { "placed": 10, "delivered": 6, "value": "4000.0000" }, "before": { "placed": 9 } })
    );
}

#[tokio::test]
async fn a_region_drills_down_to_its_stores_and_their_hours() {
    let board = |by: &str| {
        format!(
            "{{ regionBoard(region: \"BKK\", from: \"2026-01-11\", to: \"2026-01-11\", by: {by}) {{ region position
            figures {{ placed }} points {{ at figures {{ placed }} }}
            stores {{ storeId figures {{ placed }} points {{ at figures {{ placed }} }} }} }} }}"
        )
    };
    let world = world();
    let hours = data(&world, &board("HOUR")).await["regionBoard"].clone();
    let point = |hour: &str, placed: i64| json!({ "at": format!("2026-01-10T{hour}:00:00Z"), "figures": { "placed": placed } });
    assert_eq!(
        hours,
        json!({ "region": "BKK", "position": "7", "figures": { "placed": 6 }, "points": [point("17", 4), point("18", 2)],
            "stores": [
                { "storeId": "CFR001", "figures": { "placed": 5 }, "points": [point("17", 3), point("18", 2)] },
                { "storeId": "CFR002", "figures": { "placed": 1 }, "points": [point("17", 1)] },
            ] })
    );
    data(&world, &board("DAY")).await;
    let asked = world.fake.metrics.lock().unwrap().asked.clone();
    let day: NaiveDate = "2026-01-11".parse().unwrap();
    assert_eq!(asked[0].span, Span::hours_of(day, day));
    assert_eq!(asked[1].span, Span::Days { from: day, to: day });
}

#[tokio::test]
async fn stores_are_ranked_and_equals_share_a_place() {
    let query =
        "{ storeRanking(from: \"2026-01-11\", to: \"2026-01-11\", first: 2, by: VALUE) { count
        stores { rank rankBefore storeId region share figures { value } } total { placed } } }";
    let ranking = data(&world(), query).await["storeRanking"].clone();
    assert_eq!(
        ranking,
        json!({ "count": 3, "total": { "placed": 10 }, "stores": [
            { "rank": 1, "rankBefore": 1, "storeId": "CFR003", "region": "CNX", "share": "0.5000", "figures": { "value": "2000.0000" } },
            { "rank": 2, "rankBefore": null, "storeId": "CFR001", "region": "BKK", "share": "0.2500", "figures": { "value": "1000.0000" } },
        ] })
    );
    let query = query.replace("first: 2", "first: 100");
    let ranking = data(&world(), &query).await["storeRanking"].clone();
    let ranks: Vec<&Value> = ranking["stores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["rank"])
        .collect();
    assert_eq!(ranks, [1, 2, 2]);
}

#[tokio::test]
async fn a_figure_asked_for_alone_is_the_one_among_all() {
    let world = world();
    // Every figure another one.
    let mut figures = serde_json::to_value(Flow::default()).unwrap();
    for (n, figure) in (1_i64..).zip(figures.as_object_mut().unwrap().values_mut()) {
        *figure = (n * 10_000).into();
    }
    world.fake.metrics.lock().unwrap().flow = vec![FlowRow {
        flow: serde_json::from_value(figures).unwrap(),
        ..row(1, "BKK", "2026-01-10T17:00:00Z", 1, 1)
    }];
    let names = data(
        &world,
        "{ __type(name: \"FlowFigures\") { fields { name } } }",
    )
    .await;
    let names: Vec<&str> = names["__type"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    let asked = |by: &str, figures: &str| {
        format!(
            "{{ regions(from: \"2026-01-11\", to: \"2026-01-11\") {{ regions {{ ...R }} total {{ {figures} }} }}
            regionBoard(region: \"BKK\", from: \"2026-01-11\", to: \"2026-01-11\") {{ points {{ figures {{ {figures} }} }} }}
            storeRanking(from: \"2026-01-11\", to: \"2026-01-11\", by: {by}) {{ stores {{ share figures {{ {figures} }} }} }} }}
            fragment R on RegionFlow {{ ... on RegionFlow {{ figures {{ {figures} }} }} }}"
        )
    };
    let all = data(&world, &asked("VALUE", &names.join(" "))).await;
    let mut seen = std::collections::BTreeSet::new();
    for name in &names {
        let alone = data(&world, &asked("VALUE", name)).await;
        for at in [
            "/regions/regions/0/figures",
            "/regions/total",
            "/regionBoard/points/0/figures",
            "/storeRanking/stores/0/figures",
        ] {
            let of = |answer: &Value| answer.pointer(at).unwrap()[name].clone();
            assert_eq!(of(&alone), of(&all), "{name} at {at}");
        }
        seen.insert(all["regions"]["total"][name].to_string());
    }
    assert_eq!(
        seen.len(),
        names.len(),
        "each its own, none nothing: {seen:?}"
    );
    assert!(!seen.contains("0"), "{seen:?}");
    // What is ranked by is read although no figure is shown.
    let ranks = data(
        &world,
        "{ __type(name: \"RankBy\") { enumValues { name } } }",
    )
    .await;
    for by in ranks["__type"]["enumValues"].as_array().unwrap() {
        let ranking = data(&world, &asked(by["name"].as_str().unwrap(), "__typename")).await;
        let share = &ranking["storeRanking"]["stores"][0]["share"];
        assert_eq!(share, "1.0000", "{by}");
    }
}

#[tokio::test]
async fn a_trend_compares_an_hour_with_the_one_before_and_with_yesterdays() {
    let world = world();
    {
        let mut metrics = world.fake.metrics.lock().unwrap();
        metrics
            .flow
            .push(row(1, "BKK", "2026-01-09T18:00:00Z", 8, 1));
        metrics
            .flow
            .push(row(1, "BKK", "2026-01-09T17:00:00Z", 50, 1));
        metrics.timings = Some(Timings {
            steps: Vec::new(),
            stages: vec![Timing {
                of: Stage::Intake,
                store_id: None,
                day: None,
                durations: Durations::measured(&[1_000, 3_000]),
            }],
            position: Position(7),
        });
    }
    let query = "{ storeTrend(storeId: \"CFR001\", at: \"2026-01-10T18:30:00Z\") { storeId hour
        statuses { status statusCode count reached hourBefore sameHourYesterday }
        figures { placed } hourBefore { placed } sameHourYesterday { placed }
        hours { at figures { delivered } } stages { stage durations { count meanMs maxMs } } } }";
    let trend = data(&world, query).await["storeTrend"].clone();
    assert_eq!(trend["hour"], "2026-01-10T18:00:00Z");
    assert_eq!(
        trend["statuses"][0],
        json!({ "status": "OPEN", "statusCode": 1000, "count": 0, "reached": 2, "hourBefore": 3, "sameHourYesterday": 8 })
    );
    assert_eq!(trend["statuses"].as_array().unwrap().len(), 15);
    assert_eq!(
        trend["hours"].as_array().unwrap().len(),
        3,
        "the hour of 50 is too long ago"
    );
    assert_eq!(
        trend["stages"],
        json!([{ "stage": "INTAKE", "durations": { "count": 2, "meanMs": "2000.0000", "maxMs": "3000.0000" } }])
    );
    let asked = world.fake.metrics.lock().unwrap().asked[1].span;
    let day: NaiveDate = "2026-01-11".parse().unwrap();
    assert_eq!(
        asked,
        Span::Days { from: day, to: day },
        "half past one at night in Bangkok"
    );
    let far = "{ storeTrend(storeId: \"CFR001\") { figures { placed } } }";
    assert_eq!(
        data(&world, far).await["storeTrend"]["figures"]["placed"],
        0
    );
}

#[tokio::test]
async fn bundles_show_rates_that_are_rounded_down_and_none_of_nothing() {
    let world = world();
    {
        let mut metrics = world.fake.metrics.lock().unwrap();
        metrics.bundles = vec![BundleRow {
            bundle_id: "MORNING".parse().unwrap(),
            sales: BundleSales {
                orders: 3,
                sold: 3,
                delivered: 2,
                revenue_units: 3_000_000,
                savings_units: 1,
                ..BundleSales::default()
            },
            components: vec![ComponentRow {
                sku: "COFFEE".parse().unwrap(),
                sales: ComponentSales {
                    quantity_units: 30_000,
                    revenue_units: 1_000_000,
                },
            }],
        }];
        metrics.baskets = Baskets {
            orders: 6,
            bundle_orders: 2,
            value_units: 60_000_000,
            bundle_order_units: 25_000_001,
            bundle_units: 3_000_000,
            single_units: 57_000_000,
        };
    }
    let query = "{ bundlePerformance(from: \"2026-01-11\", to: \"2026-01-11\") { count
        bundles { bundleId sold fulfilmentRate revenue savings components { sku quantity revenue share } }
        baskets { orders attachRate meanWithBundle meanWithoutBundle bundleShare } } }";
    let read = data(&world, query).await["bundlePerformance"].clone();
    assert_eq!(
        read,
        json!({ "count": 1, "bundles": [{ "bundleId": "MORNING", "sold": 3, "fulfilmentRate": "0.6666", "revenue": "300.0000",
            "savings": "0.0001", "components": [{ "sku": "COFFEE", "quantity": "3.0000", "revenue": "100.0000", "share": "0.3333" }] }],
            "baskets": { "orders": 6, "attachRate": "0.3333", "meanWithBundle": "1250.0000", "meanWithoutBundle": "874.9999",
            "bundleShare": "0.0500" } })
    );
    let query = query.replace(
        "to: \"2026-01-11\"",
        "to: \"2026-01-11\", bundleId: \"NOTHING\"",
    );
    assert_eq!(
        data(&world, &query).await["bundlePerformance"]["bundles"],
        json!([])
    );
    world.fake.metrics.lock().unwrap().baskets = Baskets::default();
    let read = data(&world, &query).await["bundlePerformance"]["baskets"].clone();
    assert_eq!(
        (&read["attachRate"], &read["meanWithBundle"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn partners_and_steps_show_their_durations_in_milliseconds() {
    let world = world();
    {
        let mut metrics = world.fake.metrics.lock().unwrap();
        metrics.partners = vec![PartnerRow {
            partner_id: None,
            store_id: None,
            day: None,
            figures: Partner {
                handed_over: 3,
                delivered: 2,
                collected_in_time: 1,
                variance_units: -5_000,
                ..Partner::default()
            },
            rides: Durations::measured(&[600_000]),
        }];
        metrics.timings = Some(Timings {
            steps: vec![Timing {
                of: Step::Pay,
                store_id: Some(store(1)),
                day: Some("2026-01-11".parse().unwrap()),
                durations: Durations::measured(&[7, 1_500]),
            }],
            stages: Vec::new(),
            position: Position(7),
        });
    }
    let query = "{ partnerPerformance(from: \"2026-01-11\", to: \"2026-01-11\") {
        partners { partnerId handedOver deliverySuccess cashSuccess varianceSum rides { count p50Ms p95Ms } } }
        stepTimings(from: \"2026-01-11\", to: \"2026-01-11\", by: DAY) {
        steps { step storeId day durations { count meanMs p50Ms p99Ms maxMs } } } }";
    let read = data(&world, query).await;
    assert_eq!(
        read["partnerPerformance"]["partners"],
        json!([{ "partnerId": null, "handedOver": 3, "deliverySuccess": "0.6666", "cashSuccess": "0.5000", "varianceSum": "-0.5000",
            "rides": { "count": 1, "p50Ms": "600000.0000", "p95Ms": "600000.0000" } }])
    );
    assert_eq!(
        read["stepTimings"]["steps"],
        json!([{ "step": "PAY", "storeId": "CFR001", "day": "2026-01-11",
            "durations": { "count": 2, "meanMs": "0.7530", "p50Ms": "0.0070", "p99Ms": "1.5000", "maxMs": "1.5000" } }])
    );
}

const ALL: [&str; 7] = [
    "regions(from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
    "regionBoard(region: \"BKK\", from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
    "storeRanking(from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
    "storeTrend(storeId: \"CFR001\", ARGS) { position }",
    "bundlePerformance(from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
    "partnerPerformance(from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
    "stepTimings(from: \"2026-01-11\", to: \"2026-01-11\", ARGS) { position }",
];

fn queries(args: &str) -> Vec<String> {
    let with = |query: &&str| format!("{{ {} }}", query.replace(", ARGS", args));
    ALL.iter().map(with).collect()
}

#[tokio::test]
async fn every_query_is_asked_within_the_callers_stores() {
    let world = world();
    let own = world.token(Role::StoreManager, &["CFR001"]);
    for query in queries("") {
        let answer = world.query_as(&own, &query, json!({})).await.json();
        assert_eq!(answer["errors"], Value::Null, "{query}: {answer}");
    }
    let asked = std::mem::take(&mut world.fake.metrics.lock().unwrap().asked);
    // Two for each that looks at the time before, and flow and stages for the trend.
    assert_eq!(asked.len(), 10);
    for filter in asked {
        assert_eq!(filter.allowed, StoreScope::Only(vec![store(1)]));
    }
    let foreign = "{ regionBoard(region: \"CNX\", from: \"2026-01-11\", to: \"2026-01-11\") { stores { storeId } figures { placed } }
        storeRanking(from: \"2026-01-11\", to: \"2026-01-11\", storeIds: [\"CFR003\"]) { count }
        storeTrend(storeId: \"CFR003\") { position } absent: storeTrend(storeId: \"nowhere\") { position } }";
    let answer = world.query_as(&own, foreign, json!({})).await.json();
    let nothing = json!({ "regionBoard": { "stores": [], "figures": { "placed": 0 } }, "storeRanking": { "count": 0 },
        "storeTrend": null, "absent": null });
    assert_eq!(answer["data"], nothing, "{answer}");
    let refused = world.fake.refused.lock().unwrap().clone();
    let targets: Vec<&str> = refused.iter().map(|r| r.target.as_str()).collect();
    assert_eq!(targets, ["CFR003"], "the attempt is audited once");
    let region = world.token(Role::RegionalCoordinator, &["CFR001", "CFR002"]);
    let regions = "{ regions(from: \"2026-01-11\", to: \"2026-01-11\") { regions { region } } }";
    let answer = world.query_as(&region, regions, json!({})).await.json();
    assert_eq!(
        answer["data"]["regions"]["regions"],
        json!([{ "region": "BKK" }])
    );
    let stranger = world.scoped(Role::StoreManager, &["CFR001"], Some("profile"));
    for query in queries("") {
        let answer = world.query_as(&stranger, &query, json!({})).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_query_waits_for_what_it_must_show_and_no_longer_than_it_may() {
    let world = world();
    world.fake.stale.store(true, Ordering::SeqCst);
    for query in queries(", fresh: { minPosition: \"9\", waitMs: 1 }") {
        let answer = world.query(&query, json!({})).await;
        assert_eq!(answer.code(), "STALE_READ", "{query}: {}", answer.body);
    }
    for query in queries(", fresh: { minPosition: \"9\", waitMs: 1001 }") {
        let answer = world.query(&query, json!({})).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn ranges_are_bounded_and_too_much_is_said_to_be_so() {
    let world = world();
    for query in [
        "regions(from: \"2026-01-12\", to: \"2026-01-11\") { position }",
        "regions(from: \"2026-01-01\", to: \"2026-04-03\") { position }",
        "regions(from: \"-262143-01-01\", to: \"-262143-01-01\") { position }",
        "regions(from: \"2200-01-01\", to: \"2200-01-01\") { position }",
        "regions(from: \"2199-12-31\", to: \"2200-01-01\") { position }",
        "regionBoard(region: \"BKK\", from: \"2026-01-01\", to: \"2026-04-03\") { position }",
        "regionBoard(region: \"BKK\", from: \"2026-01-01\", to: \"2026-01-08\", by: HOUR) { position }",
        "regionBoard(region: \" \", from: \"2026-01-01\", to: \"2026-01-01\") { position }",
        "storeRanking(from: \"2026-01-01\", to: \"2026-01-01\", first: 101) { position }",
        "storeRanking(from: \"2026-01-01\", to: \"2026-01-01\", storeIds: [\"x\"]) { position }",
        "bundlePerformance(from: \"2026-01-01\", to: \"2026-01-01\", first: 0) { position }",
        "bundlePerformance(from: \"2026-01-01\", to: \"2026-01-01\", bundleId: \"\") { position }",
        "partnerPerformance(from: \"2026-01-01\", to: \"2026-01-01\", partnerId: \"grab\") { position }",
        "stepTimings(from: \"2026-01-01\", to: \"2026-04-03\") { position }",
    ] {
        let answer = world.query(&format!("{{ {query} }}"), json!({})).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{query}: {}", answer.body);
    }
    data(
        &world,
        "{ regions(from: \"2026-01-01\", to: \"2026-04-02\") { position } }",
    )
    .await;
    let week = "{ regionBoard(region: \"BKK\", from: \"2026-01-01\", to: \"2026-01-07\", by: HOUR) { position } }";
    data(&world, week).await;
    world.fake.metrics.lock().unwrap().too_much = true;
    for query in queries("") {
        let answer = world.query(&query, json!({})).await;
        assert_eq!(answer.code(), "TOO_MUCH", "{query}: {}", answer.body);
    }
}
