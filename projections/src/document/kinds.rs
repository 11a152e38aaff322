//! The kinds that are kept whole: their tables, their lists and what those are narrowed to.

use chrono::NaiveDate;
use domain::{
    actor::StoreScope,
    bundle::Bundle,
    ids::{PartnerId, RegionId, Sku, StoreId},
    intake::Intake,
    remittance::{Remittance, RemittanceStatus},
    store::Store,
};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::{Document, Row};
use crate::{
    read_db::{allowed_ids, push_any},
    words::word,
};

/// Which stores a list holds: all conditions must be met; an absent one is met by every store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Stores of this region.
    pub region: Option<RegionId>,
    /// Whether they take orders.
    pub is_active: Option<bool>,
}

impl StoreFilter {
    /// Every store inside the scope.
    pub const fn within(allowed: StoreScope) -> Self {
        Self {
            allowed,
            region: None,
            is_active: None,
        }
    }
}

impl Document for Store {
    const TABLE: &'static str = "store_view";
    const LIST: u8 = b's';
    const DESCENDS: bool = false;
    type Filter = StoreFilter;

    fn place(_: &Row<Self>) -> i64 {
        0
    }

    fn push(filter: &StoreFilter, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        push_region(filter.region.as_ref(), sql);
        push_active(filter.is_active, sql);
        push_any(sql, "id", allowed_ids(&filter.allowed, None))
    }
}

/// Which bundles a list holds: all conditions must be met; an absent one is met by every bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BundleFilter {
    /// Bundles sold under this SKU.
    pub sku: Option<Sku>,
    /// Whether they are offered at all.
    pub is_active: Option<bool>,
}

impl Document for Bundle {
    const TABLE: &'static str = "bundle_view";
    const LIST: u8 = b'b';
    const DESCENDS: bool = false;
    type Filter = BundleFilter;

    fn place(_: &Row<Self>) -> i64 {
        0
    }

    fn push(filter: &BundleFilter, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        if let Some(sku) = &filter.sku {
            sql.push(" and sku = ").push_bind(sku.to_string());
        }
        push_active(filter.is_active, sql);
        true
    }
}

/// Which remittances a list holds: all conditions must be met; an absent one is met by every remittance.
#[derive(Debug, Clone, PartialEq)]
pub struct RemittanceFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Remittances to any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Remittances to stores of this region.
    pub region: Option<RegionId>,
    /// Remittances of this partner.
    pub partner: Option<PartnerId>,
    /// Remittances in any of these statuses.
    pub statuses: Option<Vec<RemittanceStatus>>,
    /// Of this business day or a later one.
    pub from: Option<NaiveDate>,
    /// Of this business day or an earlier one.
    pub to: Option<NaiveDate>,
}

impl RemittanceFilter {
    /// Every remittance inside the scope.
    pub const fn within(allowed: StoreScope) -> Self {
        Self {
            allowed,
            stores: None,
            region: None,
            partner: None,
            statuses: None,
            from: None,
            to: None,
        }
    }
}

/// A day as a place in a list: days since 1970.
fn day_place(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

impl Document for Remittance {
    const TABLE: &'static str = "remittance_view";
    const LIST: u8 = b'r';
    /// The latest day first.
    const DESCENDS: bool = true;
    type Filter = RemittanceFilter;

    fn place(row: &Row<Self>) -> i64 {
        day_place(row.id.day())
    }

    fn push(filter: &RemittanceFilter, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        push_region(filter.region.as_ref(), sql);
        if let Some(partner) = &filter.partner {
            sql.push(" and partner_id = ")
                .push_bind(partner.to_string());
        }
        for (condition, day) in [
            (" and place >= ", filter.from),
            (" and place <= ", filter.to),
        ] {
            if let Some(day) = day {
                sql.push(condition).push_bind(day_place(day));
            }
        }
        let stores = allowed_ids(&filter.allowed, filter.stores.as_deref());
        let statuses = filter.statuses.as_ref();
        push_any(sql, "store_id", stores)
            && push_any(
                sql,
                "status",
                statuses.map(|s| s.iter().map(word).collect()),
            )
    }
}

/// Which dead letters a list holds: all conditions must be met; an absent one is met by every message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterFilter {
    /// Messages of which any of these became.
    pub outcomes: Option<Vec<Outcome>>,
    /// Messages from there.
    pub source: Option<String>,
}

/// What became of a message that could not be placed: the kind of [`domain::intake::IntakeOutcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It is a dead letter: somebody must look at it.
    Rejected,
    /// It was placed after all.
    Placed,
    /// Somebody decided that it is not to be placed.
    Dismissed,
}

impl Document for Intake {
    const TABLE: &'static str = "dead_letter_view";
    const LIST: u8 = b'd';
    /// The last received first.
    const DESCENDS: bool = true;
    type Filter = DeadLetterFilter;

    fn place(row: &Row<Self>) -> i64 {
        row.first_position.0
    }

    fn push(filter: &DeadLetterFilter, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        if let Some(source) = &filter.source {
            // PostgreSQL's text cannot hold NUL, so no row has such a source.
            if source.contains('\0') {
                return false;
            }
            sql.push(" and source = ").push_bind(source.clone());
        }
        let outcomes = filter.outcomes.as_ref();
        push_any(
            sql,
            "outcome",
            outcomes.map(|o| o.iter().map(word).collect()),
        )
    }
}

fn push_region(region: Option<&RegionId>, sql: &mut QueryBuilder<'_, Postgres>) {
    if let Some(region) = region {
        sql.push(" and region = ").push_bind(region.to_string());
    }
}

fn push_active(is_active: Option<bool>, sql: &mut QueryBuilder<'_, Postgres>) {
    if let Some(is_active) = is_active {
        sql.push(if is_active {
            " and is_active"
        } else {
            " and not is_active"
        });
    }
}
