//! Orders that came by a message and could not be placed.

pub mod mutation;
pub mod query;

use async_graphql::{Context, Enum, Error, ID, Json, Object};
use domain::intake::{Intake as State, IntakeOutcome, Message};
use projections::document::{Outcome, Row};

use super::{
    access::Access,
    order::contact::Contact,
    problem::{Problem, count, int},
    record::view,
    scalars::{DateTime, Position},
};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub enum DeadLetterOutcome {
    /// Somebody must look at it.
    Rejected,
    /// It was placed after all.
    Placed,
    /// Somebody decided that it is not to be placed.
    Dismissed,
}

view! {
    /// A dead letter, from the write side in a payload and from the read side in a query.
    DeadLetter of State, rows Row<State>
}

impl DeadLetter {
    fn message<'a, T>(&'a self, part: impl FnOnce(&'a Message) -> T) -> Option<T> {
        self.0.state.message.as_ref().map(part)
    }
}

/// An order that came by a message and could not be placed, kept with all its reasons until somebody mends them.
#[Object]
impl DeadLetter {
    /// Its id for good, a UUID that follows from its sender, its source and its message id.
    async fn id(&self) -> ID {
        ID::from(self.0.id.0)
    }

    /// Events so far.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The log's position of its last event.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }

    /// When it was first refused.
    async fn received_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When something last happened to it.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Where it came from, such as a topic or a partner.
    async fn source(&self) -> Option<&str> {
        self.message(|m| m.source.as_str())
    }

    /// The sender's id of it.
    async fn message_id(&self) -> Option<&str> {
        self.message(|m| m.message_id.as_str())
    }

    /// The store it names, which may be no store at all; null as `orderAsSent` is.
    async fn store_id(&self, ctx: &Context<'_>) -> Result<Option<&str>, Error> {
        let message = self.message(|m| m.order.store_id.as_str());
        Ok(message.filter(|_| Access::of(ctx).is_ok_and(|access| access.oversees())))
    }

    /// What it asks for, as it came, without the contact. Null to whoever may not see dead letters: a sender knows
    /// what it sent, and a guessed message id gives nothing away.
    async fn order_as_sent(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<Json<serde_json::Value>>, Error> {
        let access = Access::of(ctx)?;
        let message = self.message(|m| m).filter(|_| access.oversees());
        let json = message.map(|m| serde_json::to_value(&m.order)).transpose();
        json.map(|json| json.map(Json))
            .map_err(|error| access.fault(&error.to_string()))
    }

    /// Who was to get the goods. Null when the message came without; see `state` for what may be shown.
    async fn contact(&self, ctx: &Context<'_>) -> Result<Option<Contact>, Error> {
        match self.message(|m| m.contact.as_ref()).flatten() {
            Some(_) if !Access::of(ctx)?.oversees() => Ok(Some(Contact::hidden())),
            Some(sealed) => Contact::of(ctx, sealed).await.map(Some),
            None => Ok(None),
        }
    }

    /// Why it could not be placed the last time: every reason.
    async fn problems(&self) -> Vec<Problem> {
        let problems = self.0.state.problems.iter().cloned();
        problems.map(Problem::from).collect()
    }

    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        count(self.0.state.attempts)
    }

    /// What became of it.
    async fn outcome(&self) -> DeadLetterOutcome {
        match &self.0.state.outcome {
            IntakeOutcome::Rejected => DeadLetterOutcome::Rejected,
            IntakeOutcome::Placed { .. } => DeadLetterOutcome::Placed,
            IntakeOutcome::Dismissed { .. } => DeadLetterOutcome::Dismissed,
        }
    }

    /// The order that was placed after all.
    async fn order_id(&self) -> Option<ID> {
        match &self.0.state.outcome {
            IntakeOutcome::Placed { order_id } => Some(ID::from(order_id.0)),
            _ => None,
        }
    }

    /// Why it is not to be placed.
    async fn dismissed_reason(&self) -> Option<&str> {
        match &self.0.state.outcome {
            IntakeOutcome::Dismissed { reason } => Some(reason),
            _ => None,
        }
    }
}
