//! Order numbers: a counter per Bangkok day, drawn from the database in blocks.
//!
//! Numbers are unique, not gapless: a stopped process leaves the rest of its block unused.

use std::{ops::Range, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{calendar::business_day, ids::OrderNumber};
use store::{Log, StoreError, numbers};
use tokio::sync::Mutex;

/// Numbers drawn at once: one database call per this many orders.
const BLOCK: i64 = 500;

/// Hands out order numbers.
#[derive(Clone)]
pub struct Numbers {
    log: Log,
    block: Arc<Mutex<(NaiveDate, Range<i64>)>>,
}

impl Numbers {
    /// A source over the log's counters.
    pub fn new(log: Log) -> Self {
        Self {
            log,
            block: Arc::new(Mutex::new((NaiveDate::MIN, 0..0))),
        }
    }

    /// Leaves the rest of the block unused: the next number comes from a new one.
    pub async fn skip(&self) {
        self.block.lock().await.1 = 0..0;
    }

    /// The next number of the Bangkok day that `now` falls in.
    pub async fn next(&self, now: DateTime<Utc>) -> Result<OrderNumber, StoreError> {
        let day = business_day(now);
        let mut block = self.block.lock().await;
        if block.0 != day || block.1.is_empty() {
            let first = numbers::draw_block(self.log.pool(), self.log.log_id(), day, BLOCK).await?;
            *block = (day, first..first + BLOCK);
        }
        text(day, block.1.next().unwrap_or_default())
    }
}

/// What stands for the number that an order would be given: that of no order, since a day begins with 1.
pub(crate) fn undrawn(now: DateTime<Utc>) -> Result<OrderNumber, StoreError> {
    text(business_day(now), 0)
}

fn text(day: NaiveDate, number: i64) -> Result<OrderNumber, StoreError> {
    let text = format!("QC-{}-{number:06}", day.format("%Y-%m-%d"));
    OrderNumber::new(text).map_err(|e| StoreError::Corrupt(e.to_string()))
}
