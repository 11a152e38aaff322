//! One order's cash as a fold of its events and of the remittances that account for it.

use chrono::{DateTime, Utc};
use domain::{
    cash::{Account, OrderCash, Posting},
    ids::{OrderId, OrderNumber, PartnerId, RegionId, StoreId},
    money::Money,
    order::{
        CollectionStatus, OrderEvent, OrderStatus,
        event::{Placed, Step},
    },
    remittance::{ItemOutcome, RemittanceEvent, RemittanceId},
    store::StoreEvent,
};
use store::{Position, Recorded};

use super::PostingRow;
use crate::decode::{OrderRecord, Poison};

/// The cash of one order.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CashOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub number: OrderNumber,
    /// Its store.
    pub store_id: StoreId,
    /// The store's region when the order was placed.
    pub region: RegionId,
    /// The partner whose rider has or had the cash; `None` before it was collected.
    pub partner_id: Option<PartnerId>,
    /// Where the cash stands.
    pub status: CollectionStatus,
    /// What the customer owes.
    pub receivable: Money,
    /// What the rider has.
    pub rider: Money,
    /// Since when something is outstanding: since the rider has it, else since the goods were delivered, else since
    /// the customer owes it. `None` when nothing is outstanding.
    pub since: Option<DateTime<Utc>>,
    /// When cash was booked first: the customer began to owe.
    pub booked_at: Option<DateTime<Utc>>,
    /// When the goods were delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the cash was collected.
    pub collected_at: Option<DateTime<Utc>>,
    /// When a collection failed last.
    pub failed_at: Option<DateTime<Utc>>,
    /// The cash collected minus the cash due then.
    pub discrepancy: Money,
    /// The order's version: the number of its events so far.
    pub version: i64,
    /// The log position of its last event.
    pub position: Position,
}

/// A row of the model: the cash of an order, and what its next posting depends on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Booked {
    pub(crate) order: CashOrder,
    pub(crate) cash: OrderCash,
}

impl Booked {
    /// An order's cash before its first event counts; `None` for any other event.
    pub(crate) fn placed(record: &OrderRecord<'_>) -> Option<Self> {
        let OrderEvent::Placed(placed) = record.event else {
            return None;
        };
        Some(Self::new(*record.id, placed))
    }

    fn new(order_id: OrderId, placed: &Placed) -> Self {
        Self {
            order: CashOrder {
                order_id,
                number: placed.number.clone(),
                store_id: placed.store_id.clone(),
                region: placed.region.clone(),
                partner_id: None,
                status: CollectionStatus::Pending,
                receivable: Money::ZERO,
                rider: Money::ZERO,
                since: None,
                booked_at: None,
                delivered_at: None,
                collected_at: None,
                failed_at: None,
                discrepancy: Money::ZERO,
                version: 0,
                position: Position::START,
            },
            cash: OrderCash::default(),
        }
    }

    /// Takes in the order's next event and answers what it moves.
    pub(crate) fn advance(&mut self, record: &OrderRecord<'_>) -> Result<Posting, Poison> {
        let sequence = record.recorded.sequence;
        let order = &mut self.order;
        if sequence != order.version + 1 {
            return Err(record.poison(format!(
                "it is event {sequence} of its order, the ledger stands at {}; rebuild the ledger",
                order.version
            )));
        }
        order.version = sequence;
        order.position = record.recorded.position;
        order.follow(record);
        let posting = self.cash.post(*record.id, record.event);
        for entry in posting.entries() {
            self.take(entry.account, entry.amount, || record.decided_at());
        }
        Ok(posting)
    }

    /// Takes in what one line about this order moves, of its own events or of a remittance's.
    pub(crate) fn take(
        &mut self,
        account: Account,
        amount: Money,
        at: impl FnOnce() -> DateTime<Utc>,
    ) {
        let order = &mut self.order;
        let balance = match account {
            Account::Receivable => &mut order.receivable,
            Account::Rider => &mut order.rider,
            _ => return,
        };
        order.booked_at.get_or_insert_with(at);
        *balance = balance.saturating_add(amount);
        order.since = order.outstanding_since();
    }
}

impl CashOrder {
    /// Where the cash stands after an event: as the order's own state says it.
    fn follow(&mut self, record: &OrderRecord<'_>) {
        match record.event {
            OrderEvent::DeliveryRecorded { step }
            | OrderEvent::DeliveryFailed {
                step: Some(step), ..
            } => self.deliver(step, record),
            OrderEvent::CashCollected(cash) => {
                self.status = CollectionStatus::Collected;
                self.partner_id = Some(cash.partner_id.clone());
                self.collected_at = Some(cash.collected_at);
                self.discrepancy = cash.discrepancy;
            }
            OrderEvent::CollectionFailed { occurred_at, .. } => {
                self.status = CollectionStatus::Failed;
                self.failed_at = Some(occurred_at.unwrap_or_else(|| record.decided_at()));
            }
            OrderEvent::CollectionCorrected { discrepancy, .. } => self.discrepancy = *discrepancy,
            // What is extra came before the order's own cash was heard of.
            OrderEvent::CashReconciled { outcome, .. } if *outcome != ItemOutcome::Extra => {
                self.status = CollectionStatus::Reconciled;
            }
            _ => {}
        }
        self.since = self.outstanding_since();
    }

