//! Dealing with one line: wait for its turn, find its order, send its command until there is an answer.

use std::time::Duration;

use commands::{CommandError, Receipt, Request, Target};
use domain::{
    actor::Actor,
    ids::{OrderId, OrderNumber},
};

use super::{
    Options, Orders,
    line::{Line, OrderKey},
    result::LineResult,
    schedule::{Entered, Finished},
};

/// Tries of one command before its line ends in an error.
const MAX_TRIES: u32 = 6;
/// The pause after the first try; it doubles with every further one: 0.1 to 1.6 s, 3.1 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Deals with one line; never fails but for a database out of reach.
pub(super) async fn carry_out<O: Orders>(
    orders: &O,
    actor: &Actor,
    options: Options,
    entered: Entered,
) -> Finished {
    let Entered {
        work,
        chain,
        before,
        after,
    } = entered;
    let mut order = match before {
        Some(before) => before.await.ok().flatten(),
        None => None,
    };
    let result = match work.line {
        Err(error) => Ok(LineResult::of_line_error(work.number, error)),
        Ok(line) => {
            let line = Sender {
                orders,
                actor,
                options,
                line,
            };
            let (result, resolved) = line.send(work.number, order).await;
            order = resolved.or(order);
            result
        }
    };
    // Nobody may be waiting.
    let _ = after.send(order);
    Finished {
        number: work.number,
        end: work.end,
        chain,
        result,
    }
}

/// Sends one command until there is an answer.
struct Sender<'a, O> {
    orders: &'a O,
    actor: &'a Actor,
    options: Options,
    line: Line,
}

impl<O: Orders> Sender<'_, O> {
    /// The line's result, and the order where it is known. `known` is the order that the line before it found.
    /// `Err` when the database stays out of reach.
    async fn send(
        &self,
        number: u64,
        known: Option<OrderId>,
    ) -> (Result<LineResult, CommandError>, Option<OrderId>) {
        let mut order = match &self.line.order {
            Some(OrderKey::OrderId(order)) => Some(*order),
            _ => known,
        };
        let mut answer = self.attempt(&mut order).await;
        let mut pause = FIRST_PAUSE;
        for _ in 1..MAX_TRIES {
            if !answer.as_ref().is_err_and(CommandError::is_retryable) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            answer = self.attempt(&mut order).await;
        }
        let id = self.line.command_id;
        match answer {
            Ok(Some(receipt)) => (
                Ok(LineResult::of_receipt(number, &receipt)),
                Some(receipt.id),
            ),
            Ok(None) => (Ok(LineResult::unknown_number(number, id)), None),
            Err(error @ CommandError::Unavailable(_)) => (Err(error), order),
            Err(error) => (
                Ok(LineResult::of_command_error(number, id, order, error)),
                order,
            ),
        }
    }

    /// One try; `None` when no order has the number.
    async fn attempt(&self, order: &mut Option<OrderId>) -> Result<Option<Receipt>, CommandError> {
        let target = match (&self.line.order, *order) {
            (None, _) => Target::New,
            (Some(_), Some(id)) => Target::Entity(id),
            (Some(_), None) => {
                let number = self
                    .line
                    .number()
                    .and_then(|number| OrderNumber::new(number).ok());
                let Some(number) = number else {
                    return Ok(None);
                };
                match self.orders.by_number(&number).await? {
                    Some(id) => Target::Entity(*order.insert(id)),
                    None => return Ok(None),
                }
            }
        };
        let request = Request {
            command_id: self.line.command_id,
            actor: self.actor.clone(),
            expected_version: self.line.expected_version,
            target,
            command: self.line.command.clone(),
            correlation_id: self.options.correlation_id,
            causation_id: None,
            traceparent: None,
        };
        self.orders.execute(request).await.map(Some)
    }
}
