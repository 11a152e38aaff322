//! The log replayed into states and balances, without any read model: what an auditor compares the tables with.
//!
//! What comes out depends on the log up to the position alone: streams in the order of their ids, kinds in a fixed
//! order, then the cash. Streams are taken a few hundred at a time, so memory grows only with the number of stores and
//! with the ids of what is no order.

use std::collections::BTreeMap;

use domain::{
    bundle::Bundle,
    cash::{Account, OrderCash, RemittanceCash},
    entity::Entity,
    ids::RegionId,
    intake::Intake,
    money::Money,
    order::Order,
    remittance::Remittance,
    store::Store,
};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use store::{LogId, Position, Recorded, connect::BEGIN_SNAPSHOT};

use crate::{
    cash_ledger::{PostingRow, first_region, lines},
    check::{CheckError, Streams},
    decode::{Logged, Of, Record, decode_all},
};

/// Orders folded at a time.
const ORDERS: i64 = 200;
/// Aggregates of other kinds folded at a time.
const OTHERS: usize = 50;

/// One state or one balance.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Line {
    /// A state: `of` names the kind of aggregate.
    #[serde(rename_all = "camelCase")]
    State {
        /// The kind of aggregate.
        of: &'static str,
        /// Which one.
        id: String,
        /// Events so far.
        version: i64,
        /// Position of its last event.
        position: i64,
        /// What the events made of it. Personal data is sealed in it.
        state: serde_json::Value,
    },
    /// What an account of a store holds.
    #[serde(rename_all = "camelCase")]
    CashBalance {
        /// The store.
        store_id: String,
        /// The region under which it was booked.
        region: String,
        /// The account.
        account: &'static str,
        /// The partner, on accounts that are kept by partner.
        #[serde(skip_serializing_if = "Option::is_none")]
        partner_id: Option<String>,
        /// THB: debit above zero, credit below.
        balance: Money,
    },
    /// What an account holds in all.
    CashTotal {
        /// The account.
        account: &'static str,
        /// THB.
        balance: Money,
    },
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read or folded.
    #[error(transparent)]
    Log(#[from] CheckError),
    /// A sum left DECIMAL(18,4).
    #[error("the balance of account {0} is beyond 14 digits of THB")]
    Overflow(&'static str),
    /// Whoever takes the lines cannot.
    #[error("the replay cannot be written: {0}")]
    Write(#[from] std::io::Error),
}

impl From<sqlx::Error> for ReplayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

/// Store, region, account, partner.
type Cell = (String, String, Account, Option<String>);

/// Takes the lines.
pub trait Sink: Send {
    /// The next line.
    ///
    /// # Errors
    /// It cannot be written; the replay ends.
    fn line(&mut self, line: &Line) -> std::io::Result<()>;
    /// So many streams of so many are done.
    fn progress(&mut self, done: u64, of: u64);
}

/// Replays the log up to a position.
///
/// # Errors
/// See [`ReplayError`]; the lines so far were handed over.
pub async fn replay(
    pool: &PgPool,
    log: LogId,
    until: Position,
    sink: &mut dyn Sink,
) -> Result<(), ReplayError> {
    let mut conn = pool.begin_with(BEGIN_SNAPSHOT).await?;
    let streams: i64 = sqlx::query_scalar("select count(*) from stream_head where log_id = $1")
        .bind(log.0)
        .fetch_one(&mut *conn)
        .await?;
    let mut replay = Replay {
        log,
        until,
        sink,
        streams: streams.unsigned_abs(),
        done: 0,
        balances: BTreeMap::new(),
    };
    replay.orders(&mut conn).await?;
    replay.remittances(&mut conn).await?;
    replay.others::<Bundle>(&mut conn).await?;
    replay.others::<Store>(&mut conn).await?;
    replay.others::<Intake>(&mut conn).await?;
    replay.cash()
}

struct Replay<'a> {
    log: LogId,
    until: Position,
    sink: &'a mut dyn Sink,
    streams: u64,
    done: u64,
    /// In 1/10,000 THB, wide enough for any sum of postings.
    balances: BTreeMap<Cell, i128>,
}

impl Replay<'_> {
    /// Ids of orders are UUIDs, which every database sorts alike.
    async fn orders(&mut self, conn: &mut PgConnection) -> Result<(), ReplayError> {
        let mut streams = Streams::new(self.log, Order::KIND, ORDERS, self.until);
        while let Some(events) = streams.next(conn).await? {
            let records = decode_all(&events, &[Order::KIND]).map_err(CheckError::from)?;
            for stream in by_stream(&records) {
                let order = self.state::<Order>(&stream)?;
                let mut cash = OrderCash::default();
                for record in &stream {
                    let posting = cash.post(*record.id, record.event);
                    let rows = lines(
                        record.recorded,
                        None,
                        &order.store_id,
                        &order.region,
                        &posting,
                    );
                    self.book(rows);
                }
            }
            self.tell(u64::try_from(ORDERS).unwrap_or_default());
        }
        Ok(())
    }

    async fn remittances(&mut self, conn: &mut PgConnection) -> Result<(), ReplayError> {
        for events in self.chunks(conn, Remittance::TYPE).await? {
            let events = self.events(conn, Remittance::TYPE, &events).await?;
            let records = decode_all(&events, &[Remittance::KIND]).map_err(CheckError::from)?;
            for stream in by_stream::<Remittance>(&records) {
                self.state::<Remittance>(&stream)?;
                self.book_remittance(&stream)?;
            }
            self.tell(OTHERS as u64);
        }
        Ok(())
    }

    fn book_remittance(&mut self, stream: &[Of<'_, Remittance>]) -> Result<(), ReplayError> {
        let mut region: Option<RegionId> = None;
        for record in stream {
            if region.is_none() {
                region = first_region(record.event).cloned();
            }
            let posting = RemittanceCash::post(record.id, record.event);
            let Some(region) = &region else {
                let poison = record.poison("its remittance does not begin with a region");
                return Err(CheckError::from(poison).into());
            };
            let rows = lines(
                record.recorded,
                Some(record.id),
                record.id.store(),
                region,
                &posting,
            );
            self.book(rows);
        }
        Ok(())
    }

    async fn others<E: Logged>(&mut self, conn: &mut PgConnection) -> Result<(), ReplayError> {
        for ids in self.chunks(conn, E::TYPE).await? {
            let events = self.events(conn, E::TYPE, &ids).await?;
            let records = decode_all(&events, &[E::KIND]).map_err(CheckError::from)?;
            for stream in by_stream::<E>(&records) {
                self.state::<E>(&stream)?;
            }
            self.tell(OTHERS as u64);
        }
        Ok(())
    }

    /// The ids of a kind in the order of their bytes: how a database sorts text depends on its locale.
    async fn chunks(
        &self,
        conn: &mut PgConnection,
        kind: &str,
    ) -> Result<Vec<Vec<String>>, ReplayError> {
        let mut ids: Vec<String> = sqlx::query_scalar(
            "select aggregate_id from stream_head \
             where log_id = $1 and aggregate_type = $2 and first_position <= $3",
        )
        .bind(self.log.0)
        .bind(kind)
        .bind(self.until.0)
        .fetch_all(conn)
        .await?;
        ids.sort_unstable();
        Ok(ids.chunks(OTHERS).map(<[String]>::to_vec).collect())
    }

    async fn events(
        &self,
        conn: &mut PgConnection,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<Recorded>, ReplayError> {
        let mut events: Vec<Recorded> = sqlx::query_as(include_str!("sql/check_events.sql"))
            .bind(self.log.0)
            .bind(kind)
            .bind(ids)
            .bind(self.until.0)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        events.sort_by(|a, b| (&a.aggregate_id, a.sequence).cmp(&(&b.aggregate_id, b.sequence)));
        Ok(events)
    }

    /// Folds a stream and hands its state over.
    fn state<E: Entity>(&mut self, stream: &[Of<'_, E>]) -> Result<E, ReplayError> {
        let mut state = E::default();
        for record in stream {
            state.apply(record.event);
        }
        if let Some(last) = stream.last() {
            self.sink.line(&Line::State {
                of: E::TYPE,
                id: last.id.to_string(),
                version: last.recorded.sequence,
                position: last.recorded.position.0,
                state: serde_json::to_value(&state).map_err(CheckError::from)?,
            })?;
        }
        Ok(state)
    }

    fn book(&mut self, rows: impl Iterator<Item = PostingRow>) {
        for row in rows {
            let cell = (
                row.store_id.to_string(),
                row.region.to_string(),
                row.account,
                row.partner_id.map(|partner| partner.to_string()),
            );
            *self.balances.entry(cell).or_default() += i128::from(row.amount.units());
        }
    }

    fn cash(mut self) -> Result<(), ReplayError> {
        let mut totals: BTreeMap<Account, i128> = BTreeMap::new();
        let balances = std::mem::take(&mut self.balances);
        for ((store_id, region, account, partner_id), units) in balances {
            *totals.entry(account).or_default() += units;
            if units == 0 {
                continue;
            }
            self.sink.line(&Line::CashBalance {
                store_id,
                region,
                account: account.as_str(),
                partner_id,
                balance: money(account, units)?,
            })?;
        }
        for account in Account::ALL {
            let units = totals.get(account).copied().unwrap_or_default();
            self.sink.line(&Line::CashTotal {
                account: account.as_str(),
                balance: money(*account, units)?,
            })?;
        }
        Ok(())
    }

    fn tell(&mut self, streams: u64) {
        self.done = self.done.saturating_add(streams).min(self.streams);
        self.sink.progress(self.done, self.streams);
    }
}

fn money(account: Account, units: i128) -> Result<Money, ReplayError> {
    let units = i64::try_from(units).map_err(|_| ReplayError::Overflow(account.as_str()))?;
    Ok(Money::from_units(units))
}

/// The records of each stream, in the order of the streams.
fn by_stream<'a, E: Logged>(records: &'a [Record<'a>]) -> Vec<Vec<Of<'a, E>>> {
    let mut streams: Vec<Vec<Of<'a, E>>> = Vec::new();
    for record in records.iter().filter_map(Record::of::<E>) {
        match streams.last_mut() {
            Some(stream) if stream.last().is_some_and(|last| last.id == record.id) => {
                stream.push(record);
            }
            _ => streams.push(vec![record]),
        }
    }
    streams
}
