//! The trading period as a plan: which command is sent when. Times count back from its end.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    actor::Role,
    order::{OrderCommand, OrderStatus},
};
use uuid::{Uuid, uuid};

use crate::sample::{self, BACK_ORDER_STORE, Life, Options, SampleError, rng::Rng};

/// Names the demo orders.
const SEED: u64 = 711;
/// Streams of numbers beside those of the orders themselves.
const TIMES: u64 = 0x71;
const IDS: u64 = 0x1D;
const STORE_IDS: u64 = 0x51;
const BUNDLE_IDS: u64 = 0xB1;
const CLOSING_IDS: u64 = 0xC1;
const REPORT_IDS: u64 = 0xA1;

/// Opening the first store. Its receipt says that loading has begun, so that no id here may ever change.
pub(super) const FIRST_STORE: Uuid = uuid!("d3300000-0000-4000-8000-000000000010");
/// The very first command about an order.
pub(super) const FIRST_COMMAND: Uuid = uuid!("d3300000-0000-4000-8000-000000000011");
/// The very last command about an order; the reports of the partner follow.
pub(super) const LAST_COMMAND: Uuid = uuid!("d3300000-0000-4000-8000-000000000012");
/// The last report: its receipt says that all of it is there.
pub(super) const LAST_REPORT: Uuid = uuid!("d3300000-0000-4000-8000-000000000013");
/// What stood in its place in the first version, whose demo data is whole without bundles and cash.
pub(super) const FIRST_VERSION: Uuid = uuid!("d3300000-0000-4000-8000-000000000002");

/// How long the period is, in seconds.
const PERIOD: i64 = 3 * 3_600;
/// When one store is closed, in seconds before the end.
const CLOSED: std::ops::Range<i64> = -3_600..-3_000;
/// One order in so many that is over was placed the day before, at the same time: its cash is to be settled.
const YESTERDAY_ONE_IN: usize = 4;
/// Orders for that store come in no later than this many seconds before it closes.
const LAST_CALL: i64 = 300;
/// An order that is on its way had its last news at most this many seconds before the end.
const NEWS_AGE: i64 = 240;
/// Commands of so many seconds go out side by side, each order's in order. Wider windows load faster, narrower
/// ones bring the log closer to the order of the simulated times.
const WINDOW: i64 = 600;

/// One command and its time.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// When, before the end of the period.
    pub(super) at: TimeDelta,
    pub(super) command_id: Uuid,
    /// One for each order.
    pub(super) correlation_id: Uuid,
    pub(super) role: Role,
    pub(super) store: &'static str,
    pub(super) command: OrderCommand,
}

/// Commands that go out side by side: an order's place in the plan and its steps.
pub(super) type Window = Vec<(usize, Vec<Planned>)>;

/// Windows between which a store closes or opens.
#[derive(Debug)]
pub(super) struct Phase {
    /// Whether the store of the back-orders trades from here on; `None` where that does not change.
    pub(super) back_order_store_trades: Option<bool>,
    pub(super) windows: Vec<Window>,
}

/// The whole period.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) phases: Vec<Phase>,
}

impl Plan {
    /// Plans so many orders.
    pub(super) fn make(orders: usize) -> Result<Self, SampleError> {
        let options = Options {
            back_orders: true,
            whole: true,
            ..Options::new(SEED)
        };
        let lives = sample::lives(&options)
            .take(orders)
            .collect::<Result<Vec<_>, _>>()?;
        let last_back_order = lives
            .iter()
            .rposition(|l| l.end == OrderStatus::BackOrdered);
        let mut steps: Vec<(usize, Planned)> = Vec::new();
        for (order, life) in lives.into_iter().enumerate() {
            let stays_back_ordered = last_back_order == Some(order);
            steps.extend(
                schedule(order, life, stays_back_ordered)
                    .into_iter()
                    .map(|step| (order, step)),
            );
        }
        // Stable: an order's steps keep their order.
        steps.sort_by_key(|(_, step)| step.at);
        if let [(_, first), .., (_, last)] = steps.as_mut_slice() {
            first.command_id = FIRST_COMMAND;
            last.command_id = LAST_COMMAND;
        }
        Ok(Self {
            phases: phases(steps),
        })
    }

    /// How many commands it takes.
    pub(super) fn commands(&self) -> usize {
        let windows = self
            .phases
            .iter()
            .flat_map(|phase| &phase.windows)
            .flatten();
        windows.map(|(_, steps)| steps.len()).sum()
    }
}

