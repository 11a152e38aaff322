//! The key of a remittance.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, PartnerId, StoreId};

/// Partner, store and Bangkok business day: `GRAB:CFR029:2026-11-24`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RemittanceId {
    partner: PartnerId,
    store: StoreId,
    day: NaiveDate,
}

impl RemittanceId {
    /// The remittance of a partner, a store and a business day.
    pub const fn new(partner: PartnerId, store: StoreId, day: NaiveDate) -> Self {
        Self {
            partner,
            store,
            day,
        }
    }

    /// The partner that owes.
    pub const fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// The store that is owed.
    pub const fn store(&self) -> &StoreId {
        &self.store
    }

    /// The Bangkok business day on which the cash was collected.
    pub const fn day(&self) -> NaiveDate {
        self.day
    }
}

impl fmt::Display for RemittanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.day.format("%Y-%m-%d");
        write!(f, "{}:{}:{day}", self.partner, self.store)
    }
}

impl FromStr for RemittanceId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId {
            kind: "remittance id",
            problem: "must look like GRAB:CFR029:2026-01-31".into(),
        };
        let mut parts = text.split(':');
        let (Some(partner), Some(store), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let id = Self {
            partner: PartnerId::new(partner)?,
            store: StoreId::new(store)?,
            day: NaiveDate::parse_from_str(day, "%Y-%m-%d").map_err(|_| wrong())?,
        };
        // One remittance, one spelling.
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for RemittanceId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<RemittanceId> for String {
    fn from(id: RemittanceId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        let text = "GRAB:CFR029:2026-11-24";
        let id: RemittanceId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(
            (id.partner().as_str(), id.store().as_str()),
            ("GRAB", "CFR029")
        );
        for wrong in [
            "",
            "GRAB:CFR029",
            "grab:CFR029:2026-11-24",
            "GRAB:CFR029:2026-2-1",
            "GRAB:CFR029:2026-02-30",
            "GRAB:CFR029:2026-11-24:",
            "GRAB:X:2026-11-24",
        ] {
            assert!(wrong.parse::<RemittanceId>().is_err(), "{wrong:?}");
        }
    }
}
