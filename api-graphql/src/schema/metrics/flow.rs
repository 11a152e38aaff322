//! How orders flow.

use std::collections::BTreeMap;

use async_graphql::{Context, Enum, ID, SelectionField, SimpleObject};
use chrono::Utc;
use domain::ids::{RegionId, StoreId};
use projections::metrics::{
    Wanted,
    regional::{Flow, FlowBeside, FlowRow},
};

use super::{decimal, number};
use crate::schema::{
    cash::metrics::share,
    scalars::{DateTime, Decimal, Position},
};

/// Orders that reached a status in a stretch of time, and what went wrong in it. A status that was stepped over counts
/// as reached with the one after it.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct FlowFigures {
    /// Orders placed.
    pub placed: i32,
    /// Orders that could not be allocated at first.
    pub back_ordered: i32,
    /// Orders allocated.
    pub allocated: i32,
    /// Orders released to picking.
    pub released: i32,
    /// Orders whose picking began.
    pub in_process: i32,
    /// Orders picked.
    pub picked: i32,
    /// Orders packed.
    pub packed: i32,
    /// Orders fulfilled: tracking id and carrier are known.
    pub fulfilled: i32,
    /// Orders handed to the rider.
    pub shipped: i32,
    /// Orders in transit.
    pub in_transit: i32,
    /// Orders out for delivery.
    pub out_for_delivery: i32,
    /// Orders delivered.
    pub delivered: i32,
    /// Orders all of whose goods began to come back.
    pub pending_return: i32,
    /// Orders all of whose goods are back in the store.
    pub returned: i32,
    /// Orders cancelled.
    pub cancelled: i32,
    /// What the orders placed come to now; cancelled ones nothing. In THB.
    pub value: Decimal,
    /// The cash due at the door for them now. In THB.
    pub cash_due: Decimal,
    /// Returns asked for, of whole orders or parts.
    pub returns: i32,
    /// What the goods of these returns are worth, fees included. In THB.
    pub returned_value: Decimal,
    /// All that did not go straight: back orders, and the five below.
    pub exceptions: i32,
    /// Reports of goods that picking did not find.
    pub shorts: i32,
    /// Orders found standing still before picking.
    pub stuck: i32,
    /// Attempts to deliver that failed.
    pub failed_deliveries: i32,
    /// Attempts to collect cash that failed.
    pub failed_collections: i32,
    /// Orders of whose cash nobody said anything in time.
    pub overdue_collections: i32,
}

impl From<Flow> for FlowFigures {
    fn from(f: Flow) -> Self {
        Self {
            placed: number(f.placed),
            back_ordered: number(f.back_ordered),
            allocated: number(f.allocated),
            released: number(f.released),
            in_process: number(f.in_process),
            picked: number(f.picked),
            packed: number(f.packed),
            fulfilled: number(f.fulfilled),
            shipped: number(f.shipped),
            in_transit: number(f.in_transit),
            out_for_delivery: number(f.out_for_delivery),
            delivered: number(f.delivered),
            pending_return: number(f.pending_return),
            returned: number(f.returned),
            cancelled: number(f.cancelled),
            value: decimal(f.value_units),
            cash_due: decimal(f.cash_due_units),
            returns: number(f.returns),
            returned_value: decimal(f.returned_units),
            exceptions: number(f.exceptions()),
            shorts: number(f.shorts),
            stuck: number(f.stuck),
            failed_deliveries: number(f.failed_deliveries),
            failed_collections: number(f.failed_collections),
            overdue_collections: number(f.overdue_collections),
        }
    }
}

/// The exceptions' columns: see [`Flow::exceptions`].
const EXCEPTIONS: &[&str] = &[
    "back_ordered",
    "shorts",
    "stuck",
    "failed_deliveries",
    "failed_collections",
    "overdue_collections",
];

/// What each of the [`FlowFigures`] is read from.
const COLUMNS: [(&str, &[&str]); 25] = [
    ("placed", &["placed"]),
    ("backOrdered", &["back_ordered"]),
    ("allocated", &["allocated"]),
    ("released", &["released"]),
    ("inProcess", &["in_process"]),
    ("picked", &["picked"]),
    ("packed", &["packed"]),
    ("fulfilled", &["fulfilled"]),
    ("shipped", &["shipped"]),
    ("inTransit", &["in_transit"]),
    ("outForDelivery", &["out_for_delivery"]),
    ("delivered", &["delivered"]),
    ("pendingReturn", &["pending_return"]),
    ("returned", &["returned"]),
    ("cancelled", &["cancelled"]),
    ("value", &["value_units"]),
    ("cashDue", &["cash_due_units"]),
    ("returns", &["returns"]),
    ("returnedValue", &["returned_units"]),
    ("exceptions", EXCEPTIONS),
    ("shorts", &["shorts"]),
    ("stuck", &["stuck"]),
    ("failedDeliveries", &["failed_deliveries"]),
    ("failedCollections", &["failed_collections"]),
    ("overdueCollections", &["overdue_collections"]),
];

