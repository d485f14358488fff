//! A tenant that goes from one database to another, which holds others already: everything that a client holds means the same there, and
//! nothing is lost or doubled, whichever the two databases are and wherever it is stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::TenantId;
use renmen_store::{
    Arrival, Departure, MoveState, MovedTable, RecordQuery, Store, StoreError, StoreOptions, export_tenant,
    forget_tenant, import_tenant, open, resume_tenant, tenant_moved, tenants,
};

use crate::bed::Database;
use crate::puller::{Puller, bad, everything, gone, key, key_of, rec, tenant};

/// A database with the number of a cell, and what it lives in.
pub(crate) struct Cell {
    pub(crate) options: StoreOptions,
    database: Option<Database>,
}

impl Cell {
    pub(crate) fn sqlite(folder: &Path, number: u8) -> Self {
        let url = format!("sqlite:{}", folder.join(format!("cell{number}.db")).display());
        Self { options: StoreOptions { cell: Some(number), ..StoreOptions::at(url) }, database: None }
    }

    pub(crate) async fn postgres(number: u8) -> Option<Self> {
        let database = Database::empty().await?;
        let options = StoreOptions { cell: Some(number), poll_ms: 50, ..StoreOptions::at(&database.url) };
        Some(Self { options, database: Some(database) })
    }

    /// One that is there already.
    #[cfg(feature = "failpoints")]
    pub(crate) fn of(options: StoreOptions) -> Self {
        Self { options, database: None }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        open(self.options.clone()).await.unwrap()
    }

    pub(crate) async fn end(self) {
        if let Some(database) = self.database {
            database.end().await;
        }
    }
}

/// Two databases of each kind, in each direction.
pub(crate) async fn pairs(folder: &Path) -> Vec<(Cell, Cell)> {
    let mut pairs = vec![(Cell::sqlite(&at(folder, "a"), 0), Cell::sqlite(&at(folder, "a"), 1))];
    if let (Some(one), Some(two), Some(three), Some(four)) =
        (Cell::postgres(1).await, Cell::postgres(0).await, Cell::postgres(0).await, Cell::postgres(1).await)
    {
        pairs.push((Cell::sqlite(&at(folder, "b"), 0), one));
        pairs.push((two, Cell::sqlite(&at(folder, "c"), 1)));
        pairs.push((three, four));
    }
    pairs
}

fn at(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) async fn export(cell: &Cell, file: &Path) -> Result<Departure, StoreError> {
    export_tenant(cell.options.clone(), &tenant(), file, (5_000, Duration::from_millis(200)), &|_| ()).await
}

pub(crate) async fn import(cell: &Cell, file: &Path) -> Result<Arrival, StoreError> {
    import_tenant(cell.options.clone(), file, 6_000, &|_| ()).await
}

pub(crate) async fn forget(cell: &Cell) -> Result<Vec<MovedTable>, StoreError> {
    forget_tenant(cell.options.clone(), &tenant(), &|_| ()).await
}

/// Everything that a client may hold of the tenant, as text.
async fn shown(store: &Arc<dyn Store>) -> Vec<String> {
    let tenant = tenant();
    let records = everything(store).await;
    let mut shown: Vec<String> = records.iter().map(|row| format!("{row:?}")).collect();
    for row in &records {
        shown.push(format!("{:?}", store.revisions(&tenant, row.id, 100).await.unwrap()));
        if let Some(exchange) = row.origin.exchange {
            shown.push(format!("{:?}", store.exchange(&tenant, exchange).await.unwrap()));
            shown.push(format!("{:?}", store.page_exchanges(&tenant, exchange.page).await.unwrap()));
        }
    }
    shown.push(format!("{:?}", store.changes(&tenant, 0, None, 1_000).await.unwrap()));
    shown.push(format!("{:?}", store.quarantine(&tenant, None, 0, 100).await.unwrap()));
    shown.push(format!("{:?}", store.counts(&tenant).await.unwrap()));
    shown.push(format!("{:?}", store.pages(&key(), 0, 100).await.unwrap()));
    shown.push(format!("{:?}", store.disk_use(&tenant).await.unwrap()));
    shown
}

