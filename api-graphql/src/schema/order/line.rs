//! The lines of an order and the bundles that some of them make up.

use async_graphql::{Enum, ID, SimpleObject};
use domain::order::{
    LineState, Order, Original,
    event::{self, BundleSource as DomainSource},
};

use super::{parts::Adjustment, status::OrderStatus};
use crate::schema::{
    bundle::definition::{BundleKind, BundleReturns},
    problem::count,
    scalars::Decimal,
};

/// A line as it is priced now: its quantity is what is left of it.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct OrderLine {
    /// Unique in the order.
    pub line_number: i32,
    /// Where the line stands.
    pub status: OrderStatus,
    /// The status as the chain's number.
    pub status_code: i32,
    /// What is sold.
    pub sku: String,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// What the product is, in short.
    pub short_description: Option<String>,
    /// A picture of the product.
    pub image_url: Option<String>,
    /// Pieces, kilograms or packs: what is left of the line.
    pub quantity: Decimal,
    /// The quantity as ordered.
    pub ordered_quantity: Decimal,
    /// What picking did not find.
    pub short_quantity: Decimal,
    /// What was cancelled.
    pub cancelled_quantity: Decimal,
    /// What is reserved.
    pub allocated_quantity: Decimal,
    /// What left the store.
    pub shipped_quantity: Decimal,
    /// What the customer got, returned or not.
    pub delivered_quantity: Decimal,
    /// What came or comes back.
    pub returned_quantity: Decimal,
    /// The product as ordered, where another one took its place.
    pub original: Option<OriginalProduct>,
    /// Unit of measure.
    pub uom: Option<String>,
    /// Weighed goods.
    pub is_weight_item: bool,
    /// Gift with purchase.
    pub is_gift: bool,
    /// The pack, where the line sells packs.
    pub pack: Option<Pack>,
    /// The bundle that the line is a component of.
    pub bundle: Option<BundlePart>,
    /// Price per unit.
    pub unit_price: Decimal,
    /// Price per unit before promotions.
    pub original_unit_price: Decimal,
    /// The promotion behind the price.
    pub promotion_id: Option<String>,
    /// Discounts on the line.
    pub discounts: Vec<Adjustment>,
    /// Original price times quantity.
    pub gross: Decimal,
    /// Discounts that count.
    pub discount: Decimal,
    /// Gross less discount.
    pub net: Decimal,
    /// The line's share of the order discounts.
    pub order_discount_share: Decimal,
    /// VAT rate, 0.0700 for 7%.
    pub tax_rate: Decimal,
    /// Whether prices contain VAT.
    pub is_tax_included: bool,
    /// VAT inside the net less the share.
    pub tax_contained: Decimal,
    /// VAT on top.
    pub tax_added: Decimal,
}

impl From<&LineState> for OrderLine {
    fn from(state: &LineState) -> Self {
        let l = &state.line;
        Self {
            line_number: i32::from(l.line_number),
            status: state.status.into(),
            status_code: i32::from(state.status.code()),
            sku: l.sku.to_string(),
            name_th: l.name_th.clone(),
            name_en: l.name_en.clone(),
            short_description: l.short_description.clone(),
            image_url: l.image_url.clone(),
            quantity: l.quantity.into(),
            ordered_quantity: state.ordered.into(),
            short_quantity: state.short.into(),
            cancelled_quantity: state.cancelled().into(),
            allocated_quantity: state.allocated().into(),
            shipped_quantity: state.shipped().into(),
            delivered_quantity: state.delivered().into(),
            returned_quantity: state.returned.into(),
            original: state.original.as_ref().map(OriginalProduct::from),
            uom: l.uom.clone(),
            is_weight_item: l.is_weight_item,
            is_gift: l.is_gift,
            pack: l.pack.map(Pack::from),
            bundle: l.bundle.as_ref().map(BundlePart::from),
            unit_price: l.unit_price.into(),
            original_unit_price: l.original_unit_price.into(),
            promotion_id: l.promotion_id.clone(),
            discounts: l.discounts.iter().map(Adjustment::from).collect(),
            gross: l.gross.into(),
            discount: l.discount.into(),
            net: l.net.into(),
            order_discount_share: l.order_discount_share.into(),
            tax_rate: l.tax_rate.into(),
            is_tax_included: l.is_tax_included,
            tax_contained: l.tax_contained.into(),
            tax_added: l.tax_added.into(),
        }
    }
}

