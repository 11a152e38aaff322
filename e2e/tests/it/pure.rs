//! The domain is pure: nothing it is built of reads a clock, a file, a socket or a random source, and neither does
//! its own code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// All that the domain is built of: what it names itself, then what that is made of. A clock or a random source
/// would show here: chrono's comes with `iana-time-zone`, uuid's with `getrandom`.
const LIBRARIES: &[&str] = &[
    // Ours.
    "domain",
    // Named by it.
    "chrono",
    "serde",
    "serde_json",
    "thiserror",
    "uuid",
    // Numbers and texts.
    "itoa",
    "memchr",
    "num-traits",
    "ryu",
    "serde_core",
    "sha1_smol",
    "zmij",
    // Derives: they run in the compiler.
    "proc-macro2",
    "quote",
    "serde_derive",
    "syn",
    "thiserror-impl",
    "unicode-ident",
];

/// Modules of the standard library that reach outside, or wait, or share.
const OUTSIDE: &[&str] = &["env", "fs", "io", "net", "os", "process", "thread", "time"];

/// Other words of a program that is not pure.
const IMPURE: &[&str] = &[
    "async fn",
    "async move",
    ".await",
    "static mut",
    "thread_local!",
    "Utc::now",
    "Local::now",
    "new_v4",
    "now_v7",
    "RandomState",
    "println!",
    "eprintln!",
];

/// What clippy must refuse in the domain, whoever brings it in.
const BANNED: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "uuid::Uuid::new_v4",
    "uuid::Uuid::now_v7",
    "std::fs::read",
    "std::fs::write",
    "std::fs::File::open",
    "std::env::var",
    "std::net::TcpStream::connect",
    "std::process::Command::new",
    "std::thread::spawn",
    "std::thread::sleep",
];

fn domain() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain")
}

/// The names in the domain's tree of normal dependencies, with its own default features and nobody else's.
fn tree() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "domain", "-e", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--offline", "--locked"])
        .current_dir(domain())
        .output()
        .expect("cargo tree runs");
    let (text, problem) = (output.stdout, output.stderr);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&problem)
    );
    let text = String::from_utf8(text).expect("names");
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_domain_is_built_of_nothing_that_does_io() {
    let tree = tree();
    assert!(
        tree.contains("serde_json"),
        "is this the domain's tree? {tree:?}"
    );
    let strange: Vec<_> = tree
        .iter()
        .filter(|name| !LIBRARIES.contains(&name.as_str()))
        .collect();
    assert!(strange.is_empty(), "the domain is built of {strange:?}");
}

/// The domain's own files, without their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![domain().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let is_test = ["tests", "tests.rs", "contract", "fixtures"].contains(&&*name);
            if is_test {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("readable source");
                let own = text.split("#[cfg(test)]\nmod tests {").next();
                found.push((path, own.expect("a beginning").to_owned()));
            }
        }
    }
    assert!(found.len() > 30, "only {} sources found", found.len());
    found
}

/// What a source holds that reaches outside, comments aside.
fn impurities(source: &str) -> Vec<String> {
    let lines = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    let code: String = lines.flat_map(|line| [line.trim(), " "]).collect();
    let mut found: Vec<String> = IMPURE
        .iter()
        .filter(|word| code.contains(**word))
        .map(|word| (*word).to_owned())
        .collect();
    for rest in code.split("std::").skip(1) {
        let named = match rest.strip_prefix('{') {
            Some(list) => list.split("};").next().unwrap_or(list),
            None => rest.split([';', ' ', '(', '<']).next().unwrap_or(rest),
        };
        let modules = named
            .split([',', '{', '}', ' '])
            .filter_map(|part| part.split("::").next());
        found.extend(
            modules
                .filter(|m| OUTSIDE.contains(m))
                .map(|m| format!("std::{m}")),
        );
    }
    found
}

#[test]
fn the_domain_itself_does_no_io() {
    for (path, source) in sources() {
        let found = impurities(&source);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn what_reaches_outside_is_found() {
    for (source, expected) in [
        ("use std::fs;", "std::fs"),
        ("use std::{collections::HashMap, fs::File};", "std::fs"),
        ("use std::{\n    fmt,\n    time::Instant,\n};", "std::time"),
        ("let at = std::time::SystemTime::now();", "std::time"),
        ("std::thread::spawn(work)", "std::thread"),
        ("let now = Utc::now();", "Utc::now"),
        ("async fn decide() {}", "async fn"),
    ] {
        assert_eq!(impurities(source), [expected], "{source}");
    }
    for source in [
        "use std::{collections::HashMap, fmt, str::FromStr};",
        "// std::fs is for others",
        "let time = offer.time;",
        "use std::sync::Arc;",
    ] {
        assert_eq!(impurities(source), [""; 0], "{source}");
    }
}

#[test]
fn clippy_bans_what_reaches_outside() {
    let config = fs::read_to_string(domain().join("clippy.toml")).expect("domain/clippy.toml");
    let banned = |path: &str| config.contains(&format!("path = \"{path}\", reason = "));
    let missing: Vec<_> = BANNED.iter().filter(|path| !banned(path)).collect();
    assert!(
        missing.is_empty(),
        "domain/clippy.toml does not ban {missing:?}"
    );
}
