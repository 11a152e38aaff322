//! One order's life: every command decided, every event checked, applied, booked, and compared with
//! what the naive order makes of it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    cash::{Account, OrderCash, Posting},
    ids::OrderId,
    money::Money,
    order::{
        LineState, Order, OrderCommand, OrderEvent, OrderStatus as S, decide,
        event::{Figures, LineQuantity, Placed, ReturnCause, ReturnRequested},
        facts::Facts,
    },
    refusal::Refusal,
};
use rust_decimal::Decimal;

use crate::{
    checks,
    naive::{
        self,
        cash::OrderMoney,
        money,
        order::{Order as Naive, Paid},
        place, round2,
    },
    placing::{line_agrees, same, totals},
    rng::Rng,
    world::{World, actor, noon},
};

type Check = Result<(), String>;

/// An order with its shadow.
#[derive(Debug)]
pub struct Life<'w> {
    pub world: &'w World,
    pub id: OrderId,
    pub now: DateTime<Utc>,
    pub order: Order,
    pub naive: Naive,
    pub money: OrderMoney,
    pub cash: OrderCash,
    pub events: Vec<OrderEvent>,
    /// What the events since somebody last asked moved.
    pub postings: Vec<Posting>,
    /// Whether fees were asked back with the return that is being decided.
    with_fees: bool,
}

impl<'w> Life<'w> {
    pub fn new(
        world: &'w World,
        index: u32,
        mut placed: Placed,
        naive: place::Placed,
    ) -> Result<Self, String> {
        let number = format!("QC-2026-03-14-{:06}", index + 1);
        placed.number = number.parse().unwrap();
        let mut life = Self {
            world,
            id: OrderId(uuid::Uuid::from_u128(u128::from(index) + 1)),
            now: noon(),
            order: Order::default(),
            naive: Naive::new(naive),
            money: OrderMoney::default(),
            cash: OrderCash::default(),
            events: Vec::new(),
            postings: Vec::new(),
            with_fees: false,
        };
        let event = OrderEvent::Placed(Box::new(placed));
        life.order.apply(&event);
        life.events.push(event);
        life.agrees()?;
        Ok(life)
    }

