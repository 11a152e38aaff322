//! No list of orders reads the whole table.

use chrono::{DateTime, Duration, Utc};
use domain::{
    actor::StoreScope,
    ids::{CustomerId, PartnerId, RegionId},
    money::Money,
    order::{
        CollectionStatus, OrderStatus,
        event::{Channel, System},
    },
};
use projections::order_view::{OrderFilter, OrderSort, PageRequest, Window, explain};
use store::PhoneHash;

use super::support::{TestDb, fresh_db, store_id};

const ROWS: i32 = 20_000;

/// Rows of 25 stores over 100 days: 8 of 10 delivered, few in the other statuses.
async fn fill(db: &TestDb) {
    sqlx::query(
        "insert into order_view (order_id, number, store_id, region, channel, customer_id, status, min_line_status, \
         max_line_status, payment_status, order_total, cash_due, placed_at, updated_at, version, position, doc, \
         collection_status, partner_id, is_stuck, is_overdue, bundles) \
         select gen_random_uuid(), \
         'QC-2026-01-' || lpad((1 + n % 28)::text, 2, '0') || '-' || lpad(n::text, 6, '0'), \
         'CFR' || lpad((1 + n % 25)::text, 3, '0'), 'R' || (1 + n % 5), \
         (array['GRAB','WEB','STORE','PMP'])[1 + n % 4], 'C' || n % 5000, \
         case when n % 10 < 8 then 7500 when n % 10 = 8 then 9000 else (array[1000,2000,3000,3500])[1 + n % 4] end, \
         1000, 7500, 5000, (n * 7919 % 100000)::numeric / 100, 0, \
         timestamptz '2026-01-01' + n * interval '3 minutes', \
         timestamptz '2026-01-01' + n * interval '3 minutes' + (n % 60) * interval '1 minute', \
         5, n, '{}', \
         case when n % 10 < 8 then (array['RECONCILED','COLLECTED','RECONCILED'])[1 + n % 3] else 'PENDING' end, \
         case when n % 10 < 8 then (array['GRAB','PMP'])[1 + n % 2] end, n % 500 = 0, n % 700 = 0, (n % 5 = 0)::int \
         from generate_series(1, $1) as n",
    )
    .bind(ROWS)
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into order_ref select 'GRAB', 'GF-' || number, order_id from order_view where channel = 'GRAB'",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into phone_index select 1, order_id, rpad(customer_id, 16, '.')::bytea, 'customer:' || customer_id \
         from order_view",
    )
    .execute(&db.admin)
    .await
    .unwrap();
    sqlx::query("vacuum analyze order_view, order_ref, phone_index")
        .execute(&db.admin)
        .await
        .unwrap();
}

type Change = Box<dyn Fn(&mut OrderFilter)>;

/// A named condition.
fn named(
    name: &'static str,
    change: impl Fn(&mut OrderFilter) + 'static,
) -> (&'static str, Change) {
    (name, Box::new(change))
}

/// Every condition of the filter, wide and narrow.
fn conditions() -> Vec<(&'static str, Change)> {
    let mut all = vec![named("nothing", |_| {})];
    all.extend(places());
    all.extend(statuses());
    all.extend(words());
    all.extend(ranges());
    all.extend(cash());
    all
}

fn places() -> Vec<(&'static str, Change)> {
    let stores = |from: u32, to: u32| (from..=to).map(store_id).collect::<Vec<_>>();
    vec![
        named("one allowed store", move |f| {
            f.allowed = StoreScope::Only(stores(7, 7))
        }),
        named("five allowed stores", move |f| {
            f.allowed = StoreScope::Only(stores(3, 7))
        }),
        named("one store", move |f| f.stores = Some(stores(7, 7))),
        named("three stores", move |f| f.stores = Some(stores(7, 9))),
        named("region", |f| f.region = RegionId::new("R2").ok()),
        named("channel", |f| f.channel = Some(Channel::Grab)),
    ]
}

fn statuses() -> Vec<(&'static str, Change)> {
    use OrderStatus as S;
    vec![
        named("common status", |f| f.statuses = Some(vec![S::Delivered])),
        named("rare status", |f| f.statuses = Some(vec![S::Released])),
        named("absent status", |f| f.statuses = Some(vec![S::Returned])),
        named("three statuses", |f| {
            f.statuses = Some(vec![S::Open, S::Allocated, S::Released])
        }),
    ]
}

fn words() -> Vec<(&'static str, Change)> {
    let grab = || Some((System::Grab, "GF-QC-2026-01-05-000004".to_owned()));
    vec![
        named("customer", |f| f.customer_id = CustomerId::new("C42").ok()),
        named("phone", |f| f.phone = Some(phone_of("C42"))),
        named("absent phone", |f| f.phone = Some(PhoneHash([7; 16]))),
        named("number of a day", |f| {
            f.number_prefix = Some("QC-2026-01-05".into())
        }),
        named("whole number", |f| {
            f.number_prefix = Some("QC-2026-01-05-000004".into())
        }),
        named("any number", |f| f.number_prefix = Some("QC-2026".into())),
        named("reference", move |f| f.reference = grab()),
    ]
}

