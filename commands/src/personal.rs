//! Personal data under a key per subject.
//!
//! A subject is a customer, or a single order or message where nobody names a customer. Data is encrypted with the
//! subject's key (AES-256-GCM, NIST SP 800-38D, random 96-bit nonce) and only the ciphertext is part of the event
//! and of its hash. Subject keys are kept outside the log, wrapped by a key derived from the master key
//! (HKDF-SHA256, RFC 5869). Destroying a subject's key erases the person for good and leaves the chain valid.
//!
//! # Erasure
//!
//! [`Vault::forget`] destroys the key: its row stays behind, empty, so that nothing can ever be stored under that
//! name again. What is sealed for the subject later gets a new key under the next name (a *generation*, part of the
//! sealed data), and what was sealed before stays unreadable. Every append carries the wrapped key that its events
//! are sealed with, and the log refuses it when that key is not there any more: a process that still remembers the
//! old key can neither bring it back nor lose new data under it; it is told to seal again.
//!
//! The rows by which the subject's orders are found by phone number go in the same transaction
//! ([ADR 0016](../../docs/adr/0016-orders-by-phone.md)).
//!
//! Reading stops at once in the process that erased, and in every other one within [`KEY_TTL`], for which it may
//! remember a key. Copies that lie outside the database's live rows live on until they expire: PostgreSQL's dead
//! rows until the next vacuum, write-ahead log and backups for their retention time.

mod cipher;
mod keyring;
mod subject;

use std::{collections::HashSet, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use domain::{
    order::event::Sealed,
    refusal::{Code, Refusal},
};
use serde::{Serialize, de::DeserializeOwned};
use store::{Log, PhoneHash, SubjectKey};

use self::keyring::{Kept, Keyring};
use crate::error::CommandError;

pub use store::keys::Erasure;
pub use subject::Subject;

/// How long a process may use a key without asking the database whether it still exists.
pub const KEY_TTL: Duration = Duration::from_secs(60);

/// Why personal data could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The master key is not 32 bytes.
    #[error("the master key must be 32 bytes, base64; make one with `openssl rand -base64 32`")]
    BadMasterKey,
    /// No randomness, or a broken cipher: a fault of the machine.
    #[error("the machine's cryptography failed")]
    Crypto,
    /// The ciphertext or the wrapped key is damaged, or the master key is another one.
    #[error("the sealed data of {subject} cannot be opened; is this the right master key?")]
    Unreadable {
        /// Whose data it is.
        subject: String,
    },
    /// The subject was erased too often.
    #[error(
        "the customer was erased {} times, which is the most there is: take another customer id",
        subject::MAX_GENERATIONS
    )]
    WornOut,
    /// The key table is out of reach.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl From<VaultError> for CommandError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(e) => Self::Unavailable(e.to_string()),
            // Only a customer can be erased again and again: an order or a message is sealed once.
            worn @ VaultError::WornOut => Self::Refused(Refusal::one(
                Code::Validation,
                "customerId",
                worn.to_string(),
            )),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// What stands for personal data in a rehearsal, which seals nothing: no subject has a key of this name.
pub(crate) const fn unsealed() -> Sealed {
    Sealed {
        subject: String::new(),
        sealed: String::new(),
    }
}

/// Whether this only stands for personal data that a rehearsed command brings: there is nothing to open.
pub const fn is_unsealed(sealed: &Sealed) -> bool {
    sealed.subject.is_empty()
}

fn unsealed_with<T: DeserializeOwned>(kept: &Kept, sealed: &Sealed) -> Result<T, VaultError> {
    let bytes = BASE64
        .decode(&sealed.sealed)
        .map_err(|_| unreadable(sealed))?;
    let plain = kept.key.open(&bytes, sealed.subject.as_bytes());
    let plain = plain.ok_or_else(|| unreadable(sealed))?;
    serde_json::from_slice(&plain).map_err(|_| unreadable(sealed))
}

fn unreadable(sealed: &Sealed) -> VaultError {
    VaultError::Unreadable {
        subject: sealed.subject.clone(),
    }
}

