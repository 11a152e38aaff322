//! An entity as a cqrs-es aggregate: newtypes over the pure domain, which knows nothing of cqrs-es.

use std::sync::{Mutex, PoisonError};

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use domain::{
    actor::Actor,
    entity::{Entity, Event},
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};

use crate::steps::{StepMicros, StepWatch};

/// An entity, driven by cqrs-es.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Driven<E>(pub E);

/// An event, as cqrs-es stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fact<V>(pub V);

/// A command and who gives it.
#[derive(Debug, Clone)]
pub struct Ask<E: Entity> {
    /// What is asked.
    pub command: E::Command,
    /// Who asks.
    pub actor: Actor,
}

/// What a decision needs beside the command: its facts, and a watch for its steps.
pub struct Services<F> {
    facts: F,
    watch: Mutex<StepWatch>,
}

impl<F> From<F> for Services<F> {
    /// With a watch that starts now.
    fn from(facts: F) -> Self {
        Self {
            facts,
            watch: Mutex::new(StepWatch::start()),
        }
    }
}

impl<F> Services<F> {
    /// What the watch showed.
    pub(crate) fn into_steps(self) -> StepMicros {
        self.watch
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .steps()
    }
}

impl<V: Event> DomainEvent for Fact<V> {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        self.0.version().to_owned()
    }
}

impl<E: Entity> Aggregate for Driven<E> {
    const TYPE: &'static str = E::TYPE;
    type Command = Ask<E>;
    type Event = Fact<E::Event>;
    type Error = Refusal;
    type Services = Services<E::Facts>;

    async fn handle(
        &mut self,
        ask: Ask<E>,
        services: &Services<E::Facts>,
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        let decided = {
            let mut watch = services
                .watch
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let (ask, facts) = (&ask, &services.facts);
            self.0
                .decide_probed(&ask.command, &ask.actor, facts, &mut *watch)?
        };
        for event in decided {
            sink.write(Fact(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Fact<E::Event>) {
        self.0.apply(&event.0);
    }
}
