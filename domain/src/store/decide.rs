//! Decisions on a store.

use super::{Profile, Store, StoreCommand, StoreEvent};
use crate::{
    bundle::check_hours,
    entity::Entity,
    refusal::{Code, Refusal},
    validate::{Problems, is_plausible},
};

/// Longest name.
const MAX_NAME: usize = 200;
/// Longest zone.
const MAX_ZONE: usize = 20;

type Decision = Result<Vec<StoreEvent>, Refusal>;

pub(super) fn decide(store: &Store, command: &StoreCommand) -> Decision {
    match command {
        StoreCommand::Open { profile } => open(store, profile),
        _ if !store.exists() => {
            let message = "the store is not opened yet: open it first";
            Err(Refusal::one(Code::ErrInvalidTransition, "", message))
        }
        StoreCommand::Change { profile } => {
            let profile = check(profile)?;
            if store.profile.as_ref() == Some(&profile) {
                return Ok(Vec::new());
            }
            Ok(vec![StoreEvent::Changed { profile }])
        }
        StoreCommand::Activate if store.active => Ok(Vec::new()),
        StoreCommand::Activate => Ok(vec![StoreEvent::Activated {}]),
        StoreCommand::Deactivate { .. } if !store.active => Ok(Vec::new()),
        StoreCommand::Deactivate { reason } => {
            let mut problems = Problems::default();
            let reason = problems.reason(reason);
            let reason = problems.finish(reason)?;
            Ok(vec![StoreEvent::Deactivated { reason }])
        }
    }
}

/// A new store. What is known of it already changes nothing; anything else is a change, which somebody must
/// ask for.
fn open(store: &Store, given: &Profile) -> Decision {
    let profile = check(given)?;
    match &store.profile {
        None => Ok(vec![StoreEvent::Opened { profile }]),
        Some(current) if *current == profile => Ok(Vec::new()),
        Some(_) => {
            let message = "this store is open already, otherwise: change it, or take another id";
            Err(Refusal::one(Code::StoreExists, "", message))
        }
    }
}

/// The profile with its texts cleaned.
fn check(given: &Profile) -> Result<Profile, Refusal> {
    let code = Code::Validation;
    let mut problems = Problems::default();
    let name = problems.required(code, "profile.name", Some(&given.name), MAX_NAME);
    let zone = problems.required(code, "profile.zone", Some(&given.zone), MAX_ZONE);
    let opening = given.opening.map(crate::calendar::day_start);
    if opening.is_some_and(|day| !is_plausible(day)) {
        let message = "profile.opening must lie in the years 2000 to 2199";
        problems.add(code, "profile.opening", message);
    }
    if let Some(Err(problem)) = given.hours.map(check_hours) {
        let path = "profile.hours";
        problems.add(code, path, format!("{path} {problem}"));
    }
    if given.cod_limit.is_some_and(|limit| !limit.is_positive()) {
        let message = "profile.codLimit must be above zero: leave it out for the zone's own";
        problems.add(code, "profile.codLimit", message);
    }
    let profile = name.zip(zone).map(|(name, zone)| Profile {
        name,
        zone,
        ..given.clone()
    });
    problems.finish(profile)
}
