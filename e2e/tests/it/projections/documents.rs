//! Stores, bundles, remittances and dead letters: each as its own fold, listed and paged.

use domain::{
    actor::StoreScope,
    bundle::Bundle,
    entity::Entity,
    ids::{PartnerId, RegionId},
    intake::{Intake, IntakeOutcome},
    remittance::{Remittance, RemittanceStatus},
    store::Store,
};
use projections::{
    ReadError,
    document::{
        self, BundleFilter, DeadLetterFilter, Document, Outcome, RemittanceFilter, Row, StoreFilter,
    },
    order_view::CursorError,
    paging::Window,
};

use super::{
    others::Kept,
    support::{TestDb, fresh_db, store_id},
    trade::{Trade, traded},
};

async fn traded_cleanly(seed: u64) -> (TestDb, projections::Runner, Trade) {
    let traded = traded(seed, 2_000).await;
    traded.0.assert_clean().await;
    traded
}

async fn walk<E: Document>(
    db: &TestDb,
    filter: &E::Filter,
    size: i64,
    forward: bool,
) -> Vec<Row<E>> {
    let (mut rows, mut cursor): (Vec<Row<E>>, _) = (Vec::new(), None);
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
        let page = document::page::<E>(&db.db, filter, &window).await.unwrap();
        let part: Vec<Row<E>> = page.edges.iter().map(|e| e.row.clone()).collect();
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

/// By id each is what its own fold is, and the whole list holds them all.
async fn kept<E: Document>(db: &TestDb, kept: &[Kept<E>], everything: &E::Filter) -> Vec<Row<E>> {
    let list = walk::<E>(db, everything, 7, true).await;
    assert_eq!(list.len(), kept.len());
    for one in kept {
        let row = document::by_id::<E>(&db.db, &one.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.version, one.version);
        assert!(list.contains(&row));
    }
    let ids: Vec<E::Id> = kept.iter().map(|k| k.id.clone()).collect();
    assert_eq!(
        document::by_ids::<E>(&db.db, &ids).await.unwrap().len(),
        kept.len()
    );
    list
}

/// A filter shows what it says, in the list's order, in pages of any size and in both directions.
async fn listed<E: Document>(
    db: &TestDb,
    list: &[Row<E>],
    filter: &E::Filter,
    keep: impl Fn(&Row<E>) -> bool,
) -> usize {
    let expected: Vec<Row<E>> = list.iter().filter(|row| keep(row)).cloned().collect();
    for (size, forward) in [(3, true), (4, false), (100, false)] {
        assert_eq!(walk::<E>(db, filter, size, forward).await, expected);
    }
    expected.len()
}

#[tokio::test]
async fn stores_are_kept_and_listed() {
    let (db, runner, trade) = traded_cleanly(40).await;
    let everything = StoreFilter::within(StoreScope::All);
    let list = kept(&db, &trade.others.stores, &everything).await;
    for one in &trade.others.stores {
        let row = document::by_id::<Store>(&db.db, &one.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.state, one.state);
    }
    assert!(list.windows(2).all(|w| w[0].id < w[1].id));
    let filter = StoreFilter {
        is_active: Some(true),
        ..everything.clone()
    };
    listed(&db, &list, &filter, |row| row.state.active).await;
    let filter = StoreFilter {
        region: RegionId::new("R2").ok(),
        ..everything
    };
    let regional = listed(&db, &list, &filter, |row| {
        row.state.region() == filter.region.as_ref()
    })
    .await;
    assert!(regional > 0);
    let filter = StoreFilter::within(StoreScope::Only(vec![store_id(3), store_id(4)]));
    listed(&db, &list, &filter, |row| filter.allowed.covers(&row.id)).await;
    runner.stop().await;
}

#[tokio::test]
async fn bundles_are_kept_and_listed() {
    let (db, runner, trade) = traded_cleanly(41).await;
    let everything = BundleFilter::default();
    let list = kept(&db, &trade.others.bundles, &everything).await;
    for one in &trade.others.bundles {
        let row = document::by_id::<Bundle>(&db.db, &one.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.state, one.state);
    }
    let filter = BundleFilter {
        is_active: Some(false),
        ..everything.clone()
    };
    listed(&db, &list, &filter, |row| !row.state.active).await;
    let sku = list[0].state.definition.as_ref().unwrap().sku.clone();
    let filter = BundleFilter {
        sku: Some(sku.clone()),
        ..everything
    };
    let of_sku = |row: &Row<Bundle>| row.state.definition.as_ref().unwrap().sku == sku;
    assert_eq!(listed(&db, &list, &filter, of_sku).await, 1);
    runner.stop().await;
}

#[tokio::test]
async fn remittances_are_kept_and_listed() {
    let (db, runner, trade) = traded_cleanly(42).await;
    let everything = RemittanceFilter::within(StoreScope::All);
    let list = kept(&db, &trade.others.remittances, &everything).await;
    for one in &trade.others.remittances {
        let row = document::by_id::<Remittance>(&db.db, &one.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.state, one.state);
    }
    assert!(list.len() > 15, "{}", list.len());
    assert!(list.windows(2).all(|w| w[0].id.day() >= w[1].id.day()));
    let closed = RemittanceFilter {
        statuses: Some(vec![RemittanceStatus::Closed, RemittanceStatus::Matched]),
        ..everything.clone()
    };
    let some = |row: &Row<Remittance>| {
        closed
            .statuses
            .as_ref()
            .unwrap()
            .contains(&row.state.status)
    };
    assert!(listed(&db, &list, &closed, some).await > 0);
    let filter = RemittanceFilter {
        partner: PartnerId::new("GRAB").ok(),
        ..everything.clone()
    };
    listed(&db, &list, &filter, |row| {
        row.id.partner().as_str() == "GRAB"
    })
    .await;
    let day = list[list.len() / 2].id.day();
    let filter = RemittanceFilter {
        from: Some(day),
        to: Some(day),
        ..everything.clone()
    };
    assert_eq!(
        listed(&db, &list, &filter, |row| row.id.day() == day).await,
        1
    );
    let filter = RemittanceFilter {
        region: RegionId::new("R3").ok(),
        ..everything
    };
    listed(&db, &list, &filter, |row| row.state.region == filter.region).await;
    let mut filter = RemittanceFilter::within(StoreScope::Only(vec![store_id(1), store_id(2)]));
    filter.stores = Some(vec![store_id(2), store_id(3)]);
    listed(&db, &list, &filter, |row| *row.id.store() == store_id(2)).await;
    runner.stop().await;
}

#[tokio::test]
async fn dead_letters_are_kept_and_listed() {
    let (db, runner, trade) = traded_cleanly(43).await;
    let everything = DeadLetterFilter::default();
    let list = kept(&db, &trade.others.letters, &everything).await;
    for one in &trade.others.letters {
        let row = document::by_id::<Intake>(&db.db, &one.id)
            .await
            .unwrap()
            .unwrap();
        // PostgreSQL cannot hold NUL, which the message brought.
        let mut expected = one.state.clone();
        expected.message.as_mut().unwrap().order.channel = "GRAB\u{fffd}".into();
        assert_eq!(row.state, expected);
    }
    assert!(
        list.windows(2)
            .all(|w| w[0].first_position > w[1].first_position)
    );
    let filter = DeadLetterFilter {
        outcomes: Some(vec![Outcome::Rejected]),
        ..everything.clone()
    };
    let rejected = |row: &Row<Intake>| row.state.outcome == IntakeOutcome::Rejected;
    assert!(listed(&db, &list, &filter, rejected).await > 0);
    let filter = DeadLetterFilter {
        source: Some("order.create.v2".into()),
        ..everything.clone()
    };
    let of_source =
        |row: &Row<Intake>| row.state.message.as_ref().unwrap().source == "order.create.v2";
    assert!(listed(&db, &list, &filter, of_source).await > 0);
    let filter = DeadLetterFilter {
        source: Some("\0".into()),
        ..everything
    };
    assert_eq!(listed(&db, &list, &filter, |_| false).await, 0);
    runner.stop().await;
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let db = fresh_db().await;
    let filter = BundleFilter::default();
    for first in [-1, 0, 101, i64::MAX] {
        let window = Window::Forward { first, after: None };
        let page = document::page::<Bundle>(&db.db, &filter, &window).await;
        assert!(matches!(page, Err(ReadError::PageSize { .. })));
    }
    // A cursor of another list is none of this one's.
    let (db, runner, _) = traded_cleanly(44).await;
    let window = Window::Forward {
        first: 1,
        after: None,
    };
    let page = document::page::<Bundle>(&db.db, &filter, &window)
        .await
        .unwrap();
    let after = Some(page.edges[0].cursor.clone());
    let stores = StoreFilter::within(StoreScope::All);
    let page = document::page::<Store>(&db.db, &stores, &Window::Forward { first: 1, after }).await;
    assert!(matches!(
        page,
        Err(ReadError::Cursor(CursorError::Malformed))
    ));
    runner.stop().await;
}
