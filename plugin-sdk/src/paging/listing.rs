//! A whole list by offset, which notices when it shifts.
//!
//! A record that is added or removed while a list is read moves all that follow: the next page would skip or repeat some. Each
//! page therefore asks for one record again, the last of the page before. Another record in its place means that the list
//! shifted, and it is read from its beginning once more.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{resume, text_of};
use crate::http::Response;
use crate::items::tokens;
use crate::{Failure, Page, scan};

/// How often a list may shift while one run reads it.
const RESTARTS_MAX: u8 = 20;

/// Where a run of pages `?offset=200&limit=100` stands.
///
/// The list must come in an order that a change of a record does not alter: by id, or by time of creation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    read: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(default)]
    restarts: u8,
}

impl Listing {
    /// Where the cursor left off; the beginning if there is none.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) for a cursor that is not of this type.
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        resume(cursor)
    }

    /// The offset to ask for, in records from 0: that of the last record of the page before, which is asked for again.
    #[must_use]
    pub fn offset(&self) -> u64 {
        if self.last.is_some() { self.read.saturating_sub(1) } else { self.read }
    }

    /// How many records to ask for, so that at most `records` of them are new: one more after the first page.
    #[must_use]
    pub fn limit(&self, records: u32) -> u32 {
        if self.last.is_some() { records.saturating_add(1) } else { records }
    }

    /// Is this the record that the page before ended with? It is there already.
    #[must_use]
    pub fn is_overlap(&self, id: &str) -> bool {
        self.last.as_deref() == Some(id)
    }

    /// The page with its cursor. `list` points to the list in the answer, `id` to the id in each of its records; `limit` is what was
    /// asked for. A full answer is followed by another page; a shorter one ends the run, which then has listed everything.
    ///
    /// When the list shifted the page is thrown away and the list is read from its beginning. A record without a text or a number
    /// at `id` cannot tell whether it shifted.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](crate::FailureKind::UpstreamChanged) when there is no list at the pointer.
    /// [`FailureKind::UpstreamUnavailable`](crate::FailureKind::UpstreamUnavailable) when the list shifted over 20 times in one
    /// run: it changes faster than it can be read.
    pub fn finish(self, page: Page, answer: &Response, list: &str, id: &str, limit: u32) -> Result<Page, Failure> {
        let body = answer.body();
        let items = scan::find(body, &tokens(list)).ok().filter(|found| found.list).map(|found| found.items);
        let items = items.ok_or_else(|| Failure::upstream_changed(format!("no list at {list} in the answer")))?;
        let id_of = |range: Option<&Range<usize>>| id_at(body.get(range?.clone())?, id);
        let shifted = match &self.last {
            None => false,
            Some(_) if items.is_empty() => true,
            Some(last) => id_of(items.first()).is_some_and(|first| first != *last),
        };
        if shifted {
            return self.restart();
        }
        if (items.len() as u64) < u64::from(limit) {
            return Ok(page.everything().done(text_of(&Self::default())));
        }
        let read = self.offset().saturating_add(items.len() as u64);
        Ok(page.more(text_of(&Self { read, last: id_of(items.last()), restarts: self.restarts })))
    }

    fn restart(self) -> Result<Page, Failure> {
        let restarts = self.restarts.saturating_add(1);
        if restarts > RESTARTS_MAX {
            let message = format!("the list shifted {restarts} times while it was read: try again later");
            return Err(Failure::upstream_unavailable(message));
        }
        Ok(Page::new().more(text_of(&Self { restarts, ..Self::default() })))
    }
}

/// The id in a record's JSON.
fn id_at(record: &[u8], pointer: &str) -> Option<String> {
    let record: Value = serde_json::from_slice(record).ok()?;
    match record.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Coverage, FailureKind};

    /// Reads a list that may change before each page; gives the ids in the order in which they came.
    fn read(mut change: impl FnMut(u32, &mut Vec<String>)) -> Result<(Vec<String>, Page), Failure> {
        let mut list: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        let (mut seen, mut cursor) = (Vec::new(), None);
        for page in 0..200 {
            change(page, &mut list);
            let listing = Listing::resume(cursor.as_deref())?;
            let limit = listing.limit(3);
            let from = usize::try_from(listing.offset()).unwrap().min(list.len());
            let ids: Vec<&String> = list[from..].iter().take(limit as usize).collect();
            seen.extend(ids.iter().filter(|id| !listing.is_overlap(id)).map(ToString::to_string));
            let rows: Vec<Value> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
            let body = serde_json::json!({ "data": rows }).to_string().into_bytes();
            let answer = Response::from_parts(200, Vec::new(), body);
            let page = listing.finish(Page::new(), &answer, "/data", "/id", limit)?;
            if !page.has_more {
                return Ok((seen, page));
            }
            cursor = page.next;
        }
        panic!("no end");
    }

    #[test]
    fn a_list_at_rest_is_read_once() {
        let (seen, page) = read(|_, _| {}).unwrap();
        assert_eq!(seen, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(page.coverage, Coverage::Everything);
        assert_eq!(Listing::resume(page.next.as_deref()).unwrap(), Listing::default());
    }

    #[test]
    fn a_record_that_goes_or_comes_while_the_list_is_read_hides_no_other() {
        for at in 0..4 {
            let (seen, _) = read(|page, list| {
                if page == at {
                    list.remove(0);
                }
            })
            .unwrap();
            assert!((1..10).all(|number| seen.contains(&number.to_string())), "removed before page {at}: {seen:?}");
            let (seen, _) = read(|page, list| {
                if page == at {
                    list.insert(0, "new".into());
                }
            })
            .unwrap();
            assert!((0..10).all(|number| seen.contains(&number.to_string())), "added before page {at}: {seen:?}");
        }
    }

    #[test]
    fn a_list_that_never_rests_ends_the_run_and_not_the_patience() {
        let failure = read(|page, list| list.insert(0, format!("new {page}"))).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UpstreamUnavailable);
    }

    #[test]
    fn records_without_an_id_are_read_to_the_end_all_the_same() {
        let listing = Listing { read: 3, last: Some("2".into()), restarts: 0 };
        let answer = Response::from_parts(200, Vec::new(), br#"{"data":[{"id":null},{}]}"#.to_vec());
        let page = listing.clone().finish(Page::new(), &answer, "/data", "/id", 4).unwrap();
        assert!(!page.has_more);
        let answer = Response::from_parts(200, Vec::new(), br#"{"rows":[]}"#.to_vec());
        let failure = listing.finish(Page::new(), &answer, "/data", "/id", 4).unwrap_err();
        assert_eq!(failure.kind, FailureKind::UpstreamChanged);
    }

    #[test]
    fn a_cursor_of_another_connector_is_refused() {
        for cursor in ["", "7", r#"{"offset":1}"#, r#"{"read":-1}"#] {
            assert_eq!(Listing::resume(Some(cursor)).unwrap_err().kind, FailureKind::InvalidInput, "{cursor}");
        }
    }
}
