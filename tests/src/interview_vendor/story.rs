//! One interview as the vendor holds it, told in events: what the demo and the story's test play.

use serde_json::{Value, json};

use super::{Vendor, now, put};

/// The objects of one interview of an order, each event with what it brings.
#[derive(Debug)]
pub struct Story {
    /// The vendor's id of the order.
    pub order: String,
    /// The vendor's id of the interview.
    pub interview: String,
    application: Value,
    /// When it is planned to begin: soon enough for a reminder.
    start: String,
    /// When the candidate began, before that.
    began: String,
}

impl Story {
    /// The interview of the n-th order that was placed; none before it was. `tag` makes its id another than that of any story
    /// before.
    #[must_use]
    pub fn of_order(vendor: &Vendor, number: usize, tag: &str) -> Option<Self> {
        let state = vendor.lock().unwrap();
        let asked = state.orders.get(number)?;
        let application = asked.get("application_id").unwrap_or(&asked["external_id"]).clone();
        let start = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(4)).to_string();
        Some(Self {
            order: format!("ord-x{number}"),
            interview: format!("int-{tag}"),
            application,
            start,
            began: now(),
        })
    }

    /// The order was taken, a time agreed, the candidate invited.
    #[must_use]
    pub fn invited(&self) -> Value {
        let order = json!({ "id": self.order, "modified_at": now(), "application_id": self.application,
                            "package": { "id": "pkg-video" }, "mode": "async_video", "language": "zh-CN", "profile_version": 3,
                            "start_at": self.start, "time_zone": "Asia/Shanghai", "invite_by": "vendor", "status": "scheduled",
                            "access_url": format!("https://vendor.example/i/{}", self.order) });
        self.event(
            "order.updated",
            &json!({ "orders": [order], "interviews": [self.at("scheduled")],
                                             "process_nodes": [self.node("invite_sent", 0)] }),
        )
    }

    /// The candidate began.
    #[must_use]
    pub fn started(&self) -> Value {
        self.event(
            "interview.updated",
            &json!({ "interviews": [self.at("in_progress")], "process_nodes": [self.node("started", 1)] }),
        )
    }

    /// A question was answered: `done` of three.
    #[must_use]
    pub fn answered(&self, done: u32) -> Value {
        let mut node = self.node("answer_submitted", 1 + done);
        node["question_id"] = json!(format!("q-{}", done - 1));
        node["done"] = json!(done);
        node["of"] = json!(3);
        self.event("interview.node", &json!({ "process_nodes": [node] }))
    }

    /// The line was slow.
    #[must_use]
    pub fn slow(&self) -> Value {
        let event = json!({ "id": format!("env-{}", self.interview), "modified_at": now(), "interview_id": self.interview,
                            "at": now(), "type": "network_latency", "value": "740", "unit": "ms", "severity": "warning" });
        self.event("interview.environment", &json!({ "environment_events": [event] }))
    }

    /// It is over.
    #[must_use]
    pub fn completed(&self) -> Value {
        self.event(
            "interview.completed",
            &json!({ "interviews": [self.at("completed")], "process_nodes": [self.node("completed", 5)] }),
        )
    }

    /// The report: an overall score of 100, and the scores that it is made of.
    #[must_use]
    pub fn result(&self, overall: u32) -> Value {
        let score = |n: usize, name: &str, weight: &str| {
            json!({ "id": format!("dim-{}-{n}", self.interview), "modified_at": now(), "interview_id": self.interview,
                    "competency": { "id": format!("comp-{n}"), "name": { "zh-CN": name } },
                    "explanation": { "zh-CN": "依据回答中的具体事例" }, "score": { "value": overall.to_string(), "min": "0", "max": "100" },
                    "weight_percent": weight, "profile_version": 3, "model_version": "2026.02" })
        };
        let result = json!({ "id": format!("res-{}", self.interview), "modified_at": now(), "interview_id": self.interview,
                             "overall": { "value": overall.to_string(), "min": "0", "max": "100" },
                             "recommendation": "yes", "strengths": [{ "zh-CN": "表达清晰", "en": "Speaks clearly" }],
                             "weaknesses": [{ "zh-CN": "案例不够具体" }],
                             "report": [{ "uri": format!("https://vendor.example/reports/{}", self.interview) }] });
        let scores = [score(0, "沟通", "30"), score(1, "专业能力", "45"), score(2, "稳定性", "25")];
        self.event("result.ready", &json!({ "results": [result], "dimension_scores": scores }))
    }

    /// What the interviewer asks the gateway about an expected pay, in CNY a month: by its own id of the interview, and by nothing
    /// that it would have to know of the job.
    #[must_use]
    pub fn asks_about_pay(&self, amount: &str) -> Value {
        json!({ "interview": self.interview, "expected": { "amount": amount, "currency": "CNY", "per": "MONTH" } })
    }

    /// The same by its own id of the order, as it may before there is an interview.
    #[must_use]
    pub fn asks_about_pay_by_order(&self, amount: &str) -> Value {
        json!({ "order": self.order, "expected": { "amount": amount, "currency": "CNY", "per": "MONTH" } })
    }

    /// Keeps what an event brings in the vendor's collections too, so that a read tells the same.
    pub fn keep(vendor: &Vendor, event: &Value) {
        let mut state = vendor.lock().unwrap();
        for (collection, objects) in event["data"].as_object().into_iter().flatten() {
            for object in objects.as_array().into_iter().flatten() {
                if let Some(known) = state.collections.get_mut(collection) {
                    known.retain(|known| known["id"] != object["id"]);
                }
                put(&mut state, collection, object.clone());
            }
        }
    }

    fn event(&self, kind: &str, data: &Value) -> Value {
        json!({ "type": kind, "timestamp": now(), "data": data })
    }

    fn at(&self, status: &str) -> Value {
        let over = status == "completed";
        let begun = (over || status == "in_progress").then_some(&self.began);
        json!({ "id": self.interview, "modified_at": now(), "order_id": self.order, "application_id": self.application,
                "round": 1, "kind": "ai", "status": status, "start_at": self.start, "time_zone": "Asia/Shanghai",
                "started_at": begun, "ended_at": over.then(now) })
    }

    fn node(&self, node: &str, seq: u32) -> Value {
        json!({ "id": format!("node-{}-{seq}", self.interview), "modified_at": now(), "interview_id": self.interview,
                "node": node, "at": now(), "seq": seq })
    }
}
