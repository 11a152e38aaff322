//! Random lives of orders and remittances, driven through the decisions of the domain and compared
//! with a second, naive implementation of every sum and every balance.
//!
//! A failure names its seed: `MODEL_SEED=17 cargo test -p domain --test model again -- --ignored` lives that
//! day again. `make soak-domain` lives a million orders.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program that tests"
)]

mod basket;
mod checks;
mod commands;
mod day;
mod garbage;
mod life;
mod naive;
mod placing;
mod remittance;
mod rng;
mod run;
mod storage;
mod tally;
#[path = "../../src/contract/validator.rs"]
mod validator;
mod world;

use std::{
    fmt::Display,
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use day::Depth;
use run::Failure;
use tally::Tally;

/// Orders of a quick test run. `MODEL_ORDERS` says otherwise: `make test` lives 100,000.
const ORDERS: u64 = 2_000;
/// So many orders reach everything that an order can come to.
const REACHING: u64 = 5_000;
/// Orders of a soak, unless `MODEL_ORDERS` says otherwise.
const SOAK_ORDERS: u64 = 1_000_000;
/// How often a soak says how far it is.
const PROGRESS: u64 = 10_000;

/// A setting of the environment, for the runs that people start.
fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var_os(name).map(|text| text.into_string().unwrap());
    text.map_or(default, |text| text.parse().expect("a number"))
}

fn stop(seed: u64, error: impl Display) -> ! {
    panic!(
        "{error}\n\nseed {seed}: MODEL_SEED={seed} cargo test -p domain --test model again -- --ignored"
    );
}

#[test]
fn random_lives_come_to_what_the_formulas_say() {
    let orders = setting("MODEL_ORDERS", ORDERS);
    match run::run(0, orders, Depth::Some, &|_| {}) {
        // Fewer cannot reach everything.
        Ok(tally) if orders >= REACHING => reaches_everything(&tally),
        Ok(_) => {}
        Err(Failure { seed, error }) => stop(seed, error),
    }
}

/// A generator that never gets somewhere proves nothing about it.
fn reaches_everything(tally: &Tally) {
    use domain::{entity::Event, order::OrderEvent, remittance::RemittanceEvent};
    let events = OrderEvent::TYPES.iter().chain(RemittanceEvent::TYPES);
    let kinds = [
        "bundle expanded",
        "bundle listed",
        "bundle matched",
        "order with packs",
        "order with weighed goods",
        "order with taxes on top",
        "order with order discounts",
        "refused orders",
        "MAX_DISCOUNT_PERCENT",
        "MIN_ORDER_VALUE",
        "ERR_INVALID_PAYMENT_METHOD",
        "ERR_TOTAL_MISMATCH",
        "ERR_BUNDLE_MODIFICATION_NOT_ALLOWED",
        "ERR_BUNDLE_RETURN_NOT_ALLOWED",
        "PRICE_INCREASE_LIMIT_EXCEEDED",
        "CANCELLATION_NOT_ALLOWED",
    ];
    for what in events.chain(&kinds) {
        assert!(tally.of(what) > 0, "{what}: {}", tally.of(what));
    }
}

/// `make soak-domain`: the same at length, and every life is stored and read again.
#[test]
#[ignore = "takes minutes"]
fn soak() {
    let (first, orders) = (
        setting("MODEL_SEED", 0),
        setting("MODEL_ORDERS", SOAK_ORDERS),
    );
    let told = AtomicU64::new(0);
    let progress = |done: u64| {
        let step = done / PROGRESS;
        if told.fetch_max(step, Ordering::Relaxed) < step {
            let mut out = std::io::stderr().lock();
            // Nobody may be watching.
            let _ = write!(out, "\r{done} of {orders} orders, seeds from {first}");
            let _ = out.flush();
        }
    };
    match run::run(first, orders, Depth::Full, &progress) {
        Ok(tally) => println!("\n{tally}"),
        Err(Failure { seed, error }) => stop(seed, error),
    }
}

#[test]
#[ignore = "wants MODEL_SEED"]
fn again() {
    let seed = setting("MODEL_SEED", 0);
    if let Err(error) = run::again(seed) {
        stop(seed, error);
    }
}
