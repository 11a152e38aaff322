//! The order: its words ([`command`], [`event`], [`refusal`], [`status`]), its state ([`Order`]) and
//! its decisions ([`decide`]).

pub mod command;
mod decide;
pub mod event;
pub mod facts;
pub mod refusal;
mod state;
pub mod status;
#[cfg(test)]
mod tests;
pub mod upcast;
mod validate;

pub use command::OrderCommand;
pub use decide::decide;
pub use event::OrderEvent;
pub use facts::Facts;
pub use refusal::{Code, Problem, Refusal};
pub use state::{LineState, Order, Payment};
pub use status::{OrderStatus, PaymentStatus};
