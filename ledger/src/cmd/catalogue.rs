//! `ledger catalogue import`: products from a file, all or none.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use commands::catalogue::{MAX_IMPORT_ROWS, PostgresCatalogue, ProductRow};
use domain::ids::Sku;
use domain::money::Money;
use domain::order::facts::Product;
use serde::Deserialize;

use super::Context;
use crate::cli;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};

/// The longest line in bytes.
const MAX_LINE_BYTES: u64 = 16 << 10;
/// The most products of one file.
const MAX_PRODUCTS: usize = 200_000;

/// One line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    sku: Sku,
    #[serde(default)]
    name_th: Option<String>,
    #[serde(default)]
    name_en: Option<String>,
    #[serde(default)]
    short_description: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default)]
    list_price: Option<Money>,
}

pub(super) async fn run(action: cli::Catalogue, context: Context) -> Result<Exit, Failure> {
    let cli::Catalogue::Import { file } = action;
    let products = if file == Path::new("-") {
        read(std::io::stdin().lock())?
    } else {
        let opened = File::open(&file).map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("cannot open {}: {error}", file.display()),
            )
        })?;
        read(BufReader::new(opened))?
    };
    let database = Database::open(&context.loaded.config).await?;
    let imported = import(&products, &context, &database).await;
    let closed = database.close().await;
    let imported = imported?;
    closed?;
    context.output.note(format!("{imported} products imported"));
    Ok(Exit::Done)
}

async fn import(
    products: &[ProductRow],
    context: &Context,
    database: &Database,
) -> Result<u64, Failure> {
    database.bring_up_to_date(&context.loaded.config).await?;
    let pool = database.app_pool().await?;
    let catalogue = PostgresCatalogue::new(pool.clone());
    let mut imported = 0;
    for page in products.chunks(MAX_IMPORT_ROWS) {
        imported += catalogue.import(page).await.map_err(failure)?;
    }
    pool.close().await;
    Ok(imported)
}

/// Reads all lines before anything is written.
fn read(mut input: impl BufRead) -> Result<Vec<ProductRow>, Failure> {
    let mut products = Vec::new();
    let mut text = String::new();
    for number in 1_u64.. {
        text.clear();
        let read = (&mut input).take(MAX_LINE_BYTES + 1).read_line(&mut text);
        match read.map_err(|error| wrong(number, error))? {
            0 => break,
            bytes if u64::try_from(bytes).unwrap_or(u64::MAX) > MAX_LINE_BYTES => {
                return Err(wrong(number, format!("longer than {MAX_LINE_BYTES} bytes")));
            }
            _ if text.trim().is_empty() => continue,
            _ if products.len() == MAX_PRODUCTS => {
                return Err(wrong(number, format!("more than {MAX_PRODUCTS} products")));
            }
            _ => {}
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| wrong(number, error))?;
        if line.list_price.is_some_and(|price| !price.is_positive()) {
            return Err(wrong(number, "listPrice must be above zero"));
        }
        products.push(ProductRow {
            sku: line.sku,
            product: Product {
                name_th: line.name_th,
                name_en: line.name_en,
                short_description: line.short_description,
                image_url: line.image_url,
                list_price: line.list_price,
            },
        });
    }
    Ok(products)
}

fn wrong(line: u64, problem: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("line {line}: {problem}; nothing was imported"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_before_any_is_written() {
        let products = read(
            &b"{\"sku\":\"1\",\"nameEn\":\"Water\",\"listPrice\":\"10\"}\n\n{\"sku\":\"2\"}"[..],
        )
        .unwrap();
        assert_eq!(products.len(), 2);
        assert_eq!(
            products[0].product.list_price.unwrap().to_string(),
            "10.0000"
        );
        for (text, line) in [
            ("{\"sku\":\"1\"}\n{\"sku\":\"\"}", "line 2"),
            ("{\"sku\":\"1\",\"x\":1}", "line 1"),
            ("{\"sku\":\"1\",\"listPrice\":\"0\"}", "above zero"),
            ("{\"sku\":\"1\",\"listPrice\":1.5}", "line 1"),
        ] {
            let failure = read(text.as_bytes()).err().unwrap();
            assert!(failure.message.contains(line), "{}", failure.message);
            assert_eq!(failure.exit, Exit::Refused);
        }
        let long = format!("{{\"sku\":\"{}\"}}", "1".repeat(20_000));
        assert!(read(long.as_bytes()).is_err());
    }
}
