//! What a decision needs to know that is not in the order's own history.

use chrono::{DateTime, Utc};

use super::event::SealedContact;
use crate::{
    ids::{OrderNumber, RegionId},
    money::Money,
};

/// The world at the moment of a decision, gathered by the shell.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// The order's store, `None` when nobody knows it.
    pub store: Option<StoreFacts>,
    /// The number to assign where the caller brought none: present when placing.
    pub number: Option<OrderNumber>,
    /// The contact sealed in its normalised form: present when placing with one that
    /// [`super::command::Contact::normalised`] leaves anything of.
    pub contact: Option<SealedContact>,
    /// What the customer directory says (Rule G).
    pub customer: Standing,
    /// What the loyalty programme says (Rule D).
    pub membership: Standing,
}

/// What is known of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFacts {
    /// Its region.
    pub region: RegionId,
    /// Whether it trades.
    pub active: bool,
    /// The most cash an order may be paid with there; `None` where cash on delivery is not offered.
    pub cod_limit: Option<Money>,
}

/// The answer of an outside directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No directory is configured, or nothing was asked.
    NotChecked,
    /// Known and active.
    Active,
    /// Known, not active.
    Inactive,
    /// Not known.
    Unknown,
    /// The directory could not be reached: a warning, never a refusal.
    Unreachable,
}
