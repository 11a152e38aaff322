//! Budgets that keep the tree readable: file length, marks of unfinished work.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// No source file is longer, tests included.
const HARD_LINES: usize = 600;
/// Nine files in ten are at most this long.
const P90_LINES: usize = 400;
/// Marks that say something is not done. Written in pieces so that this file does not find itself.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!("),
    concat!("to", "do!("),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust and SQL file of ours.
fn sources() -> Vec<(PathBuf, String)> {
    const SKIP: &[&str] = &["target", ".git", "data", "node_modules", "assets"];
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !SKIP.contains(&name.as_str()) {
                folders.push(path);
            } else if name.ends_with(".rs") || name.ends_with(".sql") {
                let text = fs::read_to_string(&path).expect("readable source");
                found.push((path, text));
            }
        }
    }
    assert!(
        found.len() > 50,
        "only {} sources found: is this the right folder?",
        found.len()
    );
    found
}

#[test]
fn files_fit_in_the_head() {
    let mut lengths: Vec<(usize, PathBuf)> = sources()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .collect();
    lengths.sort();
    let (longest, path) = lengths.last().expect("a file");
    assert!(
        *longest <= HARD_LINES,
        "{} has {longest} lines; cut it",
        path.display()
    );
    let p90 = &lengths[lengths.len() * 9 / 10];
    assert!(
        p90.0 <= P90_LINES,
        "one file in ten is longer than {P90_LINES} lines, {} first",
        p90.1.display()
    );
}

#[test]
fn nothing_is_marked_unfinished() {
    let marked: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| MARKS.iter().any(|mark| text.contains(mark)))
        .map(|(path, _)| path)
        .collect();
    assert!(marked.is_empty(), "{marked:?}");
}
