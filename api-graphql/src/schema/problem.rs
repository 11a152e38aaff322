//! Why a command had no effect: data, not faults. New kinds join the interface and break no client.

use async_graphql::{Enum, ID, Interface, SimpleObject};
use commands::CommandError;
use domain::{actor::Action, refusal::Code};

use super::command::Topic;
use crate::catalogue;

macro_rules! problem_codes {
    (rules { $($rule:ident = $rule_name:literal,)+ } ours { $($our:ident = $our_name:literal,)+ }) => {
        /// A stable code to branch on. `docs` of the problem explains it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[allow(missing_docs)]
        pub enum ProblemCode {
            $(#[graphql(name = $rule_name)] $rule,)+
            $(#[graphql(name = $our_name)] $our,)+
        }

        impl ProblemCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)+ $(Self::$our,)+];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$rule => $rule_name,)+
                    $(Self::$our => $our_name,)+
                }
            }
        }

        /// Every code of the domain has one of the same name here.
        impl From<Code> for ProblemCode {
            fn from(code: Code) -> Self {
                match code {
                    $(Code::$rule => Self::$rule,)+
                }
            }
        }
    };
}

problem_codes! {
    rules {
        ErrInvalidOrderId = "ERR_INVALID_ORDER_ID",
        ErrInvalidLocation = "ERR_INVALID_LOCATION",
        ErrForceAllocationRequired = "ERR_FORCE_ALLOCATION_REQUIRED",
        ErrInvalidT1Member = "ERR_INVALID_T1_MEMBER",
        ErrInvalidT1Number = "ERR_INVALID_T1_NUMBER",
        ErrInvalidCustRef = "ERR_INVALID_CUST_REF",
        ErrInvalidCustomer = "ERR_INVALID_CUSTOMER",
        ErrInvalidLineItem = "ERR_INVALID_LINE_ITEM",
        ErrInvalidBundle = "ERR_INVALID_BUNDLE",
        ErrInvalidBundleSku = "ERR_INVALID_BUNDLE_SKU",
        ErrBundleIncomplete = "ERR_BUNDLE_INCOMPLETE",
        ErrBundleNotAvailable = "ERR_BUNDLE_NOT_AVAILABLE",
        ErrBundleAllocationFailed = "ERR_BUNDLE_ALLOCATION_FAILED",
        ErrBundleModificationNotAllowed = "ERR_BUNDLE_MODIFICATION_NOT_ALLOWED",
        ErrBundleReturnNotAllowed = "ERR_BUNDLE_RETURN_NOT_ALLOWED",
        BundleExists = "BUNDLE_EXISTS",
        StoreExists = "STORE_EXISTS",
        PriceIncreaseLimitExceeded = "PRICE_INCREASE_LIMIT_EXCEEDED",
        SubstitutionNotAllowed = "SUBSTITUTION_NOT_ALLOWED",
        CodAmountAccuracy = "COD_AMOUNT_ACCURACY",
        ErrInvalidPaymentMethod = "ERR_INVALID_PAYMENT_METHOD",
        ErrPaymentAmountMismatch = "ERR_PAYMENT_AMOUNT_MISMATCH",
        ErrTotalMismatch = "ERR_TOTAL_MISMATCH",
        MinOrderValue = "MIN_ORDER_VALUE",
        MaxDiscountPercent = "MAX_DISCOUNT_PERCENT",
        ErrOrderNotModifiable = "ERR_ORDER_NOT_MODIFIABLE",
        ErrInvalidTransition = "ERR_INVALID_TRANSITION",
        CancellationNotAllowed = "CANCELLATION_NOT_ALLOWED",
        OrderExists = "ORD_002",
        LocationRestricted = "LOCATION_RESTRICTED",
        Validation = "VAL_001",
    }
    ours {
        OrderNotFound = "ORD_001",
        BundleNotFound = "BUNDLE_NOT_FOUND",
        StoreNotFound = "STORE_NOT_FOUND",
        RemittanceNotFound = "REMITTANCE_NOT_FOUND",
        DeadLetterNotFound = "DEAD_LETTER_NOT_FOUND",
        VersionConflict = "VERSION_CONFLICT",
        CommandReused = "COMMAND_REUSED",
        Forbidden = "AUTH_002",
        TryAgain = "SYS_002",
    }
}

