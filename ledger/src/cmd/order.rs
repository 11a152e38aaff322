//! `ledger order show`: an order and its history, folded from the log.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::record;
use domain::calendar::bangkok_time;
use domain::ids::{OrderId, OrderNumber};
use domain::order::Order;
use projections::as_of::{self, AsOf, AsOfError, Found, Past, Step};
use serde::Serialize;
use store::{Log, claims};

use super::Context;
use crate::cli;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::output::{Output, Style};
use store::hash::hex;

/// One line of the history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    version: i64,
    position: i64,
    event_id: uuid::Uuid,
    #[serde(rename = "type")]
    kind: String,
    status_code: u16,
    recorded_at: DateTime<Utc>,
    actor: String,
    role: String,
    command_id: uuid::Uuid,
    hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: OrderId,
    version: i64,
    order: Order,
    history: Vec<Entry>,
}

pub(super) async fn run(action: cli::Order, context: Context) -> Result<Exit, Failure> {
    let cli::Order::Show { id, as_of } = action;
    let config = &context.loaded.config;
    let database = Database::open(config).await?;
    let shown = show(&id, as_of, &database, &context).await;
    let closed = database.close().await;
    let shown = shown?;
    closed?;
    if context.output.is_json() {
        context.output.json(&shown)?;
    } else {
        print(&shown, context.output)?;
    }
    Ok(Exit::Done)
}

async fn show(
    id: &str,
    as_of: Option<AsOf>,
    database: &Database,
    context: &Context,
) -> Result<Shown, Failure> {
    let log = database.log(&context.loaded.config).await?;
    let past = past(id, as_of, &log).await;
    log.close().await;
    let (id, past) = past?;
    Ok(Shown {
        id,
        version: past.row.version,
        order: Arc::unwrap_or_clone(past.row.order),
        history: past.steps.iter().map(entry).collect(),
    })
}

/// The order as it was, found by its id or number.
async fn past(id: &str, as_of: Option<AsOf>, log: &Log) -> Result<(OrderId, Past), Failure> {
    let id = find(id, log).await?;
    let found = as_of::order(log, id, as_of).await;
    let missing = match found.map_err(unshown)? {
        Found::Order(past) => return Ok((id, *past)),
        Found::Unknown => return Err(unknown(&id.to_string())),
        Found::NotYet => format!("order {id} was not placed yet"),
        Found::Beyond { asked, newest } => format!("order {id} has {newest} events, not {asked}"),
    };
    Err(Failure::new(Exit::NotFound, missing))
}

fn unshown(error: AsOfError) -> Failure {
    match error {
        AsOfError::Ahead { .. } | AsOfError::TooLong { .. } => {
            Failure::new(Exit::Refused, error.to_string())
        }
        AsOfError::Poison(poison) => Failure::new(Exit::Damaged, poison.to_string()),
        AsOfError::Store(error) => failure(error),
    }
}

/// The order with this id or number.
pub(super) async fn find(text: &str, log: &Log) -> Result<OrderId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let number = OrderNumber::new(text).map_err(|_| {
        Failure::new(
            Exit::Usage,
            format!("{text} is neither an order id nor an order number"),
        )
        .hint("an id is a UUID, a number looks like QC-2026-01-31-000042")
    })?;
    let holder = claims::holder(log.pool(), log.log_id(), record::NUMBER, number.as_str());
    let holder = holder
        .await
        .map_err(failure)?
        .ok_or_else(|| unknown(text))?;
    holder
        .parse()
        .map_err(|_| Failure::new(Exit::Damaged, format!("{holder} is not an order id")))
}

fn unknown(text: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("no order {text}"))
}

fn entry(step: &Step) -> Entry {
    let recorded = &step.recorded;
    let metadata: serde_json::Value = serde_json::from_str(&recorded.metadata).unwrap_or_default();
    let text = |key: &str| {
        metadata
            .get(key)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    Entry {
        version: recorded.sequence,
        position: recorded.position.0,
        event_id: recorded.event_id,
        kind: recorded.event_type.clone(),
        status_code: step.status.code(),
        recorded_at: recorded.recorded_at,
        actor: text(record::ACTOR_ID),
        role: text(record::ACTOR_ROLE),
        command_id: recorded.command_id,
        hash: hex(&recorded.hash),
    }
}

fn print(shown: &Shown, output: Output) -> Result<(), Failure> {
    let order = &shown.order;
    let bold = |text: &str| output.styled(Style::Bold, text);
    output.line(format!("{}  {}", bold(order.number.as_str()), shown.id))?;
    output.line(format!("  store     {} ({})", order.store_id, order.region))?;
    output.line(format!(
        "  status    {} {:?}",
        order.status.code(),
        order.status
    ))?;
    output.line(format!(
        "  total     {} THB, cash due {}",
        order.totals.order_total,
        order.cod_due()
    ))?;
    output.line(format!("\n{}", bold("Lines")))?;
    for line in &order.lines {
        let line = &line.line;
        let name = line
            .name_en
            .as_deref()
            .or(line.name_th.as_deref())
            .unwrap_or_default();
        output.line(format!(
            "  {:>3}  {:<14} {:>10} x {:>12}  {name}",
            line.line_number, line.sku, line.quantity, line.unit_price
        ))?;
    }
    output.line(format!("\n{} (Bangkok time)", bold("History")))?;
    for entry in &shown.history {
        let at = bangkok_time(entry.recorded_at).format("%Y-%m-%d %H:%M:%S");
        output.line(format!(
            "  {:>3}  {at}  {}  {:<24} {} ({})",
            entry.version, entry.status_code, entry.kind, entry.actor, entry.role
        ))?;
    }
    Ok(())
}
