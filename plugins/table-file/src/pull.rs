//! One page: the next rows of the next file that can be read. A file that cannot be is a finding, and the others go on.

use renmen_plugin::http::Response;
use renmen_plugin::{Failure, FailureKind, Page, PageFinding, Pull, Remedy};

use crate::config::{Config, Stream};
use crate::cursor::Progress;
use crate::files::{self, File};
use crate::map::{Mapped, Rivals};
use crate::sheet::{self, Table};

/// Files that one page tells of as findings: each took a request.
const FINDINGS_MAX: usize = 50;

/// What a page is read from.
pub(crate) struct Reading<'a> {
    pub(crate) config: &'a Config,
    pub(crate) stream: &'a Stream,
    pub(crate) pull: &'a Pull,
    pub(crate) listing: &'a [File],
}

/// Why a file waits, and who can put it right.
struct Unread {
    code: &'static str,
    needs: Remedy,
    failure: Failure,
}

impl Unread {
    fn because(code: &'static str, needs: Remedy) -> impl Fn(Failure) -> Self {
        move |failure| Self { code, needs, failure }
    }

    /// It is being replaced, or the directory is away for a while.
    fn passes(&self) -> bool {
        self.failure.kind == FailureKind::UpstreamUnavailable
    }

    /// The file's own fault, or one of the whole call?
    fn is_of_file(&self) -> bool {
        matches!(
            self.failure.kind,
            FailureKind::BadConfig | FailureKind::UpstreamUnavailable | FailureKind::UpstreamChanged
        )
    }
}

impl Reading<'_> {
    pub(crate) fn page(&self, mut progress: Progress, mut whole: Option<Response>) -> Result<Page, Failure> {
        let mut findings = Vec::new();
        loop {
            let Some((file, first)) = progress.next(self.listing) else {
                let page = Page { findings, ..Page::new() };
                return Ok(page.done(progress.after(self.listing).text()));
            };
            if findings.len() >= FINDINGS_MAX {
                return Ok(Page { findings, ..Page::new() }.more(progress.text()));
            }
            match self.rows(&file, first, whole.take(), &mut progress) {
                Ok(page) => return Ok(self.ended(Page { findings, ..page }, progress)),
                // A single address has no other file to go on with.
                Err(unread) if self.config.url.is_some() || !unread.is_of_file() => return Err(unread.failure),
                // What passes is tried again soon, once the other files are in.
                Err(unread) if unread.passes() && self.is_last(&file, &progress) => return Err(unread.failure),
                Err(Unread { code, needs, failure }) => {
                    let code = failure.code.clone().unwrap_or_else(|| code.to_owned());
                    findings.push(PageFinding { code, ..PageFinding::failed(&file.name, &failure).needing(needs) });
                    progress.failed(&file);
                }
            }
        }
    }

    fn is_last(&self, file: &File, progress: &Progress) -> bool {
        let mut after = progress.clone();
        after.failed(file);
        after.next(self.listing).is_none()
    }

    fn ended(&self, page: Page, progress: Progress) -> Page {
        match progress.next(self.listing) {
            Some(_) => page.more(progress.text()),
            None => page.done(progress.after(self.listing).text()),
        }
    }

    /// The next rows of a file.
    fn rows(
        &self,
        file: &File,
        first: usize,
        whole: Option<Response>,
        progress: &mut Progress,
    ) -> Result<Page, Unread> {
        let (exchange, table) = self.open(file, whole)?;
        let mapped = self.mapped(file, &table)?;
        if first == 0 {
            mapped.check_totals().map_err(Unread::because("control_differs", Remedy::Source))?;
        }
        let all = table.rows.len();
        let last = first.saturating_add(self.pull.max_records.max(1) as usize).min(all);
        let rows = first.min(last)..last;
        let rivals = self.rivals(file, &mapped, rows.clone(), progress)?;
        let page = mapped.page(exchange, rows, &rivals);
        if last < all {
            progress.moved(file, last);
            return Ok(page);
        }
        progress.read(file, mapped.days(0..all).map(|(_, last)| last));
        Ok(if self.stream.snapshot { page.everything() } else { page })
    }

    /// The number of the exchange and the table; the file's bytes are let go.
    fn open(&self, file: &File, whole: Option<Response>) -> Result<(u32, Table), Unread> {
        let body = files::read(file, whole).map_err(Unread::because("unreadable_file", Remedy::Source))?;
        let table = sheet::open(&file.name, body.body(), self.stream, &self.config.limits)
            .map_err(Unread::because("unreadable_file", Remedy::Source))?;
        Ok((body.exchange(), table))
    }

    fn mapped<'b>(&'b self, file: &'b File, table: &'b Table) -> Result<Mapped<'b>, Unread> {
        Mapped::of(&self.pull.stream, self.stream, table, &file.name, self.config.years)
            .map_err(Unread::because("unfit_file", Remedy::Operator))
    }

    /// What files that were read before this one say of the same keys for the same or a later day. Only a file that says
    /// something older than what was read already has any: one that was saved again, or came late.
    fn rivals(
        &self,
        file: &File,
        mapped: &Mapped<'_>,
        rows: std::ops::Range<usize>,
        progress: &Progress,
    ) -> Result<Rivals, Unread> {
        let mut rivals = Rivals::new();
        let Some((day, _)) = mapped.days(rows.clone()).filter(|_| !self.stream.snapshot) else { return Ok(rivals) };
        let others = progress.since(day, file, self.listing);
        let max = self.config.limits.compared_files_max;
        if others.len() > max {
            let failure = Failure::bad_config(format!(
                "{}: {} files hold for the same or later days, more than limits.compared_files_max = {max} that a file is \
                 compared with: move old files away, or raise it",
                file.name,
                others.len()
            ));
            return Err(Unread { code: "limit", needs: Remedy::Operator, failure });
        }
        let keys = mapped.keys(rows);
        for other in others {
            let (_, table) = self.open(other, None)?;
            self.mapped(other, &table)?.add_to(&mut rivals, &keys);
        }
        Ok(rivals)
    }
}
