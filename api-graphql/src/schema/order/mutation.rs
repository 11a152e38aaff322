//! Changing orders: each field is one command.

use async_graphql::{Context, Error, Object, SimpleObject};
use commands::{Request, Target};
use domain::{
    ids::{CommandId, OrderId},
    order::OrderCommand,
};

use super::{
    Order,
    input::{
        CancelOrderInput, DeliveryInput, OrderCommandInput, PayOrderInput, PickingInput,
        ShipmentInput,
    },
    place_input::PlaceOrderInput,
};
use crate::schema::{
    access::Access,
    problem::{self, Problem},
    receipt::Receipt,
};

/// The answer to a command: the order and the receipt, or the problems.
#[derive(SimpleObject)]
pub struct OrderPayload {
    /// The order right after the command, from the write side; null when there are problems.
    pub order: Option<Order>,
    /// The proof; null when there are problems.
    pub receipt: Option<Receipt>,
    /// Why the command had no effect, every reason at once; empty when it had, or had before.
    pub problems: Vec<Problem>,
}

impl OrderPayload {
    const fn refused(problems: Vec<Problem>) -> Self {
        Self {
            order: None,
            receipt: None,
            problems,
        }
    }
}

/// A command as an input states it.
pub(crate) struct Stated {
    pub(crate) command_id: CommandId,
    /// The order's id as text; none for a new order.
    pub(crate) order_id: Option<String>,
    pub(crate) expected_version: Option<i32>,
    pub(crate) command: OrderCommand,
}

/// The commands.
#[derive(Default)]
pub struct OrderMutation;

#[Object]
impl OrderMutation {
    /// Places an order: status 1000.
    async fn place_order(
        &self,
        ctx: &Context<'_>,
        input: PlaceOrderInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Reserves every line at the order's store: 2000, or 1500 when that is impossible.
    async fn allocate_order(
        &self,
        ctx: &Context<'_>,
        input: OrderCommandInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.command(OrderCommand::Allocate)).await
    }

    /// Records the payment of the cash due: payment status 5000.
    async fn pay_order(
        &self,
        ctx: &Context<'_>,
        input: PayOrderInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Hands the order to picking: 3000.
    async fn release_order(
        &self,
        ctx: &Context<'_>,
        input: OrderCommandInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.command(OrderCommand::Release)).await
    }

    /// Records picking progress: 3500, 3600 or 3700. May step over statuses.
    async fn record_picking(
        &self,
        ctx: &Context<'_>,
        input: PickingInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records shipment progress: 7000 with tracking id and carrier, or 7100.
    async fn record_shipment(
        &self,
        ctx: &Context<'_>,
        input: ShipmentInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records delivery progress: 7200, 7300 or 7500.
    async fn record_delivery(
        &self,
        ctx: &Context<'_>,
        input: DeliveryInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Cancels the whole order for good: 9000.
    async fn cancel_order(
        &self,
        ctx: &Context<'_>,
        input: CancelOrderInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }
}

async fn run(ctx: &Context<'_>, stated: Stated) -> Result<OrderPayload, Error> {
    let access = Access::of(ctx)?;
    if !access.caller.scopes.write {
        let action = stated.command.action();
        access
            .refused(
                action,
                stated.order_id.as_deref().unwrap_or_default(),
                "token scope",
            )
            .await;
        return Ok(OrderPayload::refused(vec![problem::forbidden(action)]));
    }
    let target = match stated.order_id.as_deref().map(str::parse::<OrderId>) {
        None => Target::New,
        Some(Ok(id)) => Target::Order(id),
        // What is no order id is the id of no order.
        Some(Err(_)) => {
            let message = "the order is not known; check the id".to_owned();
            return Ok(OrderPayload::refused(vec![problem::not_found(message)]));
        }
    };
    let request = Request {
        command_id: stated.command_id,
        actor: access.actor().clone(),
        expected_version: stated.expected_version.map(i64::from),
        target,
        command: stated.command,
        correlation_id: access.request.correlation_id,
        causation_id: None,
        traceparent: access.request.traceparent.clone(),
    };
    match access.backend.execute(request).await {
        Ok(outcome) => {
            let (order, receipt) = (Some(outcome.order.into()), Some(outcome.receipt.into()));
            Ok(OrderPayload {
                order,
                receipt,
                problems: Vec::new(),
            })
        }
        Err(error) => match problem::problems(error) {
            Ok(problems) => Ok(OrderPayload::refused(problems)),
            Err(fault) => Err(access.fault(&fault)),
        },
    }
}
