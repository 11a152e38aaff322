//! The end of the day for the riders' cash.
//!
//! Every collection is kept with the moment at which its remittance is to be told of it: the Bangkok midnight that ends
//! its business day. What is due is told, for each partner and store; cash heard of after that midnight is due at once,
//! so a late item and a day missed in a downtime need no rule of their own. A remittance in which everything agrees is
//! closed; a closed one settles the cash of its orders.

mod day_end;
mod rows;

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    calendar::{business_day, day_start},
    ids::{CommandId, OrderId},
    money::Money,
    order::{
        CollectionStatus, Order, OrderCommand, OrderEvent, command::ReconcileCash,
        event::CashCollected,
    },
    remittance::{ItemOutcome, RemittanceEvent, RemittanceId, SettledItem},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use metrics::counter;
use observability::names;
use sqlx::PgConnection;
use uuid::Uuid;

use self::rows::{Item, Report};
use super::{
    fact::{Cause, Fact, Happening, Poison},
    hands::{Answer, Hands, Trouble},
    reactor::Process,
};
use crate::{derived, facts::Clock};

/// Orders worked on at once.
const CONCURRENCY: usize = 32;

/// The cash desk.
pub(crate) struct CashDesk {
    hands: Hands,
    clock: Arc<dyn Clock>,
}

/// What a page leaves to remember, in the order in which it is written.
#[derive(Default)]
pub(crate) struct Rows {
    items: Vec<Item>,
    corrected: Vec<(OrderId, Money)>,
    reports: Vec<Report>,
    opened: Vec<RemittanceId>,
    settled: Vec<OrderId>,
}

/// What became of an order's cash with the closing of a remittance.
enum Told {
    /// It is settled: no more is expected.
    Settled,
    /// Some of it was taken in as extra, and it is not settled with that: the order after it.
    TakenIn(Arc<Order>),
}

impl CashDesk {
    pub(crate) const fn new(hands: Hands, clock: Arc<dyn Clock>) -> Self {
        Self { hands, clock }
    }

