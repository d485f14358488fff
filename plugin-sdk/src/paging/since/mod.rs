//! "What changed since?", asked so that nothing is lost: by a vendor's times, without trusting its clock or its order.
//!
//! - **Late records.** A record may show up with a time before the newest one that was read: a long transaction, a replica
//!   that lags, a change during the run. The next run asks from an [overlap](Window::overlap_ms) before the newest time that
//!   there was when this run began. A record that did not change costs the gateway nothing.
//! - **Times in the future.** One record dated 2062 must not move the cursor there. What lies beyond the clock plus a
//!   [skew](Window::skew_ms) comes in and moves nothing; a cursor that lies there is given up, and the list is read from its
//!   beginning.
//! - **Ties.** Several records may carry the same time, so a page may end in the middle of a second. The next page asks from
//!   that time, inclusive, and leaves out the ids that it knows.
//! - **Order.** A list sorted by time is read by moving the time forward after each page, not by the vendor's page cursor: such
//!   a cursor is often an offset, and a record that changes meanwhile moves to the end and shifts all others by one. That is
//!   right only if the list really is sorted: each page is checked. A first page that is all of one time proves nothing, so the
//!   vendor's cursor leads on, for nothing but a look, until a second time is seen. A list in no order is read with
//!   [`Since::finish_unsorted`].

mod shown;
mod words;

use serde::{Deserialize, Serialize};

use super::{Token, resume, text_of};
use crate::http::{Request, Response};
use crate::{Failure, ListEnds, Page, clock};
use shown::Shown;

/// Ids remembered for the newest time; with more ties than this they are read again instead.
const TIES_MAX: usize = 64;

/// A time is over, so that nothing can still be added to it, this long after it: clocks differ. Milliseconds.
const SETTLED_MS: i64 = 60_000;

/// Pages that are looked at for the order alone; a list that begins with more than this of one time is taken as it is.
const PROOF_PAGES_MAX: u32 = 32;

/// How far a vendor's clock and its list are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How late a record may show up, counted from its own time, and still be found by the next run. Milliseconds. Every run
    /// reads this much again.
    pub overlap_ms: i64,
    /// How far ahead of the gateway's clock a time may lie and still move the cursor. Milliseconds.
    pub skew_ms: i64,
}

impl Default for Window {
    /// Ten minutes of overlap, a quarter of an hour of skew.
    fn default() -> Self {
        Self { overlap_ms: 600_000, skew_ms: 900_000 }
    }
}

/// The cursor of a modified-since read. Times are kept in the vendor's own words, to be sent back as they came: RFC 3339, a date
/// and a time, a date, or a number since 1970. For another form give [`Since::is_new`] the milliseconds as text and write
/// [`Since::from_ms`] yourself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The next request asks from here, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Mark>,
    /// The vendor's cursor, where the time alone does not lead on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The newest time that this run read, up to the ceiling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Mark>,
    /// Where this run began to ask: what is before it was read by the runs before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<Mark>,
    /// When this run began; only while it goes on. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began_ms: Option<i64>,
    /// The last time of the page before, where the vendor's cursor led on from it. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_ms: Option<i64>,
    /// The page is looked at for the order alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
    /// The source showed a later time after an earlier one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ordered: bool,
    #[serde(skip)]
    window: Window,
    #[serde(skip)]
    ceiling_ms: Option<i64>,
    #[serde(skip)]
    shown: Shown,
}

/// A time with the records that were read at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// The vendor's words.
    text: String,
    /// Milliseconds since 1970-01-01T00:00Z.
    at_ms: i64,
    /// The ids read at this time, while the run goes on and if that time was over when it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<String>,
}

/// A look ahead at the order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    /// Where the run goes on afterwards.
    then: Mark,
    /// Pages that were looked at.
    pages: u32,
}

