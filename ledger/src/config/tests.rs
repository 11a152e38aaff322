//! Tests of the sources, their order and their errors.

use std::net::Ipv4Addr;

use super::keys::KEYS;
use super::*;

fn environment(pairs: &[(&str, &str)]) -> Sources {
    Sources {
        environment: pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        ..Sources::default()
    }
}

fn with(pairs: &[(&str, &str)]) -> Config {
    load(environment(pairs)).unwrap().config
}

fn problems(result: Result<impl std::fmt::Debug, ConfigError>) -> String {
    result.unwrap_err().to_string()
}

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Keys of the default file in order, those without a default included.
fn documented() -> Vec<String> {
    let mut section = String::new();
    let mut names = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
            continue;
        }
        let setting = line.strip_prefix("# ").unwrap_or(line);
        if let Some((name, _)) = setting.split_once(" = ")
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            names.push(format!("{section}{name}"));
        }
    }
    names
}

#[test]
fn file_list_struct_and_dump_agree() {
    let list: Vec<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(documented(), list);

    // Every documented key, uncommented, is one the struct takes.
    let all: String = DEFAULTS
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if is_setting(setting) => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.toml");
    std::fs::write(&path, all).unwrap();
    let loaded = load(Sources {
        file: Some(path),
        ..Sources::default()
    })
    .unwrap();
    let entries = loaded.entries();
    assert_eq!(entries.len(), KEYS.len());
    for entry in &entries {
        assert!(!entry.value.is_null(), "{} is lost on the way", entry.key);
    }

    // A dump is a configuration file that says the same again.
    let first = load(Sources::default()).unwrap();
    let path = dir.path().join("dumped.toml");
    std::fs::write(&path, first.to_toml()).unwrap();
    let again = load(Sources {
        file: Some(path),
        ..Sources::default()
    })
    .unwrap();
    for (before, after) in first.entries().iter().zip(again.entries()) {
        assert_eq!(before.value, after.value, "{}", before.key);
    }
}

fn is_setting(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(name, _)| {
        name.chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_')
    })
}

