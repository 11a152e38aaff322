//! Many days, on every core, each from a seed of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{
    day::{self, Depth},
    rng::Rng,
    storage::Schemas,
    tally::Tally,
    world::World,
};

/// Different chains: a day of a seed is always in the same one.
const WORLDS: u64 = 8;

/// What went wrong, and the seed that shows it again.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub error: String,
}

/// Lives the days from `first` on that have so many orders. `progress` is told of their number.
pub fn run(
    first: u64,
    orders: u64,
    depth: Depth,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Tally, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let days = (orders * 4)
        .div_ceil(day::ORDERS_OF_FOUR_DAYS)
        .next_multiple_of(4 * WORLDS);
    let (next, done, failed) = (
        AtomicU64::new(first),
        AtomicU64::new(0),
        AtomicBool::new(false),
    );
    let work = || -> Result<Tally, Failure> {
        let worlds: Vec<World> = (0..WORLDS)
            .map(|seed| World::new(&mut Rng::new(seed)))
            .collect();
        let (mut tally, mut schemas) = (Tally::default(), Schemas::default());
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + days {
                break;
            }
            let lived = live(&worlds, seed, depth, &mut tally, &mut schemas);
            match lived {
                Ok(count) => progress(done.fetch_add(count, Ordering::Relaxed) + count),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err(Failure { seed, error });
                }
            }
        }
        Ok(tally)
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for handle in handles {
            sum.add(handle.join().expect("the thread catches what goes wrong")?);
        }
        Ok(sum)
    })
}

/// One day; what panics is an error like any other.
fn live(
    worlds: &[World],
    seed: u64,
    depth: Depth,
    tally: &mut Tally,
    schemas: &mut Schemas,
) -> Result<u64, String> {
    let world = &worlds[usize::try_from(seed % WORLDS).unwrap()];
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        day::live(world, seed, depth, tally, schemas)
    }));
    lived.unwrap_or_else(|_| Err("panicked, see above".into()))
}

/// One day again, by its seed.
pub fn again(seed: u64) -> Result<u64, String> {
    let world = World::new(&mut Rng::new(seed % WORLDS));
    day::live(
        &world,
        seed,
        Depth::Full,
        &mut Tally::default(),
        &mut Schemas::default(),
    )
}
