//! Empty tables are filled: the log is read once for all models, every event is decoded once, orders live in memory and
//! their rows are written when they have been quiet for long, most of them once. Every statement commits by itself: what
//! breaks off is thrown away whole.
//!
//! ```text
//! read, decode ──┬── order_view ── references   each with its own connection, 2 pages waiting at most
//!   2 at once,   ├── cash_ledger ── postings
//!   2 ahead      ├── metrics
//!                └── ...
//! ```

use std::{collections::HashMap, sync::Arc};

use domain::{bundle::Bundle, intake::Intake, remittance::Remittance, store::Store};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use store::{LogId, Position, feed};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, Receiver, Sender},
    },
    task::{self, JoinHandle, JoinSet},
};

use super::{Limits, RebuildError, Shadow, Stage, catch_up::NEAR, read, shadow};
use crate::{
    Model, cash_ledger,
    copy::Rows,
    decode::{Kind, Page, Record},
    document, metrics,
    model::ApplyError,
    order_view, store_board,
};

/// Pages that are read and decoded ahead, and that wait for each model, at most.
const PAGES_AHEAD: usize = 2;
/// Pages that are read at once: one connection alone waits for the server as often as the server for it.
const READERS: usize = 2;

/// Makes new tables and fills them until they are near the end of the log. What comes of them are the tables with their
/// indexes, those of each model as soon as they are ready. All of them stand at one position.
pub(super) async fn fill(
    pool: &PgPool,
    log: LogId,
    shadows: Vec<Shadow>,
    limits: Limits,
    told: &mut impl FnMut(Stage),
) -> Result<Filled, RebuildError> {
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .filter(|kind| shadows.iter().any(|s| s.model.kinds().contains(kind)))
        .copied()
        .collect();
    let (reader, mut pages) = read_ahead(pool.clone(), log, kinds, limits.page_events);
    let mut models = Vec::with_capacity(shadows.len());
    let mut filled = Filled::default();
    for shadow in shadows {
        let (send, receive) = mpsc::channel(PAGES_AHEAD);
        models.push(send);
        let model = shadow.model;
        let making = make(pool.clone(), shadow, receive, limits.held_orders);
        filled.models.insert(filled.tasks.spawn(making).id(), model);
    }
    let handed = hand_out(&mut pages, &models, told).await;
    drop(pages);
    let read = reader.await.map_err(|e| ended(None, &e)).and_then(|r| r);
    if matches!((&handed, &read), (Ok(true), Ok(()))) {
        for model in models {
            // A model that failed takes nothing more. Why, it says itself.
            let _ = model.send(Handed::End).await;
        }
        return Ok(filled);
    }
    drop(models);
    handed?;
    // One that takes no more failed, and the others are broken off.
    while let Some(ended) = filled.next().await {
        ended?;
    }
    read?;
    Err(RebuildError::Broken {
        model: None,
        reason: "the log was not read to its end".into(),
    })
}

/// Models whose tables are filled, as they get ready. Those that are not ready when this is dropped are broken off.
#[derive(Default)]
pub(super) struct Filled {
    tasks: JoinSet<Result<Option<Shadow>, RebuildError>>,
    models: HashMap<task::Id, Model>,
}

