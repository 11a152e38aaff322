//! What the API needs of the write side and the read side, as one port: the schema is tested against a fake, and
//! [`Live`] is the real thing.

mod live;
mod metrics;
mod past;
mod reads;

use std::sync::Arc;

use async_trait::async_trait;
use commands::{
    CommandError, Outcome, Rehearsal, Request,
    intake::{Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Actor, StoreScope},
    bundle::Bundle,
    entity::Entity,
    ids::{CommandId, IntakeId},
    intake::Intake,
    order::{
        Order,
        command::{Contact, Proof},
        event::Sealed,
    },
    remittance::Remittance,
    store::Store,
};
use projections::{
    Model, ReadError,
    changes::Changes,
    freshness::ModelStatus,
    nodes::{AtLeast, NoNode},
};

use ::store::PhoneHash;

pub use live::Live;
pub use metrics::ShowsMetrics;
pub use past::{LooksBack, Verified, VerifyError};
pub use reads::{Reads, Shows};

/// A refused access, for the audit table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAccess {
    /// Who asked.
    pub actor: String,
    /// In which role.
    pub role: &'static str,
    /// What they wanted to do.
    pub action: &'static str,
    /// To what.
    pub target: String,
    /// Why it was refused.
    pub reason: &'static str,
}

/// What was sealed; `None` when the person was erased; else why it cannot be opened.
pub type Opened<T> = Result<Option<T>, String>;

/// Carries out commands on a kind of entity.
#[async_trait]
pub trait Executes<E: Entity>: Send + Sync {
    /// Carries out a command.
    async fn execute(&self, request: Request<E>) -> Result<Outcome<E>, CommandError>;
}

/// Both sides of the ledger, as the API uses them. What a read model shows is read from a node: [`Backend::read`].
#[async_trait]
pub trait Backend:
    Executes<Order> + Executes<Bundle> + Executes<Store> + Executes<Remittance> + LooksBack
{
    /// Says what a command on an order would do, and does nothing.
    async fn rehearse(&self, request: Request<Order>) -> Result<Rehearsal<Order>, CommandError>;
    /// Takes in an order that came by a message.
    async fn submit(&self, incoming: Incoming) -> Result<Submitted, CommandError>;
    /// Places a dead letter again.
    async fn redrive(&self, id: IntakeId, redrive: Redrive) -> Result<Redriven, CommandError>;
    /// Decides that a dead letter is not to be placed.
    async fn dismiss(
        &self,
        id: IntakeId,
        command_id: CommandId,
        reason: String,
        context: Context,
    ) -> Result<Outcome<Intake>, CommandError>;
    /// Destroys a person's key.
    async fn forget(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError>;
    /// Opens sealed contacts, each in its place.
    async fn open_contacts(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Contact>>, String>;
    /// Opens sealed proofs of collections, each in its place.
    async fn open_proofs(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Proof>>, String>;
    /// By which hash orders for a phone number are found; `None` where the text is no phone number.
    fn phone_hash(&self, phone: &str) -> Option<PhoneHash>;
    /// Chooses the node that answers the reads of a field, and waits there until the models show what is demanded. The
    /// reads show what belongs to the stores in `scope`, and nothing else.
    async fn read(
        &self,
        scope: &StoreScope,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Arc<dyn Reads>, NoNode>;
    /// Where to hear of changes.
    fn changes(&self) -> &Changes;
    /// How far the read models are on the primary, which fills them.
    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError>;
    /// Records a refused access.
    async fn refused(&self, access: RefusedAccess);
}

impl Live {
    /// As a port.
    pub fn shared(self) -> Arc<dyn Backend> {
        Arc::new(self)
    }
}
