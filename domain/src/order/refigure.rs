//! The one way in which an order's figures come about anew once quantities or products changed.
//!
//! - A line of quantity q' instead of q has `gross = round4(original price x q')`, and its discounts
//!   that count shrink or grow in proportion: `round4(discount x q' / q)`, at most the gross. They
//!   are shared out over the line's list of discounts; informational ones stay as they are.
//! - A line of nothing is cancelled and all its figures are zero.
//! - A product that takes another one's place is sold at its own price. The discount that made up
//!   the gap between the old product's original price and its price goes with the old product; what
//!   the customer was given beyond it, such as a bundle's discount, stays, in proportion.
//! - Order discounts stay, as far as the lines that are left can bear them: what is too much is
//!   taken off the last ones first. They are shared over the lines anew.
//! - Fees stay as they are, until every line is cancelled: then there are none.

use super::{
    after::LineState,
    event::{Adjustment, Figures, LineFigures, LineQuantity, Proposal},
    state::Order,
    status::OrderStatus,
};
use crate::{
    money::{Money, Quantity},
    pricing::{self, Charge, Item, ItemSums, Tax},
};

/// An order's new figures.
#[derive(Debug)]
pub(super) struct Refigured {
    /// What an event keeps of them.
    pub(super) figures: Figures,
    /// Sum of the original prices.
    pub(super) gross: Money,
}

impl Refigured {
    /// Whether nothing is left of the order.
    pub(super) fn is_empty(&self) -> bool {
        let mut lines = self.figures.lines.iter();
        lines.all(|l| l.status == OrderStatus::Cancelled)
    }
}

/// The figures with these lines' quantities; the other lines keep theirs. `None` beyond
/// DECIMAL(18,4).
pub(super) fn with_quantities(order: &Order, wanted: &[LineQuantity]) -> Option<Refigured> {
    let terms = order.lines.iter().map(|state| {
        let number = state.line.line_number;
        match wanted.iter().find(|w| w.line_number == number) {
            Some(wanted) => Terms::of_quantity(state, wanted.quantity),
            None => Some(Terms::unchanged(state)),
        }
    });
    refigure(order, terms.collect::<Option<Vec<Terms>>>()?)
}

/// The figures with the offered product in its line's place, and no more of it than is left of the
/// line. `None` beyond DECIMAL(18,4).
pub(super) fn with_substitute(order: &Order, proposal: &Proposal) -> Option<Refigured> {
    let terms = order.lines.iter().map(|state| {
        if state.line.line_number == proposal.line_number {
            Terms::of_substitute(state, proposal)
        } else {
            Some(Terms::unchanged(state))
        }
    });
    refigure(order, terms.collect::<Option<Vec<Terms>>>()?)
}

/// What a line's figures come from.
struct Terms<'a> {
    state: &'a LineState,
    price: Money,
    quantity: Quantity,
    discount: Money,
    discounts: Vec<Adjustment>,
}

impl<'a> Terms<'a> {
    fn unchanged(state: &'a LineState) -> Self {
        let line = &state.line;
        Self {
            state,
            price: line.original_unit_price,
            quantity: line.quantity,
            discount: line.discount,
            discounts: line.discounts.clone(),
        }
    }

    fn of_quantity(state: &'a LineState, quantity: Quantity) -> Option<Self> {
        let line = &state.line;
        if quantity == line.quantity {
            return Some(Self::unchanged(state));
        }
        Self::new(state, line.original_unit_price, quantity, line.discount)
    }

    fn of_substitute(state: &'a LineState, proposal: &Proposal) -> Option<Self> {
        let (line, new) = (&state.line, &proposal.replacement);
        let price = pricing::extend(line.unit_price, line.quantity)?;
        let gap = line.gross.checked_sub(price)?;
        let kept = line.discount.checked_sub(gap)?.max(Money::ZERO);
        let quantity = new.quantity.min(line.quantity);
        Self::new(state, new.unit_price, quantity, kept)
    }

