//! Random operations of the schema: every field of the roots, arguments as literals and variables, nested selections,
//! fragments, aliases and directives.

use std::collections::HashSet;

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{good, random::mutate},
    schema::{Field, Input, Kind, Schema, named},
    values::{Pool, Values, literal},
};

/// Levels of selections.
const DEPTH: usize = 5;
/// Fields of an operation, so that most are within the bound on cost.
const MAX_FIELDS: usize = 40;
/// Below the API's own bound, which has tests of its own.
const MAX_ALIASES: usize = 30;

/// What an operation is made to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Valid, with values that fit.
    Fair,
    /// Valid in form, with values at and beyond their bounds.
    Hostile,
    /// Something of it was changed at random afterwards.
    Broken,
}

/// A random operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) root: &'static str,
    /// The field at the top.
    pub(super) field: String,
    pub(super) query: String,
    pub(super) variables: Value,
}

struct Generator<'a> {
    schema: &'a Schema,
    values: Values<'a>,
    random: StdRng,
    variables: Map<String, Value>,
    definitions: Vec<String>,
    fragments: Vec<String>,
    fields: usize,
    aliases: usize,
}

/// The operation of a seed on one field of a root.
pub(super) fn operation(
    schema: &Schema,
    pool: &Pool,
    root: &'static str,
    field: &Field,
    (seed, manner): (u64, Manner),
) -> Operation {
    let mut generator = Generator {
        schema,
        values: Values {
            schema,
            pool,
            hostile: manner == Manner::Hostile,
        },
        random: StdRng::seed_from_u64(seed),
        variables: Map::new(),
        definitions: Vec::new(),
        fragments: Vec::new(),
        fields: 0,
        aliases: 0,
    };
    let mut top = generator.field(field, field.name.clone(), 0);
    if root == "Mutation"
        && good::fields().contains(&field.name.as_str())
        && manner != Manner::Hostile
    {
        top = generator.command(field);
    }
    let mut operation = generator.finish(root, field, &top);
    if manner == Manner::Broken {
        generator.damage(&mut operation);
    }
    operation
}

