//! The books, kept with the domain's own postings.

use std::collections::{BTreeMap, HashMap};

use chrono::Utc;
use domain::{
    cash::{Account, OrderCash, Posting, RemittanceCash},
    entity::Event,
    ids::{OrderId, RegionId, StoreId},
    money::Money,
    order::{Order, OrderEvent},
    remittance::{RemittanceEvent, RemittanceId},
};
use projections::{
    cash_ledger::{
        Balance, Balances, CashFilter, CashOrder, Grouping, OutstandingFilter, PostingRow,
        PostingsOf,
    },
    order_view::OrderRow,
    paging::{Edge, Page},
};
use store::Position;

/// Every posting, and what the next one of an order depends on.
#[derive(Default)]
pub(super) struct Books {
    orders: HashMap<OrderId, OrderCash>,
    rows: Vec<PostingRow>,
}

impl Books {
    pub(super) fn order(&mut self, id: OrderId, order: &Order, events: &[OrderEvent]) {
        for event in events {
            let posting = self.orders.entry(id).or_default().post(id, event);
            self.write(&posting, event.event_type(), &order.store_id, None);
        }
    }

    pub(super) fn remittance(&mut self, id: &RemittanceId, events: &[RemittanceEvent]) {
        for event in events {
            let posting = RemittanceCash::post(id, event);
            self.write(&posting, event.event_type(), id.store(), Some(id));
        }
    }

    fn write(
        &mut self,
        posting: &Posting,
        event_type: &str,
        store: &StoreId,
        remittance: Option<&RemittanceId>,
    ) {
        let position = Position(i64::try_from(self.rows.len()).unwrap() + 1);
        for (line, entry) in (1..).zip(posting.entries()) {
            self.rows.push(PostingRow {
                position,
                line,
                event_type: event_type.to_owned(),
                account: entry.account,
                amount: entry.amount,
                order_id: entry.order_id,
                remittance_id: remittance.cloned(),
                store_id: store.clone(),
                region: RegionId::new("BKK").unwrap(),
                partner_id: entry.partner_id.clone(),
                recorded_at: Utc::now(),
            });
        }
    }

    /// Grouped by account, and by store where that is asked for.
    pub(super) fn balances(&self, filter: &CashFilter, by: Grouping) -> Balances {
        let rows = self.rows.iter().filter(|row| {
            let partner = filter.partner.as_ref();
            filter.allowed.covers(&row.store_id)
                && filter.account.is_none_or(|a| a == row.account)
                && partner.is_none_or(|p| row.partner_id.as_ref() == Some(p))
        });
        let mut sums: BTreeMap<(Account, Option<StoreId>), i64> = BTreeMap::new();
        for row in rows {
            let store = (by == Grouping::Store).then(|| row.store_id.clone());
            *sums.entry((row.account, store)).or_default() += row.amount.units();
        }
        let total = sums.values().sum();
        let rows = sums.into_iter().filter(|(_, units)| *units != 0);
        Balances {
            rows: rows
                .map(|((account, store_id), units)| Balance {
                    account,
                    store_id,
                    region: None,
                    partner_id: None,
                    amount: Money::from_units(units),
                })
                .collect(),
            total: Money::from_units(total),
            position: Position(7),
        }
    }

    pub(super) fn postings(&self, of: &PostingsOf) -> Page<PostingRow> {
        let of = |row: &&PostingRow| match of {
            PostingsOf::Order(id) => row.order_id == Some(*id),
            PostingsOf::Remittance(id) => row.remittance_id.as_ref() == Some(id),
        };
        let edges = self.rows.iter().filter(of).map(|row| Edge {
            cursor: format!("{}-{}", row.position.0, row.line),
            row: row.clone(),
        });
        Page {
            edges: edges.collect(),
            has_next: false,
            has_previous: false,
        }
    }

    pub(super) fn cash_of(&self, row: OrderRow) -> CashOrder {
        let balance = |account| {
            let own = self.orders.get(&row.id);
            own.map_or(Money::ZERO, |cash| cash.balances().of(account))
        };
        CashOrder {
            order_id: row.id,
            receivable: balance(Account::Receivable),
            rider: balance(Account::Rider),
            number: row.order.number.clone(),
            store_id: row.order.store_id.clone(),
            region: row.order.region.clone(),
            partner_id: row.order.collection.partner_id.clone(),
            status: row.order.collection.status,
            since: Some(row.placed_at),
            booked_at: Some(row.placed_at),
            delivered_at: row.order.delivered_at,
            collected_at: row.order.collection.collected_at,
            failed_at: None,
            discrepancy: row.order.collection.discrepancy,
            version: row.version,
            position: row.position,
        }
    }

    pub(super) fn outstanding(
        &self,
        filter: &OutstandingFilter,
        orders: impl Iterator<Item = CashOrder>,
    ) -> Page<CashOrder> {
        let is_out = |o: &CashOrder| !o.receivable.is_zero() || !o.rider.is_zero();
        let seen = orders.filter(|o| filter.allowed.covers(&o.store_id) && is_out(o));
        let edges = seen.map(|row| Edge {
            cursor: row.order_id.to_string(),
            row,
        });
        Page {
            edges: edges.collect(),
            has_next: false,
            has_previous: false,
        }
    }
}
