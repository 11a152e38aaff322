//! Lets a shell that has a clock time the steps of a decision. The domain has none.

/// A step of placing an order, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The rules are checked, and bundles recognised.
    Validate,
    /// What the caller left blank is taken from the product catalogue.
    Enrich,
    /// The sums are computed, and their limits checked.
    Calculate,
}

impl Step {
    /// Every step.
    pub const ALL: &'static [Self] = &[Self::Validate, Self::Enrich, Self::Calculate];

    /// The step's name in metrics and metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Enrich => "enrich",
            Self::Calculate => "calculate",
        }
    }
}

/// Told of each step as soon as it is done; `()` does not care. A step that an earlier failure left nothing to
/// do for is told of all the same.
pub trait Probe {
    /// The step is done.
    fn step(&mut self, done: Step);
}

impl Probe for () {
    fn step(&mut self, _done: Step) {}
}