    /// Asks; takes in what happens, if anything does.
    pub fn ask(
        &mut self,
        command: &OrderCommand,
        role: domain::actor::Role,
        facts: &Facts,
    ) -> Result<Result<usize, Refusal>, String> {
        let say = |life: &Self, e: String| format!("{e}\nafter {command:#?}\nof {:#?}", life.order);
        let events = match decide(&self.order, command, &actor(role), facts) {
            Ok(events) => events,
            Err(refusal) if refusal.problems.is_empty() => {
                return Err(say(self, "refused for nothing".into()));
            }
            // No amount here comes near that.
            Err(refusal) if refusal.to_string().contains("14 digits") => {
                return Err(say(self, refusal.to_string()));
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.with_fees = matches!(command, OrderCommand::RequestReturn(r) if r.refund_fees);
        let count = events.len();
        for event in events {
            self.take(event).map_err(|e| say(self, e))?;
        }
        if count == 0 {
            return Ok(Ok(0));
        }
        self.agrees().map_err(|e| say(self, e))?;
        if is_repeatable(command) {
            let again = decide(&self.order, command, &actor(role), facts);
            if again.as_deref() != Ok(&[]) {
                return Err(say(self, format!("asked again: {again:?}")));
            }
        }
        Ok(Ok(count))
    }

    fn take(&mut self, event: OrderEvent) -> Check {
        let from = self.order.status;
        let before: Vec<(u16, S)> = self
            .order
            .lines
            .iter()
            .map(|l| (l.line.line_number, l.status))
            .collect();
        self.understand(&event)?;
        let posting = self.cash.post(self.id, &event);
        let sum: i64 = posting.entries().iter().map(|e| e.amount.units()).sum();
        if sum != 0 || posting.entries().iter().any(|e| e.amount.is_zero()) {
            return Err(format!("does not balance: {posting:?}"));
        }
        self.postings.push(posting);
        for (account, amount) in Account::ALL.iter().zip(naive::cash::own(&self.money)) {
            same(account.as_str(), self.cash.balances().of(*account), amount)?;
        }
        self.order.apply(&event);
        checks::moved(&before, from, &self.order, &event)?;
        self.events.push(event);
        Ok(())
    }

    /// What the naive order makes of the event, and whether the event says the same.
    fn understand(&mut self, event: &OrderEvent) -> Check {
        match event {
            OrderEvent::LinesChanged { lines, figures, .. } => {
                self.naive.change(lines);
                self.refigured(figures)
            }
            OrderEvent::Shorted {
                lines,
                cancelled_bundles,
                figures,
                ..
            } => {
                self.cancelled(lines, cancelled_bundles)?;
                self.naive.short(lines);
                self.refigured(figures)
            }
            OrderEvent::SubstitutionApproved { proposal, figures } => {
                self.naive.substitute(proposal);
                self.refigured(figures)
            }
            OrderEvent::Paid { amount, .. } => {
                self.money.sold = Some(self.naive.sums.cash_due);
                same("payment", *amount, self.naive.sums.cash_due)
            }
            OrderEvent::Cancelled { .. } => {
                self.money.is_undone = true;
                Ok(())
            }
            event => self.understand_cash(event),
        }
    }

    fn understand_cash(&mut self, event: &OrderEvent) -> Check {
        match event {
            OrderEvent::CashCollected(cash) => {
                let claim = self.claim();
                same("cash due", cash.due, claim)?;
                self.money.collected = Some((claim, money(cash.amount)));
                differs("discrepancy", cash.discrepancy, money(cash.amount) - claim)
            }
            OrderEvent::CollectionFailed { is_final, .. } => {
                self.money.is_undone |= *is_final;
                Ok(())
            }
            OrderEvent::CollectionCorrected {
                from,
                to,
                discrepancy,
                ..
            } => {
                let Some((claim, cash)) = &mut self.money.collected else {
                    return Err("corrected before it was collected".into());
                };
                same("amount so far", *from, *cash)?;
                *cash = money(*to);
                differs("discrepancy", *discrepancy, *cash - *claim)
            }
            OrderEvent::CashReconciled {
                outcome,
                expected,
                accepted,
                variance,
                ..
            } => {
                self.money.is_reconciled |= *outcome != domain::remittance::ItemOutcome::Extra;
                same("variance", *variance, money(*accepted) - money(*expected))
            }
            OrderEvent::ReturnRequested(request) => self.returned(request),
            OrderEvent::Refunded {
                amount, remaining, ..
            } => {
                self.money.refunded += money(*amount);
                same(
                    "owed after the refund",
                    *remaining,
                    self.owed() - self.money.refunded,
                )
            }
            _ => Ok(()),
        }
    }

    fn refigured(&mut self, figures: &Figures) -> Check {
        if self.money.sold.is_some() {
            self.money.sold = Some(self.naive.sums.cash_due);
        }
        totals(&figures.totals, &self.naive.sums)
    }

    /// A short component takes its bundle along, and nothing else does.
    fn cancelled(&self, lines: &[LineQuantity], named: &[String]) -> Check {
        let touched = |state: &&LineState| {
            lines
                .iter()
                .any(|l| l.line_number == state.line.line_number)
        };
        let parts = self
            .order
            .lines
            .iter()
            .filter(touched)
            .filter_map(|l| l.line.bundle.as_ref());
        let mut expected: Vec<&String> = parts.map(|p| &p.ref_id).collect();
        let mut named: Vec<&String> = named.iter().collect();
        expected.sort_unstable();
        expected.dedup();
        named.sort_unstable();
        if expected == named {
            Ok(())
        } else {
            Err(format!("cancelled bundles {named:?}, not {expected:?}"))
        }
    }

    /// What the customer owes at the door.
    pub fn claim(&self) -> Decimal {
        if self.money.is_undone || self.order.status == S::Cancelled {
            Decimal::ZERO
        } else {
            (self.naive.sums.cash_due - self.naive.waived()).max(Decimal::ZERO)
        }
    }

    fn paid(&self) -> Paid {
        let (claim, amount) = self.money.collected.unwrap_or_default();
        let too_much = if self.order.collection.is_final {
            amount
        } else {
            (amount - claim).clamp(Decimal::ZERO, self.money.waived_before)
        };
        Paid { amount, too_much }
    }

    /// What the customer gets back in all: what was paid of the worth of what came back, by the last word
    /// on what was paid, and never less than was promised.
    fn owed(&self) -> Decimal {
        let (paid, promised) = (self.paid(), self.naive.promised());
        if self.order.collection.is_final || self.order.is_undelivered() {
            return paid.amount.max(promised);
        }
        let worth = self.naive.worth_of_returns() - self.money.waived_before;
        paid.too_much + worth.min(paid.amount - paid.too_much).max(promised)
    }

    fn returned(&mut self, request: &ReturnRequested) -> Check {
        let is_undelivered = request.cause == ReturnCause::Undelivered;
        let with_fees = self.with_fees || is_undelivered;
        let worth = self.naive.worth(request, self.paid(), with_fees);
        for (line, value) in request.lines.iter().zip(&worth.values) {
            same(
                &format!("value of line {}", line.line_number),
                line.value,
                *value,
            )?;
        }
        same("fees back", request.fees, worth.fees)?;
        same("refund", request.refund, worth.refund)?;
        same("waived", request.waived, worth.waived)?;
        let (refund, waived) = (worth.refund, worth.waived);
        self.naive.take_back(request, worth);
        self.money.promised += refund;
        if self.money.collected.is_some() {
            self.money.waived_after += waived;
        } else if is_undelivered {
            self.money.is_undone = true;
        } else {
            self.money.waived_before += waived;
        }
        Ok(())
    }

    /// The order holds what it must, and is what the naive one is.
    fn agrees(&self) -> Check {
        checks::order(&self.order)?;
        let (order, naive) = (&self.order, &self.naive);
        for ((state, line), sums) in order.lines.iter().zip(&naive.lines).zip(&naive.sums.rows) {
            line_agrees(&state.line, line, sums)?;
        }
        totals(&order.totals, &naive.sums)?;
        let discounts = order.order_discounts.iter().zip(&naive.discounts);
        for (ours, theirs) in discounts {
            same("order discount", ours.amount, theirs.amount)?;
        }
        if order.fees.len() != naive.fees.len() {
            return Err("fees".into());
        }
        if let Some(payment) = &order.payment {
            same("payment", payment.amount, naive.sums.cash_due)?;
        }
        same("cash due", order.cod_due(), self.claim())
    }

    /// Time passes.
    pub fn wait(&mut self, rng: &mut Rng) {
        let seconds = match rng.weighted(&[70, 25, 3, 1, 1]) {
            0 => rng.between(0, 180),
            1 => rng.between(180, 900),
            2 => rng.between(3_600, 90_000),
            3 => rng.between(86_400, 29 * 86_400),
            _ => rng.between(29 * 86_400, 32 * 86_400),
        };
        self.now += TimeDelta::seconds(seconds);
    }

    /// Cash as a customer would pay it: what is due, as a rule.
    pub fn some_cash(&self, rng: &mut Rng) -> Money {
        let due = crate::placing::as_money(round2(self.claim())).units() / 100;
        let satang = match rng.weighted(&[80, 6, 6, 8]) {
            0 => due,
            1 => due - 1,
            2 => due + 1,
            _ => rng.between(1, due * 2 + 2),
        };
        Money::from_units(satang.max(1) * 100)
    }
}

/// Zero within a satang.
fn differs(what: &str, ours: Money, difference: Decimal) -> Check {
    let is_small = difference.abs() <= Decimal::new(1, 2);
    same(
        what,
        ours,
        if is_small { Decimal::ZERO } else { difference },
    )
}

/// Whether asking for it again must change nothing. The others say a new thing every time, or
/// cannot be told from one that does.
const fn is_repeatable(command: &OrderCommand) -> bool {
    !matches!(
        command,
        OrderCommand::Place(_)
            | OrderCommand::Refund(_)
            | OrderCommand::RequestReturn(_)
            | OrderCommand::RecordFailedDelivery(_)
    )
}
