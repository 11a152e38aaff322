//! A state as the database can hold it.

use serde::Serialize;
use serde_json::Value;

/// The state as JSON. PostgreSQL's `jsonb` cannot hold NUL, which a message from outside may bring: it becomes the
/// replacement character.
pub(crate) fn document<T: Serialize>(state: &T) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(state)?;
    if !text.contains("\\u0000") {
        return Ok(text);
    }
    let mut value = serde_json::from_str(&text)?;
    without_nul(&mut value);
    serde_json::to_string(&value)
}

/// As deep as the value is, which serialising it has been already.
fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.contains('\0') {
                *text = text.replace('\0', "\u{fffd}");
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_nul),
        Value::Object(fields) => fields.values_mut().for_each(without_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_replaced_and_nothing_else() {
        let plain = serde_json::json!({"a": ["ข้าว \\u0000", 1, null]});
        assert_eq!(document(&plain).unwrap(), plain.to_string());
        let nul = serde_json::json!({"a": [{"b": "x\0y"}]});
        let stored: Value = serde_json::from_str(&document(&nul).unwrap()).unwrap();
        assert_eq!(stored, serde_json::json!({"a": [{"b": "x\u{fffd}y"}]}));
    }
}