    /// `discount` is what counts for the line's quantity until now.
    fn new(
        state: &'a LineState,
        price: Money,
        quantity: Quantity,
        discount: Money,
    ) -> Option<Self> {
        let line = &state.line;
        // A line of nothing stays one: there is no proportion to it.
        let whole = line.quantity;
        let (quantity, discount) = if whole.is_positive() {
            let discount = pricing::proportion(discount, quantity, whole)?;
            (quantity, discount.min(pricing::extend(price, quantity)?))
        } else {
            (Quantity::ZERO, Money::ZERO)
        };
        Some(Self {
            state,
            price,
            quantity,
            discount,
            discounts: share_out(&line.discounts, discount, quantity, whole)?,
        })
    }

    fn item(&self) -> Item {
        Item {
            original_unit_price: self.price,
            quantity: self.quantity,
            discount: self.discount,
            tax_rate: self.state.line.tax_rate,
            is_tax_included: self.state.line.is_tax_included,
        }
    }

    fn figures(self, sums: &ItemSums) -> LineFigures {
        let status = if self.quantity.is_positive() {
            self.state.status
        } else {
            OrderStatus::Cancelled
        };
        LineFigures {
            line_number: self.state.line.line_number,
            quantity: self.quantity,
            status,
            gross: sums.gross,
            discount: self.discount,
            discounts: self.discounts,
            net: sums.net,
            order_discount_share: sums.order_discount_share,
            tax_contained: sums.tax.contained,
            tax_added: sums.tax.added,
        }
    }
}

/// The list of discounts, those that count adding up to `total` in proportion to what they were.
fn share_out(
    discounts: &[Adjustment],
    total: Money,
    part: Quantity,
    whole: Quantity,
) -> Option<Vec<Adjustment>> {
    let counted = || discounts.iter().filter(|d| !d.informational);
    // Rounded up, so that together they can always bear the total.
    let values = counted().map(|d| proportion_up(d.amount, part, whole));
    let mut shares = pricing::share(total, &values.collect::<Option<Vec<Money>>>()?)?.into_iter();
    let shared = discounts.iter().map(|d| {
        let mut discount = d.clone();
        if !d.informational {
            discount.amount = shares.next().unwrap_or_default();
        }
        discount
    });
    Some(shared.collect())
}

/// As [`pricing::proportion`], rounded up.
fn proportion_up(amount: Money, part: Quantity, whole: Quantity) -> Option<Money> {
    if !whole.is_positive() {
        return Some(Money::ZERO);
    }
    let product = i128::from(amount.units()) * i128::from(part.units());
    let whole = i128::from(whole.units());
    let up = product.div_euclid(whole) + i128::from(product.rem_euclid(whole) != 0);
    i64::try_from(up).ok().map(Money::from_units)
}

fn refigure(order: &Order, terms: Vec<Terms<'_>>) -> Option<Refigured> {
    let items: Vec<Item> = terms.iter().map(Terms::item).collect();
    let fees = if terms.iter().any(|t| t.quantity.is_positive()) {
        order.fees.clone()
    } else {
        Vec::new()
    };
    let (order_discounts, order_discount) = capped(&order.order_discounts, net(&items)?)?;
    let charges = fees.iter().map(|fee| Charge {
        amount: fee.amount,
        tax: Tax {
            contained: fee.tax_contained,
            added: fee.tax_added,
        },
        informational: fee.informational,
    });
    let sums = pricing::price_again(&items, order_discount, charges.collect()).ok()?;
    let lines = terms.into_iter().zip(&sums.items);
    Some(Refigured {
        figures: Figures {
            lines: lines.map(|(terms, sums)| terms.figures(sums)).collect(),
            order_discounts,
            fees,
            totals: sums.totals,
        },
        gross: sums.gross,
    })
}

fn net(items: &[Item]) -> Option<Money> {
    let net = items.iter().map(|item| {
        pricing::extend(item.original_unit_price, item.quantity)?.checked_sub(item.discount)
    });
    pricing::add(net.collect::<Option<Vec<Money>>>()?)
}

/// The discounts cut so that those that count come to no more than `bearable`, and their sum.
fn capped(discounts: &[Adjustment], bearable: Money) -> Option<(Vec<Adjustment>, Money)> {
    let mut left = bearable;
    let mut capped = discounts.to_vec();
    for discount in capped.iter_mut().filter(|d| !d.informational) {
        discount.amount = discount.amount.min(left);
        left = left.checked_sub(discount.amount)?;
    }
    Some((capped, bearable.checked_sub(left)?))
}
