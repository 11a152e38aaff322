//! The data directory: who owns which part of it, and whether it can be used at all.
//!
//! ```text
//! data/
//!   ledger.lock         held while a ledger runs
//!   secrets/            ours alone: the master key, token keys
//!   postgres/           the server's files, the server's account
//!   run/                the server's socket
//!   postgres-start.log  what the server said before its own log began
//! ```

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::AccessFlags;

use super::EmbeddedError;
use super::account::Account;

/// Space for a new cluster, its first log segments and room to work.
pub(crate) const MIN_FREE_MB: u64 = 256;

/// Space an existing cluster needs to start: one log segment and a recovery's pages.
const MIN_FREE_AGAIN_MB: u64 = 48;

/// The cluster's directory under the data directory.
pub(crate) const CLUSTER_DIR: &str = "postgres";

/// Longest path of a Unix socket: 108 bytes with the closing NUL.
pub(crate) const SOCKET_PATH_LIMIT: usize = 107;

/// The socket's file name; the port in it is only a name, nothing listens on TCP.
const SOCKET_FILE: &str = ".s.PGSQL.5432";

/// Bytes of a directory's digest in names derived from it.
const DIGEST_BYTES: usize = 6;

/// The parts of one data directory, absolute and with symbolic links resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The data directory.
    pub(crate) root: PathBuf,
    /// The server's files.
    pub(crate) pgdata: PathBuf,
    /// Where the server's socket is.
    pub(crate) socket_dir: PathBuf,
    /// The master key and the pairs that sign local tokens.
    pub(crate) secrets: PathBuf,
    /// What the server said before its own log began.
    pub(crate) start_log: PathBuf,
}

impl Layout {
    /// Makes the data directory and works out its parts; nothing below it is touched yet.
    ///
    /// # Errors
    /// When it cannot be made, or no socket path is short enough.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, EmbeddedError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(data_dir)
            .map_err(|error| from_create(data_dir, error))?;
        let root = data_dir
            .canonicalize()
            .map_err(|error| EmbeddedError::from_io("resolve", data_dir, error))?;
        Ok(Self {
            pgdata: root.join(CLUSTER_DIR),
            socket_dir: socket_dir(&root, &std::env::temp_dir())?,
            secrets: root.join(super::secrets::SECRETS_DIR),
            start_log: root.join("postgres-start.log"),
            root,
        })
    }

    /// The major version that made the cluster; `None` where there is no cluster yet.
    ///
    /// # Errors
    /// When something that is not a cluster is in the way.
    pub(crate) fn cluster_version(&self) -> Result<Option<u32>, EmbeddedError> {
        cluster_version(&self.pgdata)
    }

    /// Checks what a start needs and makes the socket's directory.
    ///
    /// # Errors
    /// When the server's account cannot get here, does not own the cluster, or space is short.
    pub(crate) fn prepare(&self, account: &Account, exists: bool) -> Result<(), EmbeddedError> {
        check_reach(&self.root, account)?;
        check_owner(&self.pgdata, account)?;
        let needed_mb = if exists {
            MIN_FREE_AGAIN_MB
        } else {
            MIN_FREE_MB
        };
        let free_mb = free_mb(&self.root)?;
        if free_mb < needed_mb {
            return Err(EmbeddedError::DiskFull {
                path: self.root.clone(),
                free_mb,
                needed_mb,
            });
        }
        private_dir(&self.socket_dir, account)
    }

    /// Where the server says that it holds the socket.
    pub(crate) fn socket_lock(&self) -> PathBuf {
        self.socket_dir.join(format!("{SOCKET_FILE}.lock"))
    }

    /// A short name for this directory, the same at every start.
    pub(crate) fn tag(&self) -> String {
        tag(&self.root)
    }
}

/// [`Layout::cluster_version`] of any directory.
///
/// # Errors
/// As there.
pub(crate) fn cluster_version(pgdata: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = pgdata.join("PG_VERSION");
    match std::fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => Err(EmbeddedError::InTheWay {
                path,
                what: "does not hold a version number",
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match std::fs::read_dir(pgdata).map(|mut entries| entries.next().is_some()) {
                Ok(true) => Err(EmbeddedError::InTheWay {
                    path: pgdata.to_owned(),
                    what: "is not a PostgreSQL data directory",
                }),
                _ => Ok(None),
            }
        }
        Err(error) => Err(EmbeddedError::from_io("read", &path, error)),
    }
}

