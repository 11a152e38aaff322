//! What the projections read of an event's metadata.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use uuid::Uuid;

/// What the projections read of it; they ignore the rest. Decoration: what does not parse is left out and stops
/// nothing.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) actor_id: String,
    pub(crate) actor_role: String,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    /// How long the steps of its command took, in microseconds by name, in the order of the names.
    pub(crate) step_micros: Vec<(String, u64)>,
}

impl Metadata {
    /// Out of the text in the log. Read for every event and every model: no tree of values is made of it.
    pub(crate) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = Metadata::default();
        while let Some(Text(name)) = map.next_key()? {
            if name == "stepMicros" {
                let Steps(steps) = map.next_value()?;
                metadata.step_micros = steps;
                continue;
            }
            let text = match name.as_ref() {
                "actorId" | "actorRole" | "correlationId" | "causationId" | "occurredAt" => {
                    let Text(text) = map.next_value()?;
                    text
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            match name.as_ref() {
                "actorId" => metadata.actor_id = text.into_owned(),
                "actorRole" => metadata.actor_role = text.into_owned(),
                "correlationId" => metadata.correlation_id = text.parse().ok(),
                "causationId" => metadata.causation_id = text.parse().ok(),
                _ => metadata.occurred_at = text.parse().ok(),
            }
        }
        Ok(metadata)
    }
}

/// A text; empty for anything else.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrElse).map(Text)
    }
}

struct TextOrElse;

/// Takes in whatever is no text.
macro_rules! nothing {
    ($value:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

impl<'de> Visitor<'de> for TextOrElse {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cow::Borrowed(""))
    }

    nothing!(Cow::Borrowed(""));
}

/// Numbers by name; none for anything else.
struct Steps(Vec<(String, u64)>);

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StepsOrElse).map(Self)
    }
}

struct StepsOrElse;

impl<'de> Visitor<'de> for StepsOrElse {
    type Value = Vec<(String, u64)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut steps: Vec<(String, u64)> = Vec::new();
        while let Some((Text(name), Micros(took))) = map.next_entry()? {
            // Of a name that stands twice the last one counts, as in any JSON object.
            steps.retain(|(known, _)| *known != name);
            if let Some(took) = took {
                steps.push((name.into_owned(), took));
            }
        }
        steps.sort_unstable();
        Ok(steps)
    }

    nothing!(Vec::new());
}

/// A whole number that is not negative.
struct Micros(Option<u64>);

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MicrosOrElse).map(Self)
    }
}

struct MicrosOrElse;

impl<'de> Visitor<'de> for MicrosOrElse {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    nothing!(None);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    /// The same, the long way round.
    fn by_value(text: &str) -> Metadata {
        let fields: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let steps = fields.get("stepMicros").and_then(Value::as_object);
        let steps = steps.into_iter().flatten();
        let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut step_micros: Vec<(String, u64)> = steps
            .filter_map(|(name, took)| Some((name.clone(), took.as_u64()?)))
            .collect();
        step_micros.sort_unstable();
        Metadata {
            actor_id: text("actorId").to_owned(),
            actor_role: text("actorRole").to_owned(),
            correlation_id: text("correlationId").parse().ok(),
            causation_id: text("causationId").parse().ok(),
            occurred_at: text("occurredAt").parse().ok(),
            step_micros,
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            Just(json!(1.5)),
            "[a-z\"\\\\\u{0}\u{e01}]{0,6}".prop_map(Value::from),
            Just(json!("2026-03-01T10:00:00.123456Z")),
            Just(json!("2026-03-01T17:00:00+07:00")),
            Just(json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            Just(json!([1, {"a": []}])),
            prop::collection::btree_map("[ab]", any::<u64>(), 0..3).prop_map(|map| json!(map)),
            Just(
                json!({"decide": 12, "append": -3, "wait": 1.5, "x": {"y": 1}, "z": null, "t": "1"})
            ),
        ]
    }

    proptest! {
        /// Whatever stands in it, it is read as the tree of its values would be.
        #[test]
        fn it_is_read_as_its_values_are(
            fields in prop::collection::vec((
                prop::sample::select(&["actorId", "actorRole", "correlationId", "causationId", "occurredAt", "stepMicros", "other"][..]),
                value(),
            ), 0..9),
            cut in any::<bool>(),
        ) {
            // Names may stand twice.
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let mut text = format!("{{{}}}", fields.join(","));
            if cut {
                text.pop();
            }
            prop_assert_eq!(Metadata::of(&text), by_value(&text));
        }
    }
}
