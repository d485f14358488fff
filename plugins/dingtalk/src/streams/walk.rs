//! The walk over the department tree. The vendor lists the children of one department at a time, so the cursor carries the
//! departments still to be looked into; the newest found first, so that few wait, and a bounded number a page.

use renmen_plugin::http::Response;
use renmen_plugin::{Failure, FailureKind, Page, PageFinding};
use serde::{Deserialize, Serialize};

use crate::api::accept_old;

/// Departments looked into with one page: so many requests go at once.
const BATCH: usize = 20;

/// The most departments that a cursor carries.
const PENDING_MAX: usize = 4_000;

/// Is a department one of the company's own?
pub(super) fn is_of_company(department: i64) -> bool {
    department > 0
}

/// Does a failure say nothing of the other departments? Without a code it is the shape of one answer.
fn is_of_one_alone(failure: &Failure) -> bool {
    match failure.code.as_deref() {
        Some(code) => matches!(code, "60003" | "50004"),
        None => failure.kind == FailureKind::UpstreamChanged,
    }
}

/// Where the walk is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    /// Departments to look into.
    pending: Vec<i64>,
    /// Departments whose members go on: id and the vendor's cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<(i64, i64)>,
    #[serde(skip)]
    root: i64,
}

impl Walk {
    /// Goes on at the cursor, or begins at the root.
    pub(super) fn resume(cursor: Option<&str>, root: i64) -> Result<Self, Failure> {
        let walk = match cursor {
            None => Self { pending: vec![root], ..Self::default() },
            Some(text) => {
                serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))?
            }
        };
        Ok(Self { root, ..walk })
    }

    /// The departments of this page, at most `most`.
    pub(super) fn take(&mut self, most: usize) -> Vec<i64> {
        self.pending.split_off(self.pending.len().saturating_sub(most.min(BATCH)))
    }

    /// The member lists that go on with this page, at most `most`.
    pub(super) fn take_open(&mut self, most: usize) -> Vec<(i64, i64)> {
        let rest = self.open.split_off(self.open.len().min(most.min(BATCH)));
        std::mem::replace(&mut self.open, rest)
    }

    /// The members of a department go on there.
    pub(super) fn goes_on(&mut self, department: i64, cursor: i64) {
        self.open.push((department, cursor));
    }

    /// What is made of the answer about one department. None, and a finding, when just this one cannot be read: the vendor lists it
    /// and refuses it, as 60003 (部门不存在) or 50004 (请求的部门id不在授权范围内), or answers it in an unknown shape. The others come in,
    /// and the gateway calls nothing gone.
    ///
    /// # Errors
    /// The root cannot be read, or what every other department would meet as well.
    pub(super) fn part<T>(
        &self,
        page: &mut Page,
        department: i64,
        answer: Result<Response, Failure>,
        read: impl FnOnce(&mut Page, &Response) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let (records, rejects) = (page.records.len(), page.rejects.len());
        let failure = match answer.and_then(accept_old).and_then(|response| read(page, &response)) {
            Ok(made) => return Ok(Some(made)),
            Err(failure) => failure,
        };
        if !is_of_one_alone(&failure) || department == self.root {
            return Err(failure);
        }
        page.records.truncate(records);
        page.rejects.truncate(rejects);
        page.findings.push(PageFinding::failed(format!("department {department}"), &failure));
        Ok(None)
    }

    /// Departments found below those. The home-school contacts (家校通讯录) stand in the tree with an id below zero; they are not
    /// part of the company, and the vendor refuses to list what is in them.
    pub(super) fn add(&mut self, found: impl IntoIterator<Item = i64>) -> Result<(), Failure> {
        let (company, other): (Vec<i64>, Vec<i64>) = found.into_iter().partition(|&id| is_of_company(id));
        if !other.is_empty() {
            renmen_plugin::info!(
                "departments with an id below zero are left out: {} (home-school contacts, 家校通讯录)",
                other.len()
            );
        }
        self.pending.extend(company);
        if self.pending.len() > PENDING_MAX {
            return Err(Failure::upstream_changed(format!("more than {PENDING_MAX} departments wait to be read")));
        }
        Ok(())
    }

    /// The page with its cursor; the last one when the tree is done. A walk lists everything; what it could not read it has told
    /// as findings.
    pub(super) fn finish(&self, page: Page) -> Result<Page, Failure> {
        let page = page.everything();
        if self.pending.is_empty() && self.open.is_empty() {
            return Ok(page);
        }
        Ok(page.more(serde_json::to_string(self)?))
    }
}
