//! `config`, `completions` and the command line itself.

use super::support::{Shell, run};

#[test]
fn an_unknown_key_is_an_error_wherever_it_comes_from() {
    let shell = Shell::new(None);
    let good = shell.run(&["config", "check"]);
    assert_eq!(
        (good.code, good.out.as_str()),
        (Some(0), "the configuration is usable\n"),
        "{good:?}"
    );
    let file = shell.dir.path().join("bad.toml");
    std::fs::write(&file, "colour = \"red\"\n[limits]\nbody_bites = \"1MB\"\n").unwrap();
    let in_file = shell.run(&["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(in_file.code, Some(3), "{in_file:?}");
    assert!(
        in_file.err.contains("colour") || in_file.err.contains("body_bites"),
        "{}",
        in_file.err
    );

    let mut command = shell.command(&["config", "check"]);
    command.env("LEDGER_LISTNE", "127.0.0.1:1");
    let in_environment = run(command);
    assert_eq!(in_environment.code, Some(3));
    assert!(
        in_environment.err.contains("LEDGER_LISTNE"),
        "{}",
        in_environment.err
    );

    let in_flag = shell.run(&["config", "check", "--set", "colour=red"]);
    assert_eq!(in_flag.code, Some(3));
    assert!(in_flag.err.contains("colour"), "{}", in_flag.err);
}

#[test]
fn a_value_that_cannot_be_used_is_an_error() {
    let shell = Shell::new(None);
    for (setting, word) in [
        ("listen=here", "listen"),
        ("listen=0.0.0.0:8080", "ops_listen"),
        ("limits.body_bytes=much", "body_bytes"),
        ("database_pool_max=1", "database_pool_max"),
        ("master_key=short", "master_key"),
        ("shutdown_grace=soon", "shutdown_grace"),
    ] {
        let ended = shell.run(&["config", "check", "--set", setting]);
        assert_eq!(ended.code, Some(3), "{setting}: {ended:?}");
        assert!(ended.err.contains(word), "{setting}: {}", ended.err);
        assert!(
            ended.err.contains("hint: `ledger config dump`"),
            "{}",
            ended.err
        );
    }
    let missing = shell.run(&["config", "check", "--config", "missing.toml"]);
    assert_eq!(missing.code, Some(3), "{missing:?}");
}

#[test]
fn a_dump_says_where_each_setting_came_from_and_shows_no_secret() {
    let shell = Shell::new(None);
    std::fs::write(shell.dir.path().join("ledger.toml"), "hot_orders = 7\n").unwrap();
    let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
    for arguments in [&["config", "dump"][..], &["config", "dump", "--json"]] {
        let mut command = shell.command(arguments);
        command
            .env("LEDGER_MASTER_KEY", secret)
            .env("LEDGER_SNAPSHOT_EVERY", "9");
        let ended = run(command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for word in [
            "hot_orders",
            "ledger.toml",
            "LEDGER_SNAPSHOT_EVERY",
            "master_key",
        ] {
            assert!(ended.out.contains(word), "{word} in {}", ended.out);
        }
        assert!(!ended.out.contains(secret), "{}", ended.out);
    }
}

#[test]
fn completions_are_a_script_that_the_shell_takes() {
    let shell = Shell::new(None);
    let script = shell.run(&["completions", "bash"]);
    assert_eq!(script.code, Some(0));
    for word in ["complete -F", "import", "regional-coordinator", "--results"] {
        assert!(script.out.contains(word), "{word}");
    }
    let file = shell.dir.path().join("ledger.bash");
    std::fs::write(&file, &script.out).unwrap();
    let status = std::process::Command::new("bash")
        .arg("-n")
        .arg(&file)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_2() {
    let shell = Shell::new(None);
    for arguments in [
        &[][..],
        &["dance"],
        &["token"],
        &["token", "--role", "king"],
        &["order"],
        &["serve", "--port", "1"],
    ] {
        let ended = shell.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(
            ended.err.contains("Usage:") || ended.err.contains("possible values"),
            "{}",
            ended.err
        );
    }
    let version = shell.run(&["--version"]);
    assert_eq!(
        (version.code, version.out.starts_with("ledger ")),
        (Some(0), true)
    );
}
