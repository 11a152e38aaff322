//! New tables that are filled follow the log until they are exchanged.

use sqlx::{Connection as _, PgPool};
use store::{LogId, Position, Recorded};

use super::{RebuildError, Shadow, new_schema, run};
use crate::{
    Model,
    decode::{Kind, decode_all},
};

/// Events of one page. What an order does within a page costs one row: the longer the page, the fewer rows are written
/// twice. Bounds the memory too, to about 50 MB.
const PAGE_EVENTS: i64 = 20_000;
/// Less than this behind, the new tables count as caught up.
pub(super) const NEAR: i64 = 500;

/// Reads the end of the log for new tables.
pub(super) struct CatchUp {
    pool: PgPool,
    log: LogId,
}

impl CatchUp {
    pub(super) const fn new(pool: PgPool, log: LogId) -> Self {
        Self { pool, log }
    }

    /// Brings tables up to a position, in pages.
    pub(super) async fn up_to(
        &self,
        shadow: &mut Shadow,
        to: Position,
    ) -> Result<(), RebuildError> {
        while shadow.at < to {
            let limit = (to.0 - shadow.at.0).min(PAGE_EVENTS);
            let skipped = skipped(shadow.model);
            let page = self.page(shadow.at, limit, &skipped).await?;
            if page.is_empty() {
                let reason = format!("the log ends at {}, before {to}", shadow.at);
                return Err(RebuildError::Apply {
                    model: shadow.model,
                    reason,
                });
            }
            shadow.apply(&page).await?;
        }
        Ok(())
    }

    /// Events after a position, at most so many; those of skipped types without their content.
    pub(super) async fn page(
        &self,
        after: Position,
        limit: i64,
        skipped: &[&str],
    ) -> Result<Vec<Recorded>, RebuildError> {
        let page = sqlx::query_as(include_str!("../sql/page.sql"))
            .bind(self.log.0)
            .bind(after.0)
            .bind(limit)
            .bind(skipped)
            .fetch_all(&self.pool)
            .await?;
        Ok(page)
    }
}

/// The types of aggregates whose events a model does not read.
fn skipped(model: Model) -> Vec<&'static str> {
    let unread = |kind: &&Kind| !model.kinds().contains(kind);
    Kind::ALL
        .iter()
        .filter(unread)
        .map(|kind| kind.name())
        .collect()
}

impl Shadow {
    /// Applies a page in a transaction of its own, which waits for no disk: the exchange does.
    pub(super) async fn apply(&mut self, page: &[Recorded]) -> Result<(), RebuildError> {
        let (model, log, at) = (self.model, self.log, self.at);
        let mut tx = self.connection.begin().await?;
        let enter = format!(
            "set local search_path = {}, public; set local synchronous_commit = off",
            new_schema(model)
        );
        run(&mut tx, &enter).await?;
        let to = apply(&mut tx, model, log, at, page).await?;
        tx.commit().await?;
        self.at = to;
        Ok(())
    }
}

/// Applies a page of the log that goes on after a position without a hole; the position of its end.
pub(super) async fn apply(
    conn: &mut sqlx::PgConnection,
    model: Model,
    log: LogId,
    after: Position,
    page: &[Recorded],
) -> Result<Position, RebuildError> {
    let fail = |error| RebuildError::apply(model, error);
    let to = crate::runner::whole(after, page).map_err(fail)?;
    let records = decode_all(page, model.kinds()).map_err(|poison| fail(poison.into()))?;
    if !records.is_empty() {
        model.apply(conn, log, &records).await.map_err(fail)?;
    }
    Ok(to)
}