impl Since {
    /// Where the cursor left off, with the usual [`Window`]; the beginning if there is none.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) for a cursor that is not ours.
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        Self::resume_within(cursor, Window::default())
    }

    /// As [`Since::resume`], with the window that suits the vendor.
    ///
    /// # Errors
    /// As [`Since::resume`].
    pub fn resume_within(cursor: Option<&str>, window: Window) -> Result<Self, Failure> {
        let since: Self = resume(cursor)?;
        let now_ms = clock::now_ms();
        let ceiling_ms = now_ms.saturating_add(window.skew_ms);
        let begun = Self { window, ceiling_ms: Some(ceiling_ms), began_ms: Some(now_ms), ..Self::default() };
        if since.from.as_ref().is_some_and(|from| from.at_ms > ceiling_ms) {
            crate::warn!(
                "the cursor lies ahead of the gateway's clock: changes before that time would never be requested. The list is \
                 read from its beginning. Check the gateway's clock and the vendor's"
            );
            return Ok(begun);
        }
        if since.began_ms.is_some() {
            return Ok(Self { window, ceiling_ms: Some(ceiling_ms), ..since });
        }
        let from = since.from.map(Mark::without_ids);
        Ok(Self { floor: from.clone(), from, ordered: since.ordered, ..begun })
    }

    /// The time to ask from, inclusive, in the vendor's words; `None` asks for everything.
    #[must_use]
    pub fn from(&self) -> Option<&str> {
        self.from.as_ref().map(|mark| mark.text.as_str())
    }

    /// The time to ask from, inclusive, in milliseconds.
    #[must_use]
    pub fn from_ms(&self) -> Option<i64> {
        self.from.as_ref().map(|mark| mark.at_ms)
    }

    /// The vendor's cursor, where the time alone does not lead on.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// Notes a record of the page. False: leave it out. The page before brought it already and it cannot have changed since, or
    /// a later page of this run brings it.
    pub fn is_new(&mut self, text: &str, at_ms: i64, id: &str) -> bool {
        let skew_ms = self.window.skew_ms;
        let ceiling_ms = *self.ceiling_ms.get_or_insert_with(|| clock::now_ms().saturating_add(skew_ms));
        let ahead = at_ms > ceiling_ms;
        self.shown.note(at_ms, id, ahead);
        if self.proof.is_some() {
            return false;
        }
        match &mut self.newest {
            _ if ahead => {}
            Some(mark) if mark.at_ms > at_ms => {}
            Some(mark) if mark.at_ms == at_ms => mark.add(id),
            newest => *newest = Some(Mark { text: text.to_owned(), at_ms, ids: vec![id.to_owned()] }),
        }
        !self.from.as_ref().is_some_and(|from| from.at_ms == at_ms && from.ids.iter().any(|known| known == id))
    }

    /// The page of a list sorted by time, oldest first, with its cursor. `vendor_next` is the vendor's cursor; without one the
    /// run is done.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](crate::FailureKind::UpstreamChanged) for a list in another order;
    /// [`FailureKind::Internal`](crate::FailureKind::Internal) for times in a form that cannot be moved back.
    pub fn finish(mut self, page: Page, vendor_next: impl Into<Token>) -> Result<Page, Failure> {
        let shown = std::mem::take(&mut self.shown);
        shown.in_order(self.after_ms)?;
        let risen = self.after_ms.zip(shown.last_ms).is_some_and(|(after_ms, last_ms)| last_ms > after_ms);
        self.ordered |= shown.rises || risen;
        let next = vendor_next.into().text();
        if next.is_none() && self.proof.is_none() {
            return self.done(page);
        }
        Ok(page.more(text_of(&self.gone_on(next, shown.ahead, shown.last_ms))))
    }

    /// Names the request for the next page while this one is still to be mapped, for a list sorted by time: `list` and `next` are the
    /// pointers to the list and to the vendor's cursor, `time` reads the time of an item (the vendor's words and the same in
    /// milliseconds), and `ask` makes the request from the cursor, as for this page.
    pub fn prefetch<'a, T: Deserialize<'a>>(
        &self,
        answer: &'a Response,
        (list, next): (&str, &str),
        time: impl Fn(&T) -> Option<(String, i64)>,
        ask: impl FnOnce(&Self) -> Request,
    ) {
        let Some(ends) = ListEnds::of(answer, list) else { return };
        let (first, last) = (ends.first::<T>(), ends.last::<T>());
        let times = first.and_then(|item| time(&item)).zip(last.and_then(|item| time(&item)));
        if let Some(expected) = times.zip(ends.get::<Token>(next)).and_then(|(times, next)| self.expected(times, next))
        {
            ask(&expected).prefetch();
        }
    }

    /// The cursor after a page that begins and ends with these times; none where the run is over then.
    fn expected(&self, ((_, first_ms), (text, last_ms)): ((String, i64), (String, i64)), next: Token) -> Option<Self> {
        let mut since = self.clone();
        since.ordered |= last_ms > first_ms || since.after_ms.is_some_and(|after_ms| last_ms > after_ms);
        let ahead = since.ceiling_ms.is_some_and(|ceiling_ms| last_ms > ceiling_ms);
        if !ahead && since.proof.is_none() && since.newest.as_ref().is_none_or(|newest| newest.at_ms < last_ms) {
            since.newest = Some(Mark { text, at_ms: last_ms, ids: Vec::new() });
        }
        let next = next.text();
        (next.is_some() || since.proof.is_some()).then(|| since.gone_on(next, ahead, Some(last_ms)))
    }

    /// The cursor for the next page of a sorted list, by what this one showed: does a record lie beyond the ceiling, and what is the
    /// time of the last one?
    fn gone_on(mut self, vendor_next: Option<String>, ahead: bool, last_ms: Option<i64>) -> Self {
        if let Some(Proof { then, pages }) = self.proof.take() {
            return match vendor_next {
                Some(next) if !self.ordered && pages < PROOF_PAGES_MAX => {
                    Self { proof: Some(Proof { then, pages: pages + 1 }), ..self.led_on(next, last_ms) }
                }
                _ => self.moved_to(then),
            };
        }
        let next = vendor_next.unwrap_or_default();
        let newest = self.newest.clone().filter(|newest| self.from_ms().is_none_or(|from_ms| newest.at_ms > from_ms));
        match newest {
            // The end of a sorted list: from here on the vendor's cursor alone leads past what lies in the future.
            _ if ahead => self.led_on(next, None),
            Some(newest) if self.ordered => self.moved_to(newest.while_running()),
            Some(newest) => {
                let proof = Proof { then: newest.while_running(), pages: 1 };
                Self { proof: Some(proof), ..self.led_on(next, last_ms) }
            }
            None => self.led_on(next, last_ms),
        }
    }

    /// As [`Since::finish`] for a list in no order: the vendor's cursor leads through the run, and only its end moves the
    /// time forward.
    ///
    /// # Errors
    /// [`FailureKind::Internal`](crate::FailureKind::Internal) for times in a form that cannot be moved back.
    pub fn finish_unsorted(self, page: Page, vendor_next: impl Into<Token>) -> Result<Page, Failure> {
        match vendor_next.into().text() {
            Some(next) => Ok(page.more(text_of(&self.led_on(next, None)))),
            None => self.done(page),
        }
    }

    /// On by the vendor's cursor, from the same time.
    fn led_on(self, next: String, after_ms: Option<i64>) -> Self {
        Self { page: Some(next), newest: self.newest.map(Mark::without_ids), after_ms, ..self }
    }

    /// On by the time, without the vendor's cursor.
    fn moved_to(self, mark: Mark) -> Self {
        Self { from: Some(mark), page: None, newest: self.newest.map(Mark::without_ids), after_ms: None, ..self }
    }

    /// The run is over. The next one asks from an overlap before the time that the vendor's clock showed when this run
    /// began: what changed while it went on may have shown up where it had been already. That time is taken to be no
    /// later than our own clock showed then, and, regardless of the vendor's clock, no later than the newest time less
    /// the time that the run took.
    fn done(self, page: Page) -> Result<Page, Failure> {
        let from = match self.newest {
            None => self.floor,
            Some(newest) => {
                let now_ms = clock::now_ms();
                let began_ms = self.began_ms.unwrap_or(now_ms);
                let took_ms = now_ms.saturating_sub(began_ms).max(0);
                let ahead_ms = newest.at_ms.saturating_sub(began_ms);
                let from = newest.earlier(took_ms.max(ahead_ms).saturating_add(self.window.overlap_ms))?;
                self.floor.into_iter().chain([from]).max_by_key(|mark| mark.at_ms)
            }
        };
        let from = from.map(Mark::without_ids);
        Ok(page.done(text_of(&Self { from, ordered: self.ordered, ..Self::default() })))
    }
}

impl Mark {
    fn add(&mut self, id: &str) {
        // One more than can be kept is noted, to know that there were too many.
        if self.ids.len() <= TIES_MAX && !self.ids.iter().any(|known| known == id) {
            self.ids.push(id.to_owned());
        }
    }

    fn without_ids(self) -> Self {
        Self { ids: Vec::new(), ..self }
    }

    fn earlier(self, back_ms: i64) -> Result<Self, Failure> {
        let text = words::earlier(&self.text, self.at_ms, back_ms).ok_or_else(|| {
            Failure::internal(
                "the vendor's times are in a form that paging::Since cannot move back by its overlap: give is_new() the \
                 milliseconds as text, and ask with from_ms() in the vendor's form",
            )
        })?;
        Ok(Self { text, at_ms: self.at_ms.saturating_sub(back_ms), ids: Vec::new() })
    }

    /// Ids may be skipped in the next page only if all of them are known and none of them could change meanwhile.
    fn while_running(mut self) -> Self {
        if self.ids.len() > TIES_MAX || self.at_ms.saturating_add(SETTLED_MS) > clock::now_ms() {
            self.ids.clear();
        }
        self
    }
}
