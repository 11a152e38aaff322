//! Old and new rows at one position.
//!
//! Both stand at one position only for a moment: the checkpoint's row is held, so that the runner waits, the new tables
//! are brought to where it stands, and a snapshot is taken. Then the runner goes on, and the snapshot is compared for as
//! long as that takes.

use sqlx::PgPool;
use store::Position;

use super::{RebuildError, Shadow, fill::Filler, new_schema, swap::lock_checkpoint};

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

/// Compares, and says at which position: `None` where the tables in use are behind the new ones, so that there is no
/// position at which both stand. The new tables are not behind the checkpoint afterwards.
pub(super) async fn compare(
    owner: &PgPool,
    filler: &mut Filler,
    shadow: &mut Shadow,
) -> Result<(Option<Position>, Vec<TableDifference>), RebuildError> {
    let mut holding = owner.begin().await?;
    let live = lock_checkpoint(&mut holding, shadow.log, shadow.model).await?;
    let Some(live) = live.filter(|live| *live >= shadow.at) else {
        // The runner is behind, or never ran: there is nothing at this position to compare with.
        return Ok((None, Vec::new()));
    };
    filler.up_to(shadow, live).await?;
    let mut seen = owner
        .begin_with("begin transaction isolation level repeatable read, read only")
        .await?;
    sqlx::query("select 1").execute(&mut *seen).await?;
    holding.rollback().await?;
    let mut differences = Vec::new();
    for table in shadow.model.tables() {
        let same = format!(
            include_str!("sql/same.sql"),
            table = table.name,
            schema = new_schema(shadow.model),
            counts = table.counts,
        );
        if sqlx::query_scalar(&same).fetch_one(&mut *seen).await? {
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
