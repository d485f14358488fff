//! Odoo through the gateway, by connectors without code: HR by JSON-RPC and by JSON-2, CRM and helpdesk.

use renmen_tests::odoo::{self, Odoo};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::{said, serve};

const HR: [&str; 9] = [
    "companies",
    "departments",
    "employees",
    "contracts",
    "jobs",
    "candidates",
    "applications",
    "attendance",
    "leaves",
];

async fn by_rpc(odoo: Odoo, name: &'static str, streams: &[&str]) -> (office::Shared<Odoo>, Trial) {
    let office = office::open(odoo);
    let url = serve(office::router(office.clone())).await;
    let config = format!("{{ base_url = \"{url}\", db = \"{}\", uid = {} }}", odoo::DB, odoo::UID);
    (office, Trial::new(name, &config, &[("rpc", odoo::KEY)], streams))
}

async fn by_json_2(employees: usize) -> (office::Shared<Odoo>, Trial) {
    let office = office::open(odoo::hr(employees));
    let url = serve(office::router(office.clone())).await;
    let streams = [&HR[..], &["assignments"]].concat();
    let config = format!("{{ base_url = \"{url}\", db = \"{}\" }}", odoo::DB);
    (office, Trial::new("odoo-19", &config, &[("key", odoo::KEY)], &streams))
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_pages_with_shared_times_come_in_whole_and_what_is_deleted_is_gone() {
    let (office, trial) = by_rpc(odoo::hr(1203), "odoo", &HR).await;
    office.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("companies").await, [1, 0, 0]);
    assert_eq!(trial.counts("departments").await, [3, 0, 0]);
    assert_eq!(trial.counts("employees").await, [1203, 0, 0]);
    // The next run asks from before the newest time, so that it reads some again; none of them is new.
    assert_eq!(trial.counts("employees").await, [0, 0, 0]);
    assert_eq!(trial.counts("contracts").await, [2406, 0, 0], "each an employment and a compensation");
    assert_eq!(trial.counts("candidates").await, [1203, 0, 0]);
    assert_eq!(trial.counts("applications").await, [1203 - 120, 0, 0], "those without a job are left out");
    assert_eq!(trial.counts("attendance").await, [1203, 0, 0]);
    assert_eq!(trial.counts("leaves").await, [1203, 0, 0]);
    {
        let mut office = office.lock().unwrap();
        office.vendor.write("hr.employee", 7, &json!({ "job_title": "Lead" }), "2026-01-01 01:00:00");
        office.vendor.write("hr.employee", 8, &json!({ "active": false }), "2026-01-01 01:00:00");
        office.vendor.unlink("hr.department", 3);
        office.vendor.unlink("hr.contract", 1203);
    }
    assert_eq!(trial.counts("employees").await, [0, 2, 0]);
    assert_eq!(trial.counts("departments").await, [0, 0, 1]);
    assert_eq!(trial.counts("contracts").await, [0, 0, 2]);
    let employees = trial.bodies("employees").await;
    assert_eq!(employees["7"]["work"]["title"], "Lead");
    assert_eq!(employees["8"]["work"]["status"]["code"], "TERMINATED", "archived, and not deleted");
    assert_eq!(employees["9"]["work"].get("location"), None, "what is false is nothing");
    let pay = &trial.bodies("compensations").await["10"]["rate"];
    assert_eq!(*pay, json!({ "money": { "amount": "8010.55", "currency": "CNY" }, "per": "MONTH" }));
    let leave = &trial.bodies("leaves").await["3"];
    assert_eq!(
        (&leave["status"]["code"], &leave["amount"]),
        (&json!("REQUESTED"), &json!({ "value": "2", "unit": "DAY" }))
    );
    trial.keeps(&[odoo::KEY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_a_missing_right_and_a_missing_application_are_told_apart() {
    let (office, trial) = by_rpc(odoo::hr(3), "odoo", &HR).await;
    office.lock().unwrap().vendor.denied.push("hr.contract".to_owned());
    assert_eq!(trial.failure("contracts").await, "not-granted");
    office.lock().unwrap().vendor.models.remove("hr.attendance");
    assert_eq!(trial.failure("attendance").await, "bad-config");
    office.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("jobs").await, "rate-limited");
    office.lock().unwrap().busy = 0;
    let trial = trial.secret("rpc", "another-key");
    assert_eq!(trial.failure("employees").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_which_application_is_not_there_and_is_content_without_its_stream() {
    let streams = ["companies", "employees"];
    let (office, trial) = by_rpc(odoo::hr(3), "odoo", &streams).await;
    office.lock().unwrap().vendor.models.remove("hr.attendance");
    let output = trial.home.run(&["check", "--dev"]).await;
    let text = said(&output);
    assert!(
        output.status.success() && text.contains("list attendance") && text.contains("leave the stream out"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_a_note_and_an_activity_are_written_once() {
    let (office, trial) = by_rpc(odoo::hr(3), "odoo", &HR).await;
    trial.counts("candidates").await;
    writes_once(&office, &trial, "/jsonrpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_odoo_19_gives_versions_and_takes_notes_by_json_2() {
    let (office, trial) = by_json_2(40).await;
    assert_eq!(trial.counts("employees").await, [40, 0, 0]);
    assert_eq!(trial.counts("assignments").await, [40, 0, 0]);
    assert_eq!(trial.counts("contracts").await, [64, 0, 0], "a version in five has no contract");
    assert_eq!(trial.counts("candidates").await, [40, 0, 0]);
    assert_eq!(trial.counts("applications").await, [36, 0, 0]);
    assert_eq!(trial.bodies("employments").await["7-2025-01-01"]["probation"]["end"], "2025-06-30");
    writes_once(&office, &trial, "/json/2/hr.applicant/message_post").await;
    let trial = trial.secret("key", "another-key");
    assert_eq!(trial.failure("employees").await, "auth-required");
}

/// The actions of both generations.
async fn writes_once(office: &office::Shared<Odoo>, trial: &Trial, path: &str) {
    let gateway = trial.serve().await;
    let note = json!({ "applicant": 2, "text": "Talked to on Monday <b>& more</b>" });
    let done = gateway.act("candidates", "2", "applicant.note", note.clone(), "first").await;
    assert_eq!(done["state"], "delivered", "{done}");
    let again = gateway.act("candidates", "2", "applicant.note", note, "first").await;
    assert_eq!(again["id"], done["id"], "the same key is the same delivery");
    let messages = |office: &office::Shared<Odoo>| office.lock().unwrap().vendor.models["mail.message"].len();
    assert_eq!(messages(office), 2, "the one that was there, and ours");
    assert!(office.lock().unwrap().count("POST", path) >= 1);

    let activity = json!({ "applicant": 2, "summary": "Call back", "deadline": "2026-02-01" });
    let done = gateway.act("candidates", "2", "activity.create", activity.clone(), "call").await;
    assert_eq!(done["state"], "delivered", "{done}");
    // Another delivery for the same: it is there already.
    let found = gateway.act("candidates", "2", "activity.create", activity, "call-again").await;
    assert_eq!(found["state"], "delivered", "{found}");
    assert_eq!(office.lock().unwrap().vendor.models["mail.activity"].len(), 2);
    let refused = json!({ "applicant": 2, "summary": "Other", "user": 4711 });
    let refused = gateway.act("candidates", "2", "activity.create", refused, "refused").await;
    assert_eq!(refused["state"], "dead", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s09_tickets_are_about_their_user_or_team_and_won_deals_are_performance() {
    let streams = ["users", "sales_teams", "helpdesk_teams", "tickets", "deals"];
    let (office, trial) = by_rpc(odoo::crm(620), "odoo-crm", &streams).await;
    assert_eq!(trial.counts("users").await, [5, 0, 0]);
    assert_eq!(trial.counts("sales_teams").await, [1, 0, 0]);
    assert_eq!(trial.counts("helpdesk_teams").await, [1, 0, 0]);
    assert_eq!(trial.counts("tickets").await, [620, 0, 0]);
    assert_eq!(trial.counts("deals").await, [310, 0, 0], "every other one was won");
    let tickets = trial.bodies("customer-feedback").await;
    assert_eq!(tickets["4"]["org_unit"]["external"]["value"], "helpdesk-3");
    assert_eq!(tickets["6"]["employee"]["external"]["value"], "2");
    assert_eq!(tickets["6"]["severity"], "HIGH");
    assert_eq!(trial.bodies("performance-metrics").await["2"]["value"], "2001");
    assert_eq!(
        trial.bodies("employees").await["3"]["work"]["work_email"].as_str().unwrap().split('@').nth(1),
        Some("example.test")
    );
    office.lock().unwrap().vendor.write("helpdesk.ticket", 6, &json!({ "active": false }), "2026-01-02 00:00:00");
    assert_eq!(trial.counts("tickets").await, [0, 0, 1]);
}
