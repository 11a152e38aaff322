//! Sharing an amount out over lines by their value.

use super::round::divide;
use crate::money::Money;

/// Shares `total` out by `values`: `round4(total x value / sum)` each, and what the rounding left
/// over to the largest value (ties: the first). The shares add up to `total` exactly, and none
/// exceeds its value; the residual moves on to the next largest value only where it would.
///
/// `None` unless `0 <= total <= sum of values` and no value is negative.
pub fn share(total: Money, values: &[Money]) -> Option<Vec<Money>> {
    if total.is_negative() || values.iter().any(|v| v.is_negative()) {
        return None;
    }
    let total = i128::from(total.units());
    let values: Vec<i128> = values.iter().map(|v| i128::from(v.units())).collect();
    let sum: i128 = values.iter().sum();
    if total > sum {
        return None;
    }
    if sum == 0 {
        return Some(vec![Money::ZERO; values.len()]);
    }
    let mut shares = values
        .iter()
        .map(|value| divide(total * value, sum))
        .collect::<Option<Vec<i128>>>()?;
    let mut residual = total - shares.iter().sum::<i128>();
    let mut by_value: Vec<usize> = (0..values.len()).collect();
    by_value.sort_by_key(|i| std::cmp::Reverse(values.get(*i)));
    for i in by_value {
        let (Some(share), Some(value)) = (shares.get_mut(i), values.get(i)) else {
            continue;
        };
        let taken = residual.clamp(-*share, value - *share);
        *share += taken;
        residual -= taken;
    }
    shares.into_iter().map(super::round::narrow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(total: i64, values: &[i64]) -> Option<Vec<i64>> {
        let values: Vec<Money> = values.iter().copied().map(Money::from_units).collect();
        let shares = share(Money::from_units(total), &values)?;
        Some(shares.into_iter().map(Money::units).collect())
    }

    #[test]
    fn the_residual_goes_to_the_largest_then_to_the_first() {
        for (total, values, expected) in [
            (
                150_000,
                vec![450_000, 620_000, 280_000],
                vec![50_000, 68_889, 31_111],
            ),
            (
                200_000,
                vec![450_000, 390_000, 250_000],
                vec![82_568, 71_560, 45_872],
            ),
            (
                100_000,
                vec![300_000, 300_000, 300_000],
                vec![33_334, 33_333, 33_333],
            ),
            (0, vec![1, 2], vec![0, 0]),
            (3, vec![1, 2], vec![1, 2]),
            (0, vec![0, 0], vec![0, 0]),
            (0, vec![], vec![]),
        ] {
            assert_eq!(shared(total, &values), Some(expected));
        }
    }

    #[test]
    fn no_share_exceeds_its_value() {
        // Each share rounds down by 0.4: left with the first line alone, they would exceed its 1.
        let shares = shared(8, &[1; 20]).unwrap();
        assert_eq!(shares.iter().sum::<i64>(), 8);
        assert!(shares.iter().all(|s| (0..=1).contains(s)), "{shares:?}");
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        assert_eq!(shared(4, &[1, 2]), None);
        assert_eq!(shared(-1, &[1, 2]), None);
        assert_eq!(shared(1, &[-1, 2]), None);
        assert_eq!(shared(1, &[]), None);
    }
}
