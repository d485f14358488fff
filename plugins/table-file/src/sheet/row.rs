//! One row of a sheet, packed: a file of very many rows is in memory while one page of it is read, and a cell that is not asked for
//! costs the bytes of its text and two more.

use std::sync::Arc;

use renmen_vocabulary::cell::{Cell, Day, Number, Shown};

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// As a spreadsheet numbers it, from 1; in a CSV the number of the record.
    pub number: usize,
    /// The cells, one after the other.
    packed: Box<[u8]>,
    /// What number formats show; rows that follow each other nearly always share it.
    shown: Option<Arc<[Shown]>>,
    odd: Option<Box<Odd>>,
}

/// What few rows have.
#[derive(Debug, Clone, Default, PartialEq)]
struct Odd {
    /// The columns in which a merged cell covers the row.
    merged: Vec<usize>,
    /// Why no record can be made of it.
    fault: Option<String>,
    /// Why cells cannot be read, by column.
    faults: Vec<(usize, &'static str)>,
}

/// A row that packs to more than this is copied while it is packed.
const USUAL_BYTES: usize = 256;

const BLANK: u8 = 0;
const TEXT: u8 = 1;
const NUMBER: u8 = 2;
const WHOLE: u8 = 3;
const DATE: u8 = 4;
const FAULT: u8 = 5;

impl Row {
    pub(crate) fn of(number: usize, cells: impl IntoIterator<Item = Cell>) -> Self {
        let mut row = Self { number, packed: Box::default(), shown: None, odd: None };
        row.fill(cells);
        row
    }

    /// The cell in a column; a missing one is blank.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell {
        self.packed_cells().nth(column).map_or(Cell::Blank, |packed| self.unpacked(column, packed))
    }

    /// The text in a column, where there is one.
    pub(crate) fn text(&self, column: usize) -> Option<&str> {
        let (kind, rest) = self.packed_cells().nth(column)?.split_first()?;
        (*kind == TEXT).then(|| std::str::from_utf8(rest).unwrap_or_default())
    }

    /// Every cell, in order.
    pub(crate) fn cells(&self) -> impl DoubleEndedIterator<Item = Cell> {
        let packed: Vec<&[u8]> = self.packed_cells().collect();
        packed.into_iter().enumerate().map(|(column, packed)| self.unpacked(column, packed))
    }

    /// How many cells there are.
    pub(crate) fn width(&self) -> usize {
        self.packed_cells().count()
    }

    /// How many cells there are, and how many up to the last that is not blank.
    pub(crate) fn widths(&self) -> (usize, usize) {
        self.packed_cells().zip(1..).fold((0, 0), |(_, filled), (packed, width)| {
            (width, if packed.first() == Some(&BLANK) { filled } else { width })
        })
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.packed_cells().all(|packed| packed.first() == Some(&BLANK))
    }

    /// Does a merged cell cover the row in this column?
    pub(crate) fn is_merged(&self, column: usize) -> bool {
        self.odd.as_ref().is_some_and(|odd| odd.merged.contains(&column))
    }

    /// Why no record can be made of it.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.odd.as_ref()?.fault.as_deref()
    }

    pub(crate) fn refuse(&mut self, fault: String) {
        self.odd.get_or_insert_default().fault = Some(fault);
    }

    pub(crate) fn merge(&mut self, column: usize) {
        self.odd.get_or_insert_default().merged.push(column);
    }

    /// Puts other cells in place of its own.
    pub(crate) fn fill(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let (mut packed, mut shown, mut faults) = (Vec::with_capacity(USUAL_BYTES), Vec::new(), Vec::new());
        for (column, cell) in cells.into_iter().enumerate() {
            pack(&mut packed, cell, &mut shown, |reason| faults.push((column, reason)));
        }
        self.packed = packed.as_slice().into();
        self.shown = (!shown.is_empty()).then(|| shown.into());
        if !faults.is_empty() || self.odd.is_some() {
            self.odd.get_or_insert_default().faults = faults;
        }
    }

    /// Shares with another row what number formats show, where that is the same.
    pub(crate) fn share(&mut self, other: &Self) {
        if self.shown == other.shown {
            self.shown.clone_from(&other.shown);
        }
    }

    fn packed_cells(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.packed;
        std::iter::from_fn(move || {
            let length = take_number(&mut rest)?;
            let (cell, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(cell)
        })
    }

    fn unpacked(&self, column: usize, packed: &[u8]) -> Cell {
        let Some((kind, mut rest)) = packed.split_first() else { return Cell::Blank };
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap_or_default().to_owned();
        match *kind {
            TEXT => Cell::Text(text(rest).into()),
            NUMBER | WHOLE => {
                let which = take_number(&mut rest).unwrap_or_default();
                let shown = self.shown.as_ref().and_then(|shown| shown.get(which)).copied().unwrap_or_default();
                Cell::Number(Box::new(Number { text: text(rest), whole: *kind == WHOLE, shown }))
            }
            DATE => match *rest {
                [high, low, month, day] => Cell::Date(Day { year: i16::from_be_bytes([high, low]), month, day }),
                _ => Cell::Blank,
            },
            FAULT => {
                let faults = self.odd.iter().flat_map(|odd| &odd.faults);
                faults.into_iter().find(|(of, _)| *of == column).map_or(Cell::Blank, |(_, reason)| Cell::Fault(reason))
            }
            _ => Cell::Blank,
        }
    }
}

