//! From a page of events to postings and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    cash::RemittanceCash,
    ids::RegionId,
    order::Order,
    remittance::{Remittance, RemittanceEvent},
    store::Store,
};
use sqlx::PgConnection;
use store::LogId;
use uuid::Uuid;

use super::{
    Booked, PostingRow, add_up,
    days::{self, Counts, DayCell},
    first_region, lines,
    postings::{
        BalanceCell, add_balances, insert_postings, make_postings, posting_rows, save_balances,
    },
    rows::{copy_orders, load_orders, load_regions, save_orders, save_regions, save_stores},
    store_region,
};
use crate::{
    copy::Rows,
    decode::{Fact, Of, OrderRecord, Record},
    lives::{Held, Lives, Orders},
    model::ApplyError,
};

/// The most orders in memory at once: a closed remittance alone names up to two thousand.
const MAX_ORDERS: usize = 5_000;
/// Days and balances that are held in memory at most while the tables are filled.
const MAX_CELLS: usize = 100_000;

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    log: LogId,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    for part in Parts(page) {
        apply_part(conn, log, part).await?;
    }
    Ok(())
}

/// A page in parts that touch few orders each.
struct Parts<'a, 'r>(&'a [Record<'r>]);

impl<'a, 'r> Iterator for Parts<'a, 'r> {
    type Item = &'a [Record<'r>];

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let mut orders = 0;
        let fitting = self.0.iter().take_while(|record| {
            orders += touched(record).count();
            orders <= MAX_ORDERS
        });
        let (part, rest) = self.0.split_at(fitting.count().max(1));
        self.0 = rest;
        Some(part)
    }
}

async fn apply_part(
    conn: &mut PgConnection,
    log: LogId,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    let mut lives = Lives::over_rows();
    let postings = advance(conn, &mut lives, page).await?;
    let (new, changed) = changed(lives.take_all());
    let all = || new.iter().chain(&changed);
    save_orders(conn, &all().map(|order| &order.now).collect::<Vec<_>>()).await?;
    let mut balances = BTreeMap::new();
    add_balances(&mut balances, &postings);
    insert_postings(conn, log, postings).await?;
    save_balances(conn, balances).await?;
    let mut counts = BTreeMap::new();
    count(&mut counts, all());
    days::save(conn, counts).await?;
    Ok(())
}

/// Orders, balances and days in memory while the tables are filled.
pub(crate) struct Filling {
    lives: Lives<Booked>,
    balances: BTreeMap<BalanceCell, i64>,
    /// Changes to the days, by what the rows written so far say.
    counts: BTreeMap<DayCell, Counts>,
}

