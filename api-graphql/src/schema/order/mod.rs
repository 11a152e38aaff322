//! Orders: the type, its history, the queries and the commands.

pub mod allowed;
pub mod filter;
pub mod history;
pub mod input;
pub mod mutation;
pub mod parts;
pub mod place_input;
pub mod query;
pub mod status;

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object};
use chrono::Utc;
use commands::LoadedOrder;
use domain::{actor::Action, ids::OrderId, order::Order as State};
use projections::{Model, order_view::OrderRow};

use self::{
    allowed::{CommandKind, allowed},
    history::EventConnection,
    parts::{
        Adjustment, Channel, Contact, ExternalRef, OrderLine, PaymentMade, Slot, Store, Totals,
    },
    status::{OrderStatus, PaymentStatus},
};
use super::{
    access::{Access, invalid},
    problem::int,
    scalars::{DateTime, Decimal, Position},
};
use crate::limits::{DEFAULT_PAGE, MAX_PAGE};

/// An order, from the write side in a payload and from the read side in a query.
pub struct Order {
    id: OrderId,
    version: i64,
    position: store::Position,
    placed_at: chrono::DateTime<Utc>,
    updated_at: chrono::DateTime<Utc>,
    state: Arc<State>,
}

impl From<LoadedOrder> for Order {
    fn from(o: LoadedOrder) -> Self {
        let LoadedOrder {
            id,
            version,
            position,
            placed_at,
            updated_at,
            order,
        } = o;
        Self {
            id,
            version,
            position,
            placed_at,
            updated_at,
            state: order,
        }
    }
}

impl From<OrderRow> for Order {
    fn from(o: OrderRow) -> Self {
        let OrderRow {
            id,
            version,
            position,
            placed_at,
            updated_at,
            order,
        } = o;
        Self {
            id,
            version,
            position,
            placed_at,
            updated_at,
            state: Arc::new(order),
        }
    }
}

/// A delivery order. Money is Thai baht; times are UTC.
#[Object]
impl Order {
    /// The order's id for good, a UUID.
    async fn id(&self) -> ID {
        ID::from(self.id.0)
    }

    /// The number people use, such as QC-2026-01-31-000001.
    async fn number(&self) -> &str {
        self.state.number.as_str()
    }

    /// The store that ships the order.
    async fn store(&self) -> Store {
        Store {
            id: ID::from(self.state.store_id.as_str()),
            region: self.state.region.to_string(),
        }
    }

    /// Where the order stands.
    async fn status(&self) -> OrderStatus {
        self.state.status.into()
    }

    /// The status as the chain's number, such as 3500.
    async fn status_code(&self) -> i32 {
        i32::from(self.state.status.code())
    }

    /// The status of the least advanced line.
    async fn min_line_status(&self) -> OrderStatus {
        self.state.min_line_status().into()
    }

    /// The status of the most advanced line.
    async fn max_line_status(&self) -> OrderStatus {
        self.state.max_line_status().into()
    }

    /// Where the payment stands.
    async fn payment_status(&self) -> PaymentStatus {
        self.state.payment_status.into()
    }

    /// The payment status as the chain's number.
    async fn payment_status_code(&self) -> i32 {
        i32::from(self.state.payment_status.code())
    }

    /// Events so far. Hand it to `expectedVersion`.
    async fn version(&self) -> i32 {
        int(self.version)
    }

    /// The log's position of the order's last event.
    async fn position(&self) -> Position {
        Position(self.position)
    }

    /// Changes whenever the order does.
    async fn etag(&self) -> String {
        format!("\"{}-{}\"", self.id, self.version)
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        DateTime(self.placed_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.updated_at)
    }

    /// Where it came from.
    async fn channel(&self) -> Channel {
        self.state.channel.into()
    }

    /// The channel's own kind of order.
    async fn order_type(&self) -> Option<&str> {
        self.state.order_type.as_deref()
    }

    /// Ids by which other systems know the order.
    async fn refs(&self) -> Vec<ExternalRef> {
        self.state.refs.iter().map(ExternalRef::from).collect()
    }

    /// The customer, where the channel knows one.
    async fn customer_id(&self) -> Option<&str> {
        self.state.customer_id.as_ref().map(|id| id.as_str())
    }

    /// The loyalty membership.
    async fn t1_membership_id(&self) -> Option<&str> {
        self.state.t1_membership_id.as_deref()
    }

    /// The loyalty number.
    async fn t1_number(&self) -> Option<&str> {
        self.state.t1_number.as_deref()
    }

