//! What differs between two states of an order, in the words of the schema.
//!
//! Both states are read through the schema's own type, so a path names the fields of a query and a value is what that
//! query would answer. A field that is added to the type is compared without a word here.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
    sync::LazyLock,
};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Error, Json, Object, Request, Schema, SimpleObject,
    parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    },
};
use domain::order::Order as State;
use serde_json::{Map, Value};

use super::Order;
use crate::schema::record::Record;

/// Fields that are not compared: personal data, which is sealed in the log; what says which state it is; what belongs
/// to no state.
const LEFT_OUT: [(&str, &str); 8] = [
    ("Order", "contact"),
    ("Collection", "proof"),
    ("Order", "version"),
    ("Order", "position"),
    ("Order", "etag"),
    ("Order", "updatedAt"),
    ("Order", "history"),
    ("Order", "allowedCommands"),
];

/// Levels of fields below an order; there are four.
const MAX_LEVELS: usize = 8;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(serial)]
pub struct FieldChange {
    /// Where, as the fields of Order and the places in lists, counted from 0: `["lines", "2", "quantity"]`.
    pub path: Vec<String>,
    /// What it was, as the schema shows it: decimals, times and positions are strings. Null where there was nothing.
    pub from: Option<Json<Value>>,
    /// What it became; null where there is nothing.
    pub to: Option<Json<Value>>,
}

/// The query that shows an order's state.
struct Shown;

#[Object]
impl Shown {
    async fn order(&self, ctx: &Context<'_>) -> Result<Order, Error> {
        let record: &Record<State> = ctx.data()?;
        Ok(Order::from(record.clone()))
    }
}

/// The type of an order on its own, and the document that asks for all that is compared.
struct Reader {
    schema: Schema<Shown, EmptyMutation, EmptySubscription>,
    document: String,
}

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let schema = Schema::build(Shown, EmptyMutation, EmptySubscription).finish();
    let document = format!(
        "{{ order {} }}",
        selection(&objects(&schema.sdl()), "Order", 0)
    );
    Reader { schema, document }
});

/// The fields of each object type that can be asked for without arguments, with the types they have.
type Objects = HashMap<String, Vec<(String, String)>>;

fn objects(sdl: &str) -> Objects {
    let mut objects = Objects::new();
    // It is our own schema; what could not be read would be missed by the test of this file.
    let Ok(document) = parse_schema(sdl) else {
        return objects;
    };
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else {
            continue;
        };
        let TypeKind::Object(object) = ty.node.kind else {
            continue;
        };
        let fields = object.fields.into_iter().map(|field| {
            let ty = field.node.ty.node.to_string();
            let ty = ty.trim_matches(['[', ']', '!']);
            (field.node.name.node.to_string(), ty.to_owned())
        });
        objects.insert(ty.node.name.node.to_string(), fields.collect());
    }
    objects
}

fn selection(objects: &Objects, ty: &str, level: usize) -> String {
    let Some(fields) = objects.get(ty).filter(|_| level < MAX_LEVELS) else {
        return String::new();
    };
    let mut text = "{".to_owned();
    for (field, of) in fields {
        if !LEFT_OUT.contains(&(ty, field.as_str())) {
            // Writing to a string cannot fail.
            let _ = write!(text, " {field} {}", selection(objects, of, level + 1));
        }
    }
    text + "}"
}

/// What the schema shows of a state, without what is not compared.
///
/// # Errors
/// A fault of ours, in words.
pub(super) async fn shown(record: Record<State>) -> Result<Value, String> {
    let request = Request::new(READER.document.clone()).data(record);
    let response = READER.schema.execute(request).await;
    if let Some(error) = response.errors.first() {
        return Err(error.message.clone());
    }
    let mut data = response.data.into_json().map_err(|e| e.to_string())?;
    Ok(data["order"].take())
}

/// The fields that differ, in the order of their paths.
pub(super) fn changes(from: &Value, to: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), from, to, &mut found);
    found
}

/// Compares values whose depth the schema bounds.
fn compare(path: &mut Vec<String>, from: &Value, to: &Value, found: &mut Vec<FieldChange>) {
    let empty = Map::new();
    match (from, to) {
        (Value::Object(_) | Value::Null, Value::Object(_)) | (Value::Object(_), Value::Null) => {
            let (from, to) = (
                from.as_object().unwrap_or(&empty),
                to.as_object().unwrap_or(&empty),
            );
            let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for name in names {
                path.push(name.clone());
                let of = |side: &'_ Map<String, Value>| side.get(name).cloned().unwrap_or_default();
                compare(path, &of(from), &of(to), found);
                path.pop();
            }
        }
        (Value::Array(_) | Value::Null, Value::Array(_)) | (Value::Array(_), Value::Null) => {
            let items = |side: &Value| side.as_array().cloned().unwrap_or_default();
            let (from, to) = (items(from), items(to));
            for at in 0..from.len().max(to.len()) {
                path.push(at.to_string());
                let of = |side: &[Value]| side.get(at).cloned().unwrap_or_default();
                compare(path, &of(&from), &of(&to), found);
                path.pop();
            }
        }
        _ if from == to => {}
        _ => {
            let side = |value: &Value| (!value.is_null()).then(|| Json(value.clone()));
            found.push(FieldChange {
                path: path.clone(),
                from: side(from),
                to: side(to),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_by_its_path() {
        let from = json!({ "status": "OPEN", "lines": [{ "n": 1, "q": "2" }], "payment": null, "refs": ["A"] });
        let to = json!({ "status": "PAID", "lines": [{ "n": 1, "q": "1" }, { "n": 2, "q": "3" }],
            "payment": { "amount": "5" }, "refs": [] });
        let changes = changes(&from, &to);
        let told: Vec<Value> = changes
            .iter()
            .map(|c| {
                let side = |side: &Option<Json<Value>>| side.as_ref().map(|json| json.0.clone());
                json!([c.path.join("."), side(&c.from), side(&c.to)])
            })
            .collect();
        assert_eq!(
            json!(told),
            json!([
                ["lines.0.q", "2", "1"],
                ["lines.1.n", null, 2],
                ["lines.1.q", null, "3"],
                ["payment.amount", null, "5"],
                ["refs.0", "A", null],
                ["status", "OPEN", "PAID"],
            ])
        );
        assert_eq!(super::changes(&to, &to), Vec::new());
    }

    #[test]
    fn every_field_of_an_order_is_compared_but_those_named() {
        let objects = objects(&READER.schema.sdl());
        for (ty, field) in LEFT_OUT {
            let has = |fields: &Vec<(String, String)>| fields.iter().any(|(name, _)| name == field);
            assert!(objects.get(ty).is_some_and(has), "{ty}.{field}");
        }
        let mut asked: Vec<&str> = READER.document.split([' ', '{', '}']).collect();
        asked.retain(|word| !word.is_empty());
        let fields = &objects["Order"];
        for (field, _) in fields {
            let left_out = LEFT_OUT.contains(&("Order", field.as_str()));
            let is_asked = asked.contains(&field.as_str());
            assert!(is_asked || left_out, "{field}");
        }
        for personal in ["contact", "proof", "phone", "address", "photo"] {
            assert!(!asked.contains(&personal), "{personal}");
        }
    }
}
