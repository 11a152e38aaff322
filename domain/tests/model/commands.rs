//! What people and partners ask of an order: mostly what comes next, sometimes anything at all.

use chrono::TimeDelta;
use domain::{
    money::{Money, Quantity, SCALE},
    order::{
        Answer, CollectionStatus, LineState, OrderCommand as C, OrderStatus as S, PaymentStatus,
        command::{
            Cancel, ChangeLines, CollectCash, CorrectCollection, DecideSubstitution,
            FailCollection, LineQuantityInput, Pay, Proof, ProposalRef, ProposeSubstitution,
            RecordDelivery, RecordFailedDelivery, RecordPicking, RecordShipment, Refund,
            ReportShort, RequestReturn,
        },
        facts::Facts,
    },
};

use crate::{basket::Mix, life::Life, rng::Rng, world::pieces};

/// The next thing that is asked of the order; `None` when nothing is left to happen.
pub fn next(rng: &mut Rng, life: &Life<'_>, mix: Mix) -> Option<C> {
    let stray = match mix {
        Mix::Usual => 30,
        Mix::Dense => 300,
    };
    if rng.permille(stray) {
        return Some(anything(rng, life));
    }
    forward(rng, life, mix)
}

/// The world may look another way for once.
pub fn facts(rng: &mut Rng, life: &Life<'_>) -> Facts {
    let mut facts = life.world.facts(life.now);
    facts.placed_at = Some(crate::world::noon());
    match rng.below(200) {
        0 => facts.store = None,
        1 => facts.store.iter_mut().for_each(|s| s.active = false),
        2 => facts.store.iter_mut().for_each(|s| s.cod_limit = None),
        3 => facts.sealed = None,
        _ => {}
    }
    facts
}

/// How often something happens: usually, and in the dense mix.
const fn often(mix: Mix, usual: i64, dense: i64) -> i64 {
    match mix {
        Mix::Usual => usual,
        Mix::Dense => dense,
    }
}

fn forward(rng: &mut Rng, life: &Life<'_>, mix: Mix) -> Option<C> {
    let order = &life.order;
    if order.status <= S::Released && rng.permille(often(mix, 2, 15)) {
        return Some(cancel());
    }
    Some(match order.status {
        S::Open | S::BackOrdered => {
            if rng.permille(often(mix, 10, 100)) {
                change(rng, life)
            } else {
                C::Allocate
            }
        }
        S::Allocated if rng.permille(often(mix, 10, 150)) => change(rng, life),
        S::Allocated if order.payment_status != PaymentStatus::Paid => pay(life),
        S::Allocated => C::Release,
        S::Released if rng.permille(20) => C::FlagStuck,
        S::Released | S::InProcess | S::Picked | S::Packed => picking(rng, life, mix),
        S::Fulfilled | S::Shipped | S::InTransit | S::OutForDelivery => delivery(rng, life, mix),
        S::Delivered | S::PendingReturn | S::Returned => return after(rng, life, mix),
        S::Cancelled => return None,
    })
}

fn picking(rng: &mut Rng, life: &Life<'_>, mix: Mix) -> C {
    let open = life.order.offers.iter().find(|o| o.answer == Answer::Open);
    if let Some(offer) = open
        && rng.permille(600)
    {
        let proposal_id = offer.proposal.proposal_id.clone();
        return if life.now >= offer.proposal.approve_by {
            C::ExpireSubstitution(ProposalRef { proposal_id })
        } else {
            C::DecideSubstitution(DecideSubstitution {
                proposal_id,
                approve: rng.permille(700),
            })
        };
    }
    if rng.permille(often(mix, 15, 200)) {
        return propose(rng, life);
    }
    if rng.permille(often(mix, 10, 150)) {
        return short(rng, life);
    }
    match life.order.status {
        S::Released | S::InProcess | S::Picked => {
            let ahead = [S::InProcess, S::Picked, S::Packed].map(|to| (to, to > life.order.status));
            let ahead: Vec<S> = ahead.into_iter().filter(|a| a.1).map(|a| a.0).collect();
            let to = if rng.permille(850) {
                ahead[0]
            } else {
                *rng.pick(&ahead)
            };
            C::RecordPicking(RecordPicking {
                status: to,
                occurred_at: None,
            })
        }
        _ => shipment(S::Fulfilled),
    }
}

