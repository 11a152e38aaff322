//! Where an earlier import stopped, read off its results file.

use std::{
    io::{ErrorKind, SeekFrom},
    path::Path,
};

use domain::ids::CommandId;
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt},
};

use super::{ImportError, result::LineResult};

/// How far back from its end a results file is searched for its last complete line. A result names at most the
/// problems of one command, far below this.
const MAX_TAIL_BYTES: u64 = 1 << 20;
/// How every result begins.
const RESULT_START: &[u8] = b"{\"line\":";

/// Which lines to pass over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resume {
    /// The last line of the input that has a result; 0 for none.
    pub after_line: u64,
    /// The command of that line, to recognise the input by.
    pub command_id: Option<CommandId>,
}

/// Opens the results file for writing behind its last complete line. A torn line at the end, left by a crash, is
/// cut off: its command is sent again, which is harmless.
pub(super) async fn open(path: &Path) -> Result<(File, Resume), ImportError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path).await.map_err(ImportError::Write)?;
    let (tail, starts_at) = read_tail(&mut file).await.map_err(ImportError::Write)?;
    let found =
        last_line(&tail, starts_at == 0).ok_or_else(|| ImportError::NotResults(path.to_owned()))?;
    let end = starts_at + u64::try_from(found.complete).unwrap_or_default();
    file.set_len(end).await.map_err(ImportError::Write)?;
    file.seek(SeekFrom::Start(end))
        .await
        .map_err(ImportError::Write)?;
    Ok((file, found.resume))
}

async fn read_tail(file: &mut File) -> std::io::Result<(Vec<u8>, u64)> {
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Err(std::io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let starts_at = metadata.len().saturating_sub(MAX_TAIL_BYTES);
    file.seek(SeekFrom::Start(starts_at)).await?;
    let mut tail = Vec::new();
    file.take(MAX_TAIL_BYTES).read_to_end(&mut tail).await?;
    Ok((tail, starts_at))
}

struct Found {
    /// Bytes of the tail that are complete lines.
    complete: usize,
    resume: Resume,
}

/// The last complete line of a tail; `None` when this is no results file.
fn last_line(tail: &[u8], is_whole_file: bool) -> Option<Found> {
    let newline = |bytes: &[u8]| bytes.iter().rposition(|b| *b == b'\n');
    let Some(end) = newline(tail) else {
        let common = tail.len().min(RESULT_START.len());
        let may_be_torn = is_whole_file && tail[..common] == RESULT_START[..common];
        return may_be_torn.then_some(Found {
            complete: 0,
            resume: Resume::default(),
        });
    };
    let start = match newline(&tail[..end]) {
        Some(before) => before + 1,
        None if is_whole_file => 0,
        None => return None,
    };
    let result: LineResult = serde_json::from_slice(&tail[start..end]).ok()?;
    let resume = Resume {
        after_line: result.line,
        command_id: result.command_id,
    };
    Some(Found {
        complete: end + 1,
        resume,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    const TWO: &str = "{\"line\":1,\"outcome\":\"error\"}\n{\"line\":7,\"outcome\":\"refused\"}\n";

    async fn opened(content: &str) -> Result<(u64, String), String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results");
        std::fs::write(&path, content).unwrap();
        let (mut file, resume) = open(&path).await.map_err(|e| e.to_string())?;
        file.write_all(b"+").await.unwrap();
        file.flush().await.unwrap();
        Ok((resume.after_line, std::fs::read_to_string(&path).unwrap()))
    }

    #[tokio::test]
    async fn it_goes_on_after_the_last_complete_line() {
        assert_eq!(opened("").await, Ok((0, "+".into())));
        assert_eq!(opened(TWO).await, Ok((7, format!("{TWO}+"))));
        for torn in [
            "{",
            "{\"line\":8,\"outcome\":\"done\"}",
            "{\"line\":8,\"commandId\":\"01",
        ] {
            assert_eq!(opened(torn).await, Ok((0, "+".into())), "{torn}");
            assert_eq!(
                opened(&format!("{TWO}{torn}")).await,
                Ok((7, format!("{TWO}+"))),
                "{torn}"
            );
        }
    }

    #[tokio::test]
    async fn a_long_results_file_is_read_from_its_end() {
        let many = TWO.repeat(40_000);
        assert!(many.len() > 2 * usize::try_from(MAX_TAIL_BYTES).unwrap());
        assert_eq!(
            opened(&format!("{many}{{\"li")).await,
            Ok((7, format!("{many}+")))
        );
    }

    #[tokio::test]
    async fn another_file_is_left_alone() {
        for other in ["my notes", "my notes\n", "{\"commandId\":1}\n", "{}\ntorn"] {
            let error = opened(other).await.unwrap_err();
            assert!(error.contains("not a results file"), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(open(dir.path()).await, Err(ImportError::Write(_))));
    }

    proptest! {
        #[test]
        fn no_tail_makes_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), whole: bool) {
            if let Some(found) = last_line(&tail, whole) {
                prop_assert!(found.complete <= tail.len());
            }
        }
    }
}
