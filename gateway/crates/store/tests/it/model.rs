//! F02: random schedules against a model that fits on a screen.
//!
//! The model says what the rows, revisions and changes must be. After each schedule the store must agree: *a change exists iff
//! its row version exists iff its page is at or before the cursor*; a fenced page left nothing.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, prop_oneof};
use renmen_store::{StoreError, Sweep};

use crate::bed::Bed;
use crate::puller::{Puller, everything, gone, key, rec, tenant};
use crate::schedules;

#[derive(Debug, Clone)]
enum Step {
    /// Records of a page: which id, and its body or none for a deletion.
    Page(Vec<(u8, Option<u8>)>),
    /// The same within a sweep.
    Sweep { begins: bool, ends: bool, records: Vec<(u8, Option<u8>)> },
    /// A page asked for with a cursor that is not the stored one.
    Fenced,
    /// The run ends and another begins.
    NewRun,
    /// The cursor is forgotten.
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let body = prop_oneof![3 => (0..4_u8).prop_map(Some), 1 => Just(None)];
    let records = proptest::collection::vec((0..12_u8, body), 0..8);
    let sweep = (proptest::bool::ANY, proptest::bool::ANY, records.clone());
    let step = prop_oneof![
        4 => records.prop_map(Step::Page),
        4 => sweep.prop_map(|(begins, ends, records)| Step::Sweep { begins, ends, records }),
        1 => Just(Step::Fenced),
        1 => Just(Step::NewRun),
        1 => Just(Step::Reset),
    ];
    proptest::collection::vec(step, 1..25)
}

#[derive(Default)]
struct Model {
    /// By id: body and tombstone of every revision, first one first.
    records: BTreeMap<u8, Vec<(u8, bool)>>,
    changes: usize,
    sweep: Option<Vec<u8>>,
}

impl Model {
    fn page(&mut self, records: &[(u8, Option<u8>)]) {
        let last: BTreeMap<_, _> = records.iter().copied().collect();
        for (id, body) in last {
            let now = self.records.get(&id).and_then(|revisions| revisions.last().copied());
            let next = match (now, body) {
                (None, Some(body)) => (body, false),
                (Some((old, dead)), Some(body)) if dead || old != body => (body, false),
                (Some((old, false)), None) => (old, true),
                _ => continue,
            };
            self.records.entry(id).or_default().push(next);
            self.changes += 1;
        }
    }

    fn sweep(&mut self, begins: bool, ends: bool, records: &[(u8, Option<u8>)]) {
        if begins {
            self.sweep = Some(Vec::new());
        }
        self.page(records);
        let seen = self.sweep.as_mut().expect("fenced otherwise");
        seen.extend(records.iter().map(|(id, _)| *id));
        if ends {
            let seen = self.sweep.take().expect("as above");
            let missing: Vec<_> = self.records.keys().copied().filter(|id| !seen.contains(id)).collect();
            self.page(&missing.into_iter().map(|id| (id, None)).collect::<Vec<_>>());
        }
    }
}

fn writes(records: &[(u8, Option<u8>)]) -> Vec<renmen_store::RecordWrite> {
    let name = |id: &u8| format!("{id:02}");
    records
        .iter()
        .map(|(id, body)| body.map_or_else(|| gone(&name(id)), |body| rec(&name(id), &body.to_string())))
        .collect()
}

async fn play(bed: Bed, steps: Vec<Step>) {
    let mut model = Model::default();
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    for step in steps {
        match step {
            Step::Page(records) => {
                model.sweep = None;
                model.page(&records);
                puller.put(writes(&records)).await;
            }
            Step::Sweep { begins, ends, records } if begins || model.sweep.is_some() => {
                model.sweep(begins, ends, &records);
                puller.sweep(begins, ends, writes(&records)).await;
            }
            Step::Sweep { ends, records, .. } => {
                let mut page = puller.page(writes(&records));
                page.sweep = Some(Sweep { begins: false, ends, partial: false, brake: None });
                assert!(matches!(puller.commit(page).await, Err(StoreError::Fenced(_))));
            }
            Step::Fenced => {
                let mut page = puller.page(vec![rec("00", "fenced"), rec("fenced", "1")]);
                page.cursor_before = Some("elsewhere".into());
                assert!(matches!(puller.commit(page).await, Err(StoreError::Fenced(_))));
            }
            Step::NewRun => {
                puller.finish().await;
                puller = Puller::begin(&bed.store, key(), puller.now_ms).await;
            }
            Step::Reset => {
                bed.store.reset_stream(&key()).await.unwrap();
                model.sweep = None;
                puller.cursor = None;
            }
        }
        assert_eq!(bed.store.stream_state(&key()).await.unwrap().cursor, puller.cursor);
    }
    agree(&bed, &model).await;
    bed.end().await;
}

async fn agree(bed: &Bed, model: &Model) {
    let rows = everything(&bed.store).await;
    assert_eq!(rows.len(), model.records.len());
    let changes = bed.store.changes(&tenant(), 0, None, 1_000).await.unwrap();
    assert_eq!(changes.len(), model.changes);
    assert_eq!(changes.iter().map(|c| c.seq).collect::<Vec<_>>(), (1..=model.changes as i64).collect::<Vec<_>>());
    for (row, (id, wanted)) in rows.iter().zip(&model.records) {
        assert_eq!(row.external_id, format!("{id:02}"));
        let mut revisions = bed.store.revisions(&tenant(), row.id, 1_000).await.unwrap();
        revisions.reverse();
        let told: Vec<_> = revisions.iter().map(|r| (r.body.clone(), r.deleted.is_some())).collect();
        let wanted: Vec<_> = wanted.iter().map(|(body, dead)| (body.to_string().into_bytes(), *dead)).collect();
        assert_eq!(told, wanted, "record {id}");
        // Each revision has exactly its own change.
        let of_row: Vec<_> = changes.iter().filter(|c| c.id == row.id).map(|c| c.revision).collect();
        assert_eq!(of_row, (1..=wanted.len() as i64).collect::<Vec<_>>());
    }
    let live = rows.iter().filter(|row| row.deleted.is_none()).count() as i64;
    let counted = bed.store.counts(&tenant()).await.unwrap().first().map_or((0, 0), |c| (c.live, c.deleted));
    assert_eq!(counted, (live, rows.len() as i64 - live));
}

#[test]
fn f02_random_schedules_agree_with_the_model_on_sqlite() {
    schedules::on_sqlite(100, steps(), play);
}

#[test]
fn f02_random_schedules_agree_with_the_model_on_postgres() {
    schedules::on_postgres(25, steps(), play);
}
