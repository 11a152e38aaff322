//! What a command on an order would do.

use async_graphql::{Context, Error, Object, OneofObject, SimpleObject};
use domain::order::{Order as State, OrderCommand};

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
use crate::schema::{
    access::Access,
    command::{Stated, Statement, refusal},
    problem::Problem,
    record::{Record, Standing},
};

macro_rules! commands {
    ($($variant:ident($input:ty) $doc:literal => $turn:expr,)+) => {
        /// A command on an order: exactly one of these, with the input of the mutation of that name.
        #[derive(Debug, Clone, OneofObject)]
        pub enum CommandInput {
            $(#[doc = $doc] $variant(Box<$input>),)+
        }

        impl From<CommandInput> for Statement<State> {
            fn from(input: CommandInput) -> Self {
                match input {
                    $(CommandInput::$variant(input) => {
                        let turn: fn($input) -> Self = $turn;
                        turn(*input)
                    })+
                }
            }
        }
    };
}

commands! {
    PlaceOrder(PlaceOrderInput) "`placeOrder`" => Into::into,
    AllocateOrder(OrderCommandInput) "`allocateOrder`" => |input| input.command(OrderCommand::Allocate),
    ChangeLines(ChangeLinesInput) "`changeLines`" => Into::into,
    PayOrder(PayOrderInput) "`payOrder`" => Into::into,
    ReleaseOrder(OrderCommandInput) "`releaseOrder`" => |input| input.command(OrderCommand::Release),
    RecordPicking(PickingInput) "`recordPicking`" => Into::into,
    ReportShort(ReportShortInput) "`reportShort`" => Into::into,
    ProposeSubstitution(ProposeSubstitutionInput) "`proposeSubstitution`" => Into::into,
    DecideSubstitution(DecideSubstitutionInput) "`decideSubstitution`" => Into::into,
    RecordShipment(ShipmentInput) "`recordShipment`" => Into::into,
    RecordDelivery(DeliveryInput) "`recordDelivery`" => Into::into,
    RecordFailedDelivery(FailedDeliveryInput) "`recordFailedDelivery`" => Into::into,
    CancelOrder(CancelOrderInput) "`cancelOrder`" => Into::into,
    CollectCash(CollectCashInput) "`collectCash`" => Into::into,
    FailCollection(FailCollectionInput) "`failCollection`" => Into::into,
    CorrectCollection(CorrectCollectionInput) "`correctCollection`" => Into::into,
    RequestReturn(RequestReturnInput) "`requestReturn`" => Into::into,
    ReceiveReturn(OrderCommandInput) "`receiveReturn`" => |input| input.command(OrderCommand::ReceiveReturn),
    RefundOrder(RefundOrderInput) "`refundOrder`" => Into::into,
}

/// What a command would do, were it given now.
#[derive(SimpleObject)]
pub struct DryRunPayload {
    /// The types of the events it would write, in their order. None: its effect is there already, or it has problems.
    pub event_types: Vec<&'static str>,
    /// The order as it would be; null when there are problems. Its `position` and `history` are those of the log, which
    /// has nothing of this. An order that would be placed has the id 00000000-0000-0000-0000-000000000000, and the
    /// sequence 000000 for a number that would be drawn. Personal data that the command brings is not shown.
    pub order: Option<Order>,
    /// The commandId was used for this very command before: it would be answered with its first receipt, and the order
    /// as it is now.
    pub replayed: bool,
    /// Why the command would have no effect, every reason at once, as the command itself would answer: paths begin with
    /// `input`.
    pub problems: Vec<Problem>,
}

impl DryRunPayload {
    const fn refused(problems: Vec<Problem>) -> Self {
        Self {
            event_types: Vec::new(),
            order: None,
            replayed: false,
            problems,
        }
    }
}

/// Commands that are only rehearsed.
#[derive(Default)]
pub struct DryRunMutation;

#[Object]
impl DryRunMutation {
    /// Decides a command on an order and does nothing: no event is written, no number drawn, no key made, and the
    /// commandId stays free. The rights are those of the command. The answer holds for the moment: another command may
    /// get in between.
    async fn dry_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The command.")] command: CommandInput,
    ) -> Result<DryRunPayload, Error> {
        let stated: Stated<State> = match Statement::from(command) {
            Ok(stated) => stated,
            Err(problems) => return Ok(DryRunPayload::refused(problems)),
        };
        let access = Access::of(ctx)?;
        let request = match stated.request(&access).await {
            Ok(request) => request,
            Err(problems) => return Ok(DryRunPayload::refused(problems)),
        };
        let rehearsal = match access.backend.rehearse(request).await {
            Ok(rehearsal) => rehearsal,
            Err(error) => return Ok(DryRunPayload::refused(refusal::<State>(&access, error)?)),
        };
        let record = Record {
            standing: Standing::Rehearsed {
                stored: rehearsal.stored,
            },
            ..Record::from(rehearsal.entity)
        };
        Ok(DryRunPayload {
            event_types: rehearsal.event_types,
            order: Some(Order::from(record)),
            replayed: rehearsal.replayed,
            problems: Vec::new(),
        })
    }
}
