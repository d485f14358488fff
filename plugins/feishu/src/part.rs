//! Parts of a page that cannot be read: a list that hangs on a record, or one record of a list of ids. They are told as findings, one
//! for each cause, and the others come in.

use renmen_plugin::{Failure, FailureKind, Page, PageFinding};

/// Does a failure say nothing of the other lists? A permission is given for each list by itself; token and pace are the app's.
pub(crate) fn is_of_one_alone(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::NotGranted | FailureKind::UpstreamChanged)
}

/// Does the vendor refuse just this one, by its id? For lists whose cursor moves on: what every record would meet must not be passed.
pub(crate) fn is_refused_alone(failure: &Failure) -> bool {
    failure.kind == FailureKind::UpstreamChanged && failure.code.is_some()
}

/// The parts of one kind that could not be read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What they are, before an id: `external interviews of external application`.
    what: &'static str,
    /// Which failures are about one part.
    alone: fn(&Failure) -> bool,
    /// Of each cause the first id that met it, and how many did.
    causes: Vec<(Failure, String, usize)>,
}

impl Unread {
    pub(crate) fn new(what: &'static str, alone: fn(&Failure) -> bool) -> Self {
        Self { what, alone, causes: Vec::new() }
    }

    /// What was read of this id, or none where it is one of the unread.
    ///
    /// # Errors
    /// What every other id would meet as well.
    pub(crate) fn or_told<T>(&mut self, id: &str, read: Result<T, Failure>) -> Result<Option<T>, Failure> {
        let failure = match read {
            Ok(read) => return Ok(Some(read)),
            Err(failure) if (self.alone)(&failure) => failure,
            Err(failure) => return Err(failure),
        };
        match self.causes.iter_mut().find(|(known, ..)| *known == failure) {
            Some((_, _, count)) => *count += 1,
            None => self.causes.push((failure, id.to_owned(), 1)),
        }
        Ok(None)
    }

    /// Adds the findings to the page.
    pub(crate) fn tell(self, page: &mut Page) {
        for (failure, id, count) in self.causes {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            page.findings.push(PageFinding::failed(format!("{} {id}{more}", self.what), &failure));
        }
    }
}
