//! What is known of all entities of a small kind, folded straight from the log and held in memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{decode, entity::Entity};
use store::{Log, Position, Recorded, StoreError};
use tokio::sync::Mutex;

use crate::load::stream_id;

/// A change made by another process is seen within this time; one made by this process at once.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(10);
/// Events read at once.
const PAGE: i64 = 500;

/// The entities of a kind up to a position of the log, and what is made of them for decisions.
pub(crate) struct Known<E: Entity, V> {
    pub(crate) states: HashMap<E::Id, E>,
    pub(crate) view: V,
    position: Position,
}

type Remembered<E, V> = (Option<Instant>, Arc<Known<E, V>>);

/// The entities of a kind.
pub(crate) struct Directory<E: Entity, V> {
    log: Log,
    view: fn(&HashMap<E::Id, E>) -> V,
    known: RwLock<Remembered<E, V>>,
    /// The last change that this process made: what is older is not good enough.
    changed: AtomicI64,
    reading: Mutex<()>,
}

impl<E: Entity, V: Send + Sync> Directory<E, V> {
    /// A directory over the log, with something made of the entities whenever one has changed. Reads at the first
    /// question.
    pub(crate) fn new(log: Log, view: fn(&HashMap<E::Id, E>) -> V) -> Self {
        let states = HashMap::new();
        let known = Known {
            view: view(&states),
            states,
            position: Position::START,
        };
        Self {
            log,
            view,
            known: RwLock::new((None, Arc::new(known))),
            changed: AtomicI64::new(0),
            reading: Mutex::new(()),
        }
    }

    /// All of them, as of at most `max_age` ago.
    pub(crate) async fn known(&self, max_age: Duration) -> Result<Arc<Known<E, V>>, StoreError> {
        if let Some(known) = self.fresh(max_age) {
            return Ok(known);
        }
        // One reads, the others wait for it.
        let _reading = self.reading.lock().await;
        if let Some(known) = self.fresh(max_age) {
            return Ok(known);
        }
        let asked = Instant::now();
        let known = self.read_on(self.remembered().1).await?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = (Some(asked), known.clone());
        Ok(known)
    }

    /// Whether the log knows it, whatever memory says.
    pub(crate) async fn is_in_log(&self, id: &E::Id) -> Result<bool, StoreError> {
        Ok(self.log.stream_head(&stream_id::<E>(id)).await?.is_some())
    }

    /// Notes that this process changed one of them.
    pub(crate) fn changed(&self, at: Position) {
        self.changed.fetch_max(at.0, Ordering::AcqRel);
    }

    /// What was read last, however old.
    pub(crate) fn remembered(&self) -> Remembered<E, V> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn fresh(&self, max_age: Duration) -> Option<Arc<Known<E, V>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = known.0.is_some_and(|at| at.elapsed() < max_age)
            && known.1.position.0 >= self.changed.load(Ordering::Acquire);
        is_fresh.then(|| known.1.clone())
    }

    async fn read_on(&self, known: Arc<Known<E, V>>) -> Result<Arc<Known<E, V>>, StoreError> {
        let mut position = known.position;
        let mut grown: Option<HashMap<E::Id, E>> = None;
        // Ends: every page but the last moves the position on, and the log is finite.
        loop {
            let page = self.log.of_type(E::TYPE, position, PAGE).await?;
            let Some(last) = page.last() else { break };
            position = last.position;
            let states = grown.get_or_insert_with(|| known.states.clone());
            for event in &page {
                apply(states, event)?;
            }
        }
        Ok(grown.map_or(known, |states| {
            Arc::new(Known {
                view: (self.view)(&states),
                states,
                position,
            })
        }))
    }
}

fn apply<E: Entity>(states: &mut HashMap<E::Id, E>, event: &Recorded) -> Result<(), StoreError> {
    let corrupt = |what: String| {
        let stream = &event.aggregate_id;
        StoreError::Corrupt(format!("{} {stream}: {what}", E::TYPE))
    };
    let id = event
        .aggregate_id
        .parse()
        .map_err(|_| corrupt("not an id".into()))?;
    let happened = decode::decode(&event.event_type, &event.event_version, &event.payload)
        .map_err(|e| corrupt(e.to_string()))?;
    states.entry(id).or_default().apply(&happened);
    Ok(())
}
