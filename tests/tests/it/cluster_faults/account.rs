//! The account at the end: what the source has, what was sent, what was read and what arrived, each against the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::judge::HANG;
use super::load::Hooks;
use super::play::Play;
use super::readers::take_position;

/// Deliveries to one destination that a fault can cut: those are sent again, with the same key.
const CUT_BY_ONE_FAULT: u64 = 3 * 4;

impl Play {
    /// Ends the load, waits until everything has arrived, and compares. Gives what there is to tell.
    pub(super) async fn account(mut self, what: &str) -> String {
        self.all_serve().await;
        let load = self.load.take().unwrap();
        let hooks = load.end().await;
        let changes = self.everything_arrived(&hooks).await;
        let Self { readers, judge, gateways, figures, notes, .. } = &self;
        for (who, seen) in [("the long poll", &readers.poll), ("the event stream", &readers.stream)] {
            let saw = seen.take();
            let other = saw.iter().zip(&changes).find(|(saw, change)| saw != change);
            assert_eq!((saw.len(), other), (changes.len(), None), "{who} saw what the feed holds: {what}");
        }
        assert_eq!(*judge.faults.lock().unwrap(), Vec::<String>::new(), "{what}");
        for (at, gateway) in gateways.iter().enumerate() {
            let log = gateway.log();
            assert!(!log.contains("panicked"), "gateway {at}: {log}: {what}");
        }
        let revisions = revisions(&changes, what);
        let (arrived, again) = deliveries(&notes.lock().unwrap().notes, &revisions, what);
        let bound = (figures.faults() + 1) * CUT_BY_ONE_FAULT;
        assert!(again <= bound, "{again} deliveries were repeated, at most {bound} were cut: {what}");
        let inbox = self.inbox(&hooks, &changes, what).await;
        let gave_up: u32 = gateways.iter().map(|gateway| gateway.gave_up).sum();
        let (good, later, cut) = (&judge.good, &judge.later, &judge.cut);
        let told = format!(
            "{what}: 0 lost, 0 doubled: {} changes at positions 1 to {}, {inbox} webhooks, {arrived} deliveries ({again} sent again with \
             the same key)\n{figures}\n{} answers were good, {} were 503 with Retry-After, {} requests were cut; slowest answer {} ms \
             (limit {} s)\n{gave_up} times a gateway ended because its database was away when it started",
            changes.len(),
            changes.len(),
            good.load(Ordering::SeqCst),
            later.load(Ordering::SeqCst),
            cut.load(Ordering::SeqCst),
            judge.slowest.lock().unwrap().as_millis(),
            HANG.as_secs(),
        );
        let Self { readers, .. } = self;
        readers.end().await;
        told
    }

    /// Waits until records are as the source has them, every change was read, and every delivery has arrived; gives the feed.
    async fn everything_arrived(&mut self, hooks: &Hooks) -> Vec<Value> {
        let wanted = self.wanted(hooks);
        let begun = tokio::time::Instant::now();
        loop {
            self.rest(Duration::from_millis(300)).await;
            let records = self.records().await;
            let late = wanted.iter().filter(|(id, value)| records.get(*id) != Some(*value)).count();
            let mut changes = self.list("/v1/changes?limit=1000", "next_cursor", "after").await;
            for change in &mut changes {
                take_position(change);
            }
            let staff = changes.iter().filter(|change| change["connection"] == "staff").count();
            let notes: BTreeSet<String> = self.notes.lock().unwrap().notes.iter().map(|(key, _)| key.clone()).collect();
            let read = self.readers.poll.count().min(self.readers.stream.count());
            if late == 0 && notes.len() >= staff && read >= changes.len() {
                assert_eq!(records.len(), wanted.len(), "no record is there that should not be");
                return changes;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "{late} of {} records are late; {} of {staff} deliveries and {read} of {} changes arrived; {}",
                wanted.len(),
                notes.len(),
                changes.len(),
                self.told()
            );
        }
    }

    /// Of each record what tells its state: a title, or a name.
    fn wanted(&self, hooks: &Hooks) -> BTreeMap<String, Value> {
        let staff = self.source.lock().unwrap().oracle().into_iter().map(|(id, json)| {
            let row: Value = serde_json::from_str(&json).unwrap();
            (id, row["jobTitle"].clone())
        });
        let last = hooks.last.lock().unwrap();
        staff.chain(last.iter().map(|(id, number)| (id.clone(), super::load::named(*number)))).collect()
    }

