//! What may happen to an order next.

use chrono::TimeDelta;
use domain::{
    bundle::{BundleKind, ReturnPolicy},
    ids::{BundleId, CustomerId, OrderNumber, PartnerId, RegionId, Sku},
    money::{Money, Quantity, Rate},
    order::{
        CollectionStatus, Order, OrderEvent, OrderStatus, PaymentStatus,
        event::{
            BundlePart, BundleSource, CashCollected, Channel, DeclineCause, ExternalRef, Figures,
            Line, LineFigures, LineQuantity, OrderedBundle, Placed, Proposal, Replacement,
            ReturnCause, ReturnRequested, ReturnedLine, Step, System, Totals,
        },
    },
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

use super::{support::store_id, trade::Life};

pub(super) fn baht(n: i64) -> Money {
    Money::from_units(n * 10_000)
}

pub(super) fn region(store: u32) -> RegionId {
    RegionId::new(format!("R{}", 1 + store % 3)).unwrap()
}

pub(super) fn placed(rng: &mut StdRng, n: u32) -> Placed {
    let store = rng.random_range(1..=8);
    let channel = *Channel::ALL.choose(rng).unwrap();
    // Few distinct amounts, so that equal totals occur.
    let mut lines = vec![line(1, baht(rng.random_range(1..=20) * 25))];
    for number in 2..=rng.random_range(1..=3) {
        lines.push(line(number, baht(25)));
    }
    let total = lines.iter().map(|l| l.net.units()).sum();
    let refs = if channel == Channel::Grab {
        vec![ExternalRef {
            system: System::Grab,
            reference: format!("GF-{n}"),
        }]
    } else {
        Vec::new()
    };
    let mut placed = Placed {
        number: OrderNumber::new(format!("QC-2026-01-{:02}-{n:06}", 1 + n % 5)).unwrap(),
        channel,
        order_type: None,
        refs,
        store_id: store_id(store),
        region: region(store),
        customer_id: rng
            .random_bool(0.7)
            .then(|| CustomerId::new(format!("C{}", rng.random_range(1..=20))).unwrap()),
        t1_membership_id: None,
        t1_number: None,
        contact: None,
        lines,
        bundles: rng.random_ratio(1, 5).then(bundle).into_iter().collect(),
        order_discounts: Vec::new(),
        fees: Vec::new(),
        totals: totals(Money::from_units(total)),
        payment_method: "COD".into(),
        requested_slot: None,
        promised_at: None,
        captured_at: None,
        allow_substitution: true,
        warnings: Vec::new(),
    };
    if !placed.bundles.is_empty() {
        compose(&mut placed.lines);
    }
    placed
}

/// Makes all lines but the first components of [`bundle`]; an only line is its only component.
fn compose(lines: &mut [Line]) {
    let first = usize::from(lines.len() > 1);
    for line in lines.iter_mut().skip(first) {
        line.bundle = Some(BundlePart {
            ref_id: "B1".into(),
            submitted_line: line.line_number,
            per_bundle: line.quantity,
            substitutable: true,
            max_rise: Rate::from_units(2_000),
        });
        line.discount = baht(5);
        line.gross = Money::from_units(line.net.units() + line.discount.units());
    }
}

fn totals(total: Money) -> Totals {
    Totals {
        order_total: total,
        cash_due: total,
        sub_total: total,
        ..Totals::default()
    }
}

fn line(line_number: u16, net: Money) -> Line {
    Line {
        line_number,
        sku: Sku::new("8850999320007").unwrap(),
        name_th: Some("ข้าวกล่อง 🍱".into()),
        name_en: None,
        short_description: None,
        image_url: None,
        uom: None,
        quantity: Quantity::from_units(10_000),
        is_weight_item: false,
        pack: None,
        bundle: None,
        unit_price: net,
        original_unit_price: net,
        discounts: Vec::new(),
        is_gift: false,
        promotion_id: None,
        tax_rate: Rate::from_units(700),
        is_tax_included: true,
        gross: net,
        discount: Money::ZERO,
        net,
        order_discount_share: Money::ZERO,
        tax_contained: Money::ZERO,
        tax_added: Money::ZERO,
    }
}

fn bundle() -> OrderedBundle {
    OrderedBundle {
        ref_id: "B1".into(),
        bundle_id: BundleId::new("BREAKFAST-1").unwrap(),
        version: 1,
        source: BundleSource::Expanded,
        kind: BundleKind::BreakfastCombo,
        name_th: None,
        name_en: Some("Breakfast".into()),
        quantity: 1,
        price: baht(89),
        individual_price: baht(109),
        savings: baht(20),
        returns: ReturnPolicy::Whole,
        components: 1,
    }
}

/// The next events of an order: mostly straight on, now and then another way.
pub(super) fn next(rng: &mut StdRng, life: &Life) -> Vec<OrderEvent> {
    use OrderStatus as S;
    let order = &life.order;
    match order.status {
        S::Allocated if order.payment.is_none() => vec![OrderEvent::Paid {
            method: "COD".into(),
            amount: order.totals.cash_due,
            rounding: Money::ZERO,
        }],
        S::Allocated if rng.random_ratio(1, 5) => change(rng, order)
            .map(|(lines, figures)| OrderEvent::LinesChanged {
                reason: "the customer called".into(),
                lines,
                figures,
            })
            .into_iter()
            .collect(),
        S::Released if rng.random_ratio(1, 6) => vec![OrderEvent::Stuck {
            status: S::Released,
            since: life.delivered_at - TimeDelta::minutes(40),
        }],
        S::InProcess | S::Picked if rng.random_ratio(1, 4) => picking(rng, life),
        S::OutForDelivery if rng.random_ratio(1, 4) => vec![OrderEvent::DeliveryFailed {
            attempt: 1,
            attempt_id: None,
            reason: "nobody at home".into(),
            step: None,
            occurred_at: Some(life.delivered_at - TimeDelta::minutes(20)),
        }],
        S::Delivered | S::PendingReturn | S::Returned => delivered(rng, life),
        _ => moves(rng, life),
    }
}

fn moves(rng: &mut StdRng, life: &Life) -> Vec<OrderEvent> {
    let from = life.status();
    let targets: Vec<OrderStatus> = OrderStatus::ALL
        .iter()
        .copied()
        .filter(|to| *to != OrderStatus::PendingReturn && *to != OrderStatus::Returned)
        .filter(|to| from.path_to(*to).is_some())
        .filter(|to| *to != OrderStatus::Cancelled || rng.random_ratio(1, 5))
        .collect();
    let to = targets.choose(rng);
    to.map(|to| step(life, from, *to)).into_iter().collect()
}

fn step(life: &Life, from: OrderStatus, to: OrderStatus) -> OrderEvent {
    let skipped = from.path_to(to).unwrap_or_default().to_vec();
    let step = Step {
        from,
        to,
        skipped,
        occurred_at: (to == OrderStatus::Delivered).then_some(life.delivered_at),
        recorded_at: None,
    };
    match to.code() {
        1500 => OrderEvent::BackOrdered {
            reason: "out of stock".into(),
            code: None,
        },
        2000 => OrderEvent::Allocated { from },
        3000 => OrderEvent::Released { at: None },
        3500..=3700 => OrderEvent::PickingRecorded { step },
        7000..=7100 => OrderEvent::ShipmentRecorded {
            step,
            tracking_id: Some("TH0001".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
        },
        7200..=7500 => OrderEvent::DeliveryRecorded { step },
        _ => OrderEvent::Cancelled {
            from,
            reason: "customer changed their mind".into(),
            payment_status: PaymentStatus::NotApplicable,
        },
    }
}

/// One open line less; never the last one.
fn change(rng: &mut StdRng, order: &Order) -> Option<(Vec<LineQuantity>, Figures)> {
    let open: Vec<u16> = order
        .lines
        .iter()
        .filter(|l| l.is_open())
        .map(|l| l.line.line_number)
        .collect();
    let gone = *open.choose(rng).filter(|_| open.len() > 1)?;
    let lines = order.lines.iter().map(|l| {
        let left = l.is_open() && l.line.line_number != gone;
        LineFigures {
            line_number: l.line.line_number,
            quantity: if left {
                l.line.quantity
            } else {
                Quantity::ZERO
            },
            status: if left {
                l.status
            } else {
                OrderStatus::Cancelled
            },
            discounts: l.line.discounts.clone(),
            gross: l.line.gross,
            discount: l.line.discount,
            net: if left { l.line.net } else { Money::ZERO },
            order_discount_share: Money::ZERO,
            tax_contained: Money::ZERO,
            tax_added: Money::ZERO,
        }
    });
    let lines: Vec<LineFigures> = lines.collect();
    let total = lines.iter().map(|l| l.net.units()).sum();
    let change = LineQuantity {
        line_number: gone,
        quantity: Quantity::ZERO,
    };
    let figures = Figures {
        lines,
        order_discounts: Vec::new(),
        fees: Vec::new(),
        totals: totals(Money::from_units(total)),
    };
    Some((vec![change], figures))
}

fn picking(rng: &mut StdRng, life: &Life) -> Vec<OrderEvent> {
    let proposal = Proposal {
        proposal_id: format!("P-{}", life.version),
        line_number: 1,
        replacement: Replacement {
            sku: Sku::new("8850999320014").unwrap(),
            name_th: None,
            name_en: Some("The other one".into()),
            unit_price: baht(30),
            quantity: Quantity::from_units(10_000),
        },
        approve_by: life.delivered_at,
        via_merchant_app: false,
        reason: None,
    };
    let short = change(rng, &life.order).map(|(lines, figures)| OrderEvent::Shorted {
        reason: "none left".into(),
        report_id: Some(format!("S-{}", life.version)),
        lines,
        cancelled_bundles: Vec::new(),
        figures,
        occurred_at: Some(life.delivered_at - TimeDelta::minutes(30)),
    });
    match (rng.random_range(0..3), short) {
        (0, Some(short)) => vec![short],
        (1, Some(OrderEvent::Shorted { figures, .. })) => vec![
            OrderEvent::SubstitutionProposed {
                proposal: proposal.clone(),
            },
            OrderEvent::SubstitutionApproved { proposal, figures },
        ],
        _ => vec![
            OrderEvent::SubstitutionProposed {
                proposal: proposal.clone(),
            },
            OrderEvent::SubstitutionDeclined {
                proposal_id: proposal.proposal_id,
                line_number: 1,
                cause: DeclineCause::Timeout,
            },
        ],
    }
}

/// The cash of a delivered order, and the goods that come back.
fn delivered(rng: &mut StdRng, life: &Life) -> Vec<OrderEvent> {
    let order = &life.order;
    let after = |minutes| life.delivered_at + TimeDelta::minutes(minutes);
    match order.collection.status {
        CollectionStatus::Pending | CollectionStatus::InTransit | CollectionStatus::Failed => {
            match rng.random_range(0..6) {
                0 => vec![OrderEvent::CollectionFailed {
                    reason: "no cash in the house".into(),
                    is_final: false,
                    occurred_at: Some(after(5)),
                }],
                1 => vec![OrderEvent::CollectionOverdue {
                    delivered_at: life.delivered_at,
                }],
                _ => vec![collect(rng, life)],
            }
        }
        _ if order.refund_promised() > order.refunded => vec![OrderEvent::Refunded {
            amount: Money::from_units(order.refund_promised().units() - order.refunded.units()),
            remaining: Money::ZERO,
            reference: Some("R-1".into()),
        }],
        _ if order.status == OrderStatus::PendingReturn => {
            vec![OrderEvent::ReturnReceived { at: after(3_000) }]
        }
        CollectionStatus::Collected if rng.random_ratio(1, 6) => {
            let to = Money::from_units(order.collection.amount.units() - 10_000);
            vec![OrderEvent::CollectionCorrected {
                from: order.collection.amount,
                to,
                discrepancy: Money::from_units(to.units() - order.totals.cash_due.units()),
                reason: "counted again".into(),
            }]
        }
        _ if order.status == OrderStatus::Delivered && rng.random_ratio(1, 3) => {
            give_back(rng, life).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn collect(rng: &mut StdRng, life: &Life) -> OrderEvent {
    let due = life.order.totals.cash_due;
    // Half a baht or five too little, one too much, mostly right.
    let off = *[0, 0, 0, 0, -5_000, -50_000, 10_000].choose(rng).unwrap();
    // Some before the delivery was heard of, some more than a day after it.
    let minutes = rng.random_range(-10..2_000);
    OrderEvent::CashCollected(Box::new(CashCollected {
        amount: Money::from_units(due.units() + off),
        due,
        discrepancy: Money::from_units(off),
        discrepancy_reason: (off != 0).then(|| "no change".into()),
        partner_id: PartnerId::new(*["GRAB", "PMP"].choose(rng).unwrap()).unwrap(),
        rider_id: Some(format!("R-{}", rng.random_range(1..=4))),
        collected_at: life.delivered_at + TimeDelta::minutes(minutes),
        proof: None,
    }))
}

fn give_back(rng: &mut StdRng, life: &Life) -> Option<OrderEvent> {
    let lines = life.order.lines.iter();
    let all: Vec<_> = lines
        .filter(|l| l.is_open() && l.returned.is_zero())
        .collect();
    let some = rng.random_range(1..=all.len().max(1));
    let back: Vec<ReturnedLine> = all
        .iter()
        .take(some)
        .map(|l| ReturnedLine {
            line_number: l.line.line_number,
            quantity: l.line.quantity,
            value: l.line.net,
        })
        .collect();
    let value: i64 = back.iter().map(|l| l.value.units()).sum();
    (!back.is_empty()).then(|| {
        OrderEvent::ReturnRequested(Box::new(ReturnRequested {
            cause: ReturnCause::Customer,
            reason: "broken".into(),
            lines: back,
            fees: Money::ZERO,
            refund: Money::from_units(value.min(life.order.collection.amount.units())),
            waived: Money::ZERO,
            at: life.delivered_at + TimeDelta::minutes(2_500),
        }))
    })
}
