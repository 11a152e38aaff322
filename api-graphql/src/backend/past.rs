//! The past, as the API reads it: straight from the log.

use async_trait::async_trait;
use domain::ids::OrderId;
use projections::as_of::{self, AsOf, AsOfError, Found};

use super::Live;

/// Shows orders as they were.
#[async_trait]
pub trait LooksBack: Send + Sync {
    /// An order as of a moment, whatever its store; as the log has it now without one.
    async fn order_as_of(&self, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError>;
}

#[async_trait]
impl LooksBack for Live {
    async fn order_as_of(&self, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError> {
        as_of::order(&self.log, id, as_of).await
    }
}
