//! Whose personal data it is, and under which names their keys are kept.

use std::fmt;

use domain::ids::{CustomerId, IntakeId, OrderId};

/// Keys that a subject may have one after the other; `ledger_forget` takes as many names. An erasure with nothing new
/// to erase uses none up.
pub(super) const MAX_GENERATIONS: u32 = 1024;

/// Whose personal data it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    kind: &'static str,
    id: String,
    is_new: bool,
}

impl Subject {
    /// A customer: all their orders share a key.
    pub fn customer(id: &CustomerId) -> Self {
        Self {
            kind: "customer",
            id: id.to_string(),
            is_new: false,
        }
    }

    /// An order that names no customer.
    pub fn order(id: OrderId) -> Self {
        Self {
            kind: "order",
            id: id.to_string(),
            is_new: false,
        }
    }

    /// An order that names no customer and whose id was just drawn: nobody has a key for it yet, so none is looked
    /// for.
    pub fn new_order(id: OrderId) -> Self {
        Self {
            is_new: true,
            ..Self::order(id)
        }
    }

    /// A message that could not be placed and names no customer.
    pub fn intake(id: IntakeId) -> Self {
        Self {
            kind: "intake",
            id: id.to_string(),
            is_new: false,
        }
    }

    /// Whether it can have no key yet.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    /// The names of its keys, oldest first.
    pub(super) fn key_names(&self) -> Vec<String> {
        (0..MAX_GENERATIONS).map(|n| self.key_name(n)).collect()
    }

    /// The name of the key after so many erasures: `customer:C-9`, then `customer/2:C-9`. No kind holds a slash, so
    /// no subject's name is another one's.
    pub(super) fn key_name(&self, erasures: u32) -> String {
        let Self { kind, id, .. } = self;
        match erasures {
            0 => format!("{kind}:{id}"),
            n => format!("{kind}/{}:{id}", n + 1),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_customers_key_has_the_name_of_anothers() {
        let customer = |id: &str| Subject::customer(&CustomerId::new(id).unwrap());
        assert_eq!(customer("C-9").key_name(0), "customer:C-9");
        assert_eq!(customer("C-9").key_name(1), "customer/2:C-9");
        let sly = ["C-9", "2:C-9", "/2:C-9", "customer/2:C-9"];
        let names: Vec<String> = sly
            .iter()
            .flat_map(|id| (0..3).map(|n| customer(id).key_name(n)))
            .collect();
        for (n, name) in names.iter().enumerate() {
            assert!(!names[..n].contains(name), "{name}");
        }
    }
}
