//! One command on its way: loaded, decided, appended, anew when somebody was faster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::{
    entity::{Command, Event},
    refusal::Refusal,
};
use store::{Append, Claim, SubjectKey};

use super::{Inner, target_text};
use crate::{
    aggregate::{Ask, Driven, Fact, Services},
    error::CommandError,
    facts::Gathered,
    kind::{Asked, Kind, Lane, Scope},
    load::{Loaded, stream_id},
    record,
    request::{Outcome, Request, Target},
    steps::{Spent, StepMicros},
};

/// Decisions made anew after another command got in between, before the caller is told.
const MAX_RETRIES: u32 = 3;
/// Order numbers drawn for one order before the caller is told. From the second on each opens a new block, and what
/// was passed over stays passed over, so a day's imported numbers are soon behind.
const MAX_NUMBERS: u32 = 16;

/// One command and what it is carried out with.
pub(super) struct Run<'a, E: Kind> {
    pub(super) bus: &'a Inner,
    pub(super) lane: &'a Lane<E>,
    pub(super) request: &'a Request<E>,
    /// The key of personal data that the command brings sealed.
    key: Option<&'a SubjectKey>,
    /// Whether the append is under way or done: a deadline must not say "nothing was written" then.
    submitted: &'a AtomicBool,
    /// Nothing is to be left behind.
    is_rehearsal: bool,
}

/// What one attempt came to.
pub(super) enum Attempt<E: Kind> {
    Done(Box<Outcome<E>>),
    /// Another command got in between: decide anew.
    Again {
        actual: i64,
    },
    /// A caller brought the number that we drew: draw another.
    NumberTaken,
}

/// What was decided on a state.
pub(super) struct Decided<E: Kind> {
    /// The state after the events.
    pub(super) after: Driven<E>,
    pub(super) events: Vec<Fact<E::Event>>,
    /// What it counts on that no other decision counts on.
    claims: Vec<Claim>,
    key: Option<SubjectKey>,
    steps: StepMicros,
    pub(super) now: DateTime<Utc>,
}

impl<E: Kind> Decided<E> {
    pub(super) fn event_types(&self) -> Vec<&'static str> {
        let events = self.events.iter();
        events.map(|Fact(event)| event.event_type()).collect()
    }
}

impl<'a, E: Kind> Run<'a, E> {
    pub(super) fn new(
        bus: &'a Inner,
        request: &'a Request<E>,
        key: Option<&'a SubjectKey>,
        submitted: &'a AtomicBool,
    ) -> Self {
        Self {
            bus,
            lane: E::lane(&bus.lanes),
            request,
            key,
            submitted,
            is_rehearsal: false,
        }
    }

    pub(super) fn rehearsal(
        bus: &'a Inner,
        request: &'a Request<E>,
        submitted: &'a AtomicBool,
    ) -> Self {
        Self {
            is_rehearsal: true,
            ..Self::new(bus, request, None, submitted)
        }
    }

    /// Refuses what the actor's role may not do; the fingerprint of the command's content.
    pub(super) async fn admit(&self) -> Result<[u8; 32], CommandError> {
        let action = self.request.command.action();
        if !self.request.actor.role.may(action) {
            self.deny("role").await;
            return Err(CommandError::Forbidden { action });
        }
        let content =
            record::content(self.request).map_err(|e| CommandError::Internal(e.to_string()))?;
        Ok(self.bus.sources.vault.fingerprint(&content))
    }

