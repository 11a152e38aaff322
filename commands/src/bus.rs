//! The command bus: authorise, load, decide, append, answer with a receipt, inside a deadline.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::{
    actor::{Action, Actor},
    ids::{CommandId, OrderId},
    order::{OrderCommand, Refusal},
};
use observability::names;
use store::{Append, AppendError, Log, audit};
use uuid::Uuid;

use crate::{
    aggregate::{Ask, OrderAggregate, OrderFact},
    error::CommandError,
    facts::{Clock, Gathered, Gatherer},
    load::{LoadedOrder, Loader, stream_id, unavailable},
    personal::Vault,
    record,
    request::{Outcome, Receipt, Request, Target},
    snapshot::Snapshots,
};

/// Decisions made anew after another command got in between, before the caller is told.
const MAX_RETRIES: u32 = 3;
/// Order numbers drawn for one order before the caller is told. From the second on each opens a new block, and what
/// was passed over stays passed over, so a day's imported numbers are soon behind.
const MAX_NUMBERS: u32 = 16;

/// How the bus behaves.
#[derive(Debug, Clone, Copy)]
pub struct BusOptions {
    /// The longest a caller waits for an answer.
    pub deadline: Duration,
    /// Orders kept in memory.
    pub hot_orders: u64,
    /// Events between snapshots of one order; 0 for none.
    pub snapshot_every: i64,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            hot_orders: 10_000,
            snapshot_every: 50,
        }
    }
}

/// Executes order commands. Cheap to clone.
#[derive(Clone)]
pub struct CommandBus {
    log: Log,
    vault: Vault,
    clock: Arc<dyn Clock>,
    loader: Loader,
    gatherer: Gatherer,
    snapshots: Snapshots,
    deadline: Duration,
}

/// What one attempt came to.
enum Attempt {
    Done(Box<Outcome>),
    /// Another command got in between: decide anew.
    Again {
        actual: i64,
    },
    /// A caller brought the number that we drew: draw another.
    NumberTaken,
}

impl CommandBus {
    /// A bus that appends to `log`. Must be called inside a Tokio runtime: it starts the snapshot writer.
    pub fn new(log: Log, vault: Vault, clock: Arc<dyn Clock>, options: BusOptions) -> Self {
        let snapshot_from = if options.snapshot_every > 0 {
            options.snapshot_every
        } else {
            i64::MAX
        };
        Self {
            loader: Loader::new(log.clone(), options.hot_orders, snapshot_from),
            gatherer: Gatherer::new(&log, vault.clone()),
            snapshots: Snapshots::start(log.clone(), options.snapshot_every),
            deadline: options.deadline,
            log,
            vault,
            clock,
        }
    }

