//! The inputs of shorts, substitutions, cash, returns and refunds.

use async_graphql::InputObject;
use domain::order::{
    Order, OrderCommand,
    command::{
        CollectCash, CorrectCollection, DecideSubstitution, FailCollection, Proof,
        ProposeSubstitution, Refund, ReportShort, RequestReturn,
    },
};

use super::input::{LineQuantityInput, quantities};
use crate::schema::{
    command::command_input,
    scalars::{DateTime, Decimal},
};

command_input! {
    /// Picking found less than ordered.
    ReportShortInput on Order, order_id: "The order." {
        /// Your id of the report: the same report again changes nothing, another one under the same id is refused.
        report_id: Option<String>,
        /// The lines and what is available of each: nothing cancels the line.
        lines: Vec<LineQuantityInput>,
        /// Why, 1 to 500 characters.
        reason: String,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::ReportShort(ReportShort {
        report_id: input.report_id,
        lines: quantities(input.lines),
        reason: input.reason,
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// An offer of another product for a line. The customer has five minutes to answer; silence is no.
    ProposeSubstitutionInput on Order, order_id: "The order." {
        /// Your id of the offer, unique in the order.
        proposal_id: String,
        /// The line.
        line_number: i32,
        /// The other product.
        sku: String,
        /// Its name in Thai.
        name_th: Option<String>,
        /// Its name in English.
        name_en: Option<String>,
        /// Its price per unit: at most 20% above the price approved when ordering.
        unit_price: Decimal,
        /// How much of it; the line's quantity when absent.
        quantity: Option<Decimal>,
        /// Offered in the merchant's app, where the customer sees the price: the limit on its rise does not hold.
        #[graphql(default)]
        via_merchant_app: bool,
        /// Why.
        reason: Option<String>,
    }
    input => OrderCommand::ProposeSubstitution(ProposeSubstitution {
        proposal_id: input.proposal_id,
        line_number: input.line_number,
        sku: input.sku,
        name_th: input.name_th,
        name_en: input.name_en,
        unit_price: input.unit_price.0,
        quantity: input.quantity.map(Into::into),
        via_merchant_app: input.via_merchant_app,
        reason: input.reason,
    })
}

command_input! {
    /// The customer's answer to an offer of another product.
    DecideSubstitutionInput on Order, order_id: "The order." {
        /// Which offer.
        proposal_id: String,
        /// Whether the customer takes it. Without it the line is short.
        approve: bool,
    }
    input => OrderCommand::DecideSubstitution(DecideSubstitution {
        proposal_id: input.proposal_id,
        approve: input.approve,
    })
}

command_input! {
    /// Cash in a rider's hand.
    CollectCashInput on Order, order_id: "The order." {
        /// How much, above zero: as it was, also where it is not what was due.
        amount: Decimal,
        /// The delivery partner whose rider has it, such as GRAB.
        partner_id: String,
        /// The rider, as the partner knows them.
        rider_id: Option<String>,
        /// Must be the shipment's, where given.
        tracking_id: Option<String>,
        /// When; now when absent.
        collected_at: Option<DateTime>,
        /// What shows it: at least a photo or a signature.
        proof: Option<ProofInput>,
        /// What the partner says about another amount than the one due.
        discrepancy_reason: Option<String>,
    }
    input => OrderCommand::CollectCash(CollectCash {
        amount: input.amount.0,
        partner_id: input.partner_id,
        rider_id: input.rider_id,
        tracking_id: input.tracking_id,
        collected_at: input.collected_at.map(|t| t.0),
        proof: input.proof.map(Into::into),
        discrepancy_reason: input.discrepancy_reason,
    })
}

/// What shows that cash was handed over: personal data, encrypted before it is stored.
#[derive(Clone, InputObject)]
pub struct ProofInput {
    /// Where the photo is kept.
    pub photo: Option<String>,
    /// Where the signature is kept.
    pub signature: Option<String>,
    /// Degrees north, a decimal.
    pub latitude: Option<String>,
    /// Degrees east, a decimal.
    pub longitude: Option<String>,
    /// Who took the cash, as the partner knows them.
    pub collected_by: Option<String>,
}

impl std::fmt::Debug for ProofInput {
    /// Says only that there is one: proofs must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProofInput(..)")
    }
}

impl From<ProofInput> for Proof {
    fn from(i: ProofInput) -> Self {
        let ProofInput {
            photo,
            signature,
            latitude,
            longitude,
            collected_by,
        } = i;
        Self {
            photo,
            signature,
            latitude,
            longitude,
            collected_by,
        }
    }
}

command_input! {
    /// No cash came.
    FailCollectionInput on Order, order_id: "The order." {
        /// Why, 1 to 500 characters.
        reason: String,
        /// When it happened, where you know.
        occurred_at: Option<DateTime>,
    }
    input => OrderCommand::FailCollection(FailCollection {
        reason: input.reason,
        occurred_at: input.occurred_at.map(|t| t.0),
    })
}

command_input! {
    /// Another amount of cash than the one recorded.
    CorrectCollectionInput on Order, order_id: "The order." {
        /// The amount it was, above zero.
        amount: Decimal,
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => OrderCommand::CorrectCollection(CorrectCollection {
        amount: input.amount.0,
        reason: input.reason,
    })
}

command_input! {
    /// Goods to take back.
    RequestReturnInput on Order, order_id: "The order." {
        /// The lines and how much of each; empty for all that was delivered.
        #[graphql(default)]
        lines: Vec<LineQuantityInput>,
        /// Whether the order's fees are given back too: only with all that was delivered.
        #[graphql(default)]
        refund_fees: bool,
        /// Why, 1 to 500 characters.
        reason: String,
    }
    input => OrderCommand::RequestReturn(RequestReturn {
        lines: quantities(input.lines),
        refund_fees: input.refund_fees,
        reason: input.reason,
    })
}

command_input! {
    /// Money given back to the customer.
    RefundOrderInput on Order, order_id: "The order." {
        /// How much: at most what is owed.
        amount: Decimal,
        /// The receipt's number.
        reference: Option<String>,
    }
    input => OrderCommand::Refund(Refund {
        amount: input.amount.0,
        reference: input.reference,
    })
}
