//! The posting rules as tables, and what holds for any events at all.

mod decided;
mod life;
mod properties;
mod rules;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::{
    ids::{OrderId, PartnerId, Sku, StoreId},
    money::{Money, Quantity},
    order::{
        OrderEvent, OrderStatus, PaymentStatus,
        event::{
            CashCollected, Figures, Proposal, Replacement, ReturnCause, ReturnRequested, Totals,
        },
    },
    remittance::{ItemOutcome, RemittanceEvent, RemittanceId, SettledItem, Summary},
};

fn baht(text: &str) -> Money {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-24T03:30:00Z".parse().unwrap()
}

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

fn grab() -> PartnerId {
    PartnerId::new("GRAB").unwrap()
}

fn remittance_id() -> RemittanceId {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    RemittanceId::new(grab(), StoreId::new("CFR029").unwrap(), day)
}

fn paid(amount: Money) -> OrderEvent {
    OrderEvent::Paid {
        method: "COD".into(),
        amount,
        rounding: Money::ZERO,
    }
}

fn figures(cash_due: Money) -> Figures {
    Figures {
        totals: Totals {
            cash_due,
            ..Totals::default()
        },
        ..Figures::default()
    }
}

fn lines_changed(cash_due: Money) -> OrderEvent {
    OrderEvent::LinesChanged {
        reason: "fewer".into(),
        lines: Vec::new(),
        figures: figures(cash_due),
    }
}

fn shorted(cash_due: Money) -> OrderEvent {
    OrderEvent::Shorted {
        reason: "not on the shelf".into(),
        report_id: None,
        lines: Vec::new(),
        cancelled_bundles: Vec::new(),
        figures: figures(cash_due),
        occurred_at: None,
    }
}

fn substituted(cash_due: Money) -> OrderEvent {
    OrderEvent::SubstitutionApproved {
        proposal: Proposal {
            proposal_id: "P-1".into(),
            line_number: 1,
            replacement: Replacement {
                sku: Sku::new("8850000000001").unwrap(),
                name_th: None,
                name_en: None,
                unit_price: cash_due,
                quantity: Quantity::from_units(10_000),
            },
            approve_by: now(),
            via_merchant_app: false,
            reason: None,
        },
        figures: figures(cash_due),
    }
}

fn cancelled() -> OrderEvent {
    OrderEvent::Cancelled {
        from: OrderStatus::Released,
        reason: "changed their mind".into(),
        payment_status: PaymentStatus::NotApplicable,
    }
}

fn collected_by(partner_id: PartnerId, amount: Money, due: Money) -> OrderEvent {
    OrderEvent::CashCollected(Box::new(CashCollected {
        amount,
        due,
        discrepancy: Money::ZERO,
        discrepancy_reason: None,
        partner_id,
        rider_id: Some("R-1".into()),
        collected_at: now(),
        proof: None,
    }))
}

fn collected(amount: Money) -> OrderEvent {
    collected_by(grab(), amount, amount)
}

fn failed(is_final: bool) -> OrderEvent {
    OrderEvent::CollectionFailed {
        reason: "nobody at home".into(),
        is_final,
        occurred_at: None,
    }
}

fn corrected(from: Money, to: Money) -> OrderEvent {
    OrderEvent::CollectionCorrected {
        from,
        to,
        discrepancy: Money::ZERO,
        reason: "counted again".into(),
    }
}

fn reconciled(outcome: ItemOutcome, expected: Money, accepted: Money) -> OrderEvent {
    OrderEvent::CashReconciled {
        remittance_id: remittance_id(),
        outcome,
        expected,
        accepted,
        variance: Money::ZERO,
    }
}

fn returned(cause: ReturnCause, refund: Money, waived: Money) -> OrderEvent {
    OrderEvent::ReturnRequested(Box::new(ReturnRequested {
        cause,
        reason: "does not want it".into(),
        lines: Vec::new(),
        fees: Money::ZERO,
        refund,
        waived,
        at: now(),
    }))
}

fn refunded(amount: Money) -> OrderEvent {
    OrderEvent::Refunded {
        amount,
        remaining: Money::ZERO,
        reference: None,
    }
}

fn settled(number: Option<u128>, outcome: ItemOutcome, sides: (Money, Money)) -> SettledItem {
    SettledItem {
        reference: format!("QC-2026-11-24-{:06}", number.unwrap_or(999_999)),
        order_id: number.map(order),
        outcome,
        expected: sides.0,
        accepted: sides.1,
    }
}

fn closed(items: Vec<SettledItem>) -> RemittanceEvent {
    RemittanceEvent::Closed {
        items,
        summary: Summary::default(),
    }
}

fn received(amount: Money) -> RemittanceEvent {
    RemittanceEvent::CashReceived {
        amount,
        remaining: Money::ZERO,
        reference: None,
    }
}

fn deposited(amount: Money) -> RemittanceEvent {
    RemittanceEvent::Deposited {
        amount,
        remaining: Money::ZERO,
        reference: None,
    }
}

/// `SALES -393.00, RECEIVABLE 393.00`, in the order of the accounts; two decimals where two say all.
fn text(amounts: impl IntoIterator<Item = (Account, Money)>) -> String {
    let mut amounts: Vec<(Account, Money)> = amounts.into_iter().collect();
    amounts.sort();
    let amounts = amounts.into_iter().map(|(account, amount)| {
        let amount = amount.to_string();
        let amount = amount.strip_suffix("00").unwrap_or(&amount).to_owned();
        format!("{} {amount}", account.as_str())
    });
    amounts.collect::<Vec<_>>().join(", ")
}

fn entries(posting: &Posting) -> String {
    text(posting.entries().iter().map(|e| (e.account, e.amount)))
}

fn sum(posting: &Posting) -> i128 {
    let units = posting.entries().iter().map(|e| e.amount.units());
    units.map(i128::from).sum()
}
