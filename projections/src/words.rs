//! The domain's words as they stand in columns: as they are written in JSON.

use serde::{Serialize, de::DeserializeOwned, de::IntoDeserializer};

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
