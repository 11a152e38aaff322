//! One file of an export on its way to the disk.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use store::Recorded;

use super::manifest::{self, Format};
use super::parquet::Columns;
use super::{row, unwritable};
use crate::exit::{Exit, Failure};

/// What a part's name begins with.
const PREFIX: &str = "part-";
/// What the name of an unfinished part ends with.
const UNFINISHED: &str = ".tmp";

/// The name of the nth part.
pub(super) fn name(number: usize, format: Format) -> String {
    format!("{PREFIX}{number:06}.{}", format.ending())
}

/// Whether a file is a part, finished or not.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) || name == manifest::FILE || name == manifest::UNFINISHED
}

/// The length and the hash of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
}

/// A file that is hashed while it is written.
pub(super) struct Hashing {
    file: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
}

impl Hashing {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create(path)?),
            hasher: Sha256::new(),
            bytes: 0,
        })
    }

    fn finish(mut self) -> io::Result<Sum> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(Sum {
            bytes: self.bytes,
            sha256: self.hasher.finalize().into(),
        })
    }
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher
            .update(buffer.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

enum Form {
    Jsonl(Hashing),
    Csv(Hashing),
    Parquet(Box<Columns>),
}

/// A part on its way.
pub(super) struct Writer {
    form: Form,
    temporary: PathBuf,
    path: PathBuf,
}

impl Writer {
    pub(super) fn create(dir: &Path, name: &str, format: Format) -> Result<Self, Failure> {
        let path = dir.join(name);
        let temporary = dir.join(format!("{name}{UNFINISHED}"));
        let create = || -> io::Result<Form> {
            let mut file = Hashing::create(&temporary)?;
            Ok(match format {
                Format::Jsonl => Form::Jsonl(file),
                Format::Csv => {
                    write!(file, "{}\r\n", row::COLUMNS.join(","))?;
                    Form::Csv(file)
                }
                Format::Parquet => Form::Parquet(Box::new(Columns::new(file)?)),
            })
        };
        let form = create().map_err(|error| unwritable(&temporary, &error))?;
        Ok(Self {
            form,
            temporary,
            path,
        })
    }

    pub(super) fn write(&mut self, events: &[Recorded]) -> Result<(), Failure> {
        for event in events {
            let written = match &mut self.form {
                Form::Jsonl(file) => {
                    let line = row::json(event).ok_or_else(|| {
                        let what = format!(
                            "the JSON of the event at position {} has line breaks",
                            event.position
                        );
                        Failure::new(Exit::Failed, what).hint("export as csv or parquet")
                    })?;
                    writeln!(file, "{line}")
                }
                Form::Csv(file) => write!(file, "{}\r\n", row::csv(event)),
                Form::Parquet(columns) => columns.add(event),
            };
            written.map_err(|error| unwritable(&self.temporary, &error))?;
        }
        Ok(())
    }

    /// Makes the part durable under its name.
    pub(super) fn finish(self) -> Result<Sum, Failure> {
        let (temporary, path) = (self.temporary, self.path);
        let finish = || -> io::Result<Sum> {
            let file = match self.form {
                Form::Jsonl(file) | Form::Csv(file) => file,
                Form::Parquet(columns) => columns.finish()?,
            };
            let sum = file.finish()?;
            fs::rename(&temporary, &path)?;
            manifest::sync_dir(&path)?;
            Ok(sum)
        };
        finish().map_err(|error| unwritable(&path, &error))
    }

    /// There was nothing to write.
    pub(super) fn abandon(self) -> Result<(), Failure> {
        drop(self.form);
        fs::remove_file(&self.temporary).map_err(|error| unwritable(&self.temporary, &error))
    }
}
