//! What a list of orders may be narrowed to and sorted by, as SQL with binds.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::{
    actor::StoreScope,
    ids::{CustomerId, PartnerId, RegionId, StoreId},
    money::Money,
    order::{
        CollectionStatus, OrderStatus,
        event::{Channel, System},
    },
};
use serde::{Serialize, Serializer};
use sqlx::{Postgres, QueryBuilder};
use store::PhoneHash;

use super::{cursor::Cursor, fold};
use crate::{
    paging::{Parts, Window},
    read_db::{allowed_ids, push_any},
    words::word,
};

/// 9999-12-31T23:59:59Z in seconds since 1970, the latest time a filter compares with; the earliest is
/// 1970. Times further out mean the same and the database could not hold all of them.
const LATEST_SECONDS: i64 = 253_402_300_799;
/// The longest order number: `QC-`, the day, `-`, 12 digits.
const MAX_NUMBER_CHARS: usize = 26;

/// The order of a list. Ties are broken by order id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub enum OrderSort {
    /// Last placed first.
    #[default]
    NewestFirst,
    /// First placed first.
    OldestFirst,
    /// Last changed first. An order that changes between two pages moves to the front.
    UpdatedFirst,
    /// Highest order total first. An order whose total changes between two pages moves.
    TotalDesc,
}

impl OrderSort {
    /// Every sort.
    pub const ALL: [Self; 4] = [
        Self::NewestFirst,
        Self::OldestFirst,
        Self::UpdatedFirst,
        Self::TotalDesc,
    ];

    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::NewestFirst => b'N',
            Self::OldestFirst => b'O',
            Self::UpdatedFirst => b'U',
            Self::TotalDesc => b'T',
        }
    }

    pub(super) fn from_tag(tag: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.tag() == tag)
    }

    const fn column(self) -> &'static str {
        match self {
            Self::NewestFirst | Self::OldestFirst => "placed_at",
            Self::UpdatedFirst => "updated_at",
            Self::TotalDesc => "order_total",
        }
    }

    /// Whether rows come in falling order of the key when read in the list's own direction.
    const fn descends(self) -> bool {
        !matches!(self, Self::OldestFirst)
    }
}

impl fmt::Display for OrderSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewestFirst => "newest first",
            Self::OldestFirst => "oldest first",
            Self::UpdatedFirst => "recently updated first",
            Self::TotalDesc => "highest total first",
        })
    }
}

/// Which orders a list holds: all conditions must be met; an absent one is met by every order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Orders of any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Orders in any of these statuses.
    pub statuses: Option<Vec<OrderStatus>>,
    /// Orders of this channel.
    pub channel: Option<Channel>,
    /// Orders of this region.
    pub region: Option<RegionId>,
    /// Orders of this customer.
    pub customer_id: Option<CustomerId>,
    /// Orders for whoever has this phone number.
    #[serde(serialize_with = "hash")]
    pub phone: Option<PhoneHash>,
    /// Orders whose number starts so.
    pub number_prefix: Option<String>,
    /// The order another system knows by this reference.
    pub reference: Option<(System, String)>,
    /// Placed at or after.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before.
    pub placed_to: Option<DateTime<Utc>>,
    /// Last changed at or after.
    pub updated_from: Option<DateTime<Utc>>,
    /// Last changed before.
    pub updated_to: Option<DateTime<Utc>>,
    /// Order total at least.
    pub total_min: Option<Money>,
    /// Order total at most.
    pub total_max: Option<Money>,
    /// Orders whose cash stands in any of these ways.
    pub collection: Option<Vec<CollectionStatus>>,
    /// Orders whose cash this partner's riders have or had.
    pub partner_id: Option<PartnerId>,
    /// Whether picking was late to begin, and has not begun since.
    pub is_stuck: Option<bool>,
    /// Whether news of the cash is overdue.
    pub is_overdue: Option<bool>,
    /// Whether bundles are in them.
    pub has_bundles: Option<bool>,
}

