//! The domain's words and texts as they stand in columns: words as they are written in JSON.

use std::{fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned, de::IntoDeserializer};
use sqlx::{Row, postgres::PgRow};

/// The word for a value that is one word in JSON.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        // No value of ours: a column that holds it is found by the check.
        _ => String::new(),
    }
}

/// The value behind a word in a column.
pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, sqlx::Error> {
    T::deserialize(word.into_deserializer())
        .map_err(|e: serde::de::value::Error| sqlx::Error::Decode(Box::new(e)))
}

/// A column of text as the type that it is the text of.
pub(crate) fn text<T: FromStr>(row: &PgRow, column: &str) -> Result<T, sqlx::Error>
where
    T::Err: Display,
{
    let text: String = row.try_get(column)?;
    parse(&text, column)
}

/// As [`text`], for a column that may be empty.
pub(crate) fn optional<T: FromStr>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T::Err: Display,
{
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| parse(&text, column)).transpose()
}

fn parse<T: FromStr>(text: &str, column: &str) -> Result<T, sqlx::Error>
where
    T::Err: Display,
{
    text.parse()
        .map_err(|e: T::Err| sqlx::Error::Decode(format!("{column}: {e}").into()))
}

#[cfg(test)]
mod tests {
    use domain::{cash::Account, order::CollectionStatus, remittance::RemittanceStatus};

    use super::*;

    #[test]
    fn words_and_values_belong_together() {
        for account in Account::ALL {
            assert_eq!(word(account), account.as_str());
            assert_eq!(from_word::<Account>(account.as_str()).unwrap(), *account);
        }
        assert_eq!(word(&CollectionStatus::InTransit), "IN_TRANSIT");
        assert_eq!(word(&RemittanceStatus::Differing), "DIFFERING");
        assert!(from_word::<CollectionStatus>("NOWHERE").is_err());
    }
}