/// The times of one life.
fn schedule(order: usize, life: Life, stays_back_ordered: bool) -> Vec<Planned> {
    let number = u64::try_from(order).unwrap_or_default();
    let mut rng = Rng::new(SEED, &[TIMES, number]);
    let mut ids = Rng::new(SEED, &[IDS, number]);
    let correlation_id = ids.uuid();
    let is_back_order = life.end == OrderStatus::BackOrdered;
    let mut at = begin(&mut rng, &life);
    if is_over(life.end) && order.is_multiple_of(YESTERDAY_ONE_IN) {
        at -= TimeDelta::days(1);
    }
    let mut planned = Vec::with_capacity(life.steps.len() + 1);
    for step in life.steps {
        at += step.after;
        if is_back_order && matches!(step.command, OrderCommand::Allocate) {
            at = TimeDelta::seconds(rng.between(CLOSED.start + 1, CLOSED.end - 1));
        }
        planned.push(Planned {
            at,
            command_id: step.command_id.0,
            correlation_id,
            role: step.role,
            store: life.store.id,
            command: step.command,
        });
    }
    if is_back_order && !stays_back_ordered {
        planned.push(Planned {
            at: TimeDelta::seconds(CLOSED.end + rng.between(1, 300)),
            command_id: ids.uuid(),
            correlation_id,
            role: Role::Ops,
            store: life.store.id,
            command: OrderCommand::Allocate,
        });
    }
    planned
}

/// When a life begins. What is over may have begun at any time, what is on its way had its last news just now, and
/// nobody orders at a store that is about to close or closed.
fn begin(rng: &mut Rng, life: &Life) -> TimeDelta {
    let lasts: TimeDelta = life.steps.iter().map(|step| step.after).sum();
    let (earliest, latest) = match life.end {
        OrderStatus::BackOrdered => (CLOSED.start - 2 * LAST_CALL, CLOSED.start - LAST_CALL),
        end if is_over(end) => {
            let latest = -lasts.num_seconds() - 1;
            (latest.min(-PERIOD), latest)
        }
        _ => (-NEWS_AGE - lasts.num_seconds(), -lasts.num_seconds() - 1),
    };
    let begins = TimeDelta::milliseconds(rng.between(earliest * 1_000, latest * 1_000));
    let closing = CLOSED.start - LAST_CALL..CLOSED.end;
    let meets_closing = life.end != OrderStatus::BackOrdered && closing.contains(&seconds(begins));
    if life.store.id == BACK_ORDER_STORE && meets_closing {
        return begins - TimeDelta::seconds(closing.end - closing.start);
    }
    begins
}

/// Names the command that opens a store, by its place.
pub(super) fn store_command(at: usize) -> Uuid {
    if at == 0 {
        FIRST_STORE
    } else {
        named(STORE_IDS, at)
    }
}

/// Names the command that defines a bundle, by its place.
pub(super) fn bundle_command(at: usize) -> Uuid {
    named(BUNDLE_IDS, at)
}

/// Names the command that closes the store of the back-orders, or opens it again.
pub(super) fn closing_command(opens: bool) -> Uuid {
    named(CLOSING_IDS, usize::from(opens))
}

/// Names a report by its place among so many.
pub(super) fn report_command(at: usize, count: usize) -> Uuid {
    if at + 1 == count {
        LAST_REPORT
    } else {
        named(REPORT_IDS, at)
    }
}

fn named(stream: u64, at: usize) -> Uuid {
    let at = u64::try_from(at).unwrap_or_default();
    Rng::new(SEED, &[stream, at]).uuid()
}

/// Whether nothing more is to come.
fn is_over(end: OrderStatus) -> bool {
    end >= OrderStatus::Delivered
}

/// Cuts the steps, in order of time, into phases and windows. The first and the last one stand alone.
fn phases(steps: Vec<(usize, Planned)>) -> Vec<Phase> {
    let mut windows: [BTreeMap<i64, BTreeMap<usize, Vec<Planned>>>; 3] = Default::default();
    for (order, step) in steps {
        let at = seconds(step.at);
        let window = match step.command_id {
            FIRST_COMMAND => i64::MIN,
            LAST_COMMAND => i64::MAX,
            _ => at.div_euclid(WINDOW),
        };
        let phase = usize::from(at >= CLOSED.start) + usize::from(at >= CLOSED.end);
        windows[phase]
            .entry(window)
            .or_default()
            .entry(order)
            .or_default()
            .push(step);
    }
    let phase = |(back_order_store_trades, windows): (_, BTreeMap<_, BTreeMap<_, _>>)| Phase {
        back_order_store_trades,
        windows: windows
            .into_values()
            .map(|window| window.into_iter().collect())
            .collect(),
    };
    [None, Some(false), Some(true)]
        .into_iter()
        .zip(windows)
        .map(phase)
        .collect()
}

fn seconds(at: TimeDelta) -> i64 {
    at.num_milliseconds().div_euclid(1_000)
}
