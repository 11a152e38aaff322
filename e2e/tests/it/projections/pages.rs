//! The laws of paging, against a plain filter and sort in memory.

use std::collections::{HashMap, HashSet};

use domain::{
    actor::StoreScope,
    ids::{CustomerId, OrderId, PartnerId, RegionId},
    money::Money,
    order::{
        CollectionStatus, OrderStatus,
        event::{Channel, System},
    },
};
use projections::order_view::{
    self, CursorError, OrderFilter, OrderRow, OrderSort, PageRequest, Window, page,
};
use projections::{ReadDb, ReadError};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    support::{TestDb, fresh_db, store_id},
    trade::Trade,
};

async fn filled(seed: u64) -> (TestDb, projections::Runner, Trade) {
    let db = fresh_db().await;
    let mut trade = Trade::new(seed);
    let runner = db.run();
    trade.run(&db.log, 100, 900).await;
    db.caught_up().await;
    (db, runner, trade)
}

async fn all_rows(db: &ReadDb, trade: &Trade) -> Vec<OrderRow> {
    let ids: Vec<OrderId> = trade.orders.iter().map(|o| o.id).collect();
    order_view::by_ids(db, &ids).await.unwrap()
}

fn matches(filter: &OrderFilter, row: &OrderRow) -> bool {
    let order = &row.order;
    let total = order.totals.order_total;
    filter.allowed.covers(&order.store_id)
        && filter
            .stores
            .as_ref()
            .is_none_or(|s| s.contains(&order.store_id))
        && filter
            .statuses
            .as_ref()
            .is_none_or(|s| s.contains(&order.status))
        && filter.channel.is_none_or(|c| c == order.channel)
        && filter.region.as_ref().is_none_or(|r| *r == order.region)
        && filter
            .customer_id
            .as_ref()
            .is_none_or(|c| Some(c) == order.customer_id.as_ref())
        && filter
            .number_prefix
            .as_ref()
            .is_none_or(|p| order.number.as_str().starts_with(p))
        && filter.reference.as_ref().is_none_or(|(system, reference)| {
            order
                .refs
                .iter()
                .any(|r| r.system == *system && r.reference == *reference)
        })
        && filter.placed_from.is_none_or(|t| row.placed_at >= t)
        && filter.placed_to.is_none_or(|t| row.placed_at < t)
        && filter.updated_from.is_none_or(|t| row.updated_at >= t)
        && filter.updated_to.is_none_or(|t| row.updated_at < t)
        && filter.total_min.is_none_or(|t| total >= t)
        && filter.total_max.is_none_or(|t| total <= t)
        && filter
            .collection
            .as_ref()
            .is_none_or(|c| c.contains(&order.collection.status))
        && filter
            .partner_id
            .as_ref()
            .is_none_or(|p| Some(p) == order.collection.partner_id.as_ref())
        && filter.is_stuck.is_none_or(|f| f == order.is_stuck)
        && filter
            .is_overdue
            .is_none_or(|f| f == order.is_collection_overdue)
        && filter
            .has_bundles
            .is_none_or(|f| f != order.bundles.is_empty())
}

fn expected(rows: &[OrderRow], filter: &OrderFilter, sort: OrderSort) -> Vec<OrderId> {
    let mut rows: Vec<&OrderRow> = rows.iter().filter(|row| matches(filter, row)).collect();
    rows.sort_by_key(|row| {
        let key = match sort {
            OrderSort::NewestFirst | OrderSort::OldestFirst => row.placed_at.timestamp_micros(),
            OrderSort::UpdatedFirst => row.updated_at.timestamp_micros(),
            OrderSort::TotalDesc => row.order.totals.order_total.units(),
        };
        (key, row.id)
    });
    if sort != OrderSort::OldestFirst {
        rows.reverse();
    }
    rows.into_iter().map(|row| row.id).collect()
}

