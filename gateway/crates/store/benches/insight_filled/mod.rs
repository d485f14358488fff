//! Made-up records of a tenant with three connections: hiring, staff, performance.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{
    Content, NewRun, PageCommit, PageNotes, PluginRef, RecordWrite, RunEnd, RunState, RunTrigger, Store, StreamKey,
};

const PAGE: usize = 1_000;
const NODES: [&str; 5] = ["INVITE_SENT", "INVITE_OPENED", "CONFIRMED", "STARTED", "COMPLETED"];
pub(crate) const CODES: [&str; 5] = ["sales", "errors", "tickets", "output", "returns"];
const DIMENSIONS: u64 = 4;
const QUESTIONS: u64 = 5;

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// A number that looks like chance.
fn chance(n: u64, of: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ of.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Takes records in, a page at a time.
struct Filling<'s> {
    store: &'s Arc<dyn Store>,
    connection: &'static str,
    run: Option<renmen_schema::id::RunId>,
    pages: u64,
    waiting: Vec<RecordWrite>,
    written: u64,
}

impl<'s> Filling<'s> {
    fn of(store: &'s Arc<dyn Store>, connection: &'static str) -> Self {
        Self { store, connection, run: None, pages: 0, waiting: Vec::with_capacity(PAGE), written: 0 }
    }

