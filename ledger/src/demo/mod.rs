//! Demo data: 25 stores, what they sell, bundles, and a short trading period of made-up orders in every status there is,
//! with some of the day before, whose cash the delivery partner has reported.
//!
//! Everything goes through the command bus like anybody's, at the time that the plan gives each command, under the
//! name of whoever would send it. Command ids come from a fixed seed: loading again, also after a crash half-way,
//! adds only what is missing.

mod clock;
mod plan;
mod reports;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::{
    BusOptions, CommandBus, CommandError, Kind, Outcome, Request, Target,
    catalogue::PostgresCatalogue,
    facts::{Clock, SystemClock},
    personal::Vault,
};
use domain::{
    actor::{Actor, Role, StoreScope},
    bundle::{Bundle, BundleCommand},
    ids::{CommandId, InvalidId, OrderId, StoreId},
    order::Order,
    remittance::{Remittance, RemittanceCommand},
    store::{Store, StoreCommand},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{Log, StoreError};
use uuid::Uuid;

use self::{
    clock::{SimulatedClock, at_time},
    plan::{Phase, Plan, Planned},
};
use crate::{
    progress::Progress,
    sample::{self, BACK_ORDER_STORE, SampleError, stores::STORES},
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
    /// A demo id is wrong.
    #[error("demo data: {0}")]
    Id(#[from] InvalidId),
    /// The ledger does not take a demo command.
    #[error("demo {what}: {source}")]
    Command {
        /// What it is about, such as `order 17`.
        what: String,
        /// Why.
        source: CommandError,
    },
}

/// Loads the demo data into a log that is empty, or on whose first orders an earlier loading stopped. Shows its
/// progress on a terminal.
pub async fn load(log: &Log, vault: &Vault) -> Result<Loaded, DemoError> {
    for done in [plan::LAST_REPORT, plan::FIRST_VERSION] {
        if log.receipt(done).await?.is_some() {
            return Ok(Loaded::Before);
        }
    }
    if log.head().await?.position.0 > 0 && log.receipt(plan::FIRST_STORE).await?.is_none() {
        return Ok(Loaded::LogInUse);
    }
    let plan = Plan::make(ORDERS)?;
    let loaded = Loaded::Now {
        orders: ORDERS,
        commands: plan.commands(),
    };
    let progress = Progress::start("loading demo orders", u64::try_from(plan.commands()).ok());
    let mut loading = Loading {
        bus: bus(log, vault),
        ends_at: SystemClock.now(),
        orders: vec![None; ORDERS],
        progress: &progress,
    };
    loading.open_stores().await?;
    loading.define_bundles().await?;
    PostgresCatalogue::new(log.pool().clone())
        .import(&sample::catalogue::products()?)
        .await?;
    for phase in plan.phases {
        loading.run(phase).await?;
    }
    loading.report().await?;
    Ok(loaded)
}

/// A bus of our own: it runs on simulated time.
fn bus(log: &Log, vault: &Vault) -> CommandBus {
    CommandBus::new(
        log.clone(),
        vault.clone(),
        Arc::new(SimulatedClock),
        BusOptions::default(),
    )
}

struct Loading<'a> {
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

    async fn open_stores(&self) -> Result<(), DemoError> {
        for (at, store) in STORES.iter().enumerate() {
            let command = StoreCommand::Open {
                profile: store.profile()?,
            };
            let id = StoreId::new(store.id)?;
            let what = format!("store {id}");
            let command_id = plan::store_command(at);
            self.set_up::<Store>(command_id, id, command, what).await?;
        }
        Ok(())
    }

    async fn define_bundles(&self) -> Result<(), DemoError> {
        for (at, (id, definition)) in sample::bundles::definitions()?.into_iter().enumerate() {
            let command = BundleCommand::Define { definition };
            let what = format!("bundle {id}");
            let command_id = plan::bundle_command(at);
            self.set_up::<Bundle>(command_id, id, command, what).await?;
        }
        Ok(())
    }

    /// What the partner says about the cash of the day before, store by store.
    async fn report(&self) -> Result<(), DemoError> {
        let mut collected = Vec::new();
        for id in self.orders.iter().flatten() {
            let order = self.bus.load::<Order>(id).await;
            let failed = |source| DemoError::Command {
                what: format!("order {id}"),
                source,
            };
            collected.extend(order.map_err(failed)?);
        }
        let reports = reports::of_days_before(&collected, self.ends_at);
        let count = reports.len();
        for (at, (id, items)) in reports.into_iter().enumerate() {
            let command = RemittanceCommand::Report {
                report_id: format!("GRAB-{}", id.day()),
                items,
                total: None,
            };
            let what = format!("report {id}");
            let command_id = plan::report_command(at, count);
            self.set_up::<Remittance>(command_id, id, command, what)
                .await?;
        }
        Ok(())
    }

    async fn set_up<E: Kind>(
        &self,
        command_id: Uuid,
        id: E::Id,
        command: E::Command,
        what: String,
    ) -> Result<(), DemoError> {
        let request = Request::<E> {
            command_id: CommandId(command_id),
            actor: actor(Role::Ops, ""),
            expected_version: None,
            target: Target::Entity(id),
            command,
            correlation_id: command_id,
            causation_id: None,
            traceparent: None,
        };
        let sent = self.try_often(request).await;
        sent.map(drop)
            .map_err(|source| DemoError::Command { what, source })
    }

    async fn set_active(&self, active: bool) -> Result<(), DemoError> {
        let command = if active {
            StoreCommand::Activate
        } else {
            let reason = "flooded street".to_owned();
            StoreCommand::Deactivate { reason }
        };
        let id = StoreId::new(BACK_ORDER_STORE)?;
        let what = format!("store {id}");
        let command_id = plan::closing_command(active);
        self.set_up::<Store>(command_id, id, command, what).await
    }

    /// Carries out an order's next steps, one after the other.
    async fn walk(&self, order: usize, steps: Vec<Planned>) -> Result<(usize, OrderId), DemoError> {
        let failed = |source| DemoError::Command {
            what: format!("order {order}"),
            source,
        };
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
        let request = Request::<Order> {
            command_id: CommandId(step.command_id),
            actor: actor(step.role, step.store),
            expected_version: None,
            target: order.map_or(Target::New, Target::Entity),
            command: step.command,
            correlation_id: step.correlation_id,
            causation_id: None,
            traceparent: None,
        };
        Ok(self.try_often(request).await?.receipt.id)
    }

    async fn try_often<E: Kind>(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        let mut tries = 1;
        loop {
            match self.bus.execute(request.clone()).await {
                Err(error) if error.is_retryable() && tries < MAX_TRIES => {
                    let pause = PAUSE_MILLIS * u64::from(tries);
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                    tries += 1;
                }
                result => return result,
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
