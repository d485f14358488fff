//! Is what is gone reported, and nothing else?

use renmen_schema::manifest::Deletes;

use super::{CHOSEN, CheckVerdict, Checked, chosen, chosen_id, ended, rest, spread};
use crate::conformance::bed::Bed;
use crate::conformance::pulled::{Key, Run, some};

pub(super) async fn reported(bed: &Bed) -> Checked {
    if bed.manifest.deletes == Deletes::None {
        return Err(CheckVerdict::skipped("the manifest declares no deletes for this stream"));
    }
    rest(bed)?;
    let first = ended(bed.run(None).await)?;
    let described = bed.described();
    let in_a_list = described.source.serve.iter().any(|serve| serve.gone);
    if bed.manifest.deletes == Deletes::Explicit && described.source.deleted.is_none() && !in_a_list {
        if described.tombstones.is_empty() {
            return Err(CheckVerdict::skipped(
                "no deletion marker is described: deletions are reported in another way, perhaps by events",
            ));
        }
        let told = |entity: &String| first.records().any(|record| record.entity == *entity && record.deleted);
        return match described.tombstones.iter().all(told) {
            true => Ok(()),
            false => Err(CheckVerdict::failed(
                format!("no record of {} is reported as gone", described.tombstones.join(", ")),
                "report each with Item::push_deleted, or take the entity out of `tombstones`",
            )),
        };
    }
    let id = chosen_id(bed);
    bed.rows(|rows| rows.end(CHOSEN, rows.newest_ms() + 5_000));
    let second = ended(bed.run_after(&first).await)?;
    let gone = match bed.manifest.deletes {
        Deletes::Explicit => chosen(&second, &id).iter().any(|record| record.deleted),
        Deletes::Diff | Deletes::None => second.lists_everything() && chosen(&second, &id).is_empty(),
    };
    match (gone, bed.manifest.deletes) {
        (true, _) => Ok(()),
        (false, Deletes::Explicit) => Err(CheckVerdict::failed(
            format!("record {id} is marked as gone and the next run does not say so"),
            "report it with Item::push_deleted",
        )),
        (false, _) => Err(CheckVerdict::failed(
            format!("record {id} is no longer listed, and the run does not say that it listed everything"),
            "end a run that read the whole list with Page::everything",
        )),
    }
}

pub(super) async fn not_invented(bed: &Bed) -> Checked {
    spread(bed)?;
    let first = ended(bed.run(None).await)?;
    sound(bed, &first)?;
    let second = ended(bed.run_after(&first).await)?;
    sound(bed, &second)?;
    bed.rows(|rows| rows.touch(CHOSEN, rows.newest_ms() + 5_000));
    let third = ended(bed.run_after(&second).await)?;
    sound(bed, &third)
}

/// Every row is there, so nothing may be reported as gone, and a run that says it listed everything must have.
fn sound(bed: &Bed, run: &Run) -> Checked {
    let tombstones = &bed.described().tombstones;
    let invented = run.records().filter(|record| record.deleted && !tombstones.contains(&record.entity));
    let invented: Vec<Key> = invented.map(|record| (record.entity.clone(), record.external_id.clone())).collect();
    if !invented.is_empty() {
        return Err(CheckVerdict::failed(
            format!("reported as gone while the source has them: {}", some(invented)),
            "report a record as gone only when the vendor says so",
        ));
    }
    let unlisted: Vec<Key> = bed.expected().difference(&run.keys()).cloned().collect();
    if run.lists_everything() && !unlisted.is_empty() {
        return Err(CheckVerdict::failed(
            format!(
                "the run says that it listed everything and did not list {}: they would be taken as gone",
                some(unlisted)
            ),
            "use Page::everything only for a run that reads the whole list from its beginning",
        ));
    }
    Ok(())
}
