//! Up to where the answers about a store can have changed: what makes a kept answer right or not.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use store::Position;

use crate::changes::Change;

/// Stores told apart. News of any further one count for all of them.
const MAX_STORES: usize = 4_096;
/// Without a look at the log for so long, nothing is known any more.
const MAX_SILENCE: Duration = Duration::from_secs(2);

/// The last event about each store. Cheap to clone; one task tells it, everybody may ask.
#[derive(Debug, Clone, Default)]
pub struct Touched(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The last event of each store since the floor.
    stores: HashMap<String, Position>,
    /// Nothing is known of what happened before, store by store: it may be anything up to here.
    floor: Position,
    /// The last event heard of.
    heard: Position,
    /// When the log was last looked at with success; `None` before the first time.
    looked: Option<Instant>,
}

impl Touched {
    /// Begins at the log's last event.
    pub(crate) fn begin(&self, head: Position) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *known = Known {
            floor: head,
            heard: head,
            looked: Some(Instant::now()),
            stores: HashMap::new(),
        };
    }

    /// Takes in a look at the log: the events after those known, in their order, possibly none.
    pub(crate) fn look(&self, changes: &[Change]) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            known.heard = known.heard.max(change.position);
            match &change.store_id {
                Some(store)
                    if known.stores.contains_key(store) || known.stores.len() < MAX_STORES =>
                {
                    known.stores.insert(store.clone(), change.position);
                }
                // Of no store, so perhaps of every one.
                _ => known.floor = known.floor.max(change.position),
            }
        }
        known.looked = Some(Instant::now());
    }

    /// The last event that can have changed an answer about these stores, of all stores for `None`; `None` when that is
    /// not known, or when the log has not been heard up to `at_least`.
    pub fn last(&self, stores: Option<&[String]>, at_least: Position) -> Option<Position> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let silent = known.looked?.elapsed() > MAX_SILENCE;
        if silent || known.heard < at_least {
            return None;
        }
        let of = |store: &String| known.stores.get(store).copied();
        Some(match stores {
            None => known.heard,
            Some(stores) => stores
                .iter()
                .filter_map(of)
                .fold(known.floor, Position::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(position: i64, store: Option<&str>) -> Change {
        Change {
            position: Position(position),
            aggregate_type: "order".to_owned(),
            aggregate_id: "1".to_owned(),
            store_id: store.map(str::to_owned),
        }
    }

    fn stores(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_store_is_touched_by_its_own_events_and_by_those_of_no_store() {
        let touched = Touched::default();
        let (one, two) = (stores(&["CFR001"]), stores(&["CFR002"]));
        let last = |of: Option<&[String]>| touched.last(of, Position::START);
        assert_eq!(last(None), None, "nothing is known before the first look");

        touched.begin(Position(10));
        assert_eq!(last(Some(&one)), Some(Position(10)));

        touched.look(&[change(11, Some("CFR001")), change(12, Some("CFR002"))]);
        assert_eq!(last(Some(&one)), Some(Position(11)));
        assert_eq!(last(Some(&two)), Some(Position(12)));
        assert_eq!(
            last(Some(&stores(&["CFR001", "CFR002"]))),
            Some(Position(12))
        );
        assert_eq!(last(Some(&stores(&["CFR003"]))), Some(Position(10)));
        assert_eq!(last(None), Some(Position(12)));

        touched.look(&[change(13, None)]);
        assert_eq!(last(Some(&one)), Some(Position(13)));
        assert_eq!(touched.last(None, Position(13)), Some(Position(13)));
        assert_eq!(touched.last(None, Position(14)), None, "not heard yet");
    }

    #[test]
    fn who_hears_nothing_for_long_knows_nothing() {
        let touched = Touched::default();
        touched.begin(Position(10));
        let long_ago = Instant::now().checked_sub(MAX_SILENCE);
        touched.0.write().unwrap().looked = long_ago;
        assert_eq!(touched.last(None, Position::START), None);
        touched.look(&[]);
        assert_eq!(touched.last(None, Position::START), Some(Position(10)));
    }

    #[test]
    fn stores_without_bound_are_not_told_apart() {
        let touched = Touched::default();
        touched.begin(Position(0));
        let many: Vec<Change> = (1..=5_000)
            .map(|n| change(n, Some(&format!("S{n}"))))
            .collect();
        touched.look(&many);
        let first = stores(&["CFR001"]);
        assert_eq!(
            touched.last(Some(&first), Position::START),
            Some(Position(5_000))
        );
        assert!(touched.0.read().unwrap().stores.len() <= MAX_STORES);
    }
}
