//! `token`: every role, and what is refused.

use std::os::unix::fs::PermissionsExt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::actor::Role;
use e2e::fresh_database;
use serde_json::Value;

use super::support::Shell;

fn claims(token: &str) -> Value {
    let claims = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_says_its_role_and_its_stores() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    for role in Role::ALL.iter().filter(|role| **role != Role::System) {
        let role = role.as_str();
        let ended = shell.run(&[
            "token",
            "--role",
            role,
            "--store",
            "CFR001",
            "--store",
            "CFR002",
            "--subject",
            "me",
        ]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let claims = claims(ended.out.lines().last().unwrap());
        assert_eq!(
            (claims["role"].as_str(), claims["sub"].as_str()),
            (Some(role), Some("me"))
        );
        assert_eq!(claims["stores"], serde_json::json!(["CFR001", "CFR002"]));
    }
    let ended = shell.run(&["token", "--role", "ops", "--ttl", "30m", "--json"]);
    let claims = claims(ended.json()["token"].as_str().unwrap());
    assert!(claims.get("stores").is_none());
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        1_800
    );
    for entry in std::fs::read_dir(shell.dir.path().join("tokens")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads the key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_could_use_is_not_made() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    for arguments in [
        &["token", "--role", "king"][..],
        // What the ledger does by itself: no credential may carry it.
        &["token", "--role", Role::System.as_str()],
        &["token", "--role", "ops", "--store", "Bangkok"],
        &["token", "--role", "ops", "--region", ""],
        &["token", "--role", "ops", "--ttl", "soon"],
        &["token", "--role", "store-staff"],
        &["token", "--role", "regional-coordinator"],
        &["token", "--role", "ops", "--subject", ""],
    ] {
        let ended = shell.run(arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {ended:?}"
        );
        assert!(!ended.err.is_empty());
    }
}
