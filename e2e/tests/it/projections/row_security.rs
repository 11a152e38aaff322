//! The database shows a reader the rows of its stores only, whatever the queries ask for.

use domain::{
    actor::StoreScope,
    bundle::Bundle,
    ids::{OrderId, StoreId},
    intake::Intake,
    order::event::System,
    remittance::Remittance,
    store::Store,
};
use e2e::Database;
use projections::{
    Model, ReadDb,
    cash_ledger::{
        CashFilter, DayFilter, Grouping, OutstandingFilter, PostingsOf, balances, cash_order,
        collection_days, outstanding, postings,
    },
    document::{self, DeadLetterFilter, RemittanceFilter, StoreFilter},
    order_view::{self, HistoryPage, HistoryWindow, OrderFilter, OrderSort, PageRequest},
    paging::Window,
    rebuild::{self, Mode},
    store_board,
    whose::{Thing, whose},
};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use store::{LogId, connect::ReadingPools};
use uuid::Uuid;

use super::{
    support::{TABLES, TestDb},
    trade::{MOVES, traded},
};

/// The column that names a row's store.
const STORE_COLUMNS: [(&str, &str); 17] = [
    ("order_view", "store_id"),
    ("store_board", "store_id"),
    ("cash_posting", "store_id"),
    ("cash_balance", "store_id"),
    ("cash_order", "store_id"),
    ("cash_day", "store_id"),
    ("cash_store", "store_id"),
    ("remittance_view", "store_id"),
    ("store_view", "id"),
    ("metrics_hour", "store_id"),
    ("metrics_day", "store_id"),
    ("metrics_bundle", "store_id"),
    ("metrics_component", "store_id"),
    ("metrics_basket", "store_id"),
    ("metrics_partner", "store_id"),
    ("metrics_stage", "store_id"),
    ("metrics_step", "store_id"),
];
/// Tables whose rows belong to the order that they name.
const OF_ORDERS: [&str; 2] = ["order_ref", "phone_index"];
/// What readers may read without a policy: what no store owns, of events only which log they are of, where, when, and their
/// hashes; and the views that ask by themselves whether an order is seen.
const NO_POLICY: [&str; 6] = [
    "events",
    "log_head",
    "order_event",
    "order_stream",
    "projection_checkpoint",
    "projection_failure",
];

/// A reader's own connection, with the scope as the database has it.
async fn reader(pool: &PgPool, scope: Option<&str>) -> PoolConnection<Postgres> {
    let mut conn = pool.acquire().await.unwrap();
    if let Some(scope) = scope {
        sqlx::query("select set_config('ledger.stores', $1, false)")
            .bind(scope)
            .execute(&mut *conn)
            .await
            .unwrap();
    }
    conn
}

async fn count(conn: &mut PoolConnection<Postgres>, sql: &str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(&mut **conn)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
}

/// The store with most orders, and another one that has some as well.
async fn two_stores(db: &TestDb) -> (StoreId, StoreId) {
    let stores: Vec<String> = sqlx::query_scalar(
        "select store_id from order_view group by store_id order by count(*) desc, store_id limit 2",
    )
    .fetch_all(&db.admin)
    .await
    .unwrap();
    let [own, other] = stores.try_into().unwrap();
    (StoreId::new(own).unwrap(), StoreId::new(other).unwrap())
}

fn pools(db: &TestDb) -> ReadingPools {
    Database { name: db.name() }.reading_pools()
}

/// Makes all orders findable by phone.
async fn index_phones(db: &TestDb) {
    let add = "insert into phone_index (log_id, order_id, hash, subject) \
               select 1, order_id, substr(sha256(order_id::text::bytea), 1, 16), 'test' from order_view \
               on conflict do nothing";
    sqlx::query(add).execute(&db.admin).await.unwrap();
}

