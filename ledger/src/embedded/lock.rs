//! One ledger per data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::EmbeddedError;

/// The lock file's name under the data directory.
const LOCK_FILE: &str = "ledger.lock";

/// A lock file holds a process id and a line end; more is not read.
const LOCK_FILE_LIMIT: u64 = 32;

/// `doctor` may hold the lock for an instant while it looks: try again this often, this far apart.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// Held while a ledger uses a data directory; the system lets go of it when the process ends,
/// however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    /// Takes the lock and writes our process id into it.
    ///
    /// # Errors
    /// [`EmbeddedError::Locked`] when another ledger holds it; a named cause when the directory
    /// cannot be written.
    pub fn acquire(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let path = data_dir.join(LOCK_FILE);
        let failed = |error| EmbeddedError::from_io("lock", &path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        for attempt in 1..=TRIES {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if attempt < TRIES => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(EmbeddedError::Locked {
                        data_dir: data_dir.to_owned(),
                        pid: read_pid(&mut file),
                    });
                }
            }
        }
        file.set_len(0).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// The process id of the ledger that holds the lock: `None` when nobody does, `Some(None)`
    /// when somebody does who left no id.
    pub fn holder(data_dir: &Path) -> Option<Option<u32>> {
        let mut file = File::open(data_dir.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_pid(&mut file)),
            _ => None,
        }
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(LOCK_FILE_LIMIT).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_names_the_first() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(DataDirLock::holder(dir.path()), None);
        let held = DataDirLock::acquire(dir.path()).unwrap();
        let us = std::process::id();
        assert_eq!(DataDirLock::holder(dir.path()), Some(Some(us)));
        match DataDirLock::acquire(dir.path()) {
            Err(EmbeddedError::Locked { pid, .. }) => assert_eq!(pid, Some(us)),
            other => panic!("{other:?}"),
        }
        drop(held);
        assert_eq!(DataDirLock::holder(dir.path()), None);
        DataDirLock::acquire(dir.path()).unwrap();
    }
}