/// Packs of a line.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Pack {
    /// Price of one pack.
    pub unit_price: Decimal,
    /// Packs ordered.
    pub ordered: i32,
    /// Pieces in one pack.
    pub units_per_pack: i32,
}

impl From<event::Pack> for Pack {
    fn from(p: event::Pack) -> Self {
        Self {
            unit_price: p.unit_price.into(),
            ordered: p.ordered,
            units_per_pack: p.units_per_pack,
        }
    }
}

/// A product that another one took the place of.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct OriginalProduct {
    /// What was ordered.
    pub sku: String,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// The price per unit that the customer approved when ordering.
    pub unit_price: Decimal,
    /// How much of it was to be sold.
    pub quantity: Decimal,
}

impl From<&Original> for OriginalProduct {
    fn from(o: &Original) -> Self {
        Self {
            sku: o.sku.to_string(),
            name_th: o.name_th.clone(),
            name_en: o.name_en.clone(),
            unit_price: o.unit_price.into(),
            quantity: o.quantity.into(),
        }
    }
}

/// What makes a line a component of a bundle.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BundlePart {
    /// Which of the order's `bundles`.
    pub ref_id: String,
    /// The line as submitted that it came from.
    pub submitted_line: i32,
    /// The quantity in one bundle.
    pub per_bundle: Decimal,
    /// Whether picking may offer another product for it.
    pub substitutable: bool,
    /// How far that product's price may lie above this one's, 0.2000 for 20%.
    pub max_rise: Decimal,
}

impl From<&event::BundlePart> for BundlePart {
    fn from(p: &event::BundlePart) -> Self {
        Self {
            ref_id: p.ref_id.clone(),
            submitted_line: i32::from(p.submitted_line),
            per_bundle: p.per_bundle.into(),
            substitutable: p.substitutable,
            max_rise: p.max_rise.into(),
        }
    }
}

/// How a bundle was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainSource")]
pub enum BundleSource {
    /// One flagged line named the bundle, and was expanded.
    Expanded,
    /// Flagged lines named the bundle and its components.
    Listed,
    /// Ordinary lines hold all that the bundle is made of.
    Matched,
}

/// A bundle of an order as it was sold: later versions of its definition do not change it.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct OrderedBundle {
    /// Unique in the order; its lines carry it.
    pub ref_id: String,
    /// Where it stands: its least advanced component.
    pub status: OrderStatus,
    /// The status as the chain's number.
    pub status_code: i32,
    /// The definition.
    pub bundle_id: ID,
    /// The definition's version.
    pub definition_version: i32,
    /// How it was recognised.
    pub source: BundleSource,
    /// What kind of offer it is.
    pub kind: BundleKind,
    /// Name in Thai.
    pub name_th: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// How many of it.
    pub quantity: i32,
    /// What one costs.
    pub price: Decimal,
    /// What the components of one cost apart.
    pub individual_price: Decimal,
    /// The difference, times the quantity: the bundle discounts of its lines.
    pub savings: Decimal,
    /// Whether single components may be returned.
    pub returns: BundleReturns,
    /// The numbers of its lines.
    pub line_numbers: Vec<i32>,
}

impl OrderedBundle {
    /// The bundles of an order, in the order they were recognised in.
    pub(super) fn all(order: &Order) -> Vec<Self> {
        let bundles = order.bundles.iter();
        bundles.map(|bundle| Self::new(order, bundle)).collect()
    }

    fn new(order: &Order, b: &event::OrderedBundle) -> Self {
        let status = order.bundle_status(&b.ref_id).unwrap_or(order.status);
        let lines = order.bundle_lines(&b.ref_id);
        Self {
            ref_id: b.ref_id.clone(),
            status: status.into(),
            status_code: i32::from(status.code()),
            bundle_id: ID::from(b.bundle_id.as_str()),
            definition_version: count(b.version),
            source: b.source.into(),
            kind: b.kind.into(),
            name_th: b.name_th.clone(),
            name_en: b.name_en.clone(),
            quantity: b.quantity,
            price: b.price.into(),
            individual_price: b.individual_price.into(),
            savings: b.savings.into(),
            returns: b.returns.into(),
            line_numbers: lines.map(|l| i32::from(l.line.line_number)).collect(),
        }
    }
}
