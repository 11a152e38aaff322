//! What a check found.

use std::fmt;

use store::Position;

use crate::Model;

/// Differences kept with their names; the rest are only counted.
const MAX_NAMED: usize = 100;

/// One place where a table is not what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub key: String,
    /// What is wrong, without the content.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.key, self.what)
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The checkpoint at which each model was compared.
    pub positions: Vec<(Model, Position)>,
    /// Orders folded.
    pub orders: u64,
    /// Differences found.
    pub found: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl CheckReport {
    /// Whether every model equals the fold.
    pub const fn is_clean(&self) -> bool {
        self.found == 0
    }

    /// The checkpoint at which a model was compared.
    pub(super) fn at(&self, model: Model) -> Position {
        let found = self.positions.iter().find(|(m, _)| *m == model);
        found.map_or(Position::START, |(_, at)| *at)
    }

    pub(super) fn add(
        &mut self,
        table: &'static str,
        key: impl fmt::Display,
        what: impl Into<String>,
    ) {
        self.found += 1;
        if self.differences.len() < MAX_NAMED {
            self.differences.push(Difference {
                table,
                key: key.to_string(),
                what: what.into(),
            });
        }
    }
}
