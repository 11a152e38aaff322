//! The read models by themselves: exactly once, one of several runners, the laws of paging, plans.

mod pages;
mod plans;
mod runner;
mod support;
