//! Backup and restore as docs/operations.md describes them: what is restored goes on where the backup was made.

use std::process::Command;

use renmen_store::{Store, StoreOptions, open};

use crate::bed::{Bed, Database, admin};
use crate::puller::{Puller, everything, key, rec, tenant};
use crate::server::program;

/// A gateway that pulled two pages before the backup, and one more after it.
async fn before(bed: &Bed) -> Puller {
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
    puller.put(vec![rec("c", "1")]).await;
    puller
}

/// What a restored store holds, and that a run goes on with the page that the backup does not have.
async fn goes_on(restored: &std::sync::Arc<dyn Store>, epoch_before: u32) {
    let rows = everything(restored).await;
    assert_eq!(rows.iter().map(|row| row.external_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let lost = restored.holds_position(&tenant(), 4, Some(epoch_before)).await.unwrap();
    assert!(!lost, "a reader that saw the lost page hears that its position is gone");
    assert!(restored.holds_position(&tenant(), 3, Some(epoch_before)).await.unwrap(), "one that did not goes on");
    // A lease that was live when the backup was made is over.
    let mut puller = Puller::begin(restored, key(), 10_000_000).await;
    assert_eq!(puller.cursor.as_deref(), Some("2"), "no page of the backup is pulled again");
    let outcome = puller.put(vec![rec("d", "1"), rec("a", "1")]).await;
    assert_eq!((outcome.created, outcome.unchanged), (1, 1));
    assert_eq!(restored.changes(&tenant(), 0, None, 9).await.unwrap().len(), 4, "each record changed once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_copied_while_a_gateway_writes_is_a_whole_backup() {
    let bed = Bed::sqlite().await;
    let mut puller = before(&bed).await;
    let epoch = bed.store.epoch().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    // What `sqlite3 renmen.db "VACUUM INTO 'backup.db'"` does.
    bed.beside(&format!("VACUUM INTO '{}'", backup.display())).await;
    puller.put(vec![rec("d", "lost")]).await;
    drop(puller);
    bed.end().await;
    let restored = open(StoreOptions::at(format!("sqlite:{}", backup.display()))).await.unwrap();
    goes_on(&restored, epoch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_a_server_in_use_is_restored_into_another_database() {
    let (Some(bed), Some(target)) = (Bed::postgres().await, Database::empty().await) else { return };
    let (Some(dump), Some(restore)) = (program("pg_dump"), program("pg_restore")) else {
        eprintln!("skipped: pg_dump and pg_restore are not installed");
        return;
    };
    let mut puller = before(&bed).await;
    let epoch = bed.store.epoch().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renmen.dump");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(Command::new(dump).args(["--format=custom", "--file"]).arg(&file).arg(&bed.options.url));
    puller.put(vec![rec("d", "lost")]).await;
    drop(puller);
    bed.end().await;
    run(Command::new(restore).args(["--no-owner", "--exit-on-error", "--dbname", &target.url]).arg(&file));
    // As long as a restore takes: the lease of the run that was live when the backup was made is over.
    admin(&target.url, "UPDATE run SET leased_until = leased_until - 120000").await;
    let restored = open(StoreOptions::at(&target.url)).await.unwrap();
    goes_on(&restored, epoch).await;
    drop(restored);
    target.end().await;
}
