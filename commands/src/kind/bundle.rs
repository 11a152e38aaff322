//! Bundles: named by people, changed by who sees the whole chain.

use ::store::Position;
use domain::bundle::{Bundle, BundleCommand, BundleId};

use super::{Asked, Kind, Lane, Lanes, Scope};
use crate::{
    error::CommandError,
    facts::{Gathered, Sources},
};

impl Kind for Bundle {
    fn lane(lanes: &Lanes) -> &Lane<Self> {
        &lanes.bundles
    }

    fn scope<'a>(_id: &'a BundleId, _state: &'a Self, _command: &BundleCommand) -> Scope<'a> {
        Scope::Chain
    }

    async fn gather(_: &Sources, _: Asked<'_, Self>) -> Result<Gathered<()>, CommandError> {
        Ok(().into())
    }

    fn changed(sources: &Sources, at: Position) {
        sources.bundles.changed(at);
    }
}
