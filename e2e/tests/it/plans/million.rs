//! A database as it is after a million orders: the tables that grow with every order hold that many rows.

use e2e::Database;
use sqlx::PgPool;

/// Orders.
pub(super) const ORDERS: i32 = 1_000_000;

/// The tables that grow with every order, or every day, so that reading one whole gets slower for ever.
pub(super) const GROWING: [&str; 22] = [
    "events",
    "stream_head",
    "command_log",
    "claims",
    "order_view",
    "order_ref",
    "phone_index",
    "store_board_order",
    "cash_order",
    "cash_posting",
    "cash_remittance",
    "cash_day",
    "remittance_view",
    "dead_letter_view",
    "metrics_hour",
    "metrics_day",
    "metrics_bundle",
    "metrics_component",
    "metrics_basket",
    "metrics_partner",
    "metrics_stage",
    "metrics_step",
];

/// The store, region and partner of order `n`, and when it was placed: 25 stores over 400 days. The orders that the
/// operations show have a document, those of the first store all.
fn parts() -> String {
    format!(
        "create function pg_temp.store(n int) returns text immutable language sql
             as $$ select 'CFR' || lpad((1 + n % 25)::text, 3, '0') $$;
         create function pg_temp.region(n int) returns text immutable language sql as $$ select 'R' || (1 + n % 5) $$;
         create function pg_temp.partner(n int) returns text immutable language sql
             as $$ select (array['GRAB', 'PMP'])[1 + n % 2] $$;
         create function pg_temp.placed(n int) returns timestamptz immutable language sql
             as $$ select timestamptz '2026-11-27 00:00:00+00' - ({ORDERS} - n) * interval '34.56 seconds' $$;
         create function pg_temp.number(n int) returns text immutable language sql
             as $$ select 'QC-' || to_char(pg_temp.placed(n) at time zone 'UTC', 'YYYY-MM-DD') || '-'
                  || lpad((n % 2500)::text, 6, '0') $$;
         create function pg_temp.shown(n int) returns boolean immutable language sql
             as $$ select n % 25 = 0 or n < 200 or n > {ORDERS} - 4000 or n % 50000 = 42
                  or n::bigint * 7919 % 100000 not between 10 and 99980 $$;
         create function pg_temp.id(n int) returns uuid immutable language sql as $$ select md5(n::text)::uuid $$;"
    )
}

/// Fills every growing table. The rows that the operations show have the documents of what is there: of `order`, a
/// remittance and a dead letter.
pub(super) async fn fill(database: &Database, order: &str) {
    let pool = database.superuser_pool().await;
    let mut connection = pool.acquire().await.unwrap();
    let mut run = async |sql: &str| {
        sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
    };
    let indexes = Indexes::dropped(&pool).await;
    run("set synchronous_commit = off; set maintenance_work_mem = '256MB'").await;
    run(&parts()).await;
    run(&orders(order)).await;
    run(&log()).await;
    for sql in cash(order) {
        run(&sql).await;
    }
    run(OTHERS).await;
    run(&metrics()).await;
    indexes.made_again(&pool).await;
    // So many rows that what the planner believes hardly depends on which it happened to draw.
    run("set default_statistics_target = 1000").await;
    for table in GROWING {
        run(&format!("vacuum analyze {table}")).await;
    }
    drop(connection);
    pool.close().await;
}

/// The indexes of the large tables, which are made faster at the end than kept while rows come.
struct Indexes(Vec<String>);

impl Indexes {
    async fn dropped(pool: &PgPool) -> Self {
        let tables = ["order_view", "order_ref", "cash_order", "cash_posting"];
        let found: Vec<(String, String)> = sqlx::query_as(
            "select indexname::text, indexdef from pg_indexes where schemaname = 'public' and tablename = any($1) \
             and not exists (select from pg_constraint where conname = indexname) order by 1",
        )
        .bind(&tables[..])
        .fetch_all(pool)
        .await
        .unwrap();
        assert!(found.len() > 15, "{found:?}");
        for (name, _) in &found {
            let sql = format!("drop index public.{name}");
            sqlx::raw_sql(&sql).execute(pool).await.unwrap();
        }
        Self(found.into_iter().map(|(_, made)| made).collect())
    }

