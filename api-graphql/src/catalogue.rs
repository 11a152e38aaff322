//! Every problem code with its title and what to do about it: the target of `docs` and of RFC 9457 `type`.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// A documented code: underscore in GraphQL, hyphen over HTTP.
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) advice: &'static str,
}

macro_rules! entries {
    ($($code:literal $title:literal $advice:literal)+) => {
        &[$(Entry { code: $code, title: $title, advice: $advice }),+]
    };
}

pub(crate) const ENTRIES: &[Entry] = entries! {
    "ERR_INVALID_ORDER_ID" "The order number has not the form of ours" "Leave `number` out and one is assigned."
    "ERR_INVALID_LOCATION" "The store is missing, unknown or not active" "Send the `storeId` of an active store."
    "ERR_FORCE_ALLOCATION_REQUIRED" "Force allocation is required" "Send `isForceAllocation: true`."
    "ERR_INVALID_T1_MEMBER" "The loyalty membership cannot be used" "Correct `t1MembershipId` or leave it out."
    "ERR_INVALID_T1_NUMBER" "The loyalty number cannot be used" "Correct `t1Number` or leave it out."
    "ERR_INVALID_CUST_REF" "The customer reference cannot be used" "Correct `custRef` or leave it out."
    "ERR_INVALID_CUSTOMER" "The customer is unknown or not active" "Correct `customerId` or leave it out."
    "ERR_INVALID_LINE_ITEM" "A line breaks a rule" "See `path` and `message`; an order has 1 to 20 lines."
    "ERR_INVALID_PAYMENT_METHOD" "The payment method is not offered here" "Pay by COD within the store's limit."
    "ERR_PAYMENT_AMOUNT_MISMATCH" "The amount is not the cash due" "Send the order's `totals.cashDue`."
    "ERR_TOTAL_MISMATCH" "The stated total is not ours" "Compute the total again or leave `expectedTotal` out."
    "MIN_ORDER_VALUE" "The order is too small" "Orders start at 10.00 THB."
    "MAX_DISCOUNT_PERCENT" "The discounts are too large" "At most 90% of the original prices."
    "ERR_ORDER_NOT_MODIFIABLE" "The order is final" "A cancelled order stays cancelled: place a new one."
    "ERR_INVALID_TRANSITION" "The order cannot move there from its status" "Read the order; see `allowedCommands`."
    "CANCELLATION_NOT_ALLOWED" "It is too late to cancel" "Up to 3000; operations up to 3600 with a reason."
    "LOCATION_RESTRICTED" "Another store's order" "Place orders for your own stores."
    "VAL_001" "A field breaks its form, length or range" "See `path` and `message`."
    "ORD_001" "The order is not known" "Check the id. An order of a store outside your scope is not known to you."
    "ORD_002" "The order exists already" "Read the order that `orderId` names, or send a reference of its own."
    "VERSION_CONFLICT" "The order has moved on" "Read it again and decide anew."
    "COMMAND_REUSED" "The commandId was used for another command" "A new command needs a new id."
    "AUTH_001" "Not signed in" "Send a valid bearer token."
    "AUTH_002" "Not allowed" "Ask somebody whose role may, or for a token with the scope."
    "SYS_001" "The ledger failed" "Report the trace id."
    "SYS_002" "The ledger cannot answer just now" "Send the same command with the same commandId again."
    "REQ_001" "The method is not allowed" "POST, or GET for queries only."
    "REQ_002" "The content type is not supported" "Send `Content-Type: application/json`."
    "REQ_003" "No acceptable answer" "Accept application/graphql-response+json or application/json."
    "REQ_004" "The body is too large" "At most 1 MB."
    "REQ_005" "The request cannot be read" "Send a JSON object with a `query` string."
    "REQ_006" "Batches are not taken" "Send one operation a request."
    "REQ_007" "No such page" "See /graphiql."
    "SYS_003" "Too many requests at once" "Wait as long as Retry-After says."
};

pub(crate) fn entry(code: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|e| e.code == code)
}

/// Where a code is explained.
pub(crate) fn docs(code: &str) -> String {
    format!("/problems/{code}")
}

/// `GET /problems/{code}`: the code in words.
pub(crate) async fn page(Path(code): Path<String>) -> Response {
    match entry(&code.replace('-', "_")) {
        Some(e) => format!("{}\n\n{}.\n{}\n", e.code, e.title, e.advice).into_response(),
        None => (StatusCode::NOT_FOUND, "No such problem code.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_once() {
        for (at, e) in ENTRIES.iter().enumerate() {
            assert!(
                ENTRIES
                    .iter()
                    .skip(at + 1)
                    .all(|other| other.code != e.code),
                "{} twice",
                e.code
            );
        }
        for code in domain::order::Code::ALL {
            assert!(entry(code.as_str()).is_some(), "{code} is not explained");
        }
    }
}
