//! Numbers that look random and are the same for the same seed.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::print_stdout,
    reason = "two test programs share it"
)]

use std::iter::repeat_with;

/// SplitMix64: one word of state, every seed is as good as any other.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, exclusive.
    pub fn below(&mut self, end: i64) -> i64 {
        let wide = u128::from(self.next()) * u128::from(end.unsigned_abs());
        i64::try_from(wide >> 64).unwrap()
    }

    /// From `from` to `to`, both inclusive.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(to - from + 1)
    }

    /// An index below `len`.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(i64::try_from(len).unwrap())).unwrap()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// True so many times in a thousand.
    pub fn permille(&mut self, chance: i64) -> bool {
        self.below(1_000) < chance
    }

    /// The index of one of the weights, as often as it weighs.
    pub fn weighted(&mut self, weights: &[i64]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            at -= weight;
            if at < 0 {
                return index;
            }
        }
        unreachable!("below the sum of all weights")
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }

    /// Something, half of the time.
    pub fn maybe<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.permille(500).then(|| some(self))
    }

    /// From `from` to `to` items, both inclusive.
    pub fn list<T>(&mut self, from: i64, to: i64, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = usize::try_from(self.between(from, to)).unwrap();
        repeat_with(|| item(self)).take(count).collect()
    }
}

/// Whether a property holds for so many seeds; one for which it does not is named.
pub fn for_all(cases: u64, property: impl Fn(&mut Rng)) {
    for seed in 0..cases {
        let holds = || property(&mut Rng::new(seed));
        if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(holds)) {
            println!("it was seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
