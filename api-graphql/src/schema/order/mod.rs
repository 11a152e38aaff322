//! Orders: the type, its history, the queries and the commands.

pub mod allowed;
pub mod as_of;
pub mod collection;
pub mod contact;
pub mod diff;
pub mod dry_run;
pub mod filter;
pub mod history;
pub mod input;
pub mod integrity;
pub mod life;
pub mod life_input;
pub mod line;
pub mod line_input;
pub mod mutation;
pub mod parts;
pub mod past;
pub mod place_input;
pub mod query;
pub mod status;

use async_graphql::{Context, Error, ID, Object};
use commands::personal::is_unsealed;
use domain::order::Order as State;
use projections::order_view::{HistoryWindow, OrderRow};

use self::{
    allowed::{CommandKind, allowed},
    collection::Collection,
    contact::Contact,
    history::EventConnection,
    life::{DeliveryAttempt, OrderReturn, RefundFigures, SubstitutionOffer},
    line::{OrderLine, OrderedBundle},
    parts::{Adjustment, Channel, ExternalRef, OrderStore, PaymentMade, Slot, Totals},
    status::{OrderStatus, PaymentStatus},
};
use super::{
    access::{Access, page_size},
    loads,
    problem::int,
    record::{Standing, view},
    scalars::{DateTime, Decimal, Position},
};

view! {
    /// An order, from the write side in a payload and from the read side in a query.
    Order of State, rows OrderRow
}

/// A delivery order. Money is Thai baht; times are UTC.
#[Object]
impl Order {
    /// The order's id for good, a UUID.
    async fn id(&self) -> ID {
        ID::from(self.0.id.0)
    }

    /// The number people use, such as QC-2026-01-31-000001.
    async fn number(&self) -> &str {
        self.0.state.number.as_str()
    }

    /// The store that ships the order.
    async fn store(&self) -> OrderStore {
        OrderStore {
            id: ID::from(self.0.state.store_id.as_str()),
            region: self.0.state.region.to_string(),
        }
    }

    /// Where the order stands.
    async fn status(&self) -> OrderStatus {
        self.0.state.status.into()
    }

    /// The status as the chain's number, such as 3500.
    async fn status_code(&self) -> i32 {
        i32::from(self.0.state.status.code())
    }

    /// The status of the least advanced line.
    async fn min_line_status(&self) -> OrderStatus {
        self.0.state.min_line_status().into()
    }

    /// The status of the most advanced line.
    async fn max_line_status(&self) -> OrderStatus {
        self.0.state.max_line_status().into()
    }

    /// Where the payment stands.
    async fn payment_status(&self) -> PaymentStatus {
        self.0.state.payment_status.into()
    }

    /// The payment status as the chain's number.
    async fn payment_status_code(&self) -> i32 {
        i32::from(self.0.state.payment_status.code())
    }

    /// Events so far. Hand it to `expectedVersion`.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The log's position of the order's last event.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }

