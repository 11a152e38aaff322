//! What a list of orders may be narrowed to and sorted by.

use async_graphql::{Enum, Error, ID, InputObject, SimpleObject};
use domain::{
    actor::StoreScope,
    ids::{CustomerId, RegionId, StoreId},
};
use projections::order_view::{OrderFilter as Filter, OrderSort as Sort, Page, Window};

use super::{
    Order, default_page,
    history::PageInfo,
    parts::{Channel, System},
    status::OrderStatus,
};
use crate::{
    limits::MAX_PAGE,
    schema::{
        access::invalid,
        scalars::{DateTime, Decimal},
    },
};

/// The most items of a list inside a filter.
const MAX_FILTER_ITEMS: usize = 200;

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderSort {
    /// Last placed first.
    Newest,
    /// First placed first.
    Oldest,
    /// Last changed first. An order that changes between two pages moves to the front.
    Updated,
    /// Highest order total first.
    TotalDesc,
}

impl From<OrderSort> for Sort {
    fn from(sort: OrderSort) -> Self {
        match sort {
            OrderSort::Newest => Self::NewestFirst,
            OrderSort::Oldest => Self::OldestFirst,
            OrderSort::Updated => Self::UpdatedFirst,
            OrderSort::TotalDesc => Self::TotalDesc,
        }
    }
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct OrderFilter {
    /// Any of these stores, of those the caller may see.
    pub store_ids: Option<Vec<ID>>,
    /// Any of these statuses.
    pub statuses: Option<Vec<OrderStatus>>,
    /// This channel.
    pub channel: Option<Channel>,
    /// This region.
    pub region: Option<String>,
    /// This customer.
    pub customer_id: Option<String>,
    /// Numbers that start so, such as QC-2026-01-31.
    pub number_prefix: Option<String>,
    /// The order that another system knows so.
    #[graphql(name = "ref")]
    pub reference: Option<RefFilter>,
    /// Placed at or after.
    pub placed_from: Option<DateTime>,
    /// Placed before.
    pub placed_to: Option<DateTime>,
    /// Last changed at or after.
    pub updated_from: Option<DateTime>,
    /// Last changed before.
    pub updated_to: Option<DateTime>,
    /// Order total at least.
    pub total_min: Option<Decimal>,
    /// Order total at most.
    pub total_max: Option<Decimal>,
}

/// A system's id of an order.
#[derive(Debug, Clone, InputObject)]
pub struct RefFilter {
    /// Which system.
    pub system: System,
    /// Its id of the order.
    pub reference: String,
}

impl OrderFilter {
    /// # Errors
    /// INVALID_INPUT with the path of a field that no order can match.
    pub(crate) fn within(self, allowed: StoreScope) -> Result<Filter, Error> {
        Ok(Filter {
            stores: self
                .store_ids
                .map(|ids| store_ids("filter.storeIds", &ids))
                .transpose()?,
            statuses: self
                .statuses
                .map(|s| s.into_iter().map(Into::into).collect()),
            channel: self.channel.map(Into::into),
            region: self
                .region
                .map(RegionId::new)
                .transpose()
                .map_err(|e| invalid("filter.region", e.problem))?,
            customer_id: self
                .customer_id
                .map(CustomerId::new)
                .transpose()
                .map_err(|e| invalid("filter.customerId", e.problem))?,
            number_prefix: self.number_prefix,
            reference: self.reference.map(|r| (r.system.into(), r.reference)),
            placed_from: self.placed_from.map(|t| t.0),
            placed_to: self.placed_to.map(|t| t.0),
            updated_from: self.updated_from.map(|t| t.0),
            updated_to: self.updated_to.map(|t| t.0),
            total_min: self.total_min.map(|d| d.0),
            total_max: self.total_max.map(|d| d.0),
            ..Filter::within(allowed)
        })
    }
}

/// Store ids as a caller wrote them.
///
/// # Errors
/// INVALID_INPUT with the path of the first that is none.
pub(crate) fn store_ids(path: &str, ids: &[ID]) -> Result<Vec<StoreId>, Error> {
    if ids.len() > MAX_FILTER_ITEMS {
        return Err(invalid(
            path,
            format!("must have at most {MAX_FILTER_ITEMS} items"),
        ));
    }
    let parse = |(at, id): (usize, &ID)| {
        StoreId::new(id.as_str()).map_err(|e| invalid(&format!("{path}[{at}]"), e.problem))
    };
    ids.iter().enumerate().map(parse).collect()
}

/// `first`/`after` or `last`/`before`, as Relay has them.
///
/// # Errors
/// INVALID_INPUT when both directions are asked for, or a size is out of bounds.
pub(crate) fn window(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<Window, Error> {
    let size = |path, n: i32| {
        let n = i64::from(n);
        if (1..=MAX_PAGE).contains(&n) {
            Ok(n)
        } else {
            Err(invalid(path, format!("must be 1 to {MAX_PAGE}")))
        }
    };
    match (first, last) {
        (Some(_), Some(_)) => Err(invalid(
            "last",
            "cannot stand beside `first`; ask for one direction",
        )),
        (_, Some(last)) => match after {
            Some(_) => Err(invalid("after", "cannot stand beside `last`; use `before`")),
            None => Ok(Window::Backward {
                last: size("last", last)?,
                before,
            }),
        },
        (first, None) => match before {
            Some(_) => Err(invalid("before", "cannot stand beside `first`; use `last`")),
            None => Ok(Window::Forward {
                first: size("first", first.unwrap_or_else(default_page))?,
                after,
            }),
        },
    }
}

/// A page of orders.
#[derive(SimpleObject)]
pub struct OrderConnection {
    /// The orders with their cursors.
    pub edges: Vec<OrderEdge>,
    /// Where the page begins and ends.
    pub page_info: PageInfo,
}

/// An order and its cursor.
#[derive(SimpleObject)]
pub struct OrderEdge {
    /// For `after` and `before`.
    pub cursor: String,
    /// The order.
    pub node: Order,
}

impl From<Page> for OrderConnection {
    fn from(page: Page) -> Self {
        Self {
            page_info: PageInfo {
                has_next_page: page.has_next,
                has_previous_page: page.has_previous,
                start_cursor: page.edges.first().map(|e| e.cursor.clone()),
                end_cursor: page.edges.last().map(|e| e.cursor.clone()),
            },
            edges: page
                .edges
                .into_iter()
                .map(|e| OrderEdge {
                    cursor: e.cursor,
                    node: e.row.into(),
                })
                .collect(),
        }
    }
}
