//! Typed identifiers. A text identifier is checked where it enters and carried as a type after that.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the identifier it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {problem}")]
pub struct InvalidId {
    /// Which identifier was meant, e.g. `store id`.
    pub kind: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: String,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

uuid_id!(
    /// An order: also its stream id and its Kafka key. UUIDv7.
    OrderId
);
uuid_id!(
    /// One command as its caller names it; repeating it repeats the receipt, not the effect.
    CommandId
);

uuid_id!(
    /// A message that asked for an order: derived from its source and the sender's id, so that it has one stream.
    IntakeId
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it has the form of this identifier.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(problem) => Err(InvalidId { kind: $kind, problem }),
                }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Self::new(s)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A store: `CFR` and three digits.
    StoreId, "store id", check_store_id
);
text_id!(
    /// The number people use: `QC-YYYY-MM-DD-NNNNNN`, at least six digits.
    OrderNumber, "order number", check_order_number
);
text_id!(
    /// A customer, as the channel knows them: 1 to 50 printable characters.
    CustomerId, "customer id", check_text_50
);
text_id!(
    /// A stock-keeping unit, usually an EAN-13: 1 to 50 printable characters.
    Sku, "SKU", check_text_50
);
text_id!(
    /// A region of stores: 1 to 20 printable characters.
    RegionId, "region id", check_text_20
);

text_id!(
    /// A bundle's definition: 1 to 40 capital letters, digits, `-` and `_`.
    BundleId, "bundle id", check_bundle_id
);
text_id!(
    /// A delivery partner, such as `GRAB`: 1 to 20 capital letters, digits, `-` and `_`.
    PartnerId, "partner id", check_partner_id
);

macro_rules! blank {
    ($($name:ident),+) => {$(
        impl $name {
            /// The identifier of nothing yet: only an order that is not placed holds it.
            pub(crate) const fn blank() -> Self {
                Self(String::new())
            }
        }
    )+};
}

blank!(StoreId, OrderNumber, RegionId);

fn check_store_id(text: &str) -> Result<(), String> {
    let digits = text.strip_prefix("CFR").unwrap_or("");
    if digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("must be CFR and three digits, such as CFR029".into())
    }
}

fn check_order_number(text: &str) -> Result<(), String> {
    const FORM: &str = "must look like QC-2026-01-31-000001";
    let mut parts = text.splitn(5, '-');
    let mut next = || parts.next().unwrap_or("");
    let (prefix, y, m, d, n) = (next(), next(), next(), next(), next());
    let digits = |s: &str, len: std::ops::RangeInclusive<usize>| {
        len.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())
    };
    if prefix != "QC"
        || !digits(y, 4..=4)
        || !digits(m, 2..=2)
        || !digits(d, 2..=2)
        || !digits(n, 6..=12)
    {
        return Err(FORM.into());
    }
    match (y.parse(), m.parse(), d.parse()) {
        (Ok(y), Ok(m), Ok(d)) if chrono::NaiveDate::from_ymd_opt(y, m, d).is_some() => Ok(()),
        _ => Err("names a day that does not exist".into()),
    }
}

fn check_bundle_id(text: &str) -> Result<(), String> {
    check_token(text, 40)
}

fn check_partner_id(text: &str) -> Result<(), String> {
    check_token(text, 20)
}

/// A short name that is part of keys: no separators of ours in it.
fn check_token(text: &str, max: usize) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if !text.is_empty() && text.len() <= max && text.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(format!(
            "must have 1 to {max} capital letters, digits, hyphens or underscores"
        ))
    }
}

fn check_text_50(text: &str) -> Result<(), String> {
    check_text(text, 50)
}

fn check_text_20(text: &str) -> Result<(), String> {
    check_text(text, 20)
}

