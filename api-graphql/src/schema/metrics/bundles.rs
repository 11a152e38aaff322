//! How bundles sell.

use async_graphql::{ID, SimpleObject};
use projections::metrics::bundle_sales::{Baskets, BundlePerformance as Read, BundleRow};

use super::{decimal, number};
use crate::schema::{
    cash::metrics::share,
    scalars::{Decimal, Position},
};

/// How bundles sell: by the day on which their orders were placed, with all that became of them later.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BundlePerformance {
    /// The bundles that bring most, first.
    pub bundles: Vec<BundleFigures>,
    /// How many bundles were sold at all.
    pub count: i32,
    /// Orders with and without bundles.
    pub baskets: BasketFigures,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

impl BundlePerformance {
    pub(super) fn new(read: Read, first: usize) -> Self {
        Self {
            count: i32::try_from(read.bundles.len()).unwrap_or(i32::MAX),
            bundles: read
                .bundles
                .into_iter()
                .take(first)
                .map(BundleFigures::from)
                .collect(),
            baskets: read.baskets.into(),
            position: Position(read.position),
        }
    }
}

/// How a bundle sells.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BundleFigures {
    /// The bundle.
    pub bundle_id: ID,
    /// Orders that hold it, cancelled or not.
    pub orders: i32,
    /// How many were ordered.
    pub sold: i32,
    /// Of these, those cancelled: alone, with a short component, or with their order.
    pub cancelled: i32,
    /// Of these, those that reached the customer.
    pub delivered: i32,
    /// Delivered of ordered, 0.9500 for 95%, rounded down; null where none was ordered.
    pub fulfilment_rate: Option<Decimal>,
    /// What customers pay for those not cancelled, net of order discounts. In THB.
    pub revenue: Decimal,
    /// What their components cost apart. In THB.
    pub individual_value: Decimal,
    /// What customers save by them: the bundle discounts. In THB.
    pub savings: Decimal,
    /// What came back of them is worth. In THB.
    pub returned_value: Decimal,
    /// What each component brings, by SKU.
    pub components: Vec<ComponentFigures>,
}

/// What a product brings as a component of a bundle.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct ComponentFigures {
    /// The product sold: another one's after a substitution.
    pub sku: String,
    /// How much of it.
    pub quantity: Decimal,
    /// What customers pay for it there. In THB.
    pub revenue: Decimal,
    /// Its share of the bundle's revenue, rounded down; null where there is none.
    pub share: Option<Decimal>,
}

impl From<BundleRow> for BundleFigures {
    fn from(row: BundleRow) -> Self {
        let sales = row.sales;
        let components = row.components.into_iter().map(|part| ComponentFigures {
            sku: part.sku.to_string(),
            quantity: decimal(part.sales.quantity_units),
            revenue: decimal(part.sales.revenue_units),
            share: share(part.sales.revenue_units, sales.revenue_units),
        });
        Self {
            bundle_id: ID::from(row.bundle_id.to_string()),
            orders: number(sales.orders),
            sold: number(sales.sold),
            cancelled: number(sales.cancelled),
            delivered: number(sales.delivered),
            fulfilment_rate: share(sales.delivered, sales.sold),
            revenue: decimal(sales.revenue_units),
            individual_value: decimal(sales.apart_units),
            savings: decimal(sales.savings_units),
            returned_value: decimal(sales.returned_units),
            components: components.collect(),
        }
    }
}

/// Orders with and without bundles; cancelled ones are left out.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct BasketFigures {
    /// Orders.
    pub orders: i32,
    /// Of these, those with a bundle.
    pub bundle_orders: i32,
    /// Orders with a bundle of all orders, rounded down; null where there are none.
    pub attach_rate: Option<Decimal>,
    /// What the orders come to. In THB.
    pub value: Decimal,
    /// What an order with a bundle comes to on average, rounded down; null where there is none. In THB.
    pub mean_with_bundle: Option<Decimal>,
    /// What an order without a bundle comes to on average, rounded down; null where there is none. In THB.
    pub mean_without_bundle: Option<Decimal>,
    /// What components of bundles bring. In THB.
    pub bundle_revenue: Decimal,
    /// What single products bring. In THB.
    pub single_revenue: Decimal,
    /// The bundles' share of both, rounded down; null where there is none.
    pub bundle_share: Option<Decimal>,
}

impl From<Baskets> for BasketFigures {
    fn from(b: Baskets) -> Self {
        let mean = |units: i64, orders: i64| units.checked_div(orders).map(decimal);
        let others = b.orders.saturating_sub(b.bundle_orders);
        let other_units = b.value_units.saturating_sub(b.bundle_order_units);
        Self {
            orders: number(b.orders),
            bundle_orders: number(b.bundle_orders),
            attach_rate: share(b.bundle_orders, b.orders),
            value: decimal(b.value_units),
            mean_with_bundle: mean(b.bundle_order_units, b.bundle_orders),
            mean_without_bundle: mean(other_units, others),
            bundle_revenue: decimal(b.bundle_units),
            single_revenue: decimal(b.single_units),
            bundle_share: share(
                b.bundle_units,
                b.bundle_units.saturating_add(b.single_units),
            ),
        }
    }
}
