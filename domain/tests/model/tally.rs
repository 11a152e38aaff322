//! How often what happened: a generator that never reaches a rule proves nothing about it.

use std::collections::BTreeMap;

use domain::{
    entity::{Command, Event},
    order::{OrderCommand, event::Placed},
    refusal::Refusal,
};

use crate::life::Life;

#[derive(Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn count(&mut self, what: &str) {
        match self.0.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(what.to_owned(), 1);
            }
        }
    }

    pub fn placed(&mut self, placed: &Placed) {
        for bundle in &placed.bundles {
            self.count(match bundle.source {
                domain::order::event::BundleSource::Expanded => "bundle expanded",
                domain::order::event::BundleSource::Listed => "bundle listed",
                domain::order::event::BundleSource::Matched => "bundle matched",
            });
        }
        if placed.lines.iter().any(|l| l.pack.is_some()) {
            self.count("order with packs");
        }
        if placed.lines.iter().any(|l| l.is_weight_item) {
            self.count("order with weighed goods");
        }
        if placed.totals.total_taxes.is_positive() {
            self.count("order with taxes on top");
        }
        if !placed.order_discounts.is_empty() {
            self.count("order with order discounts");
        }
    }

    pub fn lived(&mut self, life: &Life<'_>) {
        for event in &life.events {
            self.count(event.event_type());
        }
        let status = life.order.status.code();
        self.count(&format!("ended at {status}"));
    }

    pub fn refused(&mut self, command: &OrderCommand, refusal: &Refusal) {
        self.count(&format!("refused {}", command.name()));
        for problem in &refusal.problems {
            self.count(problem.code.as_str());
        }
    }

    pub fn refused_remittance(&mut self, _refusal: &Refusal) {
        self.count("refused remittance command");
    }

    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn add(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, count) in &self.0 {
            writeln!(f, "{count:>10} {what}")?;
        }
        Ok(())
    }
}
