//! What the handler must know of the schema, read from its SDL once: field types for null propagation, argument
//! types for input checks. async-graphql keeps its own registry to itself.

use std::collections::HashMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, Type, TypeKind, TypeSystemDefinition},
};

pub(super) struct Field {
    pub(super) ty: Type,
    pub(super) args: HashMap<String, Input>,
}

/// An argument or a field of an input object.
pub(super) struct Input {
    pub(super) ty: Type,
    pub(super) has_default: bool,
}

/// An input object.
pub(super) struct InputObject {
    pub(super) fields: HashMap<String, Input>,
    /// Exactly one of its fields is given (`@oneOf`).
    pub(super) one_of: bool,
}

pub(super) enum Kind {
    /// Objects and interfaces.
    Output(HashMap<String, Field>),
    Input(InputObject),
    Enum(Vec<String>),
    Scalar,
    Union,
}

/// The types of a schema by name.
pub(super) struct Types(HashMap<String, Kind>);

impl Types {
    /// Reads an SDL document of our own schema; what it cannot read it does not know.
    pub(super) fn read(sdl: &str) -> Self {
        let mut types = HashMap::new();
        let Ok(document) = parse_schema(sdl) else {
            return Self(types);
        };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else {
                continue;
            };
            let directives = ty.node.directives;
            let kind = match ty.node.kind {
                TypeKind::Object(o) => {
                    Kind::Output(o.fields.into_iter().map(|f| field(f.node)).collect())
                }
                TypeKind::Interface(i) => {
                    Kind::Output(i.fields.into_iter().map(|f| field(f.node)).collect())
                }
                TypeKind::InputObject(i) => Kind::Input(InputObject {
                    fields: i.fields.into_iter().map(|f| input(f.node)).collect(),
                    one_of: directives.iter().any(|d| d.node.name.node == "oneOf"),
                }),
                TypeKind::Enum(e) => Kind::Enum(
                    e.values
                        .into_iter()
                        .map(|v| v.node.value.node.to_string())
                        .collect(),
                ),
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Union(_) => Kind::Union,
            };
            types.insert(ty.node.name.node.to_string(), kind);
        }
        Self(types)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Kind> {
        self.0.get(name)
    }

    pub(super) fn field(&self, parent: &str, name: &str) -> Option<&Field> {
        match self.0.get(parent) {
            Some(Kind::Output(fields)) => fields.get(name),
            _ => None,
        }
    }
}

fn field(f: async_graphql::parser::types::FieldDefinition) -> (String, Field) {
    let args = f.arguments.into_iter().map(|a| input(a.node)).collect();
    (
        f.name.node.to_string(),
        Field {
            ty: f.ty.node,
            args,
        },
    )
}

fn input(i: async_graphql::parser::types::InputValueDefinition) -> (String, Input) {
    (
        i.name.node.to_string(),
        Input {
            has_default: i.default_value.is_some(),
            ty: i.ty.node,
        },
    )
}

/// The named type inside lists and non-nulls.
pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
