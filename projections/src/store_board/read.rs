//! Queries over the store board.

use domain::{
    actor::StoreScope,
    ids::{RegionId, StoreId},
    order::OrderStatus,
};
use sqlx::{FromRow, Row, postgres::PgRow};

use crate::{ReadDb, ReadError, order_view::status_of, read_db::allowed_ids};

/// The most rows of a board: a thousand stores in every status.
const MAX_ROWS: i64 = 15_000;

/// How many orders of a store stand in a status. Absent combinations stand for none.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StoreCount {
    /// The store.
    pub store_id: StoreId,
    /// The region the store had when the orders were placed.
    pub region: RegionId,
    /// The status.
    pub status: OrderStatus,
    /// Orders in it; above zero.
    pub count: i64,
}

impl FromRow<'_, PgRow> for StoreCount {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let decode = |e: domain::ids::InvalidId| sqlx::Error::Decode(Box::new(e));
        Ok(Self {
            store_id: StoreId::new(row.try_get::<String, _>("store_id")?).map_err(decode)?,
            region: RegionId::new(row.try_get::<String, _>("region")?).map_err(decode)?,
            status: status_of(row.try_get("status")?)?,
            count: row.try_get("orders")?,
        })
    }
}

/// The counts of the stores the caller may see, narrowed to `stores` where given; by store, region, status.
pub async fn board(
    db: &ReadDb,
    allowed: &StoreScope,
    stores: Option<&[StoreId]>,
) -> Result<Vec<StoreCount>, ReadError> {
    let ids = allowed_ids(allowed, stores);
    Ok(sqlx::query_as(include_str!("sql/board.sql"))
        .bind(ids)
        .bind(MAX_ROWS)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}
