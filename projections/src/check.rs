//! Proof that the read models equal a fold of the log.
//!
//! Everything is read in one `repeatable read` snapshot: the checkpoints, the log up to them, and the
//! tables. Until it ends, a rebuild cannot exchange the tables. Streams are taken a few hundred at a time, so memory does not grow with the log.

mod board;
mod cash;
mod documents;
mod metrics;
mod order;
mod report;
mod view;

use domain::{bundle::Bundle, intake::Intake, order::Order, remittance::Remittance, store::Store};
use sqlx::{PgConnection, PgPool};
use store::{LogId, Position, Recorded, connect::BEGIN_SNAPSHOT};

use crate::{
    Model,
    decode::{Kind, Logged, Of, Poison, Record, decode_all},
    document::Document,
    model::hold_tables,
};
use documents::Documents;

pub use order::{ORDER_MODELS, check_order};
pub use report::{CheckReport, Difference};

/// Orders folded at a time.
const ORDERS: i64 = 200;
/// Aggregates of other kinds folded at a time: remittances are larger than orders.
const OTHERS: i64 = 50;

/// Why a check could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The log itself does not fold.
    #[error(transparent)]
    Poison(#[from] Poison),
    /// A state of the fold does not serialise.
    #[error("a state does not serialise: {0}")]
    Encode(#[from] serde_json::Error),
}

/// Compares every read model with a fold of the log up to the model's checkpoint.
///
/// # Errors
/// See [`CheckError`]. What differs is no error but in the report.
pub async fn check(pool: &PgPool, log: LogId) -> Result<CheckReport, CheckError> {
    check_with(pool, log, |_, _| {}).await
}

/// As [`check`]; `progress` is told now and then how many streams of how many are done.
///
/// # Errors
/// As [`check`].
pub async fn check_with(
    pool: &PgPool,
    log: LogId,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<CheckReport, CheckError> {
    let mut tx = pool.begin_with(BEGIN_SNAPSHOT).await?;
    // Counting a large table takes longer than a query of the service may.
    sqlx::query("set local statement_timeout = '10min'")
        .execute(&mut *tx)
        .await?;
    hold_tables(&mut tx, &Model::ALL).await?;
    let mut report = CheckReport::default();
    for model in Model::ALL {
        let at = checkpoint(&mut tx, log, model).await?;
        report.positions.push((model, at));
    }
    let streams: i64 = sqlx::query_scalar("select count(*) from stream_head where log_id = $1")
        .bind(log.0)
        .fetch_one(&mut *tx)
        .await?;
    let streams = streams.unsigned_abs();
    let mut done = 0;
    let mut progress = |chunk: i64| {
        done = streams.min(done + chunk.unsigned_abs());
        progress(done, streams);
    };
    let mut cash = cash::Cash::new(report.at(Model::CashLedger));
    orders(&mut tx, log, &mut cash, &mut report, &mut progress).await?;
    remittances(&mut tx, log, &mut cash, &mut report).await?;
    stores(&mut tx, log, &mut cash, &mut report).await?;
    progress(OTHERS);
    cash.finish(&mut tx, &mut report).await?;
    documents::<Bundle>(&mut tx, log, Model::Bundles, &mut report).await?;
    documents::<Intake>(&mut tx, log, Model::DeadLetters, &mut report).await?;
    Ok(report)
}

async fn checkpoint(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
) -> Result<Position, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from projection_checkpoint where log_id = $1 and name = $2",
    )
    .bind(log.0)
    .bind(model.checkpoint())
    .fetch_optional(conn)
    .await?;
    Ok(Position(position.unwrap_or(0)))
}

