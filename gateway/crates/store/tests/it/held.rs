//! The brake on deletion, and what runs report besides their records.

use std::sync::Arc;

use renmen_schema::Remedy;
use renmen_store::{Brake, PageNotes, RunEnd, RunFinding, RunOmission, RunState, Store, StoreError, Sweep};

use crate::bed::on_both;
use crate::puller::{Puller, bad, everything, key, key_of, rec, tenant};

const BRAKE: Brake = Brake { records: 10, ratio: 0.2 };

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("r{n:02}")).collect()
}

/// A sweep of one page that lists these, under the brake.
async fn listing(puller: &mut Puller, ids: &[String]) -> renmen_store::CommitOutcome {
    let mut page = puller.page(ids.iter().map(|id| rec(id, "1")).collect());
    page.sweep = Some(Sweep { begins: true, ends: true, partial: false, brake: Some(BRAKE) });
    page.has_more = false;
    puller.commit(page).await.unwrap()
}

async fn live(store: &Arc<dyn Store>) -> usize {
    everything(store).await.iter().filter(|row| row.deleted.is_none()).count()
}

on_both! {
    async fn a_listing_that_shrinks_too_much_deletes_nothing_until_a_person_approves(bed: &Bed) {
        let all = names(40);
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut puller, &all).await;
        let outcome = listing(&mut puller, &all[..1]).await;
        assert_eq!((outcome.deleted, outcome.held, live(&bed.store).await), (0, 39, 40));

        let held = bed.store.held_sweeps(&tenant()).await.unwrap();
        assert_eq!((held.len(), held[0].run, held[0].missing, held[0].of), (1, puller.run, 39, 40));
        let records = bed.store.held_records(&tenant(), puller.run, 5).await.unwrap();
        assert_eq!(records.iter().map(|record| record.external_id.as_str()).collect::<Vec<_>>(), ["r01", "r02", "r03", "r04", "r05"]);

        let stranger = key_of("globex", "employees").tenant;
        assert!(bed.store.held_sweeps(&stranger).await.unwrap().is_empty());
        let refused = bed.store.release_sweep(&stranger, puller.run, "eve", 2_000).await;
        assert!(matches!(refused, Err(StoreError::BadInput(_))), "{refused:?}");

        let released = bed.store.release_sweep(&tenant(), puller.run, "ann", 2_000).await.unwrap();
        assert_eq!((released.deleted, released.swept, live(&bed.store).await), (39, 39, 1));
        let run = bed.store.run(&tenant(), puller.run).await.unwrap().unwrap();
        assert_eq!((run.outcome.deleted, run.outcome.swept, run.outcome.held), (39, 39, 0));
        assert_eq!(run.released_by.as_deref(), Some("ann"));
        assert!(bed.store.held_sweeps(&tenant()).await.unwrap().is_empty());
        let again = bed.store.release_sweep(&tenant(), puller.run, "ann", 3_000).await;
        assert!(matches!(again, Err(StoreError::BadInput(_))), "{again:?}");
        assert_eq!(bed.store.counts(&tenant()).await.unwrap()[0].live, 1);
    }

    async fn few_records_and_a_small_share_go_by_themselves(bed: &Bed) {
        let all = names(60);
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut puller, &all).await;
        assert_eq!(listing(&mut puller, &all[..48]).await.deleted, 12, "12 of 60 is a fifth");
        assert_eq!(listing(&mut puller, &all[..38]).await.deleted, 10, "ten may always go");
        let outcome = listing(&mut puller, &all[..27]).await;
        assert_eq!((outcome.deleted, outcome.held), (0, 11), "11 of 38 is more");
    }

    async fn new_records_do_not_hide_that_the_old_ones_are_gone(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut puller, &names(20)).await;
        let others: Vec<_> = (0..200).map(|n| format!("s{n:03}")).collect();
        let outcome = listing(&mut puller, &others).await;
        assert_eq!((outcome.created, outcome.deleted, outcome.held), (200, 0, 20));
        assert_eq!(bed.store.held_sweeps(&tenant()).await.unwrap()[0].of, 20);
    }

    async fn what_is_listed_or_changed_again_before_the_approval_stays(bed: &Bed) {
        let all = names(20);
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut puller, &all).await;
        assert_eq!(listing(&mut puller, &all[..1]).await.held, 19);
        // A listing that lacks a part, a page outside of any sweep, and one of a sweep that has only begun.
        let mut part = puller.page(Vec::new());
        part.unchanged = vec![("employee".into(), "r01".into())];
        part.sweep = Some(Sweep { begins: true, ends: false, partial: true, brake: Some(BRAKE) });
        puller.commit(part).await.unwrap();
        let mut outside = puller.page(vec![rec("r02", "2")]);
        outside.unchanged = vec![("employee".into(), "r03".into())];
        outside.quarantine = vec![bad(Some("r04"), "{")];
        puller.commit(outside).await.unwrap();
        let mut begun = puller.page(vec![rec("r05", "1")]);
        begun.sweep = Some(Sweep { begins: true, ends: false, partial: false, brake: Some(BRAKE) });
        puller.commit(begun).await.unwrap();

        assert_eq!(bed.store.release_sweep(&tenant(), puller.run, "ann", 2_000).await.unwrap().deleted, 14);
        assert_eq!(live(&bed.store).await, 6);
        // The sweep under way knows what it had listed, and now lists nothing more.
        let mut last = puller.page(Vec::new());
        last.sweep = Some(Sweep { begins: false, ends: true, partial: false, brake: Some(BRAKE) });
        assert_eq!(puller.commit(last).await.unwrap().deleted, 5, "r05 was listed");
    }

    async fn the_next_whole_listing_takes_the_place_of_one_that_is_held(bed: &Bed) {
        let all = names(20);
        let mut first = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut first, &all).await;
        listing(&mut first, &all[..1]).await;
        first.finish().await;
        let mut second = Puller::begin(&bed.store, key(), 2_000).await;
        assert_eq!(listing(&mut second, &all[..2]).await.held, 18);
        assert_eq!(bed.store.held_sweeps(&tenant()).await.unwrap()[0].run, second.run);
        assert!(bed.store.release_sweep(&tenant(), first.run, "ann", 3_000).await.is_err());
        assert_eq!(listing(&mut second, &all).await.held, 0);
        assert!(bed.store.held_sweeps(&tenant()).await.unwrap().is_empty(), "everything is listed again");
        listing(&mut second, &all[..2]).await;
        bed.store.reset_stream(&key()).await.unwrap();
        assert!(bed.store.held_sweeps(&tenant()).await.unwrap().is_empty(), "a stream that is reset holds nothing");
    }

    async fn a_sweep_that_lacks_a_part_ends_in_no_run_that_goes_on_with_it(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        listing(&mut puller, &names(3)).await;
        let mut part = puller.page(vec![rec("r00", "1")]);
        part.sweep = Some(Sweep { begins: true, ends: false, partial: true, brake: None });
        puller.commit(part).await.unwrap();
        assert!(!bed.store.stream_state(&key()).await.unwrap().sweeping);
        let mut rest = puller.page(vec![rec("r01", "1")]);
        rest.sweep = Some(Sweep { begins: false, ends: false, partial: false, brake: None });
        puller.commit(rest).await.unwrap();
        assert!(!bed.store.stream_state(&key()).await.unwrap().sweeping, "a good page does not mend it");
        let mut new = puller.page(vec![rec("r00", "1")]);
        new.sweep = Some(Sweep { begins: true, ends: false, partial: false, brake: None });
        puller.commit(new).await.unwrap();
        assert!(bed.store.stream_state(&key()).await.unwrap().sweeping);
    }

    async fn a_run_keeps_what_its_pages_could_not_read_and_what_rules_left_out(bed: &Bed) {
        let finding = |part: &str, needs| RunFinding {
            part: part.into(),
            code: "unreadable_file".into(),
            message: "it is\0 not a workbook".into(),
            needs,
            missing: needs == Remedy::Source,
        };
        let omission = RunOmission {
            part: "2025-03.xlsx".into(),
            rule: "total_rows".into(),
            count: 2,
            places: vec!["Sheet1!9".into(), "Sheet1!10".into()],
        };
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(vec![rec("a", "1"), rec("a", "2")]);
        page.notes = PageNotes {
            findings: vec![finding("2025-01.xlsx", Remedy::Source)],
            omissions: vec![omission.clone()],
            total: Some(9),
        };
        puller.commit(page).await.unwrap();
        let end = RunEnd {
            findings: vec![finding("", Remedy::Vendor)],
            state: RunState::CompletedWithFindings,
            error: None,
            retry_at_ms: None,
            now_ms: 2_000,
        };
        bed.store.finish_run(puller.run, end).await.unwrap();

        let run = bed.store.run(&tenant(), puller.run).await.unwrap().unwrap();
        assert_eq!((run.state, run.findings, run.omitted, run.total), (RunState::CompletedWithFindings, 2, 2, Some(9)));
        assert_eq!((run.records, run.outcome.created, run.outcome.repeated), (2, 1, 1));
        let notes = bed.store.run_notes(&tenant(), puller.run).await.unwrap();
        assert_eq!((notes.omissions, notes.total), (vec![omission], Some(9)));
        let told: Vec<_> = notes.findings.iter().map(|found| (found.part.as_str(), found.needs, found.missing)).collect();
        assert_eq!(told, [("2025-01.xlsx", Remedy::Source, true), ("", Remedy::Vendor, false)]);
        assert_eq!(notes.findings[0].message, "it is\u{fffd} not a workbook");
        let stranger = key_of("globex", "employees").tenant;
        assert_eq!(bed.store.run_notes(&stranger, puller.run).await.unwrap(), PageNotes::default());
    }
}
