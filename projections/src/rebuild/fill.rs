//! From the log to the new tables: long pages, each read once for all models and applied by each on its own
//! connection, the next one read meanwhile.

use std::sync::Arc;

use sqlx::{Connection, PgPool, Postgres, Transaction};
use store::{LogId, Position, Recorded, feed};

use super::{RebuildError, Shadow, Stage, new_schema};
use crate::decode::{Kind, decode};

/// Events of one page. What an order does within a page costs one row: the longer the page, the fewer rows are written
/// twice. Bounds the memory too, to about 50 MB.
const PAGE_EVENTS: i64 = 20_000;
/// Less than this behind, the new tables count as caught up.
pub(super) const NEAR: i64 = 500;

/// Reads the log for new tables.
pub(super) struct Filler {
    pool: PgPool,
    log: LogId,
}

impl Filler {
    pub(super) const fn new(pool: PgPool, log: LogId) -> Self {
        Self { pool, log }
    }

    /// Fills the tables until they are near the end of the log. All of them stand at one position, before and after.
    pub(super) async fn fill(
        &mut self,
        mut shadows: Vec<Shadow>,
        told: &mut impl FnMut(Stage),
    ) -> Result<Vec<Shadow>, RebuildError> {
        let Some(mut at) = shadows.first().map(|shadow| shadow.at) else {
            return Ok(shadows);
        };
        let skipped = skipped(&shadows);
        let mut next = self.page(at, PAGE_EVENTS, &skipped).await?;
        // Ends when the log is read: what is written meanwhile is less than a page is long, or the caller gives up.
        while let Some(last) = next.last().map(|event| event.position) {
            let applying = all(shadows, Arc::new(std::mem::take(&mut next)));
            let (applied, read) =
                tokio::try_join!(applying, self.page(last, PAGE_EVENTS, &skipped))?;
            (shadows, next) = (applied, read);
            at = last;
            let head = feed::head(&self.pool, self.log).await?.position;
            told(Stage::Filling(at, head));
            if head.0 - at.0 < NEAR {
                break;
            }
        }
        Ok(shadows)
    }

    /// Brings tables up to a position, in pages.
    pub(super) async fn up_to(
        &self,
        shadow: &mut Shadow,
        to: Position,
    ) -> Result<(), RebuildError> {
        while shadow.at < to {
            let limit = (to.0 - shadow.at.0).min(PAGE_EVENTS);
            let skipped = skipped(std::slice::from_ref(shadow));
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

/// Applies a page to every model's tables, each on a thread of its own where there is one.
async fn all(shadows: Vec<Shadow>, page: Arc<Vec<Recorded>>) -> Result<Vec<Shadow>, RebuildError> {
    let mut applying = Vec::with_capacity(shadows.len());
    for mut shadow in shadows {
        let page = Arc::clone(&page);
        let (model, task) = (shadow.model, async move {
            shadow.apply(&page).await.map(|()| shadow)
        });
        applying.push((model, tokio::spawn(task)));
    }
    let mut applied = Vec::with_capacity(applying.len());
    for (model, task) in applying {
        let ended = task.await.map_err(|error| RebuildError::Apply {
            model,
            reason: error.to_string(),
        });
        applied.push(ended??);
    }
    Ok(applied)
}

/// The types of aggregates whose events none of the models reads.
fn skipped(shadows: &[Shadow]) -> Vec<&'static str> {
    let unread = |kind: &&Kind| !shadows.iter().any(|s| s.model.kinds().contains(kind));
    let kinds = Kind::ALL.iter().filter(unread);
    kinds.map(|kind| kind.name()).collect()
}

impl Shadow {
    /// Applies a page in a transaction of its own. A crash throws the whole rebuild away, so no commit waits for the
    /// disk; the exchange does.
    pub(super) async fn apply(&mut self, page: &[Recorded]) -> Result<(), RebuildError> {
        let (model, log, at) = (self.model, self.log, self.at);
        let mut tx = self.begin().await?;
        let to = apply(&mut tx, model, log, at, page).await?;
        tx.commit().await?;
        self.at = to;
        Ok(())
    }

    /// A transaction that finds the new tables.
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
        let mut tx = self.connection.begin().await?;
        sqlx::query(
            "select set_config('search_path', $1, true), set_config('synchronous_commit', 'off', true)",
        )
        .bind(format!("{}, public", new_schema(self.model)))
        .execute(&mut *tx)
        .await?;
        Ok(tx)
    }
}

/// Applies a page of the log that goes on after a position without a hole; the position of its end.
pub(super) async fn apply(
    conn: &mut sqlx::PgConnection,
    model: crate::Model,
    log: LogId,
    after: Position,
    page: &[Recorded],
) -> Result<Position, RebuildError> {
    let fail = |error| RebuildError::apply(model, error);
    let to = crate::runner::whole(after, page).map_err(fail)?;
    let mine: &[Kind] = model.kinds();
    let (records, poison) = decode(page, mine);
    if let Some(poison) = poison {
        return Err(fail(poison.into()));
    }
    if !records.is_empty() {
        model.apply(conn, log, &records).await.map_err(fail)?;
    }
    Ok(to)
}
