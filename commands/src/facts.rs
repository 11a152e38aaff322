//! Where the facts of a decision come from: everything that is not in the entity's own history.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use store::{Claim, Log, SubjectKey};

use crate::{
    bundles::BundleDirectory, catalogue::ProductLookup, numbers::Numbers, personal::Vault,
    stores::StoreDirectory,
};

/// The time, as everything but the domain asks for it.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Now, to the millisecond: what events store.
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }
}

/// The sources of facts.
pub struct Sources {
    pub(crate) log: Log,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stores: StoreDirectory,
    pub(crate) bundles: BundleDirectory,
    pub(crate) numbers: Numbers,
    pub(crate) products: ProductLookup,
}

/// Facts, and the personal-data key that the events they lead to are sealed with.
pub struct Gathered<F> {
    /// For the decision.
    pub facts: F,
    /// For the append, which refuses events under a key that was destroyed meanwhile.
    pub key: Option<SubjectKey>,
    /// How long the product catalogue was asked.
    pub lookup: Duration,
    /// What the decision counts on that no other one counts on: claimed with the events it leads to.
    pub claims: Vec<Claim>,
}

impl<F> From<F> for Gathered<F> {
    /// Facts without personal data.
    fn from(facts: F) -> Self {
        Self {
            facts,
            key: None,
            lookup: Duration::ZERO,
            claims: Vec::new(),
        }
    }
}