/// A filter with each condition present now and then, taken from rows that exist.
fn some_filter(rng: &mut StdRng, rows: &[OrderRow]) -> OrderFilter {
    let stores =
        |rng: &mut StdRng, n: u32| (1..=n).map(|_| store_id(rng.random_range(1..=9))).collect();
    let mut filter = OrderFilter::within(StoreScope::All);
    if rng.random_ratio(1, 3) {
        filter.allowed = StoreScope::Only(stores(rng, 4));
    }
    if rng.random_ratio(1, 4) {
        let n = rng.random_range(0..4);
        filter.stores = Some(stores(rng, n));
    }
    if rng.random_ratio(1, 4) {
        let n = rng.random_range(0..5);
        filter.statuses = Some(
            (0..n)
                .map(|_| *OrderStatus::ALL.choose(rng).unwrap())
                .collect(),
        );
    }
    filter.channel = rng
        .random_ratio(1, 6)
        .then(|| *Channel::ALL.choose(rng).unwrap());
    filter.region = rng
        .random_ratio(1, 6)
        .then(|| RegionId::new(format!("R{}", rng.random_range(1..=3))).unwrap());
    filter.customer_id = rng
        .random_ratio(1, 8)
        .then(|| CustomerId::new(format!("C{}", rng.random_range(1..=20))).unwrap());
    filter.number_prefix = rng.random_ratio(1, 6).then(|| {
        let number = rows.choose(rng).unwrap().order.number.to_string();
        number[..rng.random_range(0..=number.len())].to_owned()
    });
    filter.reference = rng
        .random_ratio(1, 12)
        .then(|| (System::Grab, format!("GF-{}", rng.random_range(1..=150))));
    let placed = |rng: &mut StdRng| {
        rng.random_ratio(1, 8)
            .then(|| rows.choose(rng).unwrap().placed_at)
    };
    let updated = |rng: &mut StdRng| {
        rng.random_ratio(1, 8)
            .then(|| rows.choose(rng).unwrap().updated_at)
    };
    let total = |rng: &mut StdRng| {
        rng.random_ratio(1, 8)
            .then(|| Money::from_units(rng.random_range(0..=20) * 250_000))
    };
    (filter.placed_from, filter.placed_to) = (placed(rng), placed(rng));
    (filter.updated_from, filter.updated_to) = (updated(rng), updated(rng));
    (filter.total_min, filter.total_max) = (total(rng), total(rng));
    some_cash(rng, &mut filter);
    filter
}

fn some_cash(rng: &mut StdRng, filter: &mut OrderFilter) {
    use CollectionStatus as C;
    filter.collection = rng.random_ratio(1, 8).then(|| {
        let n = rng.random_range(1..3);
        let all = [
            C::Pending,
            C::InTransit,
            C::Collected,
            C::Failed,
            C::Reconciled,
        ];
        (0..n).map(|_| *all.choose(rng).unwrap()).collect()
    });
    filter.partner_id = rng
        .random_ratio(1, 12)
        .then(|| PartnerId::new("GRAB").unwrap());
    let flag = |rng: &mut StdRng| rng.random_ratio(1, 10).then(|| rng.random_bool(0.3));
    (filter.is_stuck, filter.is_overdue) = (flag(rng), flag(rng));
    filter.has_bundles = flag(rng);
}

async fn walk_forward(
    db: &ReadDb,
    filter: &OrderFilter,
    sort: OrderSort,
    first: i64,
) -> Vec<OrderId> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let window = Window::Forward {
            first,
            after: after.clone(),
        };
        let page = page(
            db,
            &PageRequest {
                filter: filter.clone(),
                sort,
                window,
            },
        )
        .await
        .unwrap();
        assert_eq!(page.has_previous, after.is_some());
        assert!(page.edges.len() as i64 <= first);
        seen.extend(page.edges.iter().map(|e| e.row.id));
        if !page.has_next {
            return seen;
        }
        assert_eq!(
            page.edges.len() as i64,
            first,
            "a page is short only at the end"
        );
        after = page.edges.last().map(|e| e.cursor.clone());
    }
}

async fn walk_backward(
    db: &ReadDb,
    filter: &OrderFilter,
    sort: OrderSort,
    last: i64,
) -> Vec<OrderId> {
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let window = Window::Backward {
            last,
            before: before.clone(),
        };
        let page = page(
            db,
            &PageRequest {
                filter: filter.clone(),
                sort,
                window,
            },
        )
        .await
        .unwrap();
        let mut ids: Vec<OrderId> = page.edges.iter().map(|e| e.row.id).collect();
        ids.extend(seen);
        seen = ids;
        if !page.has_previous {
            return seen;
        }
        before = page.edges.first().map(|e| e.cursor.clone());
    }
}

