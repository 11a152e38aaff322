//! The subjects' keys: found, remembered for a while, destroyed.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use moka::sync::Cache;
use store::{
    Log,
    keys::{self, Erasure, StoredKey},
};

use super::{
    KEY_TTL, VaultError,
    cipher::{Key, MasterKeys},
    subject::Subject,
};

/// Keys held in memory at once.
const CACHED_KEYS: u64 = 20_000;

/// A key, and as the database keeps it.
pub(super) struct Kept {
    pub(super) key: Key,
    pub(super) wrapped: Vec<u8>,
}

/// What is remembered of a name.
#[derive(Clone)]
enum Memory {
    /// Its key.
    Key(Arc<Kept>),
    /// Its key was destroyed: for good.
    Destroyed,
}

/// The keys of a log's subjects.
#[derive(Clone)]
pub(super) struct Keyring {
    log: Log,
    master: Arc<MasterKeys>,
    cache: Cache<String, Memory>,
}

impl Keyring {
    pub(super) fn new(log: Log, master_key: &[u8]) -> Result<Self, VaultError> {
        Ok(Self {
            log,
            master: Arc::new(MasterKeys::derive(master_key)?),
            cache: Cache::builder()
                .max_capacity(CACHED_KEYS)
                .time_to_live(KEY_TTL)
                .build(),
        })
    }

    pub(super) fn master(&self) -> &MasterKeys {
        &self.master
    }

    pub(super) async fn check(&self) -> Result<(), VaultError> {
        match keys::any(self.log.pool(), self.log.log_id()).await? {
            Some((name, wrapped)) => self.unwrap(&name, wrapped).map(drop),
            None => Ok(()),
        }
    }

    /// The keys of these names, those that memory lacks in one query; none for a name whose key was destroyed or never
    /// was. One that cannot be unwrapped keeps nobody from the others.
    pub(super) async fn get(
        &self,
        names: &HashSet<&str>,
    ) -> Result<HashMap<String, Result<Arc<Kept>, VaultError>>, VaultError> {
        let mut found = HashMap::new();
        let mut unknown = Vec::new();
        for name in names {
            match self.cache.get(*name) {
                Some(Memory::Key(kept)) => drop(found.insert((*name).to_owned(), Ok(kept))),
                Some(Memory::Destroyed) => {}
                None => unknown.push((*name).to_owned()),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        for (name, stored) in keys::get(self.log.pool(), self.log.log_id(), &unknown).await? {
            match self.take(&name, stored) {
                Ok(Memory::Key(kept)) => drop(found.insert(name, Ok(kept))),
                Ok(Memory::Destroyed) => {}
                Err(error) => drop(found.insert(name, Err(error))),
            }
        }
        Ok(found)
    }

    /// The key to seal the subject's data with, and its name: the one there is, else a new one.
    pub(super) async fn current(
        &self,
        subject: &Subject,
    ) -> Result<(String, Arc<Kept>), VaultError> {
        let name = subject.key_name(0);
        let known = if subject.is_new() {
            None
        } else {
            self.look_up(&name).await?
        };
        match known {
            Some(Memory::Key(kept)) => Ok((name, kept)),
            Some(Memory::Destroyed) => self.after_erasure(subject).await,
            None => self.new_key(name),
        }
    }

    /// The same for a subject that was erased: its keys' later names are looked for in one query, however often that
    /// happened.
    async fn after_erasure(&self, subject: &Subject) -> Result<(String, Arc<Kept>), VaultError> {
        let names = subject.key_names();
        let stored = keys::get(self.log.pool(), self.log.log_id(), &names).await?;
        let mut stored: HashMap<String, StoredKey> = stored.into_iter().collect();
        for name in names {
            match stored.remove(&name) {
                Some(StoredKey::Destroyed) => {}
                Some(StoredKey::Wrapped(wrapped)) => {
                    let memory = Memory::Key(Arc::new(self.unwrap(&name, wrapped)?));
                    if let Memory::Key(kept) = self.remember(&name, memory) {
                        return Ok((name, kept));
                    }
                }
                None => return self.new_key(name),
            }
        }
        Err(VaultError::WornOut)
    }

    fn new_key(&self, name: String) -> Result<(String, Arc<Kept>), VaultError> {
        let key = Key::generate()?;
        let wrapped = self.master.wrap(&key, &name)?;
        Ok((name, Arc::new(Kept { key, wrapped })))
    }

    /// Destroys the subject's keys in the database and in this process.
    pub(super) async fn destroy(
        &self,
        subject: &Subject,
        actor: &str,
    ) -> Result<Erasure, VaultError> {
        let (pool, log_id) = (self.log.pool(), self.log.log_id());
        let erasure = keys::forget(pool, log_id, &subject.key_names(), actor).await?;
        for name in &erasure.destroyed {
            self.cache.insert(name.clone(), Memory::Destroyed);
        }
        Ok(erasure)
    }

    /// Forgets what memory says of a name.
    pub(super) fn distrust(&self, name: &str) {
        self.cache.invalidate(name);
    }

    async fn look_up(&self, name: &str) -> Result<Option<Memory>, VaultError> {
        if let Some(memory) = self.cache.get(name) {
            return Ok(Some(memory));
        }
        let names = [name.to_owned()];
        let mut stored = keys::get(self.log.pool(), self.log.log_id(), &names).await?;
        let stored = stored.pop();
        stored
            .map(|(_, stored)| self.take(name, stored))
            .transpose()
    }

    /// What the database said of a name, now remembered.
    fn take(&self, name: &str, stored: StoredKey) -> Result<Memory, VaultError> {
        let memory = match stored {
            StoredKey::Destroyed => Memory::Destroyed,
            StoredKey::Wrapped(wrapped) => Memory::Key(Arc::new(self.unwrap(name, wrapped)?)),
        };
        Ok(self.remember(name, memory))
    }

    /// Remembers what the database said, unless the key was destroyed while it answered.
    fn remember(&self, name: &str, memory: Memory) -> Memory {
        let entry = self.cache.entry(name.to_owned());
        let kept = entry.and_upsert_with(|old| match old.map(moka::Entry::into_value) {
            Some(Memory::Destroyed) => Memory::Destroyed,
            _ => memory,
        });
        kept.into_value()
    }

    fn unwrap(&self, name: &str, wrapped: Vec<u8>) -> Result<Kept, VaultError> {
        let key = self
            .master
            .unwrap(&wrapped, name)
            .ok_or_else(|| VaultError::Unreadable {
                subject: name.to_owned(),
            })?;
        Ok(Kept { key, wrapped })
    }
}
