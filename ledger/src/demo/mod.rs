//! Demo data: 25 stores and a short trading period of made-up orders in every status there is up to delivered and cancelled.
//!
//! The orders go through the command bus like anybody's, at the time that the plan gives each command, under the
//! name of whoever would send it. Command ids come from a fixed seed: loading again, also after a crash half-way,
//! adds only what is missing.

mod clock;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::{
    BusOptions, CommandBus, CommandError, Request, Target,
    facts::{Clock, SystemClock},
    personal::Vault,
};
use domain::{
    actor::{Actor, Role, StoreScope},
    ids::{CommandId, OrderId, StoreId},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{Log, StoreError, stores};

use self::{
    clock::{SimulatedClock, at_time},
    plan::{Phase, Plan, Planned},
};
use crate::{
    progress::Progress,
    sample::{BACK_ORDER_STORE, SampleError, stores::STORES},
};

/// Orders of the trading period.
pub const ORDERS: usize = 400;
/// Orders in work at once.
const CONCURRENCY: usize = 64;
/// Tries of one command while the ledger is busy.
const MAX_TRIES: u32 = 5;
/// The pause between them in milliseconds, times the tries so far.
const PAUSE_MILLIS: u64 = 100;

/// What loading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The demo data is there now.
    Now {
        /// How many orders.
        orders: usize,
        /// How many commands they took.
        commands: usize,
    },
    /// It was there before; nothing was touched.
    Before,
    /// The log holds other orders; nothing was touched.
    LogInUse,
}

/// Why the demo data is not there, or only half. Loading again goes on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A demo order is wrong.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The database is out of reach.
    #[error("demo data: {0}")]
    Store(#[from] StoreError),
    /// The ledger does not take a demo command.
    #[error("demo order {order}: {source}")]
    Command {
        /// Which order, from 0.
        order: usize,
        /// Why.
        source: CommandError,
    },
}

/// Loads the demo data into a log that is empty, or on whose first orders an earlier loading stopped. Shows its
/// progress on a terminal.
pub async fn load(log: &Log, vault: &Vault) -> Result<Loaded, DemoError> {
    if log.receipt(plan::LAST_COMMAND).await?.is_some() {
        return Ok(Loaded::Before);
    }
    if log.head().await?.position.0 > 0 && log.receipt(plan::FIRST_COMMAND).await?.is_none() {
        return Ok(Loaded::LogInUse);
    }
    let plan = Plan::make(ORDERS)?;
    let loaded = Loaded::Now {
        orders: ORDERS,
        commands: plan.commands(),
    };
    let progress = Progress::start("loading demo orders", u64::try_from(plan.commands()).ok());
    let mut loading = Loading {
        log,
        vault,
        bus: bus(log, vault),
        ends_at: SystemClock.now(),
        orders: vec![None; ORDERS],
        progress: &progress,
    };
    for store in STORES {
        stores::upsert(log.pool(), &store.record()).await?;
    }
    for phase in plan.phases {
        loading.run(phase).await?;
    }
    Ok(loaded)
}

/// A bus of our own for every phase: it runs on simulated time, and knows the stores as they are now, while a bus
/// that has been asked before may remember them for some seconds.
fn bus(log: &Log, vault: &Vault) -> CommandBus {
    CommandBus::new(
        log.clone(),
        vault.clone(),
        Arc::new(SimulatedClock),
        BusOptions::default(),
    )
}

struct Loading<'a> {
    log: &'a Log,
    vault: &'a Vault,
    bus: CommandBus,
    /// The end of the trading period: now.
    ends_at: DateTime<Utc>,
    /// The ids of the orders placed so far.
    orders: Vec<Option<OrderId>>,
    progress: &'a Progress,
}

impl Loading<'_> {
    async fn run(&mut self, phase: Phase) -> Result<(), DemoError> {
        if let Some(active) = phase.back_order_store_trades {
            self.set_active(active).await?;
        }
        for window in phase.windows {
            let this = &*self;
            let placed: Vec<(usize, OrderId)> = stream::iter(window)
                .map(|(order, steps)| this.walk(order, steps))
                .buffer_unordered(CONCURRENCY)
                .try_collect()
                .await?;
            for (order, id) in placed {
                if let Some(slot) = self.orders.get_mut(order) {
                    *slot = Some(id);
                }
            }
        }
        Ok(())
    }

    async fn set_active(&mut self, active: bool) -> Result<(), DemoError> {
        if let Some(store) = STORES.iter().find(|s| s.id == BACK_ORDER_STORE) {
            let record = stores::StoreRecord {
                active,
                ..store.record()
            };
            stores::upsert(self.log.pool(), &record).await?;
        }
        self.bus = bus(self.log, self.vault);
        Ok(())
    }

    /// Carries out an order's next steps, one after the other.
    async fn walk(&self, order: usize, steps: Vec<Planned>) -> Result<(usize, OrderId), DemoError> {
        let failed = |source| DemoError::Command { order, source };
        let mut id = self.orders.get(order).copied().flatten();
        for step in steps {
            let at = self.ends_at + step.at;
            let reached = at_time(at, self.send(step, id)).await.map_err(failed)?;
            id = Some(reached);
            self.progress.advance(1);
        }
        let missing = || {
            failed(CommandError::Internal(
                "the plan has no step for this order".into(),
            ))
        };
        Ok((order, id.ok_or_else(missing)?))
    }

    async fn send(&self, step: Planned, order: Option<OrderId>) -> Result<OrderId, CommandError> {
        let request = Request {
            command_id: CommandId(step.command_id),
            actor: actor(step.role, step.store),
            expected_version: None,
            target: order.map_or(Target::New, Target::Order),
            command: step.command,
            correlation_id: step.correlation_id,
            causation_id: None,
            traceparent: None,
        };
        let mut tries = 1;
        loop {
            match self.bus.execute(request.clone()).await {
                Ok(outcome) => return Ok(outcome.receipt.order_id),
                Err(error) if error.is_retryable() && tries < MAX_TRIES => {
                    let pause = PAUSE_MILLIS * u64::from(tries);
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whoever plays the role; people of a store act for it alone.
fn actor(role: Role, store: &str) -> Actor {
    let own = matches!(role, Role::StoreStaff | Role::StoreManager);
    let stores = match StoreId::new(store) {
        Ok(store) if own => StoreScope::Only(vec![store]),
        _ => StoreScope::All,
    };
    Actor {
        id: format!("demo-{}", role.as_str()),
        role,
        stores,
    }
}
