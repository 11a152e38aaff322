//! How well cash is collected.

use async_graphql::{ID, SimpleObject};
use domain::money::{Money, SCALE};
use projections::cash_ledger::CollectionDay;

use crate::schema::scalars::{Date, Decimal};

/// Collections of a store and a Bangkok day.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CollectionDayMetrics {
    /// The day.
    pub day: Date,
    /// The store.
    pub store_id: ID,
    /// The store's region.
    pub region: String,
    /// The figures.
    pub figures: CollectionFigures,
}

impl From<&CollectionDay> for CollectionDayMetrics {
    fn from(d: &CollectionDay) -> Self {
        Self {
            day: Date(d.day),
            store_id: ID::from(d.store_id.as_str()),
            region: d.region.to_string(),
            figures: CollectionFigures::total([d]),
        }
    }
}

/// Figures of collections.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CollectionFigures {
    /// Orders with cash due that were delivered on the day.
    pub delivered: i32,
    /// Of these, those whose cash was collected.
    pub collected: i32,
    /// Of these, those whose cash was collected within 24 hours of the delivery.
    pub collected_in_time: i32,
    /// Collected in time of delivered, 0.9950 for 99.5%, rounded down; null where nothing was delivered.
    pub success_rate: Option<Decimal>,
    /// Orders that stand at a failed collection, recorded on the day.
    pub failed: i32,
    /// Collections of the day with another amount than the one due.
    pub discrepancies: i32,
    /// Collected less due, over them.
    pub discrepancy_sum: Decimal,
}

impl CollectionFigures {
    /// The figures of some days together; those of one day are a sum of one.
    pub(super) fn total<'a>(days: impl IntoIterator<Item = &'a CollectionDay>) -> Self {
        let mut sum = [0_i64; 6];
        for d in days {
            let figures = [
                d.delivered,
                d.collected,
                d.collected_in_time,
                d.failed,
                d.discrepancies,
                d.discrepancy_sum.units(),
            ];
            for (total, figure) in sum.iter_mut().zip(figures) {
                *total = total.saturating_add(figure);
            }
        }
        let [delivered, collected, in_time, failed, discrepancies, off] = sum;
        let number = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            delivered: number(delivered),
            collected: number(collected),
            collected_in_time: number(in_time),
            success_rate: share(in_time, delivered),
            failed: number(failed),
            discrepancies: number(discrepancies),
            discrepancy_sum: Decimal(Money::from_units(off)),
        }
    }
}

/// A share with four decimal places, rounded down: 1.0000 means all.
pub(crate) fn share(part: i64, whole: i64) -> Option<Decimal> {
    let units = part.checked_mul(SCALE)?.checked_div(whole)?;
    Some(Decimal(Money::from_units(units)))
}

/// How well cash is collected.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CollectionMetrics {
    /// The figures by day and store; those without a collection are left out.
    pub days: Vec<CollectionDayMetrics>,
    /// The figures of all of them.
    pub total: CollectionFigures,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        let shown = |part, whole| share(part, whole).map(|d| d.0.to_string());
        assert_eq!(shown(199, 200).as_deref(), Some("0.9950"));
        assert_eq!(shown(99_999, 100_000).as_deref(), Some("0.9999"));
        assert_eq!(shown(3, 3).as_deref(), Some("1.0000"));
        assert_eq!(shown(1, 3).as_deref(), Some("0.3333"));
        assert_eq!(shown(0, 0), None);
    }
}