    async fn made_again(self, pool: &PgPool) {
        for made in self.0 {
            sqlx::raw_sql(&made).execute(pool).await.unwrap();
        }
    }
}

/// 8 of 10 delivered, few in the other statuses; one reference for every fourth, five events each of the newest.
fn orders(order: &str) -> String {
    format!(
        "insert into order_view (order_id, number, store_id, region, channel, customer_id, status, min_line_status, \
         max_line_status, payment_status, order_total, cash_due, placed_at, updated_at, version, position, doc, \
         collection_status, partner_id, is_stuck, is_overdue, bundles) \
         select pg_temp.id(n), \
         pg_temp.number(n), pg_temp.store(n), pg_temp.region(n), (array['GRAB', 'WEB', 'STORE', 'PMP'])[1 + n % 4], 'C' || n % 50000, \
         case when n % 10 < 8 then 7500 when n % 10 = 8 then 9000 else (array[1000, 2000, 3000, 3500])[1 + n % 4] end, \
         1000, 7500, 5000, (n::bigint * 7919 % 100000)::numeric / 100, 0, pg_temp.placed(n), \
         pg_temp.placed(n) + (n % 60) * interval '1 minute', 1, 1, \
         case when pg_temp.shown(n) then t.doc else '{{}}'::json end, \
         case when n % 10 < 8 then (array['RECONCILED', 'COLLECTED', 'RECONCILED'])[1 + n % 3] else 'PENDING' end, \
         case when n % 10 < 8 then pg_temp.partner(n) end, n % 500 = 0, n % 700 = 0, (n % 5 = 0)::int \
         from generate_series(1, {ORDERS}) as n, (select doc from order_view where order_id = '{order}') as t;
         insert into order_ref select 'GRAB', 'GF-' || n, pg_temp.id(n) from generate_series(4, {ORDERS}, 4) as n;
         insert into phone_index select 2, pg_temp.id(n), decode(md5('phone ' || n % 300000), 'hex'), 'customer:C' || n % 50000 \
         from generate_series(1, {ORDERS}) as n;
         insert into store_board_order (order_id, store_id, region, status, lines) \
         select pg_temp.id(n), pg_temp.store(n), pg_temp.region(n), 7500, '[]' from generate_series(1, {ORDERS}) as n;"
    )
}

/// The log of another ledger in the same tables: as many streams, and some of their commands, claims and events.
fn log() -> String {
    format!(
        "insert into stream_head select 2, 'order', pg_temp.id(n)::text, 5, n, n from generate_series(1, {ORDERS}) as n;
         insert into command_log (log_id, command_id, request_hash, aggregate_id, first_position, last_position, version) \
         select 2, pg_temp.id(n), sha256('x'), pg_temp.id(n)::text, n, n, 1 from generate_series(1, {ORDERS}, 5) as n;
         insert into claims select 2, 'order_number', 'QC-' || n, pg_temp.id(n)::text, pg_temp.id(n) \
         from generate_series(1, {ORDERS}, 5) as n;
         insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, log_id, \
         position, event_id, command_id, recorded_at, content_hash, prev_hash, hash) \
         select 'order', pg_temp.id(n)::text, 1, 'order.placed', '1', '{{}}', '{{}}', 2, n, pg_temp.id(n), pg_temp.id(n), \
         pg_temp.placed(n), sha256('x'), sha256('x'), sha256('x') from generate_series(1, {ORDERS}, 5) as n;"
    )
}

