//! What an order is now: the fold of its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    after::{Attempt, Collection, Goods, LineState, Offer, Payment, ShortReport},
    event::{Adjustment, Channel, ExternalRef, OrderedBundle, ReturnCause, Sealed, Slot, Totals},
    status::{OrderStatus, PaymentStatus},
};
use crate::{
    ids::{CustomerId, OrderNumber, RegionId, StoreId},
    money::Money,
    pricing,
};

/// An order as its events left it. [`Order::default`] is an order that is not placed: its fields
/// mean nothing until [`Order::exists`].
///
/// Serialised, it is the document that read models show and snapshots keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Order {
    pub number: OrderNumber,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub channel: Channel,
    pub order_type: Option<String>,
    /// Ids other systems know the order by; unique per system.
    pub refs: Vec<ExternalRef>,
    pub store_id: StoreId,
    pub region: RegionId,
    pub customer_id: Option<CustomerId>,
    pub t1_membership_id: Option<String>,
    pub t1_number: Option<String>,
    /// The contact under its subject's key.
    pub contact: Option<Sealed>,
    pub lines: Vec<LineState>,
    pub bundles: Vec<OrderedBundle>,
    pub order_discounts: Vec<Adjustment>,
    pub fees: Vec<Adjustment>,
    pub totals: Totals,
    /// The method the order was placed with.
    pub payment_method: String,
    /// The payment, once recorded.
    pub payment: Option<Payment>,
    pub requested_slot: Option<Slot>,
    pub promised_at: Option<DateTime<Utc>>,
    pub captured_at: Option<DateTime<Utc>>,
    pub allow_substitution: bool,
    pub tracking_id: Option<String>,
    pub carrier: Option<String>,
    /// The sender's id of the shipment.
    pub shipment_id: Option<String>,
    /// Why the order is back-ordered, while it is.
    pub back_order_reason: Option<String>,
    pub cancel_reason: Option<String>,
    /// Checks that could not be made when the order was placed.
    pub warnings: Vec<String>,
    /// When picking was told.
    pub released_at: Option<DateTime<Utc>>,
    /// When the customer got the goods: as the partner said, else when the ledger heard of it.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Offers of other products, oldest first.
    pub offers: Vec<Offer>,
    /// Short reports taken in that have an id, oldest first.
    pub short_reports: Vec<ShortReport>,
    /// Deliveries that failed.
    pub attempts: Vec<Attempt>,
    /// The cash.
    pub collection: Collection,
    /// Goods that came or come back.
    pub returns: Vec<Goods>,
    /// Cash given back so far.
    pub refunded: Money,
    /// Somebody was told that picking has not begun.
    pub is_stuck: bool,
    /// Somebody was told that nothing is known of the cash.
    pub is_collection_overdue: bool,
}

impl Default for Order {
    /// An order that is not placed. The channel is a placeholder, as the blank ids are.
    fn default() -> Self {
        Self {
            number: OrderNumber::blank(),
            status: OrderStatus::Open,
            payment_status: PaymentStatus::NotApplicable,
            channel: Channel::Store,
            order_type: None,
            refs: Vec::new(),
            store_id: StoreId::blank(),
            region: RegionId::blank(),
            customer_id: None,
            t1_membership_id: None,
            t1_number: None,
            contact: None,
            lines: Vec::new(),
            bundles: Vec::new(),
            order_discounts: Vec::new(),
            fees: Vec::new(),
            totals: Totals::default(),
            payment_method: String::new(),
            payment: None,
            requested_slot: None,
            promised_at: None,
            captured_at: None,
            allow_substitution: false,
            tracking_id: None,
            carrier: None,
            shipment_id: None,
            back_order_reason: None,
            cancel_reason: None,
            warnings: Vec::new(),
            released_at: None,
            delivered_at: None,
            offers: Vec::new(),
            short_reports: Vec::new(),
            attempts: Vec::new(),
            collection: Collection::default(),
            returns: Vec::new(),
            refunded: Money::ZERO,
            is_stuck: false,
            is_collection_overdue: false,
        }
    }
}

impl Order {
    /// Whether the order has been placed.
    pub fn exists(&self) -> bool {
        !self.number.as_str().is_empty()
    }

