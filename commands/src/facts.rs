//! Gathers what a decision needs to know that is not in the order's own history.

use chrono::{DateTime, Utc};
use domain::{
    actor::Actor,
    ids::{CustomerId, OrderId, StoreId},
    order::{
        Facts, OrderCommand,
        command::{Contact, PlaceOrder},
        facts::{Standing, StoreFacts},
    },
};
use store::{Log, SubjectKey};

use crate::{
    error::CommandError,
    load::{LoadedOrder, unavailable},
    numbers::Numbers,
    personal::{Vault, VaultError},
    stores::StoreDirectory,
};

/// The time, as everything but the domain asks for it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Now, to the millisecond: what events store.
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }
}

/// Gathers facts.
#[derive(Clone)]
pub struct Gatherer {
    stores: StoreDirectory,
    numbers: Numbers,
    vault: Vault,
}

/// Facts, and the personal-data key to store with the events they lead to.
pub struct Gathered {
    /// For the decision.
    pub facts: Facts,
    /// For the append.
    pub new_key: Option<SubjectKey>,
}

impl Gatherer {
    /// A gatherer over the log's reference tables.
    pub fn new(log: &Log, vault: Vault) -> Self {
        Self {
            stores: StoreDirectory::new(log.clone()),
            numbers: Numbers::new(log.clone()),
            vault,
        }
    }

    /// Leaves the drawn block of order numbers behind: callers brought numbers of it.
    pub async fn skip_numbers(&self) {
        self.numbers.skip().await;
    }

    /// The facts for one command on one order.
    pub async fn gather(
        &self,
        loaded: &LoadedOrder,
        command: &OrderCommand,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Gathered, CommandError> {
        match command {
            OrderCommand::Place(place) => self.for_placing(loaded.id, place, actor, now).await,
            _ => {
                let store = self
                    .stores
                    .get(&loaded.order.store_id)
                    .await
                    .map_err(unavailable)?;
                Ok(Gathered {
                    facts: facts(now, store),
                    new_key: None,
                })
            }
        }
    }

    async fn for_placing(
        &self,
        id: OrderId,
        place: &PlaceOrder,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Gathered, CommandError> {
        // Of a store outside the caller's scope nothing is known, not even whether there is one.
        let store = match StoreId::new(place.store_id.clone()) {
            Ok(store) if actor.stores.covers(&store) => {
                self.stores.get(&store).await.map_err(unavailable)?
            }
            _ => None,
        };
        let mut facts = facts(now, store);
        if place.number.is_none() {
            facts.number = Some(self.numbers.next(now).await.map_err(unavailable)?);
        }
        let Some(contact) = place.contact.as_ref().and_then(Contact::normalised) else {
            return Ok(Gathered {
                facts,
                new_key: None,
            });
        };
        let customer = place
            .customer_id
            .as_ref()
            .and_then(|c| CustomerId::new(c.clone()).ok());
        let sealed = self
            .vault
            .seal(&contact, customer.as_ref(), id)
            .await
            .map_err(sealing)?;
        facts.contact = Some(sealed.contact);
        Ok(Gathered {
            facts,
            new_key: sealed.new_key,
        })
    }
}

fn facts(now: DateTime<Utc>, store: Option<StoreFacts>) -> Facts {
    Facts {
        now,
        store,
        number: None,
        contact: None,
        customer: Standing::NotChecked,
        membership: Standing::NotChecked,
    }
}

fn sealing(error: VaultError) -> CommandError {
    match error {
        VaultError::Store(e) => unavailable(e),
        other => CommandError::Internal(other.to_string()),
    }
}
