//! Moka's open API: jobs by kind of hiring, and who has an offer or is about to join.
//!
//! Quirks it plays: a stage without anybody is 500, refusals come with status 200, a page holds at most 20, and a module that is not opened is 403.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha256};

/// The key that the simulator takes. A canary: it must turn up nowhere.
pub const API_KEY: &str = "canary-moka-key-83d1";

/// With it events are signed.
pub const SIGN_KEY: &str = "canary-moka-sign-77b0";

/// An organisation.
#[derive(Debug, Default)]
pub struct Org {
    /// (mode, job)
    pub jobs: Vec<(&'static str, Value)>,
    pub applications: Vec<Value>,
    /// Calls that are not opened for the account.
    pub closed: Vec<&'static str>,
}

const PATH: &str = "/api-platform/v1";

impl Org {
    /// So many people with an offer.
    pub fn of(applications: usize) -> Self {
        let job = |id: &str| json!({ "jobId": id, "title": "前端工程师", "department": "产品部" });
        Self {
            jobs: vec![("social", job("job-1")), ("social", job("job-2")), ("campus", job("job-3"))],
            applications: (1..=applications).map(application).collect(),
            closed: Vec::new(),
        }
    }

    fn applications(&self, ask: &Ask) -> Told {
        let known = [
            "stage",
            "applicationId",
            "order",
            "limit",
            "next",
            "movedAtStartTime",
            "movedAtEndTime",
            "email",
            "phone",
        ];
        let refused = Told::good(json!({ "success": false, "code": 102, "msg": "参数错误" }));
        let Ok(limit) = ask.size("limit", 20, 20) else { return refused };
        if ask.stranger(&known).is_some() {
            return refused;
        }
        let ids = ask.query.get("applicationId").map(|ids| ids.split(',').collect::<Vec<_>>());
        let rows: Vec<&Value> = match (&ids, ask.query.get("stage").map(String::as_str)) {
            (Some(ids), None) => self
                .applications
                .iter()
                .filter(|row| ids.contains(&row["applicationId"].to_string().as_str()))
                .collect(),
            (None, Some("all" | "offer" | "pending_checkin")) => self.applications.iter().collect(),
            _ => return refused,
        };
        if rows.is_empty() {
            return Told::of(500, json!({ "code": 500, "msg": "服务器异常" }));
        }
        let from: usize = ask.query.get("next").and_then(|next| next.parse().ok()).unwrap_or(0);
        let page: Vec<&Value> = rows.iter().skip(from).take(limit).copied().collect();
        let next = (rows.len() > from + limit).then(|| (from + limit).to_string());
        Told::good(json!({ "code": 0, "msg": "", "data": page, "next": next }))
    }
}

impl Vendor for Org {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.is_basic(API_KEY, "") {
            true => Ok(()),
            false => Err(Told::of(401, json!({ "code": 401, "msg": "未授权" }))),
        }
    }

    fn busy(&self) -> Told {
        Told::of(429, json!({ "code": 429, "msg": "请求过于频繁" }))
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let segments = ask.below(PATH);
        if segments.first().is_some_and(|first| self.closed.contains(first)) {
            return Told::of(403, json!({ "code": 403, "msg": "该接口未开通" }));
        }
        match (ask.method.as_str(), segments.as_slice()) {
            ("GET", ["jobs", "org-1"]) => match ask.query.get("mode").map(String::as_str) {
                Some(mode @ ("social" | "campus")) => {
                    let jobs: Vec<&Value> =
                        self.jobs.iter().filter(|(of, _)| *of == mode).map(|(_, job)| job).collect();
                    Told::good(json!({ "jobs": jobs, "total": jobs.len() }))
                }
                _ => Told::good(json!({ "success": false, "code": 102, "msg": "参数错误" })),
            },
            ("GET", ["data", "ehrApplications"]) => self.applications(ask),
            _ => Told::of(404, json!({ "code": 404, "msg": "不存在" })),
        }
    }
}

/// An event as it is sent when a recruiter exports a candidate: its body, and `sign` for the address.
pub fn pushed(id: &str, application: &Value) -> (String, String) {
    let body =
        json!({ "id": id, "event": "pushCandidate", "triggeredAt": 1_780_000_000, "data": application }).to_string();
    let sign = hmac_sha256(SIGN_KEY, &[&body]);
    (body, sign)
}

fn application(n: usize) -> Value {
    json!({
        "applicationId": 47_151_740 + n, "candidateId": 28_739_720 + n, "name": format!("张候选{n}"), "phone": "13800000001",
        "email": format!("zh{n}@candidate.test"), "gender": "男", "stageName": "沟通offer", "source": "BOSS直聘", "hireMode": 1,
        "job": { "jobId": "job-1", "title": "前端工程师", "department": "产品部" },
        "offer": { "approvalStatus": "APPROVED", "checkinDate": "2026-07-01", "customFields": [] },
    })
}
