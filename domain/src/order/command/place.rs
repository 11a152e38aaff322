//! A new order as it came.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, Quantity, Rate},
    validate::clean_option,
};

/// A new order, as a channel, a store or a partner sends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlaceOrder {
    /// The order number, where the caller brings one; assigned otherwise.
    pub number: Option<String>,
    /// Where the order comes from: `GRAB`, `WEB`, `STORE` or `PMP`.
    pub channel: String,
    /// The channel's own kind of order, such as `MKP-HD-STD`.
    #[serde(default)]
    pub order_type: Option<String>,
    /// The channel's own id of the order, unique within the channel.
    #[serde(default)]
    pub alternate_order_id: Option<String>,
    /// Slick's reference.
    #[serde(default)]
    pub cust_ref: Option<String>,
    /// The store that ships the order.
    pub store_id: String,
    /// Must be present and true (Rule C).
    #[serde(default)]
    pub is_force_allocation: Option<bool>,
    /// The customer, where the channel knows one.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// The loyalty membership, where given.
    #[serde(default)]
    pub t1_membership_id: Option<String>,
    /// The loyalty number, where given.
    #[serde(default)]
    pub t1_number: Option<String>,
    /// Who gets the goods: personal data, sealed before it is stored.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "()"))]
    pub contact: Option<Contact>,
    /// The lines, 1 to 20.
    pub lines: Vec<LineInput>,
    /// Discounts on the whole order.
    #[serde(default)]
    pub order_discounts: Vec<AdjustmentInput>,
    /// Fees on the whole order, such as shipping.
    #[serde(default)]
    pub fees: Vec<AdjustmentInput>,
    /// The payment method; `COD` when absent, and today the only one.
    #[serde(default)]
    pub payment_method: Option<String>,
    /// The order total the caller computed, compared with ours within 0.01.
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// The delivery slot the customer asked for.
    #[serde(default)]
    pub requested_slot: Option<Slot>,
    /// The delivery time promised to the customer.
    #[serde(default)]
    pub promised_at: Option<DateTime<Utc>>,
    /// When the channel captured the order.
    #[serde(default)]
    pub captured_at: Option<DateTime<Utc>>,
    /// Whether the customer accepts substitutes.
    #[serde(default)]
    pub allow_substitution: bool,
}

impl PlaceOrder {
    /// The order with its ids as decisions read them; `None` where they are so already.
    pub(super) fn with_clean_ids(&self) -> Option<Self> {
        let ids = [
            &self.number,
            &self.alternate_order_id,
            &self.cust_ref,
            &self.customer_id,
            &self.t1_membership_id,
            &self.t1_number,
        ];
        let is_clean = |id: &&Option<String>| clean_option(id.as_ref()) == id.as_deref();
        if ids.iter().all(is_clean) {
            return None;
        }
        let mut order = self.clone();
        for id in [
            &mut order.number,
            &mut order.alternate_order_id,
            &mut order.cust_ref,
            &mut order.customer_id,
            &mut order.t1_membership_id,
            &mut order.t1_number,
        ] {
            *id = clean_option(id.as_ref()).map(str::to_owned);
        }
        Some(order)
    }
}

/// A time slot, `from` inclusive, `to` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slot {
    /// Start.
    pub from: DateTime<Utc>,
    /// End.
    pub to: DateTime<Utc>,
}

/// Personal data of the person who gets the goods. Never stored in the clear.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Contact {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub address: Option<Address>,
}

impl std::fmt::Debug for Contact {
    /// Says only that there is one: contacts must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(..)")
    }
}

/// A postal address in Thailand.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Address {
    pub line1: String,
    #[serde(default)]
    pub line2: Option<String>,
    #[serde(default)]
    pub line3: Option<String>,
    #[serde(default)]
    pub city: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub postal_code: Option<String>,
    /// `TH` when absent.
    #[serde(default)]
    pub country: Option<String>,
}

impl std::fmt::Debug for Address {
    /// As [`Contact`]'s.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(..)")
    }
}

/// One line of a new order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineInput {
    /// Unique in the order, from 1.
    pub line_number: i32,
    /// What is sold.
    pub sku: String,
    /// Pieces, kilograms of a weighed line, or the packs of a pack line (equal to `pack.ordered`).
    pub quantity: Quantity,
    /// Unit of measure, such as `EA`.
    #[serde(default)]
    pub uom: Option<String>,
    /// The price per unit now; per pack on a pack line (equal to `pack.unit_price`).
    pub unit_price: Money,
    /// The price per unit before promotions; `unit_price` when absent.
    #[serde(default)]
    pub original_unit_price: Option<Money>,
    /// Discounts on this line, taken off the original price. Where none that counts is stated and
    /// `unit_price` lies below the original one, the gap is the discount.
    #[serde(default)]
    pub discounts: Vec<AdjustmentInput>,
    /// VAT rate; 0.0700 when absent.
    #[serde(default)]
    pub tax_rate: Option<Rate>,
    /// Whether prices contain VAT; true when absent.
    #[serde(default)]
    pub is_tax_included: Option<bool>,
    /// Whether the line is weighed goods (fractional quantity).
    #[serde(default)]
    pub is_weight_item: bool,
    /// Pack details, where the line sells packs.
    #[serde(default)]
    pub pack: Option<PackInput>,
    /// Flags the line as a bundle, or as a component of one.
    #[serde(default)]
    pub bundle: Option<BundleInput>,
    /// Product name in Thai.
    #[serde(default)]
    pub name_th: Option<String>,
    /// Product name in English.
    #[serde(default)]
    pub name_en: Option<String>,
    /// Gift with purchase.
    #[serde(default)]
    pub is_gift: bool,
    /// The promotion behind the price.
    #[serde(default)]
    pub promotion_id: Option<String>,
}

/// A pack: `ordered` packs of `units_per_pack` pieces at `unit_price` per pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackInput {
    /// Price of one pack.
    pub unit_price: Money,
    /// Packs ordered.
    pub ordered: i32,
    /// Pieces in one pack.
    pub units_per_pack: i32,
}

/// A line's bundle. A line that sells the bundle itself (its SKU is the bundle's) is expanded into the components;
/// lines that sell components share a `ref_id` and must hold the whole bundle between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleInput {
    /// The bundle's definition.
    pub bundle_id: String,
    /// The caller's name for this bundle, unique in the order: 1 to 50 characters.
    pub ref_id: String,
}

/// A discount or a fee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdjustmentInput {
    /// What it is, such as `PROMOTION`, `MEMBER` or `SHIPPING`.
    pub kind: String,
    /// How much: not negative.
    pub amount: Money,
    /// Already inside the prices: shown, never counted.
    #[serde(default)]
    pub informational: bool,
    /// VAT rate on a fee; 0.0700 when absent. Ignored on discounts.
    #[serde(default)]
    pub tax_rate: Option<Rate>,
    /// Whether a fee contains its VAT; true when absent.
    #[serde(default)]
    pub is_tax_included: Option<bool>,
}
