//! What an order's bundles count for.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::order::OrderStatus;

use crate::metrics::{
    clock::day,
    life::{Life, Sold},
    regional::DayKey,
    table::{Measures as _, Table, key, measures},
};

measures! {
    /// How a bundle sells.
    BundleSales {
        /// Orders that hold it, cancelled or not.
        Sum orders,
        /// How many were ordered.
        Sum sold,
        /// Of these, those cancelled: alone, with a short component, or with their order.
        Sum cancelled,
        /// Of these, those that reached the customer.
        Sum delivered,
        /// What customers pay for those not cancelled, net of order discounts; in 1/10,000 THB.
        Sum revenue_units,
        /// What the components of those not cancelled cost apart; in 1/10,000 THB.
        Sum apart_units,
        /// The bundle discounts of those not cancelled; in 1/10,000 THB.
        Sum savings_units,
        /// What came back of them is worth; in 1/10,000 THB.
        Sum returned_units,
    }
}

measures! {
    /// What a product brings as a component of a bundle, cancelled ones left out.
    ComponentSales {
        /// How much of it; in 1/10,000 pieces or kilograms.
        Sum quantity_units,
        /// What customers pay for it there; in 1/10,000 THB.
        Sum revenue_units,
    }
}

measures! {
    /// Orders with and without bundles, cancelled ones left out.
    Baskets {
        /// Orders.
        Sum orders,
        /// Of these, those with a bundle that is not cancelled.
        Sum bundle_orders,
        /// What the orders come to; in 1/10,000 THB.
        Sum value_units,
        /// What those with a bundle come to; in 1/10,000 THB.
        Sum bundle_order_units,
        /// What components of bundles bring; in 1/10,000 THB.
        Sum bundle_units,
        /// What single products bring; in 1/10,000 THB.
        Sum single_units,
    }
}

key! {
    /// A bundle on a Bangkok day of a store.
    BundleKey {
        store_id: String as "text", day: NaiveDate as "date", region: String as "text", bundle_id: String as "text",
    }
}

key! {
    /// A component of a bundle on a Bangkok day of a store.
    ComponentKey {
        store_id: String as "text", day: NaiveDate as "date", region: String as "text", bundle_id: String as "text",
        sku: String as "text",
    }
}

/// Bundles by day.
pub(crate) struct BundleDay;

impl Table for BundleDay {
    const NAME: &'static str = "metrics_bundle";
    type Key = BundleKey;
    type Measures = BundleSales;

    fn standing(order: &Life) -> Vec<(BundleKey, BundleSales)> {
        let mut cells = BTreeMap::new();
        for bundle in &order.bundles {
            let sales: &mut BundleSales = cells.entry(key_of(order, bundle)).or_default();
            sales.add(&sales_of(order, bundle), 1);
            // An order that holds a bundle twice is one order.
            sales.orders = 1;
        }
        cells.into_iter().collect()
    }
}

/// Components by day.
pub(crate) struct ComponentDay;

impl Table for ComponentDay {
    const NAME: &'static str = "metrics_component";
    type Key = ComponentKey;
    type Measures = ComponentSales;

    fn standing(order: &Life) -> Vec<(ComponentKey, ComponentSales)> {
        let mut cells = Vec::new();
        for bundle in &order.bundles {
            for (line, part) in order.parts(bundle) {
                let Some(left) = order.left(line) else {
                    continue;
                };
                let BundleKey {
                    store_id,
                    day,
                    region,
                    bundle_id,
                } = key_of(order, bundle);
                let key = ComponentKey {
                    store_id,
                    day,
                    region,
                    bundle_id,
                    sku: part.sku.to_string(),
                };
                let sales = ComponentSales {
                    quantity_units: left.units(),
                    revenue_units: line.value.units(),
                };
                cells.push((key, sales));
            }
        }
        cells
    }
}

/// Baskets by day.
pub(crate) struct BasketDay;

impl Table for BasketDay {
    const NAME: &'static str = "metrics_basket";
    type Key = DayKey;
    type Measures = Baskets;

    fn standing(order: &Life) -> Vec<(DayKey, Baskets)> {
        if order.is_cancelled() {
            return Vec::new();
        }
        let with_bundle = order.bundles.iter().any(|bundle| !order.lost(bundle));
        let value = order.value().units();
        let mut baskets = Baskets {
            orders: 1,
            bundle_orders: with_bundle.into(),
            value_units: value,
            bundle_order_units: if with_bundle { value } else { 0 },
            ..Baskets::default()
        };
        for line in order.lines.iter().filter(|l| order.left(l).is_some()) {
            let sum = if line.part.is_some() {
                &mut baskets.bundle_units
            } else {
                &mut baskets.single_units
            };
            *sum = sum.saturating_add(line.value.units());
        }
        vec![(DayKey::of(order, order.placed_at()), baskets)]
    }
}

fn key_of(order: &Life, bundle: &Sold) -> BundleKey {
    BundleKey {
        store_id: order.standing.cell.store_id.clone(),
        day: day(order.placed_at()),
        region: order.standing.cell.region.clone(),
        bundle_id: bundle.bundle_id.clone(),
    }
}

fn sales_of(order: &Life, bundle: &Sold) -> BundleSales {
    let mut sales = BundleSales {
        orders: 1,
        sold: bundle.quantity,
        ..BundleSales::default()
    };
    if order.lost(bundle) {
        sales.cancelled = bundle.quantity;
        return sales;
    }
    if order.at(OrderStatus::Delivered).is_some() {
        sales.delivered = bundle.quantity;
    }
    sales.apart_units = bundle.apart.units().saturating_mul(bundle.quantity);
    for (line, part) in order.parts(bundle) {
        if order.left(line).is_some() {
            sales.revenue_units = sales.revenue_units.saturating_add(line.value.units());
            sales.savings_units = sales.savings_units.saturating_add(part.saving.units());
        }
        sales.returned_units = sales.returned_units.saturating_add(part.returned.units());
    }
    sales
}
