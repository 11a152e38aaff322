//! No list of what is outstanding, of postings, or of documents reads the whole table.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    actor::StoreScope,
    bundle::Bundle,
    ids::{OrderId, PartnerId, RegionId, Sku, StoreId},
    intake::Intake,
    remittance::{Remittance, RemittanceStatus},
    store::Store,
};
use projections::{
    ReadError,
    cash_ledger::{self, Outstanding, OutstandingFilter, PostingsOf},
    document::{
        self, BundleFilter, DeadLetterFilter, Document, Outcome, RemittanceFilter, StoreFilter,
    },
    order_view::{self, HistoryWindow},
    paging::Window,
};
use store::LogId;
use uuid::Uuid;

use super::support::{TestDb, fresh_db, store_id};

/// A cursor in the middle of a list: format 2, list, key, id.
fn cursor(list: u8, key: i64, id: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = vec![2, list];
    bytes.extend(key.to_be_bytes());
    bytes.extend(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn windows(cursor: &str) -> [Window; 4] {
    let (first, last, cursor) = (25, 100, Some(cursor.to_owned()));
    [
        Window::Forward { first, after: None },
        Window::Forward {
            first,
            after: cursor.clone(),
        },
        Window::Backward { last, before: None },
        Window::Backward {
            last,
            before: cursor,
        },
    ]
}

fn assert_no_scan(plan: &[String], table: &str, asked: &dyn std::fmt::Debug) {
    assert!(!plan.is_empty());
    let scan = format!("Seq Scan on {table}");
    assert!(
        !plan.iter().any(|line| line.contains(&scan)),
        "{asked:?}:\n{}",
        plan.join("\n")
    );
}

async fn fill(db: &TestDb, sql: &[&str], tables: &str) {
    for sql in sql {
        sqlx::query(sql).execute(&db.admin).await.unwrap();
    }
    sqlx::query(&format!("vacuum analyze {tables}"))
        .execute(&db.admin)
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_outstanding_is_looked_for_among_the_settled() {
    let db = fresh_db().await;
    // One order in twenty is open: most of those wait for delivery, some are with a rider.
    let orders = "insert into cash_order select md5(n::text)::uuid, 'QC-' || n, 'CFR' || lpad((1 + n % 25)::text, 3, '0'), \
         'R' || (1 + n % 5), case when n % 3 < 2 then (array['GRAB','PMP'])[1 + n % 2] end, 'PENDING', \
         case when n % 20 = 0 then 100 else 0 end, case when n % 100 = 7 then 100 else 0 end, \
         case when n % 20 = 0 or n % 100 = 7 then timestamptz '2026-01-01' + n * interval '3 minutes' end, \
         null, case when n % 40 = 0 then now() end, null, null, 0, 5, n, '{}' from generate_series(1, 20000) as n";
    fill(&db, &[orders], "cash_order").await;
    let half: DateTime<Utc> = "2026-01-20T00:00:00Z".parse().unwrap();
    let cursor = cursor(
        b'o',
        half.timestamp_micros(),
        &Uuid::from_u128(7).to_string(),
    );
    let scopes = [StoreScope::All, StoreScope::Only(vec![store_id(7)])];
    for allowed in scopes {
        let base = OutstandingFilter::within(allowed);
        let kinds = [
            Outstanding::Any,
            Outstanding::Receivable,
            Outstanding::Rider,
        ];
        for kind in kinds {
            let base = OutstandingFilter {
                kind,
                ..base.clone()
            };
            let partner = |id: &str| PartnerId::new(id).ok();
            let filters = [
                base.clone(),
                OutstandingFilter {
                    partner: partner("GRAB"),
                    ..base.clone()
                },
                OutstandingFilter {
                    partner: partner("LINE"),
                    ..base.clone()
                },
                OutstandingFilter {
                    region: RegionId::new("R2").ok(),
                    ..base.clone()
                },
                OutstandingFilter {
                    is_delivered: Some(true),
                    before: Some(half),
                    ..base.clone()
                },
                OutstandingFilter {
                    stores: Some(vec![store_id(7), store_id(9)]),
                    ..base
                },
            ];
            for filter in filters {
                for window in windows(&cursor) {
                    let plan =
                        cash_ledger::explain(&db.db.within(&filter.allowed), &filter, &window)
                            .await
                            .unwrap();
                    assert_no_scan(&plan, "cash_order", &(&filter, window));
                }
            }
        }
    }
}

#[tokio::test]
async fn no_posting_is_looked_for_among_all_others() {
    let db = fresh_db().await;
    let postings = "insert into cash_posting select 1, n, side, 'order.paid', (array['SALES','RECEIVABLE'])[side], \
         case side when 1 then -100 else 100 end, md5((n / 5)::text)::uuid, \
         case when n % 10 = 0 then 'GRAB:CFR001:2026-01-' || lpad((1 + n % 28)::text, 2, '0') end, 'CFR001', 'R1', null, now() \
         from generate_series(1, 20000) as n, generate_series(1, 2) as side";
    fill(&db, &[postings], "cash_posting").await;
    let of = [
        PostingsOf::Order(OrderId(Uuid::from_u128(1))),
        PostingsOf::Remittance("GRAB:CFR001:2026-01-05".parse().unwrap()),
        PostingsOf::Remittance("GRAB:CFR002:2026-01-05".parse().unwrap()),
    ];
    for of in of {
        let name = match &of {
            PostingsOf::Order(id) => id.to_string(),
            PostingsOf::Remittance(id) => id.to_string(),
        };
        for window in windows(&cursor(b'p', 10_000, &format!("1 {name}"))) {
            let plan = cash_ledger::explain_postings(&db.db, &of, &window)
                .await
                .unwrap();
            assert_no_scan(&plan, "cash_posting", &(&of, window));
        }
    }
}

async fn no_scan<E: Document>(db: &TestDb, filters: &[E::Filter], cursor: &str) {
    for filter in filters {
        for window in windows(cursor) {
            let plan = document::explain::<E>(&db.db, filter, &window)
                .await
                .unwrap();
            assert_no_scan(&plan, E::TABLE, &window);
        }
    }
}

#[tokio::test]
async fn no_remittance_is_looked_for_among_all_others() {
    let db = fresh_db().await;
    // Two partners, 25 stores, 400 days: all closed but the last.
    let remittances = "insert into remittance_view (id, place, version, first_position, position, created_at, updated_at, doc) \
         select p || ':CFR' || lpad(s::text, 3, '0') || ':' || (date '2026-01-01' + d), 20454 + d, 1, 1, 1, now(), now(), \
         jsonb_build_object('region', 'R' || s % 5, 'status', case when d < 399 then 'CLOSED' else 'DIFFERING' end, \
         'received', '1.0000', 'deposited', '1.0000', \
         'summary', '{\"expected\":\"1\",\"reported\":\"1\",\"variance\":\"0\",\"accepted\":\"1\",\"open\":0}'::jsonb) \
         from unnest(array['GRAB', 'PMP']) as p, generate_series(1, 25) as s, generate_series(0, 399) as d";
    fill(&db, &[remittances], "remittance_view").await;
    let base = RemittanceFilter::within(StoreScope::All);
    let statuses = |s: &[RemittanceStatus]| RemittanceFilter {
        statuses: Some(s.to_vec()),
        ..base.clone()
    };
    let partner = |id: &str| RemittanceFilter {
        partner: PartnerId::new(id).ok(),
        ..base.clone()
    };
    let day: NaiveDate = "2026-07-01".parse().unwrap();
    let store: StoreId = store_id(7);
    let filters = [
        base.clone(),
        statuses(&[RemittanceStatus::Closed]),
        statuses(&[RemittanceStatus::Differing]),
        statuses(&[RemittanceStatus::Awaiting, RemittanceStatus::Matched]),
        partner("GRAB"),
        partner("LINE"),
        RemittanceFilter {
            from: Some(day),
            to: Some(day),
            ..base.clone()
        },
        RemittanceFilter {
            region: RegionId::new("R9").ok(),
            ..base.clone()
        },
        RemittanceFilter {
            stores: Some(vec![store.clone()]),
            ..base.clone()
        },
        RemittanceFilter::within(StoreScope::Only(vec![store, store_id(8)])),
    ];
    let middle = cursor(b'r', 20_600, "GRAB:CFR012:2026-05-27");
    no_scan::<Remittance>(&db, &filters, &middle).await;
}

#[tokio::test]
async fn no_dead_letter_is_looked_for_among_all_others() {
    let db = fresh_db().await;
    let letters = "insert into dead_letter_view (id, place, version, first_position, position, created_at, updated_at, doc) \
         select md5(n::text)::uuid, n, 1, n, n, now(), now(), jsonb_build_object('attempts', 1, \
         'message', jsonb_build_object('source', 'topic-' || n % 4, 'messageId', n::text), \
         'outcome', jsonb_build_object('kind', case when n % 200 = 0 then 'REJECTED' else 'PLACED' end)) \
         from generate_series(1, 20000) as n";
    fill(&db, &[letters], "dead_letter_view").await;
    let outcomes = |outcomes: &[Outcome]| DeadLetterFilter {
        outcomes: Some(outcomes.to_vec()),
        source: None,
    };
    let source = |source: &str| DeadLetterFilter {
        outcomes: None,
        source: Some(source.into()),
    };
    let filters = [
        DeadLetterFilter::default(),
        outcomes(&[Outcome::Rejected]),
        outcomes(&[Outcome::Placed]),
        outcomes(&[Outcome::Dismissed]),
        outcomes(&[Outcome::Rejected, Outcome::Dismissed]),
        source("topic-1"),
        source("nowhere"),
    ];
    no_scan::<Intake>(&db, &filters, &cursor(b'd', 10_000, "x")).await;
}

#[tokio::test]
async fn no_bundle_and_no_store_is_looked_for_among_all_others() {
    let db = fresh_db().await;
    let bundles = "insert into bundle_view (id, place, version, first_position, position, created_at, updated_at, doc) \
         select 'B-' || n, 0, 1, n, n, now(), now(), jsonb_build_object('active', n % 3 > 0, \
         'definition', jsonb_build_object('sku', (n % 5000)::text)) from generate_series(1, 20000) as n";
    let stores = "insert into store_view (id, place, version, first_position, position, created_at, updated_at, doc) \
         select 'CFR' || n, 0, 1, n, n, now(), now(), jsonb_build_object('active', n % 10 > 0, \
         'profile', jsonb_build_object('name', n::text, 'region', 'R' || n % 5, 'zone', 'BKK')) \
         from generate_series(1, 20000) as n";
    fill(&db, &[bundles, stores], "bundle_view, store_view").await;
    let sku = |sku: &str| BundleFilter {
        sku: Sku::new(sku).ok(),
        is_active: None,
    };
    let active = |is_active| BundleFilter {
        sku: None,
        is_active: Some(is_active),
    };
    let filters = [
        BundleFilter::default(),
        sku("42"),
        sku("none"),
        active(true),
        active(false),
    ];
    no_scan::<Bundle>(&db, &filters, &cursor(b'b', 0, "B-500")).await;
    let base = StoreFilter::within(StoreScope::All);
    let filters = [
        base.clone(),
        StoreFilter {
            region: RegionId::new("R2").ok(),
            ..base.clone()
        },
        StoreFilter {
            region: RegionId::new("R9").ok(),
            ..base.clone()
        },
        StoreFilter {
            is_active: Some(false),
            ..base
        },
        StoreFilter::within(StoreScope::Only(vec![store_id(7), store_id(8)])),
    ];
    no_scan::<Store>(&db, &filters, &cursor(b's', 0, "CFR500")).await;
}

/// What is read for many nodes at once is looked up one by one.
#[tokio::test]
async fn no_history_and_no_cash_of_many_orders_is_looked_for_among_all_others() {
    let db = fresh_db().await;
    let views = "insert into order_view (order_id, number, store_id, region, channel, status, min_line_status, \
         max_line_status, payment_status, order_total, cash_due, collection_status, is_stuck, is_overdue, bundles, \
         placed_at, updated_at, version, position, doc) \
         select md5(n::text)::uuid, 'QC-' || n, 'CFR001', 'R1', 'GRAB', 1000, 1000, 1000, 1000, 0, 0, 'PENDING', false, \
         false, 0, now(), now(), 10, 10 * n + 9, '{}' from generate_series(1, 5000) as n";
    let streams = "insert into stream_head select 1, 'order', md5(n::text)::uuid::text, 10, 10 * n, 10 * n + 9 \
         from generate_series(1, 5000) as n";
    let events = "insert into events select 'order', md5((n / 10)::text)::uuid::text, 1 + n % 10, 'order.placed', '1', '{}', \
         '{}', 1, n, gen_random_uuid(), gen_random_uuid(), now(), '', '', '' from generate_series(10, 50009) as n";
    let orders = "insert into cash_order select md5(n::text)::uuid, 'QC-' || n, 'CFR001', 'R1', null, 'PENDING', 0, 0, null, \
         null, null, null, null, 0, 5, n, '{}' from generate_series(1, 20000) as n";
    fill(
        &db,
        &[views, streams, events, orders],
        "order_view, stream_head, events, cash_order",
    )
    .await;
    let order = |n: u128| OrderId(Uuid::from_u128(n << 96));
    for many in [1, 25, 1_000] {
        let orders: Vec<OrderId> = (0..many).map(order).collect();
        for (first, after) in [(1, 0), (25, 5), (100, 0)] {
            let window = |order: &OrderId| HistoryWindow {
                order: *order,
                first,
                after,
            };
            let windows: Vec<HistoryWindow> = orders.iter().map(window).collect();
            let some = StoreScope::Only(vec![store_id(1), store_id(2)]);
            for db in [db.db.clone(), db.db.within(&some)] {
                let plan = order_view::explain_histories(&db, LogId::DEFAULT, &windows);
                let plan = plan.await.unwrap();
                for table in ["order_view", "stream_head", "events"] {
                    assert_no_scan(&plan, table, &(many, first, after));
                }
                let by_id =
                    |line: &&String| line.contains("Index Cond") && line.contains("aggregate_id");
                assert_eq!(plan.iter().filter(by_id).count(), 3, "{}", plan.join("\n"));
            }
        }
        let plan = cash_ledger::explain_cash_orders(&db.db, &orders)
            .await
            .unwrap();
        // A thousand of so few are cheaper to find in the table.
        if many < 1_000 {
            assert_no_scan(&plan, "cash_order", &many);
        }
    }
    let too_many: Vec<OrderId> = (0..1_001).map(order).collect();
    let refused = cash_ledger::cash_orders(&db.db, &too_many).await;
    assert!(matches!(refused, Err(ReadError::PageSize { .. })));
}