impl Filled {
    /// The next one that is ready; `None` if there are no more.
    pub(super) async fn next(&mut self) -> Option<Result<Shadow, RebuildError>> {
        loop {
            let made = self.tasks.join_next().await?;
            let made = made.map_err(|e| ended(self.models.get(&e.id()).copied(), &e));
            match made.and_then(|made| made) {
                Ok(Some(shadow)) => return Some(Ok(shadow)),
                // It was broken off.
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// What is handed on.
enum Handed<T> {
    /// A page of it.
    Next(T),
    /// There is no more. Without it the rebuild is broken off.
    End,
}

/// Hands pages to all models until the log ends: the reader stops near its end. `false` if a model takes no more.
async fn hand_out(
    pages: &mut Receiver<Coming>,
    models: &[Sender<Handed<Arc<Page>>>],
    told: &mut impl FnMut(Stage),
) -> Result<bool, RebuildError> {
    while let Some(page) = pages.recv().await {
        let (page, head) = page.await.map_err(|e| ended(None, &e))??;
        let page = Arc::new(page);
        let last = page.events().last().map(|event| event.position);
        for model in models {
            // A model that failed takes no more.
            if model.send(Handed::Next(Arc::clone(&page))).await.is_err() {
                return Ok(false);
            }
        }
        if let Some(at) = last {
            told(Stage::Filling(at, head));
        }
    }
    Ok(true)
}

fn ended(model: Option<Model>, error: &task::JoinError) -> RebuildError {
    RebuildError::Broken {
        model,
        reason: error.to_string(),
    }
}

/// A page that is being read and decoded, and the end of the log as far as that is known.
type Coming = JoinHandle<Result<(Page, Position), RebuildError>>;

/// Reads the log from its start until near its end. Every page is read and decoded by a task of its own, a few at once; in
/// order they come out.
fn read_ahead(
    pool: PgPool,
    log: LogId,
    kinds: Vec<Kind>,
    page_events: i64,
) -> (JoinHandle<Result<(), RebuildError>>, Receiver<Coming>) {
    let (send, receive) = mpsc::channel(PAGES_AHEAD);
    let reading = async move { read_all(&pool, log, kinds.into(), page_events, send).await };
    (tokio::spawn(reading), receive)
}

async fn read_all(
    pool: &PgPool,
    log: LogId,
    kinds: Arc<[Kind]>,
    page_events: i64,
    send: Sender<Coming>,
) -> Result<(), RebuildError> {
    let skipped = Kind::ALL.iter().filter(|kind| !kinds.contains(kind));
    let skipped: Arc<[&'static str]> = skipped.map(|kind| kind.name()).collect();
    let readers = Arc::new(Semaphore::new(READERS));
    let mut at = Position::START;
    let mut head = feed::head(pool, log).await?.position;
    // Ends when the log is read: what is written meanwhile is less than a page is long, or the caller gives up.
    while at < head {
        let to = head.min(Position(at.0 + page_events));
        let Ok(reader) = Arc::clone(&readers).acquire_owned().await else {
            break;
        };
        let (owner, kinds, skipped) = (pool.clone(), Arc::clone(&kinds), Arc::clone(&skipped));
        let coming = tokio::spawn(async move {
            let mut connection = owner.acquire().await?;
            let events = read::page(&mut connection, log, (at, to), &skipped).await?;
            // The next page is read while this one is decoded.
            drop((connection, reader));
            Ok((Page::of(events, &kinds), head))
        });
        if send.send(coming).await.is_err() {
            break;
        }
        at = to;
        if head.0 - at.0 < NEAR {
            head = feed::head(pool, log).await?.position;
        }
        if head.0 - at.0 < NEAR {
            break;
        }
    }
    Ok(())
}

/// Makes a model's tables, applies pages to them as they come, writes at the end what is in memory, and makes the indexes.
/// `None` where the log is broken off before its end.
async fn make(
    pool: PgPool,
    mut shadow: Shadow,
    pages: Receiver<Handed<Arc<Page>>>,
    held_orders: usize,
) -> Result<Option<Shadow>, RebuildError> {
    let model = shadow.model;
    let fail = |error| RebuildError::apply(model, error);
    shadow::create(&mut shadow.connection, model).await?;
    shadow::enter(&mut shadow.connection, model).await?;
    let (send, rows) = mpsc::channel(PAGES_AHEAD);
    // A set of one: where this task is given up, so is that.
    let mut adding = JoinSet::new();
    adding.spawn(add(pool, model, rows));
    let mut filling = Filling::of(model);
    let is_whole = apply_all(&mut shadow, &mut filling, pages, &send, held_orders).await?;
    if is_whole {
        // If that failed, it says why below.
        let _ = send.send(Handed::End).await;
        filling.end(&mut shadow.connection).await.map_err(fail)?;
    }
    drop(send);
    let mut second = None;
    while let Some(added) = adding.join_next().await {
        let added = added.map_err(|e| ended(Some(model), &e))?;
        second = added.map_err(fail)?;
    }
    if !is_whole {
        return Ok(None);
    }
    shadow::leave(&mut shadow.connection).await?;
    let finished = shadow::finish(&mut shadow.connection, second, model).await;
    finished.map_err(|error| fail(error.into()))?;
    Ok(Some(shadow))
}

/// Applies pages as they come. `false` where they break off, or where nobody writes the rows that they add.
async fn apply_all(
    shadow: &mut Shadow,
    filling: &mut Filling,
    mut pages: Receiver<Handed<Arc<Page>>>,
    added: &Sender<Handed<Rows>>,
    held_orders: usize,
) -> Result<bool, RebuildError> {
    let (model, log) = (shadow.model, shadow.log);
    let fail = |error| RebuildError::apply(model, error);
    loop {
        let page = match pages.recv().await {
            Some(Handed::Next(page)) => page,
            Some(Handed::End) => return Ok(true),
            None => return Ok(false),
        };
        let to = crate::runner::whole(shadow.at, page.events()).map_err(fail)?;
        let (records, poison) = page.records(model.kinds());
        if let Some(poison) = poison {
            return Err(fail(poison.into()));
        }
        if !records.is_empty() {
            let connection = &mut shadow.connection;
            let rows = filling.page(connection, log, &records, held_orders).await;
            let rows = rows.map_err(fail)?;
            if let Some(rows) = rows
                && added.send(Handed::Next(rows)).await.is_err()
            {
                return Ok(false);
            }
        }
        shadow.at = to;
    }
}

/// Writes the rows of tables to which is only added while the model goes on. Answers the connection that did, if the model
/// has such tables and none of their rows is missing.
async fn add(
    pool: PgPool,
    model: Model,
    mut rows: Receiver<Handed<Rows>>,
) -> Result<Option<PoolConnection<Postgres>>, ApplyError> {
    if !model.tables().iter().any(|table| table.is_added_to) {
        return Ok(None);
    }
    let mut connection = pool.acquire().await?;
    shadow::ready(&mut connection).await?;
    shadow::enter(&mut connection, model).await?;
    loop {
        match rows.recv().await {
            Some(Handed::Next(rows)) => rows.write(&mut connection).await?,
            Some(Handed::End) => break,
            None => return Ok(None),
        }
    }
    shadow::leave(&mut connection).await?;
    Ok(Some(connection))
}

/// What a model has in memory while its tables are filled.
enum Filling {
    OrderView(order_view::Filling),
    StoreBoard(store_board::Filling),
    CashLedger(cash_ledger::Filling),
    Metrics(metrics::Filling),
    Remittances(document::Filling<Remittance>),
    Bundles(document::Filling<Bundle>),
    Stores(document::Filling<Store>),
    DeadLetters(document::Filling<Intake>),
}

impl Filling {
    fn of(model: Model) -> Self {
        match model {
            Model::OrderView => Self::OrderView(order_view::Filling::new()),
            Model::StoreBoard => Self::StoreBoard(store_board::Filling::new()),
            Model::CashLedger => Self::CashLedger(cash_ledger::Filling::new()),
            Model::Metrics => Self::Metrics(metrics::Filling::new()),
            Model::Remittances => Self::Remittances(document::Filling::new()),
            Model::Bundles => Self::Bundles(document::Filling::new()),
            Model::Stores => Self::Stores(document::Filling::new()),
            Model::DeadLetters => Self::DeadLetters(document::Filling::new()),
        }
    }

    /// Answers the rows of the model's table to which is only added, if it has one.
    async fn page(
        &mut self,
        conn: &mut sqlx::PgConnection,
        log: LogId,
        page: &[Record<'_>],
        held_orders: usize,
    ) -> Result<Option<Rows>, ApplyError> {
        match self {
            Self::OrderView(filling) => {
                return Ok(Some(filling.page(conn, page, held_orders).await?));
            }
            Self::CashLedger(filling) => {
                return Ok(Some(filling.page(conn, log, page, held_orders).await?));
            }
            Self::StoreBoard(filling) => filling.page(conn, page, held_orders).await?,
            Self::Metrics(filling) => filling.page(conn, page, held_orders).await?,
            Self::Remittances(filling) => filling.page(conn, page).await?,
            Self::Bundles(filling) => filling.page(conn, page).await?,
            Self::Stores(filling) => filling.page(conn, page).await?,
            Self::DeadLetters(filling) => filling.page(conn, page).await?,
        }
        Ok(None)
    }

    async fn end(self, conn: &mut sqlx::PgConnection) -> Result<(), ApplyError> {
        match self {
            Self::OrderView(filling) => filling.end(conn).await,
            Self::StoreBoard(filling) => filling.end(conn).await,
            Self::CashLedger(filling) => filling.end(conn).await,
            Self::Metrics(filling) => filling.end(conn).await,
            Self::Remittances(filling) => filling.end(conn).await,
            Self::Bundles(filling) => filling.end(conn).await,
            Self::Stores(filling) => filling.end(conn).await,
            Self::DeadLetters(filling) => filling.end(conn).await,
        }
    }
}
