//! Reading the cash ledger, of the stores the caller may see.

use async_graphql::{Context, Error, ID, Object};
use domain::{
    ids::{OrderId, PartnerId, RegionId, StoreId},
    remittance::RemittanceId,
};
use projections::{
    Model,
    cash_ledger::{CashFilter, DayFilter, MAX_DAYS, OutstandingFilter, PostingsOf},
    paging::{Edge, Page},
    whose::Thing,
};

use super::{
    CashAccount, CashBalances, CashGrouping,
    metrics::{CollectionDayMetrics, CollectionFigures, CollectionMetrics},
    outstanding::{OutstandingConnection, OutstandingKind},
    posting::CashPostingConnection,
};
use crate::backend::Reads;
use crate::schema::{
    access::{Access, Fresh, invalid, parsed},
    connection::{default_page, forward},
    metrics::check,
    order::filter::store_ids,
    scalars::{Date, DateTime},
};

/// What every list of the cash ledger may be narrowed to.
struct Narrowed {
    stores: Option<Vec<StoreId>>,
    region: Option<RegionId>,
    partner: Option<PartnerId>,
}

impl Narrowed {
    async fn to(
        access: &Access<'_>,
        stores: Option<Vec<ID>>,
        region: Option<String>,
        partner: Option<String>,
    ) -> Result<Self, Error> {
        let narrowed = Self {
            stores: stores.map(|ids| store_ids("storeIds", &ids)).transpose()?,
            region: parsed("region", region)?,
            partner: parsed("partnerId", partner)?,
        };
        access.asks_for(narrowed.stores.as_deref()).await;
        Ok(narrowed)
    }
}

/// The queries over the cash ledger.
#[derive(Default)]
pub struct CashQuery;

#[Object]
impl CashQuery {
    /// Where the money is, by account: all balances at one position, and their sum, which is zero.
    #[allow(clippy::too_many_arguments)]
    async fn cash_balances(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "CashGrouping::Total",
            desc = "What the balances are summed over."
        )]
        by: CashGrouping,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only this delivery partner: then the sum need not be zero.")]
        partner_id: Option<String>,
        #[graphql(desc = "Only this account: then the sum is its balance.")] account: Option<
            CashAccount,
        >,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<CashBalances, Error> {
        let access = Access::to_read(ctx).await?;
        let narrowed = Narrowed::to(&access, store_ids, region, partner_id).await?;
        let filter = CashFilter {
            stores: narrowed.stores,
            region: narrowed.region,
            partner: narrowed.partner,
            account: account.map(Into::into),
            ..CashFilter::within(access.actor().stores.clone())
        };
        let node = access.read(&[Model::CashLedger], fresh).await?;
        let balances = node.cash_balances(&filter, by.into()).await;
        let balances = balances.map_err(|e| access.read_failed(e))?;
        Ok(balances.into())
    }

    /// The postings of one order, or of one remittance, oldest first; none for one that the caller may not see.
    async fn cash_postings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order; either this or `remittanceId`.")] order_id: Option<ID>,
        #[graphql(desc = "The remittance; either this or `orderId`.")] remittance_id: Option<ID>,
        #[graphql(default_with = "default_page()", desc = "1 to 100.")] first: i32,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<CashPostingConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = forward(first, after)?;
        let node = access.read(&[Model::CashLedger], fresh).await?;
        let of = match (order_id, remittance_id) {
            (Some(id), None) => visible_order(&access, node.as_ref(), &id).await?,
            (None, Some(id)) => visible_remittance(&access, &id).await,
            _ => {
                return Err(invalid(
                    "orderId",
                    "or `remittanceId` must be given, not both",
                ));
            }
        };
        let Some(of) = of else {
            return Ok(Page::default().into());
        };
        let page = node.cash_postings(&of, &window).await;
        let mut page = page.map_err(|e| access.read_failed(e))?;
        let stores = &access.actor().stores;
        for Edge { row, .. } in &mut page.edges {
            // A store sees that its order's cash moved, not in whose remittance.
            let of = row.remittance_id.take();
            row.remittance_id = of.filter(|id| stores.covers(id.store()));
        }
        Ok(page.into())
    }

    /// Orders whose cash is still out, with customers or with riders, the longest outstanding first.
    #[allow(clippy::too_many_arguments)]
    async fn outstanding_cash(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "OutstandingKind::Any", desc = "Whose cash.")]
        kind: OutstandingKind,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only this delivery partner.")] partner_id: Option<String>,
        #[graphql(desc = "Whether the customer has the goods: cash is due from the payment on.")]
        is_delivered: Option<bool>,
        #[graphql(desc = "Outstanding since before this moment.")] since_before: Option<DateTime>,
        #[graphql(default_with = "default_page()", desc = "1 to 100.")] first: i32,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<OutstandingConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = forward(first, after)?;
        let narrowed = Narrowed::to(&access, store_ids, region, partner_id).await?;
        let filter = OutstandingFilter {
            stores: narrowed.stores,
            region: narrowed.region,
            partner: narrowed.partner,
            kind: kind.into(),
            is_delivered,
            before: since_before.map(|t| t.0),
            ..OutstandingFilter::within(access.actor().stores.clone())
        };
        let node = access.read(&[Model::CashLedger], fresh).await?;
        let page = node.outstanding_cash(&filter, &window).await;
        Ok(page.map_err(|e| access.read_failed(e))?.into())
    }

    /// How well cash was collected, by day and store and in all.
    #[allow(clippy::too_many_arguments)]
    async fn collection_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<CollectionMetrics, Error> {
        let access = Access::to_read(ctx).await?;
        check(from.0, to.0, MAX_DAYS)?;
        let narrowed = Narrowed::to(&access, store_ids, region, None).await?;
        let filter = DayFilter {
            allowed: access.actor().stores.clone(),
            stores: narrowed.stores,
            region: narrowed.region,
            from: from.0,
            to: to.0,
        };
        let node = access.read(&[Model::CashLedger], fresh).await?;
        let days = node.collection_days(&filter).await;
        let days = days.map_err(|e| access.read_failed(e))?;
        Ok(CollectionMetrics {
            total: CollectionFigures::total(&days),
            days: days.iter().map(CollectionDayMetrics::from).collect(),
        })
    }
}

async fn visible_order(
    access: &Access<'_>,
    node: &dyn Reads,
    id: &ID,
) -> Result<Option<PostingsOf>, Error> {
    let Ok(id) = id.as_str().parse::<OrderId>() else {
        return Ok(None);
    };
    let order = node.cash_order(id).await;
    let Some(order) = order.map_err(|e| access.read_failed(e))? else {
        access.missed(node, Thing::Order(id)).await?;
        return Ok(None);
    };
    let visible = access.sees(&order.store_id, &id.to_string()).await;
    Ok(visible.then_some(PostingsOf::Order(id)))
}

async fn visible_remittance(access: &Access<'_>, id: &ID) -> Option<PostingsOf> {
    let id = id.as_str().parse::<RemittanceId>().ok()?;
    let visible = access.sees(id.store(), &id.to_string()).await;
    visible.then_some(PostingsOf::Remittance(id))
}
