//! How a running private server is reached.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

use super::layout::CLUSTER_DIR;
use super::process::{self, PidFile};
use super::settings::{APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER_ROLE};

/// The socket of one server. Only root, the user who runs the ledger and the server's account may
/// use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    socket_dir: PathBuf,
}

impl Endpoint {
    pub(super) const fn new(socket_dir: PathBuf) -> Self {
        Self { socket_dir }
    }

    /// The server that runs on this data directory, if one does.
    pub fn of_running(data_dir: &Path) -> Option<Self> {
        let pgdata = data_dir.join(CLUSTER_DIR).canonicalize().ok()?;
        let found = PidFile::read(&pgdata)?;
        if found.ready && process::is_server_of(found.pid, &pgdata) {
            found.socket_dir.map(Self::new)
        } else {
            None
        }
    }

    /// The directory of the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Connects as the owner of the database: for migrations.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.options(OWNER_ROLE, DATABASE)
    }

    /// Connects as the role the ledger works as.
    pub fn app_options(&self) -> PgConnectOptions {
        self.options(APP_ROLE, DATABASE)
    }

    /// Connects before there is a database of ours.
    pub(super) fn bootstrap_options(&self) -> PgConnectOptions {
        self.options(SUPERUSER_ROLE, SUPERUSER_ROLE)
    }

    fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .username(role)
            .database(database)
            .application_name("ledger")
    }

    /// The database as a role, as a URL that both sqlx and libpq read.
    pub fn url(&self, role: &str) -> String {
        let path = percent_encoded(&self.socket_dir.to_string_lossy());
        format!("postgres://{role}@localhost/{DATABASE}?host={path}")
    }
}

/// Percent-encodes everything that is not plainly safe in a query.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_survive_in_a_url() {
        let endpoint = Endpoint::new("/srv/my data&co/run".into());
        let url = endpoint.url(APP_ROLE);
        assert_eq!(
            url,
            "postgres://ledger_app@localhost/ledger?host=/srv/my%20data%26co/run"
        );
        let read: PgConnectOptions = url.parse().unwrap();
        assert_eq!(
            read.get_socket().map(PathBuf::as_path),
            Some(endpoint.socket_dir())
        );
    }
}