    async fn records(&self) -> BTreeMap<String, Value> {
        let rows = self.list("/v1/employees?limit=1000", "next_cursor", "cursor").await;
        let row = |row: &Value| {
            let id = row["external_ids"][0]["value"].as_str().unwrap().to_owned();
            let state = if id.starts_with('W') {
                row["body"]["person"]["names"]["formatted"].clone()
            } else {
                row["body"]["work"]["title"].clone()
            };
            (id, state)
        };
        let found: BTreeMap<_, _> = rows.iter().map(row).collect();
        assert_eq!(found.len(), rows.len(), "each record once");
        found
    }

    /// A whole list of the API's.
    async fn list(&self, path: &str, next: &str, parameter: &str) -> Vec<Value> {
        let (mut rows, mut from) = (Vec::new(), String::new());
        loop {
            let url = format!("{}{path}{from}", self.gateways[0].url());
            let answer = self.client.get(url).bearer_auth(&self.key).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let page: Value = answer.json().await.unwrap();
            let found = page["data"].as_array().unwrap();
            rows.extend(found.iter().cloned());
            // The feed has a next position always.
            let next = match &page[next] {
                Value::String(text) if !found.is_empty() => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return rows,
            };
            from = format!("&{parameter}={next}");
        }
    }

    /// Every webhook that was taken is there once, and the feed has its changes and no others. Gives how many.
    async fn inbox(&self, hooks: &Hooks, changes: &[Value], what: &str) -> usize {
        let rows = self.list("/v1/inbox?limit=1000", "next_before", "before").await;
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["delivery_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rows.len(), "each webhook once: {what}");
        let taken: BTreeSet<String> = (0..hooks.taken.load(Ordering::SeqCst)).map(|n| format!("m{n}")).collect();
        let lost: Vec<&String> = taken.iter().filter(|id| !ids.contains(id.as_str())).collect();
        assert!(lost.is_empty(), "lost webhooks {lost:?}: {what}");
        assert_eq!(ids.len(), taken.len(), "{what}");
        let announced: i64 = rows.iter().map(|row| row["changes"].as_i64().unwrap()).sum();
        let events = changes.iter().filter(|change| change["connection"] == "events").count();
        assert_eq!(events as i64, announced, "a change for each webhook that changed something: {what}");
        rows.len()
    }
}

/// Of each record its revisions follow each other in the order of the feed. Gives those that deliveries are made of.
fn revisions(changes: &[Value], what: &str) -> BTreeSet<(String, i64)> {
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut staff = BTreeSet::new();
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(change["cursor"], at + 1, "no gap: {what}");
        let revision = change["revision"].as_i64().unwrap();
        let before = last.insert(change["record_id"].as_str().unwrap(), revision).unwrap_or(0);
        assert_eq!(revision, before + 1, "{change}: {what}");
        if change["connection"] == "staff" {
            staff.insert((change["external_id"].as_str().unwrap().to_owned(), revision));
        }
    }
    staff
}

/// Each change has one key and one note, no title comes twice for a record, and of a record the notes begin to arrive in order. Gives how many
/// there are, and how many came again.
fn deliveries(notes: &[(String, Value)], wanted: &BTreeSet<(String, i64)>, what: &str) -> (usize, u64) {
    let mut by_key: BTreeMap<&str, &Value> = BTreeMap::new();
    let (mut sent, mut titles, mut last) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for (key, note) in notes {
        let (id, revision) = (note["id"].as_str().unwrap().to_owned(), note["revision"].as_i64().unwrap());
        if let Some(known) = by_key.insert(key, note) {
            assert_eq!(known, note, "one key, one note: {what}");
            continue;
        }
        let before = last.insert(id.clone(), revision).unwrap_or(0);
        assert!(revision > before, "{id}: revision {revision} after {before}: {what}");
        assert!(titles.insert((id.clone(), note["title"].to_string())), "{note} is a doubled change: {what}");
        sent.insert((id, revision));
    }
    assert_eq!(&sent, wanted, "every change was delivered, and nothing else: {what}");
    assert_eq!(by_key.len(), sent.len(), "one key a change: {what}");
    (by_key.len(), (notes.len() - by_key.len()) as u64)
}
