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
    Booked, PostingRow, add_up, days, first_region, lines,
    rows::{load_orders, load_regions, save_orders, save_postings, save_regions, save_stores},
    store_region,
};
use crate::{
    decode::{Fact, Of, OrderRecord, Record},
    model::ApplyError,
};

/// The most orders in memory at once: a closed remittance alone names up to two thousand.
const MAX_ORDERS: usize = 5_000;

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    log: LogId,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    let mut rest = page;
    while !rest.is_empty() {
        let mut orders = 0;
        let fitting = rest.iter().take_while(|record| {
            orders += touched(record).count();
            orders <= MAX_ORDERS
        });
        let (part, after) = rest.split_at(fitting.count().max(1));
        apply_part(conn, log, part).await?;
        rest = after;
    }
    Ok(())
}

async fn apply_part(
    conn: &mut PgConnection,
    log: LogId,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
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
    let before = load_orders(conn, &ids.into_iter().collect::<Vec<_>>()).await?;
    let regions = load_regions(conn, &remittances.into_iter().collect::<Vec<_>>()).await?;
    let mut books = Books {
        orders: before.clone(),
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
    let changed: Vec<&Booked> = books
        .orders
        .iter()
        .filter(|(id, row)| before.get(*id) != Some(*row))
        .map(|(_, row)| row)
        .collect();
    let mut counts = BTreeMap::new();
    for row in &changed {
        if let Some(old) = before.get(&row.order.order_id.0) {
            add_up(&mut counts, &old.order, -1);
        }
        add_up(&mut counts, &row.order, 1);
    }
    save_orders(conn, &changed).await?;
    save_regions(conn, &books.new_regions).await?;
    save_stores(conn, &books.stores).await?;
    save_postings(conn, log, books.lines).await?;
    days::save(conn, counts).await?;
    Ok(())
}

/// The orders whose rows an event may change.
fn touched(record: &Record<'_>) -> impl Iterator<Item = Uuid> {
    let (order, items) = match &record.fact {
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
struct Books {
    orders: BTreeMap<Uuid, Booked>,
    /// The regions of remittances.
    regions: BTreeMap<String, String>,
    new_regions: BTreeMap<String, String>,
    /// The regions of stores that were opened or changed.
    stores: BTreeMap<String, String>,
    lines: Vec<PostingRow>,
}

impl Books {
    fn order(&mut self, record: &OrderRecord<'_>) -> Result<(), ApplyError> {
        if let Some(placed) = Booked::placed(record) {
            self.orders.entry(record.id.0).or_insert(placed);
        }
        let row = self
            .orders
            .get_mut(&record.id.0)
            .ok_or_else(|| record.poison("its order is not in the ledger; rebuild the ledger"))?;
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
            if let Some(row) = entry.order_id.and_then(|id| self.orders.get_mut(&id.0)) {
                row.take(entry.account, entry.amount, || record.recorded.recorded_at);
            }
        }
        let (id, store) = (Some(record.id), record.id.store());
        self.lines
            .extend(lines(record.recorded, id, store, &region, &posting));
        Ok(())
    }
}
