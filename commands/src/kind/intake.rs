//! Messages that could not be placed: named by their source, seen by who sees the whole chain.

use domain::{
    ids::IntakeId,
    intake::{Intake, IntakeCommand},
};

use super::{Asked, Kind, Lane, Lanes, Scope};
use crate::{
    error::CommandError,
    facts::{Gathered, Sources},
};

impl Kind for Intake {
    fn lane(lanes: &Lanes) -> &Lane<Self> {
        &lanes.intakes
    }

    /// Whoever may place an order may have it rejected; the store it names may be wrong, so what becomes of it is
    /// decided by who sees the whole chain.
    fn scope<'a>(_id: &'a IntakeId, _state: &'a Self, command: &IntakeCommand) -> Scope<'a> {
        match command {
            IntakeCommand::Reject { .. } => Scope::Open,
            IntakeCommand::MarkPlaced { .. } | IntakeCommand::Dismiss { .. } => Scope::Chain,
        }
    }

    async fn gather(_: &Sources, _: Asked<'_, Self>) -> Result<Gathered<()>, CommandError> {
        Ok(().into())
    }
}
