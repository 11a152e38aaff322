//! The cash ledger against a fold of the log, and against the plainest book-keeping that there is.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    actor::StoreScope,
    cash::Account,
    ids::{OrderId, PartnerId, RegionId, StoreId},
    money::Money,
    order::CollectionStatus,
};
use projections::{
    Model, ReadError,
    cash_ledger::{
        Balance, CashFilter, CashOrder, DayFilter, Grouping, Outstanding, OutstandingFilter,
        PostingRow, PostingsOf, balances, cash_order, collection_days, outstanding, postings,
    },
    order_view,
    paging::Window,
};
use store::Position;

use super::{
    support::{TestDb, checkpoint, fresh_db, store_id},
    trade::{MOVES, Trade, traded},
};

fn everything() -> CashFilter {
    CashFilter::within(StoreScope::All)
}

async fn all_postings(db: &TestDb, of: &PostingsOf, size: i64) -> Vec<PostingRow> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let window = Window::Forward { first: size, after };
        let page = postings(&db.db, of, &window).await.unwrap();
        rows.extend(page.edges.iter().map(|e| e.row.clone()));
        if !page.has_next {
            return rows;
        }
        after = page.edges.last().map(|e| e.cursor.clone());
    }
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> i64 {
    amounts.into_iter().map(Money::units).sum()
}

#[tokio::test]
async fn the_ledger_equals_a_fold_of_the_log_and_adds_up_to_nothing() {
    let (db, runner, trade) = traded(30, MOVES).await;
    db.assert_clean().await;
    let cells = balances(&db.db, &everything(), Grouping::Cell)
        .await
        .unwrap();
    assert_eq!(cells.total, Money::ZERO);
    assert_eq!(cells.position, db.log.head().await.unwrap().position);
    let accounts: Vec<Account> = cells.rows.iter().map(|b| b.account).collect();
    for account in Account::ALL {
        assert!(
            accounts.contains(account),
            "{account:?} was never used: {accounts:?}"
        );
    }
    for by in [
        Grouping::Total,
        Grouping::Region,
        Grouping::Store,
        Grouping::Partner,
    ] {
        let grouped = balances(&db.db, &everything(), by).await.unwrap();
        assert_eq!(grouped.rows, regroup(&cells.rows, by), "{by:?}");
    }
    let mut at: BTreeMap<Position, i64> = BTreeMap::new();
    for life in &trade.orders {
        for row in all_postings(&db, &PostingsOf::Order(life.id), 3).await {
            assert_eq!(
                (&row.store_id, row.order_id),
                (&life.order.store_id, Some(life.id))
            );
            if row.remittance_id.is_none() {
                *at.entry(row.position).or_default() += row.amount.units();
            }
        }
    }
    cursors_stay_in_their_list(&db, &trade).await;
    for remittance in &trade.others.remittances {
        let rows = all_postings(&db, &PostingsOf::Remittance(remittance.id.clone()), 5).await;
        for row in rows {
            assert_eq!(row.remittance_id.as_ref(), Some(&remittance.id));
            *at.entry(row.position).or_default() += row.amount.units();
        }
    }
    assert!(at.len() > 80, "{}", at.len());
    assert!(at.values().all(|sum| *sum == 0), "{at:?}");
    runner.stop().await;
}

/// A cursor is good for its own list only.
async fn cursors_stay_in_their_list(db: &TestDb, trade: &Trade) {
    let of: Vec<PostingsOf> = trade
        .orders
        .iter()
        .map(|life| PostingsOf::Order(life.id))
        .collect();
    let window = Window::Forward {
        first: 1,
        after: None,
    };
    let remittance = PostingsOf::Remittance(trade.others.remittances[0].id.clone());
    let mut seen = None;
    for one in &of {
        let page = postings(&db.db, one, &window).await.unwrap();
        seen = seen.or_else(|| Some((one, page.edges.first()?.cursor.clone())));
    }
    let (owner, after) = seen.unwrap();
    let window = Window::Forward {
        first: 1,
        after: Some(after),
    };
    assert!(postings(&db.db, owner, &window).await.is_ok());
    for other in of
        .iter()
        .filter(|one| *one != owner)
        .take(1)
        .chain([&remittance])
    {
        let error = postings(&db.db, other, &window).await.unwrap_err();
        assert!(matches!(error, ReadError::Cursor(_)), "{error}");
    }
}

