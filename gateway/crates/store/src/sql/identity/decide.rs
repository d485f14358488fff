//! What people decided.

use std::collections::BTreeMap;

use renmen_schema::id::TenantId;

use super::batch::{Field, Rows, of_numbers};
use super::begin;
use super::pending::wait;
use crate::rows::Columns;
use crate::sql::{ColumnOf, Session, expect_number, moving, values};
use crate::{DecisionCommit, DecisionKept, DecisionRow, StoreError, Undone, limits};

const DECISION: &str =
    "SELECT seq, call, act, kind, a, b, who, why, at_ms, undone_ms, undone_by, undone_why FROM identity_decision";

const SAME: i64 = 1;
const NEVER: i64 = 2;

fn decision(row: &dyn Columns) -> Result<DecisionRow, StoreError> {
    let undone = match row.int_or_none(9)? {
        None => None,
        Some(at_ms) => Some(Undone {
            at_ms,
            who: row.text_or_none(10)?.unwrap_or_default(),
            why: row.text_or_none(11)?.unwrap_or_default(),
        }),
    };
    Ok(DecisionRow {
        seq: row.int(0)?,
        call: row.int(1)?,
        act: row.text(2)?,
        same: row.int(3)? == SAME,
        a: row.int(4)?,
        b: row.int(5)?,
        who: row.text(6)?,
        why: row.text(7)?,
        at_ms: row.int(8)?,
        undone,
    })
}

/// The decisions about these records that were not taken back.
pub(super) async fn in_force(
    session: &impl Session,
    tenant: &TenantId,
    records: &[i64],
) -> Result<Vec<DecisionRow>, StoreError> {
    let mut found = about(session, tenant, records).await?;
    found.retain(|decision| decision.undone.is_none());
    Ok(found)
}

async fn about(session: &impl Session, tenant: &TenantId, records: &[i64]) -> Result<Vec<DecisionRow>, StoreError> {
    // Two look-ups, each by an index of its own.
    let by = |column: char| session.dialect().by_index(&format!("identity_decision_{column}"));
    let sql = format!("{DECISION}{} WHERE tenant = $1 AND a IN ({{numbers}})", by('a'));
    let mut found: BTreeMap<i64, DecisionRow> = BTreeMap::new();
    let one = of_numbers(session, &sql, tenant, records, decision).await?;
    let sql = format!("{DECISION}{} WHERE tenant = $1 AND b IN ({{numbers}})", by('b'));
    let other = of_numbers(session, &sql, tenant, records, decision).await?;
    found.extend(one.into_iter().chain(other).map(|decision| (decision.seq, decision)));
    Ok(found.into_values().collect())
}

pub(crate) async fn list(
    session: &impl Session,
    tenant: &TenantId,
    records: Option<&[i64]>,
    after: i64,
    limit: u32,
) -> Result<Vec<DecisionRow>, StoreError> {
    let limit = limits::list_limit(limit);
    if let Some(records) = records {
        let mut found = about(session, tenant, records).await?;
        found.retain(|decision| decision.seq > after);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        return Ok(found);
    }
    let sql = format!("{DECISION} WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    session.all(&sql, values![tenant, after, limit], decision).await
}

pub(crate) async fn put(session: &impl Session, commit: &DecisionCommit) -> Result<DecisionKept, StoreError> {
    let tenant = &commit.tenant;
    begin(session, tenant).await?;
    // From here on no other decision of the tenant is taken in until the transaction ends.
    let sql = "UPDATE identity_state SET version = version + 1, decisions = decisions + $2 WHERE tenant = $1 RETURNING decisions";
    let last = expect_number(session, sql, values![tenant, commit.pairs.len()]).await?;
    if let Some(call) = repeated(session, commit).await? {
        return Ok(DecisionKept { call, repeated: true });
    }
    let call = last - i64::try_from(commit.pairs.len()).unwrap_or(0) + 1;
    let kind = if commit.same { SAME } else { NEVER };
    let rows = Rows::of((call..).zip(&commit.pairs).map(|(seq, (a, b))| [seq, *a, *b].map(Field::Int)));
    let sql = format!(
        "INSERT INTO identity_decision (tenant, seq, call, act, kind, a, b, who, why, request, at_ms)
         SELECT CAST($1 AS text), x.c0, CAST($3 AS bigint), CAST($4 AS text), CAST($5 AS bigint), x.c1, x.c2, CAST($6 AS text),
         CAST($7 AS text), CAST($8 AS text), CAST($9 AS bigint) FROM ({}) x",
        session.dialect().rows_of("$2", &[ColumnOf::Int; 3])
    );
    let values =
        values![tenant, rows.text(), call, commit.act, kind, &commit.who, &commit.why, &commit.request, commit.now_ms];
    session.run(&sql, values).await?;
    wait(session, tenant, commit.pairs.iter().flat_map(|(a, b)| [*a, *b]), commit.now_ms).await?;
    Ok(DecisionKept { call, repeated: false })
}

/// The call that this one repeats.
async fn repeated(session: &impl Session, commit: &DecisionCommit) -> Result<Option<i64>, StoreError> {
    if commit.request.is_empty() {
        return Ok(None);
    }
    let sql = format!("{DECISION} WHERE tenant = $1 AND request = $2 ORDER BY seq");
    let before = session.all(&sql, values![&commit.tenant, &commit.request], decision).await?;
    let Some(first) = before.first() else { return Ok(None) };
    let pairs: Vec<(i64, i64)> = before.iter().map(|decision| (decision.a, decision.b)).collect();
    if first.act == commit.act && pairs == commit.pairs {
        return Ok(Some(first.call));
    }
    Err(StoreError::BadInput("another decision came under this name before: name this one otherwise".into()))
}

pub(crate) async fn undo(
    session: &impl Session,
    tenant: &TenantId,
    call: i64,
    undone: &Undone,
) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "UPDATE identity_state SET version = version + 1 WHERE tenant = $1";
    session.run(sql, values![tenant]).await?;
    let sql = "UPDATE identity_decision SET undone_ms = $3, undone_by = $4, undone_why = $5
               WHERE tenant = $1 AND call = $2 AND undone_ms IS NULL";
    if session.run(sql, values![tenant, call, undone.at_ms, &undone.who, &undone.why]).await? == 0 {
        return Ok(false);
    }
    let sql = "SELECT a, b FROM identity_decision WHERE tenant = $1 AND call = $2";
    let pairs = session.all(sql, values![tenant, call], |row| Ok([row.int(0)?, row.int(1)?])).await?;
    wait(session, tenant, pairs.into_iter().flatten(), undone.at_ms).await?;
    Ok(true)
}