    fn key(&self) -> StreamKey {
        StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new(self.connection).unwrap(),
            stream: StreamName::new("all").unwrap(),
        }
    }

    async fn put(&mut self, entity: &str, id: String, body: String) {
        self.waiting.push(RecordWrite {
            external_id: id,
            content: Content::of(entity, body.into_bytes()),
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted: None,
        });
        if self.waiting.len() >= PAGE {
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        let now_ms = 1_760_000_000_000;
        let run = match self.run {
            Some(run) => run,
            None => {
                let plugin = PluginRef { name: "bench".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
                let new = NewRun { key: self.key(), plugin, trigger: RunTrigger::Manual, now_ms, lease_ms: 3_600_000 };
                *self.run.insert(self.store.begin_run(new).await.unwrap())
            }
        };
        let cursor = |page: u64| (page > 0).then(|| page.to_string());
        let page = PageCommit {
            key: self.key(),
            run,
            cursor_before: cursor(self.pages),
            cursor_after: cursor(self.pages + 1),
            has_more: true,
            sweep: None,
            records: std::mem::take(&mut self.waiting),
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: now_ms,
            now_ms,
        };
        self.pages += 1;
        self.written += page.records.len() as u64;
        self.store.commit_page(page).await.unwrap();
    }

    async fn end(mut self) -> u64 {
        self.commit().await;
        let end = RunEnd {
            findings: Vec::new(),
            state: RunState::Completed,
            error: None,
            retry_at_ms: None,
            now_ms: 1_760_000_000_000,
        };
        self.store.finish_run(self.run.unwrap(), end).await.unwrap();
        self.written
    }
}

/// Gives how many records were written.
pub(crate) async fn fill(store: &Arc<dyn Store>, interviews: u64, metrics: u64) -> u64 {
    let (mut hiring, mut staff, mut figures) =
        (Filling::of(store, "ats"), Filling::of(store, "hr"), Filling::of(store, "pms"));
    let job = r#"{"kind":{"code":"POSITION"},"title":{"en":"Clerk"}}"#;
    hiring.put("job", "j1".into(), job.into()).await;
    staff.put("job", "p1".into(), job.into()).await;
    staff.put("org_unit", "u1".into(), r#"{"name":{"en":"Shop"},"kind":{"code":"DEPARTMENT"}}"#.into()).await;
    for n in 0..interviews {
        hire(&mut hiring, n).await;
        employ(&mut staff, n).await;
    }
    for n in 0..metrics {
        let (of, code) = (n % interviews, CODES[(n / interviews) as usize % CODES.len()]);
        // Half of them by a number that another connection gives, half by an id of that connection.
        let employee = if n % 2 == 0 {
            format!(r#"{{"key":{{"scheme":"employee_number","value":"E{of}"}}}}"#)
        } else {
            format!(r#"{{"external":{{"connection":"hr","value":"e{of}"}}}}"#)
        };
        let value = chance(n, 11) % 100_000;
        figures.put("performance_metric", format!("m{n}"), format!(
            r#"{{"metric":{{"code":"{code}","name":{{"en":"{code} of the quarter"}},"unit":"pieces","objective":true}},"employee":{employee},"period":{{"start":"2026-04-01","end":"2026-06-30"}},"value":"{}.{:02}","target":"500"}}"#,
            value / 100, value % 100
        )).await;
    }
    hiring.end().await + staff.end().await + figures.end().await
}

fn instant(n: u64, minutes: u64) -> String {
    let at = 1_740_000_000_000 + (chance(n, 1) % 20_000_000_000) + minutes * 60_000;
    renmen_schema::types::Instant::from_epoch_ms(at as i64).unwrap().to_string()
}

const POLICY: &str = r#""data_policy":{"purpose":["hiring","interview_performance_analysis"],"legal_basis":{"code":"HR_MANAGEMENT"},"retain_until":"2031-12-31"}"#;

async fn hire(to: &mut Filling<'_>, n: u64) {
    let gender = ["FEMALE", "MALE", "NON_BINARY", "NOT_DISCLOSED"][(chance(n, 2) % 4) as usize];
    to.put("candidate", format!("c{n}"), format!(
        r#"{{"person":{{"names":{{"formatted":"Candidate {n}"}},"emails":[{{"address":"c{n}@example.com","kind":"PRIVATE"}}],"gender":{{"code":"{gender}"}}}},"headline":"Clerk with {} years","tags":["a","b"],{POLICY}}}"#,
        chance(n, 3) % 20
    )).await;
    let channel = ["JOB_BOARD", "REFERRAL", "CAMPUS"][(chance(n, 7) % 3) as usize];
    let status = ["ACTIVE", "HIRED", "REJECTED"][(chance(n, 8) % 3) as usize];
    to.put("application", format!("a{n}"), format!(
        r#"{{"candidate":{{"external":{{"value":"c{n}"}}}},"job":{{"external":{{"value":"j1"}}}},"status":{{"code":"{status}"}},"source":{{"channel":{{"code":"{channel}"}}}},"applied_at":"{}"}}"#,
        instant(n, 0)
    )).await;
    to.put("interview", format!("i{n}"), format!(
        r#"{{"application":{{"external":{{"value":"a{n}"}}}},"round":0,"kind":"AI","status":{{"code":"COMPLETED"}},"ended_at":{{"utc":"{}","tz":"Asia/Shanghai"}},"language":"zh-CN",{POLICY}}}"#,
        instant(n, 90)
    )).await;
    to.put("interview_result", format!("r{n}"), format!(
        r#"{{"interview":{{"external":{{"value":"i{n}"}}}},"overall":{{"value":"{}","min":"0","max":"100","scale":"PERCENT"}},"recommendation":{{"code":"YES"}},"strengths":[{{"en":"calm and clear in every answer"}}]}}"#,
        chance(n, 9) % 101
    )).await;
    for at in 0..1 + chance(n, 3) % NODES.len() as u64 {
        to.put("process_node", format!("n{n}-{at}"), format!(
            r#"{{"subject":{{"interview":{{"external":{{"value":"i{n}"}}}}}},"node":{{"code":"{}"}},"at":"{}","attrs":{{"clicks":{at},"wait_ms":{}}}}}"#,
            NODES[at as usize], instant(n, at), chance(n, 4) % 300_000
        )).await;
    }
    for at in 0..DIMENSIONS {
        to.put("dimension_score", format!("s{n}-{at}"), format!(
            r#"{{"interview":{{"external":{{"value":"i{n}"}}}},"dimension":{{"en":"dimension {at}"}},"score":{{"value":"{}","min":"0","max":"100","scale":"PERCENT"}},"explanation":{{"en":"spoke to the point, with examples from work"}}}}"#,
            chance(n, 10 + at) % 101
        )).await;
    }
    for at in 0..QUESTIONS {
        let mut text = String::new();
        for word in 0..30 {
            let _ = write!(text, "word{} ", chance(n, word) % 1_000);
        }
        to.put("interview_answer", format!("w{n}-{at}"), format!(
            r#"{{"interview":{{"external":{{"value":"i{n}"}}}},"question":{{"id":"q{at}","text":{{"en":"What did you do?"}},"kind":{{"code":"OPEN"}}}},"answer_text":"{text}","score":{{"value":"{}","min":"0","max":"10","scale":"RAW"}}}}"#,
            chance(n, 20 + at) % 11
        )).await;
    }
}

async fn employ(to: &mut Filling<'_>, n: u64) {
    to.put("employee", format!("e{n}"), format!(
        r#"{{"person":{{"names":{{"formatted":"Candidate {n}"}}}},"number":"E{n}","work":{{"status":{{"code":"ACTIVE"}},"title":"Clerk","job":{{"external":{{"value":"p1"}}}},"org_unit":{{"external":{{"value":"u1"}}}},"start_date":"2025-09-01"}},{POLICY}}}"#
    )).await;
    let outcome = if chance(n, 6).is_multiple_of(5) { "FAILED" } else { "PASSED" };
    let end = if chance(n, 5).is_multiple_of(3) {
        r#","end_date":"2026-03-01","end_reason":{"code":"RESIGNED"}"#
    } else {
        ""
    };
    to.put("employment", format!("t{n}"), format!(
        r#"{{"employee":{{"external":{{"value":"e{n}"}}}},"status":{{"code":"ACTIVE"}},"start_date":"2025-09-01","probation":{{"outcome":{{"code":"{outcome}"}}}}{end}}}"#
    )).await;
    to.put("performance_review", format!("v{n}"), format!(
        r#"{{"cycle":{{"period":{{"start":"2026-01-01","end":"2026-06-30"}},"kind":{{"code":"HALF_YEAR"}}}},"reviewee":{{"external":{{"value":"e{n}"}}}},"relation":{{"code":"MANAGER"}},"rating":{{"value":"{}","min":"1","max":"5","scale":"STARS"}},"calibrated":true}}"#,
        1 + chance(n, 30) % 5
    )).await;
}

/// Each candidate is one person with the employee of the same number, as the work on identities would have found.
pub(crate) fn link(file: &Path, interviews: u64) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let began = std::time::Instant::now();
    let sql = "INSERT INTO identity_member (tenant, record, identity, kind, too_large, since_ms)
               SELECT 'acme', x.id, c.id, 1, 0, 0 FROM record c JOIN scope cs ON cs.id = c.scope AND cs.entity = 'candidate'
               JOIN scope es ON es.entity = 'employee'
               JOIN record e ON e.scope = es.id AND e.external_id = 'e' || substr(c.external_id, 2)
               JOIN record x ON x.id IN (c.id, e.id)";
    let linked = connection.execute(sql, []).unwrap();
    assert_eq!(linked as u64, 2 * interviews);
    println!("{linked} records linked in {:.1} s", began.elapsed().as_secs_f64());
}
