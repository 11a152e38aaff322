//! What orders decide and what is booked of it say the same of the cash.

use super::*;
use crate::{
    actor::{Actor, Role, StoreScope},
    ids::{OrderNumber, RegionId},
    order::{
        Facts, Order, OrderCommand,
        command::{
            AdjustmentInput, Cancel, ChangeLines, CollectCash, CorrectCollection,
            DecideSubstitution, FailCollection, LineInput, LineQuantityInput, Pay, PlaceOrder,
            Proof, ProposeSubstitution, ReconcileCash, RecordDelivery, RecordFailedDelivery,
            RecordPicking, RecordShipment, Refund, ReportShort, RequestReturn,
        },
        decide,
        event::Sealed,
        facts::StoreFacts,
    },
    random::for_all,
};

/// Random orders.
const CASES: u64 = 300;
/// Commands of one order, most of them refused where they come.
const COMMANDS: (i64, i64) = (10, 60);

/// An order, its books, and what was asked of it.
#[derive(Default)]
struct Life {
    order: Order,
    cash: OrderCash,
    log: Vec<OrderEvent>,
}

impl Life {
    fn ask(&mut self, command: &OrderCommand) {
        let store = StoreFacts {
            region: RegionId::new("BKK-EAST").unwrap(),
            active: true,
            cod_limit: Some(baht("5000")),
            auto_release: true,
        };
        let facts = Facts {
            number: Some(OrderNumber::new("QC-2026-11-24-000001").unwrap()),
            sealed: Some(Sealed {
                subject: "order:1".into(),
                sealed: "c2VhbGVk".into(),
            }),
            ..Facts::new(now(), Some(store))
        };
        let actor = Actor {
            id: "someone".into(),
            role: Role::Admin,
            stores: StoreScope::All,
        };
        for event in decide(&self.order, command, &actor, &facts).unwrap_or_default() {
            self.order.apply(&event);
            let posting = self.cash.post(order(1), &event);
            assert_eq!(sum(&posting), 0);
            self.log.push(event);
        }
    }

    /// The next step of the straight way.
    fn advance(&mut self) {
        use OrderStatus as S;
        let (status, occurred_at) = (self.order.status, None);
        let pick = |status| {
            OrderCommand::RecordPicking(RecordPicking {
                status,
                occurred_at,
            })
        };
        let command = match status {
            S::Open => OrderCommand::Allocate,
            S::Allocated if self.order.payment.is_none() => OrderCommand::Pay(Pay {
                method: "COD".into(),
                amount: self.order.totals.cash_due,
            }),
            S::Allocated => OrderCommand::Release,
            S::Released => pick(S::InProcess),
            S::InProcess => pick(S::Picked),
            S::Picked => pick(S::Packed),
            S::Packed => OrderCommand::RecordShipment(RecordShipment {
                status: S::Fulfilled,
                tracking_id: Some("TH-1".into()),
                carrier: Some("GRAB".into()),
                shipment_id: None,
                occurred_at,
            }),
            S::Fulfilled => OrderCommand::RecordDelivery(RecordDelivery {
                status: S::OutForDelivery,
                tracking_id: None,
                occurred_at,
            }),
            S::OutForDelivery => OrderCommand::RecordDelivery(RecordDelivery {
                status: S::Delivered,
                tracking_id: None,
                occurred_at,
            }),
            _ => OrderCommand::ReceiveReturn,
        };
        self.ask(&command);
    }