    /// The status of the least advanced line.
    pub fn min_line_status(&self) -> OrderStatus {
        OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).unwrap_or(self.status)
    }

    /// The status of the most advanced line.
    pub fn max_line_status(&self) -> OrderStatus {
        self.lines
            .iter()
            .map(|l| l.status)
            .max()
            .unwrap_or(self.status)
    }

    /// The status of a bundle: its least advanced component.
    pub fn bundle_status(&self, ref_id: &str) -> Option<OrderStatus> {
        OrderStatus::roll_up(self.bundle_lines(ref_id).map(|l| l.status))
    }

    /// The lines of a bundle.
    pub fn bundle_lines<'a>(&'a self, ref_id: &'a str) -> impl Iterator<Item = &'a LineState> {
        self.lines
            .iter()
            .filter(move |l| l.line.bundle.as_ref().is_some_and(|b| b.ref_id == ref_id))
    }

    /// The cash to collect at the door: nothing for a cancelled order, or one whose goods go back
    /// undelivered, and not what was waived because goods came back before they were paid.
    pub fn cod_due(&self) -> Money {
        if self.status == OrderStatus::Cancelled || self.collection.is_final {
            return Money::ZERO;
        }
        let due = self.totals.cash_due.units();
        Money::from_units(due.saturating_sub(self.waived().units()).max(0))
    }

    /// What the customer is owed back in cash, refunded or not: what they paid for goods that went back,
    /// and cash that came although it was waived or the goods go back undelivered.
    pub fn refund_promised(&self) -> Money {
        self.refund_promised_for(self.collection.amount)
    }

    /// As [`Self::refund_promised`], if so much had been collected. What a return waived as unpaid is
    /// owed as well, as far as a correction shows that it was paid after all; a promise made stands.
    pub(super) fn refund_promised_for(&self, collected: Money) -> Money {
        let (collected, refunds) = (collected.units(), self.refunds().units());
        if self.collection.is_final || self.is_undelivered() {
            return Money::from_units(collected.max(refunds));
        }
        let late = self.paid_though_waived(Money::from_units(collected));
        let worth = self.worth_of_returns().units();
        let after = worth.saturating_sub(self.waived_before().units());
        let of_returns = after.min(collected.saturating_sub(late.units()));
        Money::from_units(late.units().saturating_add(refunds.max(of_returns)))
    }

    /// The part of so much collected cash that was not due when it came, because it was waived before.
    pub(super) fn paid_though_waived(&self, collected: Money) -> Money {
        let due = self.collection.due.units();
        let too_much = collected.units().saturating_sub(due);
        Money::from_units(too_much.clamp(0, self.waived_before().units()))
    }

    /// What was waived before the cash came: it was not due then any more.
    fn waived_before(&self) -> Money {
        let due = self.collection.due.units();
        let not_due = self.totals.cash_due.units().saturating_sub(due);
        Money::from_units(not_due.clamp(0, self.waived().units().max(0)))
    }

    /// What returns promised in cash when they were asked for.
    pub(super) fn refunds(&self) -> Money {
        let refunds = self.returns.iter().map(|r| r.refund.units());
        Money::from_units(refunds.fold(0, i64::saturating_add))
    }

    /// What all that came back is worth in cash.
    fn worth_of_returns(&self) -> Money {
        let values = self.returns.iter().flat_map(|goods| {
            let values = goods.lines.iter().map(|l| l.value);
            values.chain([goods.fees])
        });
        pricing::add(values)
            .and_then(pricing::cash)
            .unwrap_or_default()
    }

    /// What the customer need not pay any more because the goods went back unpaid.
    pub fn waived(&self) -> Money {
        let waived = self.returns.iter().map(|r| r.waived.units());
        Money::from_units(waived.fold(0, i64::saturating_add))
    }

    /// The line of this number.
    pub fn line(&self, number: u16) -> Option<&LineState> {
        self.lines.iter().find(|l| l.line.line_number == number)
    }

    /// Whether the goods go back, or went back, without having reached the customer.
    pub fn is_undelivered(&self) -> bool {
        let mut causes = self.returns.iter().map(|r| r.cause);
        causes.any(|cause| cause == ReturnCause::Undelivered)
    }
}
