//! Remittances: named by partner, store and day; seen by who sees the store.

use ::store::claims;
use domain::{
    ids::{OrderId, PartnerId},
    remittance::{Remittance, RemittanceCommand, RemittanceFacts, RemittanceId},
    validate::clean,
};

use super::{Asked, Kind, Lane, Lanes, NUMBER, Scope, check_partner, order::reference_scope};
use crate::{
    error::CommandError,
    facts::{Gathered, Sources},
    load::unavailable,
};

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
        Ok(Gathered::from(RemittanceFacts {
            id: asked.id.clone(),
            now: asked.now,
            region: store.map(|s| s.region),
            orders,
        }))
    }
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
