//! Stores of the chain.

pub mod input;
pub mod mutation;
pub mod query;

use async_graphql::{ID, Object};
use domain::store::{Profile, Store as State};
use projections::document::Row;

use super::{
    bundle::definition::DailyHours,
    problem::int,
    record::view,
    scalars::{Date, DateTime, Decimal, Position},
};

view! {
    /// A store, from the write side in a payload and from the read side in a query.
    Store of State, rows Row<State>
}

impl Store {
    fn profile<'a, T>(&'a self, part: impl FnOnce(&'a Profile) -> T) -> Option<T> {
        self.0.state.profile.as_ref().map(part)
    }
}

/// A store of the chain: where it is, whether it trades, and how its orders run.
#[Object]
impl Store {
    /// `CFR` and three digits.
    async fn id(&self) -> ID {
        ID::from(self.0.id.as_str())
    }

    /// Events so far. Hand it to `expectedVersion`.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The log's position of its last event.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }

    /// When it was first opened.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Whether it takes orders, from its opening day on.
    async fn is_active(&self) -> bool {
        self.0.state.active
    }

    /// Why it takes none.
    async fn inactive_reason(&self) -> Option<&str> {
        self.0.state.inactive_reason.as_deref()
    }

    /// Its name.
    async fn name(&self) -> Option<&str> {
        self.profile(|p| p.name.as_str())
    }

    /// Its region now; an order keeps the region it was placed in.
    async fn region(&self) -> Option<&str> {
        self.profile(|p| p.region.as_str())
    }

    /// Its price and limit zone, such as BKK or METRO.
    async fn zone(&self) -> Option<&str> {
        self.profile(|p| p.zone.as_str())
    }

    /// The first business day; null where it always traded.
    async fn opening(&self) -> Option<Date> {
        self.profile(|p| p.opening.map(Date)).flatten()
    }

    /// When it is open: for people to read, orders wait for it.
    async fn hours(&self) -> Option<DailyHours> {
        self.profile(|p| p.hours.map(Into::into)).flatten()
    }

    /// The most cash on delivery per order; the zone's limit when null.
    async fn cod_limit(&self) -> Option<Decimal> {
        self.profile(|p| p.cod_limit.map(Decimal)).flatten()
    }

    /// Whether valid orders run to released by themselves.
    async fn auto_release(&self) -> Option<bool> {
        self.profile(|p| p.auto_release)
    }
}
