//! Who may see what, decided here and nowhere else in the API; and the top-level errors of the schema.

use std::{
    collections::HashSet,
    fmt::Display,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_graphql::{Context, Error, ErrorExtensions, InputObject};
use domain::{
    actor::{Action, Actor, StoreScope},
    ids::{InvalidId, StoreId},
};
use projections::{
    Model, ReadError,
    nodes::{AtLeast, NoNode},
    paging::Window,
    whose::Thing,
};
use store::StoreError;

use super::{
    command::Topic,
    problem::{self, Problem},
    scalars::Position,
};
use crate::{
    auth::Caller,
    backend::{Backend, Reads, RefusedAccess},
    context::RequestContext,
    limits::{MAX_FRESH_WAIT_MS, MAX_PAGE, MAX_REFUSALS},
};

/// Demands that a read shows at least a position.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct Fresh {
    /// The position of a receipt.
    pub min_position: Position,
    /// How long to wait for it, 0 to 1000 milliseconds; STALE_READ after that.
    #[graphql(default = 100)]
    pub wait_ms: i32,
}

/// What a resolver needs of its request.
pub(crate) struct Access<'a> {
    pub(crate) backend: &'a Arc<dyn Backend>,
    pub(crate) caller: &'a Caller,
    pub(crate) request: &'a RequestContext,
    pub(crate) refusals: &'a Refusals,
}

/// What a request was refused so far: asked for again within it, under however many aliases, it is audited once. The
/// audit can only grow. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<HashSet<(Action, String)>>>);

impl Refusals {
    /// Whether it was not refused before. What is beyond [`MAX_REFUSALS`] is not remembered, and always news.
    fn is_news(&self, action: Action, target: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = (action, target.to_owned());
        if known.len() < MAX_REFUSALS {
            known.insert(refusal)
        } else {
            !known.contains(&refusal)
        }
    }
}

impl<'a> Access<'a> {
    /// # Errors
    /// UNAUTHENTICATED when the request has no caller: only introspection runs without one.
    pub(crate) fn of(ctx: &Context<'a>) -> Result<Self, Error> {
        let caller = ctx
            .data_opt::<Caller>()
            .ok_or_else(|| coded("UNAUTHENTICATED", "a bearer token is required"))?;
        Ok(Self {
            backend: ctx.data()?,
            caller,
            request: ctx.data()?,
            refusals: ctx.data()?,
        })
    }

    /// For queries: the role and the token allow reading.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN.
    pub(crate) async fn to_read(ctx: &Context<'a>) -> Result<Self, Error> {
        let access = Self::of(ctx)?;
        if access.caller.scopes.read && access.actor().role.may(Action::Read) {
            return Ok(access);
        }
        access.refused(Action::Read, "", "token scope").await;
        Err(coded("FORBIDDEN", "your role or token may not read orders"))
    }

    /// For queries over the log itself: the role and the token allow reading events, as the event feed has it.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN.
    pub(crate) async fn to_read_events(ctx: &Context<'a>) -> Result<Self, Error> {
        let access = Self::of(ctx)?;
        let reason = if !access.actor().role.may(Action::ReadEvents) {
            "role"
        } else if !access.caller.scopes.events {
            "token scope"
        } else {
            return Ok(access);
        };
        access.refused(Action::ReadEvents, "", reason).await;
        Err(coded(
            "FORBIDDEN",
            "your role or token may not read events; a token needs the scope events:read",
        ))
    }

    /// For mutations: the token allows writing. Whether the role may is the command bus's to say.
    ///
    /// # Errors
    /// That it does not; the attempt is audited.
    pub(crate) async fn to_write(
        &self,
        action: Action,
        target: Option<&impl Display>,
    ) -> Result<(), Vec<Problem>> {
        if self.caller.scopes.write {
            return Ok(());
        }
        let target = target.map(ToString::to_string).unwrap_or_default();
        self.refused(action, &target, "token scope").await;
        Err(vec![problem::forbidden(action)])
    }

