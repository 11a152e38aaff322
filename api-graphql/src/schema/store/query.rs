//! Reading stores. A store outside the caller's scope is not there.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::store::Store as State;
use projections::{
    Model,
    document::{Row, StoreFilter as Filter},
    whose::Thing,
};

use super::Store;
use crate::schema::{
    access::{Access, Fresh, parsed},
    connection::{connection, window},
    document,
};

connection! {
    /// A page of stores, by id.
    StoreConnection of
    /// A store and its cursor.
    StoreEdge { Store } from Row<State>
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StoreFilter {
    /// In this region.
    pub region: Option<String>,
    /// Whether it takes orders.
    pub is_active: Option<bool>,
}

/// The queries over stores.
#[derive(Default)]
pub struct StoreQuery;

#[Object]
impl StoreQuery {
    /// A store by its id; null when there is none that the caller may see.
    async fn store(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<Store>, Error> {
        let access = Access::to_read(ctx).await?;
        let node = access.read(&[Model::Stores], fresh).await?;
        let Some(row) = document::by_id::<State>(&access, &node, &id).await? else {
            if let Ok(id) = id.as_str().parse() {
                access.missed(node.as_ref(), Thing::Store(&id)).await?;
            }
            return Ok(None);
        };
        let visible = access.sees(&row.id, row.id.as_str()).await;
        Ok(visible.then(|| Store::from(row)))
    }

    /// The stores that the caller may see, page by page.
    #[allow(clippy::too_many_arguments)]
    async fn stores(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the list when absent.")]
        filter: Option<StoreFilter>,
        #[graphql(desc = "1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "1 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor of this list.")] before: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<StoreConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let filter = Filter {
            region: parsed("filter.region", filter.region)?,
            is_active: filter.is_active,
            ..Filter::within(access.actor().stores.clone())
        };
        let node = access.read(&[Model::Stores], fresh).await?;
        let page = document::page::<State>(&access, &node, &filter, &window).await?;
        Ok(page.into())
    }
}
