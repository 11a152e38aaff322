//! What a command would do: decided as the bus decides it, and not appended.
//!
//! A rehearsal leaves nothing behind. No order number is drawn, no key is made, nothing is sealed and the command's id
//! stays free; only refused accesses are audited, as ever. What it says holds for the moment: another command may get
//! in between, and what was free may be taken.

use store::claims;

use super::run::{Attempt, Run};
use crate::{
    error::CommandError,
    kind::{Kind, NUMBER},
    load::{Loaded, unavailable},
    request::Rehearsal,
};

/// Decisions made anew because memory was behind the log, before the caller is told.
const MAX_RETRIES: u32 = 3;

impl<E: Kind> Run<'_, E> {
    pub(super) async fn rehearse(self) -> Result<Rehearsal<E>, CommandError> {
        let hash = self.admit().await?;
        let mut actual = 0;
        for _ in 0..=MAX_RETRIES {
            let loaded = self.load().await?;
            match self.rehearse_on(loaded, hash).await? {
                Ok(rehearsal) => return Ok(rehearsal),
                Err(newest) => actual = newest,
            }
        }
        Err(CommandError::VersionConflict {
            expected: self.request.expected_version,
            actual,
        })
    }

    /// The rehearsal on a state; the version that it was loaded at where the log has gone on.
    async fn rehearse_on(
        &self,
        loaded: Loaded<E>,
        hash: [u8; 32],
    ) -> Result<Result<Rehearsal<E>, i64>, CommandError> {
        if let Some(conflict) = self.conflict(&loaded) {
            return self.refused(loaded, hash, conflict).await.map(replayed);
        }
        let decided = match self.decide(&loaded).await? {
            Ok(decided) => decided,
            Err(refusal) => {
                let refused = self.refused(loaded, hash, refusal.into()).await;
                return refused.map(replayed);
            }
        };
        if let Some(before) = self.before(hash).await? {
            return Ok(replayed(before));
        }
        if loaded.version > 0 && !self.lane.loader.is_current(&loaded).await? {
            self.lane.loader.forget(&loaded.id);
            return Ok(Err(loaded.version));
        }
        if let Some(before) = self.claimed(&decided.events, hash).await? {
            return Ok(replayed(before));
        }
        let event_types: Vec<&'static str> = decided.event_types();
        let stored = loaded.version;
        let grown = i64::try_from(event_types.len()).unwrap_or(i64::MAX);
        let entity = if event_types.is_empty() {
            loaded
        } else {
            Loaded {
                version: stored.saturating_add(grown),
                updated_at: decided.now,
                state: std::sync::Arc::new(decided.after.0),
                ..loaded
            }
        };
        Ok(Ok(Rehearsal {
            entity,
            stored,
            event_types,
            replayed: false,
        }))
    }

    /// Whether something that must be unique is taken: by the same request, whose receipt would be the answer, or by
    /// another one. A number that the ledger would draw is none yet.
    async fn claimed(
        &self,
        events: &[crate::aggregate::Fact<E::Event>],
        hash: [u8; 32],
    ) -> Result<Option<Attempt<E>>, CommandError> {
        let log = &self.bus.sources.log;
        let draws = E::draws_number(&self.request.command);
        let claims = E::claims(events).into_iter();
        for claim in claims.filter(|claim| !(draws && claim.scope == NUMBER)) {
            let claimant = claims::claimant(log.pool(), log.log_id(), &claim.scope, &claim.value);
            let Some(claimant) = claimant.await.map_err(unavailable)? else {
                continue;
            };
            let receipt = log.receipt(claimant.command_id).await;
            return match receipt.map_err(unavailable)? {
                Some((earlier, receipt)) if earlier == hash => self.replay(receipt).await.map(Some),
                _ => Err(CommandError::OrderExists {
                    holder: self.shown(claimant.holder).await?,
                    scope: claim.scope,
                    value: claim.value,
                }),
            };
        }
        Ok(None)
    }
}

fn replayed<E: Kind>(attempt: Attempt<E>) -> Result<Rehearsal<E>, i64> {
    match attempt {
        Attempt::Done(outcome) => Ok(Rehearsal {
            stored: outcome.entity.version,
            entity: outcome.entity,
            event_types: Vec::new(),
            replayed: true,
        }),
        Attempt::Again { actual } => Err(actual),
        // Only an append finds a drawn number taken.
        Attempt::NumberTaken => Err(0),
    }
}
