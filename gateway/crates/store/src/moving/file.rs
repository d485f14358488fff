//! The file of a tenant that leaves: a head, the rows of each table, their sums, and the hash of all of it.
//!
//! Blocks (kind, length, content), compressed as one stream. A reader believes nothing before it has read the end: a file that was cut or
//! changed is refused before the database that it was meant for is touched.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use renmen_schema::{Text, text};
use serde::{Deserialize, Serialize};

use super::MovedTable;
use crate::StoreError;
use crate::copy::{Cell, Column, ColumnKind, Row};

/// How every file begins.
const MAGIC: &[u8] = b"RENMEN TENANT\n";
/// The form of what follows.
const FORMAT: u32 = 1;
/// Bytes of one block at most: more than any row can have.
const BLOCK_BYTES_MAX: u32 = 1 << 30;

const HEAD: u8 = 1;
const TABLE: u8 = 2;
const ROWS: u8 = 3;
const SUMS: u8 = 4;
const END: u8 = 5;

/// What stands at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The form of the file.
    pub(super) format: u32,
    /// The version of the tables.
    pub(super) schema: usize,
    pub(super) tenant: String,
    pub(super) written_at_ms: i64,
    /// The ranges that the database knows which wrote it.
    pub(super) ranges: Vec<HeadRange>,
    /// Rows of each table.
    pub(super) rows: BTreeMap<String, u64>,
}

/// A range of numbers and the key of its ids, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadRange {
    pub(super) number: i64,
    pub(super) key: String,
}

impl Head {
    pub(super) const FORMAT: u32 = FORMAT;
}

/// A table whose rows follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableHead {
    pub(super) name: String,
    pub(super) columns: Vec<(String, char)>,
}

impl TableHead {
    pub(super) fn of(name: &str, columns: &[Column]) -> Self {
        let kind = |column: &Column| match column.kind {
            ColumnKind::Int => 'i',
            ColumnKind::Text => 't',
            ColumnKind::Bytes => 'b',
        };
        let columns = columns.iter().map(|column| (column.name.clone(), kind(column))).collect();
        Self { name: name.to_owned(), columns }
    }
}

/// What a reader comes to.
pub(super) enum Block {
    Table(TableHead),
    Rows(Vec<Row>),
    Sums(Vec<MovedTable>),
    /// The hash of everything, in hex.
    End(String),
}

/// Writes a file.
pub(super) struct Writer {
    out: zstd::Encoder<'static, BufWriter<File>>,
    hasher: blake3::Hasher,
}

impl Writer {
    pub(super) fn begin(path: &Path, head: &Head) -> Result<Self, StoreError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = File::options();
        // Its owner's alone: it holds everything of a tenant.
        let file =
            options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(|e| cannot(path, &e))?;
        let mut file = BufWriter::new(file);
        file.write_all(MAGIC).map_err(|e| cannot(path, &e))?;
        let mut out = zstd::Encoder::new(file, 3).map_err(|e| cannot(path, &e))?;
        out.include_checksum(true).map_err(|e| cannot(path, &e))?;
        let mut writer = Self { out, hasher: blake3::Hasher::new() };
        writer.json(HEAD, head)?;
        Ok(writer)
    }

    pub(super) fn table(&mut self, table: &TableHead) -> Result<(), StoreError> {
        self.json(TABLE, table)
    }

    pub(super) fn rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        self.block(ROWS, &packed(rows))
    }

    /// Ends it, and waits until the disk has it; gives the hash of everything.
    pub(super) fn end(mut self, sums: &[MovedTable]) -> Result<String, StoreError> {
        self.json(SUMS, &sums)?;
        let hash = self.hasher.finalize();
        self.block(END, hash.as_bytes())?;
        let ended = self.out.finish().and_then(|file| file.into_inner().map_err(std::io::IntoInnerError::into_error));
        ended.and_then(|file| file.sync_all()).map_err(|error| unwritten(&error))?;
        Ok(hash.to_hex().to_string())
    }

    fn json(&mut self, kind: u8, content: &impl Serialize) -> Result<(), StoreError> {
        let content = serde_json::to_vec(content).map_err(|error| StoreError::Fault(error.to_string()))?;
        self.block(kind, &content)
    }

    fn block(&mut self, kind: u8, content: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(content.len()).ok().filter(|length| *length <= BLOCK_BYTES_MAX);
        let length = length.ok_or_else(|| StoreError::Fault("a row is too large for a file".into()))?.to_le_bytes();
        for piece in [&[kind][..], &length, content] {
            self.hasher.update(piece);
            self.out.write_all(piece).map_err(|error| unwritten(&error))?;
        }
        Ok(())
    }
}

/// Reads a file from its beginning.
pub(super) struct Reader {
    from: zstd::Decoder<'static, BufReader<File>>,
    hasher: blake3::Hasher,
    ended: bool,
}

