//! Every problem code with its title and what to do about it: the target of `docs` and of RFC 9457 `type`.

use axum::{
    extract::{Path, Request},
    response::{IntoResponse, Response},
};

use crate::{
    context::RequestContext,
    http::{problem::HttpProblem, turned},
};

/// A documented code: underscore in GraphQL, hyphen over HTTP.
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    /// The HTTP status it stands for.
    pub(crate) status: u16,
    pub(crate) title: &'static str,
    pub(crate) advice: &'static str,
}

macro_rules! entries {
    ($($code:literal $status:literal $title:literal $advice:literal)+) => {
        &[$(Entry { code: $code, status: $status, title: $title, advice: $advice }),+]
    };
}

pub(crate) const ENTRIES: &[Entry] = entries! {
    "ERR_INVALID_ORDER_ID" 400 "The order number has not the form of ours" "Leave `number` out and one is assigned."
    "ERR_INVALID_LOCATION" 400 "The store is missing, unknown or not active" "Send the `storeId` of an active store."
    "ERR_FORCE_ALLOCATION_REQUIRED" 400 "Force allocation is required" "Send `isForceAllocation: true`."
    "ERR_INVALID_T1_MEMBER" 400 "The loyalty membership cannot be used" "Correct `t1MembershipId` or leave it out."
    "ERR_INVALID_T1_NUMBER" 400 "The loyalty number cannot be used" "Correct `t1Number` or leave it out."
    "ERR_INVALID_CUST_REF" 400 "The customer reference cannot be used" "Correct `custRef` or leave it out."
    "ERR_INVALID_CUSTOMER" 400 "The customer is unknown or not active" "Correct `customerId` or leave it out."
    "ERR_INVALID_LINE_ITEM" 400 "A line breaks a rule" "See `path` and `message`; an order has 1 to 20 lines."
    "ERR_INVALID_PAYMENT_METHOD" 400 "The payment method is not offered here" "Pay by COD within the store's limit."
    "ERR_PAYMENT_AMOUNT_MISMATCH" 400 "The amount is not the cash due" "Send the order's `totals.cashDue`."
    "ERR_TOTAL_MISMATCH" 400 "The stated total is not ours" "Compute the total again or leave `expectedTotal` out."
    "MIN_ORDER_VALUE" 400 "The order is too small" "Orders start at 10.00 THB."
    "MAX_DISCOUNT_PERCENT" 400 "The discounts are too large" "At most 90% of the original prices."
    "ERR_ORDER_NOT_MODIFIABLE" 403 "The order is final" "A cancelled order stays cancelled: place a new one."
    "ERR_INVALID_TRANSITION" 409 "The order cannot move there from its status" "Read the order; see `allowedCommands`."
    "CANCELLATION_NOT_ALLOWED" 409 "It is too late to cancel" "Up to 3000; operations up to 3600 with a reason."
    "LOCATION_RESTRICTED" 403 "Another store's order" "Place orders for your own stores."
    "ERR_INVALID_BUNDLE" 400 "A bundle breaks a rule" "See `path` and `message`."
    "ERR_INVALID_BUNDLE_SKU" 404 "The bundle is unknown or retired" "See the query `bundles` for those that are offered."
    "ERR_BUNDLE_INCOMPLETE" 400 "Components of the bundle are missing" "Send the bundle's own SKU, or all components in the defined quantities."
    "ERR_BUNDLE_NOT_AVAILABLE" 409 "The bundle is not sold here or now" "See its `stores` and `schedule`."
    "ERR_BUNDLE_ALLOCATION_FAILED" 500 "A broken bundle cannot be allocated" "The order waits at 1500; mend it or cancel it."
    "ERR_BUNDLE_MODIFICATION_NOT_ALLOWED" 403 "A bundle is changed as a whole" "Set all of its components to nothing, or none."
    "ERR_BUNDLE_RETURN_NOT_ALLOWED" 409 "A bundle comes back as a whole" "Return all of its components in their quantities."
    "BUNDLE_EXISTS" 409 "The bundle exists already" "Revise it, or choose another id."
    "BUNDLE_NOT_FOUND" 404 "The bundle is not known" "Check the id."
    "STORE_EXISTS" 409 "The store exists already" "Change it, or choose another id."
    "STORE_NOT_FOUND" 404 "The store is not known" "Check the id."
    "REMITTANCE_NOT_FOUND" 404 "The remittance is not known" "Check the id. One of a store outside your scope is not known to you."
    "DEAD_LETTER_NOT_FOUND" 404 "The dead letter is not known" "Check the id."
    "PRICE_INCREASE_LIMIT_EXCEEDED" 400 "The other product costs too much" "At most 20% above the price approved when ordering, for a component its own limit."
    "SUBSTITUTION_NOT_ALLOWED" 409 "The product cannot be replaced" "See `allowSubstitution`, the line's bundle and the open `offers`; else report it short."
    "COD_AMOUNT_ACCURACY" 400 "The amount of cash cannot be right" "Whole satang, no more than an order may cost; a total is the sum of its items."
    "VAL_001" 400 "A field breaks its form, length or range" "See `path` and `message`."
    "ORD_001" 404 "The order is not known" "Check the id. An order of a store outside your scope is not known to you."
    "ORD_002" 409 "The order exists already" "Read the order that `orderId` names, or send a reference of its own."
    "VERSION_CONFLICT" 409 "The order has moved on" "Read it again and decide anew."
    "COMMAND_REUSED" 422 "The commandId was used for another command" "A new command needs a new id."
    "AUTH_001" 401 "Not signed in" "Send a valid bearer token."
    "AUTH_002" 403 "Not allowed" "Ask somebody whose role may, or for a token with the scope."
    "SYS_001" 500 "The ledger failed" "Report the trace id."
    "SYS_002" 503 "The ledger cannot answer just now" "Send the same command with the same commandId again."
    "REQ_001" 405 "The method is not allowed" "POST, or GET for queries only."
    "REQ_002" 415 "The content type is not supported" "Send `Content-Type: application/json`."
    "REQ_003" 406 "No acceptable answer" "Accept application/graphql-response+json or application/json."
    "REQ_004" 413 "The body is too large" "At most 1 MB."
    "REQ_005" 400 "The request cannot be read" "Send a JSON object with a `query` string."
    "REQ_006" 400 "Batches are not taken" "Send one operation a request."
    "REQ_007" 404 "No such page" "See /graphiql."
    "REQ_008" 429 "The quota of a minute is spent" "Nothing was done: wait as long as Retry-After says and send the same again."
    "FEED_001" 400 "A parameter of the event feed cannot be used" "See `detail`; the parameters are after, types, store, limit and wait."
    "FEED_002" 409 "The cursor is ahead of the log" "Stop: the ledger was restored to an earlier state, or the cursor is another ledger's."
    "FEED_003" 429 "Too many streams or waiting reads at once" "Close one, or wait as long as Retry-After says."
    "SYS_003" 503 "Too many requests at once" "Wait as long as Retry-After says."
};