impl Generator<'_> {
    /// A command with an input that may have its effect, and any selection of what it answers.
    fn command(&mut self, field: &Field) -> String {
        self.variables.clear();
        self.definitions.clear();
        let letter = Uuid::now_v7().to_string();
        let pool = self.values.pool;
        let order = pool
            .orders
            .choose(&mut self.random)
            .cloned()
            .unwrap_or_default();
        let letter = pool
            .letters
            .choose(&mut self.random)
            .cloned()
            .unwrap_or(letter);
        let input = good::good(&field.name, &order, &letter);
        self.variables.insert("input".to_owned(), input);
        let ty = field.args.first().map(|argument| argument.ty.to_string());
        self.definitions
            .push(format!("$input: {}", ty.unwrap_or_default()));
        self.fragments.clear();
        (self.fields, self.aliases) = (0, 0);
        // Of the answer only: its arguments would be new variables, which is fine.
        format!(
            "{}(input: $input) {}",
            field.name,
            self.selection(named(&field.ty), 1)
        )
    }

    fn finish(&mut self, root: &'static str, field: &Field, top: &str) -> Operation {
        let definitions = match self.definitions.as_slice() {
            [] => String::new(),
            all => format!("({})", all.join(", ")),
        };
        let keyword = if root == "Mutation" {
            "mutation"
        } else {
            "query"
        };
        let fragments = self.fragments.join(" ");
        Operation {
            root,
            field: field.name.clone(),
            query: format!("{keyword} Q{definitions} {{ {top} }} {fragments}"),
            variables: Value::Object(std::mem::take(&mut self.variables)),
        }
    }

    fn field(&mut self, field: &Field, key: String, depth: usize) -> String {
        self.fields += 1;
        let arguments = self.arguments(&field.args);
        let name = if key == field.name {
            key
        } else {
            format!("{key}: {}", field.name)
        };
        let directive = if depth > 0 && self.random.random_ratio(1, 12) {
            self.directive()
        } else {
            String::new()
        };
        let selection = if self.schema.is_composite(&field.ty) {
            self.selection(named(&field.ty), depth + 1)
        } else {
            String::new()
        };
        format!("{name}{arguments} {directive} {selection}")
    }

    fn directive(&mut self) -> String {
        let name = if self.random.random() {
            "include"
        } else {
            "skip"
        };
        let value = self.random.random::<bool>();
        if self.random.random() {
            return format!("@{name}(if: {value})");
        }
        let variable = self.variable("Boolean!", json!(value));
        format!("@{name}(if: {variable})")
    }

    fn arguments(&mut self, all: &[Input]) -> String {
        let mut given = Vec::new();
        for argument in all {
            let chance = match argument.name.as_str() {
                "last" | "before" => 15,
                "first" => 2,
                _ => 3,
            };
            if !argument.is_required && !self.random.random_ratio(1, chance) {
                continue;
            }
            let value = self
                .values
                .of(&mut self.random, &argument.ty, &argument.name, 0);
            let text = if self.random.random() {
                self.variable(&argument.ty.to_string(), value)
            } else {
                literal(self.schema, &argument.ty, &value)
            };
            given.push(format!("{}: {text}", argument.name));
        }
        if given.is_empty() {
            String::new()
        } else {
            format!("({})", given.join(", "))
        }
    }

    fn variable(&mut self, ty: &str, value: Value) -> String {
        let name = format!("v{}", self.definitions.len());
        self.definitions.push(format!("${name}: {ty}"));
        self.variables.insert(name.clone(), value);
        format!("${name}")
    }

    fn selection(&mut self, on: &str, depth: usize) -> String {
        let mut used = HashSet::new();
        let mut parts = Vec::new();
        self.some(on, depth, &mut used, &mut parts);
        if matches!(self.schema.kind(on), Kind::Interface(_)) {
            // The checker must know what it is looking at.
            parts.push("__typename".to_owned());
            let objects = self.schema.objects_of(on);
            for _ in 0..self.random.random_range(0..3) {
                let object = objects.choose(&mut self.random).expect("an object").clone();
                let mut inner = Vec::new();
                self.some(&object, depth, &mut used, &mut inner);
                if !inner.is_empty() {
                    parts.push(self.fragment(&object, &inner.join(" ")));
                }
            }
        } else if self.random.random_ratio(1, 8) && !parts.is_empty() {
            let whole = parts.join(" ");
            parts = vec![self.fragment(on, &whole)];
        }
        if parts.is_empty() || self.random.random_ratio(1, 15) {
            parts.push("alsoTypename: __typename".to_owned());
        }
        format!("{{ {} }}", parts.join(" "))
    }

    /// Inline, or named.
    fn fragment(&mut self, on: &str, selection: &str) -> String {
        if self.random.random() {
            return format!("... on {on} {{ {selection} }}");
        }
        let name = format!("F{}", self.fragments.len());
        self.fragments
            .push(format!("fragment {name} on {on} {{ {selection} }}"));
        format!("...{name}")
    }

    /// Some of a type's fields, each under a key of its own, so that no two have to be merged.
    fn some(
        &mut self,
        on: &str,
        depth: usize,
        used: &mut HashSet<String>,
        parts: &mut Vec<String>,
    ) {
        let schema = self.schema;
        for _ in 0..self.random.random_range(1..7) {
            let fields = schema.fields(on);
            let field = fields.choose(&mut self.random).expect("a field");
            if self.fields >= MAX_FIELDS || (depth >= DEPTH && schema.is_composite(&field.ty)) {
                continue;
            }
            let key = if used.contains(&field.name) || self.random.random_ratio(1, 10) {
                if self.aliases >= MAX_ALIASES {
                    continue;
                }
                self.aliases += 1;
                format!("a{}", self.aliases)
            } else {
                field.name.clone()
            };
            used.insert(key.clone());
            let text = self.field(field, key, depth);
            parts.push(text);
        }
    }

    /// Changes a value of the variables, or a character of the text.
    fn damage(&mut self, operation: &mut Operation) {
        let has_variables = operation
            .variables
            .as_object()
            .is_some_and(|v| !v.is_empty());
        if has_variables && self.random.random_ratio(2, 3) {
            mutate(&mut self.random, &mut operation.variables);
            if !operation.variables.is_object() {
                operation.variables = json!({});
            }
            return;
        }
        let mut text: Vec<char> = operation.query.chars().collect();
        let at = self.random.random_range(0..text.len());
        match self.random.random_range(0..3) {
            0 => drop(text.remove(at)),
            1 => text.insert(
                at,
                *['{', '}', '!', '$', '"', 'x', '@', ':']
                    .choose(&mut self.random)
                    .unwrap(),
            ),
            _ => text.truncate(at.max(1)),
        }
        operation.query = text.into_iter().collect();
    }
}
