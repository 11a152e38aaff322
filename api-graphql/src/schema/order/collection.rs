//! The cash of an order.

use async_graphql::{ComplexObject, Context, Enum, Error, ID, SimpleObject};
use commands::personal::is_unsealed;
use domain::order::{CollectionStatus as DomainStatus, Order, Reconciled, event::Sealed};

use super::contact::Proof;
use crate::schema::{
    remittance::item::ItemOutcome,
    scalars::{DateTime, Decimal},
};

/// Where the cash of an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub enum CollectionStatus {
    /// The goods are not with the rider yet.
    Pending,
    /// The rider is on the way to it.
    InTransit,
    /// The rider has it.
    Collected,
    /// No cash came; it may still, unless `isFinal`.
    Failed,
    /// The partner accounted for it.
    Reconciled,
}

/// The cash of an order.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Collection {
    /// Where it stands.
    pub status: CollectionStatus,
    /// Nothing is due any more: the goods go back undelivered.
    pub is_final: bool,
    /// Cash to collect at the door now: nothing for a cancelled order.
    pub due: Decimal,
    /// The cash collected; null while none is.
    pub amount: Option<Decimal>,
    /// The cash collected less the cash due then; null while none is. Zero within 0.01.
    pub discrepancy: Option<Decimal>,
    /// What was said about the discrepancy.
    pub discrepancy_reason: Option<String>,
    /// The delivery partner who has it.
    pub partner_id: Option<String>,
    /// The partner's rider.
    pub rider_id: Option<String>,
    /// Since when.
    pub collected_at: Option<DateTime>,
    /// Why no cash came the last time.
    pub failure_reason: Option<String>,
    /// How the partner accounted for it.
    pub reconciled: Option<Reconciliation>,
    #[graphql(skip)]
    sealed: Option<Sealed>,
}

#[ComplexObject]
impl Collection {
    /// What shows that the cash was handed over; null where nothing was sent. See its `state` for what may be shown.
    /// Null also in a dry run that brings it.
    async fn proof(&self, ctx: &Context<'_>) -> Result<Option<Proof>, Error> {
        match &self.sealed {
            Some(sealed) if !is_unsealed(sealed) => Proof::of(ctx, sealed).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl From<&Order> for Collection {
    fn from(order: &Order) -> Self {
        let c = &order.collection;
        let known = c.collected_at.is_some();
        Self {
            status: c.status.into(),
            is_final: c.is_final,
            due: order.cod_due().into(),
            amount: known.then(|| c.amount.into()),
            discrepancy: known.then(|| c.discrepancy.into()),
            discrepancy_reason: c.discrepancy_reason.clone(),
            partner_id: c.partner_id.as_ref().map(ToString::to_string),
            rider_id: c.rider_id.clone(),
            collected_at: c.collected_at.map(DateTime),
            failure_reason: c.failure_reason.clone(),
            reconciled: c.reconciled.as_ref().map(Reconciliation::from),
            sealed: c.proof.clone(),
        }
    }
}

/// How a partner accounted for an order's cash.
#[derive(Debug, Clone, SimpleObject)]
pub struct Reconciliation {
    /// The remittance that was closed.
    pub remittance_id: ID,
    /// How the partner's report compared.
    pub outcome: ItemOutcome,
    /// The cash accepted from the partner.
    pub accepted: Decimal,
    /// Accepted less expected.
    pub variance: Decimal,
}

impl From<&Reconciled> for Reconciliation {
    fn from(r: &Reconciled) -> Self {
        Self {
            remittance_id: ID::from(r.remittance_id.to_string()),
            outcome: r.outcome.into(),
            accepted: r.accepted.into(),
            variance: r.variance.into(),
        }
    }
}