    /// The orders of a page's collections and corrections, as they are after them. What an event does not say of its order the order does: one that cannot be
    /// read stops the cash desk, as its cash must not be lost.
    async fn orders(&self, page: &[Fact]) -> Result<HashMap<OrderId, Arc<Order>>, Trouble> {
        let mut collected = Vec::new();
        for fact in page {
            if let Happening::Order(id, event) = &fact.happening
                && matches!(
                    **event,
                    OrderEvent::CashCollected(_) | OrderEvent::CollectionCorrected { .. }
                )
            {
                collected.push((*id, fact.position));
            }
        }
        stream::iter(collected)
            .map(|(id, position)| async move {
                let mut loaded = self.hands.recall::<Order>(&id).await?;
                // What this program remembers may be older than what another one did.
                if loaded.as_ref().is_some_and(|l| l.position < position) {
                    loaded = self.hands.load::<Order>(&id).await?;
                }
                let reason = "its order cannot be read".to_owned();
                let order = loaded.ok_or(Poison { position, reason })?;
                Ok((id, order.state))
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await
    }

    /// Settles the orders of a closed remittance, and answers what became of their cash. What was
    /// reported and not expected settles no order that nobody has collected yet: the order remembers it, so that it is
    /// not expected once more.
    async fn settle(
        &self,
        id: &RemittanceId,
        items: &[SettledItem],
        cause: Cause,
    ) -> Result<Vec<(OrderId, Told)>, Trouble> {
        let mut commands = Vec::with_capacity(items.len());
        for item in items {
            let is_extra = item.outcome == ItemOutcome::Extra;
            if let Some(order_id) = item.order_id
                && (!is_extra || item.accepted.is_positive())
            {
                let command = ReconcileCash {
                    remittance_id: id.clone(),
                    outcome: item.outcome,
                    expected: item.expected,
                    accepted: item.accepted,
                };
                commands.push((order_id, command));
            }
        }
        stream::iter(commands)
            .map(|(order_id, command)| self.reconcile(order_id, command, cause))
            .buffer_unordered(CONCURRENCY)
            .try_filter_map(|settled| async move { Ok(settled) })
            .try_collect()
            .await
    }

    async fn reconcile(
        &self,
        order_id: OrderId,
        command: ReconcileCash,
        cause: Cause,
    ) -> Result<Option<(OrderId, Told)>, Trouble> {
        let is_extra = command.outcome == ItemOutcome::Extra;
        let command_id = settling_id(cause.event_id, order_id);
        let answer = self
            .hands
            .give::<Order>(
                order_id,
                OrderCommand::ReconcileCash(command),
                command_id,
                cause,
            )
            .await?;
        let outcome = match answer {
            Answer::Done(_) => "done",
            Answer::Refused => "refused",
            Answer::Fault => "fault",
        };
        counter!(names::CASH_SETTLED_TOTAL, "outcome" => outcome).increment(1);
        if !is_extra {
            return Ok(Some((order_id, Told::Settled)));
        }
        let order = self.hands.load::<Order>(&order_id).await?;
        Ok(order.map(|order| {
            let is_settled = order.state.collection.status == CollectionStatus::Reconciled;
            let told = if is_settled {
                Told::Settled
            } else {
                Told::TakenIn(order.state)
            };
            (order_id, told)
        }))
    }
}

impl Process for CashDesk {
    const NAME: &'static str = "process.cash_desk";
    const WANTED: &'static [&'static str] = &[
        "order.cash_collected",
        "order.collection_corrected",
        "remittance.reported",
        "remittance.expected",
        "remittance.compared",
        "remittance.closed",
    ];
    const LINGER: Duration = Duration::from_millis(100);
    type Rows = Rows;

    fn is_empty(rows: &Rows) -> bool {
        let Rows {
            items,
            corrected,
            reports,
            opened,
            settled,
        } = rows;
        items.is_empty()
            && corrected.is_empty()
            && reports.is_empty()
            && opened.is_empty()
            && settled.is_empty()
    }

    async fn react(&self, page: &[Fact]) -> Result<Rows, Trouble> {
        let mut orders = self.orders(page).await?;
        let mut rows = Rows::default();
        for fact in page {
            match &fact.happening {
                Happening::Order(id, event) => match &**event {
                    OrderEvent::CashCollected(cash) => {
                        rows.items
                            .extend(orders.get(id).and_then(|order| item(*id, order, cash)));
                    }
                    OrderEvent::CollectionCorrected { to, .. } => {
                        let expected = orders.get(id).and_then(|order| still_expected(order, *to));
                        if let Some(amount) = expected {
                            rows.correct(*id, amount);
                        }
                    }
                    _ => {}
                },
                Happening::Remittance(id, event) => match &**event {
                    RemittanceEvent::Reported { region, .. } => rows.reports.push(Report {
                        id: id.clone(),
                        region: region.clone(),
                        due_at: day_end_of(id.day()),
                    }),
                    RemittanceEvent::Expected { .. } => {
                        rows.reports.retain(|report| report.id != *id);
                        rows.opened.push(id.clone());
                    }
                    RemittanceEvent::Compared { summary, .. } if summary.open == 0 => {
                        self.close(id).await?;
                    }
                    RemittanceEvent::Closed { items, .. } => {
                        for (order_id, told) in self.settle(id, items, fact.cause).await? {
                            match told {
                                Told::Settled => rows.settled.push(order_id),
                                Told::TakenIn(order) => {
                                    rows.take_in(order_id, &order);
                                    orders.insert(order_id, order);
                                }
                            }
                        }
                    }
                    _ => {}
                },
                Happening::Store(..) => {}
            }
        }
        Ok(rows)
    }

    async fn write(&self, conn: &mut PgConnection, rows: Rows) -> Result<(), Trouble> {
        let log_id = self.hands.bus().log().log_id();
        rows::add(conn, log_id, &rows.items).await?;
        rows::correct(conn, log_id, &rows.corrected).await?;
        rows::remove(conn, log_id, &rows.settled).await?;
        rows::opened(conn, log_id, &rows.opened).await?;
        rows::reported(conn, log_id, &rows.reports).await?;
        Ok(())
    }

    async fn tick(&self) -> Result<bool, Trouble> {
        self.end_days().await
    }
}

impl Rows {
    /// Extra cash of an order that was collected between the decision to accept it and the closing: only the rest is
    /// expected. Before a collection there is nothing to correct, and it is expected right when it is heard of.
    fn take_in(&mut self, order_id: OrderId, order: &Order) {
        let collection = &order.collection;
        if collection.status == CollectionStatus::Collected
            && let Some(rest) = still_expected(order, collection.amount)
        {
            self.correct(order_id, rest);
        }
    }

