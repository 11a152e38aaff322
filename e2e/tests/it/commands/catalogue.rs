//! The product catalogue adds to orders and never stops one that it cannot speak about.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use commands::{
    BusOptions, CommandBus, Target,
    catalogue::{Catalogue, CatalogueUnreachable, MAX_IMPORT_ROWS, PostgresCatalogue, ProductRow},
    facts::SystemClock,
    personal::Vault,
};
use domain::{
    ids::Sku,
    order::{Order, OrderCommand, facts::Product},
};
use e2e::{Database, MASTER_KEY, fresh_database, orders::*};

fn product(sku: &str, name: &str) -> ProductRow {
    ProductRow {
        sku: Sku::new(sku).unwrap(),
        product: Product {
            name_th: Some(format!("{name} (ไทย)")),
            name_en: Some(name.into()),
            short_description: Some("one piece".into()),
            image_url: Some(format!("https://img.example.com/{sku}.png")),
            list_price: Some("99.90".parse().unwrap()),
        },
    }
}

fn both() -> [ProductRow; 2] {
    [
        product("8850999220017", "Rice box"),
        product("8850999320021", "Sandwich"),
    ]
}

async fn place_one(bus: &CommandBus) -> Arc<Order> {
    let placed = execute(bus, Target::New, placing()).await.unwrap();
    placed.entity.state
}

async fn bus_with(database: &Database, catalogue: Arc<dyn Catalogue>) -> CommandBus {
    let log = database.log().await;
    let vault = Vault::new(log.clone(), &MASTER_KEY).unwrap();
    let options = BusOptions::default();
    CommandBus::with_catalogue(log, vault, Arc::new(SystemClock), catalogue, options)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_product_describes_the_lines_that_sell_it() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let catalogue = PostgresCatalogue::new(database.pool().await);
    let plain = place_one(&bus).await;
    assert!(plain.warnings.is_empty(), "no catalogue is no fault");
    assert_eq!(plain.lines[0].line.short_description, None);

    let twice = [
        product("8850999220017", "Old name"),
        both()[0].clone(),
        both()[1].clone(),
    ];
    assert_eq!(catalogue.import(&twice).await.unwrap(), 2);
    let bus = database.bus().await;
    let order = place_one(&bus).await;
    let line = &order.lines[0].line;
    assert_eq!(
        line.name_en.as_deref(),
        Some("Rice box"),
        "the last row counts"
    );
    assert_eq!(line.short_description.as_deref(), Some("one piece"));
    assert!(
        line.image_url
            .as_ref()
            .unwrap()
            .ends_with("8850999220017.png")
    );
    assert!(order.warnings.is_empty());

    // A product that a catalogue does not know is not sold.
    let mut unknown = place();
    unknown.lines[1].sku = "0000000000000".into();
    let command = OrderCommand::Place(Box::new(unknown));
    let error = execute(&bus, Target::New, command).await.unwrap_err();
    assert!(error.to_string().contains("lines[1].sku"), "{error}");

    assert_eq!(
        catalogue
            .import(&[product("8850999220017", "New")])
            .await
            .unwrap(),
        1
    );
    let known = catalogue
        .find(&[Sku::new("8850999220017").unwrap()])
        .await
        .unwrap();
    let known = known.unwrap();
    assert_eq!(
        known.values().next().unwrap().name_en.as_deref(),
        Some("New")
    );
    let many = vec![both()[0].clone(); MAX_IMPORT_ROWS + 1];
    assert!(catalogue.import(&many).await.is_err());
}

/// A catalogue that counts what it is asked, and answers as it is told.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    is_down: bool,
    hangs: bool,
}

#[async_trait]
impl Catalogue for Fake {
    async fn find(
        &self,
        skus: &[Sku],
    ) -> Result<Option<HashMap<Sku, Product>>, CatalogueUnreachable> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        if self.is_down {
            return Err(CatalogueUnreachable("down".into()));
        }
        let rows = both().into_iter().map(|row| (row.sku, row.product));
        Ok(Some(rows.filter(|(sku, _)| skus.contains(sku)).collect()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_asks_once_and_the_next_one_not_at_all() {
    let database = fresh_database().await.with_stores().await;
    let fake = Arc::new(Fake::default());
    let bus = bus_with(&database, fake.clone()).await;
    for _ in 0..3 {
        let order = place_one(&bus).await;
        assert_eq!(order.lines[1].line.name_en.as_deref(), Some("Sandwich"));
        assert_eq!(fake.asked.load(Ordering::Relaxed), 1);
    }
    // An unknown product is remembered, too.
    let mut unknown = place();
    unknown.lines[1].sku = "0000000000000".into();
    for _ in 0..3 {
        let command = OrderCommand::Place(Box::new(unknown.clone()));
        execute(&bus, Target::New, command).await.unwrap_err();
    }
    assert_eq!(fake.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_out_of_reach_is_a_warning() {
    let database = fresh_database().await.with_stores().await;
    for hangs in [false, true] {
        let fake = Fake {
            is_down: true,
            hangs,
            ..Fake::default()
        };
        let bus = bus_with(&database, Arc::new(fake)).await;
        let started = Instant::now();
        for _ in 0..2 {
            let order = place_one(&bus).await;
            assert_eq!(order.warnings.len(), 1, "{:?}", order.warnings);
            assert!(order.warnings[0].contains("catalogue"));
            assert_eq!(order.totals.order_total.to_string(), "169.0000");
        }
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "nobody waits for it"
        );
    }
}
