//! An import between files or pipes, as the command line asks for it.

use std::{io, os::fd::AsFd, path::Path};

use domain::actor::Actor;
use tokio::{
    fs::File,
    io::{BufReader, BufWriter},
};

use super::{ImportError, Options, Orders, Resume, Summary, resume, run};
use crate::progress::Progress;

/// Bytes read and written at once.
const BUFFER_BYTES: usize = 1 << 18;

/// Imports the file `input`, or standard input for `-`. The results go to the file `results`, behind those that
/// are in it already, or else to standard output. Shows its progress on a terminal.
pub async fn import_file<O: Orders>(
    orders: &O,
    actor: &Actor,
    input: &Path,
    results: Option<&Path>,
    options: Options,
) -> Result<Summary, ImportError> {
    let (input, bytes) = open_input(input).await?;
    let (output, resume) = match results {
        Some(path) => resume::open(path).await?,
        None => (
            standard(io::stdout()).map_err(ImportError::Write)?,
            Resume::default(),
        ),
    };
    let input = BufReader::with_capacity(BUFFER_BYTES, input);
    let output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let progress = Progress::start("importing", bytes);
    run(
        orders,
        actor,
        input,
        output,
        resume,
        options,
        Some(&progress),
    )
    .await
}

/// The input and its length, where it has one.
async fn open_input(path: &Path) -> Result<(File, Option<u64>), ImportError> {
    let failed = |source| ImportError::Open {
        path: path.to_owned(),
        source,
    };
    let file = if path.as_os_str() == "-" {
        standard(io::stdin()).map_err(failed)?
    } else {
        File::open(path).await.map_err(failed)?
    };
    let metadata = file.metadata().await.map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok((file, metadata.is_file().then_some(metadata.len())))
}

/// Standard input or output as the file it is.
fn standard(stream: impl AsFd) -> io::Result<File> {
    let fd = stream.as_fd().try_clone_to_owned()?;
    Ok(File::from_std(std::fs::File::from(fd)))
}
