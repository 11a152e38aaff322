//! The catalogue in the ledger's own database.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{ids::Sku, money::Money, order::facts::Product};
use sqlx::PgPool;
use store::StoreError;

use super::{Catalogue, CatalogueUnreachable};

/// Rows that one call of [`PostgresCatalogue::import`] takes.
pub const MAX_IMPORT_ROWS: usize = 5_000;

/// The table `product`.
#[derive(Clone)]
pub struct PostgresCatalogue {
    pool: PgPool,
}

/// A product to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// Which product.
    pub sku: Sku,
    /// What is said of it.
    pub product: Product,
}

#[derive(sqlx::FromRow)]
struct Row {
    sku: String,
    name_th: Option<String>,
    name_en: Option<String>,
    short_description: Option<String>,
    image_url: Option<String>,
    list_price: Option<String>,
}

impl PostgresCatalogue {
    /// The catalogue of a migrated database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Adds the products or replaces what is known of them, all or none; of several rows for one SKU the last counts.
    /// Returns how many products were written. Orders see it as what they remember runs out: within 15 minutes.
    ///
    /// # Errors
    /// More than [`MAX_IMPORT_ROWS`] rows, a text with a NUL, or the database is unreachable.
    pub async fn import(&self, rows: &[ProductRow]) -> Result<u64, StoreError> {
        if rows.len() > MAX_IMPORT_ROWS {
            let message = format!("{} products at once; at most {MAX_IMPORT_ROWS}", rows.len());
            return Err(StoreError::Invalid(message));
        }
        let last: HashMap<&str, &Product> =
            rows.iter().map(|r| (r.sku.as_str(), &r.product)).collect();
        let (skus, products): (Vec<&str>, Vec<&Product>) = last.into_iter().unzip();
        let column = |pick: fn(&Product) -> Option<&str>| -> Vec<Option<&str>> {
            products.iter().map(|p| pick(p)).collect()
        };
        let prices: Vec<Option<String>> = products
            .iter()
            .map(|p| p.list_price.map(|price| price.to_string()))
            .collect();
        let done = sqlx::query(
            "INSERT INTO product AS p (sku, name_th, name_en, short_description, image_url, list_price) \
             SELECT sku, name_th, name_en, short_description, image_url, list_price::numeric \
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) \
               AS t(sku, name_th, name_en, short_description, image_url, list_price) \
             ON CONFLICT (sku) DO UPDATE SET name_th = excluded.name_th, name_en = excluded.name_en, \
               short_description = excluded.short_description, image_url = excluded.image_url, \
               list_price = excluded.list_price, updated_at = clock_timestamp()",
        )
        .bind(skus)
        .bind(column(|p| p.name_th.as_deref()))
        .bind(column(|p| p.name_en.as_deref()))
        .bind(column(|p| p.short_description.as_deref()))
        .bind(column(|p| p.image_url.as_deref()))
        .bind(prices)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}

#[async_trait]
impl Catalogue for PostgresCatalogue {
    async fn find(
        &self,
        skus: &[Sku],
    ) -> Result<Option<HashMap<Sku, Product>>, CatalogueUnreachable> {
        let unreachable = |e: sqlx::Error| CatalogueUnreachable(e.to_string());
        let asked: Vec<&str> = skus.iter().map(Sku::as_str).collect();
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT sku, name_th, name_en, short_description, image_url, list_price::text AS list_price \
             FROM product WHERE sku = ANY($1)",
        )
        .bind(asked)
        .fetch_all(&self.pool)
        .await
        .map_err(unreachable)?;
        if rows.is_empty() {
            let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM product)")
                .fetch_one(&self.pool)
                .await
                .map_err(unreachable)?;
            return Ok(any.then(HashMap::new));
        }
        rows.into_iter()
            .map(product)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

fn product(row: Row) -> Result<(Sku, Product), CatalogueUnreachable> {
    let damaged = |what: &str| CatalogueUnreachable(format!("a product's {what} is damaged"));
    let list_price: Option<Money> = row
        .list_price
        .map(|price| price.parse().map_err(|_| damaged("list price")))
        .transpose()?;
    let product = Product {
        name_th: row.name_th,
        name_en: row.name_en,
        short_description: row.short_description,
        image_url: row.image_url,
        list_price,
    };
    Ok((Sku::new(row.sku).map_err(|_| damaged("SKU"))?, product))
}
