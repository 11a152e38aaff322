//! The generator's source of numbers: SplitMix64, written out here because a seed must name the same orders
//! on every machine and after every upgrade of a library.

use uuid::Uuid;

/// Weyl increment of SplitMix64: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

/// SplitMix64's output function: a bijection in which every input bit reaches every output bit.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of a seed that `path` names. Streams of different paths have nothing in common, so that
    /// any one order can be made without those before it.
    pub(crate) fn new(seed: u64, path: &[u64]) -> Self {
        let fold =
            |state: u64, step: &u64| mix(state ^ step.wrapping_mul(GOLDEN)).wrapping_add(GOLDEN);
        Self(path.iter().fold(mix(seed.wrapping_add(GOLDEN)), fold))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.next()) * u128::from(bound);
        u64::try_from(scaled >> 64).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or_default())
    }

    /// True with a chance of `per_mille` in 1,000.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A place in a list of `len` things.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or_default())).unwrap_or_default()
    }

    /// One of the things.
    pub(crate) fn pick<'a, T, const N: usize>(&mut self, things: &'a [T; N]) -> &'a T {
        &things[self.index(N)]
    }

    /// Brings the things into a random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.index(last + 1));
        }
    }

    /// A UUID in the form of version 4.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let bytes = Uuid::from_u64_pair(self.next(), self.next()).into_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_good() {
        // The reference vector of SplitMix64 for the state 0.
        let mut rng = Rng(0);
        assert_eq!(
            [rng.next(), rng.next()],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]
        );
        let mut rng = Rng::new(1, &[2, 3]);
        assert_eq!(rng.next(), Rng::new(1, &[2, 3]).next());
        assert_ne!(rng.next(), Rng::new(1, &[3, 2]).next());
        assert_eq!(rng.uuid().get_version_num(), 4);
    }

    #[test]
    fn bounds_are_kept() {
        let mut rng = Rng::new(7, &[]);
        for _ in 0..1_000 {
            assert!((-3..=4).contains(&rng.between(-3, 4)));
            assert!(rng.below(5) < 5);
        }
        assert_eq!(rng.below(0), 0);
        let mut cards = [1, 2, 3, 4, 5];
        rng.shuffle(&mut cards);
        cards.sort_unstable();
        assert_eq!(cards, [1, 2, 3, 4, 5]);
    }
}
