//! A paged JSON API with very many employees: what crash tests and benchmarks pull from. Deterministic; counts what it
//! served; four records share each second, so that a cursor over time alone meets ties.
//!
//! `GET /v1/employees?limit=&cursor=&updated_since=` → `{"data": […], "next_cursor": "…" | null}`, ordered by
//! (`updatedAt`, `id`), `updated_since` inclusive. A cursor says behind which record to go on, so that no record is passed over while others
//! change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

const FIRST: [&str; 8] = ["Wei", "Fang", "Anna", "Omar", "Priya", "Lucas", "Mei", "Hana"];
const LAST: [&str; 8] = ["Wang", "Li", "Zhang", "Smith", "Garcia", "Khan", "Rossi", "Kim"];
const DEPARTMENTS: [&str; 4] = ["Engineering", "People Operations", "Finance", "Customer Support"];
const TITLES: [&str; 4] = ["Engineer", "Senior Engineer", "Analyst", "Coordinator"];
const CITIES: [&str; 4] = ["Shanghai", "Berlin", "Austin", "Singapore"];

/// The source: records in order, and what was asked of it.
#[derive(Debug)]
pub struct Staff {
    /// (tick, number, JSON), sorted.
    rows: Vec<(u64, usize, String)>,
    /// How often records were given titles of their own.
    titles: u64,
    /// Data requests that arrived.
    pub asked: u64,
    /// Answered data requests.
    pub requests: u64,
    /// Records in them.
    pub records: u64,
    /// What each answer takes.
    pub wait: Duration,
}

/// Shared with tests.
pub type Source = Arc<Mutex<Staff>>;

/// `n` employees.
#[must_use]
pub fn source(n: usize) -> Source {
    let rows = (0..n).map(|i| (i as u64 / 4, i, employee(i, i as u64 / 4, None))).collect();
    Arc::new(Mutex::new(Staff { rows, titles: 0, asked: 0, requests: 0, records: 0, wait: Duration::ZERO }))
}

fn time(tick: u64) -> String {
    // 2024-01-01T00:00:00Z
    jiff::Timestamp::from_second(1_704_067_200 + tick as i64).unwrap().to_string()
}

fn employee(i: usize, tick: u64, title: Option<&str>) -> String {
    let h = i.wrapping_mul(2_654_435_761) & 0xFFFF_FFFF;
    let (first, last) = (FIRST[h % 8], LAST[(h >> 4) % 8]);
    let department = (h >> 8) % 4;
    // A row that was touched gets another job title: otherwise nothing would differ.
    let title = title.unwrap_or(TITLES[((h >> 11) + usize::from(tick != i as u64 / 4)) % 4]);
    serde_json::json!({
        "id": format!("emp-{i:08}"), "employeeNumber": format!("E{i:07}"),
        "firstName": first, "lastName": last, "displayName": format!("{first} {last}"),
        "workEmail": format!("{}.{}.{i}@example.test", first.to_lowercase(), last.to_lowercase()),
        "mobile": format!("+86138{:08}", h % 100_000_000),
        "department": { "id": format!("dept-{department:03}"), "name": DEPARTMENTS[department] },
        "jobTitle": title,
        "managerId": (i > 0).then(|| format!("emp-{:08}", i / 10)),
        "location": CITIES[(h >> 14) % 4],
        "employmentType": if h.is_multiple_of(7) { "contract" } else { "full_time" },
        "status": if h.is_multiple_of(11) { "terminated" } else { "active" },
        "hireDate": format!("{}-{:02}-{:02}", 2005 + h % 20, 1 + (h >> 5) % 12, 1 + (h >> 9) % 28),
        "salary": { "amount": 60_000 + h % 90_000, "currency": "CNY" },
        "createdAt": time(i as u64 / 4), "updatedAt": time(tick),
    })
    .to_string()
}

