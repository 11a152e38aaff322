//! Sizes, durations and switches as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A number of bytes, written `1MB`, `512KiB` or `1048576`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// Suffix and bytes, longest suffix first.
const SIZES: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        scaled(text, &SIZES, Some(1)).map(Self).ok_or_else(|| {
            format!("a size such as \"1MB\" or \"512KiB\" is expected, not {text:?}")
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(formatter, self.0, &SIZES)
    }
}

/// A span of time, written `25s`, `500ms` or `10m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// Suffix and milliseconds, longest suffix first.
const SPANS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        scaled(text, &SPANS, None)
            .map(|milliseconds| Self(Duration::from_millis(milliseconds)))
            .ok_or_else(|| {
                format!(
                    "a duration such as \"25s\", \"500ms\" or \"10m\" is expected, not {text:?}"
                )
            })
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write_scaled(formatter, milliseconds, &SPANS)
    }
}

/// Reads a whole number with a suffix; `bare` is the scale of a number without one.
fn scaled(text: &str, scales: &[(&str, u64)], bare: Option<u64>) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, suffix) = text.split_at_checked(split)?;
    let number: u64 = digits.parse().ok()?;
    let suffix = suffix.trim();
    let scale = if suffix.is_empty() {
        bare?
    } else {
        scales.iter().find(|(name, _)| *name == suffix)?.1
    };
    number.checked_mul(scale)
}

/// Writes the number with the largest suffix that leaves it whole.
fn write_scaled(
    formatter: &mut fmt::Formatter<'_>,
    number: u64,
    scales: &[(&str, u64)],
) -> fmt::Result {
    let best = scales
        .iter()
        .filter(|(_, scale)| number.is_multiple_of(*scale) && number >= *scale)
        .max_by_key(|(_, scale)| *scale);
    match best {
        Some((suffix, scale)) => write!(formatter, "{}{suffix}", number / scale),
        None => {
            let smallest = scales.iter().min_by_key(|(_, scale)| *scale);
            write!(
                formatter,
                "{number}{}",
                smallest.map_or("", |found| found.0)
            )
        }
    }
}

/// On, off, or as the circumstances are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Decided by the place that asks.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Switch {
    /// What it comes to where `auto` means `otherwise`.
    pub const fn or(self, otherwise: bool) -> bool {
        match self {
            Self::Auto => otherwise,
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "true" | "on" => Ok(Self::On),
            "false" | "off" => Ok(Self::Off),
            _ => Err(format!("\"auto\", true or false is expected, not {text:?}")),
        }
    }
}

impl Serialize for Switch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::On => serializer.serialize_bool(true),
            Self::Off => serializer.serialize_bool(false),
        }
    }
}

/// Takes text, whole numbers and truth values, all by way of their text.
struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<String, E> {
        Ok(truth.to_string())
    }
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    deserializer
        .deserialize_any(Text)?
        .parse()
        .map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_sizes() {
        for (text, bytes, again) in [
            ("1MB", 1_000_000, "1MB"),
            ("512KiB", 524_288, "512KiB"),
            ("1048576", 1_048_576, "1MiB"),
            ("0", 0, "0B"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(size, ByteSize(bytes));
            assert_eq!(size.to_string(), again);
        }
        for wrong in ["", "MB", "1 parsec", "-1", "1.5MB", "99999999999GB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_and_writes_durations() {
        for (text, milliseconds, again) in [
            ("25s", 25_000, "25s"),
            ("500ms", 500, "500ms"),
            ("120s", 120_000, "2m"),
            ("0s", 0, "0ms"),
        ] {
            let span: HumanDuration = text.parse().unwrap();
            assert_eq!(span.0, Duration::from_millis(milliseconds));
            assert_eq!(span.to_string(), again);
        }
        for wrong in ["25", "s", "1d", "-1s"] {
            assert!(wrong.parse::<HumanDuration>().is_err(), "{wrong}");
        }
    }
}
