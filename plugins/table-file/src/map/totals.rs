//! Control totals: what the file itself says its rows come to, compared with what was read of them. A difference refuses the
//! whole file, because it cannot be said which row is wrong.

use rust_decimal::Decimal;

use super::{Bound, Mapping};
use crate::config::{Control, Totals};
use crate::sheet::{Row, place_of};
use renmen_vocabulary::cell::Cell;

/// What a column comes to.
struct Sum {
    /// Of the numbers as they are read.
    read: Decimal,
    /// Of those before they were rounded: a total may have been made of them.
    exact: Decimal,
}

impl Mapping<'_> {
    /// Do the file's own totals agree with its rows?
    pub(super) fn check_totals(&self) -> Result<(), String> {
        if self.stream.totals == Some(Totals::Check) {
            if self.table.totals.is_empty() {
                return Err(
                    "`totals = \"check\"`, and no row begins with a word of `total_rows`: send the whole file, or \
                            correct `total_rows`"
                        .to_owned(),
                );
            }
            for (index, total) in self.table.totals.iter().enumerate() {
                self.check_row(index, total)?;
            }
        }
        self.stream.control.as_ref().map_or(Ok(()), |control| self.check_control(control))
    }

    /// A total row counts the rows since the one before it, or all above it, or all of the sheet.
    fn check_row(&self, index: usize, total: &Row) -> Result<(), String> {
        let before = index.checked_sub(1).map_or(0, |before| self.table.totals[before].number);
        let mut told = Ok(());
        for (from, to) in [(0, total.number), (before, total.number), (0, usize::MAX)] {
            let rows = || self.table.rows.iter().filter(move |row| (from..to).contains(&row.number));
            told = self.columns.iter().try_for_each(|bound| self.check_column(bound, total, rows()));
            if told.is_ok() {
                break;
            }
        }
        told
    }

    fn check_column<'b>(
        &self,
        bound: &Bound<'_>,
        total: &Row,
        rows: impl Iterator<Item = &'b Row>,
    ) -> Result<(), String> {
        let cell = &total.cell(bound.index);
        let title = &bound.column.column;
        if self.is_blank(cell, bound) {
            return Ok(());
        }
        let place = self.table.place(bound.index, total.number);
        let Some(declared) = self.addend(bound, total, cell) else { return Ok(()) };
        let declared = declared.map_err(|reason| format!("the total at {place}: {reason}"))?;
        let sum = self.sum(bound, rows)?;
        if agrees(declared.0, &sum) {
            return Ok(());
        }
        Err(format!(
            "column {title}: the total at {place} differs from the sum of the rows; correct the file, or take \
             `totals = \"check\"` out if the row counts something else"
        ))
    }

    fn check_control(&self, control: &Control) -> Result<(), String> {
        if let Some(place) = &control.count {
            let declared = self.control_number(place, "count")?;
            if declared != Decimal::from(self.table.rows.len()) {
                return Err(format!(
                    "the number of rows that {}!{place} declares (`control.count`) differs from the {} that stand in the file: \
                     send the whole file",
                    self.table.name,
                    self.table.rows.len()
                ));
            }
        }
        for (title, place) in &control.sums {
            let bound = self.columns.iter().find(|bound| bound.column.column == *title);
            let bound = bound.filter(|bound| bound.column.parse.is_summed()).ok_or_else(|| {
                format!("`control.sums` names `{title}`, which is not a column of `columns` with an amount or a number")
            })?;
            let declared = self.control_number(place, "sums")?;
            if !agrees(declared, &self.sum(bound, self.table.rows.iter())?) {
                return Err(format!(
                    "column {title}: the sum that {}!{place} declares (`control.sums`) differs from that of the rows; correct \
                     the file",
                    self.table.name
                ));
            }
        }
        Ok(())
    }

    /// The number that a cell declares.
    fn control_number(&self, place: &str, key: &str) -> Result<Decimal, String> {
        let (row, column) = place_of(place)
            .ok_or_else(|| format!("`control.{key}` names the cell `{place}`; write it as the like of B2"))?;
        let cell = self.table.cell(row + 1, column).unwrap_or(Cell::Blank);
        let number = renmen_vocabulary::value::control(&cell, self.table.semicolons, self.stream.decimal);
        number.map_err(|reason| format!("the cell {}!{place} (`control.{key}`): {reason}", self.table.name))
    }

    fn sum<'b>(&self, bound: &Bound<'_>, rows: impl Iterator<Item = &'b Row>) -> Result<Sum, String> {
        let (mut sum, mut unread) = (Sum { read: Decimal::ZERO, exact: Decimal::ZERO }, 0);
        for row in rows {
            let cell = &row.cell(bound.index);
            if self.is_blank(cell, bound) {
                continue;
            }
            let added = self.addend(bound, row, cell).and_then(Result::ok).filter(|_| row.fault().is_none());
            let added = added.and_then(|(read, exact)| {
                Some(Sum { read: sum.read.checked_add(read)?, exact: sum.exact.checked_add(exact)? })
            });
            match added {
                Some(more) => sum = more,
                None => unread += 1,
            }
        }
        if unread > 0 {
            return Err(format!(
                "column {}: {unread} of its cells cannot be read, so that its total cannot be compared; the first of the other \
                 findings of the file say why once the check is taken out",
                bound.column.column
            ));
        }
        Ok(sum)
    }

    fn addend(&self, bound: &Bound<'_>, row: &Row, cell: &Cell) -> Option<Result<(Decimal, Decimal), String>> {
        let summed = bound.column.parse.is_summed();
        summed.then(|| renmen_vocabulary::value::addend(cell, &bound.column.parse, self.reading(bound, row)))
    }
}

/// Is a total that of the numbers as they are read, or of those that it was made of, as far as it shows them?
fn agrees(declared: Decimal, sum: &Sum) -> bool {
    let shown =
        sum.exact.round_dp_with_strategy(declared.scale(), rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    declared == sum.read || declared == sum.exact || (sum.read != sum.exact && declared == shown)
}
