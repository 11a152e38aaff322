//! Checks every argument against its type before anything runs, so that an unusable input is answered with its
//! path, together with all the others, and nothing of the operation has happened. async-graphql finds most of
//! it, but one at a time, and some only while it executes and without a path.

use async_graphql::{
    Name, Pos, ServerError, Value, Variables,
    indexmap::IndexMap,
    parser::types::{
        BaseType, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, Type,
    },
};

use super::{
    fragment,
    reject::{INVALID_INPUT, Rejection, error},
    types::{InputObject, Kind, Types, named},
};
use crate::{limits::MAX_ERRORS, schema::scalars};

struct Checker<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
    variables: &'a Variables,
    errors: Vec<ServerError>,
}

/// Checks an operation whose size is within bounds already.
///
/// # Errors
/// Every unusable input, at most [`MAX_ERRORS`], each with `extensions.inputPath`.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &Types,
    variables: &Variables,
) -> Result<(), Rejection> {
    let mut checker = Checker {
        document,
        types,
        variables,
        errors: Vec::new(),
    };
    checker.required_variables(operation);
    checker.set(&operation.selection_set.node, super::root(operation.ty), 0);
    let mut errors = checker.errors;
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Rejection::many(INVALID_INPUT, errors))
    }
}

impl Checker<'_> {
    fn required_variables(&mut self, operation: &OperationDefinition) {
        for definition in &operation.variable_definitions {
            let (node, name) = (&definition.node, &definition.node.name.node);
            let missing = !node.var_type.node.nullable
                && node.default_value.is_none()
                && matches!(self.variables.get(name), None | Some(Value::Null));
            if missing {
                let expected = &node.var_type.node;
                self.report(
                    definition.pos,
                    format!("${name}"),
                    format!("is required, as {expected}"),
                );
            }
        }
    }

    /// `spreads` bounds fragments within fragments; the meter has refused deeper ones.
    fn set(&mut self, set: &SelectionSet, parent: &str, spreads: usize) {
        for item in &set.items {
            if self.errors.len() >= MAX_ERRORS {
                return;
            }
            match &item.node {
                Selection::Field(field) => self.field(&field.node, parent, spreads),
                Selection::InlineFragment(inline) => {
                    let on = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map_or(parent, |c| c.node.on.node.as_str());
                    self.set(&inline.node.selection_set.node, on, spreads);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragment::spread(self.document, &spread.node, spreads) {
                        let on = fragment.type_condition.node.on.node.as_str();
                        self.set(&fragment.selection_set.node, on, spreads + 1);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field, parent: &str, spreads: usize) {
        // Unknown fields and arguments are the validation's to report.
        let types = self.types;
        let Some(known) = types.field(parent, field.name.node.as_str()) else {
            return;
        };
        for (name, value) in &field.arguments {
            let Some(argument) = known.args.get(name.node.as_str()) else {
                continue;
            };
            let constant = value
                .node
                .clone()
                .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
            // A variable without a value: optional, or reported above.
            if let Ok(constant) = constant {
                self.value(&argument.ty, &constant, name.node.to_string(), value.pos);
            }
        }
        self.set(&field.selection_set.node, named(&known.ty), spreads);
    }

    fn value(&mut self, ty: &Type, value: &Value, path: String, at: Pos) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        match (value, &ty.base) {
            (Value::Null, _) if ty.nullable => {}
            (Value::Null, _) => self.report(at, path, format!("must not be null; expected {ty}")),
            (Value::List(items), BaseType::List(inner)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(inner, item, format!("{path}[{index}]"), at);
                }
            }
            // One item may stand for a list of one.
            (_, BaseType::List(inner)) => self.value(inner, value, path, at),
            (_, BaseType::Named(name)) => self.named(name.as_str(), value, path, at),
        }
    }

    fn named(&mut self, name: &str, value: &Value, path: String, at: Pos) {
        let types = self.types;
        match types.get(name) {
            Some(Kind::Input(object)) => {
                let Value::Object(given) = value else {
                    return self.report(at, path, format!("must be an object of type {name}"));
                };
                self.object(name, object, given, &path, at);
            }
            Some(Kind::Enum(values)) => {
                let known = |text: &str| values.iter().any(|v| v == text);
                let good = match value {
                    Value::Enum(text) => known(text.as_str()),
                    Value::String(text) => known(text),
                    _ => false,
                };
                if !good {
                    self.report(at, path, format!("must be one of {}", values.join(", ")));
                }
            }
            _ => {
                if let Some(expected) = scalars::refuses(name, value) {
                    self.report(at, path, format!("must be {expected}"));
                }
            }
        }
    }

    fn object(
        &mut self,
        name: &str,
        object: &InputObject,
        given: &IndexMap<Name, Value>,
        path: &str,
        at: Pos,
    ) {
        let fields = &object.fields;
        for unknown in given
            .keys()
            .filter(|key| !fields.contains_key(key.as_str()))
        {
            self.report(
                at,
                format!("{path}.{unknown}"),
                format!("is no field of {name}"),
            );
        }
        // GraphQL specification, 3.10.1: neither none nor two, nor one that is null.
        let is_one = given.len() == 1 && given.values().all(|value| *value != Value::Null);
        if object.one_of && !is_one {
            let problem = format!("must have exactly one of the fields of {name}");
            self.report(at, path.to_owned(), problem);
        }
        for (field, expected) in fields {
            let path = format!("{path}.{field}");
            match given.get(field.as_str()) {
                Some(value) => self.value(&expected.ty, value, path, at),
                None if expected.ty.nullable || expected.has_default => {}
                None => self.report(at, path, format!("is required, as {}", expected.ty)),
            }
        }
    }

    fn report(&mut self, at: Pos, path: String, problem: String) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        let mut error = error(INVALID_INPUT, format!("{path} {problem}"), Some(at));
        error
            .extensions
            .get_or_insert_default()
            .set("inputPath", path);
        self.errors.push(error);
    }
}
