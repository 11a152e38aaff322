//! Reporting and settling remittances: each field is one command.

use async_graphql::{Context, Error, Object};

use super::{
    Remittance,
    input::{
        CloseRemittanceInput, DepositCashInput, DisputeItemInput, ReceiveCashInput,
        ReportRemittanceInput, ResolveItemInput,
    },
};
use crate::schema::command::{payload, run};

payload! {
    /// The answer to a command on a remittance: the remittance and the receipt, or the problems.
    RemittancePayload {
        /// The remittance right after the command, from the write side; null when there are problems.
        remittance: Remittance
    }
}

/// The commands.
#[derive(Default)]
pub struct RemittanceMutation;

#[Object]
impl RemittanceMutation {
    /// Takes in a partner's report of the cash of a store and a business day, and compares it with what is expected
    /// once the day is over.
    async fn report_remittance(
        &self,
        ctx: &Context<'_>,
        input: ReportRemittanceInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Does not accept an item's comparison: it must be resolved before the remittance can be closed.
    async fn dispute_remittance_item(
        &self,
        ctx: &Context<'_>,
        input: DisputeItemInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Settles what counts for an item that does not agree.
    async fn resolve_remittance_item(
        &self,
        ctx: &Context<'_>,
        input: ResolveItemInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Settles the remittance: the partner owes what was accepted, and its orders are reconciled.
    async fn close_remittance(
        &self,
        ctx: &Context<'_>,
        input: CloseRemittanceInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records cash that the partner handed to the store.
    async fn receive_remittance_cash(
        &self,
        ctx: &Context<'_>,
        input: ReceiveCashInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }

    /// Records cash that the store banked.
    async fn deposit_cash(
        &self,
        ctx: &Context<'_>,
        input: DepositCashInput,
    ) -> Result<RemittancePayload, Error> {
        run(ctx, input.into()).await
    }
}
