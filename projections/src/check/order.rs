//! One order's rows alone, in every model that keeps some of it.

use domain::{entity::Entity, ids::OrderId, order::Order};
use sqlx::PgPool;
use store::{LogId, Position, Recorded, connect::BEGIN_SNAPSHOT};

use super::{CheckError, CheckReport, board, cash, checkpoint, metrics, view};
use crate::{
    Model,
    decode::{Kind, Of, Record, decode_all},
};

/// The models that keep a row of each order.
pub const ORDER_MODELS: [Model; 4] = [
    Model::OrderView,
    Model::StoreBoard,
    Model::CashLedger,
    Model::Metrics,
];

/// Compares what each model holds of one order with a fold of its events up to that model's checkpoint. Sums over many
/// orders are [`super::check`]'s.
///
/// # Errors
/// See [`CheckError`]. What differs is no error but in the report.
pub async fn check_order(
    pool: &PgPool,
    log: LogId,
    id: OrderId,
) -> Result<CheckReport, CheckError> {
    let mut tx = pool.begin_with(BEGIN_SNAPSHOT).await?;
    let mut report = CheckReport::default();
    for model in ORDER_MODELS {
        let at = checkpoint(&mut tx, log, model).await?;
        report.positions.push((model, at));
    }
    let until = report.positions.iter().map(|(_, at)| *at).max();
    let until = until.unwrap_or(Position::START);
    let events: Vec<Recorded> = sqlx::query_as(include_str!("../sql/check_events.sql"))
        .bind(log.0)
        .bind(Order::TYPE)
        .bind(vec![id.to_string()])
        .bind(until.0)
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    let records = decode_all(&events, &[Kind::Order])?;
    let records: Vec<Of<'_, Order>> = records.iter().filter_map(Record::of::<Order>).collect();
    let mut view = view::View::new(report.at(Model::OrderView));
    let mut board = board::Board::new(report.at(Model::StoreBoard));
    let mut cash = cash::Cash::new(report.at(Model::CashLedger));
    let mut metrics = metrics::Metrics::new(report.at(Model::Metrics));
    view.chunk(&mut tx, &records, &mut report).await?;
    board.chunk(&mut tx, &records, &mut report).await?;
    cash.orders(&mut tx, &records, &mut report).await?;
    metrics.chunk(&mut tx, &records, &mut report).await?;
    if report.orders == 0 {
        let is_shown: bool =
            sqlx::query_scalar("select exists (select 1 from order_view where order_id = $1)")
                .bind(id.0)
                .fetch_one(&mut *tx)
                .await?;
        if is_shown {
            report.add("order_view", id, "the log has no such order");
        }
    }
    Ok(report)
}