#[tokio::test]
async fn pages_joined_are_the_list_in_both_directions() {
    let (db, runner, trade) = filled(20).await;
    let rows = all_rows(&db.db, &trade).await;
    let mut rng = StdRng::seed_from_u64(21);
    let mut lengths = 0;
    for round in 0..100 {
        let sort = *OrderSort::ALL.choose(&mut rng).unwrap();
        let filter = some_filter(&mut rng, &rows);
        let size = rng.random_range(1..=40);
        let expected = expected(&rows, &filter, sort);
        lengths += expected.len();
        let forward = walk_forward(&db.db, &filter, sort, size).await;
        assert_eq!(forward, expected, "round {round}: {sort} {filter:?}");
        let backward = walk_backward(&db.db, &filter, sort, size).await;
        assert_eq!(backward, expected, "round {round}: {sort} {filter:?}");
    }
    assert!(
        lengths > 700,
        "the filters leave next to nothing: {lengths}"
    );
    runner.stop().await;
}

fn totals(trade: &Trade) -> impl Iterator<Item = (OrderId, Money)> + '_ {
    let orders = trade.orders.iter();
    orders.map(|life| (life.id, life.order.totals.order_total))
}

#[tokio::test]
async fn new_and_moving_orders_neither_hide_nor_repeat_the_others() {
    let (db, runner, mut trade) = filled(22).await;
    for sort in [
        OrderSort::NewestFirst,
        OrderSort::OldestFirst,
        OrderSort::TotalDesc,
    ] {
        let filter = OrderFilter::within(StoreScope::All);
        let before: HashMap<OrderId, Money> = totals(&trade).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let window = Window::Forward { first: 17, after };
            let page = page(
                &db.db,
                &PageRequest {
                    filter: filter.clone(),
                    sort,
                    window,
                },
            )
            .await
            .unwrap();
            seen.extend(
                page.edges
                    .iter()
                    .map(|e| e.row.id)
                    .filter(|id| before.contains_key(id)),
            );
            // Fewer new orders than a page, or the oldest-first list would never end.
            trade.run(&db.log, 5, 20).await;
            db.caught_up().await;
            if !page.has_next {
                break;
            }
            after = page.edges.last().map(|e| e.cursor.clone());
        }
        // A list by total is in motion where totals are: an order that changed its own may be shown twice or not.
        let after: HashMap<OrderId, Money> = totals(&trade).collect();
        let stayed = |id: &OrderId| sort != OrderSort::TotalDesc || before[id] == after[id];
        seen.retain(stayed);
        let distinct: HashSet<OrderId> = seen.iter().copied().collect();
        assert_eq!(distinct.len(), seen.len(), "{sort}: a row twice");
        let expected: HashSet<OrderId> = before.keys().copied().filter(stayed).collect();
        assert!(expected.len() > 50, "{sort}: {}", expected.len());
        assert_eq!(distinct, expected, "{sort}: a row missing");
    }
    runner.stop().await;
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let db = fresh_db().await;
    let request = |sort, window| PageRequest {
        filter: OrderFilter::within(StoreScope::All),
        sort,
        window,
    };
    for first in [i64::MIN, -1, 0, 101, i64::MAX] {
        let bad = request(
            OrderSort::NewestFirst,
            Window::Forward { first, after: None },
        );
        assert!(matches!(
            page(&db.db, &bad).await,
            Err(ReadError::PageSize { .. })
        ));
    }
    let bad = request(
        OrderSort::NewestFirst,
        Window::Forward {
            first: 1,
            after: Some("nonsense".into()),
        },
    );
    assert!(matches!(
        page(&db.db, &bad).await,
        Err(ReadError::Cursor(CursorError::Malformed))
    ));
    let mut far = request(
        OrderSort::NewestFirst,
        Window::Forward {
            first: 1,
            after: None,
        },
    );
    far.filter.placed_from = Some(chrono::DateTime::<chrono::Utc>::MIN_UTC);
    far.filter.placed_to = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    far.filter.total_min = Some(Money::from_units(i64::MIN));
    far.filter.number_prefix = Some("\0".into());
    assert!(page(&db.db, &far).await.unwrap().edges.is_empty());
    far.filter.number_prefix = None;
    assert!(page(&db.db, &far).await.unwrap().edges.is_empty());
}
