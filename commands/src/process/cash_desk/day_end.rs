//! Telling remittances what is expected, and closing those in which everything agrees.

use std::time::Instant;

use chrono::TimeDelta;
use domain::{
    calendar::business_day,
    ids::CommandId,
    remittance::{ExpectedItem, Remittance, RemittanceCommand, RemittanceId, RemittanceStatus},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use metrics::{counter, histogram};
use observability::names;

use super::{
    super::{
        fact::Cause,
        hands::{Answer, Trouble},
        reactor::Process as _,
    },
    CashDesk, day_end_of,
    rows::{self, Due, Item},
};
use crate::derived;

/// Remittances told at once.
const CONCURRENCY: usize = 8;
/// Remittances of one round.
const BATCH: i64 = 200;
/// Items of one command: at some 250 bytes each an eighth of the largest event.
const MAX_ITEMS_PER_COMMAND: i64 = 500;
/// When a remittance that took an item in for no reason we know is told again.
const REFUSED_AFTER: TimeDelta = TimeDelta::minutes(5);

impl CashDesk {
    /// Tells the remittances whose day is over what is expected; `true` when there are more.
    pub(super) async fn end_days(&self) -> Result<bool, Trouble> {
        let now = self.clock.now();
        let due = rows::due(self.hands.bus().log(), now, BATCH).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let started = Instant::now();
        let remittances = due.len();
        stream::iter(due)
            .map(|due| self.end_day(due))
            .buffer_unordered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
        histogram!(names::DAY_END_SECONDS).record(started.elapsed());
        tracing::info!(remittances, elapsed = ?started.elapsed(), "expected cash told");
        Ok(i64::try_from(remittances).is_ok_and(|n| n == BATCH))
    }

    async fn end_day(&self, due: Due) -> Result<(), Trouble> {
        let log = self.hands.bus().log();
        if self.stands(&due.id).await?.is_closed {
            let today = business_day(self.clock.now());
            rows::put_off(log, &due.id, self.clock.now(), today, day_end_of(today)).await?;
            return Ok(rows::report_done(log, &due.id).await?);
        }
        let mut told = 0;
        // Ends: each turn settles the items it reads, or puts them off.
        loop {
            let items = rows::items(log, &due.id, self.clock.now(), MAX_ITEMS_PER_COMMAND).await?;
            if items.is_empty() && (told > 0 || !due.is_reported) {
                break;
            }
            if !self.tell(&due, &items).await? {
                return Ok(());
            }
            told += items.len();
            if items.is_empty() {
                break;
            }
        }
        rows::report_done(log, &due.id).await?;
        counter!(names::DAY_END_ITEMS_TOTAL).increment(u64::try_from(told).unwrap_or(u64::MAX));
        self.close(&due.id).await
    }

    /// Tells one remittance of items; `false` where it was closed meanwhile. An item that it does not take is told alone
    /// and put off, so that it does not keep the others.
    async fn tell(&self, due: &Due, items: &[Item]) -> Result<bool, Trouble> {
        let log = self.hands.bus().log();
        if self.expect(due, items).await? {
            rows::told(log, items).await?;
            return Ok(true);
        }
        if self.stands(&due.id).await?.is_closed {
            return Ok(false);
        }
        for item in items {
            let item = std::slice::from_ref(item);
            if items.len() > 1 && self.expect(due, item).await? {
                rows::told(log, item).await?;
            } else {
                rows::refused(log, item, self.clock.now() + REFUSED_AFTER).await?;
                tracing::error!(remittance = %due.id, order = %item[0].order_id, "the remittance does not take this item: it waits for an operator");
            }
        }
        Ok(true)
    }

    async fn expect(&self, due: &Due, items: &[Item]) -> Result<bool, Trouble> {
        let command = RemittanceCommand::Expect {
            region: due.region.clone(),
            items: items.iter().map(expected).collect(),
        };
        // A repeat changes nothing, but the same amounts may be told again after others were.
        let version = self.stands(&due.id).await?.version;
        let (command_id, cause) = (id_of(&due.id, version, &command), about(&due.id));
        let answer = self
            .hands
            .give::<Remittance>(due.id.clone(), command, command_id, cause)
            .await?;
        Ok(matches!(answer, Answer::Done(_)))
    }

    /// Closes a remittance in which everything agrees and of which nothing is still to be told.
    pub(super) async fn close(&self, id: &RemittanceId) -> Result<(), Trouble> {
        let Some(remittance) = self.hands.load::<Remittance>(id).await? else {
            return Ok(());
        };
        let log = self.hands.bus().log();
        if remittance.state.status != RemittanceStatus::Matched
            || rows::is_any_untold(log, id).await?
        {
            return Ok(());
        }
        let command = RemittanceCommand::Close;
        let (command_id, cause) = (id_of(id, remittance.version, &command), about(id));
        self.hands
            .give::<Remittance>(id.clone(), command, command_id, cause)
            .await?;
        Ok(())
    }

    async fn stands(&self, id: &RemittanceId) -> Result<Stands, Trouble> {
        let remittance = self.hands.load::<Remittance>(id).await?;
        Ok(remittance.map_or(Stands::default(), |r| Stands {
            version: r.version,
            is_closed: r.state.status == RemittanceStatus::Closed,
        }))
    }
}

/// Where a remittance stands; one that does not exist at version 0.
#[derive(Default)]
struct Stands {
    version: i64,
    is_closed: bool,
}

/// The same for the same command on the same version of a remittance.
fn id_of(id: &RemittanceId, version: i64, command: &RemittanceCommand) -> CommandId {
    // A command of ours always serialises; without its content the id would still be of the remittance's version.
    let content = serde_json::to_string(command).unwrap_or_default();
    let words = [id.to_string(), version.to_string(), content];
    derived::command_id(CashDesk::NAME, &words.each_ref().map(String::as_str))
}

fn expected(item: &Item) -> ExpectedItem {
    ExpectedItem {
        order_id: item.order_id,
        reference: item.number.clone(),
        amount: item.amount,
        rider_id: item.rider_id.clone(),
        collected_at: item.collected_at,
    }
}

/// What a remittance's commands have in common: no event causes them but the end of the day.
fn about(id: &RemittanceId) -> Cause {
    let id = derived::id("remittance", &[&id.to_string()]);
    Cause {
        event_id: id,
        correlation_id: id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_change() {
        let id: RemittanceId = "GRAB:CFR029:2026-11-24".parse().unwrap();
        let close = RemittanceCommand::Close;
        assert_eq!(
            id_of(&id, 4, &close).to_string(),
            "88a78848-10b9-5bb9-acdb-ae44540de511"
        );
        assert_ne!(id_of(&id, 4, &close), id_of(&id, 5, &close));
    }
}
