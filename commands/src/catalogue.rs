//! What the product catalogue says: asked once per order for all its SKUs, remembered, and never a reason to refuse.

mod postgres;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::{
    ids::Sku,
    order::facts::{Product, Products},
    validate::clean,
};
use moka::sync::Cache;

pub use postgres::{MAX_IMPORT_ROWS, PostgresCatalogue, ProductRow};

/// How long a look-up may keep an order waiting: the budget of enrichment is 30 ms, most of it spent here.
const LOOKUP_LIMIT: Duration = Duration::from_millis(100);
/// How long what is known of a product is believed.
const PRODUCT_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a product that nobody knows is not asked for again.
const UNKNOWN_TTL: Duration = Duration::from_secs(30);
/// How long the catalogue is left alone after it turned out to be empty.
const EMPTY_TTL: Duration = Duration::from_secs(15);
/// How long the catalogue is left alone after it did not answer.
const UNREACHABLE_TTL: Duration = Duration::from_secs(1);
/// Products held in memory at once.
const CACHED_PRODUCTS: u64 = 20_000;
/// SKUs asked for at once: an order has at most 200 lines.
const MAX_SKUS: usize = 512;

/// A product catalogue.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Those of the SKUs that it knows; `None` when it holds no product at all. The caller bounds the time.
    async fn find(
        &self,
        skus: &[Sku],
    ) -> Result<Option<HashMap<Sku, Product>>, CatalogueUnreachable>;
}

/// The catalogue did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the product catalogue did not answer: {0}")]
pub struct CatalogueUnreachable(pub String);

/// A catalogue with a memory.
#[derive(Clone)]
pub(crate) struct ProductLookup {
    catalogue: Arc<dyn Catalogue>,
    known: Cache<Sku, Arc<Product>>,
    unknown: Cache<Sku, ()>,
    /// Until when it is not asked, and what is said meanwhile.
    pause: Arc<RwLock<Option<(Instant, Pause)>>>,
}

#[derive(Debug, Clone, Copy)]
enum Pause {
    Empty,
    Unreachable,
}

impl ProductLookup {
    pub(crate) fn new(catalogue: Arc<dyn Catalogue>) -> Self {
        let cache = |ttl| {
            Cache::builder()
                .max_capacity(CACHED_PRODUCTS)
                .time_to_live(ttl)
        };
        Self {
            catalogue,
            known: cache(PRODUCT_TTL).build(),
            unknown: Cache::builder()
                .max_capacity(CACHED_PRODUCTS)
                .time_to_live(UNKNOWN_TTL)
                .build(),
            pause: Arc::default(),
        }
    }

    /// What is known of the SKUs, as far as they have the form of one.
    pub(crate) async fn of<'a>(&self, skus: impl IntoIterator<Item = &'a str> + Send) -> Products {
        match self.paused() {
            Some(Pause::Empty) => return Products::NotConfigured,
            Some(Pause::Unreachable) => return Products::Unreachable,
            None => {}
        }
        let mut products = HashMap::new();
        let (mut missing, mut is_asked) = (Vec::new(), false);
        for sku in skus.into_iter().take(MAX_SKUS) {
            let Ok(sku) = Sku::new(clean(sku).unwrap_or_default()) else {
                continue;
            };
            is_asked = true;
            if products.contains_key(&sku) || missing.contains(&sku) {
                continue;
            }
            if let Some(product) = self.known.get(&sku) {
                products.insert(sku, (*product).clone());
            } else if !self.unknown.contains_key(&sku) {
                missing.push(sku);
            }
        }
        if !is_asked {
            return Products::NotConfigured;
        }
        if missing.is_empty() {
            return Products::Known(products);
        }
        match self.ask(&missing).await {
            Ok(Some(found)) => {
                self.remember(&missing, &found);
                products.extend(found);
                Products::Known(products)
            }
            Ok(None) => {
                self.pause(Pause::Empty, EMPTY_TTL);
                Products::NotConfigured
            }
            Err(error) => {
                tracing::warn!(%error, "orders are placed without looking products up");
                self.pause(Pause::Unreachable, UNREACHABLE_TTL);
                Products::Unreachable
            }
        }
    }

    async fn ask(
        &self,
        skus: &[Sku],
    ) -> Result<Option<HashMap<Sku, Product>>, CatalogueUnreachable> {
        match tokio::time::timeout(LOOKUP_LIMIT, self.catalogue.find(skus)).await {
            Ok(answer) => answer,
            Err(_) => Err(CatalogueUnreachable(format!("not within {LOOKUP_LIMIT:?}"))),
        }
    }

    fn remember(&self, asked: &[Sku], found: &HashMap<Sku, Product>) {
        for sku in asked {
            match found.get(sku) {
                Some(product) => self.known.insert(sku.clone(), Arc::new(product.clone())),
                None => self.unknown.insert(sku.clone(), ()),
            }
        }
    }

    fn paused(&self) -> Option<Pause> {
        let pause = *self.pause.read().unwrap_or_else(PoisonError::into_inner);
        pause.and_then(|(until, pause)| (Instant::now() < until).then_some(pause))
    }

    fn pause(&self, pause: Pause, time: Duration) {
        *self.pause.write().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now() + time, pause));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A catalogue with one product, or none, or no answer; counts what it is asked.
    struct Fake {
        asked: AtomicUsize,
        holds: Result<Option<&'static str>, ()>,
    }

    fn fake(holds: Result<Option<&'static str>, ()>) -> (Arc<Fake>, ProductLookup) {
        let asked = AtomicUsize::new(0);
        let fake = Arc::new(Fake { asked, holds });
        (fake.clone(), ProductLookup::new(fake))
    }

    #[async_trait]
    impl Catalogue for Fake {
        async fn find(
            &self,
            skus: &[Sku],
        ) -> Result<Option<HashMap<Sku, Product>>, CatalogueUnreachable> {
            self.asked.fetch_add(skus.len(), Ordering::Relaxed);
            let holds = self
                .holds
                .map_err(|()| CatalogueUnreachable("down".into()))?;
            Ok(holds.map(|held| {
                let found = skus.iter().filter(|sku| sku.as_str() == held);
                found.map(|sku| (sku.clone(), Product::default())).collect()
            }))
        }
    }

    fn known(products: &Products) -> Vec<&str> {
        match products {
            Products::Known(known) => known.keys().map(Sku::as_str).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn each_product_is_asked_for_once_known_or_not() {
        let (fake, lookup) = fake(Ok(Some("A")));
        for _ in 0..3 {
            let answer = lookup.of(["A", " A ", "B", "B", "", "a\0b"]).await;
            assert_eq!(known(&answer), ["A"]);
        }
        assert_eq!(fake.asked.load(Ordering::Relaxed), 2);
        assert_eq!(lookup.of([" ", "a\0b"]).await, Products::NotConfigured);
        assert_eq!(known(&lookup.of(["B", "C"]).await), Vec::<&str>::new());
        assert_eq!(fake.asked.load(Ordering::Relaxed), 3, "only the new one");
    }

    #[tokio::test]
    async fn an_empty_catalogue_and_one_that_is_down_are_left_alone_for_a_while() {
        for (holds, answer) in [
            (Ok(None), Products::NotConfigured),
            (Err(()), Products::Unreachable),
        ] {
            let (fake, lookup) = fake(holds);
            for _ in 0..3 {
                assert_eq!(lookup.of(["A"]).await, answer);
            }
            assert_eq!(fake.asked.load(Ordering::Relaxed), 1);
        }
    }
}