    pub(crate) const fn actor(&self) -> &'a Actor {
        &self.caller.actor
    }

    /// Whether the caller may see all of a dead letter: the store a message names may be wrong, so only who sees the
    /// whole chain does.
    pub(crate) fn oversees(&self) -> bool {
        let actor = self.actor();
        actor.role.may(Action::Redrive) && actor.stores == StoreScope::All
    }

    /// Whether the caller may see the store. A refusal is audited; to the caller it looks as if nothing were there.
    pub(crate) async fn sees(&self, store: &StoreId, target: &str) -> bool {
        if self.actor().stores.covers(store) {
            return true;
        }
        self.refused(Action::Read, target, "store").await;
        false
    }

    /// What a node does not show: where it is another store's, the attempt is audited, and the caller learns nothing.
    ///
    /// # Errors
    /// As [`Self::read_failed`].
    pub(crate) async fn missed(&self, node: &dyn Reads, thing: Thing<'_>) -> Result<(), Error> {
        if self.actor().stores == StoreScope::All {
            return Ok(());
        }
        let found = node.whose(thing).await.map_err(|e| self.read_failed(e))?;
        if let Some((id, store)) = found {
            self.sees(&store, &id).await;
        }
        Ok(())
    }

    /// A list narrowed to stores of which the caller may not see one: the list leaves it out, the attempt is audited.
    pub(crate) async fn asks_for(&self, stores: Option<&[StoreId]>) {
        let mut stores = stores.into_iter().flatten();
        let foreign = stores.find(|store| !self.actor().stores.covers(store));
        if let Some(foreign) = foreign {
            self.sees(foreign, foreign.as_str()).await;
        }
    }

    /// Audits a refusal, once in a request.
    pub(crate) async fn refused(&self, action: Action, target: &str, reason: &'static str) {
        if !self.refusals.is_news(action, target) {
            return;
        }
        let access = RefusedAccess {
            actor: self.actor().id.clone(),
            role: self.actor().role.as_str(),
            action: action.as_str(),
            target: target.to_owned(),
            reason,
        };
        self.backend.refused(access).await;
    }

    /// The node that answers a field's reads of `models`, where they show what is demanded.
    ///
    /// # Errors
    /// STALE_READ, which is worth a retry.
    pub(crate) async fn read(
        &self,
        models: &[Model],
        fresh: Option<Fresh>,
    ) -> Result<Arc<dyn Reads>, Error> {
        let Some(fresh) = fresh else {
            return self.node(models, None).await;
        };
        let wait = i64::from(fresh.wait_ms);
        if !(0..=MAX_FRESH_WAIT_MS).contains(&wait) {
            return Err(invalid(
                "fresh.waitMs",
                format!("must be 0 to {MAX_FRESH_WAIT_MS} milliseconds"),
            ));
        }
        self.reached(models, fresh.min_position.0, wait).await
    }

    async fn reached(
        &self,
        models: &[Model],
        position: store::Position,
        wait_ms: i64,
    ) -> Result<Arc<dyn Reads>, Error> {
        let wait = Duration::from_millis(wait_ms.unsigned_abs());
        self.node(models, Some(AtLeast { position, wait })).await
    }

    async fn node(
        &self,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Arc<dyn Reads>, Error> {
        let node = self
            .backend
            .read(&self.actor().stores, models, at_least)
            .await;
        node.map_err(|no| self.no_node(no, at_least.map(|demand| demand.position)))
    }

    /// That no node answers, of what showed `asked`: see [`Self::read`].
    pub(crate) fn no_node(&self, no: NoNode, asked: Option<store::Position>) -> Error {
        match no {
            NoNode::Read(error) => self.read_failed(error),
            NoNode::Stale { model, at } => {
                let asked = asked.unwrap_or(at);
                let message = "the read model has not reached that position yet; try again";
                coded("STALE_READ", message).extend_with(|_, e| {
                    e.set("retryable", true);
                    e.set("model", model.name());
                    e.set("position", at.0.to_string());
                    e.set("minPosition", asked.0.to_string());
                })
            }
        }
    }

    /// A failed read: the caller's mistake, a moment's trouble, or a fault.
    pub(crate) fn read_failed(&self, error: ReadError) -> Error {
        match error {
            ReadError::Cursor(error) => invalid("after", error.to_string()),
            ReadError::PageSize { .. } => invalid("first", error.to_string()),
            ReadError::TooMuch { .. } => coded("TOO_MUCH", error.to_string()),
            ReadError::Corrupt(why) => self.fault(&why),
            ReadError::Database(error) => self.unreachable(&error),
        }
    }

    /// A failed read of a page; the caller's mistake with the argument that it is in.
    pub(crate) fn page_failed(&self, window: &Window, error: ReadError) -> Error {
        match (window, error) {
            (Window::Backward { .. }, ReadError::Cursor(error)) => invalid("before", error),
            (_, error) => self.read_failed(error),
        }
    }

    /// A failed read of the log: a moment's trouble, or a fault.
    pub(crate) fn log_failed(&self, error: StoreError) -> Error {
        match error {
            StoreError::Database(error) => self.unreachable(&error),
            other => self.fault(&other.to_string()),
        }
    }

    fn unreachable(&self, error: &dyn Display) -> Error {
        tracing::warn!(%error, trace_id = %self.request.trace_id, "a read could not reach the database");
        coded(
            "UNAVAILABLE",
            "the ledger cannot reach its database; try again",
        )
        .extend_with(|_, e| e.set("retryable", true))
    }

    /// A fault of ours: logged with its reason, answered with the trace id only.
    pub(crate) fn fault(&self, why: &str) -> Error {
        tracing::error!(why, trace_id = %self.request.trace_id, "a request failed");
        let trace = self.request.trace_id.clone();
        coded("INTERNAL", "the ledger failed; report the trace id")
            .extend_with(|_, e| e.set("traceId", trace.clone()))
    }
}

/// A top-level error with its code.
pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, e| e.set("code", code))
}

/// What is answered for one that the caller may not see, and for none: in the same words.
pub(crate) fn not_found<E: Topic>() -> Error {
    coded(
        "NOT_FOUND",
        format!("the {} is not known; check the id", E::TYPE),
    )
}

/// An argument that no page of the list has.
pub(crate) fn invalid(path: &str, problem: impl Display) -> Error {
    coded("INVALID_INPUT", format!("{path} {problem}")).extend_with(|_, e| e.set("inputPath", path))
}

/// An identifier that narrows a list.
///
/// # Errors
/// INVALID_INPUT when it has not the form of one.
pub(crate) fn parsed<T>(path: &str, text: Option<String>) -> Result<Option<T>, Error>
where
    T: FromStr<Err = InvalidId>,
{
    let parse = |text: String| {
        text.parse()
            .map_err(|e: InvalidId| invalid(path, e.problem))
    };
    text.map(parse).transpose()
}

/// The size of a page as a caller asks for it.
///
/// # Errors
/// INVALID_INPUT when it is out of bounds.
pub(crate) fn page_size(path: &str, asked: i32) -> Result<i64, Error> {
    let asked = i64::from(asked);
    if (1..=MAX_PAGE).contains(&asked) {
        Ok(asked)
    } else {
        Err(invalid(path, format!("must be 1 to {MAX_PAGE}")))
    }
}
