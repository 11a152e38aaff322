//! Reading remittances. One of a store outside the caller's scope is not there.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::{actor::StoreScope, remittance::Remittance as State};
use projections::{
    Model,
    document::{RemittanceFilter as Filter, Row},
    whose::Thing,
};

use super::{Remittance, RemittanceStatus};
use crate::schema::{
    access::{Access, Fresh, parsed},
    connection::{connection, window},
    document,
    order::filter::store_ids,
    scalars::Date,
};

connection! {
    /// A page of remittances, the latest business day first.
    RemittanceConnection of
    /// A remittance and its cursor.
    RemittanceEdge { Remittance } from Row<State>
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct RemittanceFilter {
    /// Any of these stores, of those the caller may see.
    pub store_ids: Option<Vec<ID>>,
    /// This region.
    pub region: Option<String>,
    /// This delivery partner.
    pub partner_id: Option<String>,
    /// Any of these statuses.
    pub statuses: Option<Vec<RemittanceStatus>>,
    /// Of this business day or a later one.
    pub from: Option<Date>,
    /// Of this business day or an earlier one.
    pub to: Option<Date>,
}

impl RemittanceFilter {
    fn within(self, allowed: StoreScope) -> Result<Filter, Error> {
        let stores = self.store_ids.map(|ids| store_ids("filter.storeIds", &ids));
        let statuses = self.statuses.map(|s| s.into_iter().map(Into::into));
        Ok(Filter {
            stores: stores.transpose()?,
            region: parsed("filter.region", self.region)?,
            partner: parsed("filter.partnerId", self.partner_id)?,
            statuses: statuses.map(Iterator::collect),
            from: self.from.map(|d| d.0),
            to: self.to.map(|d| d.0),
            ..Filter::within(allowed)
        })
    }
}

/// The queries over remittances.
#[derive(Default)]
pub struct RemittanceQuery;

#[Object]
impl RemittanceQuery {
    /// A remittance by its id, such as GRAB:CFR029:2026-01-31; null when there is none that the caller may see.
    async fn remittance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<Remittance>, Error> {
        let access = Access::to_read(ctx).await?;
        let node = access.read(&[Model::Remittances], fresh).await?;
        let Some(row) = document::by_id::<State>(&access, &node, &id).await? else {
            if let Ok(id) = id.as_str().parse() {
                access.missed(node.as_ref(), Thing::Remittance(&id)).await?;
            }
            return Ok(None);
        };
        let visible = access.sees(row.id.store(), &row.id.to_string()).await;
        Ok(visible.then(|| Remittance::from(row)))
    }

    /// The remittances of the stores that the caller may see, page by page.
    #[allow(clippy::too_many_arguments)]
    async fn remittances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the list when absent.")]
        filter: Option<RemittanceFilter>,
        #[graphql(desc = "1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "1 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor of this list.")] before: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<RemittanceConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let filter = filter.within(access.actor().stores.clone())?;
        access.asks_for(filter.stores.as_deref()).await;
        let node = access.read(&[Model::Remittances], fresh).await?;
        let page = document::page::<State>(&access, &node, &filter, &window).await?;
        Ok(page.into())
    }
}
