//! Which system account runs the server: PostgreSQL refuses root.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use super::EmbeddedError;

/// Search permission for owner, group and others.
const SEARCH_OWNER: u32 = 0o100;
const SEARCH_GROUP: u32 = 0o010;
const SEARCH_OTHERS: u32 = 0o001;

/// The account the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: String,
    /// Its user id.
    pub(crate) uid: u32,
    /// Its primary group; the server is started without supplementary groups.
    pub(crate) gid: u32,
    /// Whether it is another account than ours: we are root and step down.
    pub(crate) step_down: bool,
}

impl Account {
    /// Root steps down to `configured`; everybody else runs the server as himself.
    ///
    /// # Errors
    /// When the configured account is missing or root, or we have no name ourselves.
    pub(crate) fn choose(configured: &str) -> Result<Self, EmbeddedError> {
        let us = Uid::effective();
        if !us.is_root() {
            let uid = us.as_raw();
            return match User::from_uid(us) {
                Ok(Some(user)) => Ok(Self::of(&user, false)),
                _ => Err(EmbeddedError::NamelessUser { uid }),
            };
        }
        match User::from_name(configured) {
            Ok(Some(user)) if user.uid.is_root() => Err(EmbeddedError::AccountIsRoot {
                name: configured.to_owned(),
            }),
            Ok(Some(user)) => Ok(Self::of(&user, true)),
            _ => Err(EmbeddedError::AccountMissing {
                name: configured.to_owned(),
            }),
        }
    }

    fn of(user: &User, step_down: bool) -> Self {
        Self {
            name: user.name.clone(),
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            step_down,
        }
    }

    /// The first directory on the way to `path` (itself included) that this account may not pass.
    pub(crate) fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        way.into_iter()
            .find(|directory| !self.may_pass(directory))
            .map(Path::to_owned)
    }

    fn may_pass(&self, directory: &Path) -> bool {
        let Ok(found) = std::fs::metadata(directory) else {
            // Not there yet: whoever makes it decides.
            return true;
        };
        if !found.is_dir() {
            // In the way for everybody: that is said elsewhere.
            return true;
        }
        let needed = if found.uid() == self.uid {
            SEARCH_OWNER
        } else if found.gid() == self.gid {
            SEARCH_GROUP
        } else {
            SEARCH_OTHERS
        };
        found.mode() & needed != 0
    }
}

/// Our own user name, where the system knows one.
pub(crate) fn our_name() -> Option<String> {
    User::from_uid(Uid::effective())
        .ok()
        .flatten()
        .map(|user| user.name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn stranger() -> Account {
        Account {
            name: "stranger".into(),
            uid: 4_000_000_000,
            gid: 4_000_000_000,
            step_down: true,
        }
    }

    #[test]
    fn names_the_directory_that_blocks() {
        let outer = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let closed = outer.path().join("closed");
        let inner = closed.join("data");
        std::fs::create_dir_all(&inner).unwrap();
        assert_eq!(stranger().blocked_at(&inner), None);

        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(stranger().blocked_at(&inner), Some(closed));
    }

    #[test]
    fn a_missing_account_is_named() {
        if Uid::effective().is_root() {
            let error = Account::choose("no-such-account-here").unwrap_err();
            assert!(error.to_string().contains("no-such-account-here"));
            assert!(matches!(
                Account::choose("root"),
                Err(EmbeddedError::AccountIsRoot { .. })
            ));
        } else {
            assert!(!Account::choose("ignored").unwrap().step_down);
        }
    }
}
