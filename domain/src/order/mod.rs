//! The order: its words ([`command`], [`event`], [`status`]), its state ([`Order`]) and its decisions.

mod after;
mod apply;
pub mod command;
mod decide;
pub mod event;
pub mod facts;
mod refigure;
mod state;
pub mod status;
#[cfg(test)]
pub(crate) mod tests;

pub use after::{
    Answer, Attempt, Collection, CollectionStatus, Goods, LineState, Offer, Original, Payment,
    Reconciled, ShortReport, TakenIn,
};
pub use command::OrderCommand;
pub use decide::{COLLECTION_WITHIN, PICKING_WITHIN, decide, decide_probed};
pub use event::OrderEvent;
pub use facts::Facts;
pub use state::Order;
pub use status::{OrderStatus, PaymentStatus};

use crate::{
    actor::Actor,
    entity::Entity,
    ids::{OrderId, RegionId, StoreId},
    probe::Probe,
    refusal::Refusal,
};

impl Entity for Order {
    const TYPE: &'static str = "order";
    const STATE_VERSION: u32 = 3;
    type Id = OrderId;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Facts = Facts;

    fn exists(&self) -> bool {
        self.exists()
    }

    fn apply(&mut self, event: &OrderEvent) {
        self.apply(event);
    }

    fn decide(
        &self,
        command: &OrderCommand,
        actor: &Actor,
        facts: &Facts,
    ) -> Result<Vec<OrderEvent>, Refusal> {
        decide(self, command, actor, facts)
    }

    fn decide_probed(
        &self,
        command: &OrderCommand,
        actor: &Actor,
        facts: &Facts,
        probe: &mut dyn Probe,
    ) -> Result<Vec<OrderEvent>, Refusal> {
        decide_probed(self, command, actor, facts, probe)
    }

    fn store_id(&self) -> Option<&StoreId> {
        Some(&self.store_id)
    }

    fn region(&self) -> Option<&RegionId> {
        Some(&self.region)
    }
}
