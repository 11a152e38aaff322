//! The past, as the API reads it: straight from the log.

use async_trait::async_trait;
use domain::{entity::Entity, ids::OrderId, order::Order};
use projections::{
    as_of::{self, AsOf, AsOfError, Found},
    check::{self, CheckError, CheckReport},
};
use store::{
    StoreError, StreamId,
    verify::{StreamReport, verify_stream},
};

use super::Live;

/// Shows orders as they were.
#[async_trait]
pub trait LooksBack: Send + Sync {
    /// An order as of a moment, whatever its store; as the log has it now without one.
    async fn order_as_of(&self, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError>;
    /// Whether an order's events are what was appended, and the read models what they say, whatever its store.
    async fn verify_order(&self, id: OrderId) -> Result<Verified, VerifyError>;
}

/// Why a check of one order could not be made.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The read models could not be compared.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// What a check of one order found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// In its events.
    pub log: StreamReport,
    /// In its rows, each model as of its own position; an event that no model can apply.
    pub views: Result<CheckReport, projections::Poison>,
}

#[async_trait]
impl LooksBack for Live {
    async fn order_as_of(&self, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError> {
        as_of::order(&self.log, id, as_of).await
    }

    async fn verify_order(&self, id: OrderId) -> Result<Verified, VerifyError> {
        let (pool, log_id) = (self.log.pool(), self.log.log_id());
        let stream = StreamId::new(Order::TYPE, id.to_string());
        let log = verify_stream(pool, log_id, &stream).await?;
        let views = match check::check_order(pool, log_id, id).await {
            Ok(report) => Ok(report),
            Err(CheckError::Poison(poison)) => Err(poison),
            Err(other) => return Err(other.into()),
        };
        Ok(Verified { log, views })
    }
}
