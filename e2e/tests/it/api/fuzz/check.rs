//! Whether an answer is one that the schema allows, for the operation that was asked.

use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_query,
    types::{
        BaseType, DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet, Type,
    },
};
use chrono::{DateTime, NaiveDate};
use serde_json::Value;
use uuid::Uuid;

use super::{
    generate::Operation,
    schema::{Kind, Schema, named},
};

/// The codes that an error of a sound ledger may have. Faults (`INTERNAL`, `UNAVAILABLE`, `TIMEOUT`) are not among
/// them, nor is what this caller cannot meet.
const CODES: [&str; 17] = [
    "BAD_REQUEST",
    "COST_EXCEEDED",
    "FORBIDDEN",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "INVALID_INPUT",
    "NOT_FOUND",
    "OPERATION_NOT_FOUND",
    "STALE_READ",
    "TOO_DEEP",
    "TOO_MANY_ALIASES",
    "TOO_MANY_DIRECTIVES",
    "TOO_MANY_FIELDS",
    "TOO_MANY_MUTATIONS",
    "TOO_MANY_TOKENS",
    "TOO_MUCH",
    "CURSOR_AHEAD",
];

/// What an answer said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is data, with or without errors beside it.
    Executed,
    /// Nothing was executed.
    Refused,
}

struct Checker<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

/// Checks an answer.
///
/// # Errors
/// What it has that it must not have, or has not and must have, with the place.
pub(super) fn check(
    schema: &Schema,
    operation: &Operation,
    status: u16,
    answer: &Value,
) -> Result<Verdict, String> {
    let errors = errors(answer)?;
    let Some(data) = answer.get("data") else {
        return match (status, errors.is_empty()) {
            (400, false) => Ok(Verdict::Refused),
            _ => Err(format!(
                "status {status} with {} errors and no data",
                errors.len()
            )),
        };
    };
    if status != 200 {
        return Err(format!("data with the status {status}"));
    }
    if answer["extensions"]["cost"]["requestedQueryCost"]
        .as_u64()
        .is_none()
    {
        return Err("no extensions.cost".to_owned());
    }
    let document = parse_query(&operation.query)
        .map_err(|error| format!("data for a text that does not parse: {error}"))?;
    let selection = match &document.operations {
        DocumentOperations::Single(only) => &only.node.selection_set.node,
        DocumentOperations::Multiple(all) => match all.values().next() {
            Some(first) if all.len() == 1 => &first.node.selection_set.node,
            _ => return Err("data for several operations".to_owned()),
        },
    };
    for error in errors {
        null_at(data, error)?;
    }
    if data.is_null() {
        return if errors.is_empty() {
            Err("null without an error".to_owned())
        } else {
            Ok(Verdict::Executed)
        };
    }
    let checker = Checker {
        schema,
        document: &document,
        variables: &operation.variables,
    };
    checker.object(selection, operation.root, data, operation.root)?;
    Ok(Verdict::Executed)
}

/// The errors of an answer, each with a message and a code that is known.
fn errors(answer: &Value) -> Result<&[Value], String> {
    let errors = match answer.get("errors") {
        None => return Ok(&[]),
        Some(Value::Array(errors)) if !errors.is_empty() => errors,
        Some(other) => return Err(format!("errors are {other}")),
    };
    for error in errors {
        let code = error["extensions"]["code"].as_str().unwrap_or_default();
        if !CODES.contains(&code) || error["message"].as_str().is_none_or(str::is_empty) {
            return Err(format!("an error that is none of ours: {error}"));
        }
    }
    Ok(errors)
}

/// Where an error happened there is no value.
fn null_at(data: &Value, error: &Value) -> Result<(), String> {
    let path = error["path"].as_array().map_or(&[][..], Vec::as_slice);
    let mut at = data;
    for step in path {
        let next = match step {
            Value::String(key) => at.get(key),
            step => step.as_u64().and_then(|n| at.get(usize::try_from(n).ok()?)),
        };
        match next {
            Some(next) => at = next,
            None if at.is_null() => return Ok(()),
            None => return Err(format!("the path of an error leads nowhere: {error}")),
        }
    }
    if at.is_null() {
        Ok(())
    } else {
        Err(format!("a value in spite of an error: {error}"))
    }
}

