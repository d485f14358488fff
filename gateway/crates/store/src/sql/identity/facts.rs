//! What of each record counts: read from bodies, kept as keyed hashes.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::id::{ConnectionName, TenantId};

use super::batch::{Field, Rows};
use super::{fence, fence_pass};
use crate::rows::Columns;
use crate::sql::{ColumnOf, Session, number_list, values};
use crate::{ApplicationRow, FactRow, FactsCommit, ReadUpTo, StoreError, SubjectBody, Subjects, limits};

const WHOSE: [ColumnOf; 3] = [ColumnOf::Text, ColumnOf::Text, ColumnOf::Text];

/// Columns: record, entity, connection, external_id, body.
fn subject(row: &dyn Columns) -> Result<SubjectBody, StoreError> {
    let connection = ConnectionName::new(&row.text(2)?);
    let connection = connection.map_err(|_| StoreError::Fault("the database names a connection wrongly".into()))?;
    Ok(SubjectBody {
        record: row.int(0)?,
        entity: row.text(1)?,
        connection,
        external_id: row.text(3)?,
        body: row.bytes_or_none(4)?,
    })
}

const SUBJECT: &str = "SELECT r.id, s.entity, s.connection, r.external_id, CASE WHEN r.deleted IS NULL THEN r.body END";

pub(crate) async fn changes(
    session: &impl Session,
    tenant: &TenantId,
    after: i64,
    entities: &[String],
    limit: u32,
) -> Result<Subjects, StoreError> {
    let sql = "SELECT c.seq, c.at_ms, c.record, s.entity FROM feed f JOIN change c ON c.feed = f.id JOIN scope s ON s.id = c.scope
               WHERE f.tenant = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3";
    let change = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.int(2)?, row.text(3)?));
    let changes = session.all(sql, values![tenant, after, limits::list_limit(limit)], change).await?;
    let (to, since_ms) = (changes.last().map(|change| change.0), changes.first().map(|change| change.1));
    let wanted = changes.iter().filter(|change| entities.contains(&change.3));
    let wanted: BTreeSet<i64> = wanted.map(|change| change.2).collect();
    let mut records = Vec::new();
    if !wanted.is_empty() {
        let numbers = session.dialect().numbers("$1");
        let sql = format!("{SUBJECT} FROM record r JOIN scope s ON s.id = r.scope WHERE r.id IN ({numbers})");
        records = session.all(&sql, values![number_list(wanted)], subject).await?;
    }
    Ok(Subjects { records, to, since_ms })
}

/// By row, which is the order of the table: scopes that are not wanted are passed over.
pub(crate) async fn all(
    session: &impl Session,
    tenant: &TenantId,
    after: i64,
    entities: &[String],
    limit: u32,
) -> Result<Subjects, StoreError> {
    let sql = "SELECT max(id) FROM (SELECT id FROM record WHERE id > $1 ORDER BY id LIMIT $2) x";
    let to = session.one(sql, values![after, i64::from(limit.max(1))], |row| row.int_or_none(0)).await?.flatten();
    let Some(to) = to else { return Ok(Subjects { records: Vec::new(), to: None, since_ms: None }) };
    let sql = "SELECT id FROM scope WHERE tenant = $1 AND entity IN (SELECT x.c0 FROM ({rows}) x)";
    let sql = sql.replace("{rows}", &session.dialect().rows_of("$2", &[ColumnOf::Text]));
    let names = Rows::of(entities.iter().map(|entity| [Field::Text(entity)]));
    let scopes = session.all(&sql, values![tenant, names.text()], |row| row.int(0)).await?;
    let numbers = session.dialect().numbers("$1");
    // The sign keeps the index by scope away, which would bring each piece in another order.
    let sql = format!(
        "{SUBJECT} FROM record r CROSS JOIN scope s WHERE s.id = r.scope
         AND r.id > $2 AND r.id <= $3 AND r.deleted IS NULL AND +r.scope IN ({numbers}) ORDER BY r.id"
    );
    let records = session.all(&sql, values![number_list(scopes), after, to], subject).await?;
    Ok(Subjects { records, to: Some(to), since_ms: None })
}

