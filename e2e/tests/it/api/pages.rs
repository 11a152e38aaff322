//! The laws of paging, for every connection of the committed schema: pages joined are the list in both directions,
//! `pageInfo` is honest, what comes between two pages hides and repeats nothing, and no list takes another's cursor.
//! Sizes and places are drawn from a seed; `PAGES_SEED` tries another.

mod grow;
mod laws;

use std::collections::{BTreeSet, HashMap};

use e2e::Api;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use self::grow::{Grows, Ids};
use super::support::{SCHEMA, ask, code, world};

/// A list of the schema.
struct List {
    /// What tells it from the others.
    name: &'static str,
    /// The field that is the connection.
    field: &'static str,
    /// Where the field is: what goes around it, with `*` in its place.
    around: String,
    /// Further arguments of the field.
    arguments: String,
    /// What tells an item from the others.
    key: &'static str,
    /// What adds to it.
    grows: Grows,
}

/// A part of a list as it was answered.
struct Part {
    keys: Vec<Value>,
    cursors: Vec<Value>,
    has_next: bool,
    has_previous: bool,
}

fn top(name: &'static str, field: &'static str, key: &'static str, grows: Grows) -> List {
    List {
        name,
        field,
        around: "*".to_owned(),
        arguments: String::new(),
        key,
        grows,
    }
}

fn lists(ids: &Ids) -> Vec<List> {
    let sorted = |name, sort: &str| List {
        arguments: format!("sort: {sort}, "),
        ..top(name, "orders", "id", Grows::Orders)
    };
    let posted = |name, of: String| List {
        arguments: of,
        ..top(name, "cashPostings", "position line", Grows::Postings)
    };
    let inside = |name, field, parent: &str, id: &str, key, grows| List {
        around: format!("{parent}(id: \"{id}\") {{ * }}"),
        ..top(name, field, key, grows)
    };
    let history = |name, id| inside(name, "history", "order", id, "orderVersion", Grows::History);
    let items = |name, id, grows| inside(name, "items", "remittance", id, "reference", grows);
    vec![
        sorted("newest", "NEWEST"),
        sorted("oldest", "OLDEST"),
        sorted("updated", "UPDATED"),
        sorted("total", "TOTAL_DESC"),
        top("bundles", "bundles", "id", Grows::Bundles),
        top("stores", "stores", "id", Grows::Stores),
        top("remittances", "remittances", "id", Grows::Remittances),
        top("letters", "deadLetters", "id", Grows::Letters),
        top(
            "outstanding",
            "outstandingCash",
            "orderId",
            Grows::Outstanding,
        ),
        posted("postings", format!("orderId: \"{}\", ", ids.sold)),
        List {
            grows: Grows::Nothing,
            ..posted("other postings", format!("orderId: \"{}\", ", ids.paid))
        },
        top("log", "events", "position", Grows::Orders),
        history("history", &ids.changed),
        List {
            grows: Grows::Nothing,
            ..history("other history", &ids.sold)
        },
        items("items", &ids.reported, Grows::Items),
        items("other items", &ids.other_reported, Grows::Nothing),
    ]
}

impl List {
    /// Whether the schema reads it backward as well.
    fn is_backward(&self) -> bool {
        arguments(self.field).contains("last: Int")
    }

    fn query(&self) -> String {
        let after = if self.field == "events" {
            "Position"
        } else {
            "String"
        };
        let first = if self.is_backward() { "Int" } else { "Int!" };
        let (declared, given) = if self.is_backward() {
            (
                ", $last: Int, $before: String",
                ", last: $last, before: $before",
            )
        } else {
            ("", "")
        };
        let field = format!(
            "{}({}first: $first, after: $after{given}) {{ edges {{ cursor node {{ {} }} }} \
             pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}",
            self.field, self.arguments, self.key
        );
        let around = self.around.replacen('*', &field, 1);
        format!("query($first: {first}, $after: {after}{declared}) {{ {around} }}")
    }

    /// A part of it.
    async fn part(&self, api: &Api, window: &Value) -> Part {
        let data = api.graphql(&self.query(), window.clone()).await;
        let found = data.get(self.field);
        let inside = || data.as_object()?.values().next()?.get(self.field);
        let connection = found.or_else(inside);
        let connection = connection.unwrap_or_else(|| panic!("{}: {data}", self.name));
        let edges = connection["edges"].as_array().unwrap();
        let info = &connection["pageInfo"];
        let cursors: Vec<Value> = edges.iter().map(|edge| edge["cursor"].clone()).collect();
        let of = |cursor: Option<&Value>| cursor.cloned().unwrap_or_default();
        assert_eq!(info["startCursor"], of(cursors.first()), "{}", self.name);
        // The log's end stands behind all that was looked at, items or none.
        if self.field != "events" || !cursors.is_empty() {
            assert_eq!(info["endCursor"], of(cursors.last()), "{}", self.name);
        }
        Part {
            keys: edges.iter().map(|edge| edge["node"].clone()).collect(),
            cursors,
            has_next: info["hasNextPage"].as_bool().unwrap(),
            has_previous: info["hasPreviousPage"].as_bool().unwrap(),
        }
    }

