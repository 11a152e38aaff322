//! The inputs of the commands on stores.

use async_graphql::{ID, InputObject};
use domain::{
    ids::StoreId,
    store::{Profile, Store, StoreCommand},
};

use crate::schema::{
    bundle::input::{DailyHoursInput, hours},
    command::{Fields, Stated, Statement, command_input},
    problem::Problem,
    scalars::{Date, Decimal, Uuid},
};

/// What is known of a store.
#[derive(Debug, Clone, InputObject)]
pub struct StoreProfileInput {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its price and limit zone, such as BKK or METRO.
    pub zone: String,
    /// The first business day; before it the store takes no orders. It always traded when absent.
    pub opening: Option<Date>,
    /// When it is open: for people to read, orders wait for it.
    pub hours: Option<DailyHoursInput>,
    /// The most cash on delivery per order; the zone's limit when absent.
    pub cod_limit: Option<Decimal>,
    /// Whether valid orders run to released by themselves.
    #[graphql(default = true)]
    pub auto_release: bool,
}

impl StoreProfileInput {
    fn profile(self) -> Result<Profile, Vec<Problem>> {
        let mut fields = Fields::default();
        let profile = self.typed(&mut fields);
        profile.ok_or_else(|| fields.problems())
    }

    /// `None` when a part does not fit: then `fields` knows which.
    fn typed(self, fields: &mut Fields) -> Option<Profile> {
        let region = fields.id("profile.region", &self.region);
        let hours = self
            .hours
            .map_or(Some(None), |h| hours(fields, "profile.hours", h).map(Some));
        Some(Profile {
            name: self.name,
            region: region?,
            zone: self.zone,
            opening: self.opening.map(|d| d.0),
            hours: hours?,
            cod_limit: self.cod_limit.map(|d| d.0),
            auto_release: self.auto_release,
        })
    }
}

/// A new store.
#[derive(Debug, Clone, InputObject)]
pub struct OpenStoreInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// Its id for good: `CFR` and three digits.
    pub store_id: ID,
    /// What is known of it.
    pub profile: StoreProfileInput,
}

impl From<OpenStoreInput> for Statement<Store> {
    fn from(i: OpenStoreInput) -> Self {
        let mut fields = Fields::default();
        let id: Option<StoreId> = fields.id("storeId", i.store_id.as_str());
        let profile = i.profile.typed(&mut fields);
        let (Some(id), Some(profile)) = (id, profile) else {
            return Err(fields.problems());
        };
        let command = StoreCommand::Open { profile };
        Ok(Stated::named(i.command_id, id, None, command))
    }
}

command_input! {
    /// What is known of a store from now on: replaces all of it.
    ChangeStoreInput on Store, store_id: "The store." {
        /// What is known of it.
        profile: StoreProfileInput,
    }
    input => StoreCommand::Change { profile: input.profile.profile()? }
}

command_input! {
    /// A command on a store without content of its own.
    StoreCommandInput on Store, store_id: "The store." {}
    input => StoreCommand::Activate
}

command_input! {
    /// No more orders for a store.
    DeactivateStoreInput on Store, store_id: "The store." {
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => StoreCommand::Deactivate { reason: input.reason }
}
