//! What a decision needs to know that is not in the order's own history.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::event::Sealed;
use crate::{
    bundle::Offer,
    ids::{OrderNumber, RegionId, Sku},
    money::Money,
};

/// The world at the moment of a decision, gathered by the shell.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// When the ledger took the order in; `None` for one that is not placed yet.
    pub placed_at: Option<DateTime<Utc>>,
    /// The order's store, `None` when nobody knows it.
    pub store: Option<StoreFacts>,
    /// The number to assign where the caller brought none: present when placing.
    pub number: Option<OrderNumber>,
    /// Personal data of the command, sealed: the contact of a new order in its normalised form
    /// ([`super::command::Contact::normalised`]), or the proof of a collection.
    pub sealed: Option<Sealed>,
    /// The bundles that are defined, offered or not.
    pub bundles: Arc<Vec<Offer>>,
    /// What the product catalogue says of the command's SKUs.
    pub products: Products,
    /// What the customer directory says (Rule G).
    pub customer: Standing,
    /// What the loyalty programme says (Rule D).
    pub membership: Standing,
}

impl Facts {
    /// The facts where nothing but the time and the store is asked for.
    pub fn new(now: DateTime<Utc>, store: Option<StoreFacts>) -> Self {
        Self {
            now,
            placed_at: None,
            store,
            number: None,
            sealed: None,
            bundles: Arc::default(),
            products: Products::default(),
            customer: Standing::NotChecked,
            membership: Standing::NotChecked,
        }
    }
}

/// What is known of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFacts {
    /// Its region.
    pub region: RegionId,
    /// Whether it trades.
    pub active: bool,
    /// The most cash an order may be paid with there; `None` where cash on delivery is not offered.
    pub cod_limit: Option<Money>,
    /// Whether valid orders run to released by themselves.
    pub auto_release: bool,
}

/// What the product catalogue says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Products {
    /// No catalogue is configured, or nothing was asked.
    #[default]
    NotConfigured,
    /// The catalogue could not be reached: a warning, never a refusal.
    Unreachable,
    /// The products of the command that it knows.
    Known(HashMap<Sku, Product>),
}

/// A product, as the catalogue describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Product {
    pub name_th: Option<String>,
    pub name_en: Option<String>,
    pub short_description: Option<String>,
    pub image_url: Option<String>,
    /// The most that a unit may cost outside marketplaces.
    pub list_price: Option<Money>,
}

/// The answer of an outside directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No directory is configured, or nothing was asked.
    NotChecked,
    /// Known and active.
    Active,
    /// Known, not active.
    Inactive,
    /// Not known.
    Unknown,
    /// The directory could not be reached: a warning, never a refusal.
    Unreachable,
}
