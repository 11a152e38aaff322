//! Balances and postings.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    actor::StoreScope,
    cash::Account,
    ids::{OrderId, PartnerId, RegionId, StoreId},
    money::Money,
    remittance::RemittanceId,
};
use sqlx::{FromRow, Postgres, QueryBuilder, Row, postgres::PgRow};
use store::{LogId, Position};

use crate::{
    Model, ReadDb, ReadError,
    paging::{CursorError, Page, Parts, Place, Window},
    read_db::{allowed_ids, check_rows},
    words::{from_word, optional, text},
};

/// The most balances of one query: every account of five thousand stores with a partner each.
const MAX_CELLS: i64 = 35_000;
/// Names the list of postings in cursors.
const LIST: u8 = b'p';

/// Which balances to read: all conditions must be met; an absent one is met by every balance.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CashFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Stores of this region.
    pub region: Option<RegionId>,
    /// What this partner's riders have, what it owes and what it lost.
    pub partner: Option<PartnerId>,
    /// This account.
    pub account: Option<Account>,
}

impl CashFilter {
    /// Every balance inside the scope.
    pub const fn within(allowed: StoreScope) -> Self {
        Self {
            allowed,
            stores: None,
            region: None,
            partner: None,
            account: None,
        }
    }
}

/// What balances are told apart by, besides the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum Grouping {
    /// Nothing.
    #[default]
    Total,
    /// The region.
    Region,
    /// The store, and with it its region.
    Store,
    /// The partner.
    Partner,
    /// Store, region and partner.
    Cell,
}

/// What an account holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// Where; `None` when summed over stores.
    pub store_id: Option<StoreId>,
    /// The region; `None` when summed over regions.
    pub region: Option<RegionId>,
    /// The partner; `None` when summed over partners, and on accounts that are no partner's.
    pub partner_id: Option<PartnerId>,
    /// How much: debit above zero, credit below.
    pub amount: Money,
}

/// Balances as of one position of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Balances {
    /// Those that are not zero, by account, region, store, partner.
    pub rows: Vec<Balance>,
    /// Their sum: zero, unless narrowed to a partner or an account.
    pub total: Money,
    /// The last event that they hold.
    pub position: Position,
}

struct Cell {
    store_id: StoreId,
    region: RegionId,
    account: Account,
    partner_id: Option<PartnerId>,
    balance: Money,
}

impl FromRow<'_, PgRow> for Cell {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            store_id: text(row, "store_id")?,
            region: text(row, "region")?,
            account: from_word(row.try_get("account")?)?,
            partner_id: optional(row, "partner_id")?,
            balance: text(row, "balance")?,
        })
    }
}

/// The balances, from one snapshot of the database.
///
/// # Errors
/// [`ReadError::PageSize`] for more cells than one query may read: narrow it to stores; the database did not answer.
pub async fn balances(
    db: &ReadDb,
    filter: &CashFilter,
    by: Grouping,
) -> Result<Balances, ReadError> {
    let rows: Vec<PgRow> = sqlx::query(include_str!("sql/balances.sql"))
        .bind(LogId::DEFAULT.0)
        .bind(Model::CashLedger.checkpoint())
        .bind(allowed_ids(&filter.allowed, filter.stores.as_deref()))
        .bind(filter.region.as_ref().map(ToString::to_string))
        .bind(filter.partner.as_ref().map(ToString::to_string))
        .bind(filter.account.map(Account::as_str))
        .bind(MAX_CELLS + 1)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    // Balances of only some cells would not add up.
    check_rows(rows.len(), MAX_CELLS)?;
    let mut position = Position::START;
    let mut cells = Vec::with_capacity(rows.len());
    for row in &rows {
        position = Position(row.try_get("position")?);
        // The one row without a balance says only the position.
        if row.try_get::<Option<String>, _>("account")?.is_some() {
            cells.push(Cell::from_row(row)?);
        }
    }
    let total = sum(cells.iter().map(|c| c.balance))?;
    Ok(Balances {
        rows: group(cells, by)?,
        total,
        position,
    })
}

