//! What differs between the kinds of entities, as far as the bus is concerned: one implementation per kind.

mod bundle;
mod intake;
mod order;
mod remittance;
mod store;

use std::future::Future;

use ::store::{Claim, Log, Position, audit};
use chrono::{DateTime, Utc};
use domain::{
    actor::{Actor, StoreScope},
    bundle::Bundle,
    entity::{Command, Entity},
    ids::{PartnerId, StoreId},
    intake::Intake,
    order::Order,
    remittance::Remittance,
    store::Store,
};

use crate::{
    aggregate::Fact,
    bus::BusOptions,
    error::CommandError,
    facts::{Gathered, Sources},
    load::Loader,
    snapshot::Snapshots,
    steps::{Spent, StepMicros},
};

pub use order::NUMBER;
pub(crate) use order::customer_of;
pub(crate) use remittance::EXTRA;

/// Entities of a kind other than orders that are kept in memory.
const HOT_OTHERS: u64 = 500;

/// A kind of entity that the bus drives.
pub trait Kind: Entity {
    /// This kind's share of the bus.
    fn lane(lanes: &Lanes) -> &Lane<Self>;

    /// An id for a new one, where the ledger draws it; `None` where people name it.
    fn draw_id() -> Option<Self::Id> {
        None
    }

    /// The id that stands for a new one that is not to be, where the ledger draws ids.
    fn id_of_nobody() -> Option<Self::Id> {
        None
    }

    /// Who may give the command, by the stores they are bound to.
    fn scope<'a>(id: &'a Self::Id, state: &'a Self, command: &Self::Command) -> Scope<'a>;

    /// The facts for one decision.
    fn gather(
        sources: &Sources,
        asked: Asked<'_, Self>,
    ) -> impl Future<Output = Result<Gathered<Self::Facts>, CommandError>> + Send;

    /// What must be unique in the whole log.
    fn claims(_events: &[Fact<Self::Event>]) -> Vec<Claim> {
        Vec::new()
    }

    /// Whether the ledger draws the order number that the command needs.
    fn draws_number(_command: &Self::Command) -> bool {
        false
    }

    /// The steps of the workflow that the command is, with what they took.
    fn steps(_command: &Self::Command, _spent: &Spent) -> StepMicros {
        StepMicros::default()
    }

    /// Called when this process has changed one.
    fn changed(_sources: &Sources, _at: Position) {}
}

/// What a decision is about.
pub struct Asked<'a, E: Entity> {
    /// Which entity.
    pub id: &'a E::Id,
    /// What it is now.
    pub state: &'a E,
    /// What is asked of it.
    pub command: &'a E::Command,
    /// Who asks.
    pub actor: &'a Actor,
    /// When.
    pub now: DateTime<Utc>,
    /// When its first event happened; `now` where there is none yet.
    pub created_at: DateTime<Utc>,
    /// Nothing may be left behind: no number is drawn, nothing is sealed.
    pub is_rehearsal: bool,
}

/// Who may give a command, by the stores they are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Whoever may see this store; to others the entity is not known.
    Store(&'a StoreId),
    /// Only who sees the whole chain.
    Chain,
    /// Anybody: there is nothing to see yet, or the decision looks itself.
    Open,
}

impl Scope<'_> {
    /// Whether the actor is inside.
    pub fn covers(self, actor: &Actor) -> bool {
        match self {
            Self::Store(store) => actor.stores.covers(store),
            Self::Chain => actor.stores == StoreScope::All,
            Self::Open => true,
        }
    }
}

