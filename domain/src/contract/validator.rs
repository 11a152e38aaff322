//! A validator for the part of JSON Schema that the committed schemas use. Stricter than the
//! standard in one point: a member that the schema does not name is wrong, because it means that
//! the schema lags behind the type.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing about validity.
const ANNOTATIONS: &[&str] = &["$defs", "$id", "$schema", "default", "description", "title"];
/// Formats that only repeat what the type and the limits say.
const NUMBER_FORMATS: &[&str] = &["int32", "uint8", "uint16", "uint32"];

/// A schema, ready to look at documents.
pub(super) struct Validator {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

/// What came of looking at a document.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is wrong, with where; empty for a valid document.
    pub(super) errors: Vec<String>,
    /// The schema's members that the document has, as [`Validator::members`] names them.
    pub(super) seen: BTreeSet<String>,
}

impl Validator {
    /// Takes a committed schema.
    pub(super) fn new(schema: &str) -> Self {
        let root: Value = serde_json::from_str(schema).unwrap();
        let mut patterns = BTreeMap::new();
        visit(&root, &mut |schema| {
            if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
                patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
            }
        });
        Self { root, patterns }
    }

    /// Looks at a document.
    pub(super) fn validate(&self, document: &Value) -> Findings {
        let mut findings = Findings::default();
        let name = self.root["title"].as_str().unwrap();
        self.check(&self.root, name, document, "", &mut findings);
        findings
    }

    /// Every member that a valid document may have, named by where the schema defines it.
    pub(super) fn members(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (definition, schema) in self.root["$defs"].as_object().into_iter().flatten() {
            collect(schema, definition, &mut names);
        }
        let mut own = self.root.as_object().unwrap().clone();
        own.remove("$defs");
        let name = self.root["title"].as_str().unwrap();
        collect(&Value::from(own), name, &mut names);
        names
    }

    fn check(&self, schema: &Value, place: &str, value: &Value, path: &str, found: &mut Findings) {
        let schema = schema.as_object().unwrap();
        for (keyword, rule) in schema {
            let is_met = match keyword.as_str() {
                known if ANNOTATIONS.contains(&known) => true,
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check(&self.root["$defs"][name], name, value, path, found);
                    true
                }
                "oneOf" | "anyOf" => self.one_of(rule, place, value, path, found),
                "properties" => {
                    self.members_of(rule, place, value, path, found);
                    true
                }
                "items" => {
                    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                        let (place, path) = (format!("{place}[]"), format!("{path}[{i}]"));
                        self.check(rule, &place, item, &path, found);
                    }
                    true
                }
                simple => self.is_met(simple, rule, value),
            };
            if !is_met {
                found
                    .errors
                    .push(format!("{path}: {keyword} {rule}, found {value}"));
            }
        }
    }

    /// Exactly one schema must fit.
    fn one_of(
        &self,
        rule: &Value,
        place: &str,
        value: &Value,
        path: &str,
        found: &mut Findings,
    ) -> bool {
        let fitting: Vec<Findings> = (0..)
            .zip(rule.as_array().unwrap())
            .map(|(i, schema)| {
                let mut findings = Findings::default();
                self.check(schema, &format!("{place}|{i}"), value, path, &mut findings);
                findings
            })
            .filter(|findings| findings.errors.is_empty())
            .collect();
        let count = fitting.len();
        fitting.into_iter().for_each(|f| found.seen.extend(f.seen));
        count == 1
    }

    fn members_of(
        &self,
        rule: &Value,
        place: &str,
        value: &Value,
        path: &str,
        found: &mut Findings,
    ) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let Some(schema) = rule.get(name) else {
                found.errors.push(format!("{path}: not in the schema"));
                continue;
            };
            let place = format!("{place}.{name}");
            self.check(schema, &place, value, &path, found);
            if !value.is_null() || schema["type"] == "null" {
                found.seen.insert(place);
            }
        }
    }

    /// The keywords that need nothing but the value. An unknown one is an error here, not there.
    fn is_met(&self, keyword: &str, rule: &Value, value: &Value) -> bool {
        let text = value.as_str();
        let length = || text.map(|t| t.chars().count() as u64);
        match keyword {
            "type" => match rule {
                Value::Array(types) => types.iter().any(|t| has_type(t, value)),
                one => has_type(one, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => value.as_object().is_none_or(|members| {
                let names = rule.as_array().unwrap();
                names
                    .iter()
                    .all(|n| members.contains_key(n.as_str().unwrap()))
            }),
            // Unknown members are errors anyway.
            "additionalProperties" => rule == false,
            "pattern" => text.is_none_or(|t| self.patterns[rule.as_str().unwrap()].is_match(t)),
            "minLength" => length().is_none_or(|l| l >= rule.as_u64().unwrap()),
            "maxLength" => length().is_none_or(|l| l <= rule.as_u64().unwrap()),
            "minimum" => value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|n| n <= rule.as_i64().unwrap()),
            "format" => text.is_none_or(|t| has_format(rule.as_str().unwrap(), t)),
            unknown => panic!("teach the validator the keyword {unknown}"),
        }
    }
}

