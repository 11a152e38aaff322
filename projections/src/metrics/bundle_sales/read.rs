//! Queries over the sales of bundles.

use std::collections::BTreeMap;

use domain::{bundle::BundleId, ids::Sku};
use sqlx::postgres::PgRow;
use store::Position;

use super::{BasketDay, Baskets, BundleDay, BundleSales, ComponentDay, ComponentSales};
use crate::{
    ReadDb, ReadError,
    metrics::{
        Wanted,
        read::{MetricsFilter, Question, snapshot},
        table::Measures,
    },
    words::text,
};

/// How bundles sold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BundlePerformance {
    /// Bundle by bundle, the one that brings most first.
    pub bundles: Vec<BundleRow>,
    /// Orders with and without bundles.
    pub baskets: Baskets,
    /// The last event that the figures hold.
    pub position: Position,
}

/// How a bundle sold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BundleRow {
    /// The bundle.
    pub bundle_id: BundleId,
    /// Its figures.
    pub sales: BundleSales,
    /// What its components brought, by SKU.
    pub components: Vec<ComponentRow>,
}

/// What a component of a bundle brought.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ComponentRow {
    /// The product.
    pub sku: Sku,
    /// Its figures.
    pub sales: ComponentSales,
}

struct Bundle(BundleId, BundleSales);

impl Bundle {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        Ok(Self(
            text(row, "bundle_id")?,
            BundleSales::from_row(row, wanted)?,
        ))
    }
}

struct Component(BundleId, ComponentRow);

impl Component {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        let component = ComponentRow {
            sku: text(row, "sku")?,
            sales: ComponentSales::from_row(row, wanted)?,
        };
        Ok(Self(text(row, "bundle_id")?, component))
    }
}

struct Basket(Baskets);

impl Basket {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        Baskets::from_row(row, wanted).map(Self)
    }
}

/// How bundles sold in the stores the caller may see, all of it at one position; of one bundle only where given.
///
/// # Errors
/// [`ReadError::PageSize`] for too long a time, [`ReadError::TooMuch`] for too many bundles; the database did not answer.
pub async fn performance(
    db: &ReadDb,
    filter: &MetricsFilter,
    bundle: Option<&BundleId>,
) -> Result<BundlePerformance, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let bundles = bundles(filter, bundle);
    let bundles = bundles.ask::<BundleDay, _>(&mut conn, Bundle::read).await?;
    let components = components(filter, bundle);
    let components = components
        .ask::<ComponentDay, _>(&mut conn, Component::read)
        .await?;
    let baskets = baskets(filter)
        .ask::<BasketDay, _>(&mut conn, Basket::read)
        .await?;
    conn.commit().await?;
    let mut parts: BTreeMap<BundleId, Vec<ComponentRow>> = BTreeMap::new();
    for Component(bundle_id, component) in components.rows {
        parts.entry(bundle_id).or_default().push(component);
    }
    let mut rows: Vec<BundleRow> = bundles
        .rows
        .into_iter()
        .map(|Bundle(bundle_id, sales)| BundleRow {
            components: parts.remove(&bundle_id).unwrap_or_default(),
            bundle_id,
            sales,
        })
        .collect();
    // Those that bring the same stay in the order of their ids.
    rows.sort_by_key(|row| std::cmp::Reverse(row.sales.revenue_units));
    Ok(BundlePerformance {
        bundles: rows,
        baskets: Baskets::total(baskets.rows.iter().map(|Basket(b)| b)),
        position: bundles.position,
    })
}

/// How the database would read it: the lines of `explain` of all its queries, for tests and operators.
///
/// # Errors
/// As [`performance`].
pub async fn explain(
    db: &ReadDb,
    filter: &MetricsFilter,
    bundle: Option<&BundleId>,
) -> Result<Vec<String>, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let bundles = bundles(filter, bundle);
    let mut lines = bundles.explain::<BundleDay>(&mut conn).await?;
    let components = components(filter, bundle);
    lines.extend(components.explain::<ComponentDay>(&mut conn).await?);
    lines.extend(baskets(filter).explain::<BasketDay>(&mut conn).await?);
    Ok(lines)
}

fn bundles<'a>(filter: &'a MetricsFilter, bundle: Option<&BundleId>) -> Question<'a> {
    Question {
        only: bundle
            .map(|id| ("bundle_id", id.to_string()))
            .into_iter()
            .collect(),
        ..Question::of(filter, &["bundle_id"])
    }
}

fn components<'a>(filter: &'a MetricsFilter, bundle: Option<&BundleId>) -> Question<'a> {
    Question {
        by: &["bundle_id", "sku"],
        ..bundles(filter, bundle)
    }
}

const fn baskets(filter: &MetricsFilter) -> Question<'_> {
    Question::of(filter, &["region"])
}
