//! A Parquet file: every column optional, rows in groups of a bounded size, and nothing in it that tells when or where it was written.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use renmen_schema::ColumnKind;

use crate::row::{Cell, Head, SCALE};
use crate::table::GroupSize;

/// Who wrote it. No version: another release would make other bytes of the same records.
const WRITER: &str = "renmen";
/// 15 digits before the point and 6 after it.
const PRECISION: i32 = 21;
/// Bytes that hold them with their sign.
const DECIMAL_BYTES: i32 = 9;

pub(crate) struct ParquetFile<W: Write + Send> {
    out: SerializedFileWriter<W>,
    kinds: Vec<ColumnKind>,
    /// By column.
    held: Vec<Vec<Cell>>,
    rows: usize,
    bytes: usize,
    group: GroupSize,
}

impl<W: Write + Send> ParquetFile<W> {
    pub(crate) fn begin(out: W, name: &str, heads: &[Head], group: GroupSize) -> Result<Self, String> {
        let fields = heads.iter().map(field).collect::<Result<Vec<_>, String>>()?;
        let schema = Type::group_type_builder(name).with_fields(fields).build().map_err(told)?;
        let properties =
            WriterProperties::builder().set_created_by(WRITER.to_owned()).set_compression(Compression::SNAPPY).build();
        let out = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(told)?;
        let kinds: Vec<ColumnKind> = heads.iter().map(|head| head.kind).collect();
        let held = kinds.iter().map(|_| Vec::new()).collect();
        Ok(Self { out, kinds, held, rows: 0, bytes: 0, group })
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) -> Result<(), String> {
        self.bytes += cells.iter().map(Cell::bytes).sum::<usize>();
        for (column, cell) in self.held.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.rows += 1;
        if self.rows >= self.group.rows || self.bytes >= self.group.bytes { self.flush() } else { Ok(()) }
    }

    /// Writes what is held as a group.
    fn flush(&mut self) -> Result<(), String> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group().map_err(told)?;
        for (kind, cells) in self.kinds.iter().zip(&mut self.held) {
            write(&mut group, *kind, cells)?;
            cells.clear();
        }
        group.close().map_err(told)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    pub(crate) fn end(mut self) -> Result<W, String> {
        self.flush()?;
        self.out.into_inner().map_err(told)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn told(error: parquet::errors::ParquetError) -> String {
    error.to_string()
}

fn field(head: &Head) -> Result<TypePtr, String> {
    let (physical, converted) = match head.kind {
        ColumnKind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        ColumnKind::Json => (Physical::BYTE_ARRAY, ConvertedType::JSON),
        ColumnKind::Integer => (Physical::INT64, ConvertedType::NONE),
        ColumnKind::Number => (Physical::DOUBLE, ConvertedType::NONE),
        ColumnKind::Flag => (Physical::BOOLEAN, ConvertedType::NONE),
        ColumnKind::Decimal => (Physical::FIXED_LEN_BYTE_ARRAY, ConvertedType::DECIMAL),
        ColumnKind::Day => (Physical::INT32, ConvertedType::DATE),
        ColumnKind::Time => (Physical::INT64, ConvertedType::TIMESTAMP_MILLIS),
    };
    let mut builder = Type::primitive_type_builder(&head.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(converted);
    if head.kind == ColumnKind::Decimal {
        builder = builder.with_length(DECIMAL_BYTES).with_precision(PRECISION).with_scale(SCALE as i32);
    }
    Ok(Arc::new(builder.build().map_err(told)?))
}

fn write<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    kind: ColumnKind,
    cells: &[Cell],
) -> Result<(), String> {
    match kind {
        ColumnKind::Text | ColumnKind::Json => column::<ByteArrayType, W>(group, cells, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text.as_str())),
            _ => None,
        }),
        ColumnKind::Integer | ColumnKind::Time => column::<Int64Type, W>(group, cells, |cell| match cell {
            Cell::Integer(number) | Cell::Time(number) => Some(*number),
            _ => None,
        }),
        ColumnKind::Number => column::<DoubleType, W>(group, cells, |cell| match cell {
            Cell::Number(number) => Some(*number),
            _ => None,
        }),
        ColumnKind::Flag => column::<BoolType, W>(group, cells, |cell| match cell {
            Cell::Flag(flag) => Some(*flag),
            _ => None,
        }),
        ColumnKind::Decimal => column::<FixedLenByteArrayType, W>(group, cells, |cell| match cell {
            Cell::Decimal(millionths) => {
                let bytes = millionths.to_be_bytes();
                let kept = bytes[bytes.len() - DECIMAL_BYTES as usize..].to_vec();
                Some(FixedLenByteArray::from(ByteArray::from(kept)))
            }
            _ => None,
        }),
        ColumnKind::Day => column::<Int32Type, W>(group, cells, |cell| match cell {
            Cell::Day(days) => Some(*days),
            _ => None,
        }),
    }
}

/// One column of a group: which rows have a value, and the values.
fn column<D: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: &[Cell],
    value: impl Fn(&Cell) -> Option<D::T>,
) -> Result<(), String> {
    let mut there = Vec::with_capacity(cells.len());
    let mut values = Vec::with_capacity(cells.len());
    for cell in cells {
        let value = value(cell);
        there.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let mut column = group.next_column().map_err(told)?.ok_or("the file has fewer columns than its rows")?;
    column.typed::<D>().write_batch(&values, Some(&there), None).map_err(told)?;
    column.close().map_err(told)
}
