//! What is outstanding, order by order.

use chrono::{DateTime, Utc};
use domain::{
    actor::StoreScope,
    ids::{OrderId, PartnerId, RegionId, StoreId},
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::CashOrder;
use crate::{
    ReadDb, ReadError,
    paging::{CursorError, Page, Parts, Place, Window},
    read_db::{allowed_ids, check_rows, push_any},
};

/// The most orders of one [`cash_orders`] call.
pub const MAX_IDS: i64 = 1_000;

/// Names the list in cursors.
const LIST: u8 = b'o';
/// Times a list can hold, in microseconds since 1970: up to the year 9999.
const MICROS: std::ops::RangeInclusive<i64> = 0..=253_402_300_799_999_999;

/// What is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum Outstanding {
    /// Anything.
    #[default]
    Any,
    /// What customers owe.
    Receivable,
    /// What riders have.
    Rider,
}

/// Which orders a list holds: all conditions must be met; an absent one is met by every order with something
/// outstanding.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OutstandingFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Orders of any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Orders of this region.
    pub region: Option<RegionId>,
    /// Orders whose cash this partner's riders have.
    pub partner: Option<PartnerId>,
    /// What is outstanding.
    pub kind: Outstanding,
    /// Whether the goods were delivered.
    pub is_delivered: Option<bool>,
    /// Outstanding since before.
    pub before: Option<DateTime<Utc>>,
}

impl OutstandingFilter {
    /// Everything outstanding inside the scope.
    pub const fn within(allowed: StoreScope) -> Self {
        Self {
            allowed,
            stores: None,
            region: None,
            partner: None,
            kind: Outstanding::Any,
            is_delivered: None,
            before: None,
        }
    }

    fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        // As words of the statement, not as binds: the indexes of the few outstanding orders hang on them.
        sql.push(match self.kind {
            Outstanding::Any => "",
            Outstanding::Receivable => " and receivable <> 0",
            Outstanding::Rider => " and rider <> 0",
        });
        sql.push(match self.is_delivered {
            None => "",
            Some(true) => " and delivered_at is not null",
            Some(false) => " and delivered_at is null",
        });
        if let Some(region) = &self.region {
            sql.push(" and region = ").push_bind(region.to_string());
        }
        if let Some(partner) = &self.partner {
            sql.push(" and partner_id = ")
                .push_bind(partner.to_string());
        }
        if let Some(before) = self.before {
            let micros = before
                .timestamp_micros()
                .clamp(*MICROS.start(), *MICROS.end());
            sql.push(" and since < ").push_bind(time(micros));
        }
        let stores = allowed_ids(&self.allowed, self.stores.as_deref());
        push_any(sql, "store_id", stores)
    }
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The cash of an order; `None` for an order that is not placed.
pub async fn cash_order(db: &ReadDb, id: OrderId) -> Result<Option<CashOrder>, ReadError> {
    Ok(cash_orders(db, &[id]).await?.pop())
}

/// Where the cash of up to [`MAX_IDS`] orders is, in one query and in no order; without those that nobody knows.
///
/// # Errors
/// Too many of them, or the database.
pub async fn cash_orders(db: &ReadDb, ids: &[OrderId]) -> Result<Vec<CashOrder>, ReadError> {
    check_rows(ids.len(), MAX_IDS)?;
    Ok(sqlx::query_as(include_str!("sql/load_orders.sql"))
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// How the database would read them: the lines of `explain`, for tests and operators.
///
/// # Errors
/// As [`cash_orders`].
pub async fn explain_cash_orders(db: &ReadDb, ids: &[OrderId]) -> Result<Vec<String>, ReadError> {
    let sql = concat!("explain ", include_str!("sql/load_orders.sql"));
    Ok(sqlx::query_scalar(sql)
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// Reads one page of what is outstanding, the oldest first. Orders that come or go between two pages are never the
/// reason that another one is shown twice or left out.
pub async fn outstanding(
    db: &ReadDb,
    filter: &OutstandingFilter,
    window: &Window,
) -> Result<Page<CashOrder>, ReadError> {
    let parts = Parts::of(window, place)?;
    let Some(mut sql) = page_sql("", filter, &parts) else {
        return Ok(Page::default());
    };
    // Not kept as a prepared statement: a plan for all filters alike would be wrong for most.
    let rows: Vec<CashOrder> = sql
        .build_query_as()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    Ok(parts.page(rows, |row| {
        let place = Place {
            key: row.since.unwrap_or_default().timestamp_micros(),
            id: row.order_id.to_string(),
        };
        place.encode(LIST)
    }))
}

/// How the database would read a page: the lines of `explain`, for tests and operators. Empty when no row can match
/// and nothing is asked.
pub async fn explain(
    db: &ReadDb,
    filter: &OutstandingFilter,
    window: &Window,
) -> Result<Vec<String>, ReadError> {
    let parts = Parts::of(window, place)?;
    let Some(mut sql) = page_sql("explain ", filter, &parts) else {
        return Ok(Vec::new());
    };
    Ok(sql
        .build_query_scalar()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// Time and order. A forged time beyond the database's would reach it as one that it cannot hold.
fn place(cursor: &str) -> Result<(i64, Uuid), CursorError> {
    let place = Place::decode(cursor, LIST)?;
    let id = place.id.parse().map_err(|_| CursorError::Malformed)?;
    if MICROS.contains(&place.key) {
        Ok((place.key, id))
    } else {
        Err(CursorError::Malformed)
    }
}

/// The query of a page; `None` when no row can match.
fn page_sql(
    prefix: &'static str,
    filter: &OutstandingFilter,
    parts: &Parts<(i64, Uuid)>,
) -> Option<QueryBuilder<'static, Postgres>> {
    let mut sql = QueryBuilder::new(prefix);
    sql.push(include_str!("sql/outstanding.sql"));
    if !filter.push(&mut sql) {
        return None;
    }
    let (comparison, direction) = parts.direction(false);
    if let Some((micros, id)) = parts.cursor {
        sql.push(" and (since, order_id)")
            .push(comparison)
            .push("(")
            .push_bind(time(micros))
            .push(", ")
            .push_bind(id)
            .push(")");
    }
    sql.push(" order by since")
        .push(direction)
        .push(", order_id")
        .push(direction)
        .push(" limit ")
        .push_bind(parts.limit());
    Some(sql)
}