impl Staff {
    /// Gives `n` records, spread over the set, a newer time and another title: an ordinary day.
    pub fn touch(&mut self, n: usize) {
        let top = self.rows.iter().map(|r| r.0).max().unwrap_or(0);
        let step = (self.rows.len() / n.max(1)).max(1);
        let mut touched = 0;
        for row in &mut self.rows {
            if row.1 % step == 0 && touched < n {
                row.0 = top + 1 + touched as u64 / 4;
                row.2 = employee(row.1, row.0, None);
                touched += 1;
            }
        }
        self.rows.sort_unstable_by_key(|r| (r.0, r.1));
    }

    /// Gives `n` records, wherever the dice fall, a newer time and a title that none had before.
    pub fn retitle(&mut self, n: usize, dice: &mut impl rand::Rng) {
        let top = self.rows.iter().map(|r| r.0).max().unwrap_or(0);
        for touched in 0..n {
            let at = dice.random_range(0..self.rows.len());
            let row = &mut self.rows[at];
            self.titles += 1;
            row.0 = top + 1 + touched as u64 / 4;
            row.2 = employee(row.1, row.0, Some(&format!("{} {}", TITLES[at % 4], self.titles)));
        }
        self.rows.sort_unstable_by_key(|r| (r.0, r.1));
    }

    /// Gives the first `n` records a day that does not exist: they cannot be taken in.
    pub fn spoil(&mut self, n: usize) {
        for row in self.rows.iter_mut().take(n) {
            row.2 = row.2.replace("\"hireDate\":\"20", "\"hireDate\":\"x20");
        }
    }

    /// Every record as it stands: id, then the vendor's JSON.
    #[must_use]
    pub fn oracle(&self) -> HashMap<String, String> {
        self.rows.iter().map(|(_, i, json)| (format!("emp-{i:08}"), json.clone())).collect()
    }
}

/// The simulator's routes.
pub fn router(source: Source) -> Router {
    Router::new().route("/v1/employees", get(list)).route("/admin/touch", post(touch)).with_state(source)
}

async fn touch(State(source): State<Source>, Query(ask): Query<HashMap<String, String>>) -> &'static str {
    source.lock().unwrap().touch(ask.get("n").and_then(|n| n.parse().ok()).unwrap_or(1000));
    "touched\n"
}

async fn list(State(source): State<Source>, Query(ask): Query<HashMap<String, String>>) -> Response {
    let wait = {
        let mut staff = source.lock().unwrap();
        staff.asked += 1;
        staff.wait
    };
    tokio::time::sleep(wait).await;
    let mut staff = source.lock().unwrap();
    let limit: usize = ask.get("limit").and_then(|l| l.parse().ok()).unwrap_or(1000).min(5000);
    let start = match (ask.get("cursor"), ask.get("updated_since")) {
        (Some(cursor), _) => match cursor.split_once('-').map(|(tick, i)| (tick.parse::<u64>(), i.parse::<usize>())) {
            Some((Ok(tick), Ok(i))) => staff.rows.partition_point(|r| (r.0, r.1) <= (tick, i)),
            _ => usize::MAX,
        },
        (None, Some(since)) => staff.rows.partition_point(|r| time(r.0) < *since),
        (None, None) => 0,
    };
    let rows = staff.rows.get(start..).unwrap_or_default();
    let page = &rows[..rows.len().min(limit)];
    let mut body = String::with_capacity(page.len() * 500 + 64);
    body.push_str("{\"data\":[");
    for (n, row) in page.iter().enumerate() {
        if n > 0 {
            body.push(',');
        }
        body.push_str(&row.2);
    }
    match page.last().filter(|_| rows.len() > limit) {
        Some((tick, i, _)) => body.push_str(&format!("],\"next_cursor\":\"{tick}-{i}\"}}")),
        None => body.push_str("],\"next_cursor\":null}"),
    }
    let served = page.len() as u64;
    staff.requests += 1;
    staff.records += served;
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
