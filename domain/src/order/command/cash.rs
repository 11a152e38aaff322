//! Cash on delivery, returns and refunds, as stores and partners report them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::LineQuantityInput;
use crate::{
    money::Money,
    remittance::{ItemOutcome, RemittanceId},
};

/// Cash in a rider's hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollectCash {
    /// How much: whole satang, above zero, at most 1,000,000 THB. What is due does not matter.
    pub amount: Money,
    /// The delivery partner whose rider has it.
    pub partner_id: String,
    /// The rider, as the partner knows them.
    #[serde(default)]
    pub rider_id: Option<String>,
    /// Must be the shipment's, where given.
    #[serde(default)]
    pub tracking_id: Option<String>,
    /// When; now when absent.
    #[serde(default)]
    pub collected_at: Option<DateTime<Utc>>,
    /// What shows it: at least a photo or a signature.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// What the partner says about another amount than the one due.
    #[serde(default)]
    pub discrepancy_reason: Option<String>,
}

/// What shows that cash was handed over. Personal data, sealed before it is stored.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// Where the photo is kept.
    #[serde(default)]
    pub photo: Option<String>,
    /// Where the signature is kept.
    #[serde(default)]
    pub signature: Option<String>,
    /// Degrees north, a decimal.
    #[serde(default)]
    pub latitude: Option<String>,
    /// Degrees east, a decimal.
    #[serde(default)]
    pub longitude: Option<String>,
    /// Who took the cash, as the partner knows them.
    #[serde(default)]
    pub collected_by: Option<String>,
}

impl std::fmt::Debug for Proof {
    /// Says only that there is one: proofs must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// No cash came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailCollection {
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Another amount than the one recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorrectCollection {
    /// The amount it was: whole satang, above zero.
    pub amount: Money,
    /// Why, 1 to 500 characters.
    pub reason: String,
}

/// The end of an order's cash: the closed remittance says what the partner accounted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReconcileCash {
    /// Which remittance.
    pub remittance_id: RemittanceId,
    /// How the partner's report compared.
    pub outcome: ItemOutcome,
    /// The cash expected of the partner.
    pub expected: Money,
    /// The cash accepted from the partner.
    pub accepted: Money,
}

/// Goods to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestReturn {
    /// The lines and how much of each; empty for all that was delivered.
    #[serde(default)]
    pub lines: Vec<LineQuantityInput>,
    /// Whether the order's fees are given back too: only with all that was delivered.
    #[serde(default)]
    pub refund_fees: bool,
    /// Why, 1 to 500 characters.
    pub reason: String,
}

/// Money given back to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refund {
    /// How much: whole satang, at most what is owed.
    pub amount: Money,
    /// The receipt's number.
    #[serde(default)]
    pub reference: Option<String>,
}