/// One order in twenty is open: most of those wait for delivery, some are with a rider.
fn cash(order: &str) -> [String; 2] {
    let orders = format!(
        "insert into cash_order (order_id, number, store_id, region, partner_id, status, receivable, rider, since, \
         booked_at, delivered_at, collected_at, failed_at, discrepancy, version, position, cash) \
         select pg_temp.id(n), pg_temp.number(n), pg_temp.store(n), pg_temp.region(n), \
         case when n % 3 < 2 then pg_temp.partner(n) end, t.status, case when n % 20 = 0 then 100 else 0 end, \
         case when n % 100 = 7 then 100 else 0 end, \
         case when n % 20 = 0 or n % 100 = 7 then pg_temp.placed(n) end, null, \
         case when n % 40 = 0 then pg_temp.placed(n) end, null, null, 0, 1, 1, t.cash \
         from generate_series(1, {ORDERS}) as n, (select status, cash from cash_order where order_id = '{order}') as t"
    );
    let postings = format!(
        "insert into cash_posting (log_id, position, line, event_type, account, amount, order_id, remittance_id, \
         store_id, region, partner_id, recorded_at) \
         select 2, n, side, 'order.paid', (array['SALES', 'RECEIVABLE'])[side], case side when 1 then -100 else 100 end, \
         pg_temp.id(n), case when n % 10 = 0 then 'GRAB:CFR001:' || (date '2025-10-23' + n % 400) end, 'CFR001', 'R1', \
         null, pg_temp.placed(n) from generate_series(1, {ORDERS}) as n, generate_series(1, 2) as side"
    );
    [orders, postings]
}

/// Two partners, 25 stores, 400 days: all closed but the last. Of the messages, the last were refused.
const OTHERS: &str = "
    insert into remittance_view (id, place, version, first_position, position, created_at, updated_at, doc)
    select p || ':CFR' || lpad(s::text, 3, '0') || ':' || (date '2025-10-23' + d), 20384 + d, 1, 1, 1, now(), now(),
    t.doc || jsonb_build_object('region', 'R' || s % 5, 'status', case when d < 399 then 'CLOSED' else 'DIFFERING' end)
    from unnest(array['GRAB', 'PMP']) as p, generate_series(1, 25) as s, generate_series(0, 399) as d,
    (select doc from remittance_view) as t;
    insert into cash_remittance select id, 'R1' from remittance_view on conflict do nothing;
    insert into cash_day (day, store_id, region) select date '2025-10-23' + d, pg_temp.store(s), pg_temp.region(s)
    from generate_series(0, 399) as d, generate_series(0, 24) as s;
    insert into dead_letter_view (id, place, version, first_position, position, created_at, updated_at, doc)
    select pg_temp.id(n), n, 1, n, n, now(), now(),
    case when n < 49900 then jsonb_build_object('attempts', 1,
        'message', jsonb_build_object('source', 'topic-' || n % 4, 'messageId', n::text),
        'outcome', jsonb_build_object('kind', case when n % 200 = 0 then 'REJECTED' else 'PLACED' end))
    else t.doc end
    from generate_series(100, 50000) as n, (select doc from dead_letter_view) as t;";

/// Rows of 25 stores over 400 days: what follows the key's store, day and region, and one for each measure.
fn metrics() -> String {
    let ones = |measures: usize| ", 1".repeat(measures);
    let mut sql = format!(
        "insert into metrics_hour select pg_temp.store(s), timestamptz '2025-10-22 17:00:00+00' + h * interval '1 hour', \
         pg_temp.region(s){} from generate_series(0, 24) as s, generate_series(0, 400 * 24 - 1) as h;",
        ones(24)
    );
    for (table, rest, measures) in [
        ("metrics_day", " || n", 24),
        ("metrics_bundle", ", 'B' || n", 8),
        ("metrics_component", ", 'B' || n, 'S'", 2),
        ("metrics_basket", " || n", 6),
        ("metrics_partner", ", pg_temp.partner(n)", 12),
        ("metrics_stage", ", 'ride', '', n", 2),
        ("metrics_step", ", 'pay', n", 3),
    ] {
        sql += &format!(
            "insert into {table} select pg_temp.store(s), date '2025-10-23' + d, pg_temp.region(s){rest}{} \
             from generate_series(0, 24) as s, generate_series(0, 399) as d, generate_series(0, 1) as n;",
            ones(measures)
        );
    }
    sql
}