pub(crate) fn entry(code: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|e| e.code == code)
}

/// The HTTP status that a code stands for; 500 for one that is not explained, which a test rules out.
pub(crate) fn status(code: &str) -> i32 {
    entry(code).map_or(500, |e| i32::from(e.status))
}

/// Where a code is explained.
pub(crate) fn docs(code: &str) -> String {
    format!("/problems/{code}")
}

/// `GET /problems/{code}`: the code in words.
pub(crate) async fn page(Path(code): Path<String>, request: Request) -> Response {
    match entry(&code.replace('-', "_")) {
        Some(e) => format!(
            "{}\n\n{}.\n{}\nHTTP status {}.\n",
            e.code, e.title, e.advice, e.status
        )
        .into_response(),
        None => turned(HttpProblem::no_such_code(), &RequestContext::of(&request)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::problem::ProblemCode;

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
        for code in domain::refusal::Code::ALL {
            assert!(entry(code.as_str()).is_some(), "{code} is not explained");
        }
        for code in ProblemCode::ALL {
            assert!(entry(code.as_str()).is_some(), "{code:?} is not explained");
        }
    }

    #[test]
    fn codes_stand_for_the_statuses_of_the_chain() {
        // As the chain's own systems answer over HTTP.
        for (code, expected) in [
            ("ERR_INVALID_BUNDLE_SKU", 404),
            ("ERR_BUNDLE_INCOMPLETE", 400),
            ("ERR_BUNDLE_NOT_AVAILABLE", 409),
            ("ERR_BUNDLE_MODIFICATION_NOT_ALLOWED", 403),
            ("ERR_BUNDLE_ALLOCATION_FAILED", 500),
            ("PRICE_INCREASE_LIMIT_EXCEEDED", 400),
            ("CANCELLATION_NOT_ALLOWED", 409),
            ("ERR_ORDER_NOT_MODIFIABLE", 403),
            ("LOCATION_RESTRICTED", 403),
            ("ORD_001", 404),
            ("ORD_002", 409),
            ("VAL_001", 400),
            ("AUTH_001", 401),
            ("AUTH_002", 403),
            ("SYS_001", 500),
            ("SYS_002", 503),
        ] {
            assert_eq!(status(code), expected, "{code}");
        }
    }
}