/// Refuses, and audits, what a partner's credential asks about another partner's cash.
async fn check_partner<E: Entity>(
    sources: &Sources,
    asked: &Asked<'_, E>,
    partner: &PartnerId,
) -> Result<(), CommandError> {
    let (actor, action) = (asked.actor, asked.command.action());
    if actor.role.speaks_for(partner, action) {
        return Ok(());
    }
    let target = asked.id.to_string();
    let access = audit::RefusedAccess {
        actor: &actor.id,
        role: actor.role.as_str(),
        action: action.as_str(),
        target: &target,
        reason: "partner",
    };
    if let Err(error) = audit::refused(sources.log.pool(), &access).await {
        tracing::error!(%error, action = action.as_str(), "a refused access could not be audited");
    }
    let partner = partner.clone();
    Err(CommandError::OtherPartner { action, partner })
}

/// What the bus keeps per kind.
pub struct Lane<E: Entity> {
    pub(crate) loader: Loader<E>,
    pub(crate) snapshots: Snapshots<E>,
}

impl<E: Entity> Lane<E> {
    fn start(log: &Log, hot: u64, snapshot_every: i64) -> Self {
        let snapshot_from = if snapshot_every > 0 {
            snapshot_every
        } else {
            i64::MAX
        };
        Self {
            loader: Loader::new(log.clone(), hot, snapshot_from),
            snapshots: Snapshots::start(log.clone(), snapshot_every),
        }
    }
}

/// What the bus keeps of every kind.
pub struct Lanes {
    orders: Lane<Order>,
    bundles: Lane<Bundle>,
    stores: Lane<Store>,
    remittances: Lane<Remittance>,
    intakes: Lane<Intake>,
}

impl Lanes {
    /// Starts the snapshot writers; must be called inside a Tokio runtime.
    pub(crate) fn start(log: &Log, options: &BusOptions) -> Self {
        let every = options.snapshot_every;
        let others = HOT_OTHERS.min(options.hot_orders);
        Self {
            orders: Lane::start(log, options.hot_orders, every),
            bundles: Lane::start(log, others, every),
            stores: Lane::start(log, others, every),
            remittances: Lane::start(log, others, every),
            intakes: Lane::start(log, others, every),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        actor::Role,
        bundle::{BundleCommand, BundleId},
        intake::IntakeCommand,
        remittance::{RemittanceCommand, RemittanceId},
        store::StoreCommand,
    };

    use super::*;

    #[test]
    fn who_is_bound_to_stores_sees_what_belongs_to_them() {
        let (own, foreign): (StoreId, StoreId) =
            ("CFR001".parse().unwrap(), "CFR002".parse().unwrap());
        let staff = Actor {
            id: "somchai".into(),
            role: Role::StoreManager,
            stores: StoreScope::Only(vec![own.clone()]),
        };
        let everybody = Actor {
            stores: StoreScope::All,
            ..staff.clone()
        };
        assert!(Scope::Store(&own).covers(&staff) && !Scope::Store(&foreign).covers(&staff));
        assert!(!Scope::Chain.covers(&staff) && Scope::Open.covers(&staff));
        for scope in [Scope::Store(&foreign), Scope::Chain, Scope::Open] {
            assert!(scope.covers(&everybody));
        }
    }

    #[test]
    fn each_kind_says_who_sees_it() {
        let store: StoreId = "CFR001".parse().unwrap();
        let activate = StoreCommand::Activate;
        assert_eq!(
            Store::scope(&store, &Store::default(), &activate),
            Scope::Store(&store)
        );
        let bundle = BundleId::new("LUNCH").unwrap();
        assert_eq!(
            Bundle::scope(&bundle, &Bundle::default(), &BundleCommand::Activate),
            Scope::Chain
        );
        let remittance: RemittanceId = "GRAB:CFR001:2026-11-24".parse().unwrap();
        assert_eq!(
            Remittance::scope(
                &remittance,
                &Remittance::default(),
                &RemittanceCommand::Close
            ),
            Scope::Store(&store)
        );
        let message = crate::intake::intake_id("sender", "topic", "m-1");
        let dismiss = IntakeCommand::Dismiss {
            reason: String::new(),
        };
        assert_eq!(
            Intake::scope(&message, &Intake::default(), &dismiss),
            Scope::Chain
        );
    }
}
