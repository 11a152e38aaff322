//! Values for arguments: of their type, or just beyond it.

use async_graphql::parser::types::{BaseType, Type};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::random::WORDS,
    schema::{Input, Kind, Schema},
};

/// Levels of nested input objects; the lists and optional fields below are left out.
const DEPTH: usize = 5;

/// What there is in the ledger, so that operations find something.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) orders: Vec<String>,
    pub(super) stores: Vec<String>,
    pub(super) bundles: Vec<String>,
    pub(super) remittances: Vec<String>,
    pub(super) letters: Vec<String>,
    pub(super) cursors: Vec<String>,
}

impl Pool {
    /// Whether there is something of everything.
    pub(super) fn is_full(&self) -> bool {
        let Self {
            orders,
            stores,
            bundles,
            remittances,
            letters,
            cursors,
        } = self;
        let all = [orders, stores, bundles, remittances, letters, cursors];
        all.iter().all(|list| !list.is_empty())
    }

    /// A text that fits a name.
    fn text(&self, random: &mut StdRng, name: &str) -> String {
        let name = name.to_lowercase();
        let has = |part: &str| name.contains(part);
        let fixed =
            |texts: &[&str], random: &mut StdRng| (*texts.choose(random).unwrap()).to_owned();
        let list = if has("store") {
            &self.stores
        } else if has("bundle") {
            &self.bundles
        } else if has("remittance") {
            &self.remittances
        } else if has("letter") {
            &self.letters
        } else if has("after") || has("before") {
            &self.cursors
        } else if has("sku") {
            return fixed(&["8859990000123", "8859990000253", "8850999220017"], random);
        } else if has("partner") {
            return fixed(&["GRAB", "PMP"], random);
        } else if has("region") {
            return fixed(&["BKK-CENTRAL", "NORTH"], random);
        } else if has("type") {
            return fixed(&["order.placed", "order.paid"], random);
        } else if name == "id" && random.random_ratio(1, 3) {
            match random.random_range(0..4) {
                0 => &self.stores,
                1 => &self.bundles,
                2 => &self.remittances,
                _ => &self.letters,
            }
        } else if has("order") || name == "id" {
            &self.orders
        } else {
            return fixed(&["x", "why not", "ก", "WEB"], random);
        };
        list.choose(random)
            .cloned()
            .unwrap_or_else(|| "none".to_owned())
    }
}

/// Makes values.
pub(super) struct Values<'a> {
    pub(super) schema: &'a Schema,
    pub(super) pool: &'a Pool,
    /// Whether some are at or beyond a bound.
    pub(super) hostile: bool,
}

impl Values<'_> {
    /// A value of a type.
    pub(super) fn of(&self, random: &mut StdRng, ty: &Type, name: &str, depth: usize) -> Value {
        if ty.nullable && random.random_ratio(1, 8) {
            return Value::Null;
        }
        match &ty.base {
            BaseType::List(inner) => {
                let most = if self.hostile && random.random_ratio(1, 30) {
                    210
                } else {
                    3
                };
                let count = random.random_range(0..=most);
                (0..count)
                    .map(|_| self.of(random, inner, name, depth + 1))
                    .collect()
            }
            BaseType::Named(of) => match self.schema.kind(of) {
                Kind::Enum(values) => json!(values.choose(random).unwrap()),
                Kind::Input { fields, one_of } => self.object(random, fields, *one_of, depth),
                _ => self.scalar(random, of, name),
            },
        }
    }

    fn object(&self, random: &mut StdRng, fields: &[Input], one_of: bool, depth: usize) -> Value {
        let mut object = Map::new();
        let mut set = |random: &mut StdRng, field: &Input| {
            let mut value = self.of(random, &field.ty, &field.name, depth + 1);
            if one_of && value.is_null() {
                value = self.scalar(random, "String", &field.name);
            }
            object.insert(field.name.clone(), value);
        };
        if one_of {
            let field = fields.choose(random).unwrap();
            set(random, field);
        } else {
            for field in fields {
                if field.is_required || (depth < DEPTH && random.random_ratio(1, 3)) {
                    set(random, field);
                }
            }
        }
        Value::Object(object)
    }

    fn scalar(&self, random: &mut StdRng, ty: &str, name: &str) -> Value {
        if self.hostile && random.random_ratio(1, 3) {
            return beyond(random, ty);
        }
        match ty {
            "Int" => json!(random.random_range(1..5)),
            "Float" => json!(1.5),
            "Boolean" => json!(random.random::<bool>()),
            "Decimal" => json!(["1", "45.00", "0.5000"].choose(random)),
            "DateTime" => json!(chrono::Utc::now()),
            "Date" => json!(chrono::Utc::now().date_naive()),
            "Position" => json!(random.random_range(1..50).to_string()),
            "UUID" => json!(Uuid::now_v7()),
            "JSON" => json!({ "any": ["thing", 1, null] }),
            _ => json!(self.pool.text(random, name)),
        }
    }
}

/// A value at a bound of a scalar or beyond it, or of another type.
fn beyond(random: &mut StdRng, ty: &str) -> Value {
    let known = match ty {
        "Int" => {
            let beyond = i64::from(i32::MAX) + 1;
            json!([-1, 0, 101, i32::MAX, i32::MIN, beyond, 1.5, "1"])
        }
        "Decimal" => json!([
            "-1",
            "0",
            "99999999999999.9999",
            "100000000000000",
            "0.00001",
            "NaN",
            1
        ]),
        "DateTime" => json!([
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "1969-12-31T23:59:59-12:00",
            "2026-02-30T00:00:00Z",
            "+262142-01-01T00:00:00Z",
            0
        ]),
        "Date" => json!(["0001-01-01", "9999-12-31", "2026-02-30", "+12026-01-01", ""]),
        "Position" => json!(["0", i64::MAX.to_string(), u64::MAX.to_string(), "-1", 1]),
        _ => json!([]),
    };
    let known = known.as_array().map_or(&[][..], Vec::as_slice);
    known.choose(random).cloned().unwrap_or_else(|| {
        let word = WORDS.choose(random).unwrap();
        json!(word.repeat(if random.random_ratio(1, 6) { 400 } else { 1 }))
    })
}

/// A value as it is written into a document.
pub(super) fn literal(schema: &Schema, ty: &Type, value: &Value) -> String {
    match (value, &ty.base) {
        (Value::Array(items), BaseType::List(inner)) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| literal(schema, inner, item))
                .collect();
            format!("[{}]", items.join(", "))
        }
        (Value::Object(fields), BaseType::Named(name)) => {
            let known = match schema.kind(name) {
                Kind::Input { fields, .. } => fields.as_slice(),
                _ => &[],
            };
            let text = Type::new("String").expect("a type");
            let fields = fields.iter().map(|(name, value)| {
                let ty = known
                    .iter()
                    .find(|f| f.name == *name)
                    .map_or(&text, |f| &f.ty);
                format!("{name}: {}", literal(schema, ty, value))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        (Value::Array(items), BaseType::Named(_)) => {
            let items: Vec<String> = items.iter().map(|item| literal(schema, ty, item)).collect();
            format!("[{}]", items.join(", "))
        }
        (Value::String(text), BaseType::Named(name))
            if matches!(schema.kind(name), Kind::Enum(_)) =>
        {
            text.clone()
        }
        (other, _) => other.to_string(),
    }
}
