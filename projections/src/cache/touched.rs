//! Up to where the answers about a store can have changed: what makes a kept answer right or not.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use domain::{entity::Entity, ids::OrderId, order::Order};
use store::Position;

use crate::changes::Change;

/// Stores told apart. News of any further one count for all of them.
const MAX_STORES: usize = 4_096;
/// Orders told apart. When there are more, the half that was quiet for longer counts as one.
const MAX_ORDERS: usize = 100_000;
/// Without a look at the log for so long, nothing is known any more.
const MAX_SILENCE: Duration = Duration::from_secs(2);

/// The last event about each store, and about each order. Cheap to clone; one task tells it, everybody may ask.
#[derive(Debug, Clone, Default)]
pub struct Touched(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The last event of each store since the floor.
    stores: HashMap<String, Position>,
    /// Nothing is known of what happened before, store by store: it may be anything up to here.
    floor: Position,
    /// The last event of each order since the orders' floor.
    orders: HashMap<OrderId, Position>,
    /// As the other floor, order by order.
    orders_floor: Position,
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
            orders_floor: head,
            heard: head,
            looked: Some(Instant::now()),
            ..Known::default()
        };
    }

    /// Takes in a look at the log: the events after those known, in their order, possibly none.
    pub(crate) fn look(&self, changes: &[Change]) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            known.heard = known.heard.max(change.position);
            known.touch_order(change);
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
        if !known.is_up_to(at_least) {
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

    /// The last event that can have changed an answer about this order alone, as [`Self::last`].
    pub fn last_of(&self, order: OrderId, at_least: Position) -> Option<Position> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let last = known.orders.get(&order).copied();
        known
            .is_up_to(at_least)
            .then(|| last.unwrap_or(known.orders_floor))
    }
}

impl Known {
    fn is_up_to(&self, at_least: Position) -> bool {
        let looked = self.looked.is_some_and(|at| at.elapsed() <= MAX_SILENCE);
        looked && self.heard >= at_least
    }

    fn touch_order(&mut self, change: &Change) {
        if change.aggregate_type != Order::TYPE {
            return;
        }
        let Ok(order) = change.aggregate_id.parse() else {
            self.orders_floor = self.orders_floor.max(change.position);
            return;
        };
        if self.orders.len() >= MAX_ORDERS {
            // By halves: every step of the floor is news to all orders that are not told apart.
            let mut positions: Vec<Position> = self.orders.values().copied().collect();
            let (_, &mut middle, _) = positions.select_nth_unstable(MAX_ORDERS / 2);
            self.orders.retain(|_, position| *position > middle);
            self.orders_floor = self.orders_floor.max(middle);
        }
        self.orders.insert(order, change.position);
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
    fn an_order_is_touched_by_its_own_events_alone() {
        let touched = Touched::default();
        let id = |n: u128| OrderId(uuid::Uuid::from_u128(n));
        let of = |n: u128, position: i64| Change {
            aggregate_id: id(n).to_string(),
            ..change(position, Some("CFR001"))
        };
        let last = |n| touched.last_of(id(n), Position::START);
        assert_eq!(last(1), None, "nothing is known before the first look");
        touched.begin(Position(10));
        let other = Change {
            aggregate_type: "remittance".to_owned(),
            ..of(3, 13)
        };
        touched.look(&[of(1, 11), of(2, 12), other]);
        let seen = [1, 2, 3].map(last);
        assert_eq!(seen, [11, 12, 10].map(|n| Some(Position(n))));
        assert_eq!(touched.last_of(id(1), Position(14)), None, "not heard yet");

        // More than are told apart: what an answer depends on is never taken for older than it is.
        let many = i64::try_from(MAX_ORDERS).unwrap();
        for n in 0..many {
            touched.look(&[of(100 + u128::try_from(n).unwrap(), 14 + n)]);
        }
        assert!(last(1) >= Some(Position(11)));
        let newest = 100 + u128::try_from(many - 1).unwrap();
        assert_eq!(last(newest), Some(Position(13 + many)));
        assert!(touched.0.read().unwrap().orders.len() <= MAX_ORDERS);
        let floor = touched.0.read().unwrap().orders_floor;
        assert!((last(1), last(3)) == (Some(floor), Some(floor)));
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
