//! The cash ledger: who has how much of the customers' cash, as double entry.
//!
//! The domain says what an event moves ([`domain::cash`]); this model writes it down as postings and keeps what follows
//! from them: balances by store, region and partner, what is outstanding order by order, and how well each day's cash
//! was collected. A posting belongs to one store and one region: an order's to the order's, a remittance's to the
//! remittance's. So the books balance store by store, and the database refuses rows that do not. Balances are read by the
//! region in which the store is now: a store that moves takes its cash along.

mod apply;
mod days;
mod fold;
mod outstanding;
mod postings;
mod read;
mod rows;

pub(crate) use apply::{Filling, apply};
pub use days::{CollectionDay, DayFilter, MAX_DAYS, collection_days};
pub(crate) use days::{Counts, DayCell, add_up};
pub use fold::CashOrder;
pub(crate) use fold::{Booked, first_region, lines, store_region};
pub use outstanding::{
    MAX_IDS, Outstanding, OutstandingFilter, cash_order, cash_orders, explain, explain_cash_orders,
    outstanding,
};
pub use read::{
    Balance, Balances, CashFilter, Grouping, PostingRow, PostingsOf, balances, explain_postings,
    postings,
};
pub(crate) use rows::{load_orders, load_regions, load_stores};
