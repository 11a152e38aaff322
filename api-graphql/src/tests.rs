//! Tests over a fake ledger: what the API makes of each answer, without a database.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request as HttpRequest, StatusCode},
};
use domain::actor::Role;

mod decode;
mod dry_run;
pub(crate) mod fake;
mod feed;
mod handler;
mod head;
mod life;
mod loads;
mod metrics;
mod ops;
mod orders;
mod past;
mod people;
mod persisted;
mod rate;
mod roles;
mod settle;
mod streams;
mod talk;
