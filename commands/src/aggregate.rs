//! The order as a cqrs-es aggregate: newtypes over the pure domain, which knows nothing of cqrs-es.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use domain::{
    actor::Actor,
    order::{Facts, Order, OrderCommand, OrderEvent, Refusal, decide},
};
use serde::{Deserialize, Serialize};

/// `aggregate_type` of orders in the log.
pub const ORDER: &str = "order";

/// An order, driven by cqrs-es.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderAggregate(pub Order);

/// An order event, as cqrs-es stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderFact(pub OrderEvent);

/// A command and who gives it.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is asked.
    pub command: OrderCommand,
    /// Who asks.
    pub actor: Actor,
}

impl DomainEvent for OrderFact {
    fn event_type(&self) -> String {
        self.0.event_type().to_owned()
    }

    fn event_version(&self) -> String {
        self.0.version().to_owned()
    }
}

impl Aggregate for OrderAggregate {
    const TYPE: &'static str = ORDER;
    type Command = Ask;
    type Event = OrderFact;
    type Error = Refusal;
    type Services = Facts;

    async fn handle(
        &mut self,
        ask: Ask,
        facts: &Facts,
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        for event in decide(&self.0, &ask.command, &ask.actor, facts)? {
            sink.write(OrderFact(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: OrderFact) {
        self.0.apply(&event.0);
    }
}
