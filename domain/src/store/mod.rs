//! A store of the chain: where it is, whether it trades, and how its orders run.

mod decide;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    actor::{Action, Actor},
    bundle::DailyHours,
    calendar::business_day,
    entity::{Command, Entity, event_types},
    ids::{RegionId, StoreId},
    money::{Money, SCALE},
    order::facts::StoreFacts,
    refusal::Refusal,
};

/// Zones where cash on delivery is offered.
const COD_ZONES: [&str; 2] = ["BKK", "METRO"];
/// The most cash an order may be paid with where a store has no limit of its own: 5,000 THB.
const COD_LIMIT: Money = Money::from_units(5_000 * SCALE);

/// A store as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Store {
    /// What is known of it; `None` before it was opened.
    pub profile: Option<Profile>,
    /// Whether it takes orders.
    pub active: bool,
    /// Why it takes none.
    pub inactive_reason: Option<String>,
}

/// What is known of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: RegionId,
    /// Its price and limit zone, such as `BKK` or `METRO`.
    pub zone: String,
    /// The first business day; before it the store takes no orders. It always traded when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opening: Option<NaiveDate>,
    /// When it is open: for people to read, orders wait for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hours: Option<DailyHours>,
    /// The most cash on delivery per order; the zone's limit when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cod_limit: Option<Money>,
    /// Whether valid orders run to released by themselves; true when absent.
    #[serde(default = "yes")]
    pub auto_release: bool,
}

const fn yes() -> bool {
    true
}

/// What may be asked of a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum StoreCommand {
    /// Open a new store; it takes orders at once, from its opening day on.
    Open {
        /// What is known of it.
        profile: Profile,
    },
    /// Replace what is known of it.
    Change {
        /// What is known of it from now on.
        profile: Profile,
    },
    /// Take orders again.
    Activate,
    /// Take no more orders.
    Deactivate {
        /// Why, 1 to 500 characters.
        reason: String,
    },
}

/// What happened to a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum StoreEvent {
    /// It was opened.
    #[serde(rename = "store.opened")]
    Opened {
        /// What is known of it.
        profile: Profile,
    },
    /// More or other things are known of it.
    #[serde(rename = "store.changed")]
    Changed {
        /// What is known of it.
        profile: Profile,
    },
    /// It takes orders again.
    #[serde(rename = "store.activated")]
    Activated {},
    /// It takes no more orders.
    #[serde(rename = "store.deactivated")]
    Deactivated {
        /// Why.
        reason: String,
    },
}

event_types!(StoreEvent {
    "store.opened" = Opened { .. },
    "store.changed" = Changed { .. },
    "store.activated" = Activated {},
    "store.deactivated" = Deactivated { .. },
});

impl Store {
    /// What an order's decision sees of the store at a moment; `None` for one that is not opened.
    pub fn facts(&self, now: DateTime<Utc>) -> Option<StoreFacts> {
        let profile = self.profile.as_ref()?;
        let is_open = profile.opening.is_none_or(|day| day <= business_day(now));
        let zone_limit = || {
            COD_ZONES
                .contains(&profile.zone.as_str())
                .then_some(COD_LIMIT)
        };
        Some(StoreFacts {
            region: profile.region.clone(),
            active: self.active && is_open,
            cod_limit: profile.cod_limit.or_else(zone_limit),
            auto_release: profile.auto_release,
        })
    }
}

impl Command for StoreCommand {
    fn action(&self) -> Action {
        Action::ManageStores
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open_store",
            Self::Change { .. } => "change_store",
            Self::Activate => "activate_store",
            Self::Deactivate { .. } => "deactivate_store",
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

impl Entity for Store {
    const TYPE: &'static str = "store";
    const STATE_VERSION: u32 = 1;
    type Id = StoreId;
    type Command = StoreCommand;
    type Event = StoreEvent;
    type Facts = ();

    fn exists(&self) -> bool {
        self.profile.is_some()
    }

    fn apply(&mut self, event: &StoreEvent) {
        match event {
            StoreEvent::Opened { profile } => {
                self.profile = Some(profile.clone());
                self.active = true;
            }
            StoreEvent::Changed { profile } => self.profile = Some(profile.clone()),
            StoreEvent::Activated {} => {
                self.active = true;
                self.inactive_reason = None;
            }
            StoreEvent::Deactivated { reason } => {
                self.active = false;
                self.inactive_reason = Some(reason.clone());
            }
        }
    }

    fn decide(
        &self,
        command: &StoreCommand,
        _actor: &Actor,
        (): &(),
    ) -> Result<Vec<StoreEvent>, Refusal> {
        decide::decide(self, command)
    }

    fn store_id(&self) -> Option<&StoreId> {
        None
    }

    fn region(&self) -> Option<&RegionId> {
        self.profile.as_ref().map(|p| &p.region)
    }
}
