//! Reading without a question: the bodies themselves, each stream, and how the statements are run.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use renmen_schema::entity::PerformanceMetric;
use renmen_store::Store;
use renmen_store::insight::{Ask, Batch, Need, Rows, Subject};
use tokio::sync::mpsc;

use crate::insight_filled::tenant;

pub(crate) fn ask(needs: &[Need]) -> Ask {
    Ask { needs: needs.to_vec(), metrics: None, offset_minutes: 480, entries_max: 20_000_000 }
}

/// What the simple way would cost: every body of one entity read and parsed, with nothing resolved.
pub(crate) fn bodies(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let began = Instant::now();
    let sql = "SELECT r.body FROM scope s JOIN record r ON r.scope = s.id WHERE s.entity = 'performance_metric' AND r.deleted IS NULL";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut read = 0;
    while let Some(row) = rows.next().unwrap() {
        let body = row.get_ref(0).unwrap().as_blob().unwrap();
        let metric: PerformanceMetric = serde_json::from_slice(body).unwrap();
        read += u64::from(metric.metric.objective);
    }
    println!("the simple way, metrics alone: {read} bodies read and parsed in {:.2} s", began.elapsed().as_secs_f64());
}

pub(crate) fn plans(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let with_identity = "SELECT r.record, r.body, m.identity FROM insight_row r
        LEFT JOIN identity_member m ON m.tenant = 'acme' AND m.record = r.record WHERE r.scope = 1 AND r.part = 0";
    for sql in ["SELECT record, body FROM insight_row WHERE scope = 1 AND part = 0", with_identity] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().map(std::result::Result::unwrap).collect();
        println!("plan: {}", plan.join("; "));
    }
}

/// Reads one stream; with it, what others refer to.
pub(crate) async fn one(store: &Arc<dyn Store>, need: Need) {
    let began = Instant::now();
    let (to, mut batches) = mpsc::channel::<Batch>(4);
    let (tenant, asked) = (tenant(), ask(&[need]));
    let reading = store.insight_rows(&tenant, &asked, to);
    let taking = async { while batches.recv().await.is_some() {} };
    let (read, ()) = tokio::join!(reading, taking);
    let read = read.unwrap();
    println!("{need:?}: {} rows in {:.2} s, {} unresolved", read.rows, began.elapsed().as_secs_f64(), read.unresolved);
}

/// Rows of metrics, interviews and results as CSV.
pub(crate) async fn export(store: &Arc<dyn Store>, folder: &Path) {
    let began = Instant::now();
    let create = |name: &str| std::io::BufWriter::new(std::fs::File::create(folder.join(name)).unwrap());
    let (mut metrics, mut interviews, mut results) =
        (create("metrics.csv"), create("interviews.csv"), create("results.csv"));
    writeln!(metrics, "metric,person,code,value,until").unwrap();
    writeln!(interviews, "interview,person,at").unwrap();
    writeln!(results, "result,interview,overall").unwrap();
    let (to, mut batches) = mpsc::channel::<Batch>(4);
    let asked = ask(&[Need::Interviews, Need::Results, Need::Metrics]);
    let tenant = tenant();
    let reading = store.insight_rows(&tenant, &asked, to);
    let writing = async {
        let mut names = Vec::new();
        while let Some(batch) = batches.recv().await {
            names.extend(batch.names);
            match batch.rows {
                Rows::Metrics(rows) => {
                    for row in rows {
                        let Subject::Person(Some(person)) = row.subject else { continue };
                        let code = &names[row.code as usize];
                        writeln!(metrics, "{},{person},{code},{},{}", row.metric, row.value, row.until).unwrap();
                    }
                }
                Rows::Interviews(rows) => {
                    for row in rows {
                        let (person, at) = (row.person.unwrap_or_default(), row.at.unwrap());
                        writeln!(interviews, "{},{person},{at}", row.interview).unwrap();
                    }
                }
                Rows::Results(rows) => {
                    for row in rows {
                        let overall = row.overall.unwrap_or_default();
                        writeln!(results, "{},{},{overall}", row.result, row.interview).unwrap();
                    }
                }
                _ => {}
            }
        }
    };
    let (read, ()) = tokio::join!(reading, writing);
    println!("{} rows exported in {:.1} s", read.unwrap().rows, began.elapsed().as_secs_f64());
}
