//! Decisions on a bundle's definition.

use super::{Bundle, BundleCommand, BundleEvent, check, definition::Definition};
use crate::{
    entity::Entity,
    refusal::{Code, Refusal},
    validate::Problems,
};

type Decision = Result<Vec<BundleEvent>, Refusal>;

pub(super) fn decide(bundle: &Bundle, command: &BundleCommand) -> Decision {
    match command {
        BundleCommand::Define { definition } => define(bundle, definition),
        _ if !bundle.exists() => {
            let message = "the bundle is not defined yet: define it first";
            Err(Refusal::one(Code::ErrInvalidTransition, "", message))
        }
        BundleCommand::Revise { definition } => revise(bundle, definition),
        BundleCommand::Activate if bundle.active => Ok(Vec::new()),
        BundleCommand::Activate => Ok(vec![BundleEvent::Activated {}]),
        BundleCommand::Retire { .. } if !bundle.active => Ok(Vec::new()),
        BundleCommand::Retire { reason } => {
            let mut problems = Problems::default();
            let reason = problems.reason(reason);
            let reason = problems.finish(reason)?;
            Ok(vec![BundleEvent::Retired { reason }])
        }
    }
}

/// The first definition. The one in force again changes nothing; another one is a revision, which somebody
/// must ask for.
fn define(bundle: &Bundle, given: &Definition) -> Decision {
    let definition = check::definition(given)?;
    match &bundle.definition {
        None => Ok(vec![BundleEvent::Defined { definition }]),
        Some(current) if *current == definition => Ok(Vec::new()),
        Some(_) => {
            let message =
                "this bundle is defined already, otherwise: revise it, or take another id";
            Err(Refusal::one(Code::BundleExists, "", message))
        }
    }
}

/// The next version; a retired bundle stays retired.
fn revise(bundle: &Bundle, given: &Definition) -> Decision {
    let definition = check::definition(given)?;
    if bundle.definition.as_ref() == Some(&definition) {
        return Ok(Vec::new());
    }
    let version = bundle.version.saturating_add(1);
    Ok(vec![BundleEvent::Revised {
        version,
        definition,
    }])
}
