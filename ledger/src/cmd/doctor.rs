//! `ledger doctor`.

use super::Context;
use crate::doctor;
use crate::exit::{Exit, Failure};

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let config = &context.loaded.config;
    let mut findings = doctor::machine::check(config).await;
    findings.extend(doctor::database::check(config).await);
    doctor::report(&findings, context.output)
}
