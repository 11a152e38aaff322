//! Failing fields of every nullability, against the rules of the GraphQL specification.

use async_graphql::{EmptyMutation, EmptySubscription, Error, Object, Request, Schema};
use serde_json::{Value as Json, json};

use super::*;

struct Query;
struct Node;

fn fault<T>() -> Result<T, Error> {
    Err(Error::new("broken"))
}

#[Object]
impl Node {
    async fn good(&self) -> i32 {
        1
    }
    async fn may(&self) -> Result<Option<i32>, Error> {
        fault()
    }
    async fn must(&self) -> Result<i32, Error> {
        fault()
    }
    async fn may_node(&self) -> Option<Node> {
        Some(Node)
    }
    async fn must_node(&self) -> Node {
        Node
    }
    async fn nodes(&self) -> Vec<Node> {
        vec![Node, Node]
    }
    async fn may_nodes(&self) -> Vec<Option<Node>> {
        vec![Some(Node), None, Some(Node)]
    }
}

#[Object]
impl Query {
    async fn a(&self) -> Option<Node> {
        Some(Node)
    }
    async fn b(&self) -> Node {
        Node
    }
    async fn one(&self) -> i32 {
        1
    }
}

async fn data(query: &str) -> Json {
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let types = Types::read(&schema.sdl());
    let document = async_graphql::parser::parse_query(query).unwrap();
    let mut response = schema.execute(Request::new(query)).await;
    assert!(!response.errors.is_empty(), "{query}");
    let (_, operation) = document.operations.iter().next().unwrap();
    propagate(&mut response, &document, &operation.node, &types);
    serde_json::to_value(&response.data).unwrap()
}

#[tokio::test]
async fn the_nearest_nullable_place_becomes_null() {
    let cases = [
        ("{ a { good may } }", json!({"a": {"good": 1, "may": null}})),
        ("{ a { may } }", json!({"a": {"may": null}})),
        ("{ a { good must } one }", json!({"a": null, "one": 1})),
        ("{ b { must } one }", json!(null)),
        (
            "{ a { good x: may } }",
            json!({"a": {"good": 1, "x": null}}),
        ),
        (
            "{ a { mayNode { mustNode { good must } } good } }",
            json!({"a": {"mayNode": null, "good": 1}}),
        ),
        ("{ a { nodes { good must } good } }", json!({"a": null})),
        (
            "{ a { nodes { good may } } }",
            json!({"a": {"nodes": [{"good": 1, "may": null}, {"good": 1, "may": null}]}}),
        ),
        (
            "{ a { mayNodes { must good } good } }",
            json!({"a": {"mayNodes": [null, null, null], "good": 1}}),
        ),
        ("{ a { may must } }", json!({"a": null})),
        ("{ a { must may } }", json!({"a": null})),
        (
            "{ a { ...F } } fragment F on Node { good may ... on Node { mayNode { must } } }",
            json!({"a": {"good": 1, "may": null, "mayNode": null}}),
        ),
        (
            "{ a { mayNode { may } mayNode { x: may } } }",
            json!({"a": {"mayNode": {"may": null, "x": null}}}),
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(data(query).await, expected, "{query}");
    }
}
