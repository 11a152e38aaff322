//! The inputs of the commands on remittances. Field names are the domain's, so that a problem's path names the
//! input's field.

use async_graphql::InputObject;
use domain::remittance::{
    Remittance, RemittanceCommand, RemittanceId, ReportedItemInput as DomainItem,
};

use super::item::Resolution;
use crate::schema::{
    command::{Fields, Stated, Statement, command_input},
    scalars::{Date, Decimal, Uuid},
};

/// A partner's report of the cash its riders collected for a store on a business day. A later one replaces it.
#[derive(Debug, Clone, InputObject)]
pub struct ReportRemittanceInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The delivery partner, such as GRAB.
    pub partner_id: String,
    /// The store that is owed.
    pub store_id: String,
    /// The Bangkok business day on which the cash was collected.
    pub business_day: Date,
    /// The version you decided on; a VersionConflict when the remittance has moved on.
    pub expected_version: Option<i32>,
    /// Your id of the report: the same report again changes nothing, another one under the same id is refused.
    pub report_id: String,
    /// What the partner accounts for, at most 1,000 items.
    pub items: Vec<ReportedItemInput>,
    /// The partner's own sum, checked where given.
    pub total: Option<Decimal>,
}

/// Cash that a partner accounts for.
#[derive(Debug, Clone, InputObject)]
pub struct ReportedItemInput {
    /// The order's number, or your own reference of it.
    pub reference: String,
    /// How much, not negative.
    pub amount: Decimal,
}

impl From<ReportRemittanceInput> for Statement<Remittance> {
    fn from(i: ReportRemittanceInput) -> Self {
        let mut fields = Fields::default();
        let partner = fields.id("partnerId", &i.partner_id);
        let store = fields.id("storeId", &i.store_id);
        let (Some(partner), Some(store)) = (partner, store) else {
            return Err(fields.problems());
        };
        let item = |item: ReportedItemInput| DomainItem {
            reference: item.reference,
            amount: item.amount.0,
        };
        let command = RemittanceCommand::Report {
            report_id: i.report_id,
            items: i.items.into_iter().map(item).collect(),
            total: i.total.map(|d| d.0),
        };
        let id = RemittanceId::new(partner, store, i.business_day.0);
        Ok(Stated::named(i.command_id, id, i.expected_version, command))
    }
}

command_input! {
    /// An item whose comparison is not accepted.
    DisputeItemInput on Remittance, remittance_id: "The remittance." {
        /// The item: the order's number.
        reference: String,
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => RemittanceCommand::Dispute {
        reference: input.reference,
        reason: input.reason,
    }
}

command_input! {
    /// What counts for an item that does not agree.
    ResolveItemInput on Remittance, remittance_id: "The remittance." {
        /// The item: the order's number.
        reference: String,
        /// The cash accepted as handed over by the rider, not negative.
        accepted: Decimal,
        /// What becomes of the rest.
        resolution: Resolution,
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => RemittanceCommand::Resolve {
        reference: input.reference,
        accepted: input.accepted.0,
        resolution: input.resolution.into(),
        reason: input.reason,
    }
}

command_input! {
    /// The end of a remittance whose items all agree or are resolved.
    CloseRemittanceInput on Remittance, remittance_id: "The remittance." {}
    input => RemittanceCommand::Close
}

command_input! {
    /// Cash that the partner handed to the store.
    ReceiveCashInput on Remittance, remittance_id: "The remittance, closed." {
        /// How much, above zero, at most what is owed.
        amount: Decimal,
        /// The receipt's number.
        reference: Option<String>,
    }
    input => RemittanceCommand::Receive {
        amount: input.amount.0,
        reference: input.reference,
    }
}

command_input! {
    /// Cash that the store banked.
    DepositCashInput on Remittance, remittance_id: "The remittance, closed." {
        /// How much, above zero, at most what the store holds of it.
        amount: Decimal,
        /// The slip's number.
        reference: Option<String>,
    }
    input => RemittanceCommand::Deposit {
        amount: input.amount.0,
        reference: input.reference,
    }
}