fn regroup(cells: &[Balance], by: Grouping) -> Vec<Balance> {
    let mut groups: BTreeMap<_, i64> = BTreeMap::new();
    for cell in cells {
        let store = cell.store_id.clone().filter(|_| by == Grouping::Store);
        let region = cell
            .region
            .clone()
            .filter(|_| matches!(by, Grouping::Store | Grouping::Region));
        let partner = cell.partner_id.clone().filter(|_| by == Grouping::Partner);
        *groups
            .entry((cell.account, region, store, partner))
            .or_default() += cell.amount.units();
    }
    let groups = groups.into_iter().filter(|(_, units)| *units != 0);
    groups
        .map(|((account, region, store_id, partner_id), units)| Balance {
            account,
            store_id,
            region,
            partner_id,
            amount: Money::from_units(units),
        })
        .collect()
}

#[tokio::test]
async fn a_caller_sees_the_balances_of_its_stores_only() {
    let (db, runner, _) = traded(31, MOVES).await;
    let all = balances(&db.db, &everything(), Grouping::Cell)
        .await
        .unwrap();
    let mine: Vec<StoreId> = vec![store_id(2), store_id(3)];
    let mut filter = CashFilter::within(StoreScope::Only(mine.clone()));
    let seen = balances(&db.db, &filter, Grouping::Cell).await.unwrap();
    let rows = |keep: &dyn Fn(&Balance) -> bool| {
        all.rows
            .iter()
            .filter(|b| keep(b))
            .cloned()
            .collect::<Vec<_>>()
    };
    let of_mine = |b: &Balance| mine.contains(b.store_id.as_ref().unwrap());
    assert_eq!(seen.rows, rows(&of_mine));
    assert_eq!(
        seen.total,
        Money::ZERO,
        "each store's accounts add up to zero"
    );
    filter.stores = Some(vec![store_id(4)]);
    assert!(
        balances(&db.db, &filter, Grouping::Cell)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let mut filter = everything();
    filter.region = RegionId::new("R2").ok();
    let seen = balances(&db.db, &filter, Grouping::Cell).await.unwrap();
    assert_eq!(seen.rows, rows(&|b| b.region == filter.region));
    filter.region = None;
    filter.partner = PartnerId::new("GRAB").ok();
    filter.account = Some(Account::Rider);
    let seen = balances(&db.db, &filter, Grouping::Cell).await.unwrap();
    let riders = rows(&|b| b.partner_id == filter.partner && b.account == Account::Rider);
    assert_eq!(seen.rows, riders);
    assert_eq!(seen.total.units(), sum(riders.iter().map(|b| b.amount)));
    runner.stop().await;
}

#[tokio::test]
async fn a_store_that_moves_to_another_region_takes_its_cash_along() {
    let (db, runner, mut trade) = traded(35, MOVES).await;
    let of_store = || CashFilter {
        stores: Some(vec![store_id(3)]),
        ..everything()
    };
    let before = balances(&db.db, &of_store(), Grouping::Cell).await.unwrap();
    assert!(!before.rows.is_empty());
    let to = RegionId::new("R9").unwrap();
    let moved = trade.others.move_store(3, to.clone());
    db.log.append(moved).await.unwrap();
    // It trades on: its older orders still carry the region of then.
    trade.run(&db.log, 20, 500).await;
    db.caught_up().await;
    db.assert_clean().await;

    let cells = balances(&db.db, &of_store(), Grouping::Cell).await.unwrap();
    assert!(!cells.rows.is_empty());
    assert!(cells.rows.iter().all(|b| b.region.as_ref() == Some(&to)));
    let filter = CashFilter {
        region: Some(to),
        ..everything()
    };
    let of_region = balances(&db.db, &filter, Grouping::Cell).await.unwrap();
    assert_eq!(of_region.rows, cells.rows, "nobody else lies there");
    let regions = balances(&db.db, &everything(), Grouping::Region)
        .await
        .unwrap();
    assert_eq!(regions.total, Money::ZERO);
    runner.stop().await;
}

#[tokio::test]
async fn the_books_balance_at_every_page_and_store_by_store() {
    let db = fresh_db().await;
    let runner = db.run();
    let mut trade = Trade::new(32);
    let mut last = Position::START;
    for _ in 0..40 {
        trade.run(&db.log, 3, 30).await;
        // Wherever the ledger happens to be: a page is visible whole or not at all.
        let seen = balances(&db.db, &everything(), Grouping::Store)
            .await
            .unwrap();
        assert_eq!(seen.total, Money::ZERO);
        assert!(seen.position >= last);
        last = seen.position;
        let mut stores: BTreeMap<_, i64> = BTreeMap::new();
        for balance in seen.rows {
            *stores.entry(balance.store_id).or_default() += balance.amount.units();
        }
        assert!(stores.values().all(|sum| *sum == 0), "{stores:?}");
    }
    db.caught_up().await;
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test]
async fn the_database_refuses_books_that_do_not_balance() {
    let (db, runner, _) = traded(33, MOVES).await;
    runner.stop().await;
    let refused = |sql: &'static str| {
        let pool = db.pool.clone();
        async move {
            let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
            error
                .as_database_error()
                .map(|e| (e.code().unwrap().into_owned(), e.message().to_owned()))
        }
    };
    let one_line = refused(
        "insert into cash_posting select 1, 9999999, 1, 'order.paid', 'SALES', -1, null, null, 'CFR001', 'R1', null, now()",
    );
    assert_eq!(one_line.await.unwrap().0, "23514");
    let two_stores = refused(
        "insert into cash_posting select 1, 9999999, n, 'order.paid', 'SALES', 3 - 2 * n, null, null, 'CFR00' || n, 'R1', \
         null, now() from generate_series(1, 2) as n",
    );
    assert_eq!(two_stores.await.unwrap().0, "23514");
    let a_balance =
        refused("update cash_balance set balance = balance + 1 where account = 'RIDER'");
    assert_eq!(a_balance.await.unwrap().0, "23514");
    for change in [
        "update cash_posting set amount = amount + 1",
        "delete from cash_posting",
        "update cash_remittance set region = 'R9'",
    ] {
        assert_eq!(refused(change).await.unwrap().0, "42501", "{change}");
    }
    db.assert_clean().await;
}

