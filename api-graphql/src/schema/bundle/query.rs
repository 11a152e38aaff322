//! Reading bundles. They belong to the whole chain: everybody who may read sees all of them.

use async_graphql::{Context, Error, ID, InputObject, Object};
use domain::bundle::Bundle as State;
use projections::{
    Model,
    document::{BundleFilter as Filter, Row},
};

use super::Bundle;
use crate::schema::{
    access::{Access, Fresh, parsed},
    connection::{connection, window},
    document,
};

connection! {
    /// A page of bundles, by id.
    BundleConnection of
    /// A bundle and its cursor.
    BundleEdge { Bundle } from Row<State>
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct BundleFilter {
    /// Sold under this SKU.
    pub sku: Option<String>,
    /// Whether it is offered at all.
    pub is_active: Option<bool>,
}

/// The queries over bundles.
#[derive(Default)]
pub struct BundleQuery;

#[Object]
impl BundleQuery {
    /// A bundle by its id; null when there is none.
    async fn bundle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<Bundle>, Error> {
        let access = Access::to_read(ctx).await?;
        let node = access.read(&[Model::Bundles], fresh).await?;
        let found = document::by_id::<State>(&access, &node, &id).await?;
        Ok(found.map(Bundle::from))
    }

    /// Bundles, offered or not, page by page.
    #[allow(clippy::too_many_arguments)]
    async fn bundles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the list when absent.")]
        filter: Option<BundleFilter>,
        #[graphql(desc = "1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
        #[graphql(desc = "1 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor of this list.")] before: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<BundleConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default();
        let filter = Filter {
            sku: parsed("filter.sku", filter.sku)?,
            is_active: filter.is_active,
        };
        let node = access.read(&[Model::Bundles], fresh).await?;
        let page = document::page::<State>(&access, &node, &filter, &window).await?;
        Ok(page.into())
    }
}