impl Reader {
    /// Reads the head. One of another form is refused by its number.
    pub(super) fn begin(path: &Path) -> Result<(Self, Head), StoreError> {
        let mut file = BufReader::new(File::open(path).map_err(|error| cannot(path, &error))?);
        let mut magic = [0; MAGIC.len()];
        if file.read_exact(&mut magic).is_err() || magic != MAGIC {
            return Err(StoreError::Configuration(text!(
                "{} is not a file of `renmen tenant export`",
                "{} 不是 `renmen tenant export` 写出的文件",
                path.display()
            )));
        }
        let from = zstd::Decoder::with_buffer(file).map_err(|_| damaged())?;
        let mut reader = Self { from, hasher: blake3::Hasher::new(), ended: false };
        let (kind, content) = reader.block()?;
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = of_json(&content)?;
        if kind != HEAD {
            return Err(damaged());
        }
        if format != FORMAT {
            return Err(StoreError::Configuration(text!(
                "the file has form {format}, and this program reads form {FORMAT}: use the release that wrote it",
                "文件格式为 {format}，本程序读取格式 {FORMAT}：请使用写出它的版本"
            )));
        }
        let head = of_json(&content)?;
        Ok((reader, head))
    }

    /// The next block; none after the end.
    pub(super) fn next(&mut self) -> Result<Option<Block>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let before = self.hasher.finalize();
        let (kind, content) = self.block()?;
        Ok(Some(match kind {
            TABLE => Block::Table(of_json(&content)?),
            ROWS => Block::Rows(unpacked(&content)?),
            SUMS => Block::Sums(of_json(&content)?),
            END if content == before.as_bytes() => {
                self.ended = true;
                let mut more = [0];
                if !matches!(self.from.read(&mut more), Ok(0)) {
                    return Err(damaged());
                }
                Block::End(before.to_hex().to_string())
            }
            _ => return Err(damaged()),
        }))
    }

    fn block(&mut self) -> Result<(u8, Vec<u8>), StoreError> {
        let mut start = [0; 5];
        self.from.read_exact(&mut start).map_err(|_| damaged())?;
        let [kind, length @ ..] = start;
        let length = u32::from_le_bytes(length);
        if length > BLOCK_BYTES_MAX {
            return Err(damaged());
        }
        // What is reserved grows with what is there: the length may be damaged.
        let mut content = Vec::new();
        (&mut self.from).take(u64::from(length)).read_to_end(&mut content).map_err(|_| damaged())?;
        if content.len() as u64 != u64::from(length) {
            return Err(damaged());
        }
        self.hasher.update(&start).update(&content);
        Ok((kind, content))
    }
}

fn of_json<T: serde::de::DeserializeOwned>(content: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(content).map_err(|_| damaged())
}

fn packed(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    let sized = |out: &mut Vec<u8>, kind: u8, bytes: &[u8]| {
        out.push(kind);
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    };
    for row in rows {
        out.extend((row.len() as u32).to_le_bytes());
        for cell in row {
            match cell {
                Cell::Null => out.push(0),
                Cell::Int(number) => {
                    out.push(1);
                    out.extend(number.to_le_bytes());
                }
                Cell::Text(text) => sized(&mut out, 2, text.as_bytes()),
                Cell::Bytes(bytes) => sized(&mut out, 3, bytes),
            }
        }
    }
    out
}

fn unpacked(mut rest: &[u8]) -> Result<Vec<Row>, StoreError> {
    fn take<'c>(rest: &mut &'c [u8], count: usize) -> Result<&'c [u8], StoreError> {
        let (taken, after) = rest.split_at_checked(count).ok_or_else(damaged)?;
        *rest = after;
        Ok(taken)
    }
    fn length(rest: &mut &[u8]) -> Result<usize, StoreError> {
        let bytes = take(rest, 4)?.try_into().map_err(|_| damaged())?;
        usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| damaged())
    }
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let mut row = Row::new();
        for _ in 0..length(&mut rest)? {
            row.push(match take(&mut rest, 1)? {
                [0] => Cell::Null,
                [1] => Cell::Int(i64::from_le_bytes(take(&mut rest, 8)?.try_into().map_err(|_| damaged())?)),
                [kind @ (2 | 3)] => {
                    let size = length(&mut rest)?;
                    let bytes = take(&mut rest, size)?.to_vec();
                    if *kind == 3 {
                        Cell::Bytes(bytes)
                    } else {
                        Cell::Text(String::from_utf8(bytes).map_err(|_| damaged())?)
                    }
                }
                _ => return Err(damaged()),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

/// One answer for everything that is not as it was written: where it is damaged says nothing.
pub(super) fn damaged() -> StoreError {
    StoreError::Configuration(text!(
        "the file was cut off or changed after it was written: nothing was read from it; copy it again, or export again",
        "文件在写出后被截断或更改：未从中读入任何内容；请重新复制或重新导出"
    ))
}

fn cannot(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Configuration(Text::rendered(|| format!("{}: {error}", path.display())))
}

fn unwritten(error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("the file cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_come_back_and_damage_is_an_error() {
        let rows = vec![
            vec![],
            vec![Cell::Null, Cell::Int(i64::MIN), Cell::Text("人".into()), Cell::Bytes(vec![0, 255])],
            vec![Cell::Text(String::new()), Cell::Bytes(Vec::new())],
        ];
        let bytes = packed(&rows);
        assert_eq!(unpacked(&bytes).unwrap(), rows);
        for cut in 1..bytes.len() {
            // A cut between two rows is found by the sums.
            if let Ok(fewer) = unpacked(&bytes[..cut]) {
                assert!(fewer.len() < rows.len(), "{cut}");
            }
        }
        for bad in [
            &[9, 0, 0, 0][..],
            &[1, 0, 0, 0, 7],
            &[1, 0, 0, 0, 2, 255, 255, 255, 255],
            &[1, 0, 0, 0, 2, 1, 0, 0, 0, 0xff],
        ] {
            assert!(unpacked(bad).is_err(), "{bad:?}");
        }
    }
}