pub(crate) async fn named(
    session: &impl Session,
    tenant: &TenantId,
    names: &[(String, String, String)],
) -> Result<Subjects, StoreError> {
    let sql = format!(
        "{SUBJECT} FROM ({}) x CROSS JOIN scope s CROSS JOIN record r
         WHERE s.tenant = $1 AND s.connection = x.c0 AND s.entity = x.c1 AND r.scope = s.id AND r.external_id = x.c2
         AND r.deleted IS NULL",
        session.dialect().rows_of("$2", &WHOSE)
    );
    let records = session.all(&sql, values![tenant, whose(names).text()], subject).await?;
    Ok(Subjects { records, to: None, since_ms: None })
}

fn whose(names: &[(String, String, String)]) -> Rows {
    Rows::of(names.iter().map(|(connection, entity, id)| [connection, entity, id].map(|text| Field::Text(text))))
}

fn application(row: &dyn Columns) -> Result<ApplicationRow, StoreError> {
    Ok(ApplicationRow {
        record: row.int(0)?,
        whose: (row.text(1)?, row.text(2)?, row.text(3)?),
        application: (row.text(4)?, row.text(5)?),
    })
}

pub(crate) async fn applications(
    session: &impl Session,
    tenant: &TenantId,
    records: &[i64],
    of: &[(String, String, String)],
) -> Result<Vec<ApplicationRow>, StoreError> {
    const SELECT: &str = "SELECT p.record, p.connection, p.entity, p.external_id, p.of_connection, p.application FROM identity_application p";
    let mut found = BTreeMap::new();
    if !records.is_empty() {
        let sql = format!("{SELECT} WHERE p.tenant = $1 AND p.record IN ({})", session.dialect().numbers("$2"));
        let told = session.all(&sql, values![tenant, number_list(records.iter().copied())], application).await?;
        found.extend(told.into_iter().map(|row| (row.record, row)));
    }
    if !of.is_empty() {
        let sql = format!(
            "{SELECT} WHERE p.tenant = $1 AND (p.connection, p.entity, p.external_id) IN (SELECT x.c0, x.c1, x.c2 FROM ({}) x)",
            session.dialect().rows_of("$2", &WHOSE)
        );
        let told = session.all(&sql, values![tenant, whose(of).text()], application).await?;
        found.extend(told.into_iter().map(|row| (row.record, row)));
    }
    Ok(found.into_values().collect())
}

pub(super) const FACT: &str = "SELECT record, kind, place, name, facts FROM identity_fact";

pub(super) fn fact(row: &dyn Columns) -> Result<FactRow, StoreError> {
    Ok(FactRow { record: row.int(0)?, kind: row.int(1)?, place: row.int(2)?, name: row.int(3)?, facts: row.bytes(4)? })
}

pub(crate) async fn after(
    session: &impl Session,
    tenant: &TenantId,
    after: i64,
    limit: u32,
) -> Result<Vec<FactRow>, StoreError> {
    let sql = format!("{FACT} WHERE tenant = $1 AND record > $2 ORDER BY record LIMIT $3");
    session.all(&sql, values![tenant, after, i64::from(limit)], fact).await
}

pub(crate) async fn put(session: &impl Session, commit: &FactsCommit) -> Result<i64, StoreError> {
    let tenant = &commit.tenant;
    let version = match &commit.read {
        ReadUpTo::Feed(to) => {
            let version = fence(session, tenant, commit.version).await?;
            let sql = "UPDATE identity_state SET followed = $2 WHERE tenant = $1";
            session.run(sql, values![tenant, *to]).await?;
            wait(session, commit).await?;
            version
        }
        ReadUpTo::Pass(pass) => {
            let version = fence_pass(session, tenant, pass).await?;
            let sql = "UPDATE identity_state SET pass_after = $2 WHERE tenant = $1";
            session.run(sql, values![tenant, pass.after]).await?;
            version
        }
    };
    put_keys(session, commit).await?;
    put_rows(session, commit).await?;
    put_applications(session, commit).await?;
    Ok(version)
}

/// Records with other facts than before wait to be settled, with the keys that they had.
async fn wait(session: &impl Session, commit: &FactsCommit) -> Result<(), StoreError> {
    let keys = commit.facts.iter().flat_map(|write| {
        let keys = write.before.iter().copied().chain([super::pending::ITSELF]);
        keys.map(|(digest, rule)| [Field::Int(write.record), Field::Int(digest), Field::Int(rule)])
    });
    super::pending::put(session, &commit.tenant, &Rows::of(keys), commit.now_ms).await
}

