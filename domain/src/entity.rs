//! What every kind of aggregate has in common, so that one bus drives them all.

use std::{
    fmt::{Debug, Display},
    hash::Hash,
    str::FromStr,
};

use serde::{Serialize, Serializer, de::DeserializeOwned};

use crate::{
    actor::{Action, Actor},
    ids::{RegionId, StoreId},
    probe::Probe,
    refusal::Refusal,
};

/// A kind of aggregate: its state, the fold of its own events, and its decisions. Pure.
///
/// [`Default`] is one that does not exist yet; its fields mean nothing until [`Self::exists`].
pub trait Entity:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The kind's name in the log.
    const TYPE: &'static str;
    /// The shape of the serialised state. Raise it with every change of shape: a snapshot of
    /// another version is thrown away and folded anew.
    const STATE_VERSION: u32;
    /// What names one of them; as text it is the stream's id.
    type Id: Clone + Debug + Display + FromStr + Eq + Hash + Send + Sync + 'static;
    /// What may be asked of one.
    type Command: Command;
    /// What may have happened to one.
    type Event: Event;
    /// What a decision needs to know beyond the history.
    type Facts: Send + Sync;

    /// Whether its first event happened.
    fn exists(&self) -> bool;

    /// Takes in one event. Total: whatever the log holds, it neither fails nor panics, because the
    /// decision was made when the event was written.
    fn apply(&mut self, event: &Self::Event);

    /// Decides a command against the history. An empty answer means that the command's effect is
    /// already there: a repeat is harmless. The caller has checked that the actor may do
    /// [`Command::action`] and may see the entity's store.
    ///
    /// # Errors
    /// A [`Refusal`] with every broken rule at once.
    fn decide(
        &self,
        command: &Self::Command,
        actor: &Actor,
        facts: &Self::Facts,
    ) -> Result<Vec<Self::Event>, Refusal>;

    /// As [`Self::decide`], telling the probe of each step as soon as it is done, where the decision has any.
    ///
    /// # Errors
    /// As [`Self::decide`].
    fn decide_probed(
        &self,
        command: &Self::Command,
        actor: &Actor,
        facts: &Self::Facts,
        _probe: &mut dyn Probe,
    ) -> Result<Vec<Self::Event>, Refusal> {
        self.decide(command, actor, facts)
    }

    /// The store it belongs to: who is bound to other stores does not see it. `None` for what
    /// belongs to the whole chain.
    fn store_id(&self) -> Option<&StoreId>;

    /// The region of its store.
    fn region(&self) -> Option<&RegionId>;
}

/// Something asked of an entity.
pub trait Command: Clone + Debug + Serialize + Send + Sync + 'static {
    /// What the actor must be allowed to do.
    fn action(&self) -> Action;

    /// One word for metrics and logs.
    fn name(&self) -> &'static str;

    /// Whether it may be the entity's first: any other needs one that exists.
    fn creates(&self) -> bool;

    /// What tells this command from another one under the same id: all that it says, where a kind knows no better.
    /// What it gave once it gives for good, or a repeat would not be recognised.
    ///
    /// # Errors
    /// The serializer's.
    fn content<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// Something that happened to an entity: the only things ever stored. Its fields never change
/// meaning; a breaking change is a new version with an upcaster.
pub trait Event:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Every type, in the order of a life.
    const TYPES: &'static [&'static str];

    /// The type as it is stored and published; equals the payload's `type`.
    fn event_type(&self) -> &'static str;

    /// The version that `event_type` is written in today, `None` for a type of another kind.
    fn current_version(event_type: &str) -> Option<&'static str> {
        Self::TYPES.contains(&event_type).then_some("1")
    }

    /// Turns the payload of an older version into today's; `None` for a version nobody wrote.
    fn upcast(
        _event_type: &str,
        _version: &str,
        _payload: serde_json::Value,
    ) -> Option<serde_json::Value> {
        None
    }

    /// The version of the payload's shape.
    fn version(&self) -> &'static str {
        Self::current_version(self.event_type()).unwrap_or("1")
    }
}

/// Names the variants of an event enum: `event_types!(OrderEvent { "order.placed" = Placed(..), })`.
macro_rules! event_types {
    ($event:ident { $($name:literal = $pattern:pat,)+ }) => {
        impl $crate::entity::Event for $event {
            const TYPES: &'static [&'static str] = &[$($name),+];

            fn event_type(&self) -> &'static str {
                #[allow(unused_imports)]
                use $event::*;
                match self {
                    $($pattern => $name,)+
                }
            }
        }
    };
}
pub(crate) use event_types;
