//! The two files: what they hold, and whether that is a certificate with its key.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use rustls::{
    crypto,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// More than any chain or key has, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// The most certificates of a chain: a root, two levels between, and room.
const MAX_CHAIN: usize = 10;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(
        "{setting}: {path} cannot be read: {source}; check that the ledger's account may read it"
    )]
    Unreadable {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file is far too large to be what it should be.
    #[error("{setting}: {path} has more than {MAX_FILE_BYTES} bytes; is it a PEM file?")]
    TooLarge {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Every account of the machine could take the key.
    #[error("tls_key: {0} is readable by every account; run `chmod o-rwx` on it")]
    Exposed(PathBuf),
    /// The certificates' file holds none, or something else.
    #[error(
        "tls_cert: {0} must hold 1 to {MAX_CHAIN} certificates in PEM (BEGIN CERTIFICATE), the server's own first"
    )]
    NoCertificate(PathBuf),
    /// The key's file holds none, or several.
    #[error("tls_key: {0} must hold one private key in PEM (BEGIN PRIVATE KEY), not encrypted")]
    NoKey(PathBuf),
    /// They do not belong together, or are of a kind that is not known.
    #[error("tls_cert, tls_key: {cert} and {key} are no pair that can be used: {source}")]
    NoPair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The program's cryptography has no TLS 1.2 or 1.3.
    #[error("TLS cannot be spoken: {0}")]
    Provider(rustls::Error),
}

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// What both hold.
pub(super) struct Content {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Content {
    /// Tells one content from another.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        // The length keeps apart what is in one file from what is in the other.
        context.update(&self.cert.len().to_be_bytes());
        context.update(&self.cert);
        context.update(&self.key);
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

impl Files {
    pub(super) fn read(&self) -> Result<Content, TlsError> {
        let (key, mode) = read("tls_key", &self.key)?;
        if mode & 0o007 != 0 {
            return Err(TlsError::Exposed(self.key.clone()));
        }
        let (cert, _) = read("tls_cert", &self.cert)?;
        Ok(Content { cert, key })
    }

    pub(super) fn pair(&self, content: &Content) -> Result<CertifiedKey, TlsError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&content.cert)
            .take(MAX_CHAIN + 1)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate(self.cert.clone()))?;
        if !(1..=MAX_CHAIN).contains(&chain.len()) {
            return Err(TlsError::NoCertificate(self.cert.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&content.key)
            .map_err(|_| TlsError::NoKey(self.key.clone()))?;
        CertifiedKey::from_der(chain, key, &crypto::ring::default_provider()).map_err(|source| {
            TlsError::NoPair {
                cert: self.cert.clone(),
                key: self.key.clone(),
                source,
            }
        })
    }
}

/// A file's bytes and its permissions.
fn read(setting: &'static str, path: &Path) -> Result<(Vec<u8>, u32), TlsError> {
    let unreadable = |source| TlsError::Unreadable {
        setting,
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode();
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= MAX_FILE_BYTES) {
        Ok((bytes, mode))
    } else {
        Err(TlsError::TooLarge {
            setting,
            path: path.to_owned(),
        })
    }
}
