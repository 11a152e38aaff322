//! The import's view of a ledger in the same process.

use commands::{CommandBus, CommandError, Receipt, Request, record};
use domain::ids::{OrderId, OrderNumber};
use store::{Log, claims};

use super::Orders;

/// A command bus, and the log that knows which order has which number.
#[derive(Clone)]
pub struct InProcess {
    bus: CommandBus,
    log: Log,
}

impl InProcess {
    /// Imports through this bus, which appends to this log.
    pub const fn new(bus: CommandBus, log: Log) -> Self {
        Self { bus, log }
    }
}

impl Orders for InProcess {
    async fn execute(&self, request: Request) -> Result<Receipt, CommandError> {
        self.bus
            .execute(request)
            .await
            .map(|outcome| outcome.receipt)
    }

    /// Asks the log's claims, not a view: what an import has placed, it must find at once.
    async fn by_number(&self, number: &OrderNumber) -> Result<Option<OrderId>, CommandError> {
        let holder = claims::holder(
            self.log.pool(),
            self.log.log_id(),
            record::NUMBER,
            number.as_str(),
        )
        .await
        .map_err(|e| CommandError::Unavailable(e.to_string()))?;
        holder
            .map(|id| {
                id.parse()
                    .map_err(|_| CommandError::Internal(format!("bad order id {id}")))
            })
            .transpose()
    }
}
