//! The server's configuration files. They are written anew at every start, so that a changed
//! setting takes effect and nobody's edits are silently half-kept; local additions go into
//! `local.conf` beside them.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::account::Account;
use super::layout::{Layout, hand_over};
use super::{EmbeddedError, Options};

/// Owner of the database and of everything in it; runs the migrations.
pub const OWNER_ROLE: &str = "ledger_owner";

/// What the ledger works as: owns nothing, cannot change what is appended.
pub const APP_ROLE: &str = "ledger_app";

/// The bootstrap superuser; the ledger uses it to set up roles and database, then no more.
pub const SUPERUSER_ROLE: &str = "postgres";

/// The database.
pub const DATABASE: &str = "ledger";

/// Connections kept free for a person with psql and for the superuser at start.
const RESERVED_CONNECTIONS: u16 = 5;

/// The three files, by name.
pub(crate) struct ServerFiles([(&'static str, String); 3]);

impl ServerFiles {
    /// What the files should say.
    pub(crate) fn new(options: &Options, layout: &Layout, us: Option<&str>, them: &str) -> Self {
        Self([
            ("postgresql.conf", main_file(options, layout)),
            ("pg_hba.conf", access_file()),
            ("pg_ident.conf", names_file(us, them)),
        ])
    }

    /// Whether the cluster's files say exactly that already.
    pub(crate) fn are_current(&self, pgdata: &Path) -> bool {
        self.0.iter().all(|(name, text)| {
            std::fs::read_to_string(pgdata.join(name)).is_ok_and(|found| found == *text)
        })
    }

    /// Writes them, each whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write(&self, pgdata: &Path, account: &Account) -> Result<(), EmbeddedError> {
        for (name, text) in &self.0 {
            let path = pgdata.join(name);
            let new = pgdata.join(format!("{name}.new"));
            let failed = |error| EmbeddedError::from_io("write", &path, error);
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)
                .map_err(failed)?;
            file.set_permissions(Permissions::from_mode(0o600))
                .and_then(|()| file.write_all(text.as_bytes()))
                .and_then(|()| file.sync_all())
                .map_err(failed)?;
            hand_over(&new, account)?;
            std::fs::rename(&new, &path).map_err(failed)?;
        }
        Ok(())
    }
}

/// Durable, small, quiet. Statements and parameters stay out of the log: they hold personal data.
fn main_file(options: &Options, layout: &Layout) -> String {
    let connections = options.max_connections.saturating_add(RESERVED_CONNECTIONS);
    format!(
        "# Written at every start of the ledger. Put your own settings into local.conf.
listen_addresses = ''
unix_socket_directories = {socket}
unix_socket_permissions = 0700
port = 5432
cluster_name = 'ledger-{tag}'
max_connections = {connections}

shared_buffers = {buffers}MB
work_mem = 8MB
maintenance_work_mem = 64MB
huge_pages = off
max_parallel_workers_per_gather = 1

fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = lz4
max_wal_size = 1GB
min_wal_size = 80MB
checkpoint_completion_target = 0.9

jit = off
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'

logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_file_mode = 0600
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off

include_if_exists = 'local.conf'
",
        socket = quoted(&layout.socket_dir.to_string_lossy()),
        tag = layout.tag(),
        buffers = options.shared_buffers_mb,
    )
}

/// Only the socket, only who the system says you are, only through the map below.
fn access_file() -> String {
    format!(
        "# Written at every start of the ledger.
local  all  {SUPERUSER_ROLE},{OWNER_ROLE},{APP_ROLE}  peer  map=ledger
local  all  all  reject
"
    )
}

/// Root, the user who runs the ledger and the server's own account; nobody else.
fn names_file(us: Option<&str>, them: &str) -> String {
    let mut users = vec!["root", them];
    users.extend(us);
    users.sort_unstable();
    users.dedup();
    let mut text = String::from("# Written at every start of the ledger.\n");
    for user in users {
        for role in [SUPERUSER_ROLE, OWNER_ROLE, APP_ROLE] {
            text.push_str(&format!("ledger  \"{user}\"  {role}\n"));
        }
    }
    text
}

/// A string as the configuration file wants it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_accounts_may_connect() {
        let text = names_file(Some("alice"), "alice");
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("ledger"))
                .count(),
            6
        );
        assert!(text.contains("ledger  \"root\"  ledger_app"));
        assert_eq!(
            names_file(Some("root"), "postgres"),
            names_file(None, "postgres")
        );
    }

    #[test]
    fn quotes_paths() {
        assert_eq!(quoted("/srv/o'neill"), "'/srv/o''neill'");
    }

    #[test]
    fn a_changed_setting_makes_the_files_stale() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::open(dir.path()).unwrap();
        let account = Account {
            name: "x".into(),
            uid: 0,
            gid: 0,
            step_down: false,
        };
        let mut options = Options::new(dir.path());
        let files = ServerFiles::new(&options, &layout, None, "postgres");
        assert!(!files.are_current(dir.path()));
        files.write(dir.path(), &account).unwrap();
        assert!(files.are_current(dir.path()));
        options.shared_buffers_mb += 1;
        let files = ServerFiles::new(&options, &layout, None, "postgres");
        assert!(!files.are_current(dir.path()));
    }
}