impl OrderFilter {
    /// Every order inside the scope.
    pub const fn within(allowed: StoreScope) -> Self {
        Self {
            allowed,
            stores: None,
            statuses: None,
            channel: None,
            region: None,
            customer_id: None,
            phone: None,
            number_prefix: None,
            reference: None,
            placed_from: None,
            placed_to: None,
            updated_from: None,
            updated_to: None,
            total_min: None,
            total_max: None,
            collection: None,
            partner_id: None,
            is_stuck: None,
            is_overdue: None,
            has_bundles: None,
        }
    }

    /// Adds the conditions to `sql`, which ends inside a `where` clause. `false`: no row can meet them,
    /// do not ask.
    pub(super) fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        let stores = allowed_ids(&self.allowed, self.stores.as_deref());
        let codes = |statuses: &Vec<OrderStatus>| {
            let codes = statuses.iter().map(|s| fold::code(s.code()));
            codes.collect::<Vec<i16>>()
        };
        if !push_any(sql, "store_id", stores)
            || !push_any(sql, "status", self.statuses.as_ref().map(codes))
        {
            return false;
        }
        if let Some(channel) = self.channel {
            sql.push(" and channel = ").push_bind(channel.as_str());
        }
        if let Some(region) = &self.region {
            sql.push(" and region = ").push_bind(region.to_string());
        }
        if let Some(customer) = &self.customer_id {
            sql.push(" and customer_id = ")
                .push_bind(customer.to_string());
        }
        if let Some(phone) = self.phone {
            // An array and no join: the few orders of a number are fetched by their ids, whatever the list is sorted by.
            sql.push(" and order_id = any(array(select order_id from phone_index where hash = ")
                .push_bind(phone.0.to_vec())
                .push("))");
        }
        self.push_times(sql);
        self.push_totals(sql);
        self.push_flags(sql);
        self.push_collection(sql) && self.push_texts(sql)
    }

    fn push_collection(&self, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        if let Some(partner) = &self.partner_id {
            sql.push(" and partner_id = ")
                .push_bind(partner.to_string());
        }
        let words = self.collection.as_ref();
        push_any(
            sql,
            "collection_status",
            words.map(|w| w.iter().map(word).collect()),
        )
    }

    /// As words of the statement, not as binds: the indexes of the few flagged orders hang on them.
    fn push_flags(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let flags = [
            (self.is_stuck, " and is_stuck", " and not is_stuck"),
            (self.is_overdue, " and is_overdue", " and not is_overdue"),
            (self.has_bundles, " and bundles > 0", " and bundles = 0"),
        ];
        for (flag, yes, no) in flags {
            match flag {
                Some(true) => sql.push(yes),
                Some(false) => sql.push(no),
                None => continue,
            };
        }
    }

    fn push_times(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let bounds = [
            (" and placed_at >= ", self.placed_from),
            (" and placed_at < ", self.placed_to),
            (" and updated_at >= ", self.updated_from),
            (" and updated_at < ", self.updated_to),
        ];
        for (condition, time) in bounds {
            if let Some(time) = time {
                let seconds = time.timestamp().clamp(0, LATEST_SECONDS);
                // Out of range: the clamped bound; inside: the bound itself with its fraction.
                let bound = if seconds == time.timestamp() {
                    time
                } else {
                    DateTime::from_timestamp(seconds, 0).unwrap_or(time)
                };
                sql.push(condition).push_bind(bound);
            }
        }
    }

    fn push_totals(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let bounds = [
            (" and order_total >= ", self.total_min),
            (" and order_total <= ", self.total_max),
        ];
        for (condition, total) in bounds {
            if let Some(total) = total {
                sql.push(condition)
                    .push_bind(total.to_string())
                    .push("::text::numeric");
            }
        }
    }

    fn push_texts(&self, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        if let Some(prefix) = &self.number_prefix {
            let Some(end) = prefix_end(prefix) else {
                return false;
            };
            sql.push(" and number >= ").push_bind(prefix.clone());
            sql.push(" and number < ").push_bind(end);
        }
        if let Some((system, reference)) = &self.reference {
            // PostgreSQL's text cannot hold NUL, so no order has such a reference.
            if reference.contains('\0') {
                return false;
            }
            sql.push(" and order_id = (select order_id from order_ref where system = ")
                .push_bind(system.as_str())
                .push(" and reference = ")
                .push_bind(reference.clone())
                .push(")");
        }
        true
    }
}

