//! Queries over an order's past: what differs between two moments, and whether its history is whole.

use async_graphql::{Context, Error, ID, Object};
use domain::{ids::OrderId, order::Order as State};
use projections::as_of::Found;

use super::{
    as_of::{AsOf, found, now},
    diff::{self, FieldChange},
    integrity::{IntegrityReport, readable},
};
use crate::{
    limits::MAX_CHANGES,
    schema::{
        access::{Access, coded, invalid, not_found},
        record::{Record, Standing},
    },
};

/// The queries over an order's past.
#[derive(Default)]
pub struct PastQuery;

#[Object]
impl PastQuery {
    /// What differs in an order between two moments: the fields of Order by their paths, without personal data and
    /// without what says which state it is (`version`, `position`, `etag`, `updatedAt`). Before its first event there is
    /// nothing, so everything came after. NOT_FOUND for an order that the caller may not see.
    async fn order_diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "The one moment.")] from: AsOf,
        #[graphql(desc = "The other moment; may be the earlier one.")] to: AsOf,
    ) -> Result<Vec<FieldChange>, Error> {
        let access = Access::to_read(ctx).await?;
        let id = visible(&access, &id).await?;
        let before = state(&access, id, from, "from").await?;
        let after = state(&access, id, to, "to").await?;
        let changes = diff::changes(&before, &after);
        if changes.len() > MAX_CHANGES {
            return Err(coded(
                "TOO_MUCH",
                format!("more than {MAX_CHANGES} fields differ; take moments closer together"),
            ));
        }
        Ok(changes)
    }

    /// Whether an order's history is what was appended: each event's hash, its links in the chain, its sequence, its
    /// command; and whether the read models hold what a replay of it gives. For who may read events, with the scope
    /// `events:read`. NOT_FOUND for an order that the caller may not see. The whole log is `ledger verify`'s to check.
    async fn verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] order_id: ID,
    ) -> Result<IntegrityReport, Error> {
        let access = Access::to_read_events(ctx).await?;
        let id = readable(&access, &order_id).await?;
        IntegrityReport::of(&access, id).await
    }
}

/// The id of an order that the caller may see.
///
/// # Errors
/// NOT_FOUND, for a foreign store's order as for none.
async fn visible(access: &Access<'_>, id: &ID) -> Result<OrderId, Error> {
    let Ok(id) = id.parse::<OrderId>() else {
        return Err(not_found::<State>());
    };
    let row = now(access, id).await?.row();
    match row {
        Some(row) if access.sees(&row.order.store_id, &id.to_string()).await => Ok(id),
        _ => Err(not_found::<State>()),
    }
}

/// What the schema shows of an order at a moment; null before its first event.
async fn state(
    access: &Access<'_>,
    id: OrderId,
    as_of: AsOf,
    path: &str,
) -> Result<serde_json::Value, Error> {
    let past = match found(access, id, as_of, path).await? {
        Found::Order(past) => past,
        Found::NotYet => return Ok(serde_json::Value::Null),
        Found::Beyond { newest, .. } => {
            let path = format!("{path}.version");
            return Err(invalid(
                &path,
                format!("is beyond the order's newest, {newest}"),
            ));
        }
        Found::Unknown => return Err(not_found::<State>()),
    };
    let record = Record {
        standing: Standing::Past,
        ..Record::from(past.row)
    };
    let shown = diff::shown(record).await;
    shown.map_err(|why| access.fault(&why))
}
