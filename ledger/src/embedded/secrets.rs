//! The key the ledger makes for itself in embedded mode: the master key that wraps personal-data
//! keys. A lost one cannot be made again. (The pairs that sign local tokens lie beside it; the API
//! makes those, and they can be replaced.)

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretBox};

use super::EmbeddedError;

/// Length of the master key in bytes: AES-256.
pub const MASTER_KEY_BYTES: usize = 32;

/// The secrets' directory under the data directory.
pub(super) const SECRETS_DIR: &str = "secrets";

/// More than any key file holds.
const KEY_FILE_LIMIT: u64 = 4096;

const MASTER_KEY_FILE: &str = "master.key";

/// Where the pairs that sign local tokens are kept, under the secrets' directory.
const TOKEN_KEYS_DIR: &str = "tokens";

/// The key that seals the log, under the secrets' directory.
const SEAL_KEY_FILE: &str = "seal.pk8";

/// The secrets of one data directory. `Debug` shows none of them.
#[derive(Debug)]
pub struct Secrets {
    master_key: SecretBox<[u8; MASTER_KEY_BYTES]>,
    token_keys: PathBuf,
}

impl Secrets {
    /// Loads the master key from `dir`, making it when it is missing and `may_make`.
    ///
    /// # Errors
    /// When the directory cannot be used, the key is damaged, or it is missing although `may_make` is
    /// false: data sealed with it exists.
    pub(crate) fn load_or_make(dir: &Path, may_make: bool) -> Result<Self, EmbeddedError> {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(EmbeddedError::from_io("create", dir, error));
            }
            _ => {}
        }
        std::fs::set_permissions(dir, Permissions::from_mode(0o700))
            .map_err(|error| EmbeddedError::from_io("protect", dir, error))?;

        let path = dir.join(MASTER_KEY_FILE);
        let master_key = match read(&path)? {
            Some(bytes) => bytes,
            None if may_make => keep(&path, new_master_key()?)?,
            None => return Err(EmbeddedError::SecretMissing { path }),
        };
        let master_key: [u8; MASTER_KEY_BYTES] =
            master_key
                .try_into()
                .map_err(|_| EmbeddedError::SecretDamaged {
                    path,
                    what: "it is not 32 bytes long",
                })?;
        Ok(Self {
            master_key: SecretBox::new(Box::new(master_key)),
            token_keys: dir.join(TOKEN_KEYS_DIR),
        })
    }

    /// The secrets of a data directory that a ledger has used before.
    ///
    /// # Errors
    /// As [`Self::load_or_make`] where nothing may be made.
    pub fn of(data_dir: &Path) -> Result<Self, EmbeddedError> {
        Self::load_or_make(&data_dir.join(SECRETS_DIR), false)
    }

    /// The key that wraps the personal-data keys.
    pub fn master_key(&self) -> &[u8; MASTER_KEY_BYTES] {
        self.master_key.expose_secret()
    }

    /// The directory of the key pairs that sign local tokens; not made here.
    pub fn token_keys(&self) -> &Path {
        &self.token_keys
    }
}

/// [`Secrets::token_keys`] of a data directory, without opening it.
pub fn token_keys(data_dir: &Path) -> PathBuf {
    data_dir.join(SECRETS_DIR).join(TOKEN_KEYS_DIR)
}

/// Where the key is that seals the log of a data directory.
pub fn seal_key(data_dir: &Path) -> PathBuf {
    data_dir.join(SECRETS_DIR).join(SEAL_KEY_FILE)
}

fn new_master_key() -> Result<Vec<u8>, EmbeddedError> {
    let mut bytes = vec![0; MASTER_KEY_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| EmbeddedError::KeyGeneration)?;
    Ok(bytes)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, EmbeddedError> {
    let failed = |error| EmbeddedError::from_io("read", path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(KEY_FILE_LIMIT)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(Some(bytes))
}

/// Writes a key so that a crash leaves either none or all of it.
fn keep(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, EmbeddedError> {
    let failed = |error| EmbeddedError::from_io("write", path, error);
    let mut new = PathBuf::from(path).into_os_string();
    new.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed)?;
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(failed)?;
    if let Some(dir) = path.parent() {
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(failed)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_kept() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("secrets");
        let first = Secrets::load_or_make(&dir, true).unwrap();
        let again = Secrets::load_or_make(&dir, false).unwrap();
        assert_eq!(first.master_key(), again.master_key());
        assert_ne!(first.master_key(), &[0; MASTER_KEY_BYTES]);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join(MASTER_KEY_FILE)), 0o600);
        assert!(!format!("{first:?}").contains(&format!("{:?}", first.master_key())));
    }

    #[test]
    fn a_lost_master_key_is_never_replaced() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("secrets");
        Secrets::load_or_make(&dir, true).unwrap();
        std::fs::remove_file(dir.join(MASTER_KEY_FILE)).unwrap();
        assert!(matches!(
            Secrets::load_or_make(&dir, false),
            Err(EmbeddedError::SecretMissing { .. })
        ));
        std::fs::write(dir.join(MASTER_KEY_FILE), "short").unwrap();
        assert!(matches!(
            Secrets::load_or_make(&dir, false),
            Err(EmbeddedError::SecretDamaged { .. })
        ));
    }
}