/// Why a command had no effect.
// Several fields have one type, which the lint takes for a repeated attribute.
#[allow(clippy::duplicated_attributes)]
#[derive(Debug, Clone, Interface)]
#[graphql(
    field(
        name = "code",
        ty = "&ProblemCode",
        desc = "A stable code to branch on."
    ),
    field(
        name = "message",
        ty = "&String",
        desc = "What is wrong and what to do, for a person."
    ),
    field(
        name = "status",
        ty = "&i32",
        desc = "The HTTP status that the code stands for."
    ),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "The input field, from `input` on."
    ),
    field(
        name = "retryable",
        ty = "&bool",
        desc = "The same command with the same commandId may succeed later."
    ),
    field(
        name = "docs",
        ty = "&String",
        desc = "Where the code is explained, on this server."
    )
)]
pub enum Problem {
    /// A field breaks its form.
    InvalidInput(InvalidInput),
    /// A rule forbids it.
    RuleViolation(RuleViolation),
    /// What the command is about has moved on.
    VersionConflict(VersionConflict),
    /// The commandId belongs to another command.
    CommandReused(CommandReused),
    /// No such order, bundle, store, remittance or dead letter.
    NotFound(NotFound),
    /// The number or a reference is taken.
    OrderExists(OrderExists),
    /// The role or the token may not.
    Forbidden(Forbidden),
    /// Not just now.
    TryAgain(TryAgain),
}

macro_rules! problem_types {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, SimpleObject)]
            pub struct $name {
                /// A stable code to branch on.
                pub code: ProblemCode,
                /// What is wrong and what to do, for a person.
                pub message: String,
                /// The HTTP status that the code stands for.
                pub status: i32,
                /// The input field, from `input` on.
                pub path: Option<Vec<String>>,
                /// The same command with the same commandId may succeed later.
                pub retryable: bool,
                /// Where the code is explained, on this server.
                pub docs: String,
                $($(#[$field_doc])* pub $field: $ty,)*
            }
        )+
    };
}

problem_types! {
    /// A field breaks its form, length or range.
    InvalidInput {}
    /// A rule forbids the command.
    RuleViolation {
        /// The rule, as its code.
        rule: String
    }
    /// `expectedVersion` is not the version it has, or others kept changing it.
    VersionConflict {
        /// The version the command expected, where it said so.
        expected: Option<i32>,
        /// The order's version.
        actual: i32
    }
    /// The commandId was used before for another command.
    CommandReused {}
    /// No such order, bundle, store, remittance or dead letter, or one of a store outside the caller's scope.
    NotFound {}
    /// Another order has the number or the reference.
    OrderExists {
        /// The order that has it; null where the caller may not see it.
        order_id: Option<ID>,
        /// The number or reference that is taken.
        value: String
    }
    /// The caller's role or token may not do this.
    Forbidden {}
    /// The ledger could not take the command just now.
    TryAgain {
        /// The command may have been carried out: only a repeat with the same commandId tells.
        outcome_unknown: bool
    }
}

/// A version as GraphQL's 32-bit Int; nothing ever has that many events.
pub(crate) fn int(version: i64) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// A count as GraphQL's 32-bit Int; none is ever that large.
pub(crate) fn count(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// `lines[2].quantity` as `["input", "lines", "2", "quantity"]`; the whole command as nothing.
fn segments(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return None;
    }
    let inner = path
        .split(['.', '[', ']'])
        .filter(|s| !s.is_empty())
        .map(str::to_owned);
    Some(std::iter::once("input".to_owned()).chain(inner).collect())
}

