//! Lines and quantities that a command names.

use std::collections::HashSet;

use crate::{
    money::{Quantity, SCALE},
    order::{after::LineState, command::LineQuantityInput, event::LineQuantity, state::Order},
    refusal::Code,
    validate::Problems,
};

/// Most lines that a command may name: an order has no more after its bundles are expanded.
const MAX_NAMED: usize = 200;

/// A line of the order, and how much of it the command speaks of.
pub(super) struct Named<'a> {
    index: usize,
    pub(super) state: &'a LineState,
    pub(super) quantity: Quantity,
}

impl Named<'_> {
    /// Where the command says it.
    pub(super) fn path(&self, field: &str) -> String {
        format!("lines[{}].{field}", self.index)
    }

    /// As events say it.
    pub(super) fn wanted(&self) -> LineQuantity {
        LineQuantity {
            line_number: self.state.line.line_number,
            quantity: self.quantity,
        }
    }

    /// A quantity that cannot be.
    pub(super) fn reject(&self, problems: &mut Problems, code: Code, problem: &str) {
        let path = self.path("quantity");
        let message = format!("{path} {problem}");
        problems.add(code, path, message);
    }
}

/// The lines that the command names, each once, with quantities that the line can have: not below
/// zero, and whole unless it is weighed.
pub(super) fn check<'a>(
    problems: &mut Problems,
    order: &'a Order,
    inputs: &[LineQuantityInput],
) -> Vec<Named<'a>> {
    if inputs.is_empty() || inputs.len() > MAX_NAMED {
        let message = format!("name 1 to {MAX_NAMED} lines, not {}", inputs.len());
        problems.add(Code::ErrInvalidLineItem, "lines", message);
    }
    let mut numbers = HashSet::new();
    let mut lines = Vec::new();
    for (index, input) in inputs.iter().take(MAX_NAMED).enumerate() {
        let number = input.line_number;
        let state = u16::try_from(number).ok().and_then(|n| order.line(n));
        let problem = match state {
            None => format!("names line {number}, which the order does not have"),
            Some(_) if !numbers.insert(number) => format!("names line {number} a second time"),
            Some(state) => {
                let quantity = input.quantity;
                let line = Named {
                    index,
                    state,
                    quantity,
                };
                match quantity_problem(quantity, state.line.is_weight_item) {
                    Some(problem) => line.reject(problems, Code::ErrInvalidLineItem, problem),
                    None => lines.push(line),
                }
                continue;
            }
        };
        let path = format!("lines[{index}].lineNumber");
        let message = format!("{path} {problem}");
        problems.add(Code::ErrInvalidLineItem, path, message);
    }
    lines
}

/// What is wrong with a quantity of a line.
pub(super) fn quantity_problem(quantity: Quantity, is_weight_item: bool) -> Option<&'static str> {
    if quantity.is_negative() {
        Some("must not be negative")
    } else if !is_weight_item && quantity.units() % SCALE != 0 {
        Some("must be whole: only weighed goods come in fractions")
    } else {
        None
    }
}