fn has_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("teach the validator the type {unknown}"),
    }
}

fn has_format(name: &str, text: &str) -> bool {
    match name {
        "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        "date" => text.parse::<chrono::NaiveDate>().is_ok(),
        "uuid" => uuid::Uuid::try_parse(text).is_ok(),
        number if NUMBER_FORMATS.contains(&number) => true,
        unknown => panic!("teach the validator the format {unknown}"),
    }
}

/// Calls `look` with every object of a schema.
fn visit(schema: &Value, look: &mut impl FnMut(&Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            look(members);
            members.values().for_each(|value| visit(value, look));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}

/// The members below a place of a schema.
fn collect(schema: &Value, place: &str, names: &mut BTreeSet<String>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        collect(member, &place, names);
        names.insert(place);
    }
    if let Some(items) = schema.get("items") {
        collect(items, &format!("{place}[]"), names);
    }
    for keyword in ["oneOf", "anyOf"] {
        let schemas = schema[keyword].as_array().into_iter().flatten();
        for (i, schema) in schemas.enumerate() {
            collect(schema, &format!("{place}|{i}"), names);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(document: &Value) -> Vec<String> {
        let schema = json!({
            "title": "thing", "type": "object", "required": ["type", "amount"],
            "$defs": {
                "Money": {"type": "string", "pattern": "^[0-9]+\\.[0-9]{4}$"},
                "Kind": {"oneOf": [
                    {"type": "object", "required": ["a"], "properties": {"a": {"const": 1}}},
                    {"type": "object", "required": ["b"], "properties": {"b": {"enum": ["x", "y"]}}},
                ]},
            },
            "properties": {
                "type": {"const": "thing"}, "amount": {"$ref": "#/$defs/Money"},
                "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
                "at": {"type": "string", "format": "date-time"},
                "kinds": {"type": "array", "items": {"$ref": "#/$defs/Kind"}},
                "name": {"type": "string", "minLength": 1, "maxLength": 3},
            },
        });
        let validator = Validator::new(&schema.to_string());
        let findings = validator.validate(document);
        assert!(findings.seen.is_subset(&validator.members()));
        let paths = findings.errors.iter();
        paths
            .map(|e| e.split(", found").next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_valid_document_has_no_errors() {
        let full = json!({
            "type": "thing", "amount": "1.0000", "count": 9, "at": "2026-03-14T03:30:00Z",
            "kinds": [{"a": 1}, {"b": "y"}], "name": "ขวด"
        });
        assert_eq!(wrong(&full), [""; 0]);
        assert_eq!(
            wrong(&json!({"type": "thing", "amount": "0.5000", "count": null})),
            [""; 0]
        );
    }

    #[test]
    fn every_broken_rule_is_found() {
        let base = json!({"type": "thing", "amount": "1.0000"});
        for (member, value, error) in [
            ("type", json!("other"), r#".type: const "thing""#),
            ("amount", json!(1), r#".amount: type "string""#),
            (
                "amount",
                json!("1.0"),
                r#".amount: pattern "^[0-9]+\\.[0-9]{4}$""#,
            ),
            ("count", json!(0), ".count: minimum 1"),
            ("count", json!(10), ".count: maximum 9"),
            ("at", json!("today"), r#".at: format "date-time""#),
            ("name", json!(""), ".name: minLength 1"),
            ("name", json!("1234"), ".name: maxLength 3"),
            ("more", json!(1), ".more: not in the schema"),
        ] {
            let mut document = base.clone();
            document[member] = value;
            assert_eq!(wrong(&document), [error]);
        }
        for kind in [
            json!({}),
            json!({"a": 2}),
            json!({"b": "z"}),
            json!({"a": 1, "b": "x"}),
        ] {
            let mut document = base.clone();
            document["kinds"] = json!([kind]);
            assert_eq!(wrong(&document).len(), 1, "{document}");
        }
        assert_eq!(
            wrong(&json!({"type": "thing"})),
            [r#": required ["type","amount"]"#]
        );
        assert_eq!(wrong(&json!(null)).len(), 1);
    }
}