    /// Changes whenever the order does.
    async fn etag(&self) -> String {
        format!("\"{}-{}\"", self.0.id, self.0.version)
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Where it came from.
    async fn channel(&self) -> Channel {
        self.0.state.channel.into()
    }

    /// The channel's own kind of order.
    async fn order_type(&self) -> Option<&str> {
        self.0.state.order_type.as_deref()
    }

    /// Ids by which other systems know the order.
    async fn refs(&self) -> Vec<ExternalRef> {
        self.0.state.refs.iter().map(ExternalRef::from).collect()
    }

    /// The customer, where the channel knows one.
    async fn customer_id(&self) -> Option<&str> {
        self.0.state.customer_id.as_ref().map(|id| id.as_str())
    }

    /// The loyalty membership.
    async fn t1_membership_id(&self) -> Option<&str> {
        self.0.state.t1_membership_id.as_deref()
    }

    /// The loyalty number.
    async fn t1_number(&self) -> Option<&str> {
        self.0.state.t1_number.as_deref()
    }

    /// Who gets the goods. Null when the order came without; see `state` for what may be shown. Who was erased stays
    /// erased, as of whatever moment. Null also in a dry run that brings one: it is not sealed.
    async fn contact(&self, ctx: &Context<'_>) -> Result<Option<Contact>, Error> {
        match &self.0.state.contact {
            Some(sealed) if !is_unsealed(sealed) => Contact::of(ctx, sealed).await.map(Some),
            _ => Ok(None),
        }
    }

    /// The lines, by number.
    async fn lines(&self) -> Vec<OrderLine> {
        self.0.state.lines.iter().map(OrderLine::from).collect()
    }

    /// The bundles that some of the lines make up.
    async fn bundles(&self) -> Vec<OrderedBundle> {
        OrderedBundle::all(&self.0.state)
    }

    /// Discounts on the whole order.
    async fn order_discounts(&self) -> Vec<Adjustment> {
        self.0
            .state
            .order_discounts
            .iter()
            .map(Adjustment::from)
            .collect()
    }

    /// Fees on the whole order, such as shipping.
    async fn fees(&self) -> Vec<Adjustment> {
        self.0.state.fees.iter().map(Adjustment::from).collect()
    }

    /// The sums.
    async fn totals(&self) -> Totals {
        Totals::from(&self.0.state.totals)
    }

    /// Cash to collect at the door now: nothing for a cancelled order.
    async fn cash_due(&self) -> Decimal {
        self.0.state.cod_due().into()
    }

    /// The cash: where it is, and what became of it.
    async fn collection(&self) -> Collection {
        Collection::from(&*self.0.state)
    }

    /// Whether a day went by since the delivery and nobody said what became of the cash.
    async fn is_collection_overdue(&self) -> bool {
        self.0.state.is_collection_overdue
    }

    /// The method the order was placed with.
    async fn payment_method(&self) -> &str {
        &self.0.state.payment_method
    }

    /// The payment, once recorded.
    async fn payment(&self) -> Option<PaymentMade> {
        self.0.state.payment.as_ref().map(PaymentMade::from)
    }

    /// Goods that came or come back, oldest first.
    async fn returns(&self) -> Vec<OrderReturn> {
        self.0.state.returns.iter().map(OrderReturn::from).collect()
    }

    /// What the customer gets back in cash.
    async fn refunds(&self) -> RefundFigures {
        RefundFigures::from(&*self.0.state)
    }

    /// The delivery slot the customer asked for.
    async fn requested_slot(&self) -> Option<Slot> {
        self.0.state.requested_slot.map(Slot::of)
    }

    /// The delivery time promised to the customer.
    async fn promised_at(&self) -> Option<DateTime> {
        self.0.state.promised_at.map(DateTime)
    }

    /// When the channel captured the order.
    async fn captured_at(&self) -> Option<DateTime> {
        self.0.state.captured_at.map(DateTime)
    }

    /// Whether the customer accepts substitutes.
    async fn allow_substitution(&self) -> bool {
        self.0.state.allow_substitution
    }

    /// Offers of other products, oldest first.
    async fn offers(&self) -> Vec<SubstitutionOffer> {
        let offers = self.0.state.offers.iter();
        offers.map(SubstitutionOffer::from).collect()
    }

    /// When picking was told.
    async fn released_at(&self) -> Option<DateTime> {
        self.0.state.released_at.map(DateTime)
    }

    /// Whether picking has not begun in time.
    async fn is_stuck(&self) -> bool {
        self.0.state.is_stuck
    }

    /// Deliveries that failed, oldest first.
    async fn attempts(&self) -> Vec<DeliveryAttempt> {
        let attempts = self.0.state.attempts.iter();
        attempts.map(DeliveryAttempt::from).collect()
    }

    /// When the customer got the goods: as the partner said, else when the ledger heard of it.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.state.delivered_at.map(DateTime)
    }

    /// The carrier's tracking id.
    async fn tracking_id(&self) -> Option<&str> {
        self.0.state.tracking_id.as_deref()
    }

    /// The carrier.
    async fn carrier(&self) -> Option<&str> {
        self.0.state.carrier.as_deref()
    }

    /// The sender's id of the shipment.
    async fn shipment_id(&self) -> Option<&str> {
        self.0.state.shipment_id.as_deref()
    }

    /// Why the order is back-ordered, while it is.
    async fn back_order_reason(&self) -> Option<&str> {
        self.0.state.back_order_reason.as_deref()
    }

    /// Why the order was cancelled.
    async fn cancel_reason(&self) -> Option<&str> {
        self.0.state.cancel_reason.as_deref()
    }

    /// Checks that could not be made when the order was placed.
    async fn warnings(&self) -> &[String] {
        &self.0.state.warnings
    }

    /// The commands that would move the order on and that the caller's role may give. None for an order as of a
    /// moment: a command is always given to the newest version.
    async fn allowed_commands(&self, ctx: &Context<'_>) -> Result<Vec<CommandKind>, Error> {
        if self.0.standing == Standing::Past {
            return Ok(Vec::new());
        }
        Ok(allowed(&self.0.state, Access::of(ctx)?.actor().role))
    }

    /// What happened, oldest first; at least up to the version shown here, and for an order as of a moment no
    /// further.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "crate::schema::connection::default_page()",
            desc = "1 to 100."
        )]
        first: i32,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
    ) -> Result<EventConnection, Error> {
        let access = Access::of(ctx)?;
        let after = history::after(self.0.id, after.as_deref())?;
        let window = HistoryWindow {
            order: self.0.id,
            first: page_size("first", first)?,
            after,
        };
        let mut page = loads::history(ctx, &access, window, self.0.position).await?;
        let end = match self.0.standing {
            Standing::Newest => None,
            Standing::Past => Some(self.0.version),
            Standing::Rehearsed { stored } => Some(stored),
        };
        if let Some(end) = end {
            history::end_at(&mut page, end);
        }
        Ok(EventConnection::new(self.0.id, page, after))
    }
}
