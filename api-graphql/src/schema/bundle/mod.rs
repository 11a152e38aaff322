//! Bundles: products sold together for a price of their own.

pub mod definition;
pub mod input;
pub mod mutation;
pub mod query;

use async_graphql::{ID, Object};
use domain::bundle::{Bundle as State, Definition};
use projections::document::Row;

use self::definition::{
    BundleComponent, BundleKind, BundlePricing, BundleReturns, BundleSchedule, store_ids,
};
use super::{
    problem::{count, int},
    record::view,
    scalars::{DateTime, Position},
};

view! {
    /// A bundle, from the write side in a payload and from the read side in a query.
    Bundle of State, rows Row<State>
}

impl Bundle {
    fn definition<'a, T>(&'a self, part: impl FnOnce(&'a Definition) -> T) -> Option<T> {
        self.0.state.definition.as_ref().map(part)
    }
}

/// Products sold together for a price of their own. Orders keep the version they were sold under.
#[Object]
impl Bundle {
    /// Its id for good.
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

    /// When it was first defined.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The number of the definition in force, from 1.
    async fn definition_version(&self) -> i32 {
        count(self.0.state.version)
    }

    /// Whether it is offered at all.
    async fn is_active(&self) -> bool {
        self.0.state.active
    }

    /// Why it is not offered any more.
    async fn retired_reason(&self) -> Option<&str> {
        self.0.state.retired_reason.as_deref()
    }

    /// The SKU that a flagged line sells the whole bundle under.
    async fn sku(&self) -> Option<&str> {
        self.definition(|d| d.sku.as_str())
    }

    /// Name in Thai.
    async fn name_th(&self) -> Option<&str> {
        self.definition(|d| d.name_th.as_deref()).flatten()
    }

    /// Name in English.
    async fn name_en(&self) -> Option<&str> {
        self.definition(|d| d.name_en.as_deref()).flatten()
    }

    /// What kind of offer it is.
    async fn kind(&self) -> Option<BundleKind> {
        self.definition(|d| d.kind.into())
    }

    /// The products.
    async fn components(&self) -> Vec<BundleComponent> {
        let all = |d: &Definition| d.components.iter().map(BundleComponent::from).collect();
        self.definition(all).unwrap_or_default()
    }

    /// How its price comes about.
    async fn pricing(&self) -> Option<BundlePricing> {
        self.definition(|d| BundlePricing::from(&d.pricing))
    }

    /// When it is offered.
    async fn schedule(&self) -> Option<BundleSchedule> {
        self.definition(|d| (&d.schedule).into())
    }

    /// Where it is offered; everywhere when empty.
    async fn stores(&self) -> Vec<ID> {
        self.definition(|d| store_ids(&d.stores))
            .unwrap_or_default()
    }

    /// Among bundles that match the same lines, the highest wins; ties go to the smaller id.
    async fn priority(&self) -> Option<i32> {
        self.definition(|d| d.priority)
    }

    /// Whether ordinary lines that hold all its components become the bundle.
    async fn match_lines(&self) -> Option<bool> {
        self.definition(|d| d.match_lines)
    }

    /// Whether single components may be returned.
    async fn returns(&self) -> Option<BundleReturns> {
        self.definition(|d| d.returns.into())
    }
}