fn group(cells: Vec<Cell>, by: Grouping) -> Result<Vec<Balance>, ReadError> {
    let mut groups = BTreeMap::<_, Vec<Money>>::new();
    for cell in cells {
        let by_store = matches!(by, Grouping::Store | Grouping::Cell);
        let by_region = by_store || by == Grouping::Region;
        let by_partner = matches!(by, Grouping::Partner | Grouping::Cell);
        let key = (
            cell.account,
            by_region.then_some(cell.region),
            by_store.then_some(cell.store_id),
            cell.partner_id.filter(|_| by_partner),
        );
        groups.entry(key).or_default().push(cell.balance);
    }
    let mut rows = Vec::with_capacity(groups.len());
    for ((account, region, store_id, partner_id), amounts) in groups {
        let amount = sum(amounts)?;
        if !amount.is_zero() {
            rows.push(Balance {
                account,
                store_id,
                region,
                partner_id,
                amount,
            });
        }
    }
    Ok(rows)
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, ReadError> {
    amounts
        .into_iter()
        .try_fold(Money::ZERO, Money::checked_add)
        .ok_or_else(|| ReadError::Corrupt("balances beyond DECIMAL(18,4)".into()))
}

/// Whose postings to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostingsOf {
    /// Those about an order: of its own events and of remittances.
    Order(OrderId),
    /// Those of a remittance's events.
    Remittance(RemittanceId),
}

impl PostingsOf {
    /// What its cursors name, so that none is taken for another list's.
    fn name(&self) -> String {
        match self {
            Self::Order(id) => id.to_string(),
            Self::Remittance(id) => id.to_string(),
        }
    }
}

/// One line of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRow {
    /// The log position of the event that moved it. The lines of one position add up to zero.
    pub position: Position,
    /// Which line of the event's posting, from 1.
    pub line: i32,
    /// The event's type.
    pub event_type: String,
    /// The account.
    pub account: Account,
    /// How much: debit above zero, credit below.
    pub amount: Money,
    /// The order it is about; `None` for cash of a remittance as a whole.
    pub order_id: Option<OrderId>,
    /// The remittance whose event moved it; `None` for an order's own event.
    pub remittance_id: Option<RemittanceId>,
    /// The store.
    pub store_id: StoreId,
    /// The region.
    pub region: RegionId,
    /// The partner, on accounts that are kept by partner.
    pub partner_id: Option<PartnerId>,
    /// When the event was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for PostingRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: Position(row.try_get("position")?),
            line: row.try_get("line")?,
            event_type: row.try_get("event_type")?,
            account: from_word(row.try_get("account")?)?,
            amount: text(row, "amount")?,
            order_id: row.try_get::<Option<_>, _>("order_id")?.map(OrderId),
            remittance_id: optional(row, "remittance_id")?,
            store_id: text(row, "store_id")?,
            region: text(row, "region")?,
            partner_id: optional(row, "partner_id")?,
            recorded_at: row.try_get("recorded_at")?,
        })
    }
}

/// Reads one page of postings, oldest first.
pub async fn postings(
    db: &ReadDb,
    of: &PostingsOf,
    window: &Window,
) -> Result<Page<PostingRow>, ReadError> {
    let name = of.name();
    let parts = Parts::of(window, |cursor| place(cursor, &name))?;
    let rows: Vec<PostingRow> = postings_sql("", of, &parts)
        .build_query_as()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    Ok(parts.page(rows, |row| {
        let place = Place {
            key: row.position.0,
            id: format!("{} {name}", row.line),
        };
        place.encode(LIST)
    }))
}

/// How the database would read a page of postings: the lines of `explain`, for tests and operators.
pub async fn explain_postings(
    db: &ReadDb,
    of: &PostingsOf,
    window: &Window,
) -> Result<Vec<String>, ReadError> {
    let name = of.name();
    let parts = Parts::of(window, |cursor| place(cursor, &name))?;
    Ok(postings_sql("explain ", of, &parts)
        .build_query_scalar()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// Position and line, of a cursor of the list of this name.
fn place(cursor: &str, name: &str) -> Result<(i64, i32), CursorError> {
    let place = Place::decode(cursor, LIST)?;
    let (line, owner) = place.id.split_once(' ').ok_or(CursorError::Malformed)?;
    if owner != name {
        return Err(CursorError::Malformed);
    }
    let line = line.parse().map_err(|_| CursorError::Malformed)?;
    Ok((place.key, line))
}

fn postings_sql(
    prefix: &'static str,
    of: &PostingsOf,
    parts: &Parts<(i64, i32)>,
) -> QueryBuilder<'static, Postgres> {
    let mut sql = QueryBuilder::new(prefix);
    sql.push(include_str!("sql/postings.sql"));
    match of {
        PostingsOf::Order(id) => sql.push(" where order_id = ").push_bind(id.0),
        PostingsOf::Remittance(id) => sql
            .push(" where remittance_id = ")
            .push_bind(id.to_string()),
    };
    let (comparison, direction) = parts.direction(false);
    if let Some((position, line)) = parts.cursor {
        sql.push(" and (position, line)")
            .push(comparison)
            .push("(")
            .push_bind(position)
            .push(", ")
            .push_bind(line)
            .push(")");
    }
    sql.push(" order by position")
        .push(direction)
        .push(", line")
        .push(direction)
        .push(" limit ")
        .push_bind(parts.limit());
    sql
}
