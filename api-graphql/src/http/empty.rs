//! Objects of which `@skip` and `@include` leave nothing. The answer is an object without fields (GraphQL
//! specification, 6.4.3); async-graphql 7.2 makes it null, which breaks the type where there must be an object. Where
//! null is possible, it is left: nobody can tell the one from the other, nor asked for anything of it.

use async_graphql::{
    Name, Value,
    indexmap::IndexMap,
    parser::types::{
        BaseType, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type,
    },
};

use super::{
    fragment,
    types::{Kind, Types, named},
};

/// The fields of an object that is answered.
type Fields = IndexMap<Name, Value>;

struct Walker<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
}

/// Puts the lost objects back. Nulls that errors made are in their place before this.
pub(super) fn restore(
    data: &mut Value,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &Types,
) {
    let walker = Walker { document, types };
    let root = super::root(operation.ty);
    let set = &operation.selection_set.node;
    match data {
        // Without an error nothing else makes it null.
        Value::Null => *data = Value::Object(Default::default()),
        Value::Object(fields) => walker.object(fields, set, root, 0),
        _ => {}
    }
}

impl Walker<'_> {
    /// `spreads` bounds fragments within fragments; the meter has refused deeper ones.
    fn object(&self, fields: &mut Fields, set: &SelectionSet, parent: &str, spreads: usize) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = self.types.field(parent, field.name.node.as_str());
                    let value = fields.get_mut(field.response_key().node.as_str());
                    if let (Some(known), Some(value)) = (known, value) {
                        self.value(value, &known.ty, &field.selection_set.node);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref();
                    let on = on.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.object(fields, &inline.node.selection_set.node, on, spreads);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragment::spread(self.document, &spread.node, spreads) {
                        let on = fragment.type_condition.node.on.node.as_str();
                        self.object(fields, &fragment.selection_set.node, on, spreads + 1);
                    }
                }
            }
        }
    }

    fn value(&self, value: &mut Value, ty: &Type, set: &SelectionSet) {
        let is_object = matches!(self.types.get(named(ty)), Some(Kind::Output(_)));
        if !is_object {
            return;
        }
        match (&ty.base, &mut *value) {
            (BaseType::Named(_), Value::Null) if !ty.nullable => {
                *value = Value::Object(Default::default());
            }
            (BaseType::Named(name), Value::Object(fields)) => {
                self.object(fields, set, name.as_str(), 0);
            }
            (BaseType::List(inner), Value::List(items)) => {
                for item in items {
                    self.value(item, inner, set);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
    use serde_json::{Value as Json, json};

    use super::*;

    struct Query;
    struct Node;

    #[Object]
    impl Node {
        async fn good(&self) -> i32 {
            1
        }
        async fn must(&self) -> Node {
            Node
        }
        async fn may(&self) -> Option<Node> {
            None
        }
        async fn nodes(&self) -> Vec<Node> {
            vec![Node, Node]
        }
    }

    #[Object]
    impl Query {
        async fn a(&self) -> Node {
            Node
        }
    }

    async fn data(query: &str) -> Json {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let types = Types::read(&schema.sdl());
        let document = async_graphql::parser::parse_query(query).unwrap();
        let mut response = schema.execute(Request::new(query)).await;
        assert!(response.errors.is_empty(), "{query}");
        let (_, operation) = document.operations.iter().next().unwrap();
        restore(&mut response.data, &document, &operation.node, &types);
        response.data.into_json().unwrap()
    }

    #[tokio::test]
    async fn an_object_of_which_nothing_is_left_is_an_empty_one() {
        for (query, expected) in [
            ("{ a { good @skip(if: true) } }", json!({ "a": {} })),
            (
                "{ a { must { good @include(if: false) } good } }",
                json!({ "a": { "must": {}, "good": 1 } }),
            ),
            (
                "{ a { nodes { good @skip(if: true) } } }",
                json!({ "a": { "nodes": [{}, {}] } }),
            ),
            (
                "{ a { x: must { ...F } may { good @skip(if: true) } } } fragment F on Node { ... { must { good @skip(if: true) } } }",
                json!({ "a": { "x": { "must": {} }, "may": null } }),
            ),
            (
                "{ a { ... on Node @skip(if: true) { good } } }",
                json!({ "a": {} }),
            ),
        ] {
            assert_eq!(data(query).await, expected, "{query}");
        }
    }
}