/// Checks a text that people or partners supply: not blank, at most `max` characters, no control characters
/// (PostgreSQL cannot store NUL, and no reader of ours wants the others).
pub fn check_text(text: &str, max: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        Err("must not be blank".into())
    } else if text.chars().count() > max {
        Err(format!("must have at most {max} characters"))
    } else if text.chars().any(char::is_control) {
        Err("must not contain control characters".into())
    } else {
        Ok(())
    }
}

/// Checks that a name is all that one sees of it: no white space, and no invisible characters, by which two names
/// that look alike would be two.
pub fn check_seen(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_whitespace) {
        Err("must not contain blanks".into())
    } else {
        check_visible(text)
    }
}

/// As [`check_seen`], for a name in which single blanks may stand between words.
pub fn check_visible(text: &str) -> Result<(), String> {
    let is_odd_blank = |c: char| c.is_whitespace() && c != ' ';
    if text.chars().any(|c| is_invisible(c) || is_odd_blank(c)) {
        Err("must not contain invisible characters".into())
    } else if text.contains("  ") {
        Err("must not contain two blanks in a row".into())
    } else {
        Ok(())
    }
}

/// Whether the character has no form of its own: format characters, fillers and variation selectors.
fn is_invisible(c: char) -> bool {
    is_format(c)
        || matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{2065}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character only steers how others are shown: Unicode 16, general category Cf.
pub(crate) const fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_identifiers() {
        assert!(StoreId::new("CFR029").is_ok());
        for text in ["", "CFR29", "CFR0299", "cfr029", "CFR02๙", "CFR029 "] {
            assert!(StoreId::new(text).is_err(), "{text:?}");
        }
        for text in ["QC-2024-02-29-000001", "QC-2026-12-31-999999999999"] {
            assert!(OrderNumber::new(text).is_ok(), "{text:?}");
        }
        for text in [
            "",
            "QC-2026-02-29-000001",
            "QC-2026-12-31-99999",
            "QC-2026-12-31-9999999999999",
            "QC-2026-1-31-000001",
            "QC-2026-12-31-00000-",
            "OM-2026-12-31-000001",
            "QC-๒๐๒๖-12-31-000001",
        ] {
            assert!(OrderNumber::new(text).is_err(), "{text:?}");
        }
        assert!(Sku::new("น้ำปลา ☕").is_ok());
        assert!(Sku::new("ก".repeat(50)).is_ok());
        for text in ["", " ", "a\u{0}", "a\n", "ก".repeat(51).as_str()] {
            assert!(Sku::new(text).is_err(), "{text:?}");
        }
        assert!(RegionId::new("x".repeat(21)).is_err());
    }

    #[test]
    fn a_name_is_what_one_sees() {
        for text in ["123456789-C7NVLG", "หน้า-1", "a/b:c", "ก\u{e48}"] {
            assert!(
                check_seen(text).is_ok() && check_visible(text).is_ok(),
                "{text:?}"
            );
        }
        assert!(check_visible("น้ำปลา ☕").is_ok() && check_seen("น้ำปลา ☕").is_err());
        for text in [
            "a\u{200b}b",
            "a\u{ad}b",
            "a\u{202e}b",
            "a\u{2060}b",
            "a\u{feff}b",
            "a\u{3164}b",
            "1\u{fe0f}",
            "a\u{e0041}",
            "a\u{a0}b",
            "a  b",
            "a\tb",
        ] {
            assert!(
                check_seen(text).is_err() && check_visible(text).is_err(),
                "{text:?}"
            );
        }
        // What was stored before stays readable.
        assert!(Sku::new("a\u{200b}b").is_ok());
    }

    #[test]
    fn json_is_checked_as_texts_are() {
        let store: StoreId = serde_json::from_str(r#""CFR029""#).unwrap();
        assert_eq!(serde_json::to_string(&store).unwrap(), r#""CFR029""#);
        let error = serde_json::from_str::<StoreId>(r#""""#)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("store id must be CFR and three digits"),
            "{error}"
        );
        assert!(serde_json::from_str::<OrderId>(r#""not a uuid""#).is_err());
    }
}