fn hash<S: Serializer>(phone: &Option<PhoneHash>, serializer: S) -> Result<S::Ok, S::Error> {
    phone.map(|hash| hash.0).serialize(serializer)
}

/// The least text after every order number that starts with `prefix`; `None` when no number can.
fn prefix_end(prefix: &str) -> Option<String> {
    let known = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    if prefix.len() > MAX_NUMBER_CHARS || !prefix.chars().all(known) {
        return None;
    }
    let mut end = prefix.to_owned();
    // Every known character has a successor in ASCII. An empty prefix ends after every number.
    let last = end
        .pop()
        .map_or('~', |c| char::from((c as u8).saturating_add(1)));
    end.push(last);
    Some(end)
}

/// One page of a filtered and sorted list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageRequest {
    /// Which orders.
    pub filter: OrderFilter,
    /// In which order.
    pub sort: OrderSort,
    /// Which part.
    pub window: Window,
}

/// Adds the place to start from, the direction and the limit.
pub(super) fn push_window(
    sql: &mut QueryBuilder<'_, Postgres>,
    sort: OrderSort,
    parts: &Parts<Cursor>,
) {
    let column = sort.column();
    let (comparison, direction) = parts.direction(sort.descends());
    if let Some(cursor) = parts.cursor {
        sql.push(" and (")
            .push(column)
            .push(", order_id)")
            .push(comparison)
            .push("(");
        match sort {
            OrderSort::TotalDesc => {
                sql.push_bind(Money::from_units(cursor.key).to_string())
                    .push("::text::numeric");
            }
            _ => {
                sql.push_bind(
                    DateTime::<Utc>::from_timestamp_micros(cursor.key).unwrap_or_default(),
                );
            }
        }
        sql.push(", ").push_bind(cursor.id).push(")");
    }
    sql.push(" order by ")
        .push(column)
        .push(direction)
        .push(", order_id")
        .push(direction);
    sql.push(" limit ").push_bind(parts.limit());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn store(id: &str) -> StoreId {
        StoreId::new(id).unwrap()
    }

    proptest! {
        #[test]
        fn the_end_of_a_prefix_follows_all_it_starts(prefix in "[A-Z0-9-]{0,26}", rest in "[A-Z0-9-]{0,9}") {
            let end = prefix_end(&prefix).unwrap();
            let number = format!("{prefix}{rest}");
            prop_assert!(number.as_bytes() < end.as_bytes());
        }
    }

    #[test]
    fn a_prefix_no_number_has_asks_nothing() {
        for prefix in ["qc", "QC%", "QC\0", "ใบสั่ง", "QC-2026-01-31-0000000000000"] {
            assert_eq!(prefix_end(prefix), None, "{prefix}");
        }
    }

    #[test]
    fn only_allowed_stores_are_asked_for() {
        let mut filter =
            OrderFilter::within(StoreScope::Only(vec![store("CFR001"), store("CFR002")]));
        filter.stores = Some(vec![store("CFR002"), store("CFR003")]);
        let ids = allowed_ids(&filter.allowed, filter.stores.as_deref());
        assert_eq!(ids, Some(vec!["CFR002".to_owned()]));
        filter.stores = Some(vec![store("CFR003")]);
        let mut sql = QueryBuilder::new("where true");
        assert!(!filter.push(&mut sql));
        filter.stores = None;
        filter.allowed = StoreScope::Only(Vec::new());
        assert!(!filter.push(&mut QueryBuilder::new("where true")));
    }
}
