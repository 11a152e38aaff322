//! Reading orders.

use async_graphql::{Context, Error, ID, Interface, Object};
use domain::ids::OrderId;
use projections::{
    Model, ReadError,
    order_view::{OrderRow, PageRequest},
    whose::Thing,
};

use super::{
    Order,
    as_of::{AsOf, past},
    filter::{OrderConnection, OrderFilter, OrderSort},
    parts::System,
};
use crate::{
    backend::Reads,
    http::lasting::Lasting,
    schema::{
        access::{Access, Fresh},
        connection::window,
    },
};

/// Anything with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id for good."))]
pub enum Node {
    /// An order.
    Order(Box<Order>),
}

/// The queries over orders.
#[derive(Default)]
pub struct OrderQuery;

#[Object]
impl OrderQuery {
    /// Anything by its id; null when there is nothing the caller may see.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Result<Option<Node>, Error> {
        Ok(by_id(ctx, &id, None)
            .await?
            .map(|order| Node::Order(Box::new(order))))
    }

    /// An order by its id; null when there is none that the caller may see, or as of then was none.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(
            desc = "Shows the order as it was: the fold of its events up to then. The log itself is read, so nothing \
                    has to be waited for. Without it, as it is now."
        )]
        as_of: Option<AsOf>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<Order>, Error> {
        let Some(as_of) = as_of else {
            return by_id(ctx, &id, fresh).await;
        };
        let access = Access::to_read(ctx).await?;
        let Ok(id) = id.parse::<OrderId>() else {
            return Ok(None);
        };
        let then = past(&access, id, as_of).await?;
        if then.is_some() && as_of.is_settled() {
            Lasting::is_final(ctx);
        }
        Ok(then)
    }

    /// An order by another system's id of it; null when there is none that the caller may see.
    async fn order_by_ref(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which system.")] system: System,
        #[graphql(name = "ref", desc = "Its id of the order.")] reference: String,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<Order>, Error> {
        let access = Access::to_read(ctx).await?;
        let node = access.read(&[Model::OrderView], fresh).await?;
        let (system, reference) = (system.into(), reference.as_str());
        let found = node.order_by_ref(system, reference).await;
        visible(&access, node.as_ref(), Thing::Ref(system, reference), found).await
    }

    /// Orders of the stores the caller may see, page by page.
    #[allow(clippy::too_many_arguments)]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the list when absent.")]
        filter: Option<OrderFilter>,
        #[graphql(default_with = "OrderSort::Newest", desc = "The order of the list.")]
        sort: OrderSort,
        #[graphql(desc = "1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "A cursor of this list in this sort.")] after: Option<String>,
        #[graphql(desc = "1 to 100.")] last: Option<i32>,
        #[graphql(desc = "A cursor of this list in this sort.")] before: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<OrderConnection, Error> {
        let access = Access::to_read(ctx).await?;
        let window = window(first, after, last, before)?;
        let filter = filter.unwrap_or_default().within(&access).await?;
        access.asks_for(filter.stores.as_deref()).await;
        let node = access.read(&[Model::OrderView], fresh).await?;
        let request = PageRequest {
            filter,
            sort: sort.into(),
            window,
        };
        let page = node.orders(&request).await;
        let page = page.map_err(|e| access.page_failed(&request.window, e))?;
        Ok(page.into())
    }
}

async fn by_id(ctx: &Context<'_>, id: &ID, fresh: Option<Fresh>) -> Result<Option<Order>, Error> {
    let access = Access::to_read(ctx).await?;
    let node = access.read(&[Model::OrderView], fresh).await?;
    // What is no order id is the id of no order.
    let Ok(id) = id.parse::<OrderId>() else {
        return Ok(None);
    };
    let found = node.order(id).await;
    visible(&access, node.as_ref(), Thing::Order(id), found).await
}

/// A foreign store's order answers exactly as one that does not exist.
async fn visible(
    access: &Access<'_>,
    node: &dyn Reads,
    asked: Thing<'_>,
    found: Result<Option<OrderRow>, ReadError>,
) -> Result<Option<Order>, Error> {
    let Some(row) = found.map_err(|e| access.read_failed(e))? else {
        access.missed(node, asked).await?;
        return Ok(None);
    };
    let visible = access.sees(&row.order.store_id, &row.id.to_string()).await;
    Ok(visible.then(|| Order::from(row)))
}
