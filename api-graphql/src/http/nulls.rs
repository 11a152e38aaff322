//! Null propagation after a field error (GraphQL specification, 6.4.4). async-graphql 7.2 leaves a failed field
//! out of `data` whatever its type; here it becomes null, or its nearest nullable ancestor does.

use std::{collections::HashSet, fmt::Write};

use async_graphql::{
    Name, PathSegment, Response, Value,
    parser::types::{
        BaseType, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, Type,
    },
};

use super::{
    fragment,
    types::{Types, named},
};

/// One step of an error's path with the type found there.
struct Step<'a> {
    segment: &'a PathSegment,
    nullable: bool,
}

/// Completes `response.data` for every error that has a path.
pub(super) fn propagate(
    response: &mut Response,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &Types,
) {
    let walker = Walker { document, types };
    let paths: Vec<Vec<PathSegment>> = response.errors.iter().map(|e| e.path.clone()).collect();
    let mut nulled = HashSet::new();
    for path in paths.iter().filter(|p| !p.is_empty()) {
        let steps = walker.steps(path, operation);
        settle(&mut response.data, &steps, &mut nulled);
    }
}

/// Nulls the failed field, or the nearest ancestor that may be null. `nulled` holds the places this has happened.
fn settle(data: &mut Value, steps: &[Step<'_>], nulled: &mut HashSet<String>) {
    // How many steps lead to the value that becomes null; 0 is `data` itself.
    let depth = steps
        .iter()
        .rposition(|s| s.nullable)
        .map_or(0, |at| at + 1);
    let mut place = data;
    let mut key = String::new();
    for step in steps.get(..depth).unwrap_or_default() {
        if matches!(place, Value::Null) {
            // An ancestor became null for another error; or every field here failed, and the object was lost.
            if nulled.contains(&key) || matches!(step.segment, PathSegment::Index(_)) {
                return;
            }
            *place = Value::Object(Default::default());
        }
        let next = match (place, step.segment) {
            (Value::Object(fields), PathSegment::Field(name)) => {
                let _ = write!(key, ".{name}");
                fields.entry(Name::new(name)).or_insert(Value::Null)
            }
            (Value::List(items), PathSegment::Index(index)) => {
                let _ = write!(key, ".{index}");
                let Some(item) = items.get_mut(*index) else {
                    return;
                };
                item
            }
            _ => return,
        };
        place = next;
    }
    *place = Value::Null;
    nulled.insert(key);
}

struct Walker<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
}

impl Walker<'_> {
    /// The path with each step's nullability; it stops where the types are not known.
    fn steps<'p>(&self, path: &'p [PathSegment], operation: &OperationDefinition) -> Vec<Step<'p>> {
        let root = if operation.ty == OperationType::Mutation {
            "Mutation"
        } else {
            "Query"
        };
        let mut steps = Vec::with_capacity(path.len());
        let mut sets = vec![(&operation.selection_set.node, root.to_owned())];
        let mut ty: Option<Type> = None;
        for segment in path {
            match segment {
                PathSegment::Field(key) => {
                    let found: Vec<_> = sets
                        .iter()
                        .flat_map(|(set, parent)| self.fields(set, parent, key, 0))
                        .collect();
                    let Some((_, field_type)) = found.first() else {
                        break;
                    };
                    let inner = named(field_type).to_owned();
                    steps.push(Step {
                        segment,
                        nullable: field_type.nullable,
                    });
                    ty = Some(field_type.clone());
                    sets = found
                        .iter()
                        .map(|(field, _)| (&field.selection_set.node, inner.clone()))
                        .collect();
                }
                PathSegment::Index(_) => {
                    let Some(BaseType::List(item)) = ty.map(|t| t.base) else {
                        break;
                    };
                    steps.push(Step {
                        segment,
                        nullable: item.nullable,
                    });
                    ty = Some(*item);
                }
            }
        }
        steps
    }

    /// The fields of a selection that answer under `key`, with their types.
    fn fields<'d>(
        &'d self,
        set: &'d SelectionSet,
        parent: &str,
        key: &str,
        spreads: usize,
    ) -> Vec<(&'d Field, Type)> {
        let mut found = Vec::new();
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if field.node.response_key().node.as_str() == key => {
                    if let Some(known) = self.types.field(parent, field.node.name.node.as_str()) {
                        found.push((&field.node, known.ty.clone()));
                    }
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(inline) => {
                    let on = inline
                        .node
                        .type_condition
                        .as_ref()
                        .map_or(parent, |c| c.node.on.node.as_str());
                    found.extend(self.fields(&inline.node.selection_set.node, on, key, spreads));
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragment::spread(self.document, &spread.node, spreads) {
                        let on = fragment.type_condition.node.on.node.as_str();
                        found.extend(self.fields(
                            &fragment.selection_set.node,
                            on,
                            key,
                            spreads + 1,
                        ));
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
#[path = "../tests/nulls.rs"]
mod tests;
