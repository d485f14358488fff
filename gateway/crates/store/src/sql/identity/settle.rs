//! What was found, written as the difference to what is kept.

use renmen_schema::id::TenantId;

use super::batch::{Field, Rows};
use super::{end_pass, fence, fence_pass};
use crate::sql::{ColumnOf, Session, number_list, values};
use crate::{IdentityPass, SettledCommit, StoreError, WornRow};

use ColumnOf::{Bytes, Int, Text};

pub(crate) async fn put(session: &impl Session, commit: &SettledCommit) -> Result<i64, StoreError> {
    let tenant = &commit.tenant;
    let version = match (&commit.pass, commit.version) {
        (Some(pass), _) => fence_pass(session, tenant, pass).await?,
        (None, Some(version)) => fence(session, tenant, version).await?,
        (None, None) => return Err(StoreError::BadInput("what was found names neither a version nor a pass".into())),
    };
    put_members(session, commit).await?;
    put_links(session, commit).await?;
    put_proposals(session, commit).await?;
    put_conflicts(session, commit).await?;
    put_worn(session, tenant, &commit.worn_gone, &commit.worn).await?;
    if !commit.done.is_empty() {
        let numbers = session.dialect().numbers("$2");
        let sql = format!("DELETE FROM identity_pending WHERE tenant = $1 AND record IN ({numbers})");
        session.run(&sql, values![tenant, number_list(commit.done.iter().copied())]).await?;
    }
    Ok(version)
}

/// Runs a statement on rows, which are its second value; nothing where there are none.
async fn on_rows(
    session: &impl Session,
    sql: &str,
    tenant: &TenantId,
    kinds: &[ColumnOf],
    rows: &Rows,
) -> Result<u64, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = sql.replace("{rows}", &session.dialect().rows_of("$2", kinds));
    session.run(&sql, values![tenant, rows.text()]).await
}

async fn put_members(session: &impl Session, commit: &SettledCommit) -> Result<(), StoreError> {
    let tenant = &commit.tenant;
    if !commit.gone.is_empty() {
        let numbers = session.dialect().numbers("$2");
        let sql = format!("DELETE FROM identity_member WHERE tenant = $1 AND record IN ({numbers})");
        session.run(&sql, values![tenant, number_list(commit.gone.iter().copied())]).await?;
    }
    let rows = Rows::of(
        commit
            .members
            .iter()
            .map(|row| [row.record, row.identity, i64::from(row.too_large), row.since_ms].map(Field::Int)),
    );
    // What it is, its facts say.
    let sql = "INSERT INTO identity_member (tenant, record, identity, kind, too_large, since_ms)
               SELECT f.tenant, x.c0, x.c1, f.kind, x.c2, x.c3 FROM ({rows}) x CROSS JOIN identity_fact f
               WHERE f.tenant = $1 AND f.record = x.c0
               ON CONFLICT (tenant, record) DO UPDATE SET identity = excluded.identity, kind = excluded.kind,
               too_large = excluded.too_large, since_ms = excluded.since_ms";
    on_rows(session, sql, tenant, &[Int; 4], &rows).await.map(drop)
}

async fn put_links(session: &impl Session, commit: &SettledCommit) -> Result<(), StoreError> {
    let tenant = &commit.tenant;
    let gone = Rows::of(commit.unlinked.iter().map(|(a, b)| [Field::Int(*a), Field::Int(*b)]));
    if !gone.is_empty() {
        let sql = format!(
            "INSERT INTO identity_past_link (tenant, a, b, until_ms, since_ms, grounds)
             SELECT l.tenant, l.a, l.b, CAST($3 AS bigint), l.since_ms, l.grounds FROM ({}) x CROSS JOIN identity_link l
             WHERE l.tenant = $1 AND l.a = x.c0 AND l.b = x.c1 ON CONFLICT DO NOTHING",
            session.dialect().rows_of("$2", &[Int; 2])
        );
        session.run(&sql, values![tenant, gone.text(), commit.now_ms]).await?;
    }
    let delete =
        "DELETE FROM identity_link WHERE (tenant, a, b) IN (SELECT CAST($1 AS text), x.c0, x.c1 FROM ({rows}) x)";
    let mut before = on_rows(session, delete, tenant, &[Int; 2], &gone).await?;
    let again = Rows::of(commit.links.iter().map(|link| [Field::Int(link.a), Field::Int(link.b)]));
    before += on_rows(session, delete, tenant, &[Int; 2], &again).await?;
    let rows =
        Rows::of(commit.links.iter().map(|link| {
            [Field::Int(link.a), Field::Int(link.b), Field::Bytes(&link.grounds), Field::Int(link.since_ms)]
        }));
    let sql = "INSERT INTO identity_link (tenant, a, b, grounds, since_ms)
               SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3 FROM ({rows}) x";
    let now = on_rows(session, sql, tenant, &[Int, Int, Bytes, Int], &rows).await?;
    if before != now {
        let sql = "UPDATE identity_state SET links = links + $2 - $3 WHERE tenant = $1";
        session.run(sql, values![tenant, now, before]).await?;
    }
    Ok(())
}

