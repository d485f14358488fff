//! The tables' versions: numbered files, applied in order, each in its own transaction.

use rusqlite::{Connection, TransactionBehavior, params};

use super::record_key;
use crate::StoreError;
use crate::identity::IdKey;

/// Never edited once released: a change is another file.
const MIGRATIONS: [&str; 32] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_outbox.sql"),
    include_str!("migrations/0003_author.sql"),
    include_str!("migrations/0004_endpoint.sql"),
    include_str!("migrations/0005_inbox.sql"),
    include_str!("migrations/0006_key.sql"),
    include_str!("migrations/0007_disk_use.sql"),
    include_str!("migrations/0008_link_scope.sql"),
    include_str!("migrations/0009_policy.sql"),
    include_str!("migrations/0010_by_hand.sql"),
    include_str!("migrations/0011_signed.sql"),
    include_str!("migrations/0012_findings.sql"),
    include_str!("migrations/0013_alternate_key.sql"),
    include_str!("migrations/0014_epoch.sql"),
    include_str!("migrations/0015_lease.sql"),
    include_str!("migrations/0016_month_calls.sql"),
    include_str!("migrations/0017_reason_chinese.sql"),
    include_str!("migrations/0018_feed_of_tenant.sql"),
    include_str!("migrations/0019_intake_rows.sql"),
    include_str!("migrations/0020_operator.sql"),
    include_str!("migrations/0021_cluster.sql"),
    include_str!("migrations/0022_registry.sql"),
    include_str!("migrations/0023_vendor_rate.sql"),
    include_str!("migrations/0024_exchange_body.sql"),
    include_str!("migrations/0025_retention.sql"),
    include_str!("migrations/0026_exchange_days.sql"),
    include_str!("migrations/0027_cell_number.sql"),
    include_str!("migrations/0028_tenant_move.sql"),
    include_str!("migrations/0029_identity.sql"),
    include_str!("migrations/0030_insight.sql"),
    include_str!("migrations/0031_key_log.sql"),
    include_str!("migrations/0032_vendor_place.sql"),
];

/// The version that this program reads and writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// The version from which on records are known by alternate keys.
const KEYS: usize = 13;

/// "rnmn": tells our files from other programs' databases.
const APPLICATION_ID: i32 = 0x726e_6d6e;

/// Brings the tables up to this program's version; refuses what is newer or not ours.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version = version(connection)?;
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        if at == 0 {
            transaction
                .execute("INSERT INTO meta (one, id_key) VALUES (1, ?1)", params![IdKey::generate().as_bytes()])?;
        }
        if at + 1 == KEYS {
            record_key::announce_all(&transaction)?;
        }
        transaction
            .execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};", at + 1))?;
        transaction.commit()?;
        tracing::info!(version = at + 1, "Database migrated");
    }
    Ok(())
}

/// Refuses what a reader could not read.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let version = version(connection)?;
    if version < MIGRATIONS.len() {
        return Err(StoreError::Unavailable(format!(
            "the database has version {version}, this program reads {}: start the gateway once, it migrates",
            MIGRATIONS.len()
        )));
    }
    Ok(())
}

/// The key that this database's ids are made with.
pub(super) fn id_key(connection: &Connection) -> Result<IdKey, StoreError> {
    let bytes: Vec<u8> = connection.query_row("SELECT id_key FROM meta", [], |row| row.get(0))?;
    IdKey::from_bytes(&bytes).ok_or_else(|| StoreError::Fault("the database's id key is damaged".into()))
}

fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(StoreError::Fault("this SQLite file belongs to another program: name another file".into()));
    }
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(StoreError::Fault(format!(
            "the database has version {version}, this program knows up to {}: use the newer program that wrote it",
            MIGRATIONS.len()
        )));
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A file as a release with so many migrations left it.
    fn older(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        MIGRATIONS[..version].iter().for_each(|sql| connection.execute_batch(sql).unwrap());
        let marks = format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};
             INSERT INTO meta (one, id_key) VALUES (1, zeroblob(32));"
        );
        connection.execute_batch(&marks).unwrap();
        connection
    }

    #[test]
    fn a_new_file_is_brought_up_and_a_second_time_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(matches!(check(&connection), Err(StoreError::Unavailable(_))));
        migrate(&mut connection).unwrap();
        let key = id_key(&connection).unwrap();
        migrate(&mut connection).unwrap();
        check(&connection).unwrap();
        assert_eq!(key.as_bytes(), id_key(&connection).unwrap().as_bytes());
    }

    #[test]
    fn a_key_of_an_earlier_release_is_an_owners_and_one_that_dev_left_behind_ends() {
        let mut connection = Connection::open_in_memory().unwrap();
        let before = &MIGRATIONS[..5];
        for sql in before {
            connection.execute_batch(sql).unwrap();
        }
        connection
            .execute("INSERT INTO meta (one, id_key) VALUES (1, ?1)", params![IdKey::generate().as_bytes()])
            .unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};
                 INSERT INTO api_key (hash, label, tenant, created_at) VALUES (zeroblob(32), 'erp', 'acme', 5);
                 INSERT INTO api_key (hash, label, tenant, created_at) VALUES (x'01', 'made by --dev', 'acme', 6);",
                before.len()
            ))
            .unwrap();
        migrate(&mut connection).unwrap();
        let row = |label: &str| -> (String, Option<String>, bool) {
            let sql = "SELECT role, connection, revoked_at > 1700000000000 FROM api_key WHERE label = ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<bool>>(2)?.unwrap_or(false)))
            };
            connection.query_row(sql, [label], read).unwrap()
        };
        assert_eq!(row("erp"), ("owner".into(), None, false));
        assert_eq!(row("made by --dev"), ("owner".into(), None, true));
    }

    #[test]
    fn what_connections_keep_is_counted_once_when_an_older_database_is_brought_up() {
        let mut connection = older(6);
        connection
            .execute_batch(
                "INSERT INTO scope (id, tenant, connection, entity) VALUES (1, 't', 'c', 'employee');
                 INSERT INTO stream (id, tenant, connection, stream) VALUES (1, 't', 'c', 's');
                 INSERT INTO page (id, stream, run, cursor_after, now_ms, exchanges) VALUES (3, 1, 1, 'abcde', 0, 1);
                 INSERT INTO exchange VALUES (3145728, 'GET', 'http', 200, x'00', x'00', 0, zeroblob(1000));
                 INSERT INTO record VALUES (1, 1, 'é1', x'00', 2, 1, 3, 0, '/0', NULL, 0, 0, NULL, zeroblob(500));
                 INSERT INTO revision VALUES (1, 1, x'00', 1, 3, 0, '/0', NULL, 0, NULL, zeroblob(300));",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let kept = connection.query_row(
            "SELECT tenant, connection, records_bytes, exchanges_bytes FROM disk_use",
            [],
            |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            },
        );
        let records = (200 + 500 + 3 + 2) + (200 + 300 + 3 + 2) + (150 + 5);
        assert_eq!(kept.unwrap(), ("t".into(), "c".into(), records, 150 + 1_000 + 4));
    }

    #[test]
    fn a_newer_database_and_another_programs_are_refused_with_a_sentence() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        assert!(migrate(&mut connection).unwrap_err().to_string().contains("newer program"));

        let mut other = Connection::open_in_memory().unwrap();
        other.execute_batch("CREATE TABLE theirs (a)").unwrap();
        assert!(migrate(&mut other).unwrap_err().to_string().contains("another program"));
    }

    #[test]
    fn links_of_an_older_file_are_found_by_the_scope_of_their_child_afterwards() {
        let mut connection = older(7);
        connection
            .execute_batch(
                "INSERT INTO scope (id, tenant, connection, entity) VALUES (3, 'acme', 'vendor', 'process_node');
                 INSERT INTO record (id, scope, external_id, revision, hash, body, created_at, recorded_at, page, exchange_no,
                 pointer, seq) VALUES (7, 3, 'n', 1, zeroblob(16), zeroblob(2), 1, 1, 1, 0, '', 1);
                 INSERT INTO link (tenant, parent, child) VALUES ('acme', 'vendor/interview/i', 7), ('acme', 'x', 99);"
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let links: Vec<(i64, i64)> = connection
            .prepare("SELECT scope, child FROM link WHERE tenant = 'acme'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(links, [(3, 7)], "and a link to what is not there is gone");
    }

    /// Two rows in every table, whose values fit together: every number and every text of the first is 1, of the second 2.
    fn fill(connection: &Connection) {
        for table in tables(connection) {
            for number in [1, 2] {
                let columns = columns(connection, &table);
                let value = |(name, kind): &(String, String)| match kind.as_str() {
                    "INTEGER" => number.to_string(),
                    "TEXT" if name == "entity" => "'employee'".to_owned(),
                    "TEXT" => format!("'t{number}'"),
                    _ if name == "body" => format!("CAST('{{\"staff_id\":\"s{number}\"}}' AS BLOB)"),
                    _ => format!("x'0{number}'"),
                };
                let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                let values: Vec<String> = columns.iter().map(value).collect();
                let (names, values) = (names.join(", "), values.join(", "));
                connection.execute_batch(&format!("INSERT INTO \"{table}\" ({names}) VALUES ({values})")).unwrap();
            }
        }
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('meta', 'feed')";
        connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn columns(connection: &Connection, table: &str) -> Vec<(String, String)> {
        let mut statement = connection.prepare("SELECT name, type FROM pragma_table_info(?1)").unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        statement.query_map([table], read).unwrap().map(Result::unwrap).collect()
    }

    fn rows(connection: &Connection, table: &str, columns: &[(String, String)]) -> Vec<String> {
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM \"{table}\"", names.join(" || ' ' || "));
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_row_of_every_earlier_version_is_there_after_all_migrations() {
        for version in 1..MIGRATIONS.len() {
            let mut connection = older(version);
            fill(&connection);
            let before: Vec<_> = tables(&connection)
                .into_iter()
                .map(|table| {
                    let columns = columns(&connection, &table);
                    let rows = rows(&connection, &table, &columns);
                    (table, columns, rows)
                })
                .collect();
            assert!(before.len() >= 11, "version {version}");
            migrate(&mut connection).unwrap_or_else(|error| panic!("from version {version}: {error}"));
            for (table, columns, old) in before {
                let new = rows(&connection, &table, &columns);
                assert!(
                    old.iter().all(|row| new.contains(row)),
                    "from version {version}, {table}: {old:?}, now {new:?}"
                );
                assert!(old.len() >= 2, "those of the test, and those that a migration brought");
            }
            let intact: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(intact, "ok", "from version {version}");
            let tenants = "SELECT count(*) FROM delivery WHERE tenant <> 't' || flow";
            assert_eq!(connection.query_row(tenants, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "{version}");
        }
    }
}
