//! A key that signs seals, or lists of operations: one file, made when it is first asked for. A lost one is replaced by
//! a new one; what the old one signed can still be checked.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use store::seal::Signature;

use super::key_id;
use crate::export::sync_dir;

/// A PKCS#8 Ed25519 document is 83 or 85 bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use the signing key {path}: {source}; check that the ledger's account owns it")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read it.
    #[error(
        "the signing key {0} is readable by other accounts; run `chmod 600` on it, or remove it and let a new one be made"
    )]
    Exposed(PathBuf),
    /// Not a private key.
    #[error("{0} holds no Ed25519 private key (PKCS#8); remove it and a new one is made")]
    NotAKey(PathBuf),
    /// The system's random numbers failed.
    #[error("the system has no random numbers for a new signing key")]
    NoRandom,
}

/// Signs seals.
pub struct SealKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}

impl SealKey {
    /// Reads the key, and makes it where there is none.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load_or_make(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let meta = match fs::metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                fs::metadata(path).map_err(io)?
            }
            Err(error) => return Err(io(error)),
        };
        if meta.mode() & 0o077 != 0 {
            return Err(KeyError::Exposed(path.to_owned()));
        }
        let not_a_key = || KeyError::NotAKey(path.to_owned());
        if meta.len() > MAX_KEY_BYTES {
            return Err(not_a_key());
        }
        let document = fs::read(path).map_err(io)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document);
        let pair = pair.map_err(|_| not_a_key())?;
        let id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// The public key.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature {
            key_id: self.id.clone(),
            public_key: self.pair.public_key().as_ref().to_vec(),
            signature: self.pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// Makes a key so that a crash leaves either none or all of it, and of two processes one makes it.
fn make(path: &Path) -> Result<(), KeyError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    let document = document.map_err(|_| KeyError::NoRandom)?;
    let write = || -> io::Result<()> {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let temporary = path.with_extension(format!("new-{}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(document.as_ref())?;
        file.sync_all()?;
        // A link, not a rename: it does not replace the key that another process made meanwhile.
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::remove_file(&temporary)?;
        sync_dir(path)
    };
    write().map_err(|source| KeyError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_kept_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets/seal.pk8");
        let first = SealKey::load_or_make(&path).unwrap();
        let again = SealKey::load_or_make(&path).unwrap();
        assert_eq!(first.sign(b"x"), again.sign(b"x"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = SealKey::load_or_make(&path);
        assert!(matches!(exposed, Err(KeyError::Exposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        let damaged = SealKey::load_or_make(&path);
        assert!(matches!(damaged, Err(KeyError::NotAKey(_))));
    }
}
