//! Rows of the order view itself.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{OrderRow, fold};
use crate::{
    copy::{Rows, copy},
    lives::Held,
    model::ApplyError,
    words::word,
};

/// Of these orders, those that have a row.
pub(super) async fn load(
    conn: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<OrderRow>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as(include_str!("sql/load.sql"))
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await
}

/// Writes the rows in the order in which they come, over those that are there.
pub(super) async fn save<'a>(
    conn: &mut PgConnection,
    rows: impl Iterator<Item = &'a OrderRow>,
) -> Result<(), ApplyError> {
    let mut columns = RowColumns::default();
    for row in rows {
        columns.push(row)?;
    }
    if columns.order_id.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/save.sql"))
        .bind(columns.order_id)
        .bind(columns.number)
        .bind(columns.store_id)
        .bind(columns.region)
        .bind(columns.channel)
        .bind(columns.customer_id)
        .bind(columns.status)
        .bind(columns.min_line_status)
        .bind(columns.max_line_status)
        .bind(columns.payment_status)
        .bind(columns.order_total)
        .bind(columns.cash_due)
        .bind(columns.collection_status)
        .bind(columns.partner_id)
        .bind(columns.is_stuck)
        .bind(columns.is_overdue)
        .bind(columns.bundles)
        .bind(columns.placed_at)
        .bind(columns.updated_at)
        .bind(columns.version)
        .bind(columns.position)
        .bind(columns.doc)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes rows of orders that have none.
pub(super) async fn add(
    conn: &mut PgConnection,
    orders: &[(Uuid, Box<Held<OrderRow, ()>>)],
) -> Result<(), ApplyError> {
    let rows = Rows::of("order_view", COLUMNS);
    copy(conn, rows, orders, |rows, (_, held)| {
        let row = &held.now;
        let order = &row.order;
        let derived = Derived::of(row);
        rows.row()
            .uuid(row.id.0)
            .text(&derived.number)
            .text(&derived.store_id)
            .text(&derived.region)
            .text(&derived.channel)
            .option(derived.customer_id.as_deref(), Rows::text)
            .smallint(derived.status)
            .smallint(derived.min_line_status)
            .smallint(derived.max_line_status)
            .smallint(derived.payment_status)
            .amount(row.total())
            .amount(order.totals.cash_due)
            .text(&derived.collection_status)
            .option(derived.partner_id.as_deref(), Rows::text)
            .boolean(derived.is_stuck)
            .boolean(derived.is_overdue)
            .smallint(derived.bundles)
            .moment(row.placed_at)
            .moment(row.updated_at)
            .bigint(row.version)
            .bigint(row.position.0)
            .json(order)?;
        Ok(())
    })
    .await
}

/// The columns, as [`add`] fills them.
const COLUMNS: &[&str] = &[
    "order_id",
    "number",
    "store_id",
    "region",
    "channel",
    "customer_id",
    "status",
    "min_line_status",
    "max_line_status",
    "payment_status",
    "order_total",
    "cash_due",
    "collection_status",
    "partner_id",
    "is_stuck",
    "is_overdue",
    "bundles",
    "placed_at",
    "updated_at",
    "version",
    "position",
    "doc",
];

/// The columns derived from an order's state, to filter and sort by.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Derived {
    number: String,
    store_id: String,
    region: String,
    channel: String,
    customer_id: Option<String>,
    status: i16,
    min_line_status: i16,
    max_line_status: i16,
    payment_status: i16,
    order_total: String,
    cash_due: String,
    collection_status: String,
    partner_id: Option<String>,
    is_stuck: bool,
    is_overdue: bool,
    bundles: i16,
}

impl Derived {
    pub(crate) fn of(row: &OrderRow) -> Self {
        let order = &row.order;
        Self {
            number: order.number.to_string(),
            store_id: order.store_id.to_string(),
            region: order.region.to_string(),
            channel: order.channel.as_str().to_owned(),
            customer_id: order.customer_id.as_ref().map(ToString::to_string),
            status: fold::code(order.status.code()),
            min_line_status: fold::code(order.min_line_status().code()),
            max_line_status: fold::code(order.max_line_status().code()),
            payment_status: fold::code(order.payment_status.code()),
            order_total: row.total().to_string(),
            cash_due: order.totals.cash_due.to_string(),
            collection_status: word(&order.collection.status),
            partner_id: order
                .collection
                .partner_id
                .as_ref()
                .map(ToString::to_string),
            is_stuck: order.is_stuck,
            is_overdue: order.is_collection_overdue,
            bundles: i16::try_from(order.bundles.len()).unwrap_or(i16::MAX),
        }
    }
}

#[derive(Default)]
struct RowColumns {
    order_id: Vec<Uuid>,
    number: Vec<String>,
    store_id: Vec<String>,
    region: Vec<String>,
    channel: Vec<String>,
    customer_id: Vec<Option<String>>,
    status: Vec<i16>,
    min_line_status: Vec<i16>,
    max_line_status: Vec<i16>,
    payment_status: Vec<i16>,
    order_total: Vec<String>,
    cash_due: Vec<String>,
    collection_status: Vec<String>,
    partner_id: Vec<Option<String>>,
    is_stuck: Vec<bool>,
    is_overdue: Vec<bool>,
    bundles: Vec<i16>,
    placed_at: Vec<DateTime<Utc>>,
    updated_at: Vec<DateTime<Utc>>,
    version: Vec<i64>,
    position: Vec<i64>,
    doc: Vec<String>,
}

impl RowColumns {
    fn push(&mut self, row: &OrderRow) -> Result<(), ApplyError> {
        let derived = Derived::of(row);
        self.order_id.push(row.id.0);
        self.number.push(derived.number);
        self.store_id.push(derived.store_id);
        self.region.push(derived.region);
        self.channel.push(derived.channel);
        self.customer_id.push(derived.customer_id);
        self.status.push(derived.status);
        self.min_line_status.push(derived.min_line_status);
        self.max_line_status.push(derived.max_line_status);
        self.payment_status.push(derived.payment_status);
        self.order_total.push(derived.order_total);
        self.cash_due.push(derived.cash_due);
        self.collection_status.push(derived.collection_status);
        self.partner_id.push(derived.partner_id);
        self.is_stuck.push(derived.is_stuck);
        self.is_overdue.push(derived.is_overdue);
        self.bundles.push(derived.bundles);
        self.placed_at.push(row.placed_at);
        self.updated_at.push(row.updated_at);
        self.version.push(row.version);
        self.position.push(row.position.0);
        self.doc
            .push(serde_json::to_string(&row.order).map_err(ApplyError::Encode)?);
        Ok(())
    }
}