/// That a reader finds the rows of these stores in each table, and no others.
async fn shows_own(db: &TestDb, pools: &ReadingPools, scope: Option<&str>, stores: &[&str]) {
    let mut conn = reader(pools.readers(), scope).await;
    let mut admin = db.admin.acquire().await.unwrap();
    let quoted: Vec<String> = stores.iter().map(|store| format!("'{store}'")).collect();
    let list = if quoted.is_empty() {
        "null".to_owned()
    } else {
        quoted.join(", ")
    };
    let of_stores = STORE_COLUMNS.map(|(table, column)| (table, format!("{table} where {column}")));
    let of_orders = OF_ORDERS.map(|table| {
        let orders = "join order_view using (order_id) where store_id";
        (table, format!("{table} {orders}"))
    });
    for (table, own) in of_stores.into_iter().chain(of_orders) {
        let seen = count(&mut conn, &format!("select count(*) from {table}")).await;
        let own = format!("select count(*) from {own} in ({list})");
        assert_eq!(
            seen,
            count(&mut admin, &own).await,
            "{table} within {scope:?}"
        );
        let is_never_empty = ["order_view", "store_view", "phone_index"].contains(&table);
        assert!(seen > 0 || stores.is_empty() || !is_never_empty, "{table}");
    }
    let orders =
        "events join order_view on aggregate_id = order_id::text and aggregate_type = 'order'";
    let own = format!("select count(*) from {orders} where store_id in ({list})");
    let own = count(&mut admin, &own).await;
    let seen = count(&mut conn, "select count(*) from order_event").await;
    assert_eq!(seen, own, "events within {scope:?}");
    let own = format!("select count(*) from order_view where store_id in ({list})");
    let own = count(&mut admin, &own).await;
    let seen = count(&mut conn, "select count(*) from order_stream").await;
    assert_eq!(seen, own, "streams within {scope:?}");
    assert!(seen > 0 || stores.is_empty());
    let letters = "select count(*) from dead_letter_view";
    let letters = count(&mut conn, letters).await;
    assert_eq!(letters, 0, "for the whole chain only");
    conn.close_on_drop();
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_queries_of_a_reader_find_its_own_stores_rows_and_no_others() {
    let (db, runner, _) = traded(71, MOVES).await;
    index_phones(&db).await;
    let pools = pools(&db);
    let (own, other) = two_stores(&db).await;
    let both = format!("{own},{other}");
    for (scope, stores) in [
        (None, vec![]),
        (Some(""), vec![]),
        (Some("CFR999"), vec![]),
        (Some("*"), vec![]),
        (Some(own.as_str()), vec![own.as_str()]),
        (Some(both.as_str()), vec![own.as_str(), other.as_str()]),
    ] {
        shows_own(&db, &pools, scope, &stores).await;
    }
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_oversees_the_chain_finds_every_row() {
    let (db, runner, _) = traded(73, MOVES).await;
    index_phones(&db).await;
    let mut conn = pools(&db).overseers().acquire().await.unwrap();
    let mut admin = db.admin.acquire().await.unwrap();
    let tables = STORE_COLUMNS.iter().map(|(table, _)| *table);
    for table in tables
        .chain(OF_ORDERS)
        .chain(["dead_letter_view", "bundle_view", "order_event"])
    {
        let all = format!("select count(*) from {table}");
        let seen = count(&mut conn, &all).await;
        assert_eq!(seen, count(&mut admin, &all).await, "{table}");
        assert!(
            seen > 0 || table == "metrics_bundle" || table == "metrics_component",
            "{table} is empty"
        );
    }
    let memory = "select count(*) from metrics_order";
    assert_eq!(count(&mut conn, memory).await, 0, "the model's own memory");
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_forgets_its_filter_shows_nothing_that_is_another_stores() {
    let (db, runner, _) = traded(72, MOVES).await;
    let (own, _) = two_stores(&db).await;
    let read = ReadDb::new(pools(&db));
    let mine = read.within(&StoreScope::Only(vec![own.clone()]));
    let all = StoreScope::All;
    let window = || Window::Forward {
        first: 100,
        after: None,
    };
    let request = PageRequest {
        filter: OrderFilter::within(all.clone()),
        sort: OrderSort::NewestFirst,
        window: window(),
    };
    let orders = order_view::page(&mine, &request).await.unwrap();
    assert!(!orders.edges.is_empty());
    assert!(
        orders
            .edges
            .iter()
            .all(|edge| edge.row.order.store_id == own)
    );
    let board = store_board::board(&mine, &all, None).await.unwrap();
    assert!(!board.is_empty() && board.iter().all(|row| row.store_id == own));
    let filter = CashFilter::within(all.clone());
    let cash = balances(&mine, &filter, Grouping::Store).await.unwrap();
    let stores = cash.rows.iter().map(|row| row.store_id.as_ref());
    assert!(
        stores.clone().all(|store| store == Some(&own)),
        "{:?}",
        cash.rows
    );
    let filter = OutstandingFilter::within(all.clone());
    let out = outstanding(&mine, &filter, &window()).await.unwrap();
    assert!(out.edges.iter().all(|edge| edge.row.store_id == own));
    let days = DayFilter {
        allowed: all.clone(),
        stores: None,
        region: None,
        from: "2026-01-01".parse().unwrap(),
        to: "2026-02-28".parse().unwrap(),
    };
    let days = collection_days(&mine, &days).await.unwrap();
    assert!(!days.is_empty() && days.iter().all(|day| day.store_id == own));
    let filter = RemittanceFilter::within(all.clone());
    let remittances = document::page::<Remittance>(&mine, &filter, &window())
        .await
        .unwrap();
    assert!(
        remittances
            .edges
            .iter()
            .all(|edge| *edge.row.id.store() == own)
    );
    let filter = StoreFilter::within(all.clone());
    let stores = document::page::<Store>(&mine, &filter, &window())
        .await
        .unwrap();
    assert!(stores.edges.iter().all(|edge| edge.row.id == own));
    let filter = DeadLetterFilter::default();
    let letters = document::page::<Intake>(&mine, &filter, &window())
        .await
        .unwrap();
    assert!(letters.edges.is_empty());

    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_given_no_scope_sees_nothing() {
    let (db, runner, _) = traded(75, MOVES).await;
    let (own, _) = two_stores(&db).await;
    let read = ReadDb::new(pools(&db));
    let window = || Window::Forward {
        first: 100,
        after: None,
    };
    let request = PageRequest {
        filter: OrderFilter::within(StoreScope::All),
        sort: OrderSort::NewestFirst,
        window: window(),
    };
    let mine = read.within(&StoreScope::Only(vec![own]));
    let orders = order_view::page(&mine, &request).await.unwrap();
    assert!(!orders.edges.is_empty());
    // The connection that has just shown something.
    let orders = order_view::page(&read, &request).await.unwrap();
    assert!(orders.edges.is_empty());
    let bundles = document::page::<Bundle>(&read, &Default::default(), &window())
        .await
        .unwrap();
    assert!(
        !bundles.edges.is_empty(),
        "what bundles there are is no store's secret"
    );
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_stores_is_not_found_and_its_store_can_be_put_on_record() {
    let (db, runner, _) = traded(74, MOVES).await;
    let (own, other) = two_stores(&db).await;
    let mine = ReadDb::new(pools(&db)).within(&StoreScope::Only(vec![own]));
    let window = Window::Forward {
        first: 100,
        after: None,
    };
    let (foreign, number): (Uuid, String) =
        sqlx::query_as("select order_id, number from order_view where store_id = $1 limit 1")
            .bind(other.as_str())
            .fetch_one(&db.admin)
            .await
            .unwrap();
    let foreign = OrderId(foreign);
    let (system, reference): (String, String) = sqlx::query_as(
        "select system, reference from order_ref join order_view using (order_id) where store_id = $1 limit 1",
    )
    .bind(other.as_str())
    .fetch_one(&db.admin)
    .await
    .unwrap();
    let system: System = serde_json::from_value(system.into()).unwrap();
    assert_eq!(order_view::by_id(&mine, foreign).await.unwrap(), None);
    assert_eq!(order_view::by_ids(&mine, &[foreign]).await.unwrap(), []);
    let number = number.parse().unwrap();
    assert_eq!(order_view::by_number(&mine, &number).await.unwrap(), None);
    let by_ref = order_view::by_ref(&mine, system, &reference).await.unwrap();
    assert_eq!(by_ref, None);
    let part = HistoryWindow {
        order: foreign,
        first: 100,
        after: 0,
    };
    let history = order_view::histories(&mine, LogId::DEFAULT, &[part]).await;
    assert_eq!(history.unwrap(), [Ok(HistoryPage::default())]);
    assert_eq!(cash_order(&mine, foreign).await.unwrap(), None);
    let of = PostingsOf::Order(foreign);
    assert!(
        postings(&mine, &of, &window)
            .await
            .unwrap()
            .edges
            .is_empty()
    );
    // The refusal can be put on record all the same.
    let found = whose(&mine, Thing::Order(foreign)).await.unwrap();
    assert_eq!(found, Some((foreign.to_string(), other.clone())));
    let found = whose(&mine, Thing::Ref(system, &reference)).await.unwrap();
    assert_eq!(found.map(|(_, store)| store), Some(other.clone()));
    assert_eq!(
        whose(&mine, Thing::Order(OrderId(Uuid::nil())))
            .await
            .unwrap(),
        None
    );
    runner.stop().await;
}

#[tokio::test]
async fn every_table_that_a_reader_may_read_has_a_policy() {
    let db = super::support::fresh_db().await;
    let open: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') \
         and (has_any_column_privilege('ledger_reader', oid, 'select') or has_any_column_privilege('ledger_overseer', oid, 'select')) \
         and not relrowsecurity order by 1",
    )
    .fetch_all(&db.admin)
    .await
    .unwrap();
    assert_eq!(open, NO_POLICY);
    let free: Vec<String> = sqlx::query_scalar(
        "select t from unnest($1) as t where not (select relrowsecurity from pg_class where oid = ('public.' || t)::regclass)",
    )
    .bind(&TABLES[..])
    .fetch_all(&db.admin)
    .await
    .unwrap();
    assert!(
        free.is_empty(),
        "read models without row security: {free:?}"
    );
    // A model's table with a store in it, of whatever migration.
    let without: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class as c join pg_attribute as a on a.attrelid = c.oid \
         where a.attname = 'store_id' and c.relnamespace = 'public'::regnamespace and c.relkind = 'r' \
         and c.relname = any($1) and not exists (select from pg_policy as p where p.polrelid = c.oid \
             and 'ledger_reader'::regrole = any(p.polroles) and pg_get_expr(p.polqual, p.polrelid) like '%ledger.stores%')",
    )
    .bind(&TABLES[..])
    .fetch_all(&db.admin)
    .await
    .unwrap();
    assert!(without.is_empty(), "{without:?}");
    // Readers write nothing, read no event but an order's that they see, nothing of persons and no model's own memory.
    let mut conn = pools(&db).overseers().acquire().await.unwrap();
    for sql in [
        "select payload from events limit 1",
        "select metadata from events limit 1",
        "select aggregate_id from stream_head limit 1",
        "select value from claims limit 1",
        "select wrapped from subject_key limit 1",
        "select subject from phone_index limit 1",
        "select region from cash_remittance limit 1",
        "delete from order_view",
        "update projection_checkpoint set position = 0",
    ] {
        let refused = sqlx::query(sql).execute(&mut *conn).await.unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(|e| e.code().map(Into::into));
        let expected: [Option<String>; 2] = [Some("42501".into()), Some("25006".into())];
        assert!(expected.contains(&code), "{sql}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_stay_hidden_in_tables_that_were_made_anew_and_in_those_that_came_back() {
    let (db, runner, _) = traded(76, MOVES).await;
    index_phones(&db).await;
    let (own, _) = two_stores(&db).await;
    let pools = pools(&db);
    let (scope, stores) = (Some(own.as_str()), [own.as_str()]);
    let owner = db.owner().await;
    // The second one drops the tables that the first one put away, with all that hangs on them.
    for _ in 0..2 {
        rebuild::rebuild(&owner, LogId::DEFAULT, &Model::ALL, Mode::Exchange, |_| {})
            .await
            .unwrap();
        shows_own(&db, &pools, scope, &stores).await;
        assert_eq!(kept_without_policy(&db).await, Vec::<String>::new());
    }
    for model in Model::ALL {
        rebuild::rollback(&owner, LogId::DEFAULT, model)
            .await
            .unwrap();
    }
    shows_own(&db, &pools, scope, &stores).await;
    runner.stop().await;
}

/// Tables of before that would show everything if they came back.
async fn kept_without_policy(db: &TestDb) -> Vec<String> {
    sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace \
         where n.nspname like 'retired\\_%' and c.relkind = 'r' and not c.relrowsecurity",
    )
    .fetch_all(&db.admin)
    .await
    .unwrap()
}
