//! The schemas, generated from the Rust types.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::*;
use crate::{
    bundle::BundleEvent, entity::Event, intake::IntakeEvent, order::OrderEvent,
    remittance::RemittanceEvent, store::StoreEvent,
};

const HOW: &str =
    "regenerate: UPDATE_CONTRACT=1 cargo test -p domain --features schema contract::schemas";

/// Today's schemas of one kind of events, by file name.
fn generate<E: Event + JsonSchema>() -> BTreeMap<String, Value> {
    // What any program of the version wrote, earlier ones of fewer fields included: what we read.
    let generator = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator();
    let root = generator.into_root_schema_for::<E>().to_value();
    let variants = root["oneOf"].as_array().expect("one schema per type");
    let schemas: BTreeMap<String, Value> = variants
        .iter()
        .map(|variant| {
            let name = variant["properties"]["type"]["const"].as_str().unwrap();
            let version = E::current_version(name).unwrap();
            let file = format!("{name}.v{version}");
            let schema = standalone(&file, variant, &root);
            (file, schema)
        })
        .collect();
    assert_eq!(schemas.len(), E::TYPES.len());
    schemas
}

/// One type's schema with the definitions it needs, and no others.
fn standalone(file: &str, variant: &Value, root: &Value) -> Value {
    let mut schema = variant.as_object().unwrap().clone();
    if let Some(body) = schema.remove("$ref") {
        inline(&mut schema, &root["$defs"][definition(&body)]);
    }
    let mut needed = BTreeSet::new();
    for value in schema.values() {
        collect(value, &root["$defs"], &mut needed);
    }
    let definitions: Map<String, Value> = needed
        .into_iter()
        .map(|name| (name.clone(), root["$defs"][&name].clone()))
        .collect();
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema.insert("$schema".into(), root["$schema"].clone());
    schema.insert("$id".into(), format!("{file}.json").into());
    schema.insert("title".into(), file.into());
    let mut schema = Value::from(schema);
    plain_descriptions(&mut schema);
    schema
}

/// A variant that holds a struct has the struct's fields.
fn inline(schema: &mut Map<String, Value>, body: &Value) {
    let fields = body["properties"].as_object().unwrap().clone();
    let required = body["required"].as_array().unwrap().clone();
    let own = schema["properties"].as_object_mut().unwrap();
    own.extend(fields);
    let own = schema["required"].as_array_mut().unwrap();
    own.extend(required);
}

fn definition(reference: &Value) -> &str {
    let reference = reference.as_str().unwrap();
    reference.strip_prefix("#/$defs/").unwrap()
}

/// The definitions that a schema names, directly or not.
fn collect(schema: &Value, all: &Value, needed: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                if key == "$ref" {
                    let name = definition(value);
                    if needed.insert(name.to_owned()) {
                        collect(&all[name], all, needed);
                    }
                } else {
                    collect(value, all, needed);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, all, needed)),
        _ => {}
    }
}

/// Descriptions are written for Rust's documentation: links become plain words.
fn plain_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "description" => {
                        *text = text
                            .replace("[`", "`")
                            .replace("`]", "`")
                            .replace('\n', " ");
                    }
                    other => plain_descriptions(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain_descriptions),
        _ => {}
    }
}

fn generate_all() -> BTreeMap<String, Value> {
    [
        generate::<OrderEvent>(),
        generate::<BundleEvent>(),
        generate::<StoreEvent>(),
        generate::<RemittanceEvent>(),
        generate::<IntakeEvent>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let today = generate_all();
    if is_update() {
        for (name, schema) in &today {
            write(&crate_path(&format!("schemas/{name}.json")), schema);
        }
    }
    let committed = json_files(&crate_path("schemas"));
    for (name, schema) in &today {
        let text = committed.get(name).unwrap_or_else(|| {
            panic!("schemas/{name}.json is missing; {HOW}");
        });
        let found: Value = serde_json::from_str(text).unwrap();
        assert_eq!(&found, schema, "schemas/{name}.json; {HOW}");
    }
}
