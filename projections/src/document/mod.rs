//! Models that keep one kind of aggregate whole: stores, bundles, remittances, dead letters.
//!
//! One row per aggregate with its state as a document, folded by the domain as the order view is. All kinds share one
//! shape of table and this one code; what a list is filtered by, the database takes out of the document itself, in
//! generated columns, so that they cannot differ from it. The few kinds say below what is theirs.

mod apply;
mod kinds;
mod read;
mod text;

use chrono::{DateTime, Utc};
use domain::entity::Entity;
use sqlx::{Postgres, QueryBuilder};
use store::Position;

pub(crate) use apply::{Filling, apply, load};
pub use kinds::{BundleFilter, DeadLetterFilter, Outcome, RemittanceFilter, StoreFilter};
pub use read::{MAX_IDS, by_id, by_ids, explain, page};
pub(crate) use text::document;

use crate::decode::{Of, Poison};

/// A kind of aggregate that is kept whole.
pub trait Document: Entity<Id: Unpin> + Unpin {
    /// Its table.
    const TABLE: &'static str;
    /// Names its list in cursors.
    const LIST: u8;
    /// Whether its list begins with the highest [`Self::place`].
    const DESCENDS: bool;
    /// What its list may be narrowed to.
    type Filter: Send + Sync;

    /// Where a row stands in the list; the id decides between equals.
    fn place(row: &Row<Self>) -> i64;

    /// Adds the filter's conditions to `sql`, which ends inside a `where` clause. `false`: no row can
    /// meet them, do not ask.
    fn push(filter: &Self::Filter, sql: &mut QueryBuilder<'_, Postgres>) -> bool;
}

/// One aggregate as its model knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<E: Entity> {
    /// Which.
    pub id: E::Id,
    /// Its version: the number of its events so far.
    pub version: i64,
    /// The log position of its first event.
    pub first_position: Position,
    /// The log position of its last event.
    pub position: Position,
    /// Its whole state.
    pub state: E,
    /// When its first event was decided.
    pub created_at: DateTime<Utc>,
    /// When its last event was decided.
    pub updated_at: DateTime<Utc>,
}

impl<E: Entity> Row<E> {
    /// An aggregate before its first event.
    pub(crate) fn blank(id: E::Id) -> Self {
        Self {
            id,
            version: 0,
            first_position: Position::START,
            position: Position::START,
            state: E::default(),
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    /// Applies the aggregate's next event.
    pub(crate) fn advance(&mut self, record: &Of<'_, E>) -> Result<(), Poison> {
        let recorded = record.recorded;
        if recorded.sequence != self.version + 1 {
            return Err(record.poison(format!(
                "it is event {} of its {}, the model stands at {}; rebuild the model",
                recorded.sequence,
                E::TYPE,
                self.version
            )));
        }
        self.state.apply(record.event);
        if !self.state.exists() {
            return Err(record.poison(format!("its {} does not exist after it", E::TYPE)));
        }
        let at = record.decided_at();
        if self.version == 0 {
            self.created_at = at;
            self.first_position = recorded.position;
        }
        self.updated_at = at;
        self.version = recorded.sequence;
        self.position = recorded.position;
        Ok(())
    }
}
