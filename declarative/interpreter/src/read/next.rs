//! Where a list goes on after an answer.

use renmen_plugin::http::Response;
use renmen_plugin::paging::{Listing, Since, link_next};
use renmen_plugin::{Failure, Page};
use serde_json::{Value, json};

use std::borrow::Cow;

use super::{Step, is_unsorted};
use crate::answer::Node;
use crate::cursor::{At, Cursor};
use crate::plan::{Changes, Paging, Read};
use crate::pointer::Pointer;

/// How often a vendor may have one run start over.
const RESTARTS_MAX: u32 = 5;

pub(super) fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}

/// The values of `page`.
pub(super) fn page_of(read: &Read, at: &At, size: u32) -> Value {
    match &read.paging {
        Paging::Number { first, .. } => json!({ "size": size, "number": number(at.page.as_deref()).unwrap_or(*first) }),
        Paging::Offset { .. } => json!({ "size": size, "offset": number(at.page.as_deref()).unwrap_or(0) }),
        _ => json!({ "size": size, "token": at.page }),
    }
}

/// Where a list goes on after this answer.
pub(super) fn next_page(
    read: &Read,
    response: &Response,
    root: &Node<'_>,
    at: &At,
    items: usize,
    size: u32,
) -> Result<Option<String>, Failure> {
    let text = |pointer: &Pointer| pointer.filled(root).and_then(Node::scalar).map(Cow::into_owned);
    let truth = |pointer: &Pointer| matches!(text(pointer).as_deref(), Some(text) if !matches!(text, "false" | "0"));
    let count = |pointer: &Pointer| text(pointer).and_then(|text| text.trim().parse::<u64>().ok());
    let full = items as u64 >= u64::from(size);
    let next = match &read.paging {
        Paging::Never => None,
        Paging::Link => link_next(response),
        Paging::Url(next) => text(next).filter(|text| text != "false"),
        Paging::Token { next, more } => {
            let token = text(next).filter(|text| text != "false");
            match more.as_ref().map(truth) {
                Some(false) => None,
                Some(true) if token.is_none() => {
                    return Err(Failure::upstream_changed(
                        "the list goes on without saying where: there is more, and no token",
                    ));
                }
                _ => token,
            }
        }
        Paging::Number { first, more, pages } => {
            let page = number(at.page.as_deref()).unwrap_or(*first);
            let more = match (more, pages.as_ref().and_then(count)) {
                (Some(more), _) => truth(more),
                (None, Some(pages)) => page.saturating_sub(*first) + 1 < pages,
                (None, None) => full,
            };
            more.then(|| page.saturating_add(1).to_string())
        }
        Paging::Offset { total, more } => {
            let read = number(at.page.as_deref()).unwrap_or(0).saturating_add(items as u64);
            let more = match (more, total.as_ref().and_then(count)) {
                (Some(more), _) => truth(more),
                (None, Some(total)) => read < total,
                (None, None) => full,
            };
            (more && items > 0).then(|| read.to_string())
        }
    };
    match next {
        Some(next) if at.page.as_deref() == Some(next.as_str()) => Err(Failure::upstream_changed(
            "the list goes on where it is already: the vendor gave the same next page again",
        )),
        next => Ok(next.filter(|next| !next.trim().is_empty())),
    }
}

pub(super) fn restart(cursor: &Cursor, at: &At) -> Result<Step, Failure> {
    if at.page.is_none() && cursor.kept().is_none() || at.restarts >= RESTARTS_MAX {
        let message = "the vendor takes back what it gave to go on with, again and again: try later";
        return Err(Failure::upstream_unavailable(message));
    }
    Ok(Step { next: Some(At { restarts: at.restarts + 1, ..At::default() }), keep: None, restarted: true })
}

pub(super) fn finish_since(read: &Read, since: Since, at: At, next: Option<String>) -> Result<Step, Failure> {
    let done = match is_unsorted(read) {
        true => since.finish_unsorted(Page::new(), next)?,
        false => since.finish(Page::new(), next)?,
    };
    let state = done.next;
    Ok(match done.has_more {
        true => Step { next: Some(At { state, page: None, ..at }), keep: None, restarted: false },
        false => Step::over(state),
    })
}

/// What stands for the vendor's cursor where a parent's list is over, and not the run.
const PARENT_IS_OVER: &str = "\u{1}parent";

/// The lists of all parents are one list by time, without an order: only the end of the last one moves the time.
pub(super) fn finish_child(since: Since, at: At, next: Option<String>) -> Result<Step, Failure> {
    let over = next.is_none();
    let state = since.finish_unsorted(Page::new(), next.or_else(|| Some(PARENT_IS_OVER.to_owned())))?.next;
    Ok(match over {
        true => Step::over(state),
        false => Step { next: Some(At { state, page: None, ..at }), keep: None, restarted: false },
    })
}

/// What the lists of all parents leave for the next run.
pub(super) fn finish_children(read: &Read, cursor: &Cursor, at: &At) -> Result<Option<String>, Failure> {
    let Changes::Time { window, .. } = &read.changes else { return Ok(None) };
    let since = Since::resume_within(at.state.as_deref().or(cursor.kept()), *window)?;
    Ok(since.finish_unsorted(Page::new(), None::<String>)?.next)
}

/// The vendor's cursor within a list that is read by time.
pub(super) fn vendor_page(since: &Since) -> Option<String> {
    since.page().filter(|page| *page != PARENT_IS_OVER).map(str::to_owned)
}

/// A whole list by offset, which notices when it shifts.
pub(super) struct Counted(pub(super) Listing);

impl Counted {
    pub(super) fn of(read: &Read, at: &At) -> Result<Option<Self>, Failure> {
        let plain = read.id().and_then(crate::record::Id::plain).is_some();
        let counts = matches!(read.paging, Paging::Offset { total: None, more: None });
        match counts && plain && matches!(read.changes, Changes::All) && read.lookup.is_none() && read.parents.is_none()
        {
            true => Listing::resume(at.state.as_deref()).map(|listing| Some(Self(listing))),
            false => Ok(None),
        }
    }

    /// The most records that leave room for the one that is asked for again.
    fn records(read: &Read, size: u32) -> u32 {
        if read.size_max == Some(size) && size > 1 { size - 1 } else { size }
    }

    pub(super) fn limit(&self, read: &Read, size: u32) -> u32 {
        self.0.limit(Self::records(read, size))
    }

    pub(super) fn finish(
        self,
        read: &Read,
        page: &mut Page,
        response: &Response,
        at: At,
        size: u32,
    ) -> Result<Step, Failure> {
        let id = read.id().and_then(crate::record::Id::plain).map(Pointer::text).unwrap_or_default();
        let limit = self.limit(read, size);
        let records = std::mem::take(&mut page.records);
        let rejects = std::mem::take(&mut page.rejects);
        let made = Page { records, rejects, ..Page::new() };
        let made = self.0.finish(made, response, read.items.text(), id, limit)?;
        let (state, has_more) = (made.next, made.has_more);
        (page.records, page.rejects) = (made.records, made.rejects);
        Ok(match has_more {
            true => Step { next: Some(At { state, ..at }), keep: None, restarted: false },
            false => Step::over(None),
        })
    }
}
