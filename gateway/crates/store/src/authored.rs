//! Authored records: the rules that both backends share, without a statement.

use std::collections::HashSet;

use renmen_schema::id::{ConnectionName, RecordId};

use crate::limits::check_record;
use crate::{
    AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, Content, NewRun, Parent, PluginRef, RecordWrite, RunTrigger,
    StoreError, StreamKey, TimerWrite,
};

/// Bytes of a timer's name.
const TIMER_NAME_BYTES_MAX: usize = 1_200;

/// A record of a commit as it stands in it.
pub(crate) struct Written {
    pub(crate) row: i64,
    pub(crate) id: RecordId,
    pub(crate) revision: i64,
    /// Did this commit make the revision?
    pub(crate) fresh: bool,
}

impl Written {
    /// Another commit was the answer to the same request.
    pub(crate) fn answered_already() -> StoreError {
        StoreError::Fenced("the request was answered already".into())
    }
}

/// Refuses what no backend could keep; gives the records as a page would bring them.
pub(crate) fn check(commit: &AuthoredCommit) -> Result<Vec<RecordWrite>, StoreError> {
    let mut seen = HashSet::new();
    for (at, record) in commit.records.iter().enumerate() {
        if !seen.insert((&record.entity, &record.external_id)) {
            return Err(StoreError::BadInput(format!("record {at} of the commit has the id of an earlier one")));
        }
    }
    for timer in &commit.timers {
        let (TimerWrite::Set { name, .. } | TimerWrite::Clear { name } | TimerWrite::Done { name, .. }) = timer;
        if name.is_empty() || name.len() > TIMER_NAME_BYTES_MAX || name.contains('\0') {
            return Err(StoreError::BadInput(format!(
                "a timer's name has {} bytes; use 1 to {TIMER_NAME_BYTES_MAX} without NUL",
                name.len()
            )));
        }
    }
    let writes: Vec<RecordWrite> = commit.records.iter().map(|record| write_of(record, commit.now_ms)).collect();
    writes.iter().enumerate().try_for_each(|(at, write)| check_record(at, write))?;
    Ok(writes)
}

fn write_of(record: &AuthoredRecord, now_ms: i64) -> RecordWrite {
    RecordWrite {
        external_id: record.external_id.clone(),
        content: match record.deleted {
            None => Content::of(record.entity.as_str(), record.body.clone()),
            Some(_) => Content::gone(record.entity.as_str()),
        },
        updated_at_ms: Some(now_ms),
        exchange_no: 0,
        pointer: String::new(),
        deleted: record.deleted,
    }
}

/// The stream of the built-in connection, with the code that writes it.
pub(crate) fn stream_of(commit: &AuthoredCommit) -> Result<NewRun, StoreError> {
    let connection = ConnectionName::new(BUILT_IN_CONNECTION)
        .map_err(|_| StoreError::Fault("the built-in connection has no name".into()))?;
    Ok(NewRun {
        key: StreamKey { tenant: commit.tenant.clone(), connection, stream: commit.stream.clone() },
        plugin: PluginRef {
            name: BUILT_IN_CONNECTION.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            digest: "built-in".into(),
        },
        trigger: RunTrigger::BuiltIn,
        now_ms: commit.now_ms,
        lease_ms: 0,
    })
}

/// Compares a follower's place with what it says; gives the place to keep.
pub(crate) fn step(cursor: Option<&str>, commit: &AuthoredCommit) -> Result<Option<String>, StoreError> {
    let Some(follow) = commit.follow else { return Ok(cursor.map(str::to_owned)) };
    let stands = cursor.map_or(Ok(0), str::parse::<i64>);
    let stands = stands.map_err(|_| StoreError::Fault("a follower's cursor is not a position of the feed".into()))?;
    if stands != follow.from {
        return Err(StoreError::Fenced(format!(
            "the follower `{}` stands at {stands}, not at {}: another gateway went on",
            commit.stream, follow.from
        )));
    }
    Ok(Some(follow.to.to_string()))
}

/// Refuses a record that was changed since it was read.
pub(crate) fn expect(record: &AuthoredRecord, found: Option<i64>) -> Result<(), StoreError> {
    let found = found.unwrap_or(0);
    match record.expect {
        Some(wanted) if wanted != found => {
            Err(StoreError::Fenced(format!("a {} is at revision {found}, not {wanted}", record.entity)))
        }
        _ => Ok(()),
    }
}

/// A parent as one text: its parts cannot hold the separator (names are checked) except the last.
pub(crate) fn parent_text(parent: &Parent) -> String {
    format!("{}/{}/{}", parent.connection, parent.entity, parent.external_id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::id::{StreamName, TenantId};

    use super::*;
    use crate::Follow;

    fn commit() -> AuthoredCommit {
        AuthoredCommit::of(TenantId::new("acme").unwrap(), StreamName::new("decisions").unwrap(), 7)
    }

    #[test]
    fn a_follower_goes_on_from_where_it_stands_and_from_nowhere_else() {
        let at = |from, to| AuthoredCommit { follow: Some(Follow { from, to }), ..commit() };
        assert_eq!(step(None, &at(0, 5)).unwrap().as_deref(), Some("5"));
        assert_eq!(step(Some("5"), &at(5, 9)).unwrap().as_deref(), Some("9"));
        assert!(matches!(step(Some("6"), &at(5, 9)), Err(StoreError::Fenced(_))));
        assert_eq!(step(Some("6"), &commit()).unwrap().as_deref(), Some("6"));
    }

    #[test]
    fn two_records_with_one_id_and_a_timer_without_a_name_are_refused() {
        let record = AuthoredRecord {
            entity: "decision".into(),
            external_id: "1".into(),
            body: b"{}".to_vec(),
            deleted: None,
            causes: Vec::new(),
            expect: None,
            parents: Vec::new(),
        };
        let two = AuthoredCommit { records: vec![record.clone(), record.clone()], ..commit() };
        assert!(matches!(check(&two), Err(StoreError::BadInput(_))));
        assert_eq!(check(&AuthoredCommit { records: vec![record], ..commit() }).unwrap().len(), 1);
        for (name, good) in [("x".repeat(1_200), true), ("x".repeat(1_201), false), (String::new(), false)] {
            let timers = vec![TimerWrite::Clear { name }];
            assert_eq!(check(&AuthoredCommit { timers, ..commit() }).is_ok(), good);
        }
    }
}