#[tokio::test]
async fn every_order_is_booked_as_its_own_state_says() {
    let (db, runner, trade) = traded(34, MOVES).await;
    let ids: Vec<OrderId> = trade.orders.iter().map(|o| o.id).collect();
    for row in order_view::by_ids(&db.db, &ids).await.unwrap() {
        let booked = cash_order(&db.db, row.id).await.unwrap().unwrap();
        let (order, cash) = (&row.order, &row.order.collection);
        assert_eq!(
            (&booked.number, booked.version),
            (&order.number, row.version)
        );
        assert_eq!(
            (&booked.store_id, &booked.region),
            (&order.store_id, &order.region)
        );
        assert_eq!(booked.status, cash.status);
        assert_eq!(booked.partner_id, cash.partner_id);
        assert_eq!(booked.collected_at, cash.collected_at);
        assert_eq!(booked.delivered_at, order.delivered_at);
        assert_eq!(booked.discrepancy, cash.discrepancy);
        // Nobody owes anything once the cash is there; before, whoever was told to pay owes the due.
        let paid = order.payment.is_some() && order.status.code() < 9000;
        let owed = if paid && cash.collected_at.is_none() {
            order.totals.cash_due
        } else {
            Money::ZERO
        };
        assert_eq!(booked.receivable, owed, "{row:?}");
        let with_rider = cash.collected_at.is_some() && cash.reconciled.is_none();
        let settled = trade.others.remittances.iter().any(|r| {
            r.state.status == domain::remittance::RemittanceStatus::Closed
                && r.state.expected.iter().any(|i| i.order_id == row.id)
        });
        if with_rider && !settled {
            assert_eq!(booked.rider, cash.amount);
        }
        if cash.status == CollectionStatus::Reconciled {
            assert_eq!(booked.rider, Money::ZERO, "{booked:?}");
        }
    }
    assert!(
        cash_order(&db.db, OrderId(uuid::Uuid::nil()))
            .await
            .unwrap()
            .is_none()
    );
    runner.stop().await;
}

