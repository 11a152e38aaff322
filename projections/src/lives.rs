//! What a model keeps of each order, in memory: for one page where the log is followed, and for many pages while the
//! tables are filled.

use std::collections::{BTreeSet, HashMap};

use store::Position;
use uuid::Uuid;

use crate::decode::OrderRecord;

/// What a model keeps of orders (`T`), and of those that have a row what that says (`S`).
#[derive(Debug)]
pub(crate) struct Lives<T, S = T> {
    /// Boxed: a map that grows moves what is in it.
    held: HashMap<Uuid, Box<Held<T, S>>>,
    /// Orders may have rows: those that are not held have to be looked up.
    has_rows: bool,
}

/// What is kept of one order.
#[derive(Debug)]
pub(crate) struct Held<T, S = T> {
    /// What it is now.
    pub(crate) now: T,
    /// What its row says; `None` if it has no row.
    pub(crate) stored: Option<S>,
    /// The last event that changed it.
    touched: Position,
}

/// Orders that leave memory.
pub(crate) type Orders<T, S = T> = Vec<(Uuid, Box<Held<T, S>>)>;

impl<T, S> Lives<T, S> {
    /// Over tables without a row.
    pub(crate) fn over_nothing() -> Self {
        Self {
            held: HashMap::new(),
            has_rows: false,
        }
    }

    /// Over tables that may have rows.
    pub(crate) fn over_rows() -> Self {
        Self {
            has_rows: true,
            ..Self::over_nothing()
        }
    }

    /// Which of these orders have to be looked up.
    pub(crate) fn missing(&self, ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
        if !self.has_rows {
            return Vec::new();
        }
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        ids.into_iter()
            .filter(|id| !self.held.contains_key(id))
            .collect()
    }

    /// Takes in what was looked up.
    pub(crate) fn look_up(&mut self, id: Uuid, now: T, stored: S) {
        let held = Held {
            now,
            stored: Some(stored),
            touched: Position::START,
        };
        self.held.insert(id, Box::new(held));
    }

    /// An order that has an event at a position.
    pub(crate) fn get_mut(&mut self, id: Uuid, at: Position) -> Option<&mut T> {
        let held = self.held.get_mut(&id)?;
        held.touched = at;
        Some(&mut held.now)
    }

    /// An order that has an event at a position, maybe its first one.
    pub(crate) fn entry(&mut self, id: Uuid, at: Position, first: impl FnOnce() -> T) -> &mut T {
        let held = self.held.entry(id).or_insert_with(|| {
            Box::new(Held {
                now: first(),
                stored: None,
                touched: at,
            })
        });
        held.touched = at;
        &mut held.now
    }

    /// All of them, in the order of their ids. They are held no longer, and have rows from now on.
    pub(crate) fn take_all(&mut self) -> Orders<T, S> {
        self.has_rows |= !self.held.is_empty();
        sorted(std::mem::take(&mut self.held).into_iter())
    }

    /// Where more than so many are held: those that were quiet for longest, until half as many are left. As
    /// [`Self::take_all`].
    pub(crate) fn take_overflow(&mut self, most: usize) -> Orders<T, S> {
        let Some(excess) = self.held.len().checked_sub(most).filter(|n| *n > 0) else {
            return Vec::new();
        };
        let mut touched: Vec<Position> = self.held.values().map(|held| held.touched).collect();
        let leaving = (excess + most / 2).min(touched.len() - 1);
        let (_, oldest_left, _) = touched.select_nth_unstable(leaving);
        let oldest_left = *oldest_left;
        self.has_rows = true;
        sorted(self.held.extract_if(|_, held| held.touched < oldest_left))
    }
}

fn sorted<H>(rows: impl Iterator<Item = (Uuid, H)>) -> Vec<(Uuid, H)> {
    let mut rows: Vec<(Uuid, H)> = rows.collect();
    rows.sort_unstable_by_key(|(id, _)| *id);
    rows
}

/// The orders that a page's events belong to, short of those whose first event is among them: those have no row yet, and
/// where a model is filled that is most of them.
pub(crate) fn begun_before(page: &[OrderRecord<'_>]) -> BTreeSet<Uuid> {
    let mut ids: BTreeSet<Uuid> = page.iter().map(|r| r.id.0).collect();
    for record in page.iter().filter(|r| r.recorded.sequence == 1) {
        ids.remove(&record.id.0);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn the_quiet_ones_leave_and_are_looked_up_again() {
        let mut lives: Lives<u32, ()> = Lives::over_nothing();
        for n in 0..10 {
            lives.entry(id(n), Position(1), || 0);
        }
        for (n, at) in (0..10).zip([9, 3, 8, 5, 2, 10, 4, 7, 1, 6]) {
            *lives.get_mut(id(n), Position(at)).unwrap() += 1;
        }
        assert!(
            lives.missing([id(3), id(99)]).is_empty(),
            "there are no rows yet"
        );
        assert!(lives.take_overflow(10).is_empty());
        let left: Vec<Uuid> = lives
            .take_overflow(8)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        // Events 1 to 6, by id.
        assert_eq!(left, [1, 3, 4, 6, 8, 9].map(id));
        assert_eq!(lives.held.len(), 4);
        assert_eq!(
            lives.missing([id(4), id(0), id(99), id(4)]),
            [id(4), id(99)]
        );
        assert!(lives.get_mut(id(4), Position(11)).is_none());
        lives.look_up(id(4), 7, ());
        assert_eq!(lives.entry(id(4), Position(12), || 0), &7);
        let all = lives.take_all();
        assert_eq!(all.len(), 5);
        let stored = all.iter().filter(|(_, held)| held.stored.is_some());
        assert_eq!(stored.map(|(id, _)| *id).collect::<Vec<_>>(), [id(4)]);
        assert_eq!(lives.missing([id(0)]), [id(0)]);
    }
}
