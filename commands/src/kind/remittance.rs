//! Remittances: named by partner, store and day; seen by who sees the store.

use ::store::{Claim, append::MAX_CLAIMS_PER_APPEND, claims};
use domain::{
    ids::{OrderId, PartnerId},
    order::Order,
    remittance::{
        Comparison, ExtraOrder, ItemOutcome, MAX_ITEMS, Remittance, RemittanceCommand,
        RemittanceFacts, RemittanceId,
    },
    validate::clean,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Asked, Kind, Lane, Lanes, NUMBER, Scope, check_partner, order::reference_scope};
use crate::{
    error::CommandError,
    facts::{Gathered, Sources},
    load::{read_state, unavailable},
};

/// Claim scope of the parts of orders' cash that remittances take in as extra.
pub(crate) const EXTRA: &str = "extra";
/// Orders read at once.
const CONCURRENCY: usize = 16;

// Each reported item may be extra, and claims its part then.
const _: () = assert!(MAX_ITEMS <= MAX_CLAIMS_PER_APPEND);

impl Kind for Remittance {
    fn lane(lanes: &Lanes) -> &Lane<Self> {
        &lanes.remittances
    }

    fn scope<'a>(
        id: &'a RemittanceId,
        _state: &'a Self,
        _command: &RemittanceCommand,
    ) -> Scope<'a> {
        Scope::Store(id.store())
    }

    async fn gather(
        sources: &Sources,
        asked: Asked<'_, Self>,
    ) -> Result<Gathered<RemittanceFacts>, CommandError> {
        if matches!(asked.command, RemittanceCommand::Report { .. }) {
            check_partner(sources, &asked, asked.id.partner()).await?;
        }
        let store = sources
            .stores
            .facts(asked.id.store(), asked.now)
            .await
            .map_err(unavailable)?;
        let orders = match asked.command {
            RemittanceCommand::Report { items, .. } => {
                let references = items.iter().filter_map(|i| clean(&i.reference)).collect();
                named(sources, asked.id.partner(), references).await?
            }
            _ => Vec::new(),
        };
        let extras = extras(sources, asked.state, asked.command).await?;
        let claims = match asked.command {
            RemittanceCommand::Close => extras.iter().map(part).collect(),
            _ => Vec::new(),
        };
        let facts = RemittanceFacts {
            id: asked.id.clone(),
            now: asked.now,
            region: store.map(|s| s.region),
            orders,
            extras,
        };
        Ok(Gathered {
            claims,
            ..Gathered::from(facts)
        })
    }
}

/// The next part of an order's cash to be taken in as extra. An order hears of a part after the closing that accepted it:
/// until then no other closing may count on what the order knows.
fn part(extra: &ExtraOrder) -> Claim {
    let next = extra.collection.parts().count() + 1;
    Claim {
        scope: EXTRA.to_owned(),
        value: format!("{}:{next}", extra.order_id),
    }
}

/// The orders of the extra items that the command accepts something of, as the log has them now.
async fn extras(
    sources: &Sources,
    remittance: &Remittance,
    command: &RemittanceCommand,
) -> Result<Vec<ExtraOrder>, CommandError> {
    let is_asked = |item: &&Comparison| match command {
        RemittanceCommand::Resolve {
            reference,
            accepted,
            ..
        } => item.reference == reference.trim() && accepted.is_positive(),
        RemittanceCommand::Close => item.accepted().is_positive(),
        _ => false,
    };
    let items = remittance.comparisons.iter().filter(is_asked);
    let extras = items.filter(|item| item.outcome == ItemOutcome::Extra);
    let order_ids: Vec<OrderId> = extras.filter_map(|item| item.order_id).collect();
    stream::iter(order_ids)
        .map(|order_id| async move {
            let order = read_state::<Order>(&sources.log, &order_id).await?;
            Ok(order.map(|order| ExtraOrder {
                order_id,
                store_id: order.store_id,
                collection: order.collection,
            }))
        })
        .buffer_unordered(CONCURRENCY)
        .try_filter_map(|extra| async move { Ok(extra) })
        .try_collect()
        .await
}

/// The orders that have these numbers, or that the partner knows by these ids, as far as there are any; where both say
/// something, the number comes last and counts. From the log's claims, not from a view.
async fn named(
    sources: &Sources,
    partner: &PartnerId,
    mut references: Vec<&str>,
) -> Result<Vec<(String, OrderId)>, CommandError> {
    // PostgreSQL cannot be asked for a NUL, and no claim holds one.
    references.retain(|r| !r.contains('\0'));
    references.sort_unstable();
    references.dedup();
    let (pool, log_id) = (sources.log.pool(), sources.log.log_id());
    let theirs = reference_scope(partner.as_str());
    let mut orders = Vec::new();
    for scope in [theirs.as_str(), NUMBER] {
        for some in references.chunks(claims::MAX_HOLDERS) {
            let holders = claims::holders(pool, log_id, scope, some)
                .await
                .map_err(unavailable)?;
            for (reference, holder) in holders {
                let id = holder
                    .parse()
                    .map_err(|_| CommandError::Internal(format!("{holder} is not an order id")))?;
                orders.push((reference, id));
            }
        }
    }
    Ok(orders)
}
