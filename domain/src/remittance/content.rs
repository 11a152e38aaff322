//! What a report says, in few bytes.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::money::Money;

/// Never changes: states of before are compared with what it names.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_7be1_9a3d_4e64_8d21_b6a7_c0f9_3e52);

/// A name for what a report says of its references, the same in whatever order it lists them. What
/// orders the references name does not count: the ledger may know more of them later.
pub(super) fn of<'a>(items: impl Iterator<Item = (&'a str, Money)>) -> Uuid {
    let mut items: Vec<(&str, Money)> = items.collect();
    items.sort_unstable();
    let mut text = String::new();
    for (reference, amount) in items {
        // With its length in front no reference can run into the next one. Writing to a text never
        // fails.
        let _written = write!(text, "{}:{reference}={};", reference.len(), amount.units());
    }
    Uuid::new_v5(&NAMESPACE, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_items_is_no_content() {
        let (a, b) = (("A", Money::from_units(100)), ("B", Money::from_units(200)));
        let named = |items: &[(&'static str, Money)]| of(items.iter().copied());
        assert_eq!(named(&[a, b]), named(&[b, a]));
        assert_ne!(named(&[a, b]), named(&[a]));
        assert_ne!(named(&[a, a]), named(&[a]));
        assert_ne!(named(&[("A", b.1)]), named(&[a]));
        assert_ne!(named(&[("A=100;1:B", b.1)]), named(&[a, b]));
    }

    #[test]
    fn names_never_change() {
        let items = [("QC-2026-11-24-000001", Money::from_units(3_930_000))];
        assert_eq!(
            of(items.into_iter()).to_string(),
            "37c38b1c-d8f8-51f9-8df9-175001cd7a54"
        );
        assert_eq!(
            of(std::iter::empty()).to_string(),
            "829677b5-ffaf-51e0-87ee-92befd9d0331"
        );
    }
}
