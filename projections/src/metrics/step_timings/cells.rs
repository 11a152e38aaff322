//! What orders and events count for in durations.

use chrono::NaiveDate;
use domain::order::{OrderEvent, OrderStatus};

use crate::metrics::{
    clock::{bucket, day},
    life::{Happened, Life},
    table::{Table, key, measures},
};

/// The longest step that counts in full, in microseconds: a day. What the metadata says is not checked when it is
/// written; a sum of days can never leave 64 bits.
pub const LONGEST_MICROS: u64 = 86_400_000_000;
/// The longest stage that counts in full, in milliseconds: a year. Its ends may be anything that a sender said.
pub const LONGEST_MILLIS: u64 = 31_536_000_000;

measures! {
    /// How long a step took, in microseconds.
    StepTime {
        /// How often it was taken.
        Sum count,
        /// All of it together.
        Sum total_micros,
        /// The longest one.
        Max longest_micros,
    }
}

measures! {
    /// How long a stage took, in milliseconds.
    StageTime {
        /// Orders that went through it.
        Sum count,
        /// All of it together.
        Sum total_millis,
    }
}

/// A step of the workflow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Step {
    /// Checking what was asked.
    Validate,
    /// Looking products up and adding what is known of them.
    Enrich,
    /// Bundles, prices, sums.
    Calculate,
    /// Reserving the lines.
    Allocate,
    /// Recording the payment.
    Pay,
    /// Handing the release to picking.
    Release,
}

impl Step {
    /// Every step, in the order of the workflow.
    pub const ALL: [Self; 6] = [
        Self::Validate,
        Self::Enrich,
        Self::Calculate,
        Self::Allocate,
        Self::Pay,
        Self::Release,
    ];

    /// Its name in the metadata and in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Enrich => "enrich",
            Self::Calculate => "calculate",
            Self::Allocate => "allocate",
            Self::Pay => "pay",
            Self::Release => "release",
        }
    }

    /// Whether the step leads to such an event. A command's steps stand beside each of its events; each counts once,
    /// with the event that it is there for.
    const fn leads_to(self, event: &OrderEvent) -> bool {
        match self {
            Self::Validate | Self::Enrich | Self::Calculate => {
                matches!(event, OrderEvent::Placed(_))
            }
            Self::Allocate => matches!(
                event,
                OrderEvent::Allocated { .. } | OrderEvent::BackOrdered { .. }
            ),
            Self::Pay => matches!(event, OrderEvent::Paid { .. }),
            Self::Release => matches!(event, OrderEvent::Released { .. }),
        }
    }
}

/// A stage of an order's life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Stage {
    /// From placed to released to picking.
    Intake,
    /// From released to packed.
    Picking,
    /// From packed to handed to the rider.
    Pickup,
    /// From handed to the rider to delivered.
    Ride,
    /// From placed to delivered.
    Whole,
}

impl Stage {
    /// Every stage, in the order of an order's life.
    pub const ALL: [Self; 5] = [
        Self::Intake,
        Self::Picking,
        Self::Pickup,
        Self::Ride,
        Self::Whole,
    ];

    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Picking => "picking",
            Self::Pickup => "pickup",
            Self::Ride => "ride",
            Self::Whole => "whole",
        }
    }

    fn ends(self, order: &Life) -> Option<(i64, i64)> {
        use OrderStatus as S;
        let at = |status| order.at(status);
        match self {
            Self::Intake => at(S::Open).zip(at(S::Released)),
            Self::Picking => at(S::Released).zip(at(S::Packed)),
            Self::Pickup => at(S::Packed).zip(order.handed_over_at()),
            Self::Ride => order.handed_over_at().zip(at(S::Delivered)),
            Self::Whole => at(S::Open).zip(at(S::Delivered)),
        }
    }
}

key! {
    /// A bucket of a step on a Bangkok day of a store.
    StepKey {
        store_id: String as "text", day: NaiveDate as "date", region: String as "text", step: String as "text",
        bucket: i16 as "smallint",
    }
}

key! {
    /// A bucket of a stage on a Bangkok day of a store; the partner is empty where none has to do with it.
    StageKey {
        store_id: String as "text", day: NaiveDate as "date", region: String as "text", stage: String as "text",
        partner_id: String as "text", bucket: i16 as "smallint",
    }
}

/// Steps by day.
pub(crate) struct StepDay;

impl Table for StepDay {
    const NAME: &'static str = "metrics_step";
    type Key = StepKey;
    type Measures = StepTime;

    fn event(order: &Life, event: &Happened<'_>) -> Vec<(StepKey, StepTime)> {
        let steps = event.steps.iter().filter_map(|(name, micros)| {
            let mut steps = Step::ALL.into_iter();
            let step = steps.find(|s| s.name() == name && s.leads_to(event.event))?;
            Some((step, (*micros).min(LONGEST_MICROS)))
        });
        steps
            .map(|(step, micros)| {
                let key = StepKey {
                    store_id: order.standing.cell.store_id.clone(),
                    day: day(event.decided_at),
                    region: order.standing.cell.region.clone(),
                    step: step.name().to_owned(),
                    bucket: bucket(micros),
                };
                let micros = micros.cast_signed();
                let time = StepTime {
                    count: 1,
                    total_micros: micros,
                    longest_micros: micros,
                };
                (key, time)
            })
            .collect()
    }
}

/// Stages by day.
pub(crate) struct StageDay;

impl Table for StageDay {
    const NAME: &'static str = "metrics_stage";
    type Key = StageKey;
    type Measures = StageTime;

    fn standing(order: &Life) -> Vec<(StageKey, StageTime)> {
        let stages = Stage::ALL.into_iter().filter_map(|stage| {
            let (from, to) = stage.ends(order)?;
            Some((stage, from, to))
        });
        stages
            .map(|(stage, from, to)| {
                // Two senders' clocks may differ: no stage takes less than nothing.
                let millis = u64::try_from(to.saturating_sub(from) / 1_000).unwrap_or_default();
                let millis = millis.min(LONGEST_MILLIS);
                let key = StageKey {
                    store_id: order.standing.cell.store_id.clone(),
                    day: day(from),
                    region: order.standing.cell.region.clone(),
                    stage: stage.name().to_owned(),
                    partner_id: if stage == Stage::Ride {
                        order.partner()
                    } else {
                        String::new()
                    },
                    bucket: bucket(millis),
                };
                let time = StageTime {
                    count: 1,
                    total_millis: millis.cast_signed(),
                };
                (key, time)
            })
            .collect()
    }
}
