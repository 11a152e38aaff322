//! What a bundle costs, and what it saves against its components apart.

use super::definition::{BundleRules, Component, Definition};
use crate::{
    money::Money,
    pricing::{add, extend, portion},
};

/// What one bundle takes off the prices of its components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Saving {
    /// So much off all of them together, to be shared by value.
    Shared(Money),
    /// So much off each, in their order.
    Each(Vec<Money>),
}

impl Saving {
    /// All of it.
    pub(crate) fn total(&self) -> Option<Money> {
        match self {
            Self::Shared(total) => Some(*total),
            Self::Each(amounts) => add(amounts.iter().copied()),
        }
    }
}

impl Component {
    /// What one bundle's worth of it costs apart. `None` beyond DECIMAL(18,4).
    pub fn worth(&self) -> Option<Money> {
        extend(self.unit_price, self.quantity)
    }
}

impl BundleRules {
    /// What one bundle saves whose components cost `worths` apart. `None` where it would take more off
    /// than there is: such a bundle has no price.
    ///
    /// Percent: `round4(sum x rate)`, once per bundle.
    pub(crate) fn saving(&self, worths: &[Money]) -> Option<Saving> {
        let all = add(worths.iter().copied())?;
        let fits = |off: Money, worth: Money| !off.is_negative() && off <= worth;
        let shared = |off: Money| fits(off, all).then_some(Saving::Shared(off));
        match self {
            Self::FixedPrice { price } => shared(all.checked_sub(*price)?),
            Self::Percent { off } => shared(portion(all, *off)?),
            Self::ComponentDiscount { off } => {
                if off.len() > worths.len() {
                    return None;
                }
                let mut amounts = off.clone();
                amounts.resize(worths.len(), Money::ZERO);
                let all_fit = amounts
                    .iter()
                    .zip(worths)
                    .all(|(off, worth)| fits(*off, *worth));
                all_fit.then_some(Saving::Each(amounts))
            }
            Self::BuyXGetY { free } => {
                let mut amounts = vec![Money::ZERO; worths.len()];
                for index in free {
                    let index = usize::from(*index);
                    *amounts.get_mut(index)? = *worths.get(index)?;
                }
                Some(Saving::Each(amounts))
            }
        }
    }
}

impl Definition {
    /// What each component of one bundle costs apart. `None` beyond DECIMAL(18,4).
    pub(crate) fn worths(&self) -> Option<Vec<Money>> {
        self.components.iter().map(Component::worth).collect()
    }

    /// What the components of one bundle cost apart. `None` beyond DECIMAL(18,4).
    pub fn individual_price(&self) -> Option<Money> {
        add(self.worths()?)
    }

    /// What one bundle costs. `None` for rules that break the definition's own limits.
    pub fn price(&self) -> Option<Money> {
        let worths = self.worths()?;
        let saving = self.pricing.saving(&worths)?.total()?;
        add(worths)?
            .checked_sub(saving)
            .filter(|price| !price.is_negative())
    }
}
