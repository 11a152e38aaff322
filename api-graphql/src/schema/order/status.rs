//! Status codes as GraphQL enums.

use async_graphql::Enum;
use domain::order::{OrderStatus as Status, PaymentStatus as Payment};

/// Where an order stands; `statusCode` is the chain's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Status")]
pub enum OrderStatus {
    /// 1000
    Open,
    /// 1500
    BackOrdered,
    /// 2000
    Allocated,
    /// 3000
    Released,
    /// 3500
    InProcess,
    /// 3600
    Picked,
    /// 3700
    Packed,
    /// 7000
    Fulfilled,
    /// 7100
    Shipped,
    /// 7200
    InTransit,
    /// 7300
    OutForDelivery,
    /// 7500
    Delivered,
    /// 8000
    PendingReturn,
    /// 8500
    Returned,
    /// 9000
    Cancelled,
}

/// Where a payment stands; `paymentStatusCode` is the chain's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Payment")]
pub enum PaymentStatus {
    /// 0
    NotApplicable,
    /// 1000
    AwaitingInfo,
    /// 2000
    AwaitingAuthorisation,
    /// 3000
    Authorised,
    /// 4000
    AwaitingSettlement,
    /// 5000
    Paid,
    /// 6000
    AwaitingRefund,
    /// 7000
    Refunded,
    /// 9000
    Failed,
}
