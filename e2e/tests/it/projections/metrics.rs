//! The metrics against a fold of the log, and against the plainest counting that there is.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, TimeDelta, Utc};
use domain::{
    actor::StoreScope,
    calendar::business_day,
    ids::{BundleId, PartnerId, StoreId},
    order::{Order, OrderStatus, event::OrderedBundle},
};
use projections::{
    ReadError,
    metrics::{
        Figures, MAX_DAYS, MAX_HOURS, MetricsFilter, Span, Wanted,
        bundle_sales::{self, Baskets, BundleSales},
        partner::{self, Partner, PartnerBy},
        regional::{Flow, FlowBy, FlowRow, beside, flow},
        step_timings::{self, Stage, Step, TimingBy, Timings},
    },
};

use super::{
    support::{TestDb, fresh_db, store_id},
    trade::{MOVES, Trade, traded},
};

/// The days on which the orders were placed: when the test ran.
fn today() -> Span {
    let today = business_day(Utc::now());
    Span::Days {
        from: today - Duration::days(1),
        to: today,
    }
}

/// The days on which they live on, as their events say.
fn later() -> Span {
    Span::Days {
        from: "2026-01-01".parse().unwrap(),
        to: "2026-01-31".parse().unwrap(),
    }
}

fn everything(span: Span) -> MetricsFilter {
    MetricsFilter::within(StoreScope::All, span)
}

async fn flows(db: &TestDb, span: Span, by: FlowBy) -> Vec<FlowRow> {
    flow(&db.db, &everything(span), by, Wanted::ALL)
        .await
        .unwrap()
        .rows
}

fn count(orders: &[&Order], what: impl Fn(&Order) -> bool) -> i64 {
    i64::try_from(orders.iter().filter(|o| what(o)).count()).unwrap()
}

fn sum(orders: &[&Order], what: impl Fn(&Order) -> i64) -> i64 {
    orders.iter().map(|o| what(o)).sum()
}

#[tokio::test]
async fn the_flow_of_a_store_is_what_its_orders_say() {
    let (db, runner, trade) = traded(60, MOVES).await;
    db.assert_clean().await;
    let placed = flows(&db, today(), FlowBy::Store).await;
    let delivered = flows(&db, later(), FlowBy::Store).await;
    let mut seen = 0;
    for n in 1..=8 {
        let store = store_id(n);
        let orders: Vec<&Order> = trade
            .orders
            .iter()
            .map(|l| &l.order)
            .filter(|o| o.store_id == store)
            .collect();
        let own = |rows: &[FlowRow]| {
            let rows = rows.iter().filter(|r| r.store_id.as_ref() == Some(&store));
            Flow::total(rows.map(|r| &r.flow).collect::<Vec<_>>())
        };
        let (now, then) = (own(&placed), own(&delivered));
        let cancelled = |o: &Order| o.status == OrderStatus::Cancelled;
        assert_eq!(now.placed, count(&orders, |_| true));
        assert_eq!(now.cancelled, count(&orders, cancelled));
        let value = |o: &Order| {
            if cancelled(o) {
                0
            } else {
                o.totals.order_total.units()
            }
        };
        assert_eq!(now.value_units, sum(&orders, value));
        assert_eq!(now.cash_due_units, sum(&orders, |o| o.cod_due().units()));
        assert_eq!(then.delivered, count(&orders, |o| o.delivered_at.is_some()));
        assert_eq!(
            then.returns,
            sum(&orders, |o| i64::try_from(o.returns.len()).unwrap())
        );
        assert_eq!(
            then.failed_deliveries,
            sum(&orders, |o| i64::try_from(o.attempts.len()).unwrap())
        );
        seen += then.delivered;
    }
    assert!(seen > 20, "{seen}");
    runner.stop().await;
}

/// A row's key and figures, to compare groupings with.
type Group = BTreeMap<(String, Option<StoreId>), Vec<Flow>>;

