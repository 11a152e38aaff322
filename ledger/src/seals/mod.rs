//! Signed seals of the chain's head: made by the serving process, kept by auditors, checked against the log.

mod check;
mod key;
mod run;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::signature::{ED25519, UnparsedPublicKey};
use store::seal::{Seal, Signature};

pub use api_graphql::WrittenSeal as Written;
pub use check::{Checked, check, read};
pub use key::{KeyError, SealKey};
pub use run::Sealing;

/// Whether the key that a seal names made its signature.
fn is_signed(seal: &Seal) -> bool {
    let Signature {
        public_key,
        signature,
        ..
    } = &seal.signed;
    verifies(public_key, &seal.head.message(), signature)
        && seal.signed.key_id == key_id(&seal.signed.public_key)
}

/// Whether a public key made a signature of a message.
pub(crate) fn verifies(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(message, signature).is_ok()
}

/// A short fingerprint of a public key.
fn key_id(public: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, public);
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..12).unwrap_or_default())
}
