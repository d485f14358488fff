//! Canonical records: each entity that people write, and two that connectors read.

use renmen_schema::EntityKind;
use serde_json::{Value, json};

/// An example of an entity; none where the schema has to do.
pub(super) fn body(kind: EntityKind) -> Option<Value> {
    match kind {
        EntityKind::Employee => Some(employee()),
        EntityKind::PayrollRecord => Some(payroll_record()),
        EntityKind::Competency => Some(json!({
            "code": "COMM",
            "kind": { "code": "SKILL" },
            "name": { "en": "Clear speech", "zh-CN": "表达清晰" },
        })),
        EntityKind::Consent => Some(consent()),
        EntityKind::DecisionRule => Some(json!({
            "name": "sales-standard",
            "position": "job-2041",
            "pass": "75",
            "border": { "from": "70", "below": "75" },
            "active": true,
        })),
        EntityKind::MarketPay => Some(market_pay()),
        EntityKind::PositionProfile => Some(position_profile()),
        EntityKind::LibraryQuestion => Some(question()),
        EntityKind::Survey => Some(survey()),
        EntityKind::Tag => Some(json!({
            "category": { "code": "TALENT" },
            "on": { "application": { "external": { "connection": "ats", "value": "app-3310" } } },
            "value": "second interview",
        })),
        _ => None,
    }
}

fn employee() -> Value {
    json!({
        "number": "00017",
        "person": {
            "names": { "family": "Li", "given": "Example", "formatted": "Li Example" },
            "emails": [{ "address": "li.example@example.com", "kind": "WORK", "primary": true }],
        },
        "work": {
            "hire_date": "2024-05-06",
            "org_unit": { "external": { "value": "d-20" } },
            "status": { "code": "ACTIVE" },
            "title": "Sales representative",
        },
    })
}

fn payroll_record() -> Value {
    json!({
        "employee": { "external": { "connection": "hr", "value": "u-1017" } },
        "gross": { "amount": "12000", "currency": "CNY" },
        "net": { "amount": "9650.4", "currency": "CNY" },
        "period": { "start": "2026-02-01", "end": "2026-02-28" },
        "run": { "external": { "value": "2026-02" } },
    })
}

fn consent() -> Value {
    json!({
        "given_at": "2026-03-02T01:00:00.000Z",
        "legal_basis": { "code": "CONSENT" },
        "person": { "external": { "connection": "hr", "value": "p-1017" } },
        "purpose": ["RECRUITMENT"],
        "status": "GIVEN",
        "text_version": "interview-consent-3",
    })
}

fn market_pay() -> Value {
    json!({
        "level": "3 to 5 years",
        "location": "Shanghai",
        "role": { "en": "Sales representative", "zh-CN": "销售代表" },
        "sample": { "employees": 1850, "organisations": 120 },
        "source": { "name": "Pay survey 2026", "publisher": "Example Institute", "published_on": "2026-01-15" },
        "stat": { "currency": "CNY", "per": "MONTH", "p25": "9000", "p50": "11500", "p75": "14000" },
    })
}

fn position_profile() -> Value {
    let competency = |id: &str, bp: u16| {
        json!({
            "competency": { "external": { "connection": "interviews", "value": id } },
            "dimensions": [{ "name": { "en": "Clarity", "zh-CN": "清晰度" }, "modality": { "code": "SPEECH" } }],
            "weight": { "bp": bp },
        })
    };
    json!({
        "competencies": [competency("comp-1", 6_000), competency("comp-2", 4_000)],
        "complete": true,
        "position": { "external": { "connection": "ats", "value": "job-2041" } },
        "version": 1,
    })
}

fn question() -> Value {
    json!({
        "active": true,
        "evidence": [{ "code": "SPEECH" }],
        "kind": { "code": "OPEN" },
        "library": "sales",
        "max_s": 180,
        "prep_s": 30,
        "text": {
            "en": "Tell us about a customer who was not satisfied, and what you did.",
            "zh-CN": "请讲述一位不满意的客户，以及您的做法。",
        },
    })
}

fn survey() -> Value {
    json!({
        "answered_at": "2026-03-02T03:30:00.000Z",
        "answers": [{ "question": { "en": "Were the questions clear?", "zh-CN": "问题是否清楚？" }, "text": "Mostly." }],
        "interview": { "external": { "connection": "interviews", "value": "iv-5501" } },
        "satisfaction": { "value": "4", "min": "1", "max": "5", "scale": "STARS" },
    })
}