async fn walk(db: &TestDb, filter: &OutstandingFilter, size: i64, forward: bool) -> Vec<CashOrder> {
    let (mut rows, mut cursor): (Vec<CashOrder>, _) = (Vec::new(), None);
    loop {
        let window = if forward {
            Window::Forward {
                first: size,
                after: cursor,
            }
        } else {
            Window::Backward {
                last: size,
                before: cursor,
            }
        };
        let page = outstanding(&db.db, filter, &window).await.unwrap();
        let part: Vec<CashOrder> = page.edges.iter().map(|e| e.row.clone()).collect();
        if forward {
            rows.extend(part);
        } else {
            rows.splice(0..0, part);
        }
        let more = if forward {
            page.has_next
        } else {
            page.has_previous
        };
        if !more {
            return rows;
        }
        let edge = if forward {
            page.edges.last()
        } else {
            page.edges.first()
        };
        cursor = edge.map(|e| e.cursor.clone());
    }
}

#[tokio::test]
async fn what_is_outstanding_is_listed_oldest_first() {
    let (db, runner, trade) = traded(35, MOVES).await;
    let mut all = Vec::new();
    for life in &trade.orders {
        all.push(cash_order(&db.db, life.id).await.unwrap().unwrap());
    }
    all.retain(|o| o.since.is_some());
    all.sort_by_key(|o| (o.since, o.order_id));
    let base = || OutstandingFilter::within(StoreScope::All);
    let half = all[all.len() / 2].since;
    let filters = [
        base(),
        OutstandingFilter {
            kind: Outstanding::Rider,
            ..base()
        },
        OutstandingFilter {
            kind: Outstanding::Receivable,
            ..base()
        },
        OutstandingFilter {
            kind: Outstanding::Receivable,
            is_delivered: Some(true),
            ..base()
        },
        OutstandingFilter {
            is_delivered: Some(false),
            ..base()
        },
        OutstandingFilter {
            partner: PartnerId::new("PMP").ok(),
            ..base()
        },
        OutstandingFilter {
            region: RegionId::new("R1").ok(),
            ..base()
        },
        OutstandingFilter {
            stores: Some(vec![store_id(1), store_id(5)]),
            ..base()
        },
        OutstandingFilter {
            before: half,
            ..base()
        },
        OutstandingFilter::within(StoreScope::Only(vec![store_id(7)])),
        OutstandingFilter::within(StoreScope::Only(Vec::new())),
    ];
    for filter in filters {
        let expected: Vec<CashOrder> = all
            .iter()
            .filter(|o| is_listed(&filter, o))
            .cloned()
            .collect();
        for (size, forward) in [(4, true), (7, false), (100, true)] {
            assert_eq!(
                walk(&db, &filter, size, forward).await,
                expected,
                "{filter:?}"
            );
        }
    }
    runner.stop().await;
}

