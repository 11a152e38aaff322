//! The bundles of the chain, folded from the log.

use std::{collections::HashMap, sync::Arc};

use domain::bundle::{Bundle, BundleId, Offer};
use store::{Log, Position, StoreError};

use crate::directory::{Directory, MAX_AGE};

/// The bundles of the chain. Cheap to clone.
#[derive(Clone)]
pub struct BundleDirectory(Arc<Directory<Bundle, Arc<Vec<Offer>>>>);

impl BundleDirectory {
    /// A directory over the log; reads at the first question.
    pub fn new(log: Log) -> Self {
        Self(Arc::new(Directory::new(log, offers)))
    }

    /// Every bundle that somebody defined, offered or not, by id; as of at most ten seconds ago, with what this
    /// process changed at once. Shared, not copied.
    pub async fn offers(&self) -> Result<Arc<Vec<Offer>>, StoreError> {
        Ok(self.0.known(MAX_AGE).await?.view.clone())
    }

    /// Notes that this process changed a bundle.
    pub(crate) fn changed(&self, at: Position) {
        self.0.changed(at);
    }
}

fn offers(bundles: &HashMap<BundleId, Bundle>) -> Arc<Vec<Offer>> {
    let mut offers: Vec<Offer> = bundles
        .iter()
        .filter_map(|(id, bundle)| {
            Some(Offer {
                id: id.clone(),
                version: bundle.version,
                active: bundle.active,
                definition: bundle.definition.clone()?,
            })
        })
        .collect();
    offers.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Arc::new(offers)
}

#[cfg(test)]
mod tests {
    use domain::bundle::{BundleKind, BundleRules, Definition, ReturnPolicy, Schedule};

    use super::*;

    #[test]
    fn what_is_defined_is_offered_in_one_order() {
        let definition = Definition {
            sku: "8850999000001".parse().unwrap(),
            name_th: None,
            name_en: Some("Set".into()),
            kind: BundleKind::SnackPack,
            components: Vec::new(),
            pricing: BundleRules::FixedPrice {
                price: "1.00".parse().unwrap(),
            },
            schedule: Schedule::default(),
            stores: Vec::new(),
            priority: 0,
            match_lines: false,
            returns: ReturnPolicy::Whole,
        };
        let defined = Bundle {
            definition: Some(definition),
            version: 3,
            ..Bundle::default()
        };
        let id = |text: &str| BundleId::new(text).unwrap();
        let bundles = HashMap::from([
            (id("B"), defined.clone()),
            (id("C"), Bundle::default()),
            (id("A"), defined),
        ]);
        let offers = offers(&bundles);
        let ids: Vec<&str> = offers.iter().map(|o| o.id.as_str()).collect();
        assert_eq!(ids, ["A", "B"]);
        assert_eq!((offers[0].version, offers[0].active), (3, false));
    }
}
