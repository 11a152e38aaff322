//! An order as it was placed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::sums::{Adjustment, Totals};
use crate::{
    bundle::{BundleId, BundleKind, ReturnPolicy},
    ids::{CustomerId, OrderNumber, RegionId, Sku, StoreId},
    money::{Money, Quantity, Rate},
    order::command::{self, PackInput},
};

/// Everything known of an order when it is placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Placed {
    pub number: OrderNumber,
    pub channel: Channel,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_type: Option<String>,
    /// Ids other systems know the order by; unique per system.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refs: Vec<ExternalRef>,
    pub store_id: StoreId,
    pub region: RegionId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t1_membership_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t1_number: Option<String>,
    /// The contact under its subject's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<Sealed>,
    pub lines: Vec<Line>,
    /// The bundles that some of the lines make up.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bundles: Vec<OrderedBundle>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub order_discounts: Vec<Adjustment>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fees: Vec<Adjustment>,
    pub totals: Totals,
    pub payment_method: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requested_slot: Option<Slot>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promised_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub captured_at: Option<DateTime<Utc>>,
    pub allow_substitution: bool,
    /// Checks that could not be made, such as a lookup out of reach.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
}

/// Where an order comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum Channel {
    Grab,
    Web,
    Store,
    Pmp,
}

impl Channel {
    /// Every channel.
    pub const ALL: &'static [Self] = &[Self::Grab, Self::Web, Self::Store, Self::Pmp];

    /// The channel's name in commands and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grab => "GRAB",
            Self::Web => "WEB",
            Self::Store => "STORE",
            Self::Pmp => "PMP",
        }
    }

    /// Whether somebody else sets the channel's prices.
    pub const fn is_marketplace(self) -> bool {
        matches!(self, Self::Grab | Self::Pmp)
    }

    /// The system whose ids the channel's orders carry.
    pub const fn system(self) -> System {
        match self {
            Self::Grab => System::Grab,
            Self::Web => System::Web,
            Self::Store => System::Store,
            Self::Pmp => System::Pmp,
        }
    }
}

/// A system that knows orders by ids of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum System {
    Grab,
    Web,
    Store,
    Pmp,
    Slick,
}

impl System {
    /// The system's name in commands and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grab => "GRAB",
            Self::Web => "WEB",
            Self::Store => "STORE",
            Self::Pmp => "PMP",
            Self::Slick => "SLICK",
        }
    }
}

/// An id by which another system knows the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ExternalRef {
    pub system: System,
    pub reference: String,
}

/// A contact encrypted under the key of its subject; destroying the key erases the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sealed {
    /// Names the subject's key: `customer:<id>` or `order:<id>`.
    pub subject: String,
    /// Nonce and ciphertext, base64.
    pub sealed: String,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Line {
    pub line_number: u16,
    pub sku: Sku,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub short_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uom: Option<String>,
    pub quantity: Quantity,
    pub is_weight_item: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pack: Option<Pack>,
    /// The bundle that the line is a component of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bundle: Option<BundlePart>,
    pub unit_price: Money,
    pub original_unit_price: Money,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub discounts: Vec<Adjustment>,
    pub is_gift: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promotion_id: Option<String>,
    pub tax_rate: Rate,
    pub is_tax_included: bool,
    /// Original price times quantity.
    pub gross: Money,
    /// Line discounts that count.
    pub discount: Money,
    /// `gross - discount`, VAT inside where included.
    pub net: Money,
    /// This line's share of the order discounts.
    pub order_discount_share: Money,
    /// VAT contained in `net - order_discount_share`.
    pub tax_contained: Money,
    /// VAT added on top.
    pub tax_added: Money,
}

/// Packs sold: `ordered` packs of `units_per_pack` pieces at `unit_price` a pack. Apart from the command's
/// [`PackInput`]: that one may grow, this one is stored for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Pack {
    pub unit_price: Money,
    pub ordered: i32,
    pub units_per_pack: i32,
}

impl From<PackInput> for Pack {
    fn from(pack: PackInput) -> Self {
        Self {
            unit_price: pack.unit_price,
            ordered: pack.ordered,
            units_per_pack: pack.units_per_pack,
        }
    }
}

/// A delivery slot, `from` inclusive, `to` exclusive. Apart from the command's slot, as [`Pack`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Slot {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl From<command::Slot> for Slot {
    fn from(slot: command::Slot) -> Self {
        Self {
            from: slot.from,
            to: slot.to,
        }
    }
}

/// A bundle as it was sold: everything its price came from, so that nobody needs the definition again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderedBundle {
    /// Unique in the order; its lines carry it.
    pub ref_id: String,
    /// The definition.
    pub bundle_id: BundleId,
    /// The definition's version.
    pub version: u32,
    /// How it was recognised.
    pub source: BundleSource,
    /// What kind of offer it is.
    pub kind: BundleKind,
    /// Name in Thai.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    /// Name in English.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    /// How many of it.
    pub quantity: i32,
    /// What one costs.
    pub price: Money,
    /// What the components of one cost apart.
    pub individual_price: Money,
    /// `(individual_price - price) x quantity`: the bundle discounts of its lines.
    pub savings: Money,
    /// Whether single components may be returned.
    pub returns: ReturnPolicy,
    /// How many lines it has.
    pub components: u16,
}

/// How a bundle was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BundleSource {
    /// One flagged line named the bundle, and was expanded.
    Expanded,
    /// Flagged lines named the bundle and its components.
    Listed,
    /// Ordinary lines hold all that the bundle is made of.
    Matched,
}

/// What makes a line a component of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BundlePart {
    /// Which [`OrderedBundle`].
    pub ref_id: String,
    /// The line as submitted that it came from.
    pub submitted_line: u16,
    /// The quantity in one bundle.
    pub per_bundle: Quantity,
    /// Whether picking may offer another product for it.
    pub substitutable: bool,
    /// How far that product's price may lie above this one's.
    pub max_rise: Rate,
}