fn grouped(rows: &[FlowRow], by_store: bool) -> Vec<Flow> {
    let mut groups: Group = BTreeMap::new();
    for row in rows {
        let store = row.store_id.clone().filter(|_| by_store);
        groups
            .entry((row.region.to_string(), store))
            .or_default()
            .push(row.flow);
    }
    groups.values().map(Flow::total).collect()
}

#[tokio::test]
async fn hours_add_up_to_days_stores_to_regions_and_nothing_is_counted_twice() {
    let (db, runner, _) = traded(61, MOVES).await;
    let days = flows(&db, later(), FlowBy::StoreTime).await;
    let stores: Vec<Flow> = flows(&db, later(), FlowBy::Store)
        .await
        .iter()
        .map(|r| r.flow)
        .collect();
    let regions: Vec<Flow> = flows(&db, later(), FlowBy::Region)
        .await
        .iter()
        .map(|r| r.flow)
        .collect();
    assert_eq!(grouped(&days, true), stores);
    assert_eq!(grouped(&days, false), regions);
    assert_eq!(regions.len(), 3);
    let (mut hours, mut day) = (Vec::new(), "2026-01-01".parse::<NaiveDate>().unwrap());
    for _ in 0..31 {
        hours.extend(flows(&db, Span::hours_of(day, day), FlowBy::StoreTime).await);
        day += Duration::days(1);
    }
    assert!(hours.len() > days.len());
    let mut by_day: BTreeMap<(StoreId, NaiveDate), Vec<Flow>> = BTreeMap::new();
    for hour in &hours {
        let key = (
            hour.store_id.clone().unwrap(),
            business_day(hour.at.unwrap()),
        );
        by_day.entry(key).or_default().push(hour.flow);
    }
    for row in &days {
        let key = (row.store_id.clone().unwrap(), business_day(row.at.unwrap()));
        assert_eq!(
            Flow::total(&by_day.remove(&key).unwrap()),
            row.flow,
            "{key:?}"
        );
    }
    assert!(by_day.is_empty());
    runner.stop().await;
}