#[test]
fn every_variable_is_of_one_key() {
    let mut names: Vec<String> = KEYS
        .iter()
        .flat_map(|key| [Some(key.variable()), key.file_variable()])
        .flatten()
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_stronger_source_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.toml");
    std::fs::write(&path, "hot_orders = 7\nsnapshot_every = 9\ndemo = true\n").unwrap();
    let mut sources = environment(&[
        ("LEDGER_CONFIG", path.to_str().unwrap()),
        ("LEDGER_SNAPSHOT_EVERY", "11"),
        ("LEDGER_DEMO", "false"),
        ("LEDGER_LIMITS_BODY_BYTES", "2MB"),
        ("LEDGER_LISTEN", ""),
        ("PATH", "/bin"),
    ]);
    sources.flags = vec![("demo".into(), "true".into())];
    let loaded = load(sources).unwrap();
    let config = &loaded.config;
    assert_eq!(config.hot_orders, 7);
    assert_eq!(config.snapshot_every, 11);
    assert!(config.demo);
    assert_eq!(config.limits.body_bytes, ByteSize(2_000_000));
    assert_eq!(config.listen, SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
    assert_eq!(loaded.origins["demo"], "the command line");
    assert_eq!(loaded.origins["snapshot_every"], "LEDGER_SNAPSHOT_EVERY");
    assert_eq!(loaded.origins["listen"], "the defaults");
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let said = problems(load(environment(&[("LEDGER_HOT_ORDER", "1")])));
    assert!(said.contains("did you mean LEDGER_HOT_ORDERS?"), "{said}");
    let said = problems(load(Sources {
        flags: vec![("limit.cost".into(), "1".into())],
        ..Sources::default()
    }));
    assert!(said.contains("did you mean `limits.cost`?"), "{said}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.toml");
    std::fs::write(
        &path,
        "[auth]\njwks = 'x'\n[log]\nlevel = 'info'\ncolour = 1\n",
    )
    .unwrap();
    let said = problems(load(Sources {
        file: Some(path),
        ..Sources::default()
    }));
    assert!(
        said.contains("`auth.jwks`; did you mean `auth.jwks_url`?"),
        "{said}"
    );
    assert!(said.contains("`log.colour`"), "{said}");
}

#[test]
fn wrong_values_name_key_and_source() {
    for (name, value, wanted) in [
        ("LEDGER_HOT_ORDERS", "many", "a whole number"),
        ("LEDGER_DEMO", "perhaps", "true or false"),
        ("LEDGER_LISTEN", "localhost", "listen (LEDGER_LISTEN)"),
        ("LEDGER_SHUTDOWN_GRACE", "25", "\"25s\""),
        ("LEDGER_LOG_FORMAT", "xml", "log.format (LEDGER_LOG_FORMAT)"),
    ] {
        let said = problems(load(environment(&[(name, value)])));
        assert!(said.contains(wanted), "{name}: {said}");
    }
    let missing = Sources {
        file: Some("/no/such/file.toml".into()),
        ..Sources::default()
    };
    assert!(problems(load(missing)).contains("/no/such/file.toml cannot be read"));
}

#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    std::fs::write(&path, "postgres://u:hunter2@h/d\n").unwrap();
    let path = path.to_str().unwrap();
    let loaded = load(environment(&[
        ("LEDGER_DATABASE_URL_FILE", path),
        ("LEDGER_MASTER_KEY", KEY),
    ]))
    .unwrap();
    let url = loaded.config.database_url.as_ref().unwrap();
    assert_eq!(url.expose_secret(), "postgres://u:hunter2@h/d");
    for shown in [
        loaded.to_toml(),
        loaded.to_json().to_string(),
        format!("{loaded:?}"),
    ] {
        assert!(
            !shown.contains("hunter2") && !shown.contains(KEY),
            "{shown}"
        );
    }
    let both = environment(&[
        ("LEDGER_DATABASE_URL_FILE", path),
        ("LEDGER_DATABASE_URL", "x"),
    ]);
    assert!(problems(load(both)).contains("both set"));
}

#[test]
fn nothing_without_a_token_beyond_loopback() {
    assert!(with(&[]).check().is_ok());
    assert!(with(&[]).graphiql_enabled());

    let open = ("LEDGER_LISTEN", "0.0.0.0:8080");
    let said = problems(with(&[open]).check());
    assert!(said.contains("ops_listen"), "{said}");

    let private = ("LEDGER_OPS_LISTEN", "127.0.0.1:9090");
    let config = with(&[open, private]);
    assert!(config.check().is_ok());
    assert!(!config.graphiql_enabled() && !config.introspection_enabled());

    let said = problems(with(&[open, private, ("LEDGER_GRAPHIQL", "true")]).check());
    assert!(said.contains("graphiql"), "{said}");
}

#[test]
fn a_certificate_goes_with_its_key() {
    let (cert, key) = (("LEDGER_TLS_CERT", "/c.pem"), ("LEDGER_TLS_KEY", "/k.pem"));
    let both = with(&[cert, key]);
    both.check().unwrap();
    assert_eq!(both.scheme(), "https");
    assert_eq!(
        both.tls_files(),
        Some((Path::new("/c.pem"), Path::new("/k.pem")))
    );
    assert_eq!(with(&[]).scheme(), "http");
    for (alone, missing) in [(cert, "tls_key: "), (key, "tls_cert: ")] {
        let said = problems(with(&[alone]).check());
        assert!(
            said.contains(missing) && said.contains("set both"),
            "{said}"
        );
    }
}