impl Checker<'_> {
    fn object(&self, set: &SelectionSet, ty: &str, value: &Value, at: &str) -> Result<(), String> {
        let Value::Object(object) = value else {
            return Err(format!("{at}: {value} is no object"));
        };
        let ty = match self.schema.kind(ty) {
            Kind::Interface(_) => {
                let named = object
                    .get("__typename")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let known = self.schema.objects_of(ty);
                if !known.iter().any(|one| one == named) {
                    return Err(format!("{at}: {named:?} is no {ty}"));
                }
                named
            }
            _ => ty,
        };
        let mut expected = Vec::new();
        self.collect(set, ty, &mut expected)?;
        let mut keys = BTreeSet::new();
        for field in expected {
            let key = field.response_key().node.as_str();
            keys.insert(key);
            let at = format!("{at}.{key}");
            let Some(value) = object.get(key) else {
                return Err(format!("{at} is missing"));
            };
            self.field(field, ty, value, &at)?;
        }
        match object.keys().find(|key| !keys.contains(key.as_str())) {
            Some(more) => Err(format!("{at}.{more} was not asked for")),
            None => Ok(()),
        }
    }

    fn field(&self, field: &Field, on: &str, value: &Value, at: &str) -> Result<(), String> {
        let name = field.name.node.as_str();
        if name == "__typename" {
            return if value == on {
                Ok(())
            } else {
                Err(format!("{at}: {value} is not {on}"))
            };
        }
        let Some(known) = self.schema.field(on, name) else {
            return Err(format!("{at}: {on} has no {name}"));
        };
        self.value(&field.selection_set.node, &known.ty, value, at)
    }

    fn value(&self, set: &SelectionSet, ty: &Type, value: &Value, at: &str) -> Result<(), String> {
        match (&ty.base, value) {
            (_, Value::Null) if ty.nullable => Ok(()),
            (_, Value::Null) => Err(format!("{at} is null, and is {ty}")),
            (BaseType::List(inner), Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(n, item)| self.value(set, inner, item, &format!("{at}[{n}]"))),
            (BaseType::List(_), other) => Err(format!("{at}: {other} is no list")),
            (BaseType::Named(name), value) => match self.schema.kind(name) {
                Kind::Object(_) | Kind::Interface(_) => self.object(set, named(ty), value, at),
                Kind::Enum(values) if values.iter().any(|one| value == one) => Ok(()),
                Kind::Scalar if is_scalar(name, value) => Ok(()),
                _ => Err(format!("{at}: {value} is no {name}")),
            },
        }
    }

    /// The fields that apply to an object, fragments spread out.
    fn collect<'b>(
        &'b self,
        set: &'b SelectionSet,
        ty: &str,
        into: &mut Vec<&'b Field>,
    ) -> Result<(), String> {
        for item in &set.items {
            let directives = match &item.node {
                Selection::Field(field) => &field.node.directives,
                Selection::FragmentSpread(spread) => &spread.node.directives,
                Selection::InlineFragment(inline) => &inline.node.directives,
            };
            let is_left_out = directives.iter().any(|directive| {
                let condition = directive.node.get_argument("if").map(|value| &value.node);
                let holds = condition.is_some_and(|value| self.holds(&value.to_string()));
                (directive.node.name.node == "skip") == holds
            });
            if is_left_out {
                continue;
            }
            let (on, inner) = match &item.node {
                Selection::Field(field) => {
                    into.push(&field.node);
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    let on = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map(|c| c.node.on.node.as_str());
                    (on, &inline.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.document.fragments.get(name);
                    let fragment = fragment.ok_or("data for a fragment that is not there")?;
                    let on = fragment.node.type_condition.node.on.node.as_str();
                    (Some(on), &fragment.node.selection_set.node)
                }
            };
            let applies = on.is_none_or(|on| {
                on == ty || self.schema.objects_of(on).iter().any(|object| object == ty)
            });
            if applies {
                self.collect(inner, ty, into)?;
            }
        }
        Ok(())
    }

    /// Whether a condition, as it is written, is true.
    fn holds(&self, condition: &str) -> bool {
        match condition.strip_prefix('$') {
            Some(name) => self.variables[name] == true,
            None => condition == "true",
        }
    }
}

/// Whether a value has the form of a scalar, as the schema describes it.
fn is_scalar(name: &str, value: &Value) -> bool {
    let text = value.as_str();
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    match name {
        "Int" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "String" => text.is_some(),
        "ID" => text.is_some_and(|t| !t.is_empty()),
        "Decimal" => text.is_some_and(|t| {
            let (whole, fraction) = t
                .strip_prefix('-')
                .unwrap_or(t)
                .split_once('.')
                .unwrap_or_default();
            digits(whole, 1..=14) && digits(fraction, 4..=4)
        }),
        "Position" => text.is_some_and(|t| digits(t, 1..=19)),
        "UUID" => text.is_some_and(|t| Uuid::try_parse(t).is_ok()),
        "Date" => text.is_some_and(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").is_ok()),
        "DateTime" => {
            text.is_some_and(|t| t.ends_with('Z') && DateTime::parse_from_rfc3339(t).is_ok())
        }
        _ => !value.is_null(),
    }
}