    /// A later amount of an order's cash: of an item of this page, or of one of before.
    fn correct(&mut self, order_id: OrderId, to: Money) {
        match self.items.iter_mut().find(|item| item.order_id == order_id) {
            Some(item) => item.amount = to,
            None => {
                self.corrected.retain(|(id, _)| *id != order_id);
                self.corrected.push((order_id, to));
            }
        }
    }
}

/// The same whoever settles an order because of this event.
fn settling_id(cause: Uuid, order_id: OrderId) -> CommandId {
    let words = [cause.to_string(), order_id.to_string()];
    derived::command_id(CashDesk::NAME, &words.each_ref().map(String::as_str))
}

/// What is expected of collected cash: not what the partner handed over before anybody heard of it. `None` for nothing.
fn still_expected(order: &Order, collected: Money) -> Option<Money> {
    let expected = collected.checked_sub(order.collection.handed_over());
    expected.filter(|amount| amount.is_positive())
}

/// Cash in a rider's hand, for the remittance of its day.
fn item(order_id: OrderId, order: &Order, cash: &CashCollected) -> Option<Item> {
    let day = business_day(cash.collected_at);
    Some(Item {
        order_id,
        number: order.number.to_string(),
        remittance: RemittanceId::new(cash.partner_id.clone(), order.store_id.clone(), day),
        region: order.region.clone(),
        amount: still_expected(order, cash.amount)?,
        rider_id: cash.rider_id.clone(),
        collected_at: cash.collected_at,
        due_at: day_end_of(day),
        is_expected: false,
    })
}

/// The midnight that ends a business day.
fn day_end_of(day: NaiveDate) -> DateTime<Utc> {
    day_start(day.succ_opt().unwrap_or(day))
}

#[cfg(test)]
mod tests {
    use domain::ids::{PartnerId, StoreId};

    use super::*;

    fn cash(collected_at: &str) -> CashCollected {
        let amount: Money = "393.00".parse().unwrap();
        CashCollected {
            amount,
            due: amount,
            discrepancy: Money::ZERO,
            discrepancy_reason: None,
            partner_id: PartnerId::new("GRAB").unwrap(),
            rider_id: Some("R-7".into()),
            collected_at: collected_at.parse().unwrap(),
            proof: None,
        }
    }

    fn order() -> Order {
        Order {
            store_id: StoreId::new("CFR029").unwrap(),
            ..Order::default()
        }
    }

    #[test]
    fn cash_is_due_at_the_bangkok_midnight_after_it() {
        for (collected_at, id, due_at) in [
            (
                "2026-11-24T16:59:59Z",
                "GRAB:CFR029:2026-11-24",
                "2026-11-24T17:00:00Z",
            ),
            (
                "2026-11-24T17:00:00Z",
                "GRAB:CFR029:2026-11-25",
                "2026-11-25T17:00:00Z",
            ),
        ] {
            let item = item(OrderId(Uuid::nil()), &order(), &cash(collected_at)).unwrap();
            assert_eq!(item.remittance.to_string(), id);
            assert_eq!(item.due_at, due_at.parse::<DateTime<Utc>>().unwrap());
            assert!(!item.is_expected);
        }
    }

    #[test]
    fn ids_never_change() {
        let id = settling_id(Uuid::from_u128(1), OrderId(Uuid::from_u128(2)));
        assert_eq!(id.to_string(), "bc2f9b91-c609-5776-ab55-e18718f69fe9");
    }

    #[test]
    fn a_correction_changes_the_item_it_is_about() {
        let id = OrderId(Uuid::nil());
        let mut rows = Rows::default();
        rows.correct(id, "1.00".parse().unwrap());
        rows.correct(id, "2.00".parse().unwrap());
        assert_eq!(rows.corrected, [(id, "2.00".parse().unwrap())]);
        let mut rows = Rows::default();
        rows.items
            .extend(item(id, &order(), &cash("2026-11-24T05:00:00Z")));
        rows.correct(id, "3.00".parse().unwrap());
        assert_eq!(rows.items[0].amount, "3.00".parse().unwrap());
        assert!(rows.corrected.is_empty());
    }
}
