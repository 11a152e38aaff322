//! An order's life as a row of commands, each accepted by the domain before it is handed out.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::Role,
    bundle::{self, BundleId, Definition},
    ids::{CommandId, OrderNumber},
    order::{Facts, Order, OrderCommand, OrderStatus, event::Sealed},
    refusal::Refusal,
};

use super::{
    BACK_ORDER_STORE, Options, bundles,
    live::Live,
    order,
    rng::Rng,
    stores::{STORES, Store},
};

use OrderStatus as S;

/// Streams of numbers.
const CONTENT: u64 = 0xA;
const DECK: u64 = 0xD;

/// How many of a hundred lives end where.
const ENDS: [(S, usize); 15] = [
    (S::Open, 2),
    (S::BackOrdered, 2),
    (S::Allocated, 2),
    (S::Released, 3),
    (S::InProcess, 4),
    (S::Picked, 3),
    (S::Packed, 4),
    (S::Fulfilled, 4),
    (S::Shipped, 4),
    (S::InTransit, 5),
    (S::OutForDelivery, 6),
    (S::Delivered, 58),
    (S::PendingReturn, 1),
    (S::Returned, 1),
    (S::Cancelled, 1),
];
/// Lives in one shuffled deck of [`ENDS`].
const DECK_SIZE: u64 = 100;
/// What a decision sees as now; only delivery slots depend on it.
pub(super) const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// Stands in for the number that the ledger assigns.
const SOME_NUMBER: &str = "QC-2026-01-01-000001";

/// The life of one order.
#[derive(Debug, Clone)]
pub struct Life {
    /// The order's store.
    pub store: Store,
    /// Its commands, placing first.
    pub steps: Vec<Step>,
    /// Where it ends.
    pub end: S,
    /// The order at the end; its contact is a stand-in.
    pub order: Order,
}

/// One command of a life.
#[derive(Debug, Clone)]
pub struct Step {
    /// Names the command, derived from the seed.
    pub command_id: CommandId,
    /// Who would send it.
    pub role: Role,
    /// How long after the step before.
    pub after: TimeDelta,
    /// The command.
    pub command: OrderCommand,
}

/// A sample order that the domain does not accept: the two have grown apart.
#[derive(Debug, thiserror::Error)]
#[error("sample order {index} is not acceptable: {source}")]
pub struct SampleError {
    /// Which one, from 0.
    pub index: u64,
    /// Why.
    pub source: Refusal,
}

/// The life at a place in the sequence.
pub(super) fn life(options: &Options, index: u64) -> Result<Life, SampleError> {
    let end = end(options, index);
    let mut rng = Rng::new(options.seed, &[CONTENT, index]);
    let store = if end == S::BackOrdered {
        back_order_store()
    } else {
        store(&mut rng)
    };
    let place = order::place(&mut rng, options, index, &store);
    let mut live = Live::new(options, index, store);
    live.run(&mut rng, place, end)
        .map_err(|source| SampleError { index, source })?;
    Ok(Life {
        store,
        steps: live.steps,
        end,
        order: live.order,
    })
}

/// Every hundred lives have exactly the ends that [`ENDS`] says, in an order of their own.
fn end(options: &Options, index: u64) -> S {
    let mut deck: Vec<S> = ENDS
        .iter()
        .flat_map(|(end, count)| std::iter::repeat_n(*end, *count))
        .collect();
    Rng::new(options.seed, &[DECK, index / DECK_SIZE]).shuffle(&mut deck);
    let place = usize::try_from(index % DECK_SIZE).unwrap_or_default();
    match deck.get(place) {
        Some(S::BackOrdered) if !options.back_orders => S::Open,
        Some(S::PendingReturn | S::Returned) if !options.whole => S::Delivered,
        end => end.copied().unwrap_or(S::Open),
    }
}

fn store(rng: &mut Rng) -> Store {
    let all = STORES.iter().map(|s| u64::from(s.weight)).sum();
    let mut draw = rng.below(all);
    for store in STORES {
        match draw.checked_sub(u64::from(store.weight)) {
            Some(rest) => draw = rest,
            None => return store,
        }
    }
    STORES[0]
}

fn back_order_store() -> Store {
    STORES
        .into_iter()
        .find(|s| s.id == BACK_ORDER_STORE)
        .unwrap_or(STORES[0])
}

/// What a decision about a sample order sees of the world: a store that trades, the sample bundles, stand-ins for
/// what the ledger assigns and seals, and 1970 as now.
pub fn facts(store: &Store) -> Facts {
    let mut opened = domain::store::Store::default();
    if let Ok(profile) = store.profile() {
        opened.profile = Some(profile);
        opened.active = true;
    }
    let bundles = bundles::definitions().unwrap_or_default();
    Facts {
        number: OrderNumber::new(SOME_NUMBER).ok(),
        sealed: Some(Sealed {
            subject: "sample".into(),
            sealed: String::new(),
        }),
        bundles: std::sync::Arc::new(bundles.into_iter().map(offer).collect()),
        ..Facts::new(NOW, opened.facts(NOW))
    }
}

fn offer((id, definition): (BundleId, Definition)) -> bundle::Offer {
    bundle::Offer {
        id,
        version: 1,
        active: true,
        definition,
    }
}