/// Seals and opens personal data. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keyring: Keyring,
}

/// Sealed data, and the key that the append of its event must carry.
pub struct Sealing {
    /// For the event.
    pub data: Sealed,
    /// For the same append as the event: stored where the subject had no key, else compared with the one there is.
    pub key: SubjectKey,
}

impl Vault {
    /// A vault over the log's key table. `master_key` is 32 bytes.
    pub fn new(log: Log, master_key: &[u8]) -> Result<Self, VaultError> {
        Ok(Self {
            keyring: Keyring::new(log, master_key)?,
        })
    }

    /// Whether the master key is the one that this log's keys are wrapped with, as far as there are any.
    /// With another one old contacts could not be read, new ones would be sealed under it, and repeated
    /// commands would count as different ones.
    pub async fn check(&self) -> Result<(), VaultError> {
        self.keyring.check().await
    }

    /// A keyed fingerprint (HMAC-SHA256) of a command's content: equal contents can be recognised,
    /// and nobody can guess a phone number from it.
    pub fn fingerprint(&self, content: &[u8]) -> [u8; 32] {
        self.keyring.master().fingerprint(content)
    }

    /// By which hash orders are found that a phone number belongs to, however it is written; `None` where the text is
    /// no phone number.
    pub fn phone_hash(&self, phone: &str) -> Option<PhoneHash> {
        domain::phone::e164(phone).map(|number| self.keyring.master().phone(&number))
    }

    /// Seals personal data for its subject.
    ///
    /// A new key travels in the same append as the event that needs it, so that a refused command leaves none
    /// behind. When two first commands of a customer race, the log takes one key and tells the other to seal again.
    pub async fn seal<T: Serialize>(
        &self,
        plain: &T,
        subject: &Subject,
    ) -> Result<Sealing, VaultError> {
        let plain = serde_json::to_vec(plain).map_err(|_| VaultError::Crypto)?;
        let (name, kept) = self.keyring.current(subject).await?;
        let data = BASE64.encode(kept.key.seal(&plain, name.as_bytes())?);
        Ok(Sealing {
            data: Sealed {
                subject: name.clone(),
                sealed: data,
            },
            key: SubjectKey {
                subject: name,
                wrapped: kept.wrapped.clone(),
                phone: None,
            },
        })
    }

    /// What was sealed, or `None` when its subject was erased.
    pub async fn open<T: DeserializeOwned>(
        &self,
        sealed: &Sealed,
    ) -> Result<Option<T>, VaultError> {
        let opened = self.open_all(std::slice::from_ref(sealed)).await?;
        opened.into_iter().next().unwrap_or(Ok(None))
    }

    /// As [`Self::open`], each in its place; the database is asked once for all keys that this process does not
    /// remember. One that cannot be opened keeps nobody from the others.
    ///
    /// # Errors
    /// The key table is out of reach.
    pub async fn open_all<T: DeserializeOwned>(
        &self,
        sealed: &[Sealed],
    ) -> Result<Vec<Result<Option<T>, VaultError>>, VaultError> {
        let names: HashSet<&str> = sealed.iter().map(|one| one.subject.as_str()).collect();
        let keys = self.keyring.get(&names).await?;
        let open = |one: &Sealed| match keys.get(&one.subject) {
            None => Ok(None),
            Some(Ok(kept)) => unsealed_with(kept, one).map(Some),
            Some(Err(_)) => Err(unreadable(one)),
        };
        Ok(sealed.iter().map(open).collect())
    }

    /// Destroys the subject's key, in the name of `actor`, who is kept with it. Who may is the caller's to check:
    /// [`crate::CommandBus::forget`] does.
    pub async fn forget(&self, subject: &Subject, actor: &str) -> Result<Erasure, VaultError> {
        self.keyring.destroy(subject, actor).await
    }

    /// The log refused what was sealed under this name: ask the database before it is used again.
    pub(crate) fn refused(&self, name: &str) {
        self.keyring.distrust(name);
    }
}
