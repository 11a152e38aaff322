//! Personal data under a key per subject.
//!
//! A subject is a customer, or a single order where the channel names no customer. The contact is encrypted
//! with the subject's key (AES-256-GCM, NIST SP 800-38D, random 96-bit nonce) and only the ciphertext is part
//! of the event and of its hash. Subject keys are kept outside the log, wrapped by a key derived from the
//! master key (HKDF-SHA256, RFC 5869). Destroying a subject's key erases the person for good and leaves the
//! chain valid.

mod cipher;

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use domain::{
    ids::{CustomerId, OrderId},
    order::{command::Contact, event::SealedContact},
};
use moka::sync::Cache;
use store::{Log, SubjectKey, keys};

use self::cipher::{Key, MasterKeys};

/// Subject keys held in memory at once.
const CACHED_KEYS: u64 = 20_000;
/// How long a key may be used without asking the database whether it still exists.
const KEY_TTL: Duration = Duration::from_secs(60);

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
    /// The key table is out of reach.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// Seals and opens contacts.
#[derive(Clone)]
pub struct Vault {
    log: Log,
    master: Arc<MasterKeys>,
    cache: Cache<String, Arc<Key>>,
}

/// A sealed contact and, for a subject that is new with this order, the key to store with it.
pub struct Sealed {
    /// For the event.
    pub contact: SealedContact,
    /// For the same append as the event.
    pub new_key: Option<SubjectKey>,
}

impl Vault {
    /// A vault over the log's key table. `master_key` is 32 bytes.
    pub fn new(log: Log, master_key: &[u8]) -> Result<Self, VaultError> {
        Ok(Self {
            log,
            master: Arc::new(MasterKeys::derive(master_key)?),
            cache: Cache::builder()
                .max_capacity(CACHED_KEYS)
                .time_to_live(KEY_TTL)
                .build(),
        })
    }

    /// Whether the master key is the one that this log's keys are wrapped with, as far as there are any.
    /// With another one old contacts could not be read, new ones would be sealed under it, and repeated
    /// commands would count as different ones.
    pub async fn check(&self) -> Result<(), VaultError> {
        match keys::any(self.log.pool(), self.log.log_id()).await? {
            Some((subject, wrapped)) => self.remember(&subject, &wrapped).map(drop),
            None => Ok(()),
        }
    }

    /// A keyed fingerprint (HMAC-SHA256) of a command's content: equal contents can be recognised,
    /// and nobody can guess a phone number from it.
    pub fn fingerprint(&self, content: &[u8]) -> [u8; 32] {
        self.master.fingerprint(content)
    }

    /// Seals a contact for its subject: the customer where there is one, else the order.
    ///
    /// A new key travels in the same append as the order that needs it, so that a refused order leaves none behind.
    /// When two first orders of a customer race, the log takes one key and tells the other order to seal again.
    pub async fn seal(
        &self,
        contact: &Contact,
        customer: Option<&CustomerId>,
        order: OrderId,
    ) -> Result<Sealed, VaultError> {
        let subject = match customer {
            Some(customer) => format!("customer:{customer}"),
            None => format!("order:{order}"),
        };
        let existing = match customer {
            Some(_) => self.existing_key(&subject).await?,
            None => None,
        };
        let (key, new_key) = match existing {
            Some(key) => (key, None),
            None => {
                let key = Arc::new(Key::generate()?);
                let wrapped = self.master.wrap(&key, &subject)?;
                let subject = subject.clone();
                (key, Some(SubjectKey { subject, wrapped }))
            }
        };
        let plain = serde_json::to_vec(contact).map_err(|_| VaultError::Crypto)?;
        let sealed = BASE64.encode(key.seal(&plain, subject.as_bytes())?);
        Ok(Sealed {
            contact: SealedContact { subject, sealed },
            new_key,
        })
    }

    /// The contact, or `None` when its subject's key was destroyed.
    pub async fn open(&self, sealed: &SealedContact) -> Result<Option<Contact>, VaultError> {
        let Some(key) = self.existing_key(&sealed.subject).await? else {
            return Ok(None);
        };
        let unreadable = || VaultError::Unreadable {
            subject: sealed.subject.clone(),
        };
        let bytes = BASE64.decode(&sealed.sealed).map_err(|_| unreadable())?;
        let plain = key
            .open(&bytes, sealed.subject.as_bytes())
            .ok_or_else(unreadable)?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|_| unreadable())
    }

    async fn existing_key(&self, subject: &str) -> Result<Option<Arc<Key>>, VaultError> {
        if let Some(key) = self.cache.get(subject) {
            return Ok(Some(key));
        }
        match keys::get(self.log.pool(), self.log.log_id(), subject).await? {
            Some(wrapped) => self.remember(subject, &wrapped).map(Some),
            None => Ok(None),
        }
    }

    fn remember(&self, subject: &str, wrapped: &[u8]) -> Result<Arc<Key>, VaultError> {
        let key = self
            .master
            .unwrap(wrapped, subject)
            .ok_or_else(|| VaultError::Unreadable {
                subject: subject.to_owned(),
            })?;
        let key = Arc::new(key);
        self.cache.insert(subject.to_owned(), key.clone());
        Ok(key)
    }
}
