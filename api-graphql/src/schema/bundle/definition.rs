//! What a bundle is, as the API shows it.

use async_graphql::{Enum, ID, SimpleObject};
use domain::bundle::{
    BundleKind as DomainKind, BundleRules, Component, DailyHours as DomainHours, ReturnPolicy,
    Role, Schedule,
};

use crate::schema::scalars::{DateTime, Decimal};

/// What kind of offer a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
#[allow(missing_docs)]
pub enum BundleKind {
    BreakfastCombo,
    SnackPack,
    MealDeal,
    SeasonalPromo,
}

/// Whether single components of a bundle may be returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ReturnPolicy")]
pub enum BundleReturns {
    /// All or nothing.
    Whole,
    /// Each for its price less its share of the discount.
    Components,
}

/// A component's part in its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Role")]
pub enum ComponentRole {
    /// The bundle is about it.
    Main,
    /// Comes with it.
    AddOn,
}

/// One product of a bundle.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BundleComponent {
    /// The product.
    pub sku: String,
    /// Name in Thai.
    pub name_th: Option<String>,
    /// Name in English.
    pub name_en: Option<String>,
    /// How much of it one bundle holds.
    pub quantity: Decimal,
    /// What one unit costs apart.
    pub unit_price: Decimal,
    /// Its part in the bundle.
    pub role: ComponentRole,
    /// VAT rate; the chain's 0.0700 when null.
    pub tax_rate: Option<Decimal>,
    /// Whether picking may offer another product for it.
    pub substitutable: bool,
    /// How far that product's price may lie above this one's; the chain's 0.2000 when null.
    pub max_rise: Option<Decimal>,
}

impl From<&Component> for BundleComponent {
    fn from(c: &Component) -> Self {
        Self {
            sku: c.sku.to_string(),
            name_th: c.name_th.clone(),
            name_en: c.name_en.clone(),
            quantity: c.quantity.into(),
            unit_price: c.unit_price.into(),
            role: c.role.into(),
            tax_rate: c.tax_rate.map(Into::into),
            substitutable: c.substitutable,
            max_rise: c.max_rise.map(Into::into),
        }
    }
}

/// How a bundle's price comes about: exactly one field is set.
#[derive(Debug, Clone, Default, SimpleObject)]
#[graphql(serial)]
pub struct BundlePricing {
    /// One price for all.
    pub fixed_price: Option<Decimal>,
    /// A share off the components' prices, 0.1500 for 15%.
    pub percent_off: Option<Decimal>,
    /// So much off one bundle's worth of each component, in their order; nothing for those beyond the list.
    pub components_off: Option<Vec<Decimal>>,
    /// Components that come free with the others, counted from 0.
    pub free_components: Option<Vec<i32>>,
}

impl From<&BundleRules> for BundlePricing {
    fn from(rules: &BundleRules) -> Self {
        let mut pricing = Self::default();
        match rules {
            BundleRules::FixedPrice { price } => pricing.fixed_price = Some((*price).into()),
            BundleRules::Percent { off } => pricing.percent_off = Some((*off).into()),
            BundleRules::ComponentDiscount { off } => {
                pricing.components_off = Some(off.iter().map(|m| (*m).into()).collect());
            }
            BundleRules::BuyXGetY { free } => {
                pricing.free_components = Some(free.iter().map(|n| i32::from(*n)).collect());
            }
        }
        pricing
    }
}

/// When a bundle is offered, by Bangkok's clock.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BundleSchedule {
    /// From this moment on; from the beginning when null.
    pub from: Option<DateTime>,
    /// Up to but not including this moment; for ever when null.
    pub until: Option<DateTime>,
    /// Days of the week, 1 = Monday to 7 = Sunday; every day when empty.
    pub weekdays: Vec<i32>,
    /// The hours of a day; the whole day when null.
    pub hours: Option<DailyHours>,
}

impl From<&Schedule> for BundleSchedule {
    fn from(s: &Schedule) -> Self {
        Self {
            from: s.from.map(DateTime),
            until: s.until.map(DateTime),
            weekdays: s.weekdays.iter().map(|d| i32::from(*d)).collect(),
            hours: s.hours.map(Into::into),
        }
    }
}

/// Hours of a day in minutes since midnight in Bangkok; over midnight when `from` is above `to`.
#[derive(Debug, Clone, Copy, SimpleObject)]
#[graphql(serial)]
pub struct DailyHours {
    /// Start, inclusive.
    pub from: i32,
    /// End, exclusive.
    pub to: i32,
}

impl From<DomainHours> for DailyHours {
    fn from(h: DomainHours) -> Self {
        Self {
            from: i32::from(h.from),
            to: i32::from(h.to),
        }
    }
}

/// Store ids as GraphQL ids.
pub(super) fn store_ids(stores: &[domain::ids::StoreId]) -> Vec<ID> {
    stores.iter().map(|s| ID::from(s.as_str())).collect()
}
