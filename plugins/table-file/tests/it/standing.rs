//! Of two files that say something of the same key, the one with the later day counts, however often the other is saved.

use renmen_plugin::testing::Run;
use serde_json::{Value, json};

use crate::world::{Drop, ids, payload, rejects};

fn pay() -> Value {
    json!({"streams": {"compensation": {
        "files": "*", "key": ["工号"], "set": {"/component": {"code": "BASE"}},
        "columns": [
            {"column": "工号", "to": "/employee", "parse": {"as": "ref"}},
            {"column": "生效日期", "to": "/validity/valid_from", "parse": {"as": "date"}},
            {"column": "月薪", "to": "/rate", "parse": {"as": "rate", "currency": "CNY", "per": "MONTH"}},
        ],
    }}})
}

fn file(rows: &[(&str, &str, u32)]) -> String {
    let rows = rows.iter().map(|(id, from, rate)| format!("{id},{from},{rate}\n"));
    format!("工号,生效日期,月薪\n{}", rows.collect::<String>())
}

fn run(drop: &Drop, config: &Value, cursor: Option<String>) -> Run {
    drop.run(config, "compensation", cursor).unwrap()
}

fn rates(run: &Run) -> Vec<String> {
    (0..run.records.len()).map(|at| payload(run, at)["rate"]["money"]["amount"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_older_file_that_is_saved_again_turns_nothing_back_and_the_run_says_what_it_kept() {
    let january = file(&[("E1", "2025-01-01", 8000), ("E2", "2024-07-01", 5000), ("E3", "2025-01-01", 1)]);
    let june = file(&[("E1", "2025-06-01", 9000), ("E2", "2024-07-01", 5000)]);
    let before = run(&Drop::default().with("a.csv", january.clone()).with("b.csv", june.clone()), &pay(), None);
    assert_eq!((ids(&before).len(), before.omissions.len()), (5, 0));
    // The file of January was opened and saved again: it is the newest now.
    let saved = january.replace(",1\n", ",2\n");
    let again = Drop::default().with("b.csv", june).with("a.csv", saved);
    let after = run(&again, &pay(), before.next);
    assert_eq!(ids(&after), ["E2", "E3"], "what is the same in both files, and what only this one has");
    let kept = &after.omissions[0];
    assert_eq!(
        (kept.part.as_str(), kept.rule.as_str(), kept.count, &kept.places[0][..]),
        ("a.csv", "as_of", 1, "csv!2")
    );
    assert!(run(&again, &pay(), after.next).omissions.is_empty(), "it is read once");
}

#[test]
fn in_one_listing_the_later_day_counts_whichever_file_comes_first() {
    let (old, new) = (file(&[("E1", "2025-01-01", 8000)]), file(&[("E1", "2025-06-01", 9000)]));
    let forward = run(&Drop::default().with("a", old.clone()).with("b", new.clone()), &pay(), None);
    assert_eq!(rates(&forward).last().unwrap(), "9000");
    let backward = run(&Drop::default().with("b", new).with("a", old), &pay(), None);
    assert_eq!((rates(&backward), backward.omissions[0].count), (vec!["9000".to_owned()], 1));
}

#[test]
fn two_files_that_contradict_each_other_for_the_same_day_wait() {
    let (one, other) = (file(&[("E1", "2025-01-01", 8000)]), file(&[("E1", "2025-01-01", 9000)]));
    let run = run(&Drop::default().with("a.csv", one).with("b.csv", other), &pay(), None);
    assert_eq!((rates(&run), run.rejects.len()), (vec!["8000".to_owned()], 1));
    let reason = rejects(&run)[0].1;
    assert!(reason.contains("a.csv") && reason.contains("as_of") && !reason.contains("9000"), "{reason}");
}

#[test]
fn the_day_stands_in_the_declared_column_or_in_the_name_of_the_file() {
    let named = |from: &str| {
        let mut config = pay();
        config["streams"]["compensation"]["as_of"] = match from {
            "name" => json!({"from": "name"}),
            column => json!({"column": column}),
        };
        config
    };
    let (one, other) = (file(&[("E1", "2025-01-01", 8000)]), file(&[("E1", "2025-01-01", 9000)]));
    // Written last, named first.
    let drop = Drop::default().with("pay-2025-06.csv", other.clone()).with("pay-2025-01.csv", one.clone());
    assert_eq!(rates(&run(&drop, &named("name"), None)), ["8000", "9000"], "in the order of the names");
    let first = run(&drop, &named("name"), None);
    let saved = Drop::default().with("pay-2025-06.csv", other).with("pay-2025-01.csv", one.replace("8000", "7000"));
    let after = run(&saved, &named("name"), first.next);
    assert_eq!((after.records.len(), after.omissions[0].rule.as_str()), (0, "as_of"));
    let told = &run(&Drop::default().with("pay.csv", file(&[])), &named("name"), None).findings[0];
    assert!(told.message.contains("no date in the name"), "{}", told.message);
    assert!(run(&Drop::default().with("p", file(&[])), &named("没有"), None).findings[0].message.contains("no column"));
}

#[test]
fn a_file_with_more_newer_ones_than_may_be_compared_waits() {
    let newer = |index: u32| file(&[("E9", "2025-06-01", 9000 + index)]);
    let with = |max: u32| {
        let mut config = pay();
        config["limits"] = json!({"compared_files_max": max});
        let mut drop = Drop::default();
        for index in 0..3 {
            drop = drop.with(&format!("{index}.csv"), newer(index).replace("E9", &format!("E{index}")));
        }
        run(&drop.with("old.csv", file(&[("E1", "2025-01-01", 1)])), &config, None)
    };
    assert!(with(3).findings.is_empty());
    let told = with(2).findings;
    assert!(told[0].part == "old.csv" && told[0].message.contains("limits.compared_files_max = 2"), "{told:?}");
}
