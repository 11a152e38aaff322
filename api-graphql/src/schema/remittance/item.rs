//! The items of a remittance: what is expected, what is reported, and how the two compare.

use crate::schema::{
    access::{Access, invalid},
    connection::PageInfo,
    loads,
    problem::count,
    scalars::Decimal,
};
use async_graphql::{Context, Enum, Error, ID, SimpleObject};
use domain::remittance::{
    Comparison, ExpectedItem, ItemOutcome as DomainOutcome, Remittance, RemittanceId, ReportedItem,
    Resolution as DomainResolution, Summary,
};
use domain::{actor::StoreScope, ids::OrderId};
use projections::paging::{CursorError, Place};

/// How the two sides of an item compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainOutcome")]
pub enum ItemOutcome {
    /// They agree within 0.01.
    Matched,
    /// They do not.
    Variance,
    /// Expected and not reported.
    Missing,
    /// Reported and not expected.
    Extra,
}

/// What becomes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainResolution")]
pub enum Resolution {
    /// The partner pays what is expected after all.
    PartnerPays,
    /// The report was right; the difference is written off.
    WrittenOff,
    /// Another amount was agreed on.
    Agreed,
}

/// One item of a remittance.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RemittanceItem {
    /// The order's number, which reports name it by.
    pub reference: String,
    /// The order; null for a reference that nobody knows, and for an order that the caller may not see.
    pub order_id: Option<ID>,
    /// The rider, as the partner knows them.
    pub rider_id: Option<String>,
    /// How the two sides compare; null before both are there.
    pub outcome: Option<ItemOutcome>,
    /// What is expected; null before the day is over.
    pub expected: Option<Decimal>,
    /// What is reported; null before a report.
    pub reported: Option<Decimal>,
    /// Reported less expected; null before both are there.
    pub variance: Option<Decimal>,
    /// The cash that counts as handed over to the partner: as resolved, else as reported.
    pub accepted: Option<Decimal>,
    /// Whether somebody must still decide about it.
    pub is_open: bool,
    /// Why the comparison is not accepted, where it is not.
    pub dispute: Option<String>,
    /// What becomes of the difference, once resolved.
    pub resolution: Option<Resolution>,
    /// Why it was resolved so.
    pub resolution_reason: Option<String>,
}

impl From<&Comparison> for RemittanceItem {
    fn from(c: &Comparison) -> Self {
        Self {
            reference: c.reference.clone(),
            order_id: c.order_id.map(|id| ID::from(id.0)),
            rider_id: c.rider_id.clone(),
            outcome: Some(c.outcome.into()),
            expected: Some(c.expected.into()),
            reported: Some(c.reported.into()),
            variance: Some(c.variance.into()),
            accepted: Some(c.accepted().into()),
            is_open: c.is_open(),
            dispute: c.dispute.clone(),
            resolution: c.resolved.as_ref().map(|r| r.resolution.into()),
            resolution_reason: c.resolved.as_ref().map(|r| r.reason.clone()),
        }
    }
}

impl RemittanceItem {
    fn one_sided(reference: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            order_id: None,
            rider_id: None,
            outcome: None,
            expected: None,
            reported: None,
            variance: None,
            accepted: None,
            is_open: true,
            dispute: None,
            resolution: None,
            resolution_reason: None,
        }
    }
}

impl From<&ExpectedItem> for RemittanceItem {
    fn from(e: &ExpectedItem) -> Self {
        Self {
            order_id: Some(ID::from(e.order_id.0)),
            rider_id: e.rider_id.clone(),
            expected: Some(e.amount.into()),
            ..Self::one_sided(&e.reference)
        }
    }
}

impl From<&ReportedItem> for RemittanceItem {
    fn from(r: &ReportedItem) -> Self {
        Self {
            order_id: r.order_id.map(|id| ID::from(id.0)),
            reported: Some(r.amount.into()),
            ..Self::one_sided(&r.reference)
        }
    }
}

/// A page of a remittance's items.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RemittanceItemConnection {
    /// The items with their cursors.
    pub edges: Vec<RemittanceItemEdge>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An item and its cursor.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RemittanceItemEdge {
    /// For `after`.
    pub cursor: String,
    /// The item.
    pub node: RemittanceItem,
}

/// Leaves out the orders that the caller may not see: a partner may report one of another store.
pub(super) async fn hide_foreign(
    ctx: &Context<'_>,
    page: &mut RemittanceItemConnection,
) -> Result<(), Error> {
    let access = Access::of(ctx)?;
    let scope = &access.actor().stores;
    if *scope == StoreScope::All {
        return Ok(());
    }
    let reported = page
        .edges
        .iter()
        .filter_map(|edge| only_reported(&edge.node));
    let stores = loads::stores_of(ctx, &access, reported).await?;
    let is_seen = |id| stores.get(&id).is_some_and(|store| scope.covers(store));
    for RemittanceItemEdge { node, .. } in &mut page.edges {
        if only_reported(node).is_some_and(|id| !is_seen(id)) {
            node.order_id = None;
        }
    }
    Ok(())
}

/// The order of an item that only the partner speaks of: what is expected is the store's own.
fn only_reported(item: &RemittanceItem) -> Option<OrderId> {
    let is_only_reported =
        matches!(item.outcome, None | Some(ItemOutcome::Extra)) && item.reported.is_some();
    let id = item.order_id.as_ref().filter(|_| is_only_reported)?;
    id.as_str().parse().ok()
}

