//! Empty tables are filled: the log is read once for all models, every event is decoded once, orders live in memory and
//! their rows are written when they have been quiet for long, most of them once.
//!
//! ```text
//! read ── decode ──┬── order_view
//!   2 pages ahead  ├── metrics      each with its own connection, 2 pages waiting at most
//!                  └── ...
//! ```

use std::sync::Arc;

use domain::{bundle::Bundle, intake::Intake, remittance::Remittance, store::Store};
use sqlx::PgPool;
use store::{LogId, Position, feed};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
};

use super::{Limits, RebuildError, Shadow, Stage, fill::NEAR, read, shadow};
use crate::{
    Model, cash_ledger,
    decode::{Kind, Page, Record},
    document, metrics,
    model::ApplyError,
    order_view, store_board,
};

/// Pages that are read and decoded ahead, and that wait for each model, at most.
const PAGES_AHEAD: usize = 2;

/// Fills new tables until they are near the end of the log, and makes their indexes, those of each model as soon as its
/// rows are there. All of them stand at one position, before and after.
pub(super) async fn fill(
    pool: &PgPool,
    log: LogId,
    shadows: Vec<Shadow>,
    limits: Limits,
    told: &mut impl FnMut(Stage),
) -> Result<Vec<Shadow>, RebuildError> {
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .filter(|kind| shadows.iter().any(|s| s.model.kinds().contains(kind)))
        .copied()
        .collect();
    let (reader, mut pages) = read_ahead(pool.clone(), log, kinds, limits.page_events);
    let mut models = Vec::with_capacity(shadows.len());
    for shadow in shadows {
        let (send, receive) = mpsc::channel(PAGES_AHEAD);
        let model = shadow.model;
        models.push((
            model,
            send,
            tokio::spawn(apply_all(shadow, receive, limits.held_orders)),
        ));
    }
    let handed = hand_out(&mut pages, &models, told).await;
    drop(pages);
    let read = reader.await.map_err(|e| ended(None, &e)).and_then(|r| r);
    let is_whole = matches!((&handed, &read), (Ok(true), Ok(())));
    let mut failed = handed.err();
    let mut running = Vec::with_capacity(models.len());
    for (model, send, task) in models {
        if is_whole {
            // A model that failed takes nothing more. Why, it says below.
            let _ = send.send(Handed::End).await;
        }
        running.push((model, task));
    }
    let mut filled = Vec::with_capacity(running.len());
    for (model, task) in running {
        if is_whole {
            told(Stage::Indexing(model));
        }
        match task.await.map_err(|e| ended(Some(model), &e)) {
            Ok(Ok(shadow)) => filled.push(shadow),
            Ok(Err(error)) | Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => read.map(|()| filled),
    }
}

/// What a model is handed.
enum Handed {
    /// A page of the log.
    Page(Arc<Page>),
    /// There is no more. Without it the rebuild is broken off.
    End,
}

/// A model, where its pages go, and what it comes to.
type Applying = (
    Model,
    Sender<Handed>,
    JoinHandle<Result<Shadow, RebuildError>>,
);

/// Hands pages to all models until the log ends: the reader stops near its end. `false` if a model takes no more.
async fn hand_out(
    pages: &mut Receiver<Decoding>,
    models: &[Applying],
    told: &mut impl FnMut(Stage),
) -> Result<bool, RebuildError> {
    while let Some(page) = pages.recv().await {
        let (page, head) = page.await.map_err(|e| ended(None, &e))?;
        let page = Arc::new(page);
        let last = page.events().last().map(|event| event.position);
        for (_, send, _) in models {
            // A model that failed takes no more.
            if send.send(Handed::Page(Arc::clone(&page))).await.is_err() {
                return Ok(false);
            }
        }
        if let Some(at) = last {
            told(Stage::Filling(at, head));
        }
    }
    Ok(true)
}

fn ended(model: Option<Model>, error: &tokio::task::JoinError) -> RebuildError {
    RebuildError::Broken {
        model,
        reason: error.to_string(),
    }
}

/// A page that is being decoded, and the end of the log when it was read.
type Decoding = JoinHandle<(Page, Position)>;

/// Reads the log from its start until near its end. Every page is decoded by a task of its own, in order they come out.
fn read_ahead(
    pool: PgPool,
    log: LogId,
    kinds: Vec<Kind>,
    page_events: i64,
) -> (JoinHandle<Result<(), RebuildError>>, Receiver<Decoding>) {
    let (send, receive) = mpsc::channel(PAGES_AHEAD);
    let reading = async move { read_all(&pool, log, kinds.into(), page_events, send).await };
    (tokio::spawn(reading), receive)
}

async fn read_all(
    pool: &PgPool,
    log: LogId,
    kinds: Arc<[Kind]>,
    page_events: i64,
    send: Sender<Decoding>,
) -> Result<(), RebuildError> {
    let skipped = Kind::ALL.iter().filter(|kind| !kinds.contains(kind));
    let skipped: Vec<&'static str> = skipped.map(|kind| kind.name()).collect();
    let mut connection = pool.acquire().await?;
    let mut at = Position::START;
    let mut head = feed::head(pool, log).await?.position;
    // Ends when the log is read: what is written meanwhile is less than a page is long, or the caller gives up.
    while at < head {
        let to = head.min(Position(at.0 + page_events));
        let events = read::page(&mut connection, log, (at, to), &skipped).await?;
        let kinds = Arc::clone(&kinds);
        let decoding = tokio::spawn(async move { (Page::of(events, &kinds), head) });
        if send.send(decoding).await.is_err() {
            break;
        }
        at = to;
        head = feed::head(pool, log).await?.position;
        if head.0 - at.0 < NEAR {
            break;
        }
    }
    Ok(())
}

/// Applies pages to a model's tables as they come, writes at the end what is in memory, and makes the indexes. Where the log
/// is broken off before its end, nothing more is done.
async fn apply_all(
    mut shadow: Shadow,
    mut handed: Receiver<Handed>,
    held_orders: usize,
) -> Result<Shadow, RebuildError> {
    let (model, log) = (shadow.model, shadow.log);
    let fail = |error| RebuildError::apply(model, error);
    let mut filling = Filling::of(model);
    loop {
        let page = match handed.recv().await {
            Some(Handed::Page(page)) => page,
            Some(Handed::End) => break,
            None => return Ok(shadow),
        };
        let to = crate::runner::whole(shadow.at, page.events()).map_err(fail)?;
        let (records, poison) = page.records(model.kinds());
        if let Some(poison) = poison {
            return Err(fail(poison.into()));
        }
        if !records.is_empty() {
            let mut tx = shadow.begin().await?;
            let applied = filling.page(&mut tx, log, &records, held_orders).await;
            applied.map_err(fail)?;
            tx.commit().await?;
        }
        shadow.at = to;
    }
    let mut tx = shadow.begin().await?;
    filling.end(&mut tx).await.map_err(fail)?;
    tx.commit().await?;
    let indexed = shadow::finish(&mut shadow.connection, model).await;
    indexed.map_err(|error| fail(error.into()))?;
    Ok(shadow)
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

    async fn page(
        &mut self,
        conn: &mut sqlx::PgConnection,
        log: LogId,
        page: &[Record<'_>],
        held_orders: usize,
    ) -> Result<(), ApplyError> {
        match self {
            Self::OrderView(filling) => filling.page(conn, page, held_orders).await,
            Self::StoreBoard(filling) => filling.page(conn, page, held_orders).await,
            Self::CashLedger(filling) => filling.page(conn, log, page, held_orders).await,
            Self::Metrics(filling) => filling.page(conn, page, held_orders).await,
            Self::Remittances(filling) => filling.page(conn, page).await,
            Self::Bundles(filling) => filling.page(conn, page).await,
            Self::Stores(filling) => filling.page(conn, page).await,
            Self::DeadLetters(filling) => filling.page(conn, page).await,
        }
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
