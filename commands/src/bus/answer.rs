//! Answers without an append: refusals, repeats, and what the log did not take.

use domain::{
    actor::StoreScope,
    ids::CommandId,
    order::Order,
    refusal::{Code, Refusal},
};
use observability::names;
use store::AppendError;

use super::run::{Attempt, Run};
use crate::{
    error::CommandError,
    kind::{EXTRA, Kind, NUMBER},
    load::{Loaded, unavailable},
    record,
    request::{Outcome, Receipt},
};

impl<E: Kind> Run<'_, E> {
    /// A command that is refused, and leaves nothing behind: the refusal stands only if the command was not carried
    /// out before and the entity is still as it was loaded.
    pub(super) async fn refused(
        &self,
        loaded: Loaded<E>,
        hash: [u8; 32],
        refusal: CommandError,
    ) -> Result<Attempt<E>, CommandError> {
        if let Some(before) = self.before(hash).await? {
            return Ok(before);
        }
        if loaded.version > 0 && !self.lane.loader.is_current(&loaded).await? {
            self.lane.loader.forget(&loaded.id);
            return Ok(Attempt::Again {
                actual: loaded.version,
            });
        }
        Err(refusal)
    }

    /// What the command's id was used for before: the same request is a replay.
    pub(super) async fn before(&self, hash: [u8; 32]) -> Result<Option<Attempt<E>>, CommandError> {
        let log = &self.bus.sources.log;
        let before = log
            .receipt(record::command_id(self.request.command_id))
            .await
            .map_err(unavailable)?;
        match before {
            Some((earlier, receipt)) if earlier == hash => self.replay(receipt).await.map(Some),
            Some(_) => Err(CommandError::CommandReused),
            None => Ok(None),
        }
    }

    /// The receipt of then, with the entity as it is now.
    pub(super) async fn replay(&self, receipt: store::Receipt) -> Result<Attempt<E>, CommandError> {
        let id: E::Id = receipt.aggregate_id.parse().map_err(|_| {
            let text = &receipt.aggregate_id;
            CommandError::Internal(format!("{text} is not the id of a {}", E::TYPE))
        })?;
        let entity = match self.lane.loader.reload(&id).await? {
            Some(entity) => entity,
            // There was nothing to do, on an entity that does not exist yet.
            None if receipt.version == 0 => {
                Loaded::absent(id.clone(), self.bus.sources.clock.now())
            }
            None => return Err(CommandError::not_found::<E>(&id)),
        };
        self.check_scope(&entity).await?;
        let mut receipt = receipt_of(self.request.command_id, id, receipt);
        receipt.replayed = true;
        Ok(Attempt::Done(Box::new(Outcome { entity, receipt })))
    }

    pub(super) async fn not_appended(
        &self,
        loaded: &Loaded<E>,
        error: AppendError,
    ) -> Result<Attempt<E>, CommandError> {
        match error {
            AppendError::VersionConflict { actual, .. } => {
                self.lane.loader.forget(&loaded.id);
                metrics::counter!(names::COMMAND_CONFLICTS).increment(1);
                if self.request.expected_version.is_some() {
                    return Err(CommandError::VersionConflict {
                        expected: self.request.expected_version,
                        actual,
                    });
                }
                Ok(Attempt::Again { actual })
            }
            // A number that we drew was taken by a caller who brought his own: draw the next one.
            AppendError::ClaimTaken { scope, .. }
                if scope == NUMBER && E::draws_number(&self.request.command) =>
            {
                Ok(Attempt::NumberTaken)
            }
            AppendError::ClaimTaken {
                holder_receipt: Some(receipt),
                ..
            } => self.replay(*receipt).await,
            // The holder is a remittance of the same store: extra cash of another store's order is refused before.
            AppendError::ClaimTaken { scope, holder, .. } if scope == EXTRA => {
                let message = format!(
                    "remittance {holder} takes in extra cash of one of these orders at this moment: try again in a moment"
                );
                Err(Refusal::one(Code::ErrInvalidTransition, "", message).into())
            }
            AppendError::ClaimTaken {
                scope,
                value,
                holder,
                ..
            } => Err(CommandError::OrderExists {
                holder: self.shown(holder).await?,
                scope,
                value,
            }),
            AppendError::CommandReused => Err(CommandError::CommandReused),
            AppendError::Overloaded => Err(CommandError::Overloaded),
            AppendError::OutcomeUnknown(_) => Err(CommandError::OutcomeUnknown),
            AppendError::Unavailable(why) => Err(CommandError::Unavailable(why)),
            // Somebody else's first command of this person got a key, or the key was destroyed: seal again.
            AppendError::SubjectKeyExists(name) => {
                self.bus.sources.vault.refused(&name);
                if self.brings_key() {
                    let why = "the person's key has changed meanwhile";
                    return Err(CommandError::Unavailable(why.to_owned()));
                }
                Ok(Attempt::Again {
                    actual: loaded.version,
                })
            }
            AppendError::Invalid(why) | AppendError::Corrupt(why) => {
                Err(CommandError::Internal(why))
            }
        }
    }

    /// The order that holds a number or a reference, where the caller may see it: its id is nobody else's business.
    pub(super) async fn shown(&self, holder: String) -> Result<Option<String>, CommandError> {
        let stores = &self.request.actor.stores;
        if *stores == StoreScope::All {
            return Ok(Some(holder));
        }
        let Ok(id) = holder.parse() else {
            return Ok(None);
        };
        let order = Order::lane(&self.bus.lanes).loader.load(&id).await?;
        let is_seen = order.is_some_and(|order| stores.covers(&order.state.store_id));
        Ok(is_seen.then_some(holder))
    }
}

pub(super) fn receipt_of<Id>(
    command_id: CommandId,
    id: Id,
    receipt: store::Receipt,
) -> Receipt<Id> {
    Receipt {
        command_id,
        id,
        version: receipt.version,
        position: receipt.last_position,
        event_ids: receipt.event_ids,
        replayed: receipt.replayed,
    }
}
