//! The list of configuration keys: what each holds and what its variable is called.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, and everything that is written as text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Truth,
    /// Text that is never shown.
    Secret,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name, parts joined by dots.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
}

impl Key {
    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }

    /// The environment variable that names a file with the value; secrets only.
    pub(crate) fn file_variable(&self) -> Option<String> {
        (self.kind == Kind::Secret).then(|| format!("{}_FILE", self.variable()))
    }
}

/// What all our variables begin with.
pub(crate) const PREFIX: &str = "LEDGER_";

/// Finds a key by name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known name most like a wrong one, for "did you mean".
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|name| strsim::damerau_levenshtein(wrong, name))
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind }
}

/// Every key, in the order of `config.default.toml`.
pub(crate) const KEYS: &[Key] = &[
    key("listen", Kind::Text),
    key("ops_listen", Kind::Text),
    key("tls_cert", Kind::Text),
    key("tls_key", Kind::Text),
    key("data_dir", Kind::Text),
    key("database_url", Kind::Secret),
    key("migrate_database_url", Kind::Secret),
    key("database_pool_max", Kind::Number),
    key("replica_urls", Kind::Secret),
    key("replica_max_lag", Kind::Text),
    key("replica_pool_max", Kind::Number),
    key("postgres_bin_dir", Kind::Text),
    key("postgres_user", Kind::Text),
    key("master_key", Kind::Secret),
    key("command_deadline_ms", Kind::Number),
    key("hot_orders", Kind::Number),
    key("snapshot_every", Kind::Number),
    key("graphiql", Kind::Text),
    key("introspection", Kind::Text),
    key("shutdown_grace", Kind::Text),
    key("processes", Kind::Truth),
    key("environment", Kind::Text),
    key("demo", Kind::Truth),
    key("auth.jwks_url", Kind::Text),
    key("auth.issuer", Kind::Text),
    key("auth.audience", Kind::Text),
    key("auth.local_keys_dir", Kind::Text),
    key("limits.body_bytes", Kind::Text),
    key("limits.cost", Kind::Number),
    key("limits.in_flight", Kind::Number),
    key("limits.connections", Kind::Number),
    key("limits.connections_per_address", Kind::Number),
    key("limits.request_timeout", Kind::Text),
    key("limits.header_timeout", Kind::Text),
    key("limits.trusted_proxies", Kind::Text),
    key("limits.requests.user", Kind::Number),
    key("limits.requests.partner", Kind::Number),
    key("limits.requests.operations", Kind::Number),
    key("limits.requests.load", Kind::Number),
    key("limits.requests.address", Kind::Number),
    key("limits.requests.loopback", Kind::Truth),
    key("limits.points.user", Kind::Number),
    key("limits.points.partner", Kind::Number),
    key("limits.points.operations", Kind::Number),
    key("limits.points.load", Kind::Number),
    key("operations.mode", Kind::Text),
    key("operations.manifest", Kind::Text),
    key("operations.public_key", Kind::Text),
    key("cache.back_end", Kind::Text),
    key("cache.bytes", Kind::Text),
    key("cache.redis_url", Kind::Secret),
    key("seals.key_file", Kind::Text),
    key("seals.every", Kind::Text),
    key("log.format", Kind::Text),
    key("log.level", Kind::Text),
];
