//! What a bundle is: its components, its price and where and when it is offered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Sku, StoreId},
    money::{Money, Quantity, Rate},
};

/// A bundle's definition. Stored in events as it is, so it only ever grows by optional fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The SKU that a flagged line sells the whole bundle under.
    pub sku: Sku,
    /// Name in Thai; one of the two names must be there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    /// Name in English.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    /// What kind of offer it is.
    pub kind: BundleKind,
    /// The products, 2 to 20.
    pub components: Vec<Component>,
    /// How its price comes about.
    pub pricing: BundleRules,
    /// When it is offered.
    #[serde(default)]
    pub schedule: Schedule,
    /// Where it is offered; everywhere when empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub stores: Vec<StoreId>,
    /// Among bundles that match the same lines, the highest wins; ties go to the smaller id.
    #[serde(default)]
    pub priority: i32,
    /// Whether ordinary lines that hold all its components become the bundle.
    #[serde(default)]
    pub match_lines: bool,
    /// Whether single components may be returned.
    #[serde(default)]
    pub returns: ReturnPolicy,
}

/// What kind of offer a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum BundleKind {
    BreakfastCombo,
    SnackPack,
    MealDeal,
    SeasonalPromo,
}

/// One product of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    /// The product.
    pub sku: Sku,
    /// Name in Thai.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    /// Name in English.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    /// How much of it one bundle holds: whole pieces, for a weighed product has no price before it is weighed.
    pub quantity: Quantity,
    /// What one unit costs apart.
    pub unit_price: Money,
    /// Its part in the bundle.
    #[serde(default)]
    pub role: Role,
    /// VAT rate; 0.0700 when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tax_rate: Option<Rate>,
    /// Whether picking may offer another product for it.
    #[serde(default)]
    pub substitutable: bool,
    /// How far that product's price may lie above this one's, at most 0.2000; 0.2000 when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_rise: Option<Rate>,
}

/// A component's part in its bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// The bundle is about it.
    #[default]
    Main,
    /// Comes with it.
    AddOn,
}

/// How a bundle's price comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    tag = "model",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum BundleRules {
    /// One price for all; the discount is shared by value.
    FixedPrice {
        /// The price of one bundle: from nothing to what the components cost apart.
        price: Money,
    },
    /// A share off the components' prices; the discount is shared by value.
    Percent {
        /// How much off, above 0 and at most 0.9000.
        off: Rate,
    },
    /// So much off single components.
    ComponentDiscount {
        /// Off one bundle's worth of each component, in their order and no more than it; nothing for those
        /// beyond the list.
        off: Vec<Money>,
    },
    /// Some components come free with the others.
    BuyXGetY {
        /// Which components are free, counted from 0: at least one, and not all.
        free: Vec<u16>,
    },
}

/// When a bundle is offered, by Bangkok's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// From this moment on; from the beginning when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<DateTime<Utc>>,
    /// Up to but not including this moment; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<DateTime<Utc>>,
    /// Days of the week, 1 = Monday to 7 = Sunday; every day when empty.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub weekdays: Vec<u8>,
    /// The hours of a day; the whole day when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hours: Option<DailyHours>,
}

/// Hours of a day in minutes since midnight, 0 to 1439 and never equal, `from` inclusive, `to` exclusive; over
/// midnight when `from > to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct DailyHours {
    pub from: u16,
    pub to: u16,
}

/// Whether single components of a bundle may be returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnPolicy {
    /// All or nothing.
    #[default]
    Whole,
    /// Each for its price less its share of the discount.
    Components,
}