/// The server's account must be able to pass through every directory on the way.
///
/// # Errors
/// [`EmbeddedError::Unreachable`] with the first that stops it.
pub(crate) fn check_reach(root: &Path, account: &Account) -> Result<(), EmbeddedError> {
    match account.blocked_at(root) {
        Some(blocker) if account.step_down => Err(EmbeddedError::Unreachable {
            account: account.name.clone(),
            blocker,
            data_dir: root.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// An existing cluster must belong to the server's account.
///
/// # Errors
/// [`EmbeddedError::WrongOwner`].
pub(crate) fn check_owner(pgdata: &Path, account: &Account) -> Result<(), EmbeddedError> {
    match std::fs::metadata(pgdata).map(|found| found.uid()) {
        Ok(owner) if owner != account.uid => Err(EmbeddedError::WrongOwner {
            path: pgdata.to_owned(),
            owner,
            account: account.name.clone(),
        }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(EmbeddedError::from_io("look at", pgdata, error))
        }
        _ => Ok(()),
    }
}

/// We must be able to write the directory, or to make it in the first parent that exists.
///
/// # Errors
/// [`EmbeddedError::NotWritable`] or [`EmbeddedError::InTheWay`].
pub(crate) fn check_writable(root: &Path) -> Result<(), EmbeddedError> {
    let existing = root
        .ancestors()
        .find(|candidate| candidate.exists())
        .unwrap_or(root);
    if !existing.is_dir() {
        return Err(EmbeddedError::InTheWay {
            path: existing.to_owned(),
            what: "is not a directory",
        });
    }
    let wanted = AccessFlags::W_OK | AccessFlags::X_OK;
    nix::unistd::access(existing, wanted)
        .map_err(|error| EmbeddedError::from_io("write", existing, error.into()))
}

/// Free space for unprivileged users, in megabytes.
///
/// # Errors
/// When the file system does not say.
pub(crate) fn free_mb(path: &Path) -> Result<u64, EmbeddedError> {
    let found = nix::sys::statvfs::statvfs(path)
        .map_err(|error| EmbeddedError::from_io("measure", path, error.into()))?;
    Ok(found
        .blocks_available()
        .saturating_mul(found.fragment_size())
        / 1_000_000)
}

/// A directory of mode 0700 that belongs to the server's account. An existing one must be
/// exactly that: under a shared temporary directory it could be somebody else's trap.
///
/// # Errors
/// When it cannot be made, or exists and is not a directory of this account.
pub(crate) fn private_dir(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let failed = |error| EmbeddedError::from_io("create", path, error);
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(path).map_err(failed)?;
            if !found.is_dir() {
                return Err(EmbeddedError::InTheWay {
                    path: path.to_owned(),
                    what: "is not a directory",
                });
            }
            if found.uid() == account.uid {
                return std::fs::set_permissions(path, Permissions::from_mode(0o700))
                    .map_err(failed);
            }
            // Left by a start that was cut off before it handed the directory over.
            let ours = nix::unistd::Uid::effective().as_raw();
            if found.uid() != ours {
                return Err(EmbeddedError::InTheWay {
                    path: path.to_owned(),
                    what: "belongs to somebody else",
                });
            }
        }
        Err(error) => return Err(failed(error)),
    }
    hand_over(path, account)
}

/// Gives a file or directory of ours to the server's account.
///
/// # Errors
/// When the system refuses.
pub(crate) fn hand_over(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    if !account.step_down {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid))
        .map_err(|error| EmbeddedError::from_io("hand over", path, error))
}

/// `run/` in the data directory, or a private directory under the temporary one where the
/// socket's path would be too long.
fn socket_dir(root: &Path, temporary: &Path) -> Result<PathBuf, EmbeddedError> {
    let fits = |dir: &Path| dir.join(SOCKET_FILE).as_os_str().as_bytes().len() <= SOCKET_PATH_LIMIT;
    let inside = root.join("run");
    if fits(&inside) {
        return Ok(inside);
    }
    let short = temporary.join(format!("ledger-{}", tag(root)));
    if fits(&short) {
        return Ok(short);
    }
    Err(EmbeddedError::SocketPathTooLong {
        path: inside,
        limit: SOCKET_PATH_LIMIT,
    })
}

fn tag(path: &Path) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, path.as_os_str().as_bytes());
    let mut text = String::with_capacity(2 * DIGEST_BYTES);
    for byte in digest.as_ref().iter().take(DIGEST_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `create_dir_all` says "not a directory" or "file exists" where a file is in the way.
fn from_create(path: &Path, error: io::Error) -> EmbeddedError {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => EmbeddedError::InTheWay {
            path: path.to_owned(),
            what: "is not a directory",
        },
        _ => EmbeddedError::from_io("create", path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_moves_the_socket_to_a_short_place() {
        let temporary = Path::new("/tmp");
        let short = Path::new("/srv/data");
        assert_eq!(
            socket_dir(short, temporary).unwrap(),
            Path::new("/srv/data/run")
        );

        let long = PathBuf::from(format!("/srv/{}", "x".repeat(SOCKET_PATH_LIMIT)));
        let moved = socket_dir(&long, temporary).unwrap();
        assert!(moved.starts_with(temporary));
        assert_eq!(moved, socket_dir(&long, temporary).unwrap());

        assert!(matches!(
            socket_dir(&long, &long),
            Err(EmbeddedError::SocketPathTooLong { .. })
        ));
    }

    #[test]
    fn the_longest_path_that_fits_is_kept() {
        let overhead = "/run/".len() + SOCKET_FILE.len();
        let fits = PathBuf::from(format!("/{}", "x".repeat(SOCKET_PATH_LIMIT - overhead - 1)));
        assert_eq!(
            socket_dir(&fits, Path::new("/tmp")).unwrap(),
            fits.join("run")
        );
    }

    #[test]
    fn a_directory_of_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::open(dir.path()).unwrap();
        assert_eq!(layout.cluster_version().unwrap(), None);
        std::fs::create_dir(&layout.pgdata).unwrap();
        assert_eq!(layout.cluster_version().unwrap(), None);
        std::fs::write(layout.pgdata.join("letters.txt"), "dear").unwrap();
        assert!(matches!(
            layout.cluster_version(),
            Err(EmbeddedError::InTheWay { .. })
        ));
        std::fs::write(layout.pgdata.join("PG_VERSION"), "14\n").unwrap();
        assert_eq!(layout.cluster_version().unwrap(), Some(14));
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data");
        std::fs::write(&file, "").unwrap();
        let error = Layout::open(&file).unwrap_err();
        assert!(error.to_string().contains("is not a directory"), "{error}");
    }
}