fn delivery(rng: &mut Rng, life: &Life<'_>, mix: Mix) -> C {
    let out = [S::Shipped, S::InTransit, S::OutForDelivery, S::Delivered];
    let ahead: Vec<S> = out.into_iter().filter(|s| *s > life.order.status).collect();
    let to = if rng.permille(850) {
        ahead[0]
    } else {
        *rng.pick(&ahead)
    };
    if to == S::Delivered && rng.permille(often(mix, 50, 250)) {
        return failed(rng, life);
    }
    let collects = rng.permille(often(mix, 5, 50));
    if collects && life.order.collection.status == CollectionStatus::InTransit {
        return collect(rng, life);
    }
    if to == S::Shipped {
        return shipment(to);
    }
    C::RecordDelivery(RecordDelivery {
        status: to,
        tracking_id: None,
        occurred_at: rng.permille(500).then_some(life.now),
    })
}

/// What is left to do once the goods have arrived, or are on their way back.
fn after(rng: &mut Rng, life: &Life<'_>, mix: Mix) -> Option<C> {
    let order = &life.order;
    if order.returns.iter().any(|r| r.received_at.is_none()) && rng.permille(700) {
        return Some(C::ReceiveReturn);
    }
    let owed = order.refund_promised().units() - order.refunded.units();
    if owed > 0 && rng.permille(700) {
        return Some(refund(rng, owed));
    }
    let is_unknown = matches!(
        order.collection.status,
        CollectionStatus::Pending | CollectionStatus::InTransit | CollectionStatus::Failed
    );
    let is_due = order.cod_due().is_positive();
    if order.status == S::Delivered && rng.permille(often(mix, 5, 150)) {
        return Some(bring_back(rng, life));
    }
    if is_unknown && (is_due || rng.permille(100)) {
        return Some(match rng.below(20) {
            0 => C::FlagOverdueCollection,
            1 => fail(),
            _ => collect(rng, life),
        });
    }
    let is_corrected = rng.permille(often(mix, 3, 60));
    if order.collection.status == CollectionStatus::Collected && is_corrected {
        return Some(correct(rng, life));
    }
    None
}

/// Any command with any contents: most of them make no sense.
fn anything(rng: &mut Rng, life: &Life<'_>) -> C {
    let status = *rng.pick(S::ALL);
    match rng.below(23) {
        0 => cancel(),
        1 => C::Allocate,
        2 => C::Pay(Pay {
            method: rng.pick(&["COD", "CARD"]).to_string(),
            amount: Money::from_units(rng.between(-100, 5_000_000)),
        }),
        3 => C::Release,
        4 => C::RecordPicking(RecordPicking {
            status,
            occurred_at: None,
        }),
        5 => shipment(status),
        6 => C::RecordDelivery(RecordDelivery {
            status,
            tracking_id: rng.permille(300).then(|| "TH-9".into()),
            occurred_at: None,
        }),
        7 => change(rng, life),
        8 => short(rng, life),
        9 => propose(rng, life),
        10 | 11 => {
            let proposal_id = format!("P{}", rng.between(0, 6));
            if rng.permille(500) {
                C::ExpireSubstitution(ProposalRef { proposal_id })
            } else {
                C::DecideSubstitution(DecideSubstitution {
                    proposal_id,
                    approve: rng.permille(500),
                })
            }
        }
        12 => failed(rng, life),
        13 => collect(rng, life),
        14 => fail(),
        15 => correct(rng, life),
        16 => bring_back(rng, life),
        17 => C::ReceiveReturn,
        18 => refund(rng, 50_000_000),
        19 => C::FlagStuck,
        20 => C::FlagOverdueCollection,
        21 => C::Cancel(Cancel { reason: " ".into() }),
        _ => C::ReportShort(ReportShort {
            lines: Vec::new(),
            reason: "nothing".into(),
            report_id: None,
            occurred_at: None,
        }),
    }
}

fn cancel() -> C {
    C::Cancel(Cancel {
        reason: "changed my mind".into(),
    })
}

fn pay(life: &Life<'_>) -> C {
    C::Pay(Pay {
        method: "COD".into(),
        amount: life.order.totals.cash_due,
    })
}

/// A quantity for a line: less, nothing, more, or one that cannot be.
fn quantity(rng: &mut Rng, state: &LineState, most: i64) -> Quantity {
    let units = state.line.quantity.units();
    let wanted = match rng.weighted(&[60, 25, 10, 5]) {
        0 if state.line.is_weight_item => rng.between(1, (units * most).max(1)),
        0 => rng.between(0, (units * most / SCALE).max(1)) * SCALE,
        1 => 0,
        2 => units,
        _ => rng.between(-SCALE, 20 * SCALE),
    };
    Quantity::from_units(wanted)
}

