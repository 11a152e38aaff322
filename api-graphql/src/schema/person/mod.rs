//! Erasing a person.

pub mod mutation;
