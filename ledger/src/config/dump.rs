//! The settings in force, for people and programs.

use serde_json::{Value, json};

use super::keys::{KEYS, Kind};
use super::{Config, Loaded};

/// What stands for a secret.
const REDACTED: &str = "[redacted]";

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: &'static str,
    /// Its value; null where it has none, redacted where it is a secret.
    pub value: Value,
    /// Where it came from; `None` where it has no value.
    pub origin: Option<String>,
}

impl Loaded {
    /// Every setting, in the order of `config.default.toml`.
    pub fn entries(&self) -> Vec<Entry> {
        let all = values(&self.config);
        KEYS.iter()
            .map(|key| {
                let value = all
                    .pointer(&format!("/{}", key.name.replace('.', "/")))
                    .cloned()
                    .unwrap_or_default();
                let shown = match key.kind {
                    Kind::Secret if !value.is_null() => REDACTED.into(),
                    _ => value,
                };
                Entry {
                    key: key.name,
                    origin: self.origins.get(key.name).cloned(),
                    value: shown,
                }
            })
            .collect()
    }

    /// The settings as a configuration file, each with its origin.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for entry in self.entries() {
            let (table, name) = entry.key.rsplit_once('.').unwrap_or(("", entry.key));
            if table != section {
                text.push_str(&format!("\n[{table}]\n"));
                section = table;
            }
            match &entry.origin {
                // JSON's strings, numbers and truth values are TOML's as well.
                Some(origin) => {
                    text.push_str(&format!("{name} = {}  # {origin}\n", entry.value));
                }
                None => text.push_str(&format!("# {name} is not set\n")),
            }
        }
        text
    }

    /// The settings as one JSON object: key to value and origin.
    pub fn to_json(&self) -> Value {
        self.entries()
            .into_iter()
            .map(|entry| {
                let shown = json!({ "value": entry.value, "origin": entry.origin });
                (entry.key.to_owned(), shown)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// The settings as nested JSON. Secrets are shown as present or absent only.
fn values(config: &Config) -> Value {
    let secret = |value: &Option<secrecy::SecretString>| value.as_ref().map(|_| REDACTED);
    json!({
        "listen": config.listen,
        "ops_listen": config.ops_listen,
        "tls_cert": config.tls_cert,
        "tls_key": config.tls_key,
        "data_dir": config.data_dir,
        "database_url": secret(&config.database_url),
        "migrate_database_url": secret(&config.migrate_database_url),
        "database_pool_max": config.database_pool_max,
        "replica_urls": secret(&config.replica_urls),
        "replica_max_lag": config.replica_max_lag,
        "replica_pool_max": config.replica_pool_max,
        "postgres_bin_dir": config.postgres_bin_dir,
        "postgres_user": config.postgres_user,
        "master_key": secret(&config.master_key),
        "command_deadline_ms": config.command_deadline_ms,
        "hot_orders": config.hot_orders,
        "snapshot_every": config.snapshot_every,
        "graphiql": config.graphiql,
        "introspection": config.introspection,
        "shutdown_grace": config.shutdown_grace,
        "processes": config.processes,
        "environment": config.environment,
        "demo": config.demo,
        "auth": {
            "jwks_url": config.auth.jwks_url,
            "issuer": config.auth.issuer,
            "audience": config.auth.audience,
            "local_keys_dir": config.auth.local_keys_dir,
        },
        "limits": limits(&config.limits),
        "operations": {
            "mode": config.operations.mode.as_str(),
            "manifest": config.operations.manifest,
            "public_key": config.operations.public_key,
        },
        "cache": {
            "back_end": format!("{:?}", config.cache.back_end).to_lowercase(),
            "bytes": config.cache.bytes,
            "redis_url": secret(&config.cache.redis_url),
        },
        "seals": {
            "key_file": config.seals.key_file,
            "every": config.seals.every,
        },
        "log": {
            "format": format!("{:?}", config.log.format).to_lowercase(),
            "level": config.log.level,
        },
    })
}

fn limits(limits: &super::Limits) -> Value {
    json!({
        "body_bytes": limits.body_bytes,
        "cost": limits.cost,
        "in_flight": limits.in_flight,
        "connections": limits.connections,
        "connections_per_address": limits.connections_per_address,
        "request_timeout": limits.request_timeout,
        "header_timeout": limits.header_timeout,
        "trusted_proxies": limits.trusted_proxies,
        "requests": {
            "user": limits.requests.user,
            "partner": limits.requests.partner,
            "operations": limits.requests.operations,
            "load": limits.requests.load,
            "address": limits.requests.address,
            "loopback": limits.requests.loopback,
        },
        "points": {
            "user": limits.points.user,
            "partner": limits.points.partner,
            "operations": limits.points.operations,
            "load": limits.points.load,
        },
    })
}
