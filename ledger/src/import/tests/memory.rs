//! A ledger in memory: it decides as the real one does, answers late and out of order, and fails when told to.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use commands::{CommandError, Receipt, Request, Target};
use domain::{
    ids::{CommandId, OrderId, OrderNumber},
    order::{Order, OrderCommand, decide},
};
use store::Position;
use uuid::Uuid;

use super::super::Orders;
use crate::sample::{self, stores::STORES};

/// A ledger that keeps its orders in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) state: Mutex<State>,
    pub(super) in_flight: AtomicUsize,
    pub(super) most_in_flight: AtomicUsize,
    /// Tries of each command that fail before one is taken.
    pub(super) failures: usize,
    pub(super) failure: Option<CommandError>,
}

#[derive(Default)]
pub(super) struct State {
    orders: HashMap<OrderId, (Order, i64)>,
    receipts: HashMap<CommandId, Receipt>,
    pub(super) tries: HashMap<CommandId, usize>,
    position: i64,
}

impl Memory {
    fn apply(&self, request: &Request) -> Result<Receipt, CommandError> {
        let mut state = self.state.lock().unwrap();
        let tries = state.tries.entry(request.command_id).or_default();
        *tries += 1;
        if let Some(failure) = self.failure.clone().filter(|_| *tries <= self.failures) {
            return Err(failure);
        }
        if let Some(receipt) = state.receipts.get(&request.command_id) {
            return Ok(Receipt {
                replayed: true,
                ..receipt.clone()
            });
        }
        let id = match request.target {
            Target::New => OrderId(Uuid::now_v7()),
            Target::Entity(id) => id,
        };
        let store = match &request.command {
            OrderCommand::Place(place) => STORES.iter().find(|s| s.id == place.store_id),
            _ => None,
        };
        let facts = sample::facts(store.unwrap_or(&STORES[0]));
        let (mut order, mut version) = state.orders.get(&id).cloned().unwrap_or_default();
        let events = decide(&order, &request.command, &request.actor, &facts)?;
        for event in &events {
            order.apply(event);
            version += 1;
            state.position += 1;
        }
        let receipt = Receipt {
            command_id: request.command_id,
            id,
            version,
            position: Position(state.position),
            event_ids: events.iter().map(|_| Uuid::now_v7()).collect(),
            replayed: false,
        };
        state.orders.insert(id, (order, version));
        state.receipts.insert(request.command_id, receipt.clone());
        Ok(receipt)
    }
}

impl Orders for Memory {
    async fn execute(&self, request: Request) -> Result<Receipt, CommandError> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_in_flight.fetch_max(now, Ordering::Relaxed);
        // Later commands answer sooner.
        let delay = 20 - u64::from(request.command_id.0.as_bytes()[15] % 20);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.apply(&request)
    }

    async fn by_number(&self, number: &OrderNumber) -> Result<Option<OrderId>, CommandError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let state = self.state.lock().unwrap();
        let found = state
            .orders
            .iter()
            .find(|(_, (order, _))| order.number == *number);
        Ok(found.map(|(id, _)| *id))
    }
}
