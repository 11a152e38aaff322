//! Which line may start when, so that the commands of one order keep the order of the input.
//!
//! Lines that name the same order wait for each other, each for the one before. And because nobody can tell
//! whether a number and an id mean the same order, a line that names its order by id waits until no line that goes
//! by number is in work, and the other way round: files that mix the two are slower, not wrong.

use std::collections::HashMap;

use commands::CommandError;
use domain::ids::OrderId;
use tokio::sync::oneshot;

use super::{
    line::{Line, LineError, MAX_LINE_BYTES, OrderKey},
    reader::NumberedLine,
    result::LineResult,
};

/// A line before it is carried out.
pub(super) struct Work {
    pub(super) number: u64,
    pub(super) end: u64,
    pub(super) line: Result<Line, LineError>,
}

/// How a line names its order, as far as the order of commands is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Chain {
    Number(String),
    Id(OrderId),
}

impl Work {
    pub(super) fn of(line: NumberedLine) -> Self {
        let too_long = || LineError {
            command_id: None,
            message: format!(
                "the line is longer than {MAX_LINE_BYTES} bytes; a command is much shorter"
            ),
        };
        let parsed = line
            .text
            .ok_or_else(too_long)
            .and_then(|text| Line::parse(&text));
        Self {
            number: line.number,
            end: line.end,
            line: parsed,
        }
    }

    fn chain(&self) -> Option<Chain> {
        let line = self.line.as_ref().ok()?;
        match &line.order {
            Some(OrderKey::OrderId(id)) => Some(Chain::Id(*id)),
            _ => line.number().map(|number| Chain::Number(number.to_owned())),
        }
    }
}

/// A line with its place behind the line before it that names the same order.
pub(super) struct Entered {
    pub(super) work: Work,
    pub(super) chain: Option<Chain>,
    pub(super) before: Option<oneshot::Receiver<Option<OrderId>>>,
    pub(super) after: oneshot::Sender<Option<OrderId>>,
}

/// A line that has been dealt with.
pub(super) struct Finished {
    pub(super) number: u64,
    pub(super) end: u64,
    pub(super) chain: Option<Chain>,
    /// `Err` when the database stays out of reach.
    pub(super) result: Result<LineResult, CommandError>,
}

/// Which orders are in work. Holds no more than the lines in work.
#[derive(Default)]
pub(super) struct Schedule {
    /// The last line in work of each order, and how to learn that it is finished.
    tails: HashMap<Chain, (u64, oneshot::Receiver<Option<OrderId>>)>,
    by_number: usize,
    by_id: usize,
}

impl Schedule {
    /// Whether the line may start: nothing in work names its order in the other way.
    pub(super) fn admits(&self, work: &Work) -> bool {
        match work.chain() {
            Some(Chain::Number(_)) => self.by_id == 0,
            Some(Chain::Id(_)) => self.by_number == 0,
            None => true,
        }
    }

    pub(super) fn enter(&mut self, work: Work) -> Entered {
        let (after, finished) = oneshot::channel();
        let chain = work.chain();
        let before = chain.clone().and_then(|chain| {
            *self.counter(&chain) += 1;
            self.tails.insert(chain, (work.number, finished))
        });
        let before = before.map(|(_, finished)| finished);
        Entered {
            work,
            chain,
            before,
            after,
        }
    }

    pub(super) fn leave(&mut self, finished: &Finished) {
        let Some(chain) = &finished.chain else { return };
        *self.counter(chain) -= 1;
        if self
            .tails
            .get(chain)
            .is_some_and(|(last, _)| *last == finished.number)
        {
            self.tails.remove(chain);
        }
    }

    const fn counter(&mut self, chain: &Chain) -> &mut usize {
        match chain {
            Chain::Id(_) => &mut self.by_id,
            Chain::Number(_) => &mut self.by_number,
        }
    }
}
