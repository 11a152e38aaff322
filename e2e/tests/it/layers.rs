//! The arrows between the crates, as ARCHITECTURE.md draws them.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

/// What each crate of ours may depend on. Tests and benchmarks of a crate obey the same table.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("observability", &[]),
    ("store", &["observability"]),
    ("commands", &["domain", "store", "observability"]),
    ("projections", &["domain", "store", "observability"]),
    (
        "api-graphql",
        &[
            "commands",
            "projections",
            "store",
            "domain",
            "observability",
        ],
    ),
    (
        "ledger",
        &[
            "domain",
            "store",
            "commands",
            "projections",
            "api-graphql",
            "observability",
        ],
    ),
    (
        "e2e",
        &[
            "domain",
            "store",
            "commands",
            "projections",
            "api-graphql",
            "observability",
            "ledger",
        ],
    ),
];

type Graph = BTreeMap<String, Vec<String>>;

fn metadata() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn dependencies() -> Graph {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |v: &Value| v["name"].as_str().expect("name").to_owned();
    packages
        .iter()
        .map(|p| {
            (
                name(p),
                p["dependencies"]
                    .as_array()
                    .expect("dependencies")
                    .iter()
                    .map(name)
                    .collect(),
            )
        })
        .collect()
}

/// The arrows of the graph that the table does not have.
fn forbidden(graph: &Graph) -> Vec<String> {
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut found = Vec::new();
    for (from, targets) in graph {
        let Some(may) = allowed.get(from.as_str()) else {
            found.push(format!("{from} is not in the table"));
            continue;
        };
        for to in targets.iter().filter(|to| graph.contains_key(*to)) {
            if !may.contains(&to.as_str()) {
                found.push(format!("{from} -> {to}"));
            }
        }
    }
    found
}

#[test]
fn crates_depend_only_along_the_arrows() {
    assert_eq!(forbidden(&dependencies()), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_is_found() {
    let mut graph = dependencies();
    graph.get_mut("store").expect("store").push("domain".into());
    graph
        .get_mut("commands")
        .expect("commands")
        .push("projections".into());
    assert_eq!(
        forbidden(&graph),
        ["commands -> projections", "store -> domain"]
    );
}
