//! The read models by themselves: exactly once, one of several runners, the laws of paging, plans.

mod cash;
mod documents;
mod lives;
mod metrics;
mod migration;
mod others;
mod pages;
mod plans;
mod plans_metrics;
mod plans_others;
mod rebuild;
mod rebuild_beside;
mod row_security;
mod runner;
mod support;
mod trade;
