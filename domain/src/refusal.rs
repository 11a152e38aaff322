//! Why a command was refused: stable codes, the field's path, and what to do.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// A stable code that clients may branch on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

codes! {
    /// Rule A: a number brought by the caller has the form of ours.
    ErrInvalidOrderId = "ERR_INVALID_ORDER_ID",
    /// Rule B: the ship-from store is present, known and active.
    ErrInvalidLocation = "ERR_INVALID_LOCATION",
    /// Rule C: `isForceAllocation` is present and true.
    ErrForceAllocationRequired = "ERR_FORCE_ALLOCATION_REQUIRED",
    /// Rule D: a loyalty membership, where given, has its form and is active.
    ErrInvalidT1Member = "ERR_INVALID_T1_MEMBER",
    /// Rule E: a loyalty number, where given, has its form.
    ErrInvalidT1Number = "ERR_INVALID_T1_NUMBER",
    /// Rule F: a customer reference, where given, has its form.
    ErrInvalidCustRef = "ERR_INVALID_CUST_REF",
    /// Rule G: a customer, where given, exists and is active.
    ErrInvalidCustomer = "ERR_INVALID_CUSTOMER",
    /// Line rules: 1 to 20 lines with unique numbers, a known SKU, quantity above zero, prices not below
    /// zero nor above the original or the list price, discounts that the line can bear.
    ErrInvalidLineItem = "ERR_INVALID_LINE_ITEM",
    /// Bundle fields: a definition that breaks its rules, a bundle reference that is missing, too
    /// long or used twice, a bundle line that is also a pack, weighed, a gift or discounted, or pack
    /// fields that are not above zero or contradict their line.
    ErrInvalidBundle = "ERR_INVALID_BUNDLE",
    /// Bundles: an order names a bundle that nobody defined, or that is retired.
    ErrInvalidBundleSku = "ERR_INVALID_BUNDLE_SKU",
    /// Bundles: the lines of a bundle hold all its components in the defined quantities.
    ErrBundleIncomplete = "ERR_BUNDLE_INCOMPLETE",
    /// Bundles: a bundle is sold only at its stores and inside its schedule.
    ErrBundleNotAvailable = "ERR_BUNDLE_NOT_AVAILABLE",
    /// Bundles: a broken bundle is not allocated; the order waits as back-ordered.
    ErrBundleAllocationFailed = "ERR_BUNDLE_ALLOCATION_FAILED",
    /// State: a bundle is defined once under its id.
    BundleExists = "BUNDLE_EXISTS",
    /// State: a store is opened once.
    StoreExists = "STORE_EXISTS",
    /// Payment: the method is one the store offers for this amount. Cash on delivery wants a store
    /// that offers it, at least 1.00 and at most the store's limit.
    ErrInvalidPaymentMethod = "ERR_INVALID_PAYMENT_METHOD",
    /// Payment: the amount equals the order total rounded to 0.01.
    ErrPaymentAmountMismatch = "ERR_PAYMENT_AMOUNT_MISMATCH",
    /// Totals: a total stated by the caller lies within 0.01 of ours.
    ErrTotalMismatch = "ERR_TOTAL_MISMATCH",
    /// Order total of at least 10.00.
    MinOrderValue = "MIN_ORDER_VALUE",
    /// Discounts of at most 90% of the original prices.
    MaxDiscountPercent = "MAX_DISCOUNT_PERCENT",
    /// Substitution: the new price lies further above the approved one than the limit: 20%, for a
    /// bundle's component its own. The merchant's app, which shows the price, knows no limit.
    PriceIncreaseLimitExceeded = "PRICE_INCREASE_LIMIT_EXCEEDED",
    /// Substitution: the customer allows none, the component is none, the line has an open offer, or
    /// the answer comes too late.
    SubstitutionNotAllowed = "SUBSTITUTION_NOT_ALLOWED",
    /// Bundles: a bundle is changed as a whole, so that its components' quantities stay as they are
    /// unless all of them are set to nothing.
    ErrBundleModificationNotAllowed = "ERR_BUNDLE_MODIFICATION_NOT_ALLOWED",
    /// Bundles: unless its definition says otherwise a bundle comes back as a whole.
    ErrBundleReturnNotAllowed = "ERR_BUNDLE_RETURN_NOT_ALLOWED",
    /// Cash on delivery: an amount of cash has whole satang and is no larger than any order's; a
    /// report's total lies within 0.01 of the sum of its items.
    CodAmountAccuracy = "COD_AMOUNT_ACCURACY",
    /// State: released orders keep their quantities, and a cancelled order is final.
    ErrOrderNotModifiable = "ERR_ORDER_NOT_MODIFIABLE",
    /// State: the status machine has no such move from where the order stands.
    ErrInvalidTransition = "ERR_INVALID_TRANSITION",
    /// State: cancelling ends at 3000, for operations with a reason at 3600.
    CancellationNotAllowed = "CANCELLATION_NOT_ALLOWED",
    /// State: an order is placed once.
    OrderExists = "ORD_002",
    /// Store scope: somebody bound to stores places orders for those only.
    LocationRestricted = "LOCATION_RESTRICTED",
    /// Any other field that breaks its form, length or range.
    Validation = "VAL_001",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// Where in the command, e.g. `lines[2].quantity`; empty for the command as a whole.
    pub path: String,
    /// What is wrong and what to do, for a person. Never holds personal data.
    pub message: String,
}

/// Every reason for which a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {}", .problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; "))]
pub struct Refusal {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl Refusal {
    /// A refusal for one reason.
    pub fn one(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        let problem = Problem {
            code,
            path: path.into(),
            message: message.into(),
        };
        Self {
            problems: vec![problem],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_name_of_a_code_is_its_text() {
        for code in Code::ALL {
            let json = serde_json::to_value(code).unwrap();
            assert_eq!(json, code.as_str());
            assert_eq!(serde_json::from_value::<Code>(json).unwrap(), *code);
        }
    }

    #[test]
    fn a_refusal_names_every_reason() {
        let mut refusal = Refusal::one(Code::MinOrderValue, "", "too small");
        refusal
            .problems
            .extend(Refusal::one(Code::Validation, "channel", "unknown").problems);
        assert_eq!(refusal.to_string(), "refused: too small; unknown");
    }
}