/// Pages, revisions, a deletion, a quarantined record; and another tenant.
async fn fill(store: &Arc<dyn Store>) {
    let mut other = Puller::begin(store, key_of("globex", "employees"), 900).await;
    other.put(vec![rec("x", "1"), rec("y", "1")]).await;
    let mut puller = Puller::begin(store, key(), 1_000).await;
    puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
    other.put(vec![rec("x", "2")]).await;
    let mut page = puller.page(vec![rec("a", "2"), gone("b")]);
    page.quarantine.push(bad(Some("q"), "raw"));
    puller.commit(page).await.unwrap();
    puller.finish().await;
    other.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_arrives_beside_others_and_all_that_a_client_holds_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (from, to)) in pairs(folder.path()).await.into_iter().enumerate() {
        let file = folder.path().join(format!("acme{no}"));
        let source = from.open().await;
        fill(&source).await;
        let resident = to.open().await;
        let mut resident_puller = Puller::begin(&resident, key_of("initech", "employees"), 500).await;
        resident_puller.put(vec![rec("r", "1")]).await;
        let there = everything_of(&resident, "initech").await;
        drop((resident_puller, resident));

        let before = shown(&source).await;
        let (epoch, last) = (source.epoch().await.unwrap(), *source.watch(&tenant()).borrow());
        let list = RecordQuery { limit: 1, include_deleted: true, ..RecordQuery::default() };
        let cursor = source.records(&tenant(), &list).await.unwrap().next;
        let left = export(&from, &file).await.unwrap();
        assert!(!left.again && left.cut == 0);
        let rows = |name: &str| left.tables.iter().find(|table| table.name == name).map_or(0, |table| table.rows);
        assert_eq!((rows("record"), rows("change"), rows("page"), rows("quarantine")), (3, 5, 2, 1));
        let arrived = import(&to, &file).await.unwrap();
        assert_eq!((arrived.tenant, arrived.again), (tenant(), false));

        let target = to.open().await;
        assert_eq!(shown(&target).await, before, "{no}");
        assert_eq!(everything_of(&target, "initech").await, there, "those that were there");
        assert_eq!(target.counts(&TenantId::new("globex").unwrap()).await.unwrap().len(), 0, "no other came along");
        assert!(target.holds_position(&tenant(), last, Some(epoch)).await.unwrap());
        assert!(!target.holds_position(&tenant(), last + 1, Some(epoch)).await.unwrap());
        let rest = RecordQuery { after: cursor, limit: 10, ..list };
        assert_eq!(target.records(&tenant(), &rest).await.unwrap().items.len(), 2, "a list goes on where it stood");

        let mut puller = Puller::begin(&target, key(), 7_000).await;
        assert_eq!(puller.cursor.as_deref(), Some("2"), "nothing is pulled again");
        puller.put(vec![rec("a", "3"), rec("d", "1")]).await;
        let later = target.changes(&tenant(), last, None, 10).await.unwrap();
        assert_eq!(later.iter().map(|change| change.seq).collect::<Vec<_>>(), [last + 1, last + 2]);
        assert!(everything(&target).await.is_sorted_by_key(|row| row.external_id.clone()));
        drop((puller, target, source));
        from.end().await;
        to.end().await;
    }
}