async fn put_proposals(session: &impl Session, commit: &SettledCommit) -> Result<(), StoreError> {
    let gone = Rows::of(commit.proposals_gone.iter().map(|(one, other)| [Field::Int(*one), Field::Int(*other)]));
    let sql = "DELETE FROM identity_proposal WHERE (tenant, one, other) IN
               (SELECT CAST($1 AS text), x.c0, x.c1 FROM ({rows}) x)";
    on_rows(session, sql, &commit.tenant, &[Int; 2], &gone).await?;
    let rows = Rows::of(commit.proposals.iter().map(|row| {
        let [one, other, a, b] = [row.one, row.other, row.a, row.b].map(Field::Int);
        [one, other, a, b, Field::Bytes(&row.grounds), Field::Int(row.since_ms)]
    }));
    let sql = "INSERT INTO identity_proposal (tenant, one, other, a, b, grounds, since_ms)
               SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3, x.c4, x.c5 FROM ({rows}) x WHERE true
               ON CONFLICT (tenant, one, other) DO UPDATE SET a = excluded.a, b = excluded.b, grounds = excluded.grounds,
               since_ms = excluded.since_ms";
    on_rows(session, sql, &commit.tenant, &[Int, Int, Int, Int, Bytes, Int], &rows).await.map(drop)
}

async fn put_conflicts(session: &impl Session, commit: &SettledCommit) -> Result<(), StoreError> {
    let gone = Rows::of(commit.conflicts_gone.iter().map(|(a, b, no)| [*a, *b, *no].map(Field::Int)));
    let sql = "DELETE FROM identity_conflict WHERE (tenant, a, b, no) IN
               (SELECT CAST($1 AS text), x.c0, x.c1, x.c2 FROM ({rows}) x)";
    on_rows(session, sql, &commit.tenant, &[Int; 3], &gone).await?;
    let rows = Rows::of(commit.conflicts.iter().map(|row| {
        let [a, b, no] = [row.a, row.b, row.no].map(Field::Int);
        [a, b, no, Field::Bytes(&row.grounds), Field::Bytes(&row.obstacle), Field::Int(row.since_ms)]
    }));
    let sql = "INSERT INTO identity_conflict (tenant, a, b, no, grounds, obstacle, since_ms)
               SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3, x.c4, x.c5 FROM ({rows}) x WHERE true
               ON CONFLICT (tenant, a, b, no) DO UPDATE SET grounds = excluded.grounds, obstacle = excluded.obstacle,
               since_ms = excluded.since_ms";
    on_rows(session, sql, &commit.tenant, &[Int, Int, Int, Bytes, Bytes, Int], &rows).await.map(drop)
}

async fn put_worn(session: &impl Session, tenant: &TenantId, gone: &[i64], worn: &[WornRow]) -> Result<(), StoreError> {
    if !gone.is_empty() {
        let numbers = session.dialect().numbers("$2");
        let sql = format!("DELETE FROM identity_worn WHERE tenant = $1 AND digest IN ({numbers})");
        session.run(&sql, values![tenant, number_list(gone.iter().copied())]).await?;
    }
    let rows = Rows::of(worn.iter().map(|row| {
        [Field::Int(row.digest), Field::Text(&row.rule), Field::Int(row.holders), Field::Int(row.since_ms)]
    }));
    let sql = "INSERT INTO identity_worn (tenant, digest, rule, holders, since_ms)
               SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3 FROM ({rows}) x WHERE true
               ON CONFLICT (tenant, digest) DO UPDATE SET rule = excluded.rule, holders = excluded.holders";
    on_rows(session, sql, tenant, &[Int, Text, Int, Int], &rows).await.map(drop)
}

/// Ends a pass: what it says of values that are worn out takes the place of all that is kept of them.
pub(crate) async fn end(
    session: &impl Session,
    tenant: &TenantId,
    pass: &IdentityPass,
    (rules, worn): (&str, &[WornRow]),
    now_ms: i64,
) -> Result<i64, StoreError> {
    let version = end_pass(session, tenant, pass, rules, now_ms).await?;
    let numbers = session.dialect().numbers("$2");
    let sql = format!("DELETE FROM identity_worn WHERE tenant = $1 AND digest NOT IN ({numbers})");
    session.run(&sql, values![tenant, number_list(worn.iter().map(|row| row.digest))]).await?;
    put_worn(session, tenant, &[], worn).await?;
    Ok(version)
}
