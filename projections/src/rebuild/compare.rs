//! Old and new rows at one position.
//!
//! Both stand at one position only for a moment: the checkpoint's row is held, so that the runner waits, the new tables
//! are brought to where it stands, and a snapshot is taken. Then the runner goes on, and the snapshot is compared for as
//! long as that takes.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use store::{Position, connect::BEGIN_SNAPSHOT};

use super::{
    RebuildError, Shadow,
    catch_up::{CatchUp, NEAR},
    new_schema, run,
    shadow::FEW_WORKERS,
    swap::{CATCH_UPS, lock_checkpoint},
};
use crate::model::Table;

/// Rows of a difference that are named.
const NAMED: i64 = 5;
/// The longest the rows of a row are quoted.
const QUOTED_CHARS: i32 = 200;

/// Rows of one table that are not in both versions of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableDifference {
    /// The table.
    pub table: &'static str,
    /// Rows that only the table in use has.
    pub only_in_use: i64,
    /// Rows that only the log says there must be.
    pub only_in_log: i64,
    /// The keys of some of them.
    pub keys: Vec<String>,
}

/// Makes the runner wait where the new tables stand; `None` where it is behind them or never ran: there is nothing at this
/// position to compare with.
///
/// While another model was compared the log went on: what is more than a little is caught up with before the runner has
/// to wait.
async fn hold<'p>(
    owner: &'p PgPool,
    catch_up: &CatchUp,
    shadow: &mut Shadow,
) -> Result<Option<(Position, Transaction<'p, Postgres>)>, RebuildError> {
    for _ in 0..=CATCH_UPS {
        let mut holding = owner.begin().await?;
        let live = lock_checkpoint(&mut holding, shadow.log, shadow.model).await?;
        let Some(live) = live.filter(|live| *live >= shadow.at) else {
            return Ok(None);
        };
        if live.0 - shadow.at.0 <= NEAR {
            catch_up.up_to(shadow, live).await?;
            return Ok(Some((live, holding)));
        }
        holding.rollback().await?;
        catch_up.up_to(shadow, live).await?;
    }
    Err(RebuildError::TooSlow(shadow.model))
}

/// Compares, and says at which position: `None` where the tables in use are behind the new ones, so that there is no
/// position at which both stand. The new tables are not behind the checkpoint afterwards.
pub(super) async fn compare(
    owner: &PgPool,
    catch_up: &CatchUp,
    shadow: &mut Shadow,
) -> Result<(Option<Position>, Vec<TableDifference>), RebuildError> {
    let Some((live, holding)) = hold(owner, catch_up, shadow).await? else {
        return Ok((None, Vec::new()));
    };
    let mut seen = owner.begin_with(BEGIN_SNAPSHOT).await?;
    run(&mut seen, &format!("set local {FEW_WORKERS}")).await?;
    sqlx::query("select 1").execute(&mut *seen).await?;
    holding.rollback().await?;
    let mut differences = Vec::new();
    for table in shadow.model.tables() {
        if is_same(&mut seen, shadow, table).await? {
            continue;
        }
        let sql = format!(
            include_str!("sql/compare.sql"),
            table = table.name,
            schema = new_schema(shadow.model),
            counts = table.counts,
            key = table.key,
            named = NAMED,
            chars = QUOTED_CHARS,
        );
        let (only_in_use, only_in_log, keys): (i64, i64, Vec<String>) =
            sqlx::query_as(&sql).fetch_one(&mut *seen).await?;
        if only_in_use + only_in_log > 0 {
            differences.push(TableDifference {
                table: table.name,
                only_in_use,
                only_in_log,
                keys,
            });
        }
    }
    seen.rollback().await?;
    Ok((Some(live), differences))
}

/// Whether a table has the same rows in both of its versions, each read by a connection of its own at once. Nobody but
/// this rebuild writes the new one.
async fn is_same(
    seen: &mut PgConnection,
    shadow: &mut Shadow,
    table: &Table,
) -> Result<bool, sqlx::Error> {
    let row: String = sqlx::query_scalar(include_str!("sql/row.sql"))
        .bind(table.name)
        .fetch_one(&mut *seen)
        .await?;
    let hash = |schema: &str| {
        format!(
            include_str!("sql/hash.sql"),
            row = row,
            schema = schema,
            table = table.name,
            counts = table.counts,
        )
    };
    let (old, new) = (hash("public"), hash(&new_schema(shadow.model)));
    let (old, new): ((i64, String), (i64, String)) = tokio::try_join!(
        sqlx::query_as(&old).fetch_one(seen),
        sqlx::query_as(&new).fetch_one(&mut *shadow.connection),
    )?;
    Ok(old == new)
}
