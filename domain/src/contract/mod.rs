//! The event contract: what is written once is read for ever, and what it looks like is published.
//!
//! Every event type and version has a schema in `schemas/` and golden files in `fixtures/` of its
//! aggregate: `<type>.v<version>[.<variant>].json`. Goldens are what programs wrote in their time:
//! they are never edited. `UPDATE_CONTRACT=1` writes goldens that are missing and, with the feature
//! `schema`, the schemas of today.

mod goldens;
mod samples;
#[cfg(feature = "schema")]
mod schemas;
mod upcast;
mod validator;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Set to write what is missing instead of failing.
const UPDATE: &str = "UPDATE_CONTRACT";

/// An event that has a golden file.
#[derive(Debug)]
pub(crate) struct Sample<E> {
    /// Tells apart several goldens of one type and version.
    pub(crate) variant: Option<&'static str>,
    pub(crate) event: E,
}

impl<E> Sample<E> {
    pub(crate) const fn only(event: E) -> Self {
        Self {
            variant: None,
            event,
        }
    }

    pub(crate) const fn variant(name: &'static str, event: E) -> Self {
        Self {
            variant: Some(name),
            event,
        }
    }
}

fn crate_path(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

fn is_update() -> bool {
    std::env::var_os(UPDATE).is_some()
}

/// The JSON files of a folder by name, without the ending.
fn json_files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let mut files = BTreeMap::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".json").unwrap_or_else(|| {
            panic!("{} is no JSON file", path.display());
        });
        files.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
    }
    files
}

#[allow(clippy::disallowed_methods, reason = "a test that was told to")]
fn write(path: &Path, content: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = serde_json::to_string_pretty(content).unwrap();
    fs::write(path, format!("{text}\n")).unwrap();
}

/// `order.placed.v1.bundles` names a type, a version and perhaps a variant.
fn split_name(name: &str) -> Option<(&str, &str)> {
    let at = name.find(".v")?;
    let (event_type, rest) = (name.get(..at)?, name.get(at + 2..)?);
    let version = rest.split_once('.').map_or(rest, |(version, _)| version);
    version.parse::<u32>().ok()?;
    Some((event_type, version))
}

#[test]
fn a_name_says_the_type_and_the_version() {
    assert_eq!(split_name("order.placed.v1"), Some(("order.placed", "1")));
    assert_eq!(
        split_name("order.placed.v12.bundles"),
        Some(("order.placed", "12"))
    );
    for wrong in ["", "order.placed", "order.placed.v", "order.placed.vx"] {
        assert_eq!(split_name(wrong), None, "{wrong}");
    }
}
