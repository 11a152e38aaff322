//! The list of operations that alone may run: signed by whoever releases the clients, checked before the ledger starts.
//!
//! The signature is detached: `FILE.sig` beside the manifest, JSON with the key's short name, the public key and an
//! Ed25519 signature over a label and the manifest's SHA-256.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use api_graphql::operations::{AllowList, MAX_MANIFEST_BYTES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::seals::{SealKey, verifies};

/// Keeps a signature of ours for something else from passing as one of a manifest.
const LABEL: &[u8] = b"ledger-operations-1";
/// More than any signature file has, in bytes.
const MAX_SIGNATURE_BYTES: u64 = 4096;
/// A public key of Ed25519, in bytes.
const PUBLIC_KEY_BYTES: usize = 32;

/// The file of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signed {
    /// A short name of the key.
    pub key_id: String,
    /// The public key, base64.
    pub public_key: String,
    /// The signature, base64.
    pub signature: String,
}

/// Where the signature of a manifest is.
pub fn signature_path(manifest: &Path) -> PathBuf {
    let mut name = manifest.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Signs a manifest that could be used; how many operations it has, and what was written.
///
/// # Errors
/// The manifest cannot be used, or the signature cannot be written.
pub fn sign(manifest: &Path, key: &SealKey) -> Result<(usize, Signed), Failure> {
    let bytes = read(manifest, MAX_MANIFEST_BYTES as u64)?;
    let list = AllowList::read(&bytes).map_err(|error| Failure::new(Exit::Refused, error))?;
    let signature = key.sign(&message(&bytes));
    let signed = Signed {
        key_id: signature.key_id,
        public_key: STANDARD.encode(signature.public_key),
        signature: STANDARD.encode(signature.signature),
    };
    let path = signature_path(manifest);
    let text = serde_json::to_string_pretty(&signed);
    let text = text.map_err(|error| Failure::new(Exit::Failed, error))?;
    // Beside it first: a ledger that starts now finds a whole signature.
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&temporary)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    };
    write().map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("{} cannot be written: {error}", path.display()),
        )
    })?;
    Ok((list.len(), signed))
}

/// The operations of a manifest that the owner of a public key has signed.
///
/// # Errors
/// It is not signed, not by that key, not as it is now, or cannot be used; what to do about it.
pub fn check(manifest: &Path, trusted: &PublicKey) -> Result<AllowList, Failure> {
    let refuse = |why: String| {
        Failure::new(Exit::Config, why).hint(format!(
            "look at what changed, then sign it: `ledger operations sign {}`",
            manifest.display()
        ))
    };
    let bytes = read(manifest, MAX_MANIFEST_BYTES as u64)?;
    let path = signature_path(manifest);
    if !path.exists() {
        return Err(refuse(format!(
            "the operations of {} are not signed: there is no {}",
            manifest.display(),
            path.display()
        )));
    }
    let text = read(&path, MAX_SIGNATURE_BYTES)?;
    let Ok(signed) = serde_json::from_slice::<Signed>(&text) else {
        let path = path.display();
        return Err(refuse(format!("{path} is no signature of operations")));
    };
    if STANDARD.decode(&signed.public_key).ok().as_deref() != Some(&trusted.0[..]) {
        return Err(Failure::new(
            Exit::Config,
            format!(
                "{} is signed with the key {} ({}), not with the one that counts here, {trusted}",
                manifest.display(),
                signed.key_id,
                signed.public_key
            ),
        )
        .hint(
            "sign it with the right key (`ledger operations sign FILE --key KEY`), or set operations.public_key to \
             this one if it is meant",
        ));
    }
    let is_signed = STANDARD
        .decode(&signed.signature)
        .is_ok_and(|signature| verifies(&trusted.0, &message(&bytes), &signature));
    if !is_signed {
        return Err(refuse(format!(
            "{} is not what was signed: its signature does not verify",
            manifest.display()
        )));
    }
    AllowList::read(&bytes).map_err(|error| Failure::new(Exit::Config, error))
}

