//! The lines of a new order. Field names are the domain's, so that a problem's path names the input's field.

use async_graphql::InputObject;
use domain::order::command::{
    AdjustmentInput as DomainAdjustment, BundleInput as DomainBundle, LineInput as DomainLine,
    PackInput as DomainPack,
};

use crate::schema::scalars::Decimal;

/// A line of a new order.
#[derive(Debug, Clone, InputObject)]
pub struct LineInput {
    /// Unique in the order, from 1.
    pub line_number: i32,
    /// What is sold.
    pub sku: String,
    /// Pieces, kilograms of a weighed line, or packs.
    pub quantity: Decimal,
    /// Unit of measure, such as EA.
    pub uom: Option<String>,
    /// The price per unit now.
    pub unit_price: Decimal,
    /// The price per unit before promotions; `unitPrice` when absent.
    pub original_unit_price: Option<Decimal>,
    /// Discounts on this line.
    #[graphql(default)]
    pub discounts: Vec<AdjustmentInput>,
    /// VAT rate; 0.0700 when absent.
    pub tax_rate: Option<Decimal>,
    /// Whether prices contain VAT; true when absent.
    pub is_tax_included: Option<bool>,
    /// Weighed goods: a fractional quantity.
    #[graphql(default)]
    pub is_weight_item: bool,
    /// Pack details, where the line sells packs.
    pub pack: Option<PackInput>,
    /// Flags the line as a bundle, or as a component of one.
    pub bundle: Option<BundleInput>,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// Gift with purchase.
    #[graphql(default)]
    pub is_gift: bool,
    /// The promotion behind the price.
    pub promotion_id: Option<String>,
}

impl From<LineInput> for DomainLine {
    fn from(i: LineInput) -> Self {
        Self {
            line_number: i.line_number,
            sku: i.sku,
            quantity: i.quantity.into(),
            uom: i.uom,
            unit_price: i.unit_price.0,
            original_unit_price: i.original_unit_price.map(|d| d.0),
            discounts: i.discounts.into_iter().map(Into::into).collect(),
            tax_rate: i.tax_rate.map(Into::into),
            is_tax_included: i.is_tax_included,
            is_weight_item: i.is_weight_item,
            pack: i.pack.map(Into::into),
            bundle: i.bundle.map(Into::into),
            name_th: i.name_th,
            name_en: i.name_en,
            is_gift: i.is_gift,
            promotion_id: i.promotion_id,
        }
    }
}

/// Packs of a line: `ordered` packs of `unitsPerPack` pieces at `unitPrice` per pack.
#[derive(Debug, Clone, InputObject)]
pub struct PackInput {
    /// Price of one pack.
    pub unit_price: Decimal,
    /// Packs ordered.
    pub ordered: i32,
    /// Pieces in one pack.
    pub units_per_pack: i32,
}

impl From<PackInput> for DomainPack {
    fn from(i: PackInput) -> Self {
        Self {
            unit_price: i.unit_price.0,
            ordered: i.ordered,
            units_per_pack: i.units_per_pack,
        }
    }
}

/// A line's bundle. A line that sells the bundle itself (its SKU is the bundle's) is expanded into the components;
/// lines that sell components share a `refId` and must hold the whole bundle between them.
#[derive(Debug, Clone, InputObject)]
pub struct BundleInput {
    /// The bundle's definition.
    pub bundle_id: String,
    /// Your name for this bundle, unique in the order.
    pub ref_id: String,
}

impl From<BundleInput> for DomainBundle {
    fn from(i: BundleInput) -> Self {
        Self {
            bundle_id: i.bundle_id,
            ref_id: i.ref_id,
        }
    }
}

/// A discount or a fee.
#[derive(Debug, Clone, InputObject)]
pub struct AdjustmentInput {
    /// What it is, such as PROMOTION, MEMBER or SHIPPING.
    pub kind: String,
    /// How much: not negative.
    pub amount: Decimal,
    /// Already inside the prices: shown, never counted.
    #[graphql(default)]
    pub informational: bool,
    /// VAT rate of a fee; 0.0700 when absent.
    pub tax_rate: Option<Decimal>,
    /// Whether a fee contains its VAT; true when absent.
    pub is_tax_included: Option<bool>,
}

impl From<AdjustmentInput> for DomainAdjustment {
    fn from(i: AdjustmentInput) -> Self {
        Self {
            kind: i.kind,
            amount: i.amount.0,
            informational: i.informational,
            tax_rate: i.tax_rate.map(Into::into),
            is_tax_included: i.is_tax_included,
        }
    }
}
