//! What every kind of entity shows of itself, whichever side it comes from.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::Loaded;
use domain::{entity::Entity, order::Order};
use projections::{document, order_view::OrderRow};
use store::Position;

/// Which of an entity's states a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The newest that its side knows.
    Newest,
    /// One that is over.
    Past,
    /// One that would be.
    Rehearsed {
        /// The version that the log has.
        stored: i64,
    },
}

/// An entity and where its history stands.
#[derive(Clone)]
pub(crate) struct Record<E: Entity> {
    pub(crate) id: E::Id,
    /// Events so far.
    pub(crate) version: i64,
    /// Position of its last event.
    pub(crate) position: Position,
    /// When its first event was recorded.
    pub(crate) created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) state: Arc<E>,
    pub(crate) standing: Standing,
}

impl<E: Entity> From<Loaded<E>> for Record<E> {
    fn from(loaded: Loaded<E>) -> Self {
        let Loaded {
            id,
            version,
            position,
            created_at,
            updated_at,
            state,
        } = loaded;
        Self {
            id,
            version,
            position,
            created_at,
            updated_at,
            state,
            standing: Standing::Newest,
        }
    }
}

impl<E: Entity> From<document::Row<E>> for Record<E> {
    fn from(row: document::Row<E>) -> Self {
        let document::Row {
            id,
            version,
            position,
            state,
            created_at,
            updated_at,
            ..
        } = row;
        Self {
            id,
            version,
            position,
            created_at,
            updated_at,
            state: Arc::new(state),
            standing: Standing::Newest,
        }
    }
}

impl From<OrderRow> for Record<Order> {
    fn from(row: OrderRow) -> Self {
        let OrderRow {
            id,
            version,
            position,
            order,
            placed_at,
            updated_at,
        } = row;
        Self {
            id,
            version,
            position,
            created_at: placed_at,
            updated_at,
            state: order,
            standing: Standing::Newest,
        }
    }
}

/// Declares the GraphQL type that shows a kind of entity.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident of $entity:ty, rows $row:ty) => {
        $(#[$doc])*
        pub struct $name(pub(crate) $crate::schema::record::Record<$entity>);

        impl From<$crate::schema::record::Record<$entity>> for $name {
            fn from(record: $crate::schema::record::Record<$entity>) -> Self {
                Self(record)
            }
        }

        impl From<$row> for $name {
            fn from(row: $row) -> Self {
                Self(row.into())
            }
        }
    };
}
pub(crate) use view;