/// The operations that alone may run; `None` where any may.
///
/// # Errors
/// As [`check`], and where the key cannot be read.
pub fn allowed(config: &Config) -> Result<Option<AllowList>, Failure> {
    let Some(manifest) = config.allow_list() else {
        return Ok(None);
    };
    let list = check(manifest, &trusted(config)?)?;
    tracing::info!(
        operations = list.len(),
        "only the operations of the signed list run"
    );
    Ok(Some(list))
}

/// Whose signature counts: the configured key's, else that of the key that seals the log.
///
/// # Errors
/// There is neither, or it cannot be used.
pub fn trusted(config: &Config) -> Result<PublicKey, Failure> {
    if let Some(key) = &config.operations.public_key {
        return PublicKey::read(key).map_err(|why| Failure::new(Exit::Config, why));
    }
    let file = config.seal_key().ok_or_else(|| {
        Failure::new(
            Exit::Config,
            "nobody's signature of operations counts: neither operations.public_key nor seals.key_file is set",
        )
        .hint("`ledger operations sign` prints the public key to set")
    })?;
    let key = SealKey::load_or_make(&file).map_err(|error| Failure::new(Exit::Config, error))?;
    Ok(PublicKey(key.public_key().to_vec()))
}

/// A public key of Ed25519.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// From base64.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, String> {
        match STANDARD.decode(text.trim()) {
            Ok(bytes) if bytes.len() == PUBLIC_KEY_BYTES => Ok(Self(bytes)),
            _ => Err(format!(
                "a public key of {PUBLIC_KEY_BYTES} bytes in base64 is expected, as `ledger operations sign` prints it"
            )),
        }
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

fn message(manifest: &[u8]) -> Vec<u8> {
    [LABEL, digest(&SHA256, manifest).as_ref()].concat()
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Config,
            format!("{} cannot be read: {why}", path.display()),
        )
    };
    let meta = fs::metadata(path).map_err(|error| failed(&error))?;
    if meta.len() > limit {
        return Err(failed(&format!("it has more than {limit} bytes")));
    }
    fs::read(path).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        r#"{"a4bbf0ae43b8cfa4e1b8a8a5a4f3f8c0a7b6d5e4f3a2b1c0d9e8f7a6b5c4d3e2":"{ a }"}"#;

    fn manifest(text: &str) -> String {
        let hash = digest(&SHA256, text.as_bytes());
        let hash = store::hash::hex(hash.as_ref());
        serde_json::json!({ hash: text }).to_string()
    }

    #[test]
    fn only_what_the_key_signed_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("operations.json");
        let key = |name: &str| SealKey::load_or_make(&dir.path().join(name)).unwrap();
        let (ours, theirs) = (key("ours.pk8"), key("theirs.pk8"));
        let trusted = PublicKey(ours.public_key().to_vec());
        let refused = |word: &str| {
            let failure = check(&path, &trusted).unwrap_err();
            let said = format!("{} {:?}", failure.message, failure.hint);
            assert!(said.contains(word), "{said}");
            assert_eq!(failure.exit, Exit::Config);
        };
        refused("cannot be read");
        fs::write(&path, manifest("{ storeBoard { count } }")).unwrap();
        refused("not signed");
        let (count, signed) = sign(&path, &ours).unwrap();
        assert_eq!(count, 1);
        assert_eq!(check(&path, &trusted).unwrap().len(), 1);
        assert_eq!(PublicKey::read(&signed.public_key), Ok(trusted.clone()));
        // Changed afterwards, signed by another, or by another under our name.
        fs::write(&path, manifest("{ orders { edges { cursor } } }")).unwrap();
        refused("not what was signed");
        let (_, forged) = sign(&path, &theirs).unwrap();
        refused("not with the one that counts");
        let forged = Signed {
            signature: forged.signature,
            ..signed
        };
        let forged = serde_json::to_string(&forged).unwrap();
        fs::write(signature_path(&path), forged).unwrap();
        refused("not what was signed");
        fs::write(signature_path(&path), "{}").unwrap();
        refused("no signature");
        // What could not run is not signed.
        fs::write(&path, MANIFEST).unwrap();
        assert_eq!(sign(&path, &ours).unwrap_err().exit, Exit::Refused);
        assert!(PublicKey::read("x").is_err());
    }
}
