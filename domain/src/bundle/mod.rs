//! A bundle: products sold together for a price of their own. Its definition is versioned; an order keeps a
//! snapshot of the version it was sold under.

mod check;
mod decide;
pub mod definition;
mod offer;
mod price;
#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

pub use crate::ids::BundleId;
pub use definition::{
    BundleKind, BundleRules, Component, DailyHours, Definition, ReturnPolicy, Role, Schedule,
};
pub use offer::{Offer, Offered};

pub(crate) use check::hours as check_hours;
pub(crate) use price::Saving;

use crate::{
    actor::{Action, Actor},
    entity::{Command, Entity, event_types},
    ids::{RegionId, StoreId},
    refusal::Refusal,
};

/// A bundle's definition as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The definition in force; `None` before the first.
    pub definition: Option<Definition>,
    /// Its version, from 1.
    pub version: u32,
    /// Whether it is offered at all.
    pub active: bool,
    /// Why it is not offered any more.
    pub retired_reason: Option<String>,
}

/// What may be asked of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum BundleCommand {
    /// Define a new bundle; it is offered at once, inside its schedule.
    Define {
        /// What it is.
        definition: Definition,
    },
    /// Replace the definition by the next version; orders keep the one they were sold under.
    Revise {
        /// What it is from now on.
        definition: Definition,
    },
    /// Offer it again.
    Activate,
    /// Offer it no more.
    Retire {
        /// Why, 1 to 500 characters.
        reason: String,
    },
}

/// What happened to a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum BundleEvent {
    /// It was defined: version 1, offered.
    #[serde(rename = "bundle.defined")]
    Defined {
        /// What it is.
        definition: Definition,
    },
    /// It has a new version.
    #[serde(rename = "bundle.revised")]
    Revised {
        /// The version's number.
        version: u32,
        /// What it is.
        definition: Definition,
    },
    /// It is offered again.
    #[serde(rename = "bundle.activated")]
    Activated {},
    /// It is offered no more.
    #[serde(rename = "bundle.retired")]
    Retired {
        /// Why.
        reason: String,
    },
}

event_types!(BundleEvent {
    "bundle.defined" = Defined { .. },
    "bundle.revised" = Revised { .. },
    "bundle.activated" = Activated {},
    "bundle.retired" = Retired { .. },
});

impl Command for BundleCommand {
    fn action(&self) -> Action {
        Action::ManageBundles
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Define { .. } => "define_bundle",
            Self::Revise { .. } => "revise_bundle",
            Self::Activate => "activate_bundle",
            Self::Retire { .. } => "retire_bundle",
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Define { .. })
    }
}

impl Entity for Bundle {
    const TYPE: &'static str = "bundle";
    const STATE_VERSION: u32 = 1;
    type Id = BundleId;
    type Command = BundleCommand;
    type Event = BundleEvent;
    type Facts = ();

    fn exists(&self) -> bool {
        self.definition.is_some()
    }

    fn apply(&mut self, event: &BundleEvent) {
        match event {
            BundleEvent::Defined { definition } => {
                self.definition = Some(definition.clone());
                self.version = 1;
                self.active = true;
            }
            BundleEvent::Revised {
                version,
                definition,
            } => {
                self.definition = Some(definition.clone());
                self.version = *version;
            }
            BundleEvent::Activated {} => {
                self.active = true;
                self.retired_reason = None;
            }
            BundleEvent::Retired { reason } => {
                self.active = false;
                self.retired_reason = Some(reason.clone());
            }
        }
    }

    fn decide(
        &self,
        command: &BundleCommand,
        _actor: &Actor,
        (): &(),
    ) -> Result<Vec<BundleEvent>, Refusal> {
        decide::decide(self, command)
    }

    fn store_id(&self) -> Option<&StoreId> {
        None
    }

    fn region(&self) -> Option<&RegionId> {
        None
    }
}
