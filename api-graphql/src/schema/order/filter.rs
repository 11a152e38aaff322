//! What a list of orders may be narrowed to and sorted by.

use std::fmt;

use async_graphql::{Enum, Error, ID, InputObject};
use domain::{actor::Action, ids::StoreId};
use projections::order_view::{OrderFilter as Filter, OrderRow, OrderSort as Sort};
use store::PhoneHash;

use super::{
    Order,
    collection::CollectionStatus,
    parts::{Channel, System},
    status::OrderStatus,
};
use crate::schema::{
    access::{Access, coded, invalid, parsed},
    connection::connection,
    scalars::{DateTime, Decimal},
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
#[derive(Clone, Default, InputObject)]
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
    /// The recipient's phone number, in any spelling: 081 234 5678 is +66812345678. Only for roles that may see personal
    /// data; FORBIDDEN for others. Orders of an erased person are not found.
    pub phone: Option<String>,
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
    /// Where the cash stands: any of these.
    pub collection: Option<Vec<CollectionStatus>>,
    /// The delivery partner who has or had the cash.
    pub partner_id: Option<String>,
    /// Whether picking has not begun in time.
    pub is_stuck: Option<bool>,
    /// Whether nobody said in time what became of the cash.
    pub is_collection_overdue: Option<bool>,
    /// Whether there is a bundle in it.
    pub has_bundles: Option<bool>,
}

impl fmt::Debug for OrderFilter {
    /// Says only that there is one: a phone number in it must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderFilter(..)")
    }
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
    /// INVALID_INPUT with the path of a field that no order can match; FORBIDDEN for a field that the caller's role may
    /// not search by.
    pub(crate) async fn within(self, access: &Access<'_>) -> Result<Filter, Error> {
        let phone = match &self.phone {
            Some(phone) => Some(hash_of(phone, access).await?),
            None => None,
        };
        Ok(Filter {
            phone,
            stores: self
                .store_ids
                .map(|ids| store_ids("filter.storeIds", &ids))
                .transpose()?,
            statuses: self
                .statuses
                .map(|s| s.into_iter().map(Into::into).collect()),
            channel: self.channel.map(Into::into),
            region: parsed("filter.region", self.region)?,
            customer_id: parsed("filter.customerId", self.customer_id)?,
            number_prefix: self.number_prefix,
            reference: self.reference.map(|r| (r.system.into(), r.reference)),
            placed_from: self.placed_from.map(|t| t.0),
            placed_to: self.placed_to.map(|t| t.0),
            updated_from: self.updated_from.map(|t| t.0),
            updated_to: self.updated_to.map(|t| t.0),
            total_min: self.total_min.map(|d| d.0),
            total_max: self.total_max.map(|d| d.0),
            collection: self
                .collection
                .map(|s| s.into_iter().map(Into::into).collect()),
            partner_id: parsed("filter.partnerId", self.partner_id)?,
            is_stuck: self.is_stuck,
            is_overdue: self.is_collection_overdue,
            has_bundles: self.has_bundles,
            ..Filter::within(access.actor().stores.clone())
        })
    }
}

/// What a phone number is looked for by. No message repeats the number: it is personal data.
///
/// # Errors
/// FORBIDDEN to whoever may not see personal data: finding an order by a number tells whose it is. The attempt is
/// audited. INVALID_INPUT when it is no phone number.
async fn hash_of(phone: &str, access: &Access<'_>) -> Result<PhoneHash, Error> {
    let action = Action::ReadPersonalData;
    if !access.actor().role.may(action) {
        access.refused(action, "orders by phone", "role").await;
        let message = "your role may not see personal data, so it may not search by phone";
        return Err(coded("FORBIDDEN", message));
    }
    let hash = access.backend.phone_hash(phone);
    hash.ok_or_else(|| {
        let advice = "must be a phone number such as +66 81 234 5678";
        invalid("filter.phone", advice)
    })
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

connection! {
    /// A page of orders.
    OrderConnection of
    /// An order and its cursor.
    OrderEdge { Order } from OrderRow
}
