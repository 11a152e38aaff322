//! Reference data of the stores.

use sqlx::PgPool;

use crate::error::StoreError;

/// One store.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoreRecord {
    /// Such as `CFR001`.
    pub store_id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its price and limit zone, such as `BKK` or `METRO`.
    pub zone: String,
    /// Whether it takes orders.
    pub active: bool,
    /// Most cash on delivery per order, THB as a decimal with four places; `None` = the zone's.
    pub cod_limit: Option<String>,
}

/// Every store, by id.
///
/// # Errors
/// The database is unreachable.
pub async fn all(pool: &PgPool) -> Result<Vec<StoreRecord>, StoreError> {
    let stores = sqlx::query_as(
        "SELECT store_id, name, region, zone, active, cod_limit::text AS cod_limit \
         FROM store ORDER BY store_id",
    )
    .fetch_all(pool)
    .await?;
    Ok(stores)
}

/// Adds the store or overwrites what is known of it.
///
/// # Errors
/// The limit is not a decimal, or the database is unreachable.
pub async fn upsert(pool: &PgPool, store: &StoreRecord) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO store (store_id, name, region, zone, active, cod_limit) \
         VALUES ($1, $2, $3, $4, $5, $6::text::numeric) \
         ON CONFLICT (store_id) DO UPDATE SET name = excluded.name, region = excluded.region, \
           zone = excluded.zone, active = excluded.active, cod_limit = excluded.cod_limit",
    )
    .bind(&store.store_id)
    .bind(&store.name)
    .bind(&store.region)
    .bind(&store.zone)
    .bind(store.active)
    .bind(&store.cod_limit)
    .execute(pool)
    .await?;
    Ok(())
}
