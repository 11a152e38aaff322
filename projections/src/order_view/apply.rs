//! From a page of events to rows: one query loads the orders, memory folds, one statement per table
//! writes. A long page costs little more than a short one.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use domain::order::{Order, OrderEvent};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    Change, OrderRow,
    detail::{detail, occurred_at},
    fold,
};
use crate::{
    decode::{OrderRecord, Record},
    model::ApplyError,
    words::word,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    let mut orders = load(conn, &page).await?;
    let mut history = HistoryColumns::default();
    let mut refs = RefColumns::default();
    for record in &page {
        let row = orders
            .entry(record.id.0)
            .or_insert_with(|| OrderRow::unplaced(*record.id));
        let change = row.advance(record)?;
        history.push(record, row.version, change)?;
        refs.push(record);
    }
    save(conn, orders.into_values()).await?;
    history.insert(conn).await?;
    refs.insert(conn).await
}

/// The orders of a page that have a row already.
async fn load(
    conn: &mut PgConnection,
    page: &[OrderRecord<'_>],
) -> Result<BTreeMap<Uuid, OrderRow>, ApplyError> {
    // An order whose first event is in the page has no row yet; in a rebuild that is most of them.
    let ids: HashSet<Uuid> = page
        .iter()
        .filter(|r| r.recorded.sequence > 1)
        .map(|r| r.id.0)
        .collect();
    let new: HashSet<Uuid> = page
        .iter()
        .filter(|r| r.recorded.sequence == 1)
        .map(|r| r.id.0)
        .collect();
    let ids: Vec<Uuid> = ids.difference(&new).copied().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<OrderRow> = sqlx::query_as(include_str!("sql/load.sql"))
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id.0, row)).collect())
}

/// Writes the rows in the order of their ids.
async fn save(
    conn: &mut PgConnection,
    rows: impl Iterator<Item = OrderRow>,
) -> Result<(), ApplyError> {
    let mut columns = RowColumns::default();
    for row in rows {
        columns.push(&row)?;
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

#[derive(Default)]
struct HistoryColumns {
    order_id: Vec<Uuid>,
    version: Vec<i64>,
    position: Vec<i64>,
    event_id: Vec<Uuid>,
    event_type: Vec<String>,
    schema_version: Vec<String>,
    status_from: Vec<Option<i16>>,
    status_to: Vec<i16>,
    actor_id: Vec<String>,
    actor_role: Vec<String>,
    command_id: Vec<Uuid>,
    correlation_id: Vec<Option<Uuid>>,
    causation_id: Vec<Option<Uuid>>,
    occurred_at: Vec<DateTime<Utc>>,
    recorded_at: Vec<DateTime<Utc>>,
    detail: Vec<String>,
}

impl HistoryColumns {
    fn push(
        &mut self,
        record: &OrderRecord<'_>,
        version: i64,
        change: Change,
    ) -> Result<(), ApplyError> {
        let recorded = record.recorded;
        let metadata = record.metadata();
        self.order_id.push(record.id.0);
        self.version.push(version);
        self.position.push(recorded.position.0);
        self.event_id.push(recorded.event_id);
        self.event_type.push(recorded.event_type.clone());
        self.schema_version.push(recorded.event_version.clone());
        self.status_from
            .push(change.from.map(|s| fold::code(s.code())));
        self.status_to.push(fold::code(change.to.code()));
        // PostgreSQL's text cannot hold NUL, and a subject is the issuer's text, not ours.
        self.actor_id
            .push(metadata.actor_id.replace('\0', "\u{fffd}"));
        self.actor_role
            .push(metadata.actor_role.replace('\0', "\u{fffd}"));
        self.command_id.push(recorded.command_id);
        self.correlation_id.push(metadata.correlation_id);
        self.causation_id.push(metadata.causation_id);
        let occurred_at = occurred_at(record.event)
            .or(metadata.occurred_at)
            .unwrap_or(recorded.recorded_at);
        self.occurred_at.push(occurred_at);
        self.recorded_at.push(recorded.recorded_at);
        self.detail
            .push(serde_json::to_string(&detail(record)?).map_err(ApplyError::Encode)?);
        Ok(())
    }

    async fn insert(self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        if self.order_id.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("sql/insert_history.sql"))
            .bind(self.order_id)
            .bind(self.version)
            .bind(self.position)
            .bind(self.event_id)
            .bind(self.event_type)
            .bind(self.schema_version)
            .bind(self.status_from)
            .bind(self.status_to)
            .bind(self.actor_id)
            .bind(self.actor_role)
            .bind(self.command_id)
            .bind(self.correlation_id)
            .bind(self.causation_id)
            .bind(self.occurred_at)
            .bind(self.recorded_at)
            .bind(self.detail)
            .execute(conn)
            .await?;
        Ok(())
    }
}

#[derive(Default)]
struct RefColumns {
    system: Vec<&'static str>,
    reference: Vec<String>,
    order_id: Vec<Uuid>,
}

impl RefColumns {
    fn push(&mut self, record: &OrderRecord<'_>) {
        for (system, reference) in references(record.event) {
            self.system.push(system);
            self.reference.push(reference.to_owned());
            self.order_id.push(record.id.0);
        }
    }

    async fn insert(self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        if self.system.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("sql/insert_refs.sql"))
            .bind(self.system)
            .bind(self.reference)
            .bind(self.order_id)
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// The references an event brings, each once.
pub(crate) fn references(event: &OrderEvent) -> Vec<(&'static str, &str)> {
    let OrderEvent::Placed(placed) = event else {
        return Vec::new();
    };
    let mut refs: Vec<_> = placed
        .refs
        .iter()
        .map(|r| (r.system.as_str(), r.reference.as_str()))
        .collect();
    refs.sort_unstable();
    refs.dedup();
    refs
}