impl Filling {
    /// Over empty tables.
    pub(crate) fn new() -> Self {
        Self {
            lives: Lives::over_nothing(),
            balances: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// As [`apply`], but orders stay in memory, at most so many besides those that the page is about. Answers the postings.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        log: LogId,
        page: &[Record<'_>],
        most: usize,
    ) -> Result<Rows, ApplyError> {
        let mut rows = posting_rows();
        for part in Parts(page) {
            let postings = advance(conn, &mut self.lives, part).await?;
            add_balances(&mut self.balances, &postings);
            make_postings(&mut rows, log, &postings);
            let overflow = self.lives.take_overflow(most);
            self.write(conn, overflow).await?;
        }
        if self.balances.len() + self.counts.len() > MAX_CELLS {
            self.add_up(conn).await?;
        }
        Ok(rows)
    }

    /// Writes what is in memory.
    pub(crate) async fn end(mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        let rest = self.lives.take_all();
        self.write(conn, rest).await?;
        self.add_up(conn).await
    }

    async fn write(
        &mut self,
        conn: &mut PgConnection,
        orders: Orders<Booked>,
    ) -> Result<(), ApplyError> {
        let (new, changed) = changed(orders);
        count(&mut self.counts, new.iter().chain(&changed));
        copy_orders(
            conn,
            &new.iter().map(|order| &order.now).collect::<Vec<_>>(),
        )
        .await?;
        save_orders(
            conn,
            &changed.iter().map(|order| &order.now).collect::<Vec<_>>(),
        )
        .await
    }

    async fn add_up(&mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        save_balances(conn, std::mem::take(&mut self.balances)).await?;
        days::save(conn, std::mem::take(&mut self.counts)).await?;
        Ok(())
    }
}

/// Orders that something was written of.
type Changed = Vec<Box<Held<Booked>>>;

/// Orders without a row, and those whose row says something else.
fn changed(orders: Orders<Booked>) -> (Changed, Changed) {
    let orders = orders.into_iter().map(|(_, order)| order);
    orders
        .filter(|order| order.stored.as_ref() != Some(&order.now))
        .partition(|order| order.stored.is_none())
}

/// What becomes of the days.
fn count<'a>(
    counts: &mut BTreeMap<DayCell, Counts>,
    orders: impl Iterator<Item = &'a Box<Held<Booked>>>,
) {
    for order in orders {
        if let Some(old) = &order.stored {
            add_up(counts, &old.order, -1);
        }
        add_up(counts, &order.now.order, 1);
    }
}

/// Takes in the events of a page, writes what they say of remittances and stores, and answers what they move.
async fn advance(
    conn: &mut PgConnection,
    lives: &mut Lives<Booked>,
    page: &[Record<'_>],
) -> Result<Vec<PostingRow>, ApplyError> {
    let mut ids: BTreeSet<Uuid> = page.iter().flat_map(touched).collect();
    for record in page.iter().filter_map(Record::of::<Order>) {
        // An order whose first event is in the page has no row yet; in a rebuild that is most of them.
        if record.recorded.sequence == 1 {
            ids.remove(&record.id.0);
        }
    }
    let remittances: BTreeSet<String> = page
        .iter()
        .filter_map(Record::of::<Remittance>)
        .map(|r| r.id.to_string())
        .collect();
    for (id, row) in load_orders(conn, &lives.missing(ids)).await? {
        lives.look_up(id, row.clone(), row);
    }
    let regions = load_regions(conn, &remittances.into_iter().collect::<Vec<_>>()).await?;
    let mut books = Books {
        orders: lives,
        regions,
        new_regions: BTreeMap::new(),
        stores: BTreeMap::new(),
        lines: Vec::new(),
    };
    for record in page {
        if let Some(record) = record.of::<Order>() {
            books.order(&record)?;
        } else if let Some(record) = record.of::<Remittance>() {
            books.remittance(&record)?;
        } else if let Some(record) = record.of::<Store>()
            && let Some(region) = store_region(record.event)
        {
            books
                .stores
                .insert(record.id.to_string(), region.to_string());
        }
    }
    let Books {
        new_regions,
        stores,
        lines,
        ..
    } = books;
    save_regions(conn, &new_regions).await?;
    save_stores(conn, &stores).await?;
    Ok(lines)
}

/// The orders whose rows an event may change.
fn touched(record: &Record<'_>) -> impl Iterator<Item = Uuid> {
    let (order, items) = match &record.decoded.fact {
        Fact::Order(id, _) => (Some(id.0), None),
        Fact::Remittance(_, RemittanceEvent::Closed { items, .. }) => (None, Some(items)),
        _ => (None, None),
    };
    let items = items.into_iter().flatten();
    order
        .into_iter()
        .chain(items.filter_map(|item| item.order_id.map(|id| id.0)))
}

/// The books in memory while a page is applied.
struct Books<'a> {
    orders: &'a mut Lives<Booked>,
    /// The regions of remittances.
    regions: BTreeMap<String, String>,
    new_regions: BTreeMap<String, String>,
    /// The regions of stores that were opened or changed.
    stores: BTreeMap<String, String>,
    lines: Vec<PostingRow>,
}

impl Books<'_> {
    fn order(&mut self, record: &OrderRecord<'_>) -> Result<(), ApplyError> {
        let (id, at) = (record.id.0, record.recorded.position);
        let row = match Booked::placed(record) {
            Some(placed) => self.orders.entry(id, at, || placed),
            None => self.orders.get_mut(id, at).ok_or_else(|| {
                record.poison("its order is not in the ledger; rebuild the ledger")
            })?,
        };
        let posting = row.advance(record)?;
        let (store, region) = (&row.order.store_id, &row.order.region);
        self.lines
            .extend(lines(record.recorded, None, store, region, &posting));
        Ok(())
    }

    fn remittance(&mut self, record: &Of<'_, Remittance>) -> Result<(), ApplyError> {
        let key = record.id.to_string();
        let region = match (self.regions.get(&key), first_region(record.event)) {
            (Some(known), _) => known.clone(),
            (None, Some(first)) => {
                self.new_regions.insert(key.clone(), first.to_string());
                self.regions.insert(key, first.to_string());
                first.to_string()
            }
            (None, None) => {
                return Err(record
                    .poison("its remittance is not in the ledger; rebuild the ledger")
                    .into());
            }
        };
        let region = RegionId::new(region).map_err(|_| {
            record.poison("its region in the ledger is damaged; rebuild the ledger")
        })?;
        let posting = RemittanceCash::post(record.id, record.event);
        for entry in posting.entries() {
            // An order that the ledger does not hold has no row to change; the posting stands all the same.
            let order = entry.order_id;
            let at = record.recorded.position;
            if let Some(row) = order.and_then(|id| self.orders.get_mut(id.0, at)) {
                row.take(entry.account, entry.amount, || record.recorded.recorded_at);
            }
        }
        let (id, store) = (Some(record.id), record.id.store());
        self.lines
            .extend(lines(record.recorded, id, store, &region, &posting));
        Ok(())
    }
}
