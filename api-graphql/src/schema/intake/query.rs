//! Reading dead letters. The store a message names may be wrong, so only who sees the whole chain sees them.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::{actor::Action, intake::Intake as State};
use projections::{
    Model,
    document::{DeadLetterFilter as Filter, Row},
};

use super::{DeadLetter, DeadLetterOutcome};
use crate::schema::{
    access::{Access, Fresh, coded},
    connection::{connection, window},
    document,
};

connection! {
    /// A page of dead letters, newest first.
    DeadLetterConnection of
    /// A dead letter and its cursor.
    DeadLetterEdge { DeadLetter } from Row<State>
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct DeadLetterFilter {
    /// Any of these outcomes.
    pub outcomes: Option<Vec<DeadLetterOutcome>>,
    /// From this source.
    pub source: Option<String>,
}

/// The queries over dead letters.
#[derive(Default)]
pub struct IntakeQuery;

#[Object]
impl IntakeQuery {
    /// A dead letter by its id; null when there is none.
    async fn dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<DeadLetter>, Error> {
        let access = overseer(ctx).await?;
        let node = access.read(&[Model::DeadLetters], fresh).await?;
        let found = document::by_id::<State>(&access, &node, &id).await?;
        Ok(found.map(DeadLetter::from))
    }

    /// Orders that came by a message and could not be placed, page by page.
    #[allow(clippy::too_many_arguments)]
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the list when absent.")]
        filter: Option<DeadLetterFilter>,
        #[graphql(desc = "1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "1 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor of this list.")] before: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<DeadLetterConnection, Error> {
        let access = overseer(ctx).await?;
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let outcomes = filter.outcomes.map(|o| o.into_iter().map(Into::into));
        let filter = Filter {
            outcomes: outcomes.map(Iterator::collect),
            source: filter.source,
        };
        let node = access.read(&[Model::DeadLetters], fresh).await?;
        let page = document::page::<State>(&access, &node, &filter, &window).await?;
        Ok(page.into())
    }
}

/// # Errors
/// FORBIDDEN to whoever may not place dead letters again, or does not see the whole chain.
async fn overseer<'a>(ctx: &Context<'a>) -> Result<Access<'a>, Error> {
    let access = Access::to_read(ctx).await?;
    if access.oversees() {
        return Ok(access);
    }
    access.refused(Action::Redrive, "", "role or stores").await;
    Err(coded("FORBIDDEN", "you may not see dead letters"))
}