/// Its length, its kind, and what is in it.
fn pack(packed: &mut Vec<u8>, cell: Cell, shown: &mut Vec<Shown>, fault: impl FnOnce(&'static str)) {
    match cell {
        Cell::Blank => packed.extend([1, BLANK]),
        Cell::Text(text) => {
            put_number(packed, text.len() + 1);
            packed.push(TEXT);
            packed.extend_from_slice(text.as_bytes());
        }
        Cell::Number(number) => {
            let which = shown.iter().position(|one| *one == number.shown).unwrap_or_else(|| {
                shown.push(number.shown);
                shown.len() - 1
            });
            put_number(packed, 1 + number_bytes(which) + number.text.len());
            packed.push(if number.whole { WHOLE } else { NUMBER });
            put_number(packed, which);
            packed.extend_from_slice(number.text.as_bytes());
        }
        Cell::Date(Day { year, month, day }) => {
            let [high, low] = year.to_be_bytes();
            packed.extend([5, DATE, high, low, month, day]);
        }
        Cell::Fault(reason) => {
            packed.extend([1, FAULT]);
            fault(reason);
        }
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put_number(packed: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        packed.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

fn number_bytes(number: usize) -> usize {
    std::iter::successors(Some(number >> 7), |number| Some(number >> 7)).take_while(|number| *number > 0).count() + 1
}

#[inline]
fn take_number(rest: &mut &[u8]) -> Option<usize> {
    match *rest {
        [byte, behind @ ..] if *byte < 0x80 => {
            let number = usize::from(*byte);
            *rest = behind;
            Some(number)
        }
        _ => take_long_number(rest),
    }
}

fn take_long_number(rest: &mut &[u8]) -> Option<usize> {
    let (mut number, mut shift) = (0_usize, 0);
    loop {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_row_comes_out_of_it() {
        let number = |text: &str, whole, padded| {
            let shown = Shown { padded, decimals: Some(2), ..Shown::default() };
            Cell::Number(Box::new(Number { text: text.into(), whole, shown }))
        };
        let long = "x".repeat(20_000);
        let cells = vec![
            Cell::Text("备注".into()),
            Cell::Blank,
            number("12.5", false, 0),
            number("7", true, 6),
            number("-8", true, 0),
            Cell::Date(Day { year: 1900, month: 2, day: 29 }),
            Cell::Fault("a"),
            Cell::Text(long.into()),
            Cell::Fault("b"),
            Cell::Blank,
        ];
        let mut row = Row::of(3, cells.clone());
        assert_eq!(row.cells().collect::<Vec<_>>(), cells);
        for (column, cell) in cells.iter().enumerate() {
            assert_eq!(row.cell(column), *cell);
            assert_eq!(row.text(column).is_some(), matches!(cell, Cell::Text(_)));
        }
        assert_eq!((row.width(), row.widths(), row.cell(10)), (10, (10, 9), Cell::Blank));

        row.merge(4);
        row.refuse("hidden".into());
        assert_eq!((row.is_merged(4), row.is_merged(5), row.fault()), (true, false, Some("hidden")));
        row.fill([Cell::Blank, Cell::Fault("c")]);
        assert_eq!(
            (row.cell(1), row.cell(6), row.widths(), row.fault()),
            (Cell::Fault("c"), Cell::Blank, (2, 2), Some("hidden"))
        );
        assert!(Row::of(1, []).is_blank() && Row::of(1, [Cell::Blank]).is_blank() && !row.is_blank());
    }

    #[test]
    fn rows_share_what_their_number_formats_show_only_where_it_is_the_same() {
        let of = |padded| {
            let shown = Shown { padded, ..Shown::default() };
            Row::of(1, [Cell::Number(Box::new(Number { text: "1".into(), whole: true, shown }))])
        };
        let (first, mut same, mut other) = (of(3), of(3), of(4));
        same.share(&first);
        other.share(&first);
        assert!(same.shown.iter().zip(&first.shown).all(|(one, other)| Arc::ptr_eq(one, other)));
        assert_eq!((same.cell(0), other.cell(0)), (first.cell(0), of(4).cell(0)));
    }
}