    fn perhaps(&mut self, kind: u8, number: i64) {
        let reason = String::from("so it was");
        let amount = Money::from_units(number * 100);
        let one = || LineQuantityInput {
            line_number: 1 + i32::try_from(number % 3).unwrap(),
            quantity: Quantity::from_units(number % 4 * 10_000),
        };
        let due = self.order.cod_due();
        let command = match kind {
            0 => OrderCommand::ChangeLines(ChangeLines {
                lines: vec![one()],
                reason,
            }),
            1 => OrderCommand::ReportShort(ReportShort {
                lines: vec![one()],
                reason,
                report_id: None,
                occurred_at: None,
            }),
            2 => self.substitute(one().line_number, number),
            3 if number % 10 == 0 => OrderCommand::Cancel(Cancel { reason }),
            4 | 5 => self.collect(if number % 2 == 0 { due } else { amount }),
            6 => OrderCommand::FailCollection(FailCollection {
                reason,
                occurred_at: None,
            }),
            7 => {
                let failed = OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
                    attempt_id: None,
                    reason,
                    tracking_id: None,
                    occurred_at: None,
                });
                for _ in 0..number % 3 {
                    self.ask(&failed);
                }
                failed
            }
            8 => OrderCommand::CorrectCollection(CorrectCollection { amount, reason }),
            9 => OrderCommand::RequestReturn(RequestReturn {
                lines: if number % 3 == 0 {
                    Vec::new()
                } else {
                    vec![one()]
                },
                refund_fees: number % 5 == 0,
                reason,
            }),
            10 => OrderCommand::Refund(Refund {
                amount,
                reference: None,
            }),
            11 if number % 7 == 0 => self.reconcile(),
            _ => return self.advance(),
        };
        self.ask(&command);
    }

    /// Offers another product, a little dearer, which the customer takes.
    fn substitute(&mut self, line_number: i32, number: i64) -> OrderCommand {
        let proposal_id = format!("P-{number}");
        let price = 300_000 + number % 50 * 100;
        self.ask(&OrderCommand::ProposeSubstitution(ProposeSubstitution {
            proposal_id: proposal_id.clone(),
            line_number,
            sku: "8850000000009".into(),
            name_th: None,
            name_en: None,
            unit_price: Money::from_units(price),
            quantity: None,
            via_merchant_app: true,
            reason: None,
        }));
        OrderCommand::DecideSubstitution(DecideSubstitution {
            proposal_id,
            approve: true,
        })
    }

    fn collect(&self, amount: Money) -> OrderCommand {
        OrderCommand::CollectCash(CollectCash {
            amount,
            partner_id: "GRAB".into(),
            rider_id: None,
            tracking_id: None,
            collected_at: None,
            proof: Some(Proof {
                photo: Some("photo".into()),
                ..Proof::default()
            }),
            discrepancy_reason: None,
        })
    }

    fn reconcile(&self) -> OrderCommand {
        let amount = self.order.collection.amount;
        OrderCommand::ReconcileCash(ReconcileCash {
            remittance_id: remittance_id(),
            outcome: ItemOutcome::Matched,
            expected: amount,
            accepted: amount,
        })
    }

    /// The accounts hold what the order says.
    fn check(&self) {
        let (order, held) = (&self.order, self.cash.balances());
        let is_collected = order.collection.collected_at.is_some();
        assert_eq!(held.sum(), Money::ZERO);
        assert!(!held.of(Account::Sales).is_positive());
        assert_eq!(held.of(Account::Rider), order.collection.amount);
        let refunded = Money::ZERO.checked_sub(order.refunded).unwrap();
        assert_eq!(held.of(Account::Store), refunded);
        let receivable = if order.payment.is_none() || is_collected {
            Money::ZERO
        } else {
            order.cod_due()
        };
        assert_eq!(held.of(Account::Receivable), receivable);
        assert_eq!(held.of(Account::Sales).units(), -self.sold());
    }

    /// What stays sold: what was neither waived nor given back of what returns promised.
    fn sold(&self) -> i64 {
        let order = &self.order;
        if order.payment.is_none() || order.status == OrderStatus::Cancelled {
            return 0;
        }
        let promised = order.returns.iter().map(|goods| goods.refund.units());
        let given_back = order.refunded.units().min(promised.sum());
        let sold = order.totals.cash_due.units() - order.waived().units();
        (sold - given_back).max(0)
    }
}

fn placed() -> OrderCommand {
    let line = |line_number, price: &str| LineInput {
        line_number,
        sku: format!("885000000000{line_number}"),
        quantity: Quantity::from_units(30_000),
        unit_price: baht(price),
        ..LineInput::default()
    };
    OrderCommand::Place(Box::new(PlaceOrder {
        channel: "WEB".into(),
        store_id: "CFR029".into(),
        is_force_allocation: Some(true),
        lines: vec![line(1, "28.50"), line(2, "45"), line(3, "33.335")],
        fees: vec![AdjustmentInput {
            kind: "SHIPPING".into(),
            amount: baht("40"),
            ..AdjustmentInput::default()
        }],
        allow_substitution: true,
        ..PlaceOrder::default()
    }))
}

#[test]
fn the_accounts_of_an_order_hold_what_it_says() {
    for_all(CASES, |rng| {
        let mut life = Life::default();
        life.ask(&placed());
        assert!(life.order.exists());
        for _ in 0..rng.between(COMMANDS.0, COMMANDS.1) {
            let kind = u8::try_from(rng.below(24)).unwrap();
            life.perhaps(kind, rng.below(60_000));
            life.check();
        }
        // Give back what is owed still: the sale shrinks to what the customer keeps.
        let promised = life.order.refund_promised();
        let owed = promised.checked_sub(life.order.refunded).unwrap();
        if owed.is_positive() {
            life.ask(&OrderCommand::Refund(Refund {
                amount: owed,
                reference: None,
            }));
            assert_eq!(life.order.refund_promised(), life.order.refunded);
        }
        life.check();
    });
}
