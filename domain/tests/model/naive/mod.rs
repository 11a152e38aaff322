//! Totals and cash, straight from the formulas of the fact sheet: decimal arithmetic, one step after
//! the other, without a look at how the domain does it.

pub mod bundles;
pub mod cash;
pub mod order;
pub mod place;
pub mod sums;

use domain::money::{Money, Quantity, Rate};
use rust_decimal::{Decimal, RoundingStrategy};

pub fn money(amount: Money) -> Decimal {
    Decimal::new(amount.units(), 4)
}

pub fn number(quantity: Quantity) -> Decimal {
    Decimal::new(quantity.units(), 4)
}

pub fn rate(rate: Rate) -> Decimal {
    Decimal::new(rate.units(), 4)
}

/// Half-even at four places.
pub fn round4(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(4, RoundingStrategy::MidpointNearestEven)
}

/// Half-even to the satang.
pub fn round2(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// `total` over the values: `round4(total x value / sum)` each, what is left to the largest value,
/// and among equals to the first.
pub fn shares(total: Decimal, values: &[Decimal]) -> Vec<Decimal> {
    let sum: Decimal = values.iter().sum();
    if sum.is_zero() {
        return vec![Decimal::ZERO; values.len()];
    }
    let mut shares: Vec<Decimal> = values.iter().map(|v| round4(total * v / sum)).collect();
    let rest = total - shares.iter().sum::<Decimal>();
    let mut largest = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[largest] {
            largest = index;
        }
    }
    shares[largest] += rest;
    shares
}

/// VAT inside a gross amount.
pub fn vat_inside(gross: Decimal, rate: Decimal) -> Decimal {
    gross - round4(gross / (Decimal::ONE + rate))
}