async fn put_keys(session: &impl Session, commit: &FactsCommit) -> Result<(), StoreError> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for write in &commit.facts {
        let before: BTreeSet<i64> = write.before.iter().map(|(digest, _)| *digest).collect();
        let now: BTreeSet<i64> = write.keys.iter().copied().collect();
        let row = |digest: &i64| [Field::Int(*digest), Field::Int(write.record)];
        gone.extend(before.difference(&now).map(row));
        new.extend(now.difference(&before).map(row));
    }
    let rows = session.dialect().rows_of("$2", &[ColumnOf::Int, ColumnOf::Int]);
    let (gone, new) = (Rows::of(gone), Rows::of(new));
    if !gone.is_empty() {
        let sql = format!(
            "DELETE FROM identity_key WHERE (tenant, digest, record) IN (SELECT CAST($1 AS text), x.c0, x.c1 FROM ({rows}) x)"
        );
        session.run(&sql, values![&commit.tenant, gone.text()]).await?;
    }
    if !new.is_empty() {
        // In the order of the table: a piece of a tree at a time.
        let sql = format!(
            "INSERT INTO identity_key (tenant, digest, record) SELECT CAST($1 AS text), x.c0, x.c1 FROM ({rows}) x
             WHERE true ORDER BY x.c0 ON CONFLICT DO NOTHING"
        );
        session.run(&sql, values![&commit.tenant, new.text()]).await?;
    }
    Ok(())
}

async fn put_rows(session: &impl Session, commit: &FactsCommit) -> Result<(), StoreError> {
    let gone: Vec<i64> = commit.facts.iter().filter(|write| write.now.is_none()).map(|write| write.record).collect();
    if !gone.is_empty() {
        let sql =
            format!("DELETE FROM identity_fact WHERE tenant = $1 AND record IN ({})", session.dialect().numbers("$2"));
        session.run(&sql, values![&commit.tenant, number_list(gone)]).await?;
    }
    let rows = Rows::of(commit.facts.iter().filter_map(|write| write.now.as_ref()).map(|row| {
        let numbers = [row.record, row.kind, row.place, row.name].map(Field::Int);
        let [record, kind, place, name] = numbers;
        [record, kind, place, name, Field::Bytes(&row.facts)]
    }));
    if rows.is_empty() {
        return Ok(());
    }
    let kinds = [ColumnOf::Int, ColumnOf::Int, ColumnOf::Int, ColumnOf::Int, ColumnOf::Bytes];
    let sql = format!(
        "INSERT INTO identity_fact (tenant, record, kind, place, name, facts)
         SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3, x.c4 FROM ({}) x WHERE true
         ON CONFLICT (tenant, record) DO UPDATE SET kind = excluded.kind, place = excluded.place, name = excluded.name,
         facts = excluded.facts",
        session.dialect().rows_of("$2", &kinds)
    );
    session.run(&sql, values![&commit.tenant, rows.text()]).await.map(drop)
}

async fn put_applications(session: &impl Session, commit: &FactsCommit) -> Result<(), StoreError> {
    if commit.applications.is_empty() {
        return Ok(());
    }
    let numbers = session.dialect().numbers("$2");
    let sql = format!("DELETE FROM identity_application WHERE tenant = $1 AND record IN ({numbers})");
    let records = number_list(commit.applications.iter().map(|(record, _)| *record));
    session.run(&sql, values![&commit.tenant, records]).await?;
    let rows = Rows::of(commit.applications.iter().filter_map(|(_, row)| row.as_ref()).map(|row| {
        let (whose, application) = (&row.whose, &row.application);
        let texts = [&whose.0, &whose.1, &whose.2, &application.0, &application.1];
        let [a, b, c, d, e] = texts.map(|text| Field::Text(text));
        [Field::Int(row.record), a, b, c, d, e]
    }));
    let kinds = [ColumnOf::Int, ColumnOf::Text, ColumnOf::Text, ColumnOf::Text, ColumnOf::Text, ColumnOf::Text];
    let sql = format!(
        "INSERT INTO identity_application (tenant, record, connection, entity, external_id, of_connection, application)
         SELECT CAST($1 AS text), x.c0, x.c1, x.c2, x.c3, x.c4, x.c5 FROM ({}) x WHERE true ON CONFLICT DO NOTHING",
        session.dialect().rows_of("$2", &kinds)
    );
    session.run(&sql, values![&commit.tenant, rows.text()]).await.map(drop)
}
