//! The ledger's own Ed25519 key pairs: made at first start, kept in one directory, rotated by adding one.
//!
//! One file per pair, `<created>-<kid>.pk8`, mode 0600. The newest signs; every pair verifies until its file
//! is removed, so a rotation invalidates no token that is already out.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::{
    digest, rand,
    signature::{Ed25519KeyPair, KeyPair},
};

use super::keys::VerifyingKey;

/// The most key pairs the directory may hold: more means that nobody removes old ones.
const MAX_KEY_PAIRS: usize = 16;
/// A PKCS#8 Ed25519 document is 83 or 85 bytes.
const MAX_KEY_FILE_BYTES: u64 = 4096;

/// Why the local key pairs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocalKeyError {
    /// The directory or a file in it cannot be read or written.
    #[error("cannot use the key file {path}: {source}; check that the ledger's account owns it")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read a private key.
    #[error(
        "{0} is readable by other accounts; run `chmod 600` on it, or remove it and let a new one be made"
    )]
    Exposed(PathBuf),
    /// Not a private key of ours.
    #[error("{0} holds no Ed25519 private key; remove it, the tokens it signed become invalid")]
    NotAKey(PathBuf),
    /// Too many pairs.
    #[error("{0} holds more than {MAX_KEY_PAIRS} key pairs; remove the oldest files")]
    TooMany(PathBuf),
    /// The system's random numbers failed.
    #[error("the system has no random numbers for a new key pair")]
    NoRandom,
}

/// The key pairs of one directory.
pub struct LocalKeys {
    signing: EncodingKey,
    signing_kid: String,
    verifying: Vec<VerifyingKey>,
}

impl std::fmt::Debug for LocalKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalKeys(signing with {})", self.signing_kid)
    }
}

impl LocalKeys {
    /// Loads the pairs of `dir`, and makes the directory and a first pair where there is none.
    ///
    /// # Errors
    /// When a file cannot be read or written, is readable by others, or holds no key.
    pub fn load_or_create(dir: &Path) -> Result<Self, LocalKeyError> {
        match Self::load(dir)? {
            Some(keys) => Ok(keys),
            None => Self::rotate(dir),
        }
    }

    /// Adds a pair that signs from now on, and loads all.
    ///
    /// # Errors
    /// As [`Self::load_or_create`].
    pub fn rotate(dir: &Path) -> Result<Self, LocalKeyError> {
        create_pair(dir)?;
        Self::load(dir)?.ok_or_else(|| LocalKeyError::NotAKey(dir.to_owned()))
    }

    fn load(dir: &Path) -> Result<Option<Self>, LocalKeyError> {
        let mut paths = Vec::new();
        match fs::read_dir(dir) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(|source| io_error(dir, source))?.path();
                    if path.extension().is_some_and(|e| e == "pk8") {
                        paths.push(path);
                    }
                    if paths.len() > MAX_KEY_PAIRS {
                        return Err(LocalKeyError::TooMany(dir.to_owned()));
                    }
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error(dir, source)),
        }
        // File names begin with the moment of creation: the last one is the newest.
        paths.sort();
        let pairs = paths
            .iter()
            .map(|path| read_pair(path))
            .collect::<Result<Vec<_>, _>>()?;
        let verifying = pairs.iter().map(|(_, key)| key.clone()).collect();
        Ok(pairs.into_iter().next_back().map(|(pkcs8, newest)| Self {
            signing: EncodingKey::from_ed_der(&pkcs8),
            signing_kid: newest.kid.unwrap_or_default(),
            verifying,
        }))
    }

    pub(crate) fn signing(&self) -> (&EncodingKey, &str) {
        (&self.signing, &self.signing_kid)
    }

    pub(crate) fn verifying(&self) -> &[VerifyingKey] {
        &self.verifying
    }
}

fn io_error(path: &Path, source: io::Error) -> LocalKeyError {
    LocalKeyError::Io {
        path: path.to_owned(),
        source,
    }
}

fn read_pair(path: &Path) -> Result<(Vec<u8>, VerifyingKey), LocalKeyError> {
    let meta = fs::metadata(path).map_err(|e| io_error(path, e))?;
    if meta.mode() & 0o077 != 0 {
        return Err(LocalKeyError::Exposed(path.to_owned()));
    }
    if meta.len() > MAX_KEY_FILE_BYTES {
        return Err(LocalKeyError::NotAKey(path.to_owned()));
    }
    let pkcs8 = fs::read(path).map_err(|e| io_error(path, e))?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8)
        .map_err(|_| LocalKeyError::NotAKey(path.to_owned()))?;
    let public = pair.public_key().as_ref();
    let key = VerifyingKey {
        kid: Some(key_id(public)),
        algorithm: Algorithm::EdDSA,
        key: DecodingKey::from_ed_der(public),
    };
    Ok((pkcs8, key))
}

/// Writes a new pair under a temporary name and renames it: a reader never sees half a key.
fn create_pair(dir: &Path) -> Result<(), LocalKeyError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rand::SystemRandom::new())
        .map_err(|_| LocalKeyError::NoRandom)?;
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| LocalKeyError::NoRandom)?;
    let kid = key_id(pair.public_key().as_ref());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| io_error(dir, e))?;
    let created = chrono::Utc::now().format("%Y%m%dT%H%M%S%6fZ");
    let path = dir.join(format!("{created}-{kid}.pk8"));
    let temporary = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(pkcs8.as_ref())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    };
    write().map_err(|e| io_error(&path, e))
}

/// A short fingerprint of the public key.
fn key_id(public: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, public);
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default())
}