    fn deliver(&mut self, step: &Step, record: &OrderRecord<'_>) {
        if step.to >= OrderStatus::OutForDelivery && self.status == CollectionStatus::Pending {
            self.status = CollectionStatus::InTransit;
        }
        if step.to == OrderStatus::Delivered {
            let at = step.occurred_at.or(step.recorded_at);
            self.delivered_at = Some(at.unwrap_or_else(|| record.decided_at()));
        }
    }

    fn outstanding_since(&self) -> Option<DateTime<Utc>> {
        if !self.rider.is_zero() {
            self.collected_at.or(self.booked_at)
        } else if !self.receivable.is_zero() {
            self.delivered_at.or(self.booked_at)
        } else {
            None
        }
    }
}

/// The lines of a posting as they are written down: all of them belong to one store and one region.
pub(crate) fn lines<'a>(
    recorded: &'a Recorded,
    remittance_id: Option<&'a RemittanceId>,
    store_id: &'a StoreId,
    region: &'a RegionId,
    posting: &'a Posting,
) -> impl Iterator<Item = PostingRow> + 'a {
    (1..)
        .zip(posting.entries())
        .map(move |(line, entry)| PostingRow {
            position: recorded.position,
            line,
            event_type: recorded.event_type.clone(),
            account: entry.account,
            amount: entry.amount,
            order_id: entry.order_id,
            remittance_id: remittance_id.cloned(),
            store_id: store_id.clone(),
            region: region.clone(),
            partner_id: entry.partner_id.clone(),
            recorded_at: recorded.recorded_at,
        })
}

/// Where a store lies from this event on.
pub(crate) const fn store_region(event: &StoreEvent) -> Option<&RegionId> {
    match event {
        StoreEvent::Opened { profile } | StoreEvent::Changed { profile } => Some(&profile.region),
        StoreEvent::Activated {} | StoreEvent::Deactivated { .. } => None,
    }
}

/// The region that a remittance's first event names: its postings stay there, even if the store moves to another.
pub(crate) const fn first_region(event: &RemittanceEvent) -> Option<&RegionId> {
    match event {
        RemittanceEvent::Expected { region, .. } | RemittanceEvent::Reported { region, .. } => {
            Some(region)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::order::{Order, OrderEvent};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decode::{Kind, Record, decode},
        testing::{self, life},
    };

    /// The row as it comes back from the table between two pages.
    fn stored(row: Booked) -> Booked {
        let cash = serde_json::to_string(&row.cash).unwrap();
        Booked {
            cash: serde_json::from_str(&cash).unwrap(),
            ..row
        }
    }

    proptest! {
        /// However an order lives: its postings balance, its row adds them up, and its cash stands where the order's
        /// own state has it.
        #[test]
        fn the_row_follows_from_the_postings_and_the_order(later in prop::collection::vec(testing::later(), 0..30)) {
            let events: Vec<OrderEvent> = later;
            let events = life(&events);
            let (records, poison) = decode(&events, Kind::ALL);
            prop_assert_eq!(poison, None);
            let records: Vec<OrderRecord<'_>> = records.iter().filter_map(Record::of::<Order>).collect();
            let mut row = Booked::placed(&records[0]).unwrap();
            let mut order = Order::default();
            let (mut receivable, mut rider) = (0, 0);
            for record in &records {
                let posting = row.advance(record).unwrap();
                row = stored(row);
                order.apply(record.event);
                for entry in posting.entries() {
                    match entry.account {
                        Account::Receivable => receivable += entry.amount.units(),
                        Account::Rider => rider += entry.amount.units(),
                        _ => {}
                    }
                }
                let sum: i64 = posting.entries().iter().map(|e| e.amount.units()).sum();
                prop_assert_eq!(sum, 0);
            }
            let booked = &row.order;
            prop_assert_eq!((booked.receivable.units(), booked.rider.units()), (receivable, rider));
            prop_assert_eq!(booked.since.is_some(), receivable != 0 || rider != 0);
            let cash = &order.collection;
            prop_assert_eq!(booked.status, cash.status);
            prop_assert_eq!(booked.collected_at, cash.collected_at);
            prop_assert_eq!(&booked.partner_id, &cash.partner_id);
            prop_assert_eq!(booked.discrepancy, cash.discrepancy);
            if order.delivered_at.is_some() {
                prop_assert_eq!(booked.delivered_at, order.delivered_at);
            }
        }
    }

    #[test]
    fn an_event_that_does_not_come_next_is_refused() {
        let events = life(&[OrderEvent::Released { at: None }]);
        let (records, _) = decode(&events, Kind::ALL);
        let records: Vec<OrderRecord<'_>> =
            records.iter().filter_map(Record::of::<Order>).collect();
        assert!(Booked::placed(&records[1]).is_none());
        let mut row = Booked::placed(&records[0]).unwrap();
        assert!(row.advance(&records[1]).is_err(), "one left out");
        row.advance(&records[0]).unwrap();
        assert!(row.advance(&records[0]).is_err(), "twice");
    }
}
