//! Scalars. Each takes strings only and checks them before anything runs; exact decimals never pass through a
//! float.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, NaiveDate, SecondsFormat, Utc};
use domain::money::{Money, Quantity, Rate};
use uuid::Uuid as RawUuid;

/// The longest text looked at as a scalar.
const MAX_SCALAR_CHARS: usize = 64;

macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty) as $graphql:literal, $parse:expr, $print:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $inner);

        $(#[$doc])*
        #[Scalar(name = $graphql)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                let parse: fn(&str) -> Option<$inner> = $parse;
                let parsed = match &value {
                    Value::String(text) => parse(text),
                    _ => None,
                };
                parsed.map(Self).ok_or_else(|| InputValueError::expected_type(value))
            }

            fn is_valid(value: &Value) -> bool {
                refuses($graphql, value).is_none()
            }

            fn to_value(&self) -> Value {
                let print: fn(&$inner) -> String = $print;
                Value::String(print(&self.0))
            }
        }
    };
}

text_scalar!(
    /// An exact decimal as a string, such as "393.0000": at most 14 digits before the point and 4 behind it.
    /// Never a number: JSON numbers are floats to most clients.
    Decimal(Money) as "Decimal",
    |text| text.parse().ok(),
    Money::to_string
);

impl From<Money> for Decimal {
    fn from(money: Money) -> Self {
        Self(money)
    }
}

impl From<Quantity> for Decimal {
    fn from(quantity: Quantity) -> Self {
        Self(Money::from_units(quantity.units()))
    }
}

impl From<Rate> for Decimal {
    fn from(rate: Rate) -> Self {
        Self(Money::from_units(rate.units()))
    }
}

impl From<Decimal> for Quantity {
    fn from(decimal: Decimal) -> Self {
        Self::from_units(decimal.0.units())
    }
}

impl From<Decimal> for Rate {
    fn from(decimal: Decimal) -> Self {
        Self::from_units(decimal.0.units())
    }
}

text_scalar!(
    /// A UUID (RFC 9562), such as "0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11".
    Uuid(RawUuid) as "UUID",
    |text| text.parse().ok(),
    RawUuid::to_string
);
text_scalar!(
    /// A moment in UTC (RFC 3339), such as "2026-01-31T09:30:00.000Z".
    DateTime(ChronoDateTime<Utc>) as "DateTime",
    |text| ChronoDateTime::parse_from_rfc3339(text).ok().map(|t| t.to_utc()),
    |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
);
text_scalar!(
    /// A day in Bangkok, such as "2026-01-31".
    Date(NaiveDate) as "Date",
    date,
    |day| day.format("%Y-%m-%d").to_string()
);
text_scalar!(
    /// A place in the log. Opaque: take it from a receipt and hand it to `fresh.minPosition`.
    Position(store::Position) as "Position",
    |text| text.parse().ok().filter(|n| *n >= 0).map(store::Position),
    |position| position.0.to_string()
);

/// A day in its one spelling.
fn date(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (day.format("%Y-%m-%d").to_string() == text).then_some(day)
}

/// What a scalar wanted instead of `value`, or nothing when the value will do.
pub(crate) fn refuses(scalar: &str, value: &Value) -> Option<&'static str> {
    let text = match value {
        Value::String(text) if text.len() <= MAX_SCALAR_CHARS => Some(text.as_str()),
        _ => None,
    };
    let integer = |n: &async_graphql::Number| n.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
    let (good, expected) = match scalar {
        "Decimal" => (
            text.is_some_and(|t| t.parse::<Money>().is_ok()),
            "a decimal in a string, such as \"12.50\"",
        ),
        "UUID" => (
            text.is_some_and(|t| t.parse::<RawUuid>().is_ok()),
            "a UUID in a string",
        ),
        "DateTime" => (
            text.is_some_and(|t| ChronoDateTime::parse_from_rfc3339(t).is_ok()),
            "an RFC 3339 time in a string, such as \"2026-01-31T09:30:00Z\"",
        ),
        "Date" => (
            text.is_some_and(|t| date(t).is_some()),
            "a day in a string, such as \"2026-01-31\"",
        ),
        "Position" => (
            text.is_some_and(|t| t.parse::<i64>().is_ok_and(|n| n >= 0)),
            "a position as a receipt states it, in a string",
        ),
        "Int" => (
            matches!(value, Value::Number(n) if integer(n)),
            "an integer of 32 bits",
        ),
        "Float" => (matches!(value, Value::Number(_)), "a number"),
        "Boolean" => (matches!(value, Value::Boolean(_)), "true or false"),
        "String" => (matches!(value, Value::String(_)), "a string"),
        "ID" => (
            matches!(value, Value::String(_))
                || matches!(value, Value::Number(n) if n.as_i64().is_some()),
            "an id",
        ),
        _ => (true, ""),
    };
    (!good).then_some(expected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_plain_decimals_in_strings_pass() {
        let check =
            |v: serde_json::Value| refuses("Decimal", &Value::from_json(v).unwrap()).is_none();
        for good in ["0", "-1.50", "393.0000", "99999999999999.9999"] {
            assert!(check(json!(good)), "{good}");
        }
        for bad in [
            "NaN",
            "1e400",
            "Infinity",
            "",
            "1,5",
            "0x10",
            "1.00001",
            "100000000000000",
            "٣",
            "1 ",
            "\u{0}",
        ] {
            assert!(!check(json!(bad)), "{bad}");
        }
        for bad in [json!(1), json!(1.5), json!(true), json!([]), json!({})] {
            assert!(!check(bad));
        }
    }
}
