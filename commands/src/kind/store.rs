//! Stores: named by people; who is bound to other stores does not see one.

use ::store::Position;
use domain::{
    ids::StoreId,
    store::{Store, StoreCommand},
};

use super::{Asked, Kind, Lane, Lanes, Scope};
use crate::{
    error::CommandError,
    facts::{Gathered, Sources},
};

impl Kind for Store {
    fn lane(lanes: &Lanes) -> &Lane<Self> {
        &lanes.stores
    }

    fn scope<'a>(id: &'a StoreId, _state: &'a Self, _command: &StoreCommand) -> Scope<'a> {
        Scope::Store(id)
    }

    async fn gather(_: &Sources, _: Asked<'_, Self>) -> Result<Gathered<()>, CommandError> {
        Ok(().into())
    }

    fn changed(sources: &Sources, at: Position) {
        sources.stores.changed(at);
    }
}