#[tokio::test]
async fn figures_beside_those_of_the_time_before_are_those_of_each() {
    let (db, runner, _) = traded(63, MOVES).await;
    // Each cut where something happened on both sides.
    let traded = flows(&db, later(), FlowBy::StoreTime).await;
    let mut traded: Vec<_> = traded.iter().filter_map(|row| row.at).collect();
    traded.sort_unstable();
    let (first, last) = (
        business_day(traded[0]),
        business_day(*traded.last().unwrap()),
    );
    assert!(first < last, "on one day only: {first}");
    let days = Span::Days {
        from: last,
        to: last + (last - first),
    };
    let of_a_day = flows(&db, Span::hours_of(first, first), FlowBy::StoreTime).await;
    let last = of_a_day.iter().filter_map(|row| row.at).max().unwrap();
    let hours = Span::Hours {
        from: last,
        until: last + TimeDelta::hours(24),
    };
    for span in [days, hours] {
        for by in [FlowBy::Region, FlowBy::Store, FlowBy::StoreTime] {
            let both = beside(&db.db, &everything(span), by, Wanted::ALL)
                .await
                .unwrap();
            assert_eq!(both.now, flows(&db, span, by).await, "{span:?} {by:?}");
            assert_eq!(
                both.before,
                flows(&db, span.before(), by).await,
                "{span:?} {by:?}"
            );
            assert!(!both.now.is_empty() && !both.before.is_empty(), "{span:?}");
            assert_eq!(both.position, db.log.head().await.unwrap().position);
            let wanted = Flow::wanted(&["delivered"]);
            let some = beside(&db.db, &everything(span), by, wanted).await.unwrap();
            for (some, all) in some.now.iter().zip(&both.now) {
                let flow = Flow {
                    delivered: all.flow.delivered,
                    ..Flow::default()
                };
                assert_eq!(
                    some,
                    &FlowRow {
                        flow,
                        ..all.clone()
                    }
                );
            }
        }
    }
    let span = later();
    let timings = step_timings::timings(&db.db, &everything(span), TimingBy::Store)
        .await
        .unwrap();
    let stages = step_timings::stages(&db.db, &everything(span), TimingBy::Store)
        .await
        .unwrap();
    assert_eq!(
        (stages.rows, stages.position),
        (timings.stages, timings.position)
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_caller_sees_the_figures_of_its_stores_only_and_only_so_much() {
    let (db, runner, _) = traded(62, MOVES).await;
    let head = db.log.head().await.unwrap().position;
    let all = flows(&db, later(), FlowBy::StoreTime).await;
    let mine = [store_id(2), store_id(3)];
    let mut filter = MetricsFilter::within(StoreScope::Only(mine.to_vec()), later());
    let read = |filter: MetricsFilter| {
        let db = db.db.clone();
        async move { flow(&db, &filter, FlowBy::StoreTime, Wanted::ALL).await }
    };
    let seen = read(filter.clone()).await.unwrap();
    assert_eq!(seen.position, head);
    let own = |stores: &[StoreId]| -> Vec<FlowRow> {
        let rows = all
            .iter()
            .filter(|r| stores.contains(r.store_id.as_ref().unwrap()));
        rows.cloned().collect()
    };
    assert_eq!(seen.rows, own(&mine));
    filter.stores = Some(vec![store_id(3), store_id(4)]);
    assert_eq!(read(filter.clone()).await.unwrap().rows, own(&mine[1..]));
    filter.stores = Some(vec![store_id(4)]);
    let nothing = Figures {
        rows: Vec::new(),
        position: head,
    };
    assert_eq!(read(filter.clone()).await.unwrap(), nothing);
    filter.allowed = StoreScope::Only(Vec::new());
    filter.stores = None;
    assert_eq!(read(filter.clone()).await.unwrap(), nothing);
    assert!(
        bundle_sales::performance(&db.db, &filter, None)
            .await
            .unwrap()
            .bundles
            .is_empty()
    );
    assert!(
        partner::performance(&db.db, &filter, PartnerBy::Day, None)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let timings = step_timings::timings(&db.db, &filter, TimingBy::Total)
        .await
        .unwrap();
    assert_eq!(
        timings,
        Timings {
            steps: Vec::new(),
            stages: Vec::new(),
            position: head
        }
    );
    runner.stop().await;
}

#[tokio::test]
async fn nobody_reads_more_than_a_season_of_days_or_a_week_of_hours() {
    let db = fresh_db().await;
    let read = |filter: MetricsFilter| {
        let db = db.db.clone();
        async move { flow(&db, &filter, FlowBy::StoreTime, Wanted::ALL).await }
    };
    let from: NaiveDate = "2026-01-01".parse().unwrap();
    let days = |days: i64| Span::Days {
        from,
        to: from + Duration::days(days - 1),
    };
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let hours = |hours: i64| Span::Hours {
        from: start,
        until: start + TimeDelta::hours(hours),
    };
    for (span, too_long) in [
        (days(MAX_DAYS), days(MAX_DAYS + 1)),
        (hours(MAX_HOURS), hours(MAX_HOURS + 1)),
    ] {
        assert!(read(everything(span)).await.is_ok());
        let refused = read(everything(too_long)).await;
        assert!(
            matches!(refused, Err(ReadError::PageSize { .. })),
            "{refused:?}"
        );
    }
    let nothing = read(everything(days(0))).await.unwrap();
    assert_eq!(nothing.rows, Vec::new());
}

fn is_lost(order: &Order, bundle: &OrderedBundle) -> bool {
    order.bundle_status(&bundle.ref_id) == Some(OrderStatus::Cancelled)
}

/// How the one bundle sold, order by order.
fn sales(orders: &[&Order]) -> BundleSales {
    let mut sales = BundleSales::default();
    for (order, bundle) in orders
        .iter()
        .flat_map(|o| o.bundles.iter().map(move |b| (*o, b)))
    {
        sales.orders += 1;
        sales.sold += 1;
        if is_lost(order, bundle) {
            sales.cancelled += 1;
            continue;
        }
        sales.delivered += i64::from(order.delivered_at.is_some());
        sales.apart_units += 1_090_000;
        for line in order.bundle_lines(&bundle.ref_id) {
            if line.is_open() {
                sales.revenue_units += line.line.net.units();
                sales.savings_units += line.line.discount.units();
            }
            let back = order.returns.iter().flat_map(|r| &r.lines);
            let back = back.filter(|r| r.line_number == line.line.line_number);
            sales.returned_units += back.map(|r| r.value.units()).sum::<i64>();
        }
    }
    sales
}

fn baskets(orders: &[&Order], bundle_units: i64) -> Baskets {
    let live = orders.iter().copied();
    let live: Vec<&Order> = live
        .filter(|o| o.status != OrderStatus::Cancelled)
        .collect();
    let with_bundle = |o: &Order| o.bundles.iter().any(|b| !is_lost(o, b));
    let value = |o: &Order| o.totals.order_total.units();
    Baskets {
        orders: count(&live, |_| true),
        bundle_orders: count(&live, with_bundle),
        value_units: sum(&live, value),
        bundle_order_units: sum(&live, |o| if with_bundle(o) { value(o) } else { 0 }),
        bundle_units,
        single_units: sum(&live, value) - bundle_units,
    }
}

#[tokio::test]
async fn bundles_sell_what_the_orders_say() {
    let db = fresh_db().await;
    let mut trade = Trade::new(63);
    let runner = db.run();
    // One order in five holds a bundle.
    trade.run(&db.log, 150, 2_500).await;
    db.caught_up().await;
    let orders: Vec<&Order> = trade.orders.iter().map(|l| &l.order).collect();
    let read = bundle_sales::performance(&db.db, &everything(today()), None)
        .await
        .unwrap();
    let [bundle] = &read.bundles[..] else {
        panic!("{:?}", read.bundles);
    };
    let expected = sales(&orders);
    assert!(
        expected.cancelled > 0 && expected.delivered > 3 && expected.returned_units > 0,
        "{expected:?}"
    );
    assert_eq!(bundle.sales, expected);
    let components: i64 = bundle
        .components
        .iter()
        .map(|c| c.sales.revenue_units)
        .sum();
    assert_eq!(components, expected.revenue_units);
    assert_eq!(read.baskets, baskets(&orders, expected.revenue_units));
    let other = BundleId::new("NOTHING").unwrap();
    let read = bundle_sales::performance(&db.db, &everything(today()), Some(&other))
        .await
        .unwrap();
    assert!(read.bundles.is_empty());
    runner.stop().await;
}

/// Whether an order was handed over to a partner, or to nobody known.
fn is_with(order: &Order, partner: Option<&PartnerId>) -> bool {
    let carrier = order
        .carrier
        .as_ref()
        .and_then(|c| PartnerId::new(c.clone()).ok());
    let own = order.collection.partner_id.clone().or(carrier);
    let handed_over = order.delivered_at.is_some() || order.status >= OrderStatus::Shipped;
    own.as_ref() == partner && handed_over && order.status != OrderStatus::Cancelled
}

/// How a partner performed, order by order.
fn performance(orders: &[&Order]) -> Partner {
    let mut partner = Partner::default();
    for order in orders {
        let cash = &order.collection;
        let (delivered, collected) = (order.delivered_at, cash.collected_at);
        let in_time = collected
            .zip(delivered)
            .is_some_and(|(c, d)| c - d <= TimeDelta::hours(24));
        let failed = i64::try_from(order.attempts.len()).unwrap();
        let variance = cash.reconciled.as_ref().map(|r| r.variance.units());
        partner.handed_over += 1;
        partner.delivered += i64::from(delivered.is_some());
        partner.delivered_at_once += i64::from(delivered.is_some() && failed == 0);
        partner.failed_attempts += failed;
        partner.undelivered += i64::from(order.is_undelivered());
        partner.collected += i64::from(delivered.and(collected).is_some());
        partner.collected_in_time += i64::from(in_time);
        partner.discrepancies += i64::from(!cash.discrepancy.is_zero());
        partner.discrepancy_units += cash.discrepancy.units();
        partner.settled += i64::from(variance.is_some());
        partner.variances += i64::from(variance.is_some_and(|v| v != 0));
        partner.variance_units += variance.unwrap_or_default();
    }
    partner
}

#[tokio::test]
async fn partners_deliver_and_collect_what_the_orders_say() {
    let (db, runner, trade) = traded(64, MOVES).await;
    // Orders are handed over today by the log's own clock, or on their delivery day when that was all that was heard.
    let mut figures: BTreeMap<Option<PartnerId>, Vec<Partner>> = BTreeMap::new();
    let mut rides = 0;
    for span in [today(), later()] {
        let read = partner::performance(&db.db, &everything(span), PartnerBy::Total, None)
            .await
            .unwrap();
        for row in read.rows {
            assert_eq!(row.rides.count, row.figures.delivered);
            rides += row.rides.count;
            figures.entry(row.partner_id).or_default().push(row.figures);
        }
        let days = partner::performance(&db.db, &everything(span), PartnerBy::Day, None)
            .await
            .unwrap();
        let stores = partner::performance(&db.db, &everything(span), PartnerBy::Store, None)
            .await
            .unwrap();
        let all = |rows: &[partner::PartnerRow]| Partner::total(rows.iter().map(|r| &r.figures));
        assert_eq!(all(&days.rows), all(&stores.rows));
    }
    assert!(rides > 20, "{rides}");
    let orders: Vec<&Order> = trade.orders.iter().map(|l| &l.order).collect();
    for (partner, rows) in &figures {
        let own: Vec<&Order> = orders
            .iter()
            .copied()
            .filter(|o| is_with(o, partner.as_ref()))
            .collect();
        assert_eq!(Partner::total(rows), performance(&own), "{partner:?}");
    }
    assert!(figures.len() >= 2, "{:?}", figures.keys());
    runner.stop().await;
}

#[tokio::test]
async fn steps_and_stages_take_what_the_events_say() {
    let (db, runner, trade) = traded(65, MOVES).await;
    let read = step_timings::timings(&db.db, &everything(today()), TimingBy::Total)
        .await
        .unwrap();
    let placed = i64::try_from(trade.orders.len()).unwrap();
    let steps: Vec<Step> = read.steps.iter().map(|t| t.of).collect();
    assert_eq!(steps, [Step::Validate, Step::Allocate, Step::Release]);
    let validate = &read.steps[0].durations;
    assert_eq!(
        (validate.count, validate.total, validate.longest),
        (placed, 40 * placed, Some(40))
    );
    assert_eq!(
        (
            validate.mean(),
            validate.quantile(500),
            validate.quantile(990)
        ),
        (Some(40), Some(40), Some(40))
    );
    let release = &read.steps[2].durations;
    assert_eq!(release.quantile(950), Some(1_500));
    let intake = read.stages.iter().find(|t| t.of == Stage::Intake).unwrap();
    assert_eq!(intake.durations.count, release.count);
    for by in [TimingBy::Store, TimingBy::Day] {
        let parts = step_timings::timings(&db.db, &everything(today()), by)
            .await
            .unwrap();
        let own = parts.steps.iter().filter(|t| t.of == Step::Allocate);
        let total: i64 = own.map(|t| t.durations.total).sum();
        assert_eq!(total, read.steps[1].durations.total, "{by:?}");
    }
    runner.stop().await;
}