    /// All of it, in pages of the most there is.
    async fn whole(&self, api: &Api) -> Part {
        let (mut all, mut after) = (None::<Part>, Value::Null);
        loop {
            let page = self
                .part(api, &json!({ "first": 100, "after": after }))
                .await;
            after = page.cursors.last().cloned().unwrap_or_default();
            let has_next = page.has_next;
            match &mut all {
                None => all = Some(page),
                Some(all) => {
                    all.keys.extend(page.keys);
                    all.cursors.extend(page.cursors);
                }
            }
            if !has_next {
                return all.unwrap();
            }
        }
    }
}

/// The text of a field's arguments in the committed schema.
fn arguments(field: &str) -> String {
    let start = format!("\t{field}(\n");
    let from = SCHEMA.find(&start).unwrap_or_else(|| panic!("{field}"));
    let rest = &SCHEMA[from..];
    rest[..rest.find("\n\t):").unwrap()].to_owned()
}

/// Each field of the schema that is a connection, and each type of one.
fn connections() -> (BTreeSet<String>, BTreeSet<String>) {
    let types = SCHEMA.lines().filter_map(|line| {
        let name = line.strip_prefix("type ")?.split(' ').next()?;
        name.ends_with("Connection").then(|| name.to_owned())
    });
    let (mut fields, mut open) = (BTreeSet::new(), "");
    for line in SCHEMA.lines() {
        let name = line
            .strip_prefix('\t')
            .filter(|rest| !rest.starts_with(['\t', ')', '"']));
        open = name.map_or(open, |name| {
            name.split(['(', ':']).next().unwrap_or_default()
        });
        let ty = line.rsplit(": ").next().unwrap_or_default();
        if line.starts_with('\t') && ty.trim_matches(['[', ']', '!']).ends_with("Connection") {
            fields.insert(open.to_owned());
        }
    }
    (types.collect(), fields)
}

#[test]
fn every_connection_of_the_schema_is_among_the_lists() {
    let lists = lists(&Ids::default());
    let (types, fields) = connections();
    assert!(types.len() >= 10, "{types:?}");
    let known: BTreeSet<String> = lists.iter().map(|list| list.field.to_owned()).collect();
    assert_eq!(
        fields, known,
        "a connection without laws: add it to `lists`"
    );
    assert_eq!(types.len(), fields.len(), "{types:?} {fields:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_keeps_the_laws_of_paging() {
    let seed = std::env::var("PAGES_SEED").map_or(27, |seed| seed.parse().unwrap());
    let mut rng = StdRng::seed_from_u64(seed);
    let world = world().await;
    let api = &world.admin;
    let ids = grow::fill(api).await;
    let lists = lists(&ids);
    let mut cursors = HashMap::new();
    for list in &lists {
        let whole = list.whole(api).await;
        let least = if list.grows == Grows::Nothing { 2 } else { 7 };
        assert!(whole.keys.len() >= least, "{}: {:?}", list.name, whole.keys);
        laws::forward(list, api, &whole, &mut rng).await;
        if list.is_backward() {
            laws::backward(list, api, &whole, &mut rng).await;
        }
        cursors.insert(list.name, whole.cursors[0].clone());
    }
    for list in &lists {
        for (of, cursor) in cursors.iter().filter(|(of, _)| **of != list.name) {
            refused(list, api, of, cursor).await;
        }
    }
    for list in lists.iter().filter(|list| list.grows != Grows::Nothing) {
        laws::growing(list, api, &ids, &mut rng).await;
    }
    world.assert_unharmed().await;
}

/// A cursor of another list is no cursor of this one.
async fn refused(list: &List, api: &Api, of: &str, cursor: &Value) {
    let mut windows = vec![("after", json!({ "first": 2, "after": cursor }))];
    if list.is_backward() {
        windows.push(("before", json!({ "last": 2, "before": cursor })));
    }
    for (argument, window) in windows {
        let answer = ask(api, &list.query(), window).await;
        let what = format!("{} with a cursor of {of}", list.name);
        let body = answer.json();
        assert!(!body["errors"].is_null(), "{what}: {body}");
        if list.field != "events" {
            assert_eq!(code(&answer), "INVALID_INPUT", "{what}");
            let path = &body["errors"][0]["extensions"]["inputPath"];
            assert_eq!(path, argument, "{what}");
        }
        let data = body["data"].as_object().map(Map::is_empty);
        assert!(
            matches!(data, None | Some(true)) || body["data"][list.field].is_null(),
            "{what}"
        );
    }
}
