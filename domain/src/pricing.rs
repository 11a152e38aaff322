//! Cal A to F: the sums of an order, exact to 0.0001 THB and half-even wherever they round.
//!
//! Everything is computed in `i128`: the largest product is of two DECIMAL(18,4), below 10^36.

mod round;
mod share;

use crate::{
    money::{Money, Quantity, Rate},
    order::event::Totals,
};
use round::{SATANG, multiply, narrow, round_to};
pub use share::share;

/// What the sums need to know of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Price before discounts, per unit; per pack on a pack line.
    pub original_unit_price: Money,
    /// Units, kilograms or packs.
    pub quantity: Quantity,
    /// Line discounts that count.
    pub discount: Money,
    /// VAT rate.
    pub tax_rate: Rate,
    /// Whether the price contains its VAT.
    pub is_tax_included: bool,
}

/// What the sums need to know of a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fee {
    /// How much.
    pub amount: Money,
    /// VAT rate.
    pub tax_rate: Rate,
    /// Whether the amount contains its VAT.
    pub is_tax_included: bool,
    /// Shown, never counted.
    pub informational: bool,
}

/// A fee whose VAT is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// How much.
    pub amount: Money,
    /// Its VAT.
    pub tax: Tax,
    /// Shown, never counted.
    pub informational: bool,
}

/// VAT of one amount: one of the two is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tax {
    /// VAT inside the amount.
    pub contained: Money,
    /// VAT on top of the amount.
    pub added: Money,
}

/// The sums of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemSums {
    /// Original price times quantity.
    pub gross: Money,
    /// `gross` less the line's discounts.
    pub net: Money,
    /// The line's share of the order discounts.
    pub order_discount_share: Money,
    /// VAT of `net - order_discount_share`.
    pub tax: Tax,
}

/// The sums of an order and of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Per line, in the lines' order.
    pub items: Vec<ItemSums>,
    /// The fees with their VAT, in their order; an informational fee shows its VAT too.
    pub fees: Vec<Charge>,
    /// Sum of the lines' gross.
    pub gross: Money,
    /// Cal A to F.
    pub totals: Totals,
}

/// Why an order has no sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// A figure beyond DECIMAL(18,4), or a negative one where none may be.
    #[error("the amounts do not add up within 14 digits before the point")]
    OutOfRange,
    /// A line's discounts exceed its price.
    #[error("the discounts of a line exceed its price")]
    LineDiscount {
        /// Which line, from 0.
        index: usize,
    },
    /// The order discounts exceed the lines.
    #[error("the order discounts exceed the lines")]
    OrderDiscount,
}

/// VAT of an amount: inside it, `g - round4(g / (1 + rate))`, or on top, `round4(g x rate)`.
/// `None` for a rate of -100% or less, or figures out of range.
pub fn tax(amount: Money, rate: Rate, is_included: bool) -> Option<Tax> {
    if is_included {
        let net = round::divide_by_rate(amount, rate)?;
        let contained = amount.checked_sub(net)?;
        Some(Tax {
            contained,
            added: Money::ZERO,
        })
    } else {
        let added = multiply(amount.units(), rate.units())?;
        Some(Tax {
            contained: Money::ZERO,
            added,
        })
    }
}

/// Price times quantity, rounded half-even to 0.0001. `None` beyond DECIMAL(18,4).
pub fn extend(price: Money, quantity: Quantity) -> Option<Money> {
    multiply(price.units(), quantity.units())
}

/// The part of an amount that `part` of `whole` bears, rounded half-even to 0.0001. `None` unless
/// `whole` is above zero, and beyond DECIMAL(18,4).
pub fn proportion(amount: Money, part: Quantity, whole: Quantity) -> Option<Money> {
    let product = i128::from(amount.units()) * i128::from(part.units());
    narrow(round::divide(product, i128::from(whole.units()))?)
}