    /// Who gets the goods. Null when the order came without; see `state` for what may be shown.
    async fn contact(&self, ctx: &Context<'_>) -> Result<Option<Contact>, Error> {
        let Some(sealed) = &self.state.contact else {
            return Ok(None);
        };
        let access = Access::of(ctx)?;
        if !access.actor().role.may(Action::ReadPersonalData) {
            return Ok(Some(Contact::as_hidden()));
        }
        let opened = access
            .backend
            .open_contact(sealed)
            .await
            .map_err(|why| access.fault(&why))?;
        Ok(Some(opened.map_or_else(Contact::as_erased, Contact::shown)))
    }

    /// The lines, by number.
    async fn lines(&self) -> Vec<OrderLine> {
        self.state.lines.iter().map(OrderLine::from).collect()
    }

    /// Discounts on the whole order.
    async fn order_discounts(&self) -> Vec<Adjustment> {
        self.state
            .order_discounts
            .iter()
            .map(Adjustment::from)
            .collect()
    }

    /// Fees on the whole order, such as shipping.
    async fn fees(&self) -> Vec<Adjustment> {
        self.state.fees.iter().map(Adjustment::from).collect()
    }

    /// The sums.
    async fn totals(&self) -> Totals {
        Totals::from(&self.state.totals)
    }

    /// Cash to collect at the door now: nothing for a cancelled order.
    async fn cash_due(&self) -> Decimal {
        self.state.cod_due().into()
    }

    /// The method the order was placed with.
    async fn payment_method(&self) -> &str {
        &self.state.payment_method
    }

    /// The payment, once recorded.
    async fn payment(&self) -> Option<PaymentMade> {
        self.state.payment.as_ref().map(PaymentMade::from)
    }

    /// The delivery slot the customer asked for.
    async fn requested_slot(&self) -> Option<Slot> {
        self.state.requested_slot.map(Slot::of)
    }

    /// The delivery time promised to the customer.
    async fn promised_at(&self) -> Option<DateTime> {
        self.state.promised_at.map(DateTime)
    }

    /// When the channel captured the order.
    async fn captured_at(&self) -> Option<DateTime> {
        self.state.captured_at.map(DateTime)
    }

    /// Whether the customer accepts substitutes.
    async fn allow_substitution(&self) -> bool {
        self.state.allow_substitution
    }

    /// The carrier's tracking id.
    async fn tracking_id(&self) -> Option<&str> {
        self.state.tracking_id.as_deref()
    }

    /// The carrier.
    async fn carrier(&self) -> Option<&str> {
        self.state.carrier.as_deref()
    }

    /// The sender's id of the shipment.
    async fn shipment_id(&self) -> Option<&str> {
        self.state.shipment_id.as_deref()
    }

    /// Why the order is back-ordered, while it is.
    async fn back_order_reason(&self) -> Option<&str> {
        self.state.back_order_reason.as_deref()
    }

    /// Why the order was cancelled.
    async fn cancel_reason(&self) -> Option<&str> {
        self.state.cancel_reason.as_deref()
    }

    /// Checks that could not be made when the order was placed.
    async fn warnings(&self) -> &[String] {
        &self.state.warnings
    }

    /// The commands that would move the order on and that the caller's role may give.
    async fn allowed_commands(&self, ctx: &Context<'_>) -> Result<Vec<CommandKind>, Error> {
        Ok(allowed(&self.state, Access::of(ctx)?.actor().role))
    }

    /// What happened, oldest first; at least up to the version shown here.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "crate::schema::order::default_page()",
            desc = "1 to 100."
        )]
        first: i32,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
    ) -> Result<EventConnection, Error> {
        let access = Access::of(ctx)?;
        let after = match after {
            None => 0,
            Some(cursor) => cursor.parse().ok().filter(|v| *v >= 0).ok_or_else(|| {
                invalid(
                    "after",
                    "is no cursor of this list; take one from its edges or pageInfo",
                )
            })?,
        };
        access.seen(Model::OrderView, self.position).await?;
        let page = access
            .backend
            .history(self.id, i64::from(first), after)
            .await;
        Ok(EventConnection::new(
            self.id,
            page.map_err(|e| access.read_failed(e))?,
            after,
        ))
    }
}

pub(crate) fn default_page() -> i32 {
    i32::try_from(DEFAULT_PAGE.min(MAX_PAGE)).unwrap_or(1)
}
