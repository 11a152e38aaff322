//! Named fragments where they are spread.

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, FragmentSpread};

use crate::limits::MAX_FRAGMENT_DEPTH;

/// The fragment that is spread. `within` so many others: `None` where they are more than the meter lets pass, so that
/// whoever walks fragments comes to an end, and for one that is not there.
pub(super) fn spread<'d>(
    document: &'d ExecutableDocument,
    spread: &FragmentSpread,
    within: usize,
) -> Option<&'d FragmentDefinition> {
    if within > MAX_FRAGMENT_DEPTH {
        return None;
    }
    let fragment = document.fragments.get(&spread.fragment_name.node)?;
    Some(&fragment.node)
}
