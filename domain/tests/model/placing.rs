//! A new order: the domain's against the naive one's.

use domain::{
    money::Money,
    order::{
        Order, OrderCommand, OrderEvent,
        command::PlaceOrder,
        decide,
        event::{Line, Placed},
        facts::Facts,
    },
    refusal::Refusal,
};
use rust_decimal::Decimal;

use crate::{
    basket::{self, Mix},
    naive::{money, number, place, sums::RowSums},
    rng::Rng,
    tally::Tally,
    world::{World, actor, baht, noon},
};

/// Places an order, valid or not; `None` for one that was rightly refused.
pub fn place(
    rng: &mut Rng,
    world: &World,
    mix: Mix,
    tally: &mut Tally,
) -> Result<Option<(Placed, place::Placed)>, String> {
    let mut command = basket::order(rng, world, mix);
    let facts = world.facts(noon());
    if rng.permille(20) {
        let code = basket::spoil(rng, &mut command);
        return match decided(&command, &facts) {
            Ok(_) => Err(format!("placed against {code}: {command:#?}")),
            Err(refusal) if refusal.problems.iter().any(|p| p.code.as_str() == code) => Ok(None),
            Err(refusal) => Err(format!("not for {code}: {refusal}: {command:#?}")),
        };
    }
    let naive = place::place(&command, &world.offers, &world.store, facts.now);
    if rng.permille(100) {
        let total = naive.sums.c_order_total + Decimal::new(rng.between(-105, 105), 4);
        command.expected_total = Some(as_money(total));
    }
    let limit = money(baht(500_000));
    let reasons = place::refused(&command, &naive, limit);
    let placed = match decided(&command, &facts) {
        Ok(placed) => placed,
        Err(refusal) => {
            let mut codes: Vec<_> = refusal.problems.iter().map(|p| p.code.as_str()).collect();
            codes.dedup();
            return if codes == reasons {
                codes.into_iter().for_each(|code| tally.count(code));
                Ok(None)
            } else {
                Err(format!("{refusal}, not {reasons:?}: {command:#?}"))
            };
        }
    };
    if !reasons.is_empty() {
        return Err(format!("placed against {reasons:?}: {command:#?}"));
    }
    compare(&placed, &naive).map_err(|e| format!("{e}: {command:#?}\n{placed:#?}\n{naive:#?}"))?;
    Ok(Some((placed, naive)))
}

pub fn as_money(amount: Decimal) -> Money {
    let units = amount * Decimal::from(10_000);
    Money::from_units(i64::try_from(units).unwrap())
}

fn decided(command: &PlaceOrder, facts: &Facts) -> Result<Placed, Refusal> {
    let command = OrderCommand::Place(Box::new(command.clone()));
    let actor = actor(domain::actor::Role::Ops);
    let mut events = decide(&Order::default(), &command, &actor, facts)?;
    match (events.pop(), events.is_empty()) {
        (Some(OrderEvent::Placed(placed)), true) => Ok(*placed),
        other => panic!("placed as {other:?}"),
    }
}

/// One by one, so that a difference has a name.
pub fn same(what: &str, ours: Money, naive: Decimal) -> Result<(), String> {
    if money(ours) == naive {
        Ok(())
    } else {
        Err(format!("{what} is {ours}, by the formulas {naive}"))
    }
}

/// A line's figures, in any state of an order.
pub fn line_agrees(ours: &Line, theirs: &place::Line, sums: &RowSums) -> Result<(), String> {
    let is_same = i32::from(ours.line_number) == theirs.number
        && ours.sku.as_str() == theirs.sku
        && number(ours.quantity) == theirs.quantity;
    let figures = || {
        same("price", ours.original_unit_price, theirs.price)?;
        same("gross", ours.gross, theirs.gross())?;
        same("discount", ours.discount, theirs.discount)?;
        same("net", ours.net, sums.net)?;
        same("share", ours.order_discount_share, sums.share)?;
        same("VAT inside", ours.tax_contained, sums.inside)?;
        same("VAT on top", ours.tax_added, sums.on_top)
    };
    if is_same {
        figures().map_err(|e| format!("line {}: {e}", theirs.number))
    } else {
        Err(format!("{ours:?} is not {theirs:?}"))
    }
}

fn compare(placed: &Placed, naive: &place::Placed) -> Result<(), String> {
    let ours = placed.lines.len();
    if ours != naive.lines.len() {
        return Err(format!(
            "{ours} lines, by the formulas {}",
            naive.lines.len()
        ));
    }
    let mut refs: Vec<Option<&str>> = Vec::new();
    for ((line, theirs), sums) in placed.lines.iter().zip(&naive.lines).zip(&naive.sums.rows) {
        line_agrees(line, theirs, sums)?;
        // Lines of one bundle there are lines of one bundle here.
        let ref_id = line.bundle.as_ref().map(|b| b.ref_id.as_str());
        let Some(place) = theirs.bundle else {
            if ref_id.is_some() {
                return Err(format!("line {} is in a bundle", theirs.number));
            }
            continue;
        };
        refs.resize(refs.len().max(place + 1), None);
        if ref_id.is_none() || refs[place].get_or_insert(ref_id.unwrap()) != &ref_id.unwrap() {
            return Err(format!("line {} is in bundle {ref_id:?}", theirs.number));
        }
    }
    bundles(placed, naive, &refs)?;
    for (fee, theirs) in placed.fees.iter().zip(&naive.fees) {
        same("fee", fee.amount, theirs.amount)?;
        same("VAT in fee", fee.tax_contained, theirs.inside())?;
        same("VAT on fee", fee.tax_added, theirs.on_top())?;
    }
    totals(&placed.totals, &naive.sums)
}

fn bundles(placed: &Placed, naive: &place::Placed, refs: &[Option<&str>]) -> Result<(), String> {
    let mut names: Vec<&str> = refs.iter().copied().flatten().collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != refs.len() || placed.bundles.len() != refs.len() {
        return Err(format!("bundles {names:?} of {refs:?}"));
    }
    for bundle in &placed.bundles {
        let place = refs.iter().position(|r| *r == Some(bundle.ref_id.as_str()));
        let lines = naive.lines.iter().filter(|l| l.bundle == place);
        let discounts: Decimal = lines.clone().map(|l| l.discount).sum();
        let apart: Decimal = lines.map(|l| l.gross()).sum();
        let count = Decimal::from(bundle.quantity);
        same("savings", bundle.savings, discounts)?;
        if money(bundle.individual_price) * count != apart
            || money(bundle.price) * count != apart - discounts
        {
            return Err(format!("bundle {} of {apart}: {bundle:?}", bundle.ref_id));
        }
    }
    Ok(())
}

pub fn totals(
    ours: &domain::order::event::Totals,
    naive: &crate::naive::sums::Sums,
) -> Result<(), String> {
    same("A sub-total", ours.sub_total, naive.a_sub_total)?;
    same("B total charge", ours.total_charge, naive.b_total_charge)?;
    same("C order total", ours.order_total, naive.c_order_total)?;
    same(
        "D total discount",
        ours.total_discount,
        naive.d_total_discount,
    )?;
    same("E total taxes", ours.total_taxes, naive.e_total_taxes)?;
    same(
        "F VAT inside",
        ours.informational_taxes,
        naive.f_informational_taxes,
    )?;
    same("fees", ours.fees, naive.fees)?;
    same("cash due", ours.cash_due, naive.cash_due)?;
    same(
        "rounding",
        ours.cash_rounding,
        naive.cash_due - naive.c_order_total,
    )
}