    pub(super) async fn execute(self) -> Result<Outcome<E>, CommandError> {
        let hash = self.admit().await?;
        let (mut actual, mut conflicts, mut numbers) = (0, 0, 0);
        // Ends: every turn but the last counts against one of the two bounds.
        while conflicts <= MAX_RETRIES {
            let loaded = self.load().await?;
            match self.attempt(loaded, hash).await? {
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
                        self.bus.sources.numbers.skip().await;
                    }
                    numbers += 1;
                }
            }
        }
        Err(CommandError::VersionConflict {
            expected: self.request.expected_version,
            actual,
        })
    }

    /// The entity, or one that does not exist yet where the command may be its first.
    pub(super) async fn load(&self) -> Result<Loaded<E>, CommandError> {
        let now = || self.bus.sources.clock.now();
        let id = match &self.request.target {
            Target::New => {
                let id = if self.is_rehearsal {
                    E::id_of_nobody()
                } else {
                    E::draw_id()
                };
                let id = id.ok_or_else(|| {
                    CommandError::Internal(format!("a {} is named by its caller", E::TYPE))
                })?;
                return Ok(Loaded::absent(id, now()));
            }
            Target::Entity(id) => id,
        };
        let loaded = match self.lane.loader.load(id).await? {
            Some(loaded) => loaded,
            None if self.request.command.creates() => Loaded::absent(id.clone(), now()),
            None => return Err(CommandError::not_found::<E>(id)),
        };
        self.check_scope(&loaded).await?;
        Ok(loaded)
    }

    /// Refuses what lies outside the actor's stores.
    pub(super) async fn check_scope(&self, loaded: &Loaded<E>) -> Result<(), CommandError> {
        let scope = E::scope(&loaded.id, &loaded.state, &self.request.command);
        if scope.covers(&self.request.actor) {
            return Ok(());
        }
        self.deny("store").await;
        Err(match scope {
            Scope::Chain => CommandError::Forbidden {
                action: self.request.command.action(),
            },
            Scope::Store(_) | Scope::Open => CommandError::not_found::<E>(&loaded.id),
        })
    }

    async fn attempt(&self, loaded: Loaded<E>, hash: [u8; 32]) -> Result<Attempt<E>, CommandError> {
        if let Some(conflict) = self.conflict(&loaded) {
            return self.refused(loaded, hash, conflict).await;
        }
        let decided = match self.decide(&loaded).await? {
            Ok(decided) => decided,
            Err(refusal) => return self.refused(loaded, hash, refusal.into()).await,
        };
        let append = self.append_of(&loaded, hash, &decided)?;
        self.submitted.store(true, Ordering::Relaxed);
        let appended = self.bus.sources.log.append(append).await;
        // What is in the log stays submitted: a deadline from here on must not say "nothing was written".
        self.submitted.store(appended.is_ok(), Ordering::Relaxed);
        match appended {
            Ok(receipt) if receipt.replayed => self.replay(receipt).await,
            Ok(receipt) if decided.events.is_empty() => {
                let receipt =
                    super::answer::receipt_of(self.request.command_id, loaded.id.clone(), receipt);
                Ok(Attempt::Done(Box::new(Outcome {
                    entity: loaded,
                    receipt,
                })))
            }
            Ok(receipt) => Ok(self.done(loaded, decided, receipt)),
            Err(error) => self.not_appended(&loaded, error).await,
        }
    }

    /// The conflict where the caller decided on another version than this.
    pub(super) fn conflict(&self, loaded: &Loaded<E>) -> Option<CommandError> {
        let expected = self.request.expected_version;
        let expected = expected.filter(|version| *version != loaded.version)?;
        Some(CommandError::VersionConflict {
            expected: Some(expected),
            actual: loaded.version,
        })
    }

    /// Gathers the facts and drives the aggregate through its sink: it ends in the state after the events.
    pub(super) async fn decide(
        &self,
        loaded: &Loaded<E>,
    ) -> Result<Result<Decided<E>, Refusal>, CommandError> {
        let Request { actor, command, .. } = self.request;
        let now = self.bus.sources.clock.now();
        let started = Instant::now();
        let asked = Asked {
            id: &loaded.id,
            state: &*loaded.state,
            command,
            actor,
            now,
            created_at: loaded.created_at,
            is_rehearsal: self.is_rehearsal,
        };
        let Gathered {
            facts,
            key,
            lookup,
            claims,
        } = E::gather(&self.bus.sources, asked).await?;
        let mut after = Driven((*loaded.state).clone());
        let sink = EventSink::default();
        let ask = Ask {
            command: command.clone(),
            actor: actor.clone(),
        };
        let services = Services::from(facts);
        if let Err(refusal) = after.handle(ask, &services, &sink).await {
            return Ok(Err(refusal));
        }
        let spent = Spent {
            lookup,
            whole: started.elapsed(),
            told: services.into_steps(),
        };
        Ok(Ok(Decided {
            after,
            events: sink.collect().await,
            claims,
            key: key.or_else(|| self.key.cloned()),
            steps: E::steps(command, &spent),
            now,
        }))
    }

    fn append_of(
        &self,
        loaded: &Loaded<E>,
        hash: [u8; 32],
        decided: &Decided<E>,
    ) -> Result<Append, CommandError> {
        let Decided {
            after, events, now, ..
        } = decided;
        let mut claims = E::claims(events);
        // A command that changes nothing claims nothing.
        if !events.is_empty() {
            claims.extend(decided.claims.iter().cloned());
        }
        Ok(Append {
            command_id: record::command_id(self.request.command_id),
            request_hash: hash,
            stream: stream_id::<E>(&loaded.id),
            expected_version: loaded.version,
            events: record::events(events, &after.0, self.request, decided.steps, *now)
                .map_err(|e| CommandError::Internal(e.to_string()))?,
            claims,
            // A command that changes nothing leaves no key behind either.
            subject_key: decided.key.clone().filter(|_| !events.is_empty()),
        })
    }

    fn done(&self, loaded: Loaded<E>, decided: Decided<E>, receipt: store::Receipt) -> Attempt<E> {
        decided.steps.observe();
        let before = loaded.version;
        let after = Loaded {
            version: receipt.version,
            position: receipt.last_position,
            created_at: if before == 0 {
                decided.now
            } else {
                loaded.created_at
            },
            updated_at: decided.now,
            state: std::sync::Arc::new(decided.after.0),
            id: loaded.id,
        };
        self.lane.loader.remember(after.clone());
        self.lane
            .snapshots
            .grown(&after.id, before, receipt.version);
        E::changed(&self.bus.sources, receipt.last_position);
        let receipt = super::answer::receipt_of(self.request.command_id, after.id.clone(), receipt);
        Attempt::Done(Box::new(Outcome {
            entity: after,
            receipt,
        }))
    }

    /// Whether the command's personal data was sealed by its caller: only they can seal it again.
    pub(super) const fn brings_key(&self) -> bool {
        self.key.is_some()
    }

    /// Writes a refused access to the audit table.
    pub(super) async fn deny(&self, reason: &str) {
        let Request { actor, command, .. } = self.request;
        let target = target_text(self.request);
        self.bus
            .deny(actor, command.action(), &target, reason)
            .await;
    }
}