macro_rules! build {
    ($name:ident, $code:expr, $message:expr, $path:expr, $retryable:expr $(, $field:ident: $value:expr)*) => {{
        let code: ProblemCode = $code;
        Problem::$name($name {
            code,
            message: $message,
            status: catalogue::status(code.as_str()),
            path: $path,
            retryable: $retryable,
            docs: catalogue::docs(code.as_str()),
            $($field: $value,)*
        })
    }};
}

impl From<domain::refusal::Problem> for Problem {
    fn from(problem: domain::refusal::Problem) -> Self {
        refused(&problem.path, problem.code, problem.message)
    }
}

fn refused(path: &str, code: Code, message: String) -> Problem {
    let path = segments(path);
    match ProblemCode::from(code) {
        code @ ProblemCode::Validation => build!(InvalidInput, code, message, path, false),
        code => {
            build!(RuleViolation, code, message, path, false, rule: code.as_str().to_owned())
        }
    }
}

/// The problems of a refused command; a fault of ours as its description, which callers must not see.
pub(crate) fn problems<E: Topic>(error: CommandError) -> Result<Vec<Problem>, String> {
    let message = error.to_string();
    Ok(match error {
        CommandError::Refused(refusal) => {
            let problems = refusal.problems.into_iter();
            problems
                .map(|p| refused(E::field(&p.path), p.code, p.message))
                .collect()
        }
        CommandError::NotFound { .. } => vec![not_found::<E>(message)],
        CommandError::Forbidden { action } => vec![forbidden(action)],
        CommandError::OtherPartner { .. } => {
            let (code, path) = (ProblemCode::Forbidden, segments("partnerId"));
            vec![build!(Forbidden, code, message, path, false)]
        }
        CommandError::VersionConflict { expected, actual } => {
            let path = segments("expectedVersion").filter(|_| expected.is_some());
            let expected = expected.map(int);
            vec![
                build!(VersionConflict, ProblemCode::VersionConflict, message, path, false,
                expected: expected, actual: int(actual)),
            ]
        }
        CommandError::CommandReused => {
            vec![reused("commandId", message)]
        }
        CommandError::OrderExists { holder, value, .. } => {
            let order_id = holder.map(ID::from);
            vec![
                build!(OrderExists, ProblemCode::OrderExists, message, None, false, order_id: order_id, value: value),
            ]
        }
        CommandError::OutcomeUnknown => vec![try_again(message, true)],
        CommandError::DeadlineExceeded | CommandError::Overloaded => {
            vec![try_again(message, false)]
        }
        CommandError::Unavailable(why) => {
            tracing::warn!(%why, "a command could not reach the log");
            vec![try_again(
                "the ledger cannot reach its database; send the command again".into(),
                false,
            )]
        }
        CommandError::Internal(why) => return Err(why),
    })
}

/// What an id that has not the form of one names: nothing.
pub(crate) fn unknown<E: Topic>() -> Problem {
    not_found::<E>(format!("the {} is not known; check the id", E::TYPE))
}

fn not_found<E: Topic>(message: String) -> Problem {
    build!(NotFound, E::UNKNOWN, message, segments(E::ID_FIELD), false)
}

/// The name that this input field gives belongs to something else.
pub(crate) fn reused(field: &str, message: String) -> Problem {
    let code = ProblemCode::CommandReused;
    build!(CommandReused, code, message, segments(field), false)
}

pub(crate) fn forbidden(action: Action) -> Problem {
    let message = format!("your role or token may not {}", action.as_str());
    build!(Forbidden, ProblemCode::Forbidden, message, None, false)
}

fn try_again(message: String, outcome_unknown: bool) -> Problem {
    build!(TryAgain, ProblemCode::TryAgain, message, None, true, outcome_unknown: outcome_unknown)
}
