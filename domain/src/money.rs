//! Exact decimals: money, quantities and rates as counts of 1/10,000.
//!
//! On the wire all three are decimal strings (`"393.0000"`), never floats.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Units in one: four decimal places, as DECIMAL(18,4) has.
pub const SCALE: i64 = 10_000;
/// The largest magnitude of DECIMAL(18,4), in units.
pub const MAX_UNITS: i64 = 999_999_999_999_999_999;

/// Why a text is not an exact decimal of four places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a plain decimal number.
    #[error("must be a plain decimal number such as 12.50")]
    NotADecimal,
    /// More than four digits after the point.
    #[error("must have at most four decimal places")]
    TooPrecise,
    /// Outside DECIMAL(18,4).
    #[error("is too large: at most 14 digits before the point")]
    TooLarge,
}

/// Parses `-?digits[.digits]` into units of 1/10,000, exactly.
fn parse_units(text: &str) -> Result<i64, DecimalError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || digits.ends_with('.') {
        return Err(DecimalError::NotADecimal);
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > 4 {
        return Err(DecimalError::TooPrecise);
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > 14 {
        return Err(DecimalError::TooLarge);
    }
    let mut units: i64 = 0;
    for b in whole.bytes() {
        units = units * 10 + i64::from(b - b'0');
    }
    for i in 0..4 {
        let digit = significant
            .as_bytes()
            .get(i)
            .map_or(0, |b| i64::from(b - b'0'));
        units = units * 10 + digit;
    }
    Ok(if negative { -units } else { units })
}

/// The longest text of a count of units: a sign, 15 digits, a point and 4 digits.
const MAX_TEXT: usize = 21;

/// A count of units as a decimal of four places. Written by hand: a whole order is mostly decimals, and `write!` costs
/// several times as much.
struct Text {
    bytes: [u8; MAX_TEXT],
    begins: usize,
}

impl Text {
    fn of(units: i64) -> Self {
        let mut text = Self {
            bytes: [0; MAX_TEXT],
            begins: MAX_TEXT,
        };
        let mut rest = units.unsigned_abs();
        for _ in 0..4 {
            text.digit(rest % 10);
            rest /= 10;
        }
        text.put(b'.');
        // Ends: a `u64` has twenty digits.
        loop {
            text.digit(rest % 10);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if units < 0 {
            text.put(b'-');
        }
        text
    }

    fn digit(&mut self, digit: u64) {
        self.put(b'0' + u8::try_from(digit).unwrap_or_default());
    }

    /// Puts a character before those that are there.
    fn put(&mut self, character: u8) {
        self.begins = self.begins.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.begins) {
            *place = character;
        }
    }

    fn as_str(&self) -> &str {
        let written = self.bytes.get(self.begins..).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From a count of 1/10,000.
            pub const fn from_units(units: i64) -> Self {
                Self(units)
            }

            /// The count of 1/10,000.
            pub const fn units(self) -> i64 {
                self.0
            }

            /// The sum, or `None` beyond DECIMAL(18,4).
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).filter(|u| u.unsigned_abs() <= MAX_UNITS.unsigned_abs()).map(Self)
            }

            /// The difference, or `None` beyond DECIMAL(18,4).
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).filter(|u| u.unsigned_abs() <= MAX_UNITS.unsigned_abs()).map(Self)
            }

            /// The sum where it cannot come to more than is stored: at the end of the counts it stays there.
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, likewise.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// Below zero.
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// Above zero.
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Exactly zero.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Text::of(self.0).as_str())
            }
        }

        impl FromStr for $name {
            type Err = DecimalError;
            fn from_str(s: &str) -> Result<Self, DecimalError> {
                parse_units(s).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(Text::of(self.0).as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a decimal string such as \"12.50\"")
                    }
                    fn visit_str<E: de::Error>(self, s: &str) -> Result<$name, E> {
                        s.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

decimal!(
    /// An amount of Thai baht in units of 1/10,000 THB.
    Money
);
decimal!(
    /// A quantity, pieces or kilograms, in units of 1/10,000.
    Quantity
);
decimal!(
    /// A rate such as VAT 7% = `0.0700`, in units of 1/10,000.
    Rate
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_exact_decimals() {
        for (text, units) in [
            ("0", 0),
            ("-0", 0),
            ("12.5", 125_000),
            ("12.50000000", 125_000),
            ("-0.0001", -1),
            ("007", 70_000),
            ("99999999999999.9999", MAX_UNITS),
            ("-99999999999999.9999", -MAX_UNITS),
        ] {
            assert_eq!(text.parse(), Ok(Money::from_units(units)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        use DecimalError::{NotADecimal, TooLarge, TooPrecise};
        for (text, problem) in [
            ("", NotADecimal),
            ("-", NotADecimal),
            (".5", NotADecimal),
            ("5.", NotADecimal),
            ("+5", NotADecimal),
            ("1e400", NotADecimal),
            ("NaN", NotADecimal),
            ("1,000", NotADecimal),
            (" 1", NotADecimal),
            ("--1", NotADecimal),
            ("1.2.3", NotADecimal),
            ("๑", NotADecimal),
            ("1\u{0}", NotADecimal),
            ("0.00001", TooPrecise),
            ("100000000000000", TooLarge),
        ] {
            assert_eq!(text.parse::<Money>(), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn decimals_are_json_strings() {
        let money = Money::from_units(-125_000);
        assert_eq!(serde_json::to_string(&money).unwrap(), r#""-12.5000""#);
        assert_eq!(serde_json::from_str::<Money>(r#""-12.5""#).unwrap(), money);
        for number in ["12.5", "12", "null", r#""x""#] {
            assert!(serde_json::from_str::<Money>(number).is_err(), "{number}");
        }
    }

    #[test]
    fn sums_stay_inside_the_type() {
        let (max, one) = (Money::from_units(MAX_UNITS), Money::from_units(1));
        assert_eq!(max.checked_add(one), None);
        assert_eq!(Money::ZERO.checked_sub(max).unwrap().checked_sub(one), None);
        assert_eq!(max.checked_sub(one).unwrap().checked_add(one), Some(max));
        let lowest = Money::from_units(i64::MIN);
        assert_eq!(lowest.checked_add(Money::ZERO), None);
        assert_eq!(Money::ZERO.checked_sub(lowest), None);
        assert_eq!(lowest.to_string(), "-922337203685477.5808");
        for (units, text) in [
            (0, "0.0000"),
            (1, "0.0001"),
            (-1, "-0.0001"),
            (9_999, "0.9999"),
            (-9_999, "-0.9999"),
            (10_000, "1.0000"),
            (-10_000, "-1.0000"),
            (i64::MAX, "922337203685477.5807"),
        ] {
            assert_eq!(Money::from_units(units).to_string(), text);
        }
    }
}