async fn everything_of(store: &Arc<dyn Store>, name: &str) -> String {
    let query = RecordQuery { include_deleted: true, limit: 100, ..RecordQuery::default() };
    format!("{:?}", store.records(&TenantId::new(name).unwrap(), &query).await.unwrap().items)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_moves_nothing_is_written_and_once_it_is_gone_its_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (from, to)) in pairs(folder.path()).await.into_iter().enumerate() {
        let file = folder.path().join(format!("acme{no}"));
        let source = from.open().await;
        fill(&source).await;
        let mut open_run = Puller::begin(&source, key_of("acme", "leavers"), 1_100).await;
        let mut other = Puller::begin(&source, key_of("globex", "leavers"), 1_100).await;
        export(&from, &file).await.unwrap();
        let known = source.tenant_move(&tenant()).await.unwrap().unwrap();
        assert_eq!((known.state, known.since_ms), (MoveState::Leaving, 5_000));

        let refused = |error: StoreError| error.of_move().map(str::to_owned).unwrap_or_else(|| panic!("{error}"));
        let page = open_run.page(vec![rec("z", "1")]);
        assert!(refused(open_run.commit(page).await.unwrap_err()).contains("being moved"));
        let begun = source.begin_run(crate::puller::new_run(&key(), 9_000_000)).await.unwrap_err();
        refused(begun);
        refused(source.reset_stream(&key()).await.unwrap_err());
        refused(source.quarantine_drop(&tenant(), 1).await.unwrap_err());
        refused(source.retire_flow(&tenant(), "flow", 1).await.unwrap_err());
        let endpoint = renmen_schema::id::ConnectionName::new("hr").unwrap();
        refused(source.put_endpoint(&tenant(), &endpoint, "{}".into(), 1).await.unwrap_err());
        assert_eq!(everything(&source).await.len(), 3, "it can still be read");
        other.put(vec![rec("o", "1")]).await;
        assert_eq!(
            source.expired_runs(i64::MAX / 2).await.unwrap().iter().filter(|key| key.tenant == tenant()).count(),
            0
        );

        // The same command again finds its file; another name is written again.
        assert!(export(&from, &file).await.unwrap().again);
        let copy = folder.path().join(format!("copy{no}"));
        assert!(!export(&from, &copy).await.unwrap().again);
        import(&to, &copy).await.unwrap();
        assert!(import(&to, &copy).await.unwrap().again, "done again, it is found done");
        assert!(resume_tenant(to.options.clone(), &tenant()).await.is_err(), "it is not leaving there");
        assert!(forget(&from).await.is_err(), "nothing is deleted before it is gone");

        tenant_moved(from.options.clone(), &tenant(), "cell b", 8_000).await.unwrap();
        tenant_moved(from.options.clone(), &tenant(), "cell b", 8_001).await.unwrap();
        let again = source.begin_run(crate::puller::new_run(&key(), 9_000_000)).await.unwrap_err();
        assert!(refused(again).contains("was moved to cell b"));
        let known = source.tenant_move(&tenant()).await.unwrap().unwrap();
        assert_eq!((known.state, known.since_ms, known.place.as_str()), (MoveState::Gone, 8_000, "cell b"));
        assert!(resume_tenant(from.options.clone(), &tenant()).await.unwrap_err().to_string().contains("cell b"));
        assert!(export(&from, &folder.path().join("late")).await.unwrap_err().to_string().contains("cell b"));

        let deleted = forget(&from).await.unwrap();
        let rows = |name: &str| deleted.iter().find(|table| table.name == name).map_or(0, |table| table.rows);
        assert_eq!((rows("record"), rows("change"), rows("exchange")), (3, 5, 2));
        assert!(everything(&source).await.is_empty() && !everything_of(&source, "globex").await.is_empty());
        assert!(forget(&from).await.unwrap().iter().all(|table| table.rows == 0), "it may be done again");
        let here: Vec<_> = tenants(from.options.clone()).await.unwrap();
        assert_eq!(here.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["acme", "globex"]);
        drop((open_run, other, source));
        from.end().await;
        to.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_may_come_back_and_go_again_with_all_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (one, two)) in pairs(folder.path()).await.into_iter().enumerate() {
        let store = one.open().await;
        fill(&store).await;
        drop(store);
        let mut positions = Vec::new();
        for round in 0..4 {
            let (from, to) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
            let file = folder.path().join(format!("round{no}-{round}"));
            let source = from.open().await;
            positions.push((source.epoch().await.unwrap(), *source.watch(&tenant()).borrow()));
            let before = shown(&source).await;
            drop(source);
            export(from, &file).await.unwrap();
            tenant_moved(from.options.clone(), &tenant(), "the other", 1).await.unwrap();
            forget(from).await.unwrap();
            // What others write meanwhile takes none of its numbers.
            let source = from.open().await;
            let mut other = Puller::begin(&source, key_of("globex", "leavers"), 2_000_000 * (round + 1)).await;
            other.put((0..20).map(|n| rec(&format!("{round}-{n}"), "1")).collect()).await;
            other.finish().await;
            drop((other, source));
            import(to, &file).await.unwrap();
            let target = to.open().await;
            assert_eq!(shown(&target).await, before, "pair {no}, round {round}");
            for (epoch, position) in &positions {
                assert!(target.holds_position(&tenant(), *position, Some(*epoch)).await.unwrap(), "{round}");
                assert!(!target.holds_position(&tenant(), *position + 1_000, Some(*epoch)).await.unwrap());
            }
            let mut puller = Puller::begin(&target, key(), 3_000_000 * (round + 1)).await;
            let newest = everything(&target).await.iter().map(|row| row.origin.run.0).max().unwrap();
            assert!(puller.run.0 > newest, "what comes later has the higher number");
            puller.put(vec![rec("a", &format!("back {round}")), rec(&format!("new {round}"), "1")]).await;
            puller.finish().await;
        }
        one.end().await;
        two.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_whole_or_does_not_fit_is_refused_and_nothing_of_it_stays() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (from, to)) in pairs(folder.path()).await.into_iter().enumerate() {
        let file = folder.path().join(format!("acme{no}"));
        let source = from.open().await;
        fill(&source).await;
        export(&from, &file).await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        let tell = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(format!("{name}{no}"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let refused = async |path: PathBuf| import(&to, &path).await.unwrap_err().to_string();
        for cut in [0, 5, 20, whole.len() / 2, whole.len() - 1] {
            let told = refused(tell("cut", &whole[..cut])).await;
            assert!(told.contains("cut off") || told.contains("not a file"), "{cut}: {told}");
        }
        // In what was packed: a bit that the packing does not use changes nothing.
        let plain = zstd::decode_all(&whole[14..]).unwrap();
        for at in (0..plain.len()).step_by(plain.len() / 40 + 1) {
            let mut changed = plain.clone();
            changed[at] ^= 0x40;
            let packed = zstd::encode_all(&changed[..], 3).unwrap();
            let told = refused(tell("changed", &[&whole[..14], &packed].concat())).await;
            assert!(!told.is_empty(), "byte {at}");
        }
        let longer = [&whole[..], b"more"].concat();
        assert!(refused(tell("longer", &longer)).await.contains("changed"));
        assert!(
            refused(rewritten(&file, &folder.path().join("form"), "\"format\":1", "\"format\":9"))
                .await
                .contains("form 9")
        );
        let older = refused(rewritten(&file, &folder.path().join("older"), "\"schema\":", "\"schema\":1")).await;
        assert!(older.contains("same release"), "{older}");

        let other = TenantId::new("globex").unwrap();
        assert!(forget_tenant(from.options.clone(), &other, &|_| ()).await.is_err());
        let nobody = TenantId::new("nobody").unwrap();
        let path = folder.path().join("nobody");
        let patience = (1, Duration::ZERO);
        let told = export_tenant(from.options.clone(), &nobody, &path, patience, &|_| ()).await.unwrap_err();
        assert!(told.to_string().contains("nobody") && !path.exists());

        // A tenant that is there, even if only by one row, is not mixed with one that comes.
        let target = to.open().await;
        assert!(everything(&target).await.is_empty() && target.tenant_moves().await.unwrap().is_empty());
        let before = format!("{:?}", target.stream_state(&key()).await.unwrap());
        let puller = Puller::begin(&target, key(), 1).await;
        puller.finish().await;
        drop((puller, target));
        let told = refused(file.clone()).await;
        assert!(told.contains("`acme` is in this database already"), "{told}");
        let target = to.open().await;
        assert_eq!(format!("{:?}", target.stream_state(&key()).await.unwrap()), before);
        drop((target, source));
        from.end().await;
        to.end().await;
    }
}

/// The file with another head, and hashes that fit it.
fn rewritten(file: &Path, to: &Path, text: &str, by: &str) -> PathBuf {
    let bytes = std::fs::read(file).unwrap();
    let plain = zstd::decode_all(&bytes[14..]).unwrap();
    let length = u32::from_le_bytes(plain[1..5].try_into().unwrap()) as usize;
    let head = String::from_utf8(plain[5..5 + length].to_vec()).unwrap().replacen(text, by, 1);
    let end = plain.len() - 37;
    let mut body = vec![1];
    body.extend((head.len() as u32).to_le_bytes());
    body.extend(head.as_bytes());
    body.extend(&plain[5 + length..end]);
    let hash = blake3::hash(&body);
    body.push(5);
    body.extend(32_u32.to_le_bytes());
    body.extend(hash.as_bytes());
    let packed = zstd::encode_all(&body[..], 3).unwrap();
    std::fs::write(to, [&bytes[..14], &packed].concat()).unwrap();
    to.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_that_were_given_the_same_number_do_not_exchange_tenants() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Cell::sqlite(&at(folder.path(), "one"), 0), Cell::sqlite(&at(folder.path(), "two"), 0));
    let file = folder.path().join("acme");
    let source = from.open().await;
    fill(&source).await;
    export(&from, &file).await.unwrap();
    let told = import(&to, &file).await.unwrap_err().to_string();
    assert!(told.contains("a number of its own"), "{told}");
    assert!(everything(&to.open().await).await.is_empty());
    // A number is given once.
    let renamed = StoreOptions { cell: Some(3), ..to.options.clone() };
    drop(open(renamed.clone()).await.unwrap());
    let exchanged = open(StoreOptions { cell: Some(2), ..renamed.clone() }).await.err().unwrap().to_string();
    assert!(exchanged.contains("number 3") && exchanged.contains("number 2"), "{exchanged}");
    assert!(open(StoreOptions { cell: None, ..renamed }).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_given_up_leaves_the_tenant_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (from, to)) in pairs(folder.path()).await.into_iter().enumerate() {
        let source = from.open().await;
        fill(&source).await;
        let before = shown(&source).await;
        export(&from, &folder.path().join(format!("acme{no}"))).await.unwrap();
        resume_tenant(from.options.clone(), &tenant()).await.unwrap();
        assert!(source.tenant_moves().await.unwrap().is_empty());
        assert_eq!(shown(&source).await, before);
        let mut puller = Puller::begin(&source, key(), 9_000).await;
        puller.put(vec![rec("a", "3")]).await;
        drop((puller, source));
        from.end().await;
        to.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_while_it_is_fenced_is_in_the_file_or_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (no, (from, to)) in pairs(folder.path()).await.into_iter().enumerate() {
        let source = from.open().await;
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = Arc::clone(&source);
                tokio::spawn(async move {
                    let mut puller = Puller::begin(&store, key_of("acme", &format!("s{writer}")), 1_000).await;
                    let mut taken = 0;
                    loop {
                        let page = puller.page(vec![rec(&format!("{writer}-{taken}"), "1")]);
                        match puller.commit(page).await {
                            Ok(_) => taken += 1,
                            Err(error) if error.of_move().is_some() => return taken,
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        while source.counts(&tenant()).await.unwrap().iter().map(|count| count.live).sum::<i64>() < 20 {
            tokio::task::yield_now().await;
        }
        let file = folder.path().join(format!("acme{no}"));
        export(&from, &file).await.unwrap();
        let mut taken = 0;
        for writer in writers {
            taken += writer.await.unwrap();
        }
        import(&to, &file).await.unwrap();
        let target = to.open().await;
        assert_eq!(everything(&target).await.len(), taken, "pair {no}: what was acknowledged, and no more");
        assert_eq!(everything(&source).await.len(), taken);
        drop((source, target));
        from.end().await;
        to.end().await;
    }
}
