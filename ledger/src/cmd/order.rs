//! `ledger order show`: an order and its history, folded from the log.

use chrono::{DateTime, Utc};
use commands::load::stream_id;
use commands::record;
use domain::calendar::bangkok_time;
use domain::decode;
use domain::ids::{OrderId, OrderNumber};
use domain::order::{Order, OrderEvent};
use serde::Serialize;
use store::{Log, Recorded, claims};

use super::Context;
use crate::cli::{self, AsOf};
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::moment::{self, hex};
use crate::output::{Output, Style};

/// The longest history shown; an order has about a dozen events.
const MAX_EVENTS: i64 = 1_000;

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
    let events = history(id, as_of, &log).await;
    log.close().await;
    let (id, events) = events?;
    let version = events.last().map(|event| event.sequence);
    let version = version.ok_or_else(|| unknown(&id.to_string()))?;
    let mut order = Order::default();
    let mut history = Vec::with_capacity(events.len());
    for recorded in &events {
        let event = decode(recorded)?;
        order.apply(&event);
        history.push(entry(recorded, &order));
    }
    Ok(Shown {
        id,
        version,
        order,
        history,
    })
}

/// The order's events, as far as they go back to a moment.
async fn history(
    id: &str,
    as_of: Option<AsOf>,
    log: &Log,
) -> Result<(OrderId, Vec<Recorded>), Failure> {
    let id = find(id, log).await?;
    let stream = stream_id::<Order>(&id);
    let events = log.stream(&stream, 0, MAX_EVENTS).await;
    let mut events = events.map_err(failure)?;
    let newest = events.last().map_or(0, |event| event.sequence);
    let Some(as_of) = as_of else {
        return Ok((id, events));
    };
    match as_of {
        AsOf::Version(version) if version > newest => {
            let what = format!("order {id} has {newest} events, not {version}");
            return Err(Failure::new(Exit::NotFound, what));
        }
        AsOf::Version(version) => events.retain(|event| event.sequence <= version),
        AsOf::Moment(moment) => {
            let at = moment::resolve(log.pool(), Some(moment)).await?;
            events.retain(|event| event.position <= at.position);
        }
    }
    if events.is_empty() && newest > 0 {
        let what = format!("order {id} was not placed yet");
        return Err(Failure::new(Exit::NotFound, what));
    }
    Ok((id, events))
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

fn decode(recorded: &Recorded) -> Result<OrderEvent, Failure> {
    decode::decode(
        &recorded.event_type,
        &recorded.event_version,
        &recorded.payload,
    )
    .map_err(|error| {
        Failure::new(
            Exit::Damaged,
            format!("position {}: {error}", recorded.position),
        )
    })
}

fn entry(recorded: &Recorded, order: &Order) -> Entry {
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
        status_code: order.status.code(),
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
