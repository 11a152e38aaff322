//! Half-even rounding: the one way anything here rounds.

use crate::money::{MAX_UNITS, Money, Rate, SCALE};

/// Units of 1/10,000 in the smallest coin that counts, 0.01 THB.
pub(super) const SATANG: i128 = 100;

/// `numerator / denominator` to the nearest integer, ties to even. `None` unless `denominator > 0`.
pub(super) const fn divide(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let floor = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    // `rest < denominator`, so comparing with what is left cannot overflow as doubling could.
    let left = denominator - rest;
    Some(if rest < left || (rest == left && floor % 2 == 0) {
        floor
    } else {
        floor + 1
    })
}

/// The multiple of `step` nearest to `units`, ties to even. `step` below 1 leaves `units` alone.
pub(super) const fn round_to(units: i128, step: i128) -> i128 {
    match divide(units, step) {
        Some(count) => count * step,
        None => units,
    }
}

/// The product of two counts of 1/10,000. `None` beyond DECIMAL(18,4).
pub(super) fn multiply(a: i64, b: i64) -> Option<Money> {
    narrow(divide(i128::from(a) * i128::from(b), i128::from(SCALE))?)
}

/// `amount / (1 + rate)`. `None` for a rate of -100% or less, or beyond DECIMAL(18,4).
pub(super) fn divide_by_rate(amount: Money, rate: Rate) -> Option<Money> {
    let scale = i128::from(SCALE);
    narrow(divide(
        i128::from(amount.units()) * scale,
        scale + i128::from(rate.units()),
    )?)
}

/// Back from `i128`. `None` beyond DECIMAL(18,4).
pub(super) fn narrow(units: i128) -> Option<Money> {
    let units = i64::try_from(units).ok()?;
    (units.unsigned_abs() <= MAX_UNITS.unsigned_abs()).then_some(Money::from_units(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_even_neighbour() {
        for (numerator, denominator, expected) in [
            (5, 10, Some(0)),
            (15, 10, Some(2)),
            (25, 10, Some(2)),
            (24, 10, Some(2)),
            (26, 10, Some(3)),
            (-5, 10, Some(0)),
            (-15, 10, Some(-2)),
            (-25, 10, Some(-2)),
            (-26, 10, Some(-3)),
            (1, 3, Some(0)),
            (2, 3, Some(1)),
            (7, 0, None),
            (7, -1, None),
        ] {
            assert_eq!(
                divide(numerator, denominator),
                expected,
                "{numerator}/{denominator}"
            );
        }
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        assert_eq!(divide(i128::MAX, i128::MAX), Some(1));
        assert_eq!(divide(i128::MIN, 1), Some(i128::MIN));
        assert_eq!(multiply(i64::MAX, i64::MAX), None);
        assert_eq!(multiply(i64::MIN, i64::MIN), None);
        assert_eq!(
            divide_by_rate(Money::from_units(1), Rate::from_units(-SCALE)),
            None
        );
    }
}