/// The hash that [`fill`] gives to the number of a customer.
fn phone_of(customer: &str) -> PhoneHash {
    let padded = format!("{customer:.<16}");
    PhoneHash(padded.into_bytes().try_into().unwrap())
}

fn ranges() -> Vec<(&'static str, Change)> {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let day = move |n: i64| Some(start + Duration::days(n));
    let baht = |n: i64| Some(Money::from_units(n * 10_000));
    vec![
        named("placed on a day", move |f| {
            (f.placed_from, f.placed_to) = (day(50), day(51))
        }),
        named("placed since", move |f| f.placed_from = day(10)),
        named("updated on a day", move |f| {
            (f.updated_from, f.updated_to) = (day(50), day(51))
        }),
        named("updated until", move |f| f.updated_to = day(90)),
        named("total between", move |f| {
            (f.total_min, f.total_max) = (baht(500), baht(510))
        }),
        named("total above", move |f| f.total_min = baht(100)),
    ]
}

fn cash() -> Vec<(&'static str, Change)> {
    use CollectionStatus as C;
    vec![
        named("collected", |f| f.collection = Some(vec![C::Collected])),
        named("failed", |f| f.collection = Some(vec![C::Failed])),
        named("reconciled", |f| f.collection = Some(vec![C::Reconciled])),
        named("on its way", |f| {
            f.collection = Some(vec![C::InTransit, C::Collected, C::Failed])
        }),
        named("partner", |f| f.partner_id = PartnerId::new("GRAB").ok()),
        named("absent partner", |f| {
            f.partner_id = PartnerId::new("LINE").ok()
        }),
        named("stuck", |f| f.is_stuck = Some(true)),
        named("not stuck", |f| f.is_stuck = Some(false)),
        named("overdue", |f| f.is_overdue = Some(true)),
        named("with bundles", |f| f.has_bundles = Some(true)),
        named("without bundles", |f| f.has_bundles = Some(false)),
    ]
}

fn windows(cursor: &str) -> [Window; 4] {
    let cursor = Some(cursor.to_owned());
    [
        Window::Forward {
            first: 25,
            after: None,
        },
        Window::Forward {
            first: 100,
            after: cursor.clone(),
        },
        Window::Backward {
            last: 25,
            before: None,
        },
        Window::Backward {
            last: 25,
            before: cursor,
        },
    ]
}

#[tokio::test]
async fn no_filter_and_sort_scans_the_table() {
    let db = fresh_db().await;
    fill(&db).await;
    // `doc` is empty here, so a real page gives no cursor: one from the middle of each sort instead.
    let mut scans = Vec::new();
    let mut plans = 0;
    for sort in OrderSort::ALL {
        let cursor = middle(sort);
        for (i, (a, change_a)) in conditions().iter().enumerate() {
            for (b, change_b) in &conditions()[i..] {
                let mut filter = OrderFilter::within(StoreScope::All);
                change_a(&mut filter);
                change_b(&mut filter);
                // Alone in every window, with another condition in the two that differ most.
                let all = windows(&cursor);
                let windows = if a == b { &all[..] } else { &all[2..] };
                for window in windows.iter().cloned() {
                    let request = PageRequest {
                        filter: filter.clone(),
                        sort,
                        window,
                    };
                    let plan = explain(&db.db.within(&request.filter.allowed), &request)
                        .await
                        .unwrap();
                    plans += 1;
                    let whole = |line: &String| {
                        line.contains("Seq Scan on order_view")
                            || line.contains("Seq Scan on phone_index")
                    };
                    if plan.iter().any(whole) {
                        scans.push(format!(
                            "{sort}, {a} + {b}, {:?}:\n{}",
                            request.window,
                            plan.join("\n")
                        ));
                    }
                }
            }
        }
    }
    assert!(plans > 2_000, "{plans}");
    assert!(
        scans.is_empty(),
        "{} of {plans}, the first:\n{}",
        scans.len(),
        scans[0]
    );
}

/// A cursor in the middle of a sort: format 1, sort, key, order id.
fn middle(sort: OrderSort) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let half: DateTime<Utc> = "2026-02-21T00:00:00Z".parse().unwrap();
    let (tag, key) = match sort {
        OrderSort::NewestFirst => (b'N', half.timestamp_micros()),
        OrderSort::OldestFirst => (b'O', half.timestamp_micros()),
        OrderSort::UpdatedFirst => (b'U', half.timestamp_micros()),
        OrderSort::TotalDesc => (b'T', 5_000_000),
    };
    let mut bytes = vec![1, tag];
    bytes.extend(key.to_be_bytes());
    bytes.extend([0x80; 16]);
    URL_SAFE_NO_PAD.encode(bytes)
}