    /// The vault that opens sealed contacts.
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Carries out one command and returns the proof, or says why not.
    pub async fn execute(&self, request: Request) -> Result<Outcome, CommandError> {
        let started = Instant::now();
        let name = command_name(&request.command);
        let submitted = AtomicBool::new(false);
        let result = match tokio::time::timeout(self.deadline, self.run(&request, &submitted)).await
        {
            Ok(result) => result,
            Err(_) if submitted.load(Ordering::Relaxed) => Err(CommandError::OutcomeUnknown),
            Err(_) => Err(CommandError::DeadlineExceeded),
        };
        let outcome = match &result {
            Ok(outcome) if outcome.receipt.replayed => "replayed",
            Ok(outcome) if outcome.receipt.event_ids.is_empty() => "already_applied",
            Ok(_) => "done",
            Err(error) => error.outcome(),
        };
        metrics::histogram!(names::COMMAND_SECONDS, "command" => name, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        result
    }

    /// The order as the write side knows it, whatever the caller's scope.
    pub async fn load(&self, id: OrderId) -> Result<Option<LoadedOrder>, CommandError> {
        self.loader.reload(id).await
    }

    async fn run(
        &self,
        request: &Request,
        submitted: &AtomicBool,
    ) -> Result<Outcome, CommandError> {
        let action = request.command.action();
        if !request.actor.role.may(action) {
            self.deny(request, action, "role").await;
            return Err(CommandError::Forbidden { action });
        }
        let content =
            record::content(request).map_err(|e| CommandError::Internal(e.to_string()))?;
        let hash = self.vault.fingerprint(&content);
        let (mut actual, mut conflicts, mut numbers) = (0, 0, 0);
        // Ends: every turn but the last counts against one of the two bounds.
        while conflicts <= MAX_RETRIES {
            let loaded = self.load_for(request).await?;
            match self.attempt(request, loaded, hash, submitted).await? {
                Attempt::Done(outcome) => return Ok(*outcome),
                Attempt::Again { actual: newest } => {
                    actual = newest;
                    conflicts += 1;
                }
                Attempt::NumberTaken if numbers == MAX_NUMBERS => {
                    let why = "the next order numbers are taken by callers who brought their own";
                    return Err(CommandError::Unavailable(why.to_owned()));
                }
                Attempt::NumberTaken => {
                    if numbers > 0 {
                        self.gatherer.skip_numbers().await;
                    }
                    numbers += 1;
                }
            }
        }
        Err(CommandError::VersionConflict {
            expected: request.expected_version,
            actual,
        })
    }

    async fn load_for(&self, request: &Request) -> Result<LoadedOrder, CommandError> {
        let id = match request.target {
            Target::New => {
                return Ok(LoadedOrder::unplaced(
                    OrderId(Uuid::now_v7()),
                    self.clock.now(),
                ));
            }
            Target::Order(id) => id,
        };
        let loaded = self
            .loader
            .load(id)
            .await?
            .ok_or(CommandError::NotFound(id))?;
        if covers(&request.actor, &loaded) {
            return Ok(loaded);
        }
        self.deny(request, request.command.action(), "store").await;
        Err(CommandError::NotFound(id))
    }

    async fn attempt(
        &self,
        request: &Request,
        loaded: LoadedOrder,
        hash: [u8; 32],
        submitted: &AtomicBool,
    ) -> Result<Attempt, CommandError> {
        if let Some(expected) = request.expected_version.filter(|v| *v != loaded.version) {
            let conflict = CommandError::VersionConflict {
                expected: Some(expected),
                actual: loaded.version,
            };
            return self
                .without_effect(request, loaded, hash, Err(conflict))
                .await;
        }
        let now = self.clock.now();
        let gathered = self
            .gatherer
            .gather(&loaded, &request.command, &request.actor, now)
            .await?;
        let mut order = OrderAggregate((*loaded.order).clone());
        let decided = match decide(&mut order, request, &gathered).await {
            Ok(decided) if decided.is_empty() => {
                return self.without_effect(request, loaded, hash, Ok(())).await;
            }
            Ok(decided) => decided,
            Err(refusal) => {
                return self
                    .without_effect(request, loaded, hash, Err(refusal.into()))
                    .await;
            }
        };
        let append = self.append_of(request, &loaded, hash, &order, &decided, gathered, now)?;
        submitted.store(true, Ordering::Relaxed);
        let appended = self.log.append(append).await;
        // What is in the log stays submitted: a deadline from here on must not say "nothing was written".
        submitted.store(appended.is_ok(), Ordering::Relaxed);
        match appended {
            Ok(receipt) if receipt.replayed => self.replay(request, receipt).await,
            Ok(receipt) => Ok(self.done(request, loaded, order, receipt, now)),
            Err(error) => self.not_appended(request, &loaded, error).await,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn append_of(
        &self,
        request: &Request,
        loaded: &LoadedOrder,
        hash: [u8; 32],
        order: &OrderAggregate,
        decided: &[OrderFact],
        gathered: Gathered,
        now: DateTime<Utc>,
    ) -> Result<Append, CommandError> {
        Ok(Append {
            command_id: record::command_id(request.command_id),
            request_hash: hash,
            stream: stream_id(loaded.id),
            expected_version: loaded.version,
            events: record::events(decided, &order.0, request, now)
                .map_err(|e| CommandError::Internal(e.to_string()))?,
            claims: record::claims(decided),
            subject_key: gathered.new_key,
        })
    }

    fn done(
        &self,
        request: &Request,
        loaded: LoadedOrder,
        order: OrderAggregate,
        receipt: store::Receipt,
        now: DateTime<Utc>,
    ) -> Attempt {
        let after = LoadedOrder {
            id: loaded.id,
            version: receipt.version,
            position: receipt.last_position,
            placed_at: if loaded.version == 0 {
                now
            } else {
                loaded.placed_at
            },
            updated_at: now,
            order: Arc::new(order.0),
        };
        self.loader.remember(after.clone());
        self.snapshots
            .grown(loaded.id, loaded.version, receipt.version);
        let receipt = receipt_of(request.command_id, loaded.id, receipt);
        Attempt::Done(Box::new(Outcome {
            order: after,
            receipt,
        }))
    }

    /// A command that would append nothing: the answer stands only if the command was not carried out before
    /// and the order is still as it was loaded.
    async fn without_effect(
        &self,
        request: &Request,
        loaded: LoadedOrder,
        hash: [u8; 32],
        answer: Result<(), CommandError>,
    ) -> Result<Attempt, CommandError> {
        let before = self
            .log
            .receipt(record::command_id(request.command_id))
            .await
            .map_err(unavailable)?;
        match before {
            Some((earlier, receipt)) if earlier == hash => {
                return self.replay(request, receipt).await;
            }
            Some(_) => return Err(CommandError::CommandReused),
            None => {}
        }
        if loaded.version > 0 && !self.loader.is_current(&loaded).await? {
            self.loader.forget(loaded.id);
            return Ok(Attempt::Again {
                actual: loaded.version,
            });
        }
        answer?;
        let receipt = Receipt {
            command_id: request.command_id,
            order_id: loaded.id,
            version: loaded.version,
            position: loaded.position,
            event_ids: Vec::new(),
            replayed: false,
        };
        Ok(Attempt::Done(Box::new(Outcome {
            order: loaded,
            receipt,
        })))
    }

    /// The receipt of then, with the order as it is now.
    async fn replay(
        &self,
        request: &Request,
        receipt: store::Receipt,
    ) -> Result<Attempt, CommandError> {
        let id = order_id(&receipt.aggregate_id)?;
        let order = self
            .loader
            .reload(id)
            .await?
            .ok_or(CommandError::NotFound(id))?;
        if !covers(&request.actor, &order) {
            self.deny(request, request.command.action(), "store").await;
            return Err(CommandError::NotFound(id));
        }
        let mut receipt = receipt_of(request.command_id, id, receipt);
        receipt.replayed = true;
        Ok(Attempt::Done(Box::new(Outcome { order, receipt })))
    }

    async fn not_appended(
        &self,
        request: &Request,
        loaded: &LoadedOrder,
        error: AppendError,
    ) -> Result<Attempt, CommandError> {
        match error {
            AppendError::VersionConflict { actual, .. } => {
                self.loader.forget(loaded.id);
                metrics::counter!(names::COMMAND_CONFLICTS).increment(1);
                if request.expected_version.is_some() {
                    return Err(CommandError::VersionConflict {
                        expected: request.expected_version,
                        actual,
                    });
                }
                Ok(Attempt::Again { actual })
            }
            // A number that we drew was taken by a caller who brought his own: draw the next one.
            AppendError::ClaimTaken { scope, .. }
                if scope == record::NUMBER && !brings_number(&request.command) =>
            {
                Ok(Attempt::NumberTaken)
            }
            AppendError::ClaimTaken {
                holder_receipt: Some(receipt),
                ..
            } => self.replay(request, *receipt).await,
            AppendError::ClaimTaken {
                scope,
                value,
                holder,
                ..
            } => Err(CommandError::OrderExists {
                holder: order_id(&holder)?,
                scope,
                value,
            }),
            AppendError::CommandReused => Err(CommandError::CommandReused),
            AppendError::Overloaded => Err(CommandError::Overloaded),
            AppendError::OutcomeUnknown(_) => Err(CommandError::OutcomeUnknown),
            AppendError::Unavailable(why) => Err(CommandError::Unavailable(why)),
            // Another order of this customer was the first: seal again, with its key.
            AppendError::SubjectKeyExists(_) => Ok(Attempt::Again {
                actual: loaded.version,
            }),
            AppendError::Invalid(why) | AppendError::Corrupt(why) => {
                Err(CommandError::Internal(why))
            }
        }
    }

    /// Writes a refused access to the audit table; the refusal stands even when that fails.
    async fn deny(&self, request: &Request, action: Action, reason: &str) {
        let target = request
            .target
            .order_id()
            .map_or_else(|| "new order".to_owned(), |id| id.to_string());
        let access = audit::RefusedAccess {
            actor: &request.actor.id,
            role: request.actor.role.as_str(),
            action: action.as_str(),
            target: &target,
            reason,
        };
        if let Err(error) = audit::refused(self.log.pool(), &access).await {
            tracing::error!(%error, action = action.as_str(), "a refused access could not be audited");
        }
    }
}

/// Drives the aggregate through its sink: the order ends in the state after the events.
async fn decide(
    order: &mut OrderAggregate,
    request: &Request,
    gathered: &Gathered,
) -> Result<Vec<OrderFact>, Refusal> {
    let sink = EventSink::default();
    let ask = Ask {
        command: request.command.clone(),
        actor: request.actor.clone(),
    };
    order.handle(ask, &gathered.facts, &sink).await?;
    Ok(sink.collect().await)
}

fn covers(actor: &Actor, loaded: &LoadedOrder) -> bool {
    loaded.order.exists() && actor.stores.covers(&loaded.order.store_id)
}

fn receipt_of(command_id: CommandId, order_id: OrderId, receipt: store::Receipt) -> Receipt {
    Receipt {
        command_id,
        order_id,
        version: receipt.version,
        position: receipt.last_position,
        event_ids: receipt.event_ids,
        replayed: receipt.replayed,
    }
}

fn order_id(text: &str) -> Result<OrderId, CommandError> {
    text.parse()
        .map_err(|_| CommandError::Internal(format!("{text} is not an order id")))
}

fn brings_number(command: &OrderCommand) -> bool {
    matches!(command, OrderCommand::Place(place) if place.number.is_some())
}

const fn command_name(command: &OrderCommand) -> &'static str {
    match command {
        OrderCommand::Place(_) => "place",
        OrderCommand::Allocate => "allocate",
        OrderCommand::Pay(_) => "pay",
        OrderCommand::Release => "release",
        OrderCommand::RecordPicking(_) => "record_picking",
        OrderCommand::RecordShipment(_) => "record_shipment",
        OrderCommand::RecordDelivery(_) => "record_delivery",
        OrderCommand::Cancel(_) => "cancel",
    }
}
