//! Parts as Apache Parquet, written column by column.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use store::Recorded;

use super::part::Hashing;
use store::hash::hex;

/// Events of a row group: what is held in memory at a time.
const GROUP_EVENTS: usize = 5_000;

/// The columns of `row::COLUMNS`. Hashes are hexadecimal here too, so that they compare with the other forms.
const SCHEMA: &str = "message event {
    required int64 position;
    required binary eventId (UTF8);
    required binary aggregateType (UTF8);
    required binary aggregateId (UTF8);
    required int64 sequence;
    required binary type (UTF8);
    required binary version (UTF8);
    required int64 recordedAt (TIMESTAMP(MICROS,true));
    required binary commandId (UTF8);
    required binary payload (UTF8);
    required binary metadata (UTF8);
    required binary contentHash (UTF8);
    required binary prevHash (UTF8);
    required binary hash (UTF8);
}";

/// A Parquet file on its way.
pub(super) struct Columns {
    writer: SerializedFileWriter<Hashing>,
    group: Vec<Recorded>,
}

impl Columns {
    pub(super) fn new(file: Hashing) -> io::Result<Self> {
        let schema = parse_message_type(SCHEMA).map_err(io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("order-ledger".to_owned())
            .build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        Ok(Self {
            writer: writer.map_err(io::Error::other)?,
            group: Vec::with_capacity(GROUP_EVENTS),
        })
    }

    pub(super) fn add(&mut self, event: &Recorded) -> io::Result<()> {
        self.group.push(event.clone());
        if self.group.len() >= GROUP_EVENTS {
            self.write_group().map_err(io::Error::other)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Hashing> {
        if !self.group.is_empty() {
            self.write_group().map_err(io::Error::other)?;
        }
        self.writer.into_inner().map_err(io::Error::other)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let events = std::mem::take(&mut self.group);
        let mut group = self.writer.next_row_group()?;
        let mut index = 0;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let values: Vec<i64> = events.iter().map(|e| number(e, index)).collect();
                    writer.write_batch(&values, None, None)?;
                }
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let values: Vec<ByteArray> = events
                        .iter()
                        .map(|e| ByteArray::from(text(e, index).into_bytes()))
                        .collect();
                    writer.write_batch(&values, None, None)?;
                }
                _ => return Err(ParquetError::General("no such column".to_owned())),
            }
            column.close()?;
            index += 1;
        }
        group.close()?;
        Ok(())
    }
}

/// The value of a column of whole numbers.
fn number(event: &Recorded, column: usize) -> i64 {
    match column {
        0 => event.position.0,
        4 => event.sequence,
        _ => event.recorded_at.timestamp_micros(),
    }
}

/// The value of a column of text.
fn text(event: &Recorded, column: usize) -> String {
    match column {
        1 => event.event_id.to_string(),
        2 => event.aggregate_type.clone(),
        3 => event.aggregate_id.clone(),
        5 => event.event_type.clone(),
        6 => event.event_version.clone(),
        8 => event.command_id.to_string(),
        9 => event.payload.clone(),
        10 => event.metadata.clone(),
        11 => hex(&event.content_hash),
        12 => hex(&event.prev_hash),
        _ => hex(&event.hash),
    }
}

/// How many rows a file says it has.
pub(super) fn rows(path: &Path) -> io::Result<u64> {
    let reader = SerializedFileReader::new(File::open(path)?).map_err(io::Error::other)?;
    let rows = reader.metadata().file_metadata().num_rows();
    Ok(u64::try_from(rows).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use parquet::record::RowAccessor;

    use super::super::manifest::Format;
    use super::super::part::Writer;
    use super::super::row::{COLUMNS, tests::sample};
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(dir.path(), "p", Format::Parquet).unwrap();
        let events: Vec<Recorded> = (1..=7).map(sample).collect();
        writer.write(&events).unwrap();
        let sum = writer.finish().unwrap();
        let path = dir.path().join("p");
        assert_eq!(sum.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(rows(&path).unwrap(), 7);
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let schema = reader.metadata().file_metadata().schema_descr();
        let names: Vec<&str> = schema.columns().iter().map(|c| c.name()).collect();
        assert_eq!(names, COLUMNS);
        for (read, event) in reader.get_row_iter(None).unwrap().zip(&events) {
            let read = read.unwrap();
            assert_eq!(read.get_long(0).unwrap(), event.position.0);
            assert_eq!(read.get_string(9).unwrap(), &event.payload);
            assert_eq!(
                read.get_timestamp_micros(7).unwrap(),
                event.recorded_at.timestamp_micros()
            );
            assert_eq!(read.get_string(13).unwrap(), &hex(&event.hash));
        }
    }
}