fn is_listed(filter: &OutstandingFilter, order: &CashOrder) -> bool {
    let stores = filter.stores.as_ref();
    let by_kind = match filter.kind {
        Outstanding::Any => true,
        Outstanding::Receivable => !order.receivable.is_zero(),
        Outstanding::Rider => !order.rider.is_zero(),
    };
    by_kind
        && filter.allowed.covers(&order.store_id)
        && stores.is_none_or(|s| s.contains(&order.store_id))
        && filter.region.as_ref().is_none_or(|r| *r == order.region)
        && filter
            .partner
            .as_ref()
            .is_none_or(|p| Some(p) == order.partner_id.as_ref())
        && filter
            .is_delivered
            .is_none_or(|d| d == order.delivered_at.is_some())
        && filter.before.is_none_or(|b| order.since < Some(b))
}

#[tokio::test]
async fn the_days_count_what_the_orders_say() {
    let (db, runner, trade) = traded(36, MOVES).await;
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let mut filter = DayFilter {
        allowed: StoreScope::All,
        stores: None,
        region: None,
        from: day("2026-01-01"),
        to: day("2026-02-28"),
    };
    let rows = collection_days(&db.db, &filter).await.unwrap();
    let mut orders = Vec::new();
    for life in &trade.orders {
        orders.push(cash_order(&db.db, life.id).await.unwrap().unwrap());
    }
    let count = |of: &dyn Fn(&CashOrder) -> bool| orders.iter().filter(|o| of(o)).count() as i64;
    let total =
        |of: fn(&projections::cash_ledger::CollectionDay) -> i64| rows.iter().map(of).sum::<i64>();
    let in_time = |o: &CashOrder| {
        let (delivered, collected) = (o.delivered_at, o.collected_at);
        let late = delivered
            .zip(collected)
            .map(|(d, c)| c - d > chrono::TimeDelta::hours(24));
        late == Some(false)
    };
    assert_eq!(total(|d| d.delivered), count(&|o| o.delivered_at.is_some()));
    assert_eq!(
        total(|d| d.collected),
        count(&|o| o.delivered_at.is_some() && o.collected_at.is_some())
    );
    assert_eq!(total(|d| d.collected_in_time), count(&in_time));
    assert_eq!(
        total(|d| d.failed),
        count(&|o| o.status == CollectionStatus::Failed)
    );
    assert_eq!(
        total(|d| d.discrepancies),
        count(&|o| !o.discrepancy.is_zero())
    );
    assert_eq!(
        total(|d| d.discrepancy_sum.units()),
        sum(orders.iter().map(|o| o.discrepancy))
    );
    assert!(
        total(|d| d.collected_in_time) < total(|d| d.collected),
        "some came late"
    );
    let one = rows.iter().find(|d| d.delivered > 1).unwrap();
    assert_eq!(
        one.success_rate(),
        Some((one.collected_in_time, one.delivered))
    );
    filter.stores = Some(vec![one.store_id.clone()]);
    (filter.from, filter.to) = (one.day, one.day);
    assert_eq!(
        collection_days(&db.db, &filter).await.unwrap(),
        vec![one.clone()]
    );
    filter.from = one.day.succ_opt().unwrap();
    assert!(collection_days(&db.db, &filter).await.unwrap().is_empty());
    filter.to = day("2027-01-01");
    assert!(matches!(
        collection_days(&db.db, &filter).await,
        Err(ReadError::PageSize { .. })
    ));
    runner.stop().await;
}

#[tokio::test]
async fn a_ledger_killed_before_its_commit_books_once() {
    let db = fresh_db().await;
    let mut trade = Trade::new(37);
    let runner = db.run();
    for _ in 0..3 {
        let mut block = db.pool.begin().await.unwrap();
        // The last table that a page writes.
        sqlx::query("lock table cash_day in access exclusive mode")
            .execute(&mut *block)
            .await
            .unwrap();
        let before = checkpoint(&db, Model::CashLedger).await;
        trade.run(&db.log, 20, 400).await;
        db.kill_waiter("cash_day").await;
        assert!(checkpoint(&db, Model::CashLedger).await >= before);
        block.rollback().await.unwrap();
        db.caught_up().await;
        db.assert_clean().await;
    }
    runner.stop().await;
}
