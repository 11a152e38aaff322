//! Fields in the order in which they were asked for (GraphQL specification, 7.2.2). async-graphql 7.2 puts the fields of
//! an object in the order in which they were ready, so that one whose rows are read comes after those beside it.
//!
//! Of an interface it is not known here which type there is: where fragments on several of its types ask for the same fields,
//! the first of them decides.

use async_graphql::{
    Name, Value, Variables,
    indexmap::IndexMap,
    parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use super::fragment;

/// Puts the fields of an answer in their order.
pub(super) fn arrange(
    data: &mut Value,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) {
    let asked = Asked {
        document,
        operation,
        variables,
    };
    asked.level(&[&operation.selection_set.node]).arrange(data);
}

/// What was executed.
struct Asked<'d> {
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    variables: &'d Variables,
}

impl<'d> Asked<'d> {
    /// What selections that are merged ask for.
    fn level(&self, sets: &[&'d SelectionSet]) -> Level<'d> {
        let mut below = IndexMap::new();
        for set in sets {
            self.collect(set, &mut below, 0);
        }
        let level = |(key, sets): (_, Vec<_>)| (key, self.level(&sets));
        Level(below.into_iter().map(level).collect())
    }

    /// Takes in the fields of a selection. `spreads` bounds fragments within fragments; the meter has refused deeper ones.
    fn collect(
        &self,
        set: &'d SelectionSet,
        fields: &mut IndexMap<&'d str, Vec<&'d SelectionSet>>,
        spreads: usize,
    ) {
        for item in &set.items {
            if item
                .node
                .directives()
                .iter()
                .any(|d| self.leaves_out(&d.node))
            {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let key = field.response_key().node.as_str();
                    let sets = fields.entry(key).or_default();
                    if !field.selection_set.node.items.is_empty() {
                        sets.push(&field.selection_set.node);
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.collect(&inline.node.selection_set.node, fields, spreads);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragment::spread(self.document, &spread.node, spreads) {
                        self.collect(&fragment.selection_set.node, fields, spreads + 1);
                    }
                }
            }
        }
    }

    /// Whether a `@skip` or an `@include` leaves out what it stands at.
    fn leaves_out(&self, directive: &Directive) -> bool {
        let leaves_out_if = match directive.name.node.as_str() {
            "skip" => true,
            "include" => false,
            _ => return false,
        };
        let Some(said) = directive.get_argument("if") else {
            return false;
        };
        let said = said.node.clone();
        said.into_const_with(|name| self.variable(&name).ok_or(()))
            .is_ok_and(|said| said == Value::Boolean(leaves_out_if))
    }

    /// A variable's value, or its default.
    fn variable(&self, name: &Name) -> Option<Value> {
        let mut definitions = self.operation.variable_definitions.iter();
        let default = || {
            let definition = definitions.find(|d| d.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|v| &v.node)
        };
        self.variables.get(name).or_else(default).cloned()
    }
}

/// The response keys of an object in their order, each with what is asked of it.
struct Level<'d>(IndexMap<&'d str, Level<'d>>);

impl Level<'_> {
    fn arrange(&self, value: &mut Value) {
        match value {
            // A scalar that is an object has an order of its own: nothing is asked of it.
            Value::Object(fields) if !self.0.is_empty() => self.object(fields),
            Value::List(items) => items.iter_mut().for_each(|item| self.arrange(item)),
            _ => {}
        }
    }

    fn object(&self, fields: &mut IndexMap<Name, Value>) {
        let mut place = 0;
        for (key, below) in &self.0 {
            let is_here = fields.get_index(place).is_some_and(|(name, _)| name == key);
            if !is_here {
                // A fragment on another type, or left out by a directive.
                let Some(elsewhere) = fields.get_index_of(*key) else {
                    continue;
                };
                fields.move_index(elsewhere, place);
            }
            if let Some((_, value)) = fields.get_index_mut(place) {
                below.arrange(value);
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Json, Object, Request, Schema};

    use super::*;

    struct Query;
    struct Node;

    #[Object]
    impl Node {
        async fn quick(&self) -> i32 {
            1
        }
        async fn slow(&self) -> i32 {
            tokio::task::yield_now().await;
            2
        }
        async fn json(&self) -> Json<Value> {
            let fields = ["b", "a"].map(|name| (Name::new(name), Value::from(1)));
            Json(Value::Object(fields.into_iter().collect()))
        }
    }

    #[Object]
    impl Query {
        async fn quick(&self) -> Node {
            Node
        }
        async fn slow(&self) -> Vec<Node> {
            tokio::task::yield_now().await;
            vec![Node, Node]
        }
    }

    /// The data as the schema says it, and in its order.
    async fn both(query: &str) -> [String; 2] {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let document = async_graphql::parser::parse_query(query).unwrap();
        let variables = Variables::from_json(serde_json::json!({ "no": false }));
        let request = Request::new(query).variables(variables.clone());
        let mut answer = schema.execute(request).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        let before = serde_json::to_string(&answer.data).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        arrange(&mut answer.data, &document, &operation.node, &variables);
        [before, serde_json::to_string(&answer.data).unwrap()]
    }

    #[tokio::test]
    async fn fields_come_in_the_order_in_which_they_are_asked_for() {
        for (query, expected) in [
            (
                "{ slow { slow quick } quick { slow json quick } }",
                r#"{"slow":[{"slow":2,"quick":1},{"slow":2,"quick":1}],"quick":{"slow":2,"json":{"b":1,"a":1},"quick":1}}"#,
            ),
            // A fragment's fields stand where it is spread, and a key where it is first asked for.
            (
                "{ quick { ...f c: quick a: slow } } fragment f on Node { a: slow ... { b: quick } }",
                r#"{"quick":{"a":2,"b":1,"c":1}}"#,
            ),
            (
                "{ slow { a: slow } quick { quick } slow { b: slow c: quick } }",
                r#"{"slow":[{"a":2,"b":2,"c":1},{"a":2,"b":2,"c":1}],"quick":{"quick":1}}"#,
            ),
            // What is left out decides nothing.
            (
                "query($no: Boolean!, $yes: Boolean = true) { quick { \
                 quick @include(if: $no) a: quick @skip(if: $yes) slow quick ... @skip(if: $no) { a: quick } } }",
                r#"{"quick":{"slow":2,"quick":1,"a":1}}"#,
            ),
            (
                "{ slow { slow @skip(if: true) a: slow quick } quick { quick } }",
                r#"{"slow":[{"a":2,"quick":1},{"a":2,"quick":1}],"quick":{"quick":1}}"#,
            ),
        ] {
            let [before, arranged] = both(query).await;
            assert_ne!(before, expected, "it does so by itself now: {query}");
            assert_eq!(arranged, expected, "{query}");
        }
    }
}
