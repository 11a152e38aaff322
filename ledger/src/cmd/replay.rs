//! `ledger replay`: every state and every balance, from the events alone.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use projections::replay::{Line, ReplayError, Sink, replay};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Head, LogId};

use super::Context;
use crate::cli;
use crate::database::Database;
use crate::exit::{Exit, Failure};
use crate::moment;
use crate::progress::Progress;
use store::hash::hex;

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    file: PathBuf,
    position: i64,
    head_hash: String,
    lines: u64,
    sha256: String,
}

pub(super) async fn run(asked: cli::Replay, context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let replayed = write(&database, &asked).await;
    let closed = database.close().await;
    let replayed = replayed?;
    closed?;
    if context.output.is_json() {
        context.output.json(&replayed)?;
    } else {
        context.output.line(format!(
            "replayed up to position {}: {} lines in {}\nsha256 {}",
            replayed.position,
            replayed.lines,
            replayed.file.display(),
            replayed.sha256
        ))?;
    }
    Ok(Exit::Done)
}

async fn write(database: &Database, asked: &cli::Replay) -> Result<Replayed, Failure> {
    let pool = database.app_pool().await?;
    let run = async {
        let head = moment::resolve(&pool, asked.moment.moment()).await?;
        let file = if asked.to.is_dir() {
            asked.to.join(format!("replay-{}.jsonl", head.position))
        } else {
            asked.to.clone()
        };
        let temporary = beside(&file);
        let mut lines =
            Lines::create(&temporary).map_err(|error| unwritable(&temporary, &error))?;
        let ended = replay(&pool, LogId::DEFAULT, head.position, &mut lines).await;
        ended.map_err(|error| match error {
            ReplayError::Write(error) => unwritable(&temporary, &error),
            ReplayError::Log(projections::check::CheckError::Database(error)) => {
                Failure::new(Exit::Database, error)
            }
            error => Failure::new(Exit::Damaged, error),
        })?;
        let finished = lines.finish(&temporary, &file, &head);
        finished.map_err(|error| unwritable(&file, &error))
    };
    let replayed = run.await;
    pool.close().await;
    replayed
}

/// The file's name while it is written: of this process alone, so that nothing that is there is lost.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    file.with_file_name(name)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{} cannot be written: {error}", path.display()),
    )
}

/// The file, hashed while it is written.
struct Lines {
    file: BufWriter<File>,
    hasher: Sha256,
    lines: u64,
    progress: Progress,
}

impl Lines {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create(path)?),
            hasher: Sha256::new(),
            lines: 0,
            progress: Progress::start("replaying", Some(0)),
        })
    }

    /// The last line says what the others are; then the file gets its name.
    fn finish(mut self, temporary: &Path, file: &Path, head: &Head) -> io::Result<Replayed> {
        let replayed = Replayed {
            file: file.to_owned(),
            position: head.position.0,
            head_hash: hex(&head.hash),
            lines: self.lines,
            sha256: hex(&self.hasher.finalize()),
        };
        let end = json!({
            "kind": "end", "position": replayed.position, "headHash": replayed.head_hash,
            "lines": replayed.lines, "sha256": replayed.sha256,
        });
        writeln!(self.file, "{end}")?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(temporary, file)?;
        Ok(replayed)
    }
}

impl Sink for Lines {
    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.hasher.update(&text);
        self.lines += 1;
        self.file.write_all(text.as_bytes())
    }

    fn progress(&mut self, done: u64, of: u64) {
        self.progress.expect_total(of);
        self.progress.reach(done);
    }
}