/// An amount as cash: rounded half-even to 0.01. `None` beyond DECIMAL(18,4).
pub fn cash(amount: Money) -> Option<Money> {
    narrow(round_to(i128::from(amount.units()), SATANG))
}

/// Whether an amount can be paid in cash: whole satang.
pub fn is_cash(amount: Money) -> bool {
    i128::from(amount.units()) % SATANG == 0
}

/// A rate of an amount, rounded half-even to 0.0001. `None` beyond DECIMAL(18,4).
pub fn portion(amount: Money, rate: Rate) -> Option<Money> {
    multiply(amount.units(), rate.units())
}

/// Cal A to F over an order's lines, its order discounts and its fees.
pub fn price(items: &[Item], order_discount: Money, fees: &[Fee]) -> Result<Sums, PricingError> {
    let charges = fees.iter().map(|fee| {
        Some(Charge {
            amount: fee.amount,
            tax: tax(fee.amount, fee.tax_rate, fee.is_tax_included)?,
            informational: fee.informational,
        })
    });
    let charges: Option<Vec<Charge>> = charges.collect();
    price_again(
        items,
        order_discount,
        charges.ok_or(PricingError::OutOfRange)?,
    )
}

/// As [`price`], for fees whose VAT is known already.
pub fn price_again(
    items: &[Item],
    order_discount: Money,
    fees: Vec<Charge>,
) -> Result<Sums, PricingError> {
    let out_of_range = PricingError::OutOfRange;
    let mut sums = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let gross = extend(item.original_unit_price, item.quantity).ok_or(out_of_range)?;
        let net = gross.checked_sub(item.discount).ok_or(out_of_range)?;
        if net.is_negative() {
            return Err(PricingError::LineDiscount { index });
        }
        sums.push(ItemSums {
            gross,
            net,
            order_discount_share: Money::ZERO,
            tax: Tax::default(),
        });
    }
    let nets: Vec<Money> = sums.iter().map(|s| s.net).collect();
    let shares = share(order_discount, &nets).ok_or(PricingError::OrderDiscount)?;
    for ((sum, item), share) in sums.iter_mut().zip(items).zip(shares) {
        let base = sum.net.checked_sub(share).ok_or(out_of_range)?;
        sum.order_discount_share = share;
        sum.tax = tax(base, item.tax_rate, item.is_tax_included).ok_or(out_of_range)?;
    }
    let totals = total(items, &sums, order_discount, &fees).ok_or(out_of_range)?;
    let gross = add(sums.iter().map(|s| s.gross)).ok_or(out_of_range)?;
    Ok(Sums {
        items: sums,
        fees,
        gross,
        totals,
    })
}

fn total(
    items: &[Item],
    sums: &[ItemSums],
    order_discount: Money,
    fees: &[Charge],
) -> Option<Totals> {
    let counted = || fees.iter().filter(|fee| !fee.informational);
    let taxes = || {
        sums.iter()
            .map(|s| s.tax)
            .chain(counted().map(|fee| fee.tax))
    };
    let sub_total = add(sums.iter().map(|s| s.net))?;
    let fees = add(counted().map(|fee| fee.amount))?;
    let total_taxes = add(taxes().map(|t| t.added))?;
    let total_charge = sub_total.checked_add(total_taxes)?.checked_add(fees)?;
    let order_total = total_charge.checked_sub(order_discount)?;
    let cash_due = cash(order_total)?;
    Some(Totals {
        sub_total,
        total_charge,
        order_total,
        total_discount: add(items.iter().map(|i| i.discount))?.checked_add(order_discount)?,
        total_taxes,
        informational_taxes: add(taxes().map(|t| t.contained))?,
        fees,
        cash_due,
        cash_rounding: cash_due.checked_sub(order_total)?,
    })
}

/// The sum, or `None` beyond DECIMAL(18,4).
pub fn add(amounts: impl IntoIterator<Item = Money>) -> Option<Money> {
    amounts
        .into_iter()
        .try_fold(Money::ZERO, Money::checked_add)
}
