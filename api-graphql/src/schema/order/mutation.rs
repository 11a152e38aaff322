//! Changing orders: each field is one command.

use async_graphql::{Context, Error, Object};
use domain::order::OrderCommand;

use super::{
    Order,
    input::{
        CancelOrderInput, ChangeLinesInput, DeliveryInput, FailedDeliveryInput, OrderCommandInput,
        PayOrderInput, PickingInput, ShipmentInput,
    },
    life_input::{
        CollectCashInput, CorrectCollectionInput, DecideSubstitutionInput, FailCollectionInput,
        ProposeSubstitutionInput, RefundOrderInput, ReportShortInput, RequestReturnInput,
    },
    place_input::PlaceOrderInput,
};
use crate::schema::command::{payload, run};

payload! {
    /// The answer to a command on an order: the order and the receipt, or the problems.
    OrderPayload {
        /// The order right after the command, from the write side; null when there are problems.
        order: Order
    }
}

/// The commands that move an order on its way.
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

    /// Changes quantities before the release; nothing of a line cancels it.
    async fn change_lines(
        &self,
        ctx: &Context<'_>,
        input: ChangeLinesInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
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

    /// Records that picking found less than ordered: lines and totals shrink, a short component cancels its bundle.
    async fn report_short(
        &self,
        ctx: &Context<'_>,
        input: ReportShortInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Offers the customer another product for a line.
    async fn propose_substitution(
        &self,
        ctx: &Context<'_>,
        input: ProposeSubstitutionInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records the customer's answer to an offer of another product; without approval the line is short.
    async fn decide_substitution(
        &self,
        ctx: &Context<'_>,
        input: DecideSubstitutionInput,
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

    /// Records that a delivery did not happen: the third time the goods go back, 8000.
    async fn record_failed_delivery(
        &self,
        ctx: &Context<'_>,
        input: FailedDeliveryInput,
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

/// The commands on an order's cash, returns and refunds.
#[derive(Default)]
pub struct CashMutation;

#[Object]
impl CashMutation {
    /// Records the cash that a rider took from the customer, also where it is not what was due.
    async fn collect_cash(
        &self,
        ctx: &Context<'_>,
        input: CollectCashInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records that no cash came.
    async fn fail_collection(
        &self,
        ctx: &Context<'_>,
        input: FailCollectionInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Corrects the amount of cash collected, before it is reconciled.
    async fn correct_collection(
        &self,
        ctx: &Context<'_>,
        input: CorrectCollectionInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Takes goods back within 30 days of the delivery: 8000.
    async fn request_return(
        &self,
        ctx: &Context<'_>,
        input: RequestReturnInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records that the store has the goods back: 8500.
    async fn receive_return(
        &self,
        ctx: &Context<'_>,
        input: OrderCommandInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.command(OrderCommand::ReceiveReturn)).await
    }

    /// Records money given back to the customer from the store's cash.
    async fn refund_order(
        &self,
        ctx: &Context<'_>,
        input: RefundOrderInput,
    ) -> Result<OrderPayload, Error> {
        run(ctx, input.into()).await
    }
}