/// Names the list in cursors.
const LIST: u8 = b'i';

/// What a list of items is made of.
trait Listed {
    fn reference(&self) -> &str;
}

impl Listed for Comparison {
    fn reference(&self) -> &str {
        &self.reference
    }
}

impl Listed for ExpectedItem {
    fn reference(&self) -> &str {
        &self.reference
    }
}

impl Listed for ReportedItem {
    fn reference(&self) -> &str {
        &self.reference
    }
}

/// Where an item stands: its reference, and how many of the same reference come before it. Items that come between two
/// pages, as those of a new report do, move no other.
type At<'a> = (&'a str, i64);

/// The items behind `after`, at most `first`: compared ones once there are, else those of the side that is there.
///
/// # Errors
/// INVALID_INPUT when `after` is no cursor of this remittance's items.
pub(super) fn page(
    id: &RemittanceId,
    remittance: &Remittance,
    first: usize,
    after: Option<&str>,
) -> Result<RemittanceItemConnection, Error> {
    let list = format!("{id} ");
    let place = after.map(|cursor| Place::decode(cursor, LIST)).transpose();
    let place = place.map_err(|e| invalid("after", e))?;
    let after = place.as_ref().map(|place| {
        let reference = place.id.strip_prefix(&list);
        reference.map(|reference| (reference, place.key))
    });
    let after = after.map(|at| at.ok_or_else(|| invalid("after", CursorError::Malformed)));
    let after = after.transpose()?;
    let (has_next_page, items) = if !remittance.comparisons.is_empty() {
        slice(&remittance.comparisons, first, after)
    } else if !remittance.expected.is_empty() {
        slice(&remittance.expected, first, after)
    } else {
        let reported = remittance.reported.as_deref();
        slice(reported.unwrap_or_default(), first, after)
    };
    let edge = |(nth, node): (i64, RemittanceItem)| {
        let id = format!("{list}{}", node.reference);
        RemittanceItemEdge {
            cursor: Place { key: nth, id }.encode(LIST),
            node,
        }
    };
    let edges: Vec<_> = items.into_iter().map(edge).collect();
    Ok(RemittanceItemConnection {
        page_info: PageInfo {
            has_next_page,
            has_previous_page: after.is_some(),
            start_cursor: edges.first().map(|e| e.cursor.clone()),
            end_cursor: edges.last().map(|e| e.cursor.clone()),
        },
        edges,
    })
}

/// Whether more follow, and the items with how many of the same reference come before each.
fn slice<'a, T: Listed>(
    all: &'a [T],
    first: usize,
    after: Option<At<'_>>,
) -> (bool, Vec<(i64, RemittanceItem)>)
where
    RemittanceItem: From<&'a T>,
{
    let mut sorted: Vec<&T> = all.iter().collect();
    sorted.sort_by(|a, b| a.reference().cmp(b.reference()));
    let mut before: At<'_> = ("", -1);
    let placed = sorted.into_iter().map(|item| {
        let (reference, nth) = before;
        let same = reference == item.reference();
        before = (item.reference(), if same { nth + 1 } else { 0 });
        (before, item)
    });
    let mut rest = placed.skip_while(|(at, _)| after.is_some_and(|after| *at <= after));
    let page = rest.by_ref().take(first);
    let page = page.map(|((_, nth), item)| (nth, RemittanceItem::from(item)));
    let page = page.collect();
    (rest.next().is_some(), page)
}

/// The comparison of one rider's items.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RiderTotal {
    /// The rider; null for items without one, such as extra ones.
    pub rider_id: Option<String>,
    /// How many items.
    pub items: i32,
    /// Items that somebody must still decide about.
    pub open: i32,
    /// What is expected.
    pub expected: Decimal,
    /// What is reported.
    pub reported: Decimal,
    /// Reported less expected.
    pub variance: Decimal,
    /// What counts as handed over to the partner.
    pub accepted: Decimal,
}

impl From<domain::remittance::RiderTotal> for RiderTotal {
    fn from(t: domain::remittance::RiderTotal) -> Self {
        Self {
            rider_id: t.rider_id,
            items: count(t.items),
            open: count(t.open),
            expected: t.expected.into(),
            reported: t.reported.into(),
            variance: t.variance.into(),
            accepted: t.accepted.into(),
        }
    }
}

/// Sums and counts of a comparison.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RemittanceSummary {
    /// What is expected.
    pub expected: Decimal,
    /// What is reported.
    pub reported: Decimal,
    /// Reported less expected.
    pub variance: Decimal,
    /// What counts as handed over to the partner.
    pub accepted: Decimal,
    /// Items that agree.
    pub matched: i32,
    /// Items that do not.
    pub differing: i32,
    /// Items expected and not reported.
    pub missing: i32,
    /// Items reported and not expected.
    pub extra: i32,
    /// Items that somebody must still decide about.
    pub open: i32,
}

impl From<Summary> for RemittanceSummary {
    fn from(s: Summary) -> Self {
        Self {
            expected: s.expected.into(),
            reported: s.reported.into(),
            variance: s.variance.into(),
            accepted: s.accepted.into(),
            matched: count(s.matched),
            differing: count(s.differing),
            missing: count(s.missing),
            extra: count(s.extra),
            open: count(s.open),
        }
    }
}