/// The figures that a field's selection shows anywhere, and these columns.
pub(super) fn wanted(ctx: &Context<'_>, columns: &[&'static str]) -> Wanted {
    fn gather(field: SelectionField<'_>, columns: &mut Vec<&'static str>) {
        for field in field.selection_set() {
            let shown = COLUMNS.iter().filter(|(name, _)| *name == field.name());
            columns.extend(shown.flat_map(|(_, columns)| *columns));
            // As deep as the limit on operations lets them be.
            gather(field, columns);
        }
    }
    // Never none: the planner would rather read a key's whole index than the days' rows.
    let mut columns = [columns, &["placed"]].concat();
    gather(ctx.field(), &mut columns);
    Flow::wanted(&columns)
}

/// Hours or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FlowGrain {
    /// By the hour; at most 7 days.
    Hour,
    /// By the Bangkok day; at most 92 days.
    Day,
}

/// The figures of one hour or one Bangkok day.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct FlowPoint {
    /// When it begins.
    pub at: DateTime,
    /// The figures.
    pub figures: FlowFigures,
}

/// The figures of a region, beside those of the equally long time before.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RegionFlow {
    /// The region.
    pub region: String,
    /// The figures.
    pub figures: FlowFigures,
    /// The figures of the equally long time before.
    pub before: FlowFigures,
}

/// The regions side by side.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Regions {
    /// The regions of the stores the caller may see, by name; those where nothing happened are left out.
    pub regions: Vec<RegionFlow>,
    /// All of them together.
    pub total: FlowFigures,
    /// All of them together, in the equally long time before.
    pub before: FlowFigures,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

impl Regions {
    pub(super) fn new(flow: &FlowBeside) -> Self {
        let (now, before) = (&flow.now, &flow.before);
        let mut regions: BTreeMap<&RegionId, [Flow; 2]> = BTreeMap::new();
        for (which, rows) in [now, before].into_iter().enumerate() {
            for row in rows {
                let flows = regions.entry(&row.region).or_default();
                if let Some(flow) = flows.get_mut(which) {
                    *flow = row.flow;
                }
            }
        }
        let regions = regions
            .into_iter()
            .map(|(region, [now, before])| RegionFlow {
                region: region.to_string(),
                figures: now.into(),
                before: before.into(),
            });
        Self {
            regions: regions.collect(),
            total: total(now).into(),
            before: total(before).into(),
            position: Position(flow.position),
        }
    }
}

/// A region down to its stores, and these down to hours or days.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RegionBoard {
    /// The region.
    pub region: String,
    /// The figures of its stores that the caller may see, together.
    pub figures: FlowFigures,
    /// The same by hour or day; those in which nothing happened are left out.
    pub points: Vec<FlowPoint>,
    /// Store by store.
    pub stores: Vec<StoreFlow>,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

/// The figures of a store.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StoreFlow {
    /// The store.
    pub store_id: ID,
    /// The figures.
    pub figures: FlowFigures,
    /// The same by hour or day; those in which nothing happened are left out.
    pub points: Vec<FlowPoint>,
}

impl RegionBoard {
    /// `rows` by store and time.
    pub(super) fn new(region: String, rows: &[FlowRow], position: store::Position) -> Self {
        let mut stores: BTreeMap<&StoreId, Vec<FlowRow>> = BTreeMap::new();
        for row in rows {
            if let Some(store) = &row.store_id {
                stores.entry(store).or_default().push(row.clone());
            }
        }
        let stores = stores.into_iter().map(|(store, rows)| StoreFlow {
            store_id: ID::from(store.as_str()),
            figures: total(&rows).into(),
            points: points(&rows),
        });
        Self {
            region,
            figures: total(rows).into(),
            points: points(rows),
            stores: stores.collect(),
            position: Position(position),
        }
    }
}