async fn orders(
    conn: &mut PgConnection,
    log: LogId,
    cash: &mut cash::Cash,
    report: &mut CheckReport,
    progress: &mut (impl FnMut(i64) + Send),
) -> Result<(), CheckError> {
    let mut view = view::View::new(report.at(Model::OrderView));
    let mut board = board::Board::new(report.at(Model::StoreBoard));
    let mut metrics = metrics::Metrics::new(report.at(Model::Metrics));
    let until = view.at.max(board.at).max(cash.at).max(metrics.at);
    let mut streams = Streams::new(log, Order::KIND, ORDERS, until);
    while let Some(events) = streams.next(conn).await? {
        let records = decode_all(&events, &[Order::KIND])?;
        let records: Vec<Of<'_, Order>> = records.iter().filter_map(Record::of::<Order>).collect();
        view.chunk(conn, &records, report).await?;
        board.chunk(conn, &records, report).await?;
        cash.orders(conn, &records, report).await?;
        metrics.chunk(conn, &records, report).await?;
        progress(ORDERS);
    }
    view.finish(conn, report).await?;
    board.finish(conn, report).await?;
    metrics.finish(conn, report).await
}

async fn remittances(
    conn: &mut PgConnection,
    log: LogId,
    cash: &mut cash::Cash,
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    let mut rows = Documents::<Remittance>::new(report.at(Model::Remittances));
    let mut streams = Streams::new(log, Remittance::KIND, OTHERS, rows.at.max(cash.at));
    while let Some(events) = streams.next(conn).await? {
        let records = decode_all(&events, &[Remittance::KIND])?;
        let records: Vec<Of<'_, Remittance>> = records.iter().filter_map(Record::of).collect();
        rows.chunk(conn, &records, report).await?;
        cash.remittances(conn, &records, report).await?;
    }
    rows.finish(conn, report).await
}

async fn stores(
    conn: &mut PgConnection,
    log: LogId,
    cash: &mut cash::Cash,
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    let mut rows = Documents::<Store>::new(report.at(Model::Stores));
    let mut streams = Streams::new(log, Store::KIND, OTHERS, rows.at.max(cash.at));
    while let Some(events) = streams.next(conn).await? {
        let records = decode_all(&events, &[Store::KIND])?;
        let records: Vec<Of<'_, Store>> = records.iter().filter_map(Record::of).collect();
        rows.chunk(conn, &records, report).await?;
        cash.stores(conn, &records, report).await?;
    }
    rows.finish(conn, report).await
}

async fn documents<E: Document + Logged>(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    let mut rows = Documents::<E>::new(report.at(model));
    let mut streams = Streams::new(log, E::KIND, OTHERS, rows.at);
    while let Some(events) = streams.next(conn).await? {
        let records = decode_all(&events, &[E::KIND])?;
        let records: Vec<Of<'_, E>> = records.iter().filter_map(Record::of).collect();
        rows.chunk(conn, &records, report).await?;
    }
    rows.finish(conn, report).await
}

/// The streams of a kind, some at a time, up to a position.
pub(crate) struct Streams {
    log: LogId,
    kind: Kind,
    size: i64,
    until: Position,
    after: String,
}

impl Streams {
    pub(crate) const fn new(log: LogId, kind: Kind, size: i64, until: Position) -> Self {
        Self {
            log,
            kind,
            size,
            until,
            after: String::new(),
        }
    }

    /// The events of the next streams, stream by stream; `None` after the last.
    pub(crate) async fn next(
        &mut self,
        conn: &mut PgConnection,
    ) -> Result<Option<Vec<Recorded>>, CheckError> {
        let streams: Vec<String> = sqlx::query_scalar(include_str!("sql/check_streams.sql"))
            .bind(self.log.0)
            .bind(self.kind.name())
            .bind(&self.after)
            .bind(self.size)
            .persistent(false)
            .fetch_all(&mut *conn)
            .await?;
        let Some(last) = streams.last() else {
            return Ok(None);
        };
        self.after.clone_from(last);
        let events = sqlx::query_as(include_str!("sql/check_events.sql"))
            .bind(self.log.0)
            .bind(self.kind.name())
            .bind(streams)
            .bind(self.until.0)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        Ok(Some(events))
    }
}

/// A number of rows as the database counts them.
fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Compares how many rows tables have with how many they must have.
async fn compare_counts(
    conn: &mut PgConnection,
    tables: &[(&'static str, i64)],
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    for (table, expected) in tables {
        let found: i64 = sqlx::query_scalar(&format!("select count(*) from {table}"))
            .fetch_one(&mut *conn)
            .await?;
        if found != *expected {
            report.add(
                table,
                "as a whole",
                format!("has {found} rows, the log says {expected}"),
            );
        }
    }
    Ok(())
}
