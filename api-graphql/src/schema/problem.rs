//! Why a command had no effect: data, not faults. New kinds join the interface and break no client.

use async_graphql::{Enum, ID, Interface, SimpleObject};
use commands::CommandError;
use domain::{actor::Action, order::Code};

use crate::catalogue;

macro_rules! problem_codes {
    ($($variant:ident = $name:literal,)+) => {
        /// A stable code to branch on. `docs` of the problem explains it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[allow(missing_docs)]
        pub enum ProblemCode {
            $(#[graphql(name = $name)] $variant,)+
        }

        impl ProblemCode {
            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

problem_codes! {
    ErrInvalidOrderId = "ERR_INVALID_ORDER_ID",
    ErrInvalidLocation = "ERR_INVALID_LOCATION",
    ErrForceAllocationRequired = "ERR_FORCE_ALLOCATION_REQUIRED",
    ErrInvalidT1Member = "ERR_INVALID_T1_MEMBER",
    ErrInvalidT1Number = "ERR_INVALID_T1_NUMBER",
    ErrInvalidCustRef = "ERR_INVALID_CUST_REF",
    ErrInvalidCustomer = "ERR_INVALID_CUSTOMER",
    ErrInvalidLineItem = "ERR_INVALID_LINE_ITEM",
    ErrInvalidPaymentMethod = "ERR_INVALID_PAYMENT_METHOD",
    ErrPaymentAmountMismatch = "ERR_PAYMENT_AMOUNT_MISMATCH",
    ErrTotalMismatch = "ERR_TOTAL_MISMATCH",
    MinOrderValue = "MIN_ORDER_VALUE",
    MaxDiscountPercent = "MAX_DISCOUNT_PERCENT",
    ErrOrderNotModifiable = "ERR_ORDER_NOT_MODIFIABLE",
    ErrInvalidTransition = "ERR_INVALID_TRANSITION",
    CancellationNotAllowed = "CANCELLATION_NOT_ALLOWED",
    LocationRestricted = "LOCATION_RESTRICTED",
    Val001 = "VAL_001",
    Ord001 = "ORD_001",
    Ord002 = "ORD_002",
    VersionConflict = "VERSION_CONFLICT",
    CommandReused = "COMMAND_REUSED",
    Auth002 = "AUTH_002",
    Sys002 = "SYS_002",
}

impl From<Code> for ProblemCode {
    fn from(code: Code) -> Self {
        match code {
            Code::ErrInvalidOrderId => Self::ErrInvalidOrderId,
            Code::ErrInvalidLocation => Self::ErrInvalidLocation,
            Code::ErrForceAllocationRequired => Self::ErrForceAllocationRequired,
            Code::ErrInvalidT1Member => Self::ErrInvalidT1Member,
            Code::ErrInvalidT1Number => Self::ErrInvalidT1Number,
            Code::ErrInvalidCustRef => Self::ErrInvalidCustRef,
            Code::ErrInvalidCustomer => Self::ErrInvalidCustomer,
            Code::ErrInvalidLineItem => Self::ErrInvalidLineItem,
            Code::ErrInvalidPaymentMethod => Self::ErrInvalidPaymentMethod,
            Code::ErrPaymentAmountMismatch => Self::ErrPaymentAmountMismatch,
            Code::ErrTotalMismatch => Self::ErrTotalMismatch,
            Code::MinOrderValue => Self::MinOrderValue,
            Code::MaxDiscountPercent => Self::MaxDiscountPercent,
            Code::ErrOrderNotModifiable => Self::ErrOrderNotModifiable,
            Code::ErrInvalidTransition => Self::ErrInvalidTransition,
            Code::CancellationNotAllowed => Self::CancellationNotAllowed,
            Code::OrderExists => Self::Ord002,
            Code::LocationRestricted => Self::LocationRestricted,
            Code::Validation => Self::Val001,
        }
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
    /// The order has moved on.
    VersionConflict(VersionConflict),
    /// The commandId belongs to another command.
    CommandReused(CommandReused),
    /// No such order.
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
    /// A rule of the order forbids the command.
    RuleViolation {
        /// The rule, as its code.
        rule: String
    }
    /// `expectedVersion` is not the order's version, or others kept changing the order.
    VersionConflict {
        /// The version the command expected, where it said so.
        expected: Option<i32>,
        /// The order's version.
        actual: i32
    }
    /// The commandId was used before for another command.
    CommandReused {}
    /// No such order, or it belongs to a store outside the caller's scope.
    NotFound {}
    /// Another order has the number or the reference.
    OrderExists {
        /// The order that has it.
        order_id: ID,
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

/// A version as GraphQL's 32-bit Int; an order never has that many events.
pub(crate) fn int(version: i64) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
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
            path: $path,
            retryable: $retryable,
            docs: catalogue::docs(code.as_str()),
            $($field: $value,)*
        })
    }};
}

impl From<domain::order::Problem> for Problem {
    fn from(problem: domain::order::Problem) -> Self {
        let path = segments(&problem.path);
        match problem.code {
            Code::Validation => build!(
                InvalidInput,
                ProblemCode::Val001,
                problem.message,
                path,
                false
            ),
            code => {
                build!(RuleViolation, code.into(), problem.message, path, false, rule: code.as_str().to_owned())
            }
        }
    }
}

/// The problems of a refused command; a fault of ours as its description, which callers must not see.
pub(crate) fn problems(error: CommandError) -> Result<Vec<Problem>, String> {
    let message = error.to_string();
    Ok(match error {
        CommandError::Refused(refusal) => refusal.problems.into_iter().map(Problem::from).collect(),
        CommandError::NotFound(_) => vec![not_found(message)],
        CommandError::Forbidden { action } => vec![forbidden(action)],
        CommandError::VersionConflict { expected, actual } => {
            let path = segments("expectedVersion").filter(|_| expected.is_some());
            let expected = expected.map(int);
            vec![
                build!(VersionConflict, ProblemCode::VersionConflict, message, path, false,
                expected: expected, actual: int(actual)),
            ]
        }
        CommandError::CommandReused => {
            vec![build!(
                CommandReused,
                ProblemCode::CommandReused,
                message,
                segments("commandId"),
                false
            )]
        }
        CommandError::OrderExists { holder, value, .. } => {
            let order_id = ID::from(holder.0);
            vec![
                build!(OrderExists, ProblemCode::Ord002, message, None, false, order_id: order_id, value: value),
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

pub(crate) fn not_found(message: String) -> Problem {
    build!(
        NotFound,
        ProblemCode::Ord001,
        message,
        segments("orderId"),
        false
    )
}

pub(crate) fn forbidden(action: Action) -> Problem {
    let message = format!("your role or token may not {}", action.as_str());
    build!(Forbidden, ProblemCode::Auth002, message, None, false)
}

fn try_again(message: String, outcome_unknown: bool) -> Problem {
    build!(TryAgain, ProblemCode::Sys002, message, None, true, outcome_unknown: outcome_unknown)
}