/// Rows of any stores, summed by hour or day.
pub(super) fn points(rows: &[FlowRow]) -> Vec<FlowPoint> {
    let mut points: BTreeMap<chrono::DateTime<Utc>, Vec<&Flow>> = BTreeMap::new();
    for row in rows {
        if let Some(at) = row.at {
            points.entry(at).or_default().push(&row.flow);
        }
    }
    let points = points.into_iter().map(|(at, flows)| FlowPoint {
        at: DateTime(at),
        figures: Flow::total(flows).into(),
    });
    points.collect()
}

fn total(rows: &[FlowRow]) -> Flow {
    Flow::total(rows.iter().map(|r| &r.flow))
}

/// What stores are ranked by: the highest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RankBy {
    /// What the orders placed come to.
    Value,
    /// The cash due for them.
    CashDue,
    /// Orders placed.
    Placed,
    /// Orders released.
    Released,
    /// Orders handed to the rider.
    Shipped,
    /// Orders delivered.
    Delivered,
    /// Orders cancelled.
    Cancelled,
    /// Returns asked for.
    Returns,
    /// All that did not go straight.
    Exceptions,
}

impl RankBy {
    /// What [`Self::of`] is read from.
    pub(super) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Value => &["value_units"],
            Self::CashDue => &["cash_due_units"],
            Self::Placed => &["placed"],
            Self::Released => &["released"],
            Self::Shipped => &["shipped"],
            Self::Delivered => &["delivered"],
            Self::Cancelled => &["cancelled"],
            Self::Returns => &["returns"],
            Self::Exceptions => EXCEPTIONS,
        }
    }

    const fn of(self, flow: &Flow) -> i64 {
        match self {
            Self::Value => flow.value_units,
            Self::CashDue => flow.cash_due_units,
            Self::Placed => flow.placed,
            Self::Released => flow.released,
            Self::Shipped => flow.shipped,
            Self::Delivered => flow.delivered,
            Self::Cancelled => flow.cancelled,
            Self::Returns => flow.returns,
            Self::Exceptions => flow.exceptions(),
        }
    }
}

/// A store among others.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RankedStore {
    /// Its place, from 1; stores with the same figure share one.
    pub rank: i32,
    /// Its place in the equally long time before; null when nothing happened in it then.
    pub rank_before: Option<i32>,
    /// The store.
    pub store_id: ID,
    /// Its region.
    pub region: String,
    /// Its share of what is ranked by, 0.2500 for a quarter, rounded down; null where there is none of it.
    pub share: Option<Decimal>,
    /// The figures.
    pub figures: FlowFigures,
    /// The figures of the equally long time before.
    pub before: FlowFigures,
}

/// Stores, ranked.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StoreRanking {
    /// The first of them.
    pub stores: Vec<RankedStore>,
    /// How many there are.
    pub count: i32,
    /// All of them together.
    pub total: FlowFigures,
    /// All of them together, in the equally long time before.
    pub before: FlowFigures,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

impl StoreRanking {
    pub(super) fn new(by: RankBy, first: usize, flow: &FlowBeside) -> Self {
        let (now, before) = (&flow.now, &flow.before);
        let all = total(now);
        let mut ranked: Vec<&FlowRow> = now.iter().collect();
        // Stores with the same figure stay in the order of their ids.
        ranked.sort_by_key(|row| std::cmp::Reverse(by.of(&row.flow)));
        let rank = |rows: &[FlowRow], flow: &Flow| {
            let better = rows.iter().filter(|r| by.of(&r.flow) > by.of(flow)).count();
            i32::try_from(better + 1).unwrap_or(i32::MAX)
        };
        let stores = ranked.iter().take(first).map(|row| {
            let mut then = before.iter();
            let then = then.find(|r| (&r.store_id, &r.region) == (&row.store_id, &row.region));
            RankedStore {
                rank: rank(now, &row.flow),
                rank_before: then.map(|then| rank(before, &then.flow)),
                store_id: ID::from(row.store_id.as_ref().map_or("", StoreId::as_str)),
                region: row.region.to_string(),
                share: share(by.of(&row.flow), by.of(&all)),
                figures: row.flow.into(),
                before: then.map(|then| then.flow).unwrap_or_default().into(),
            }
        });
        Self {
            stores: stores.collect(),
            count: i32::try_from(now.len()).unwrap_or(i32::MAX),
            total: all.into(),
            before: total(before).into(),
            position: Position(flow.position),
        }
    }
}
