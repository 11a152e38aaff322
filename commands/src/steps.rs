//! How long the steps of an order's workflow took.

use std::time::{Duration, Instant};

use domain::probe::{Probe, Step};
use observability::names;
use serde::Serialize;

/// Microseconds by step; what was not done is absent. Part of the metadata of the events that a step led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StepMicros {
    /// Checking what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<u64>,
    /// Looking products up and adding what is known of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrich: Option<u64>,
    /// Bundles, prices, sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calculate: Option<u64>,
    /// Reserving the lines, from the command's facts to its decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocate: Option<u64>,
    /// Recording the payment, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay: Option<u64>,
    /// Releasing, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<u64>,
}

impl StepMicros {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Into the histogram: called once the events are in the log.
    pub(crate) fn observe(&self) {
        let steps = [
            ("validate", self.validate),
            ("enrich", self.enrich),
            ("calculate", self.calculate),
            ("allocate", self.allocate),
            ("pay", self.pay),
            ("release", self.release),
        ];
        for (step, micros) in steps {
            if let Some(micros) = micros {
                let seconds = Duration::from_micros(micros).as_secs_f64();
                metrics::histogram!(names::STEP_SECONDS, "step" => step).record(seconds);
            }
        }
    }
}

/// Times the steps of a decision.
pub(crate) struct StepWatch {
    last: Instant,
    steps: StepMicros,
}

impl StepWatch {
    pub(crate) fn start() -> Self {
        Self {
            last: Instant::now(),
            steps: StepMicros::default(),
        }
    }

    pub(crate) const fn steps(&self) -> StepMicros {
        self.steps
    }
}

impl Probe for StepWatch {
    fn step(&mut self, done: Step) {
        let now = Instant::now();
        let took = Some(micros(now - self.last));
        self.last = now;
        match done {
            Step::Validate => self.steps.validate = took,
            Step::Enrich => self.steps.enrich = took,
            Step::Calculate => self.steps.calculate = took,
        }
    }
}

/// What a command took before its append.
pub struct Spent {
    /// Asking the product catalogue.
    pub lookup: Duration,
    /// Gathering all facts and deciding.
    pub whole: Duration,
    /// The steps that the decision itself told of.
    pub told: StepMicros,
}

/// A duration as the metadata holds it.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steps_that_were_done_are_written() {
        let steps = StepMicros {
            validate: Some(1),
            enrich: Some(0),
            ..StepMicros::default()
        };
        let json = serde_json::to_string(&steps).unwrap();
        assert_eq!(json, r#"{"validate":1,"enrich":0}"#);
        assert!(!steps.is_empty());
        assert!(StepMicros::default().is_empty());
        assert_eq!(micros(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_watch_times_each_step_from_the_one_before() {
        let mut watch = StepWatch::start();
        watch.last -= Duration::from_millis(5);
        for step in Step::ALL {
            watch.step(*step);
        }
        let steps = watch.steps();
        assert!(steps.validate.unwrap() >= 5_000);
        assert!(steps.enrich.unwrap() < 5_000 && steps.calculate.unwrap() < 5_000);
    }
}
