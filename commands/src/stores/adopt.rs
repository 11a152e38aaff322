//! Stores that were kept in a table before they were aggregates.

use domain::{
    actor::{Actor, Role, StoreScope},
    ids::{CommandId, InvalidId, RegionId, StoreId},
    store::{Profile, Store, StoreCommand},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{CommandBus, CommandError, Outcome, Request, Target, derived};

/// Who opens the stores, as their events say.
const ACTOR: &str = "ledger-adopt-stores";
/// Why a store that did not trade takes no orders.
const INACTIVE: &str = "was not active in the table of stores";

#[derive(FromRow)]
struct OldStore {
    store_id: String,
    name: String,
    region: String,
    zone: String,
    active: bool,
    cod_limit: Option<String>,
}

/// Opens every store of the old table `store` that nobody opened yet, as it is there; returns how many. An existing
/// database keeps its stores; repeated, it does nothing.
///
/// # Errors
/// A row is damaged, or as [`CommandBus::execute`].
pub async fn adopt(bus: &CommandBus) -> Result<u64, CommandError> {
    let rows: Vec<OldStore> = sqlx::query_as(
        "SELECT store_id, name, region, zone, active, cod_limit::text AS cod_limit \
         FROM store ORDER BY store_id",
    )
    .fetch_all(bus.log().pool())
    .await
    .map_err(|e| CommandError::Unavailable(e.to_string()))?;
    let mut opened = 0;
    for row in rows {
        opened += u64::from(adopt_one(bus, row).await?);
    }
    Ok(opened)
}

async fn adopt_one(bus: &CommandBus, row: OldStore) -> Result<bool, CommandError> {
    let damaged = |what: String| CommandError::Internal(format!("old store: {what}"));
    let invalid = |e: InvalidId| damaged(e.to_string());
    let id = StoreId::new(row.store_id).map_err(invalid)?;
    let cod_limit = row
        .cod_limit
        .map(|limit| {
            limit
                .parse()
                .map_err(|_| damaged(format!("COD limit {limit}")))
        })
        .transpose()?;
    let profile = Profile {
        name: row.name,
        region: RegionId::new(row.region).map_err(invalid)?,
        zone: row.zone,
        opening: None,
        hours: None,
        cod_limit,
        auto_release: true,
    };
    let opening = match execute(bus, &id, "open", StoreCommand::Open { profile }).await {
        Ok(outcome) => outcome.receipt,
        // Somebody opened it in their own way, or the row was changed after it was adopted.
        Err(CommandError::Refused(_) | CommandError::CommandReused) => return Ok(false),
        Err(error) => return Err(error),
    };
    if !row.active {
        // Repeated too: a crash may have come between the two.
        let reason = INACTIVE.to_owned();
        match execute(bus, &id, "deactivate", StoreCommand::Deactivate { reason }).await {
            Ok(_) | Err(CommandError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(!opening.replayed && !opening.event_ids.is_empty())
}

async fn execute(
    bus: &CommandBus,
    id: &StoreId,
    step: &str,
    command: StoreCommand,
) -> Result<Outcome<Store>, CommandError> {
    let command_id: CommandId = derived::command_id("adopt-store", &[step, id.as_str()]);
    bus.execute(Request {
        command_id,
        actor: Actor {
            id: ACTOR.to_owned(),
            role: Role::Ops,
            stores: StoreScope::All,
        },
        expected_version: None,
        target: Target::Entity(id.clone()),
        command,
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    })
    .await
}