/// Some of the order's lines, with components of one bundle together now and then.
fn some_lines(rng: &mut Rng, life: &Life<'_>, most: i64) -> Vec<LineQuantityInput> {
    let lines = &life.order.lines;
    let mut chosen = Vec::new();
    if !life.order.bundles.is_empty() && rng.permille(200) {
        let ref_id = &rng.pick(&life.order.bundles).ref_id;
        chosen.extend(
            life.order
                .bundle_lines(ref_id)
                .map(|state| LineQuantityInput {
                    line_number: state.line.line_number.into(),
                    quantity: Quantity::ZERO,
                }),
        );
        return chosen;
    }
    for _ in 0..rng.between(1, 3) {
        let state = rng.pick(lines);
        let line_number = i32::from(state.line.line_number);
        if chosen
            .iter()
            .all(|c: &LineQuantityInput| c.line_number != line_number)
        {
            chosen.push(LineQuantityInput {
                line_number,
                quantity: quantity(rng, state, most),
            });
        }
    }
    if rng.permille(20) {
        chosen.push(LineQuantityInput {
            line_number: 9_999,
            quantity: pieces(1),
        });
    }
    chosen
}

fn change(rng: &mut Rng, life: &Life<'_>) -> C {
    C::ChangeLines(ChangeLines {
        lines: some_lines(rng, life, 3),
        reason: "wants something else".into(),
    })
}

fn short(rng: &mut Rng, life: &Life<'_>) -> C {
    C::ReportShort(ReportShort {
        lines: some_lines(rng, life, 1),
        reason: "sold out".into(),
        report_id: rng.permille(500).then(|| format!("S{}", rng.between(0, 9))),
        occurred_at: None,
    })
}

fn propose(rng: &mut Rng, life: &Life<'_>) -> C {
    let state = rng.pick(&life.order.lines);
    let product = rng.pick(&life.world.products);
    let price = state.line.unit_price.units();
    C::ProposeSubstitution(ProposeSubstitution {
        proposal_id: format!("P{}", rng.between(0, 6)),
        line_number: state.line.line_number.into(),
        sku: product.sku.clone(),
        name_th: None,
        name_en: None,
        unit_price: Money::from_units(price / 100 * rng.between(50, 125)),
        quantity: rng.permille(300).then(|| quantity(rng, state, 1)),
        via_merchant_app: rng.permille(50),
        reason: None,
    })
}

fn shipment(status: S) -> C {
    C::RecordShipment(RecordShipment {
        status,
        tracking_id: Some("TH-1".into()),
        carrier: Some("GRAB".into()),
        shipment_id: None,
        occurred_at: None,
    })
}

fn failed(rng: &mut Rng, life: &Life<'_>) -> C {
    C::RecordFailedDelivery(RecordFailedDelivery {
        attempt_id: rng.permille(500).then(|| format!("A{}", rng.between(0, 6))),
        reason: "nobody at home".into(),
        tracking_id: None,
        occurred_at: rng.permille(300).then_some(life.now),
    })
}

fn collect(rng: &mut Rng, life: &Life<'_>) -> C {
    C::CollectCash(CollectCash {
        amount: life.some_cash(rng),
        partner_id: "GRAB".into(),
        rider_id: Some(format!("R-{}", rng.between(1, 3))),
        tracking_id: None,
        collected_at: rng.permille(300).then(|| life.now - TimeDelta::minutes(1)),
        proof: Some(Proof {
            photo: Some("photos/1".into()),
            ..Proof::default()
        }),
        discrepancy_reason: rng.permille(200).then(|| "no change".into()),
    })
}

fn fail() -> C {
    C::FailCollection(FailCollection {
        reason: "no cash in the house".into(),
        occurred_at: None,
    })
}

pub fn correct(rng: &mut Rng, life: &Life<'_>) -> C {
    C::CorrectCollection(CorrectCollection {
        amount: life.some_cash(rng),
        reason: "counted again".into(),
    })
}

fn refund(rng: &mut Rng, owed: i64) -> C {
    let satang = if rng.permille(700) {
        owed / 100
    } else {
        rng.between(0, owed / 100 + 1)
    };
    C::Refund(Refund {
        amount: Money::from_units(satang * 100),
        reference: None,
    })
}

fn bring_back(rng: &mut Rng, life: &Life<'_>) -> C {
    let is_all = rng.permille(350);
    C::RequestReturn(RequestReturn {
        lines: if is_all {
            Vec::new()
        } else {
            some_lines(rng, life, 1)
        },
        refund_fees: rng.permille(if is_all { 500 } else { 50 }),
        reason: "not what they wanted".into(),
    })
}