#[test]
fn quotas_are_read_and_leave_room_for_one_operation() {
    let config = with(&[
        ("LEDGER_LIMITS_REQUESTS_USER", "7"),
        ("LEDGER_LIMITS_POINTS_PARTNER", "0"),
        ("LEDGER_LIMITS_REQUESTS_LOOPBACK", "true"),
        ("LEDGER_LIMITS_TRUSTED_PROXIES", "10.0.0.0/8"),
    ]);
    assert!(config.check().is_ok());
    let rates = config.rates().unwrap();
    assert_eq!((rates.requests.user, rates.points.partner), (7, 0));
    assert!(rates.loopback);
    assert_eq!(rates.trusted_proxies.to_string(), "10.0.0.0/8");
    // The file of defaults says what the library stands by.
    assert_eq!(with(&[]).rates().unwrap(), Rates::default());

    let said = problems(with(&[("LEDGER_LIMITS_POINTS_USER", "19999")]).check());
    assert!(said.contains("limits.points.user"), "{said}");
    let said = problems(with(&[("LEDGER_LIMITS_TRUSTED_PROXIES", "proxy")]).check());
    assert!(said.contains("limits.trusted_proxies"), "{said}");
}

#[test]
fn an_external_database_needs_its_own_keys() {
    let url = ("LEDGER_DATABASE_URL", "postgres://h/d");
    let said = problems(with(&[url]).check());
    assert!(
        said.contains("master_key") && said.contains("auth.jwks_url"),
        "{said}"
    );
    let key = ("LEDGER_MASTER_KEY", KEY);
    let keys = ("LEDGER_AUTH_LOCAL_KEYS_DIR", "/k");
    assert!(with(&[url, key, keys]).check().is_ok());
    let said = problems(with(&[url, ("LEDGER_MASTER_KEY", "c2hvcnQ="), keys]).check());
    assert!(said.contains("32 bytes in base64"), "{said}");
    let jwks = ("LEDGER_AUTH_JWKS_URL", "https://id/keys");
    let said = problems(with(&[url, key, jwks]).check());
    assert!(said.contains("auth.issuer"), "{said}");
}

#[test]
fn replicas_go_with_a_database_and_stand_one_after_the_other() {
    let urls = "postgres://a@one/ledger\n postgres://a@two/ledger\n";
    let external = [
        ("LEDGER_DATABASE_URL", "postgres://a@b/ledger"),
        ("LEDGER_MASTER_KEY", KEY),
        ("LEDGER_AUTH_LOCAL_KEYS_DIR", "/tmp/keys"),
    ];
    let with_urls = |urls, more: &[(&'static str, &'static str)]| {
        let pairs = [&external[..], &[("LEDGER_REPLICA_URLS", urls)], more].concat();
        with(&pairs)
    };
    let good = with_urls(urls, &[]);
    good.check().unwrap();
    assert!(
        good.replicas()
            .eq(["postgres://a@one/ledger", "postgres://a@two/ledger"])
    );
    assert_eq!(with(&external).replicas().count(), 0);

    let alone = with(&[("LEDGER_REPLICA_URLS", urls)]);
    assert!(problems(alone.check()).contains("replica_urls: it goes with database_url"));
    let commas = with_urls("postgres://a@one/l,postgres://a@two/l", &[]);
    assert!(problems(commas.check()).contains("replica_urls: blanks"));
    let many: &'static str = "postgres://x/y postgres://x/y postgres://x/y postgres://x/y postgres://x/y \
                              postgres://x/y postgres://x/y postgres://x/y postgres://x/y";
    assert!(problems(with_urls(many, &[]).check()).contains("replica_urls: 8"));
    for (variable, value, key) in [
        ("LEDGER_REPLICA_MAX_LAG", "10ms", "replica_max_lag"),
        ("LEDGER_REPLICA_MAX_LAG", "2m", "replica_max_lag"),
        ("LEDGER_REPLICA_POOL_MAX", "0", "replica_pool_max"),
    ] {
        let said = problems(with_urls(urls, &[(variable, value)]).check());
        assert!(said.contains(key), "{said}");
    }
}
