//! A made-up company in Odoo.

use serde_json::{Value, json};

use super::Odoo;
use crate::people::person;

/// Rows that were written in one transaction share the time.
const TOGETHER: usize = 7;

/// A database with HR: so many employees, each with a contract, an applicant and an attendance.
#[must_use]
pub fn hr(employees: usize) -> Odoo {
    let mut odoo = Odoo::default();
    let mut put = |model: &str, rows: Vec<Value>| drop(odoo.models.insert(model.to_owned(), rows));
    put("res.company", vec![row(1, 0, &json!({ "name": "Made Up Ltd", "parent_id": false }))]);
    put("hr.department", (1..=3).map(department).collect());
    put("hr.job", (1..=2).map(job).collect());
    put("hr.employee", (1..=employees).map(employee).collect());
    put("hr.contract", (1..=employees).map(contract).collect());
    put("hr.version", (1..=employees).map(version).collect());
    put("hr.applicant", (1..=employees).map(applicant).collect());
    put("hr.attendance", (1..=employees).map(attendance).collect());
    put("hr.leave", (1..=employees).map(leave).collect());
    // Each has a row, so that its fields are known.
    put(
        "mail.message",
        vec![row(
            1,
            0,
            &json!({ "model": "res.partner", "res_id": 1, "message_id": "<1@made-up>", "body": "<p>hello</p>" }),
        )],
    );
    put("mail.activity", vec![row(1, 0, &json!({ "res_model": "res.partner", "res_id": 1, "summary": "call" }))]);
    odoo
}

/// A database with CRM and helpdesk: five users, so many tickets and deals.
#[must_use]
pub fn crm(tickets: usize) -> Odoo {
    let mut odoo = Odoo::default();
    let user = |n: usize| {
        let who = person(n);
        let mail = format!("{}@example.test", who.latin);
        row(
            n,
            n / 2,
            &json!({ "name": who.name, "login": mail, "email": if n == 3 { json!(false) } else { json!(mail) }, "active": true, "share": false }),
        )
    };
    odoo.models.insert("res.users".to_owned(), (1..=5).map(user).collect());
    odoo.models.insert(
        "crm.team".to_owned(),
        vec![row(1, 0, &json!({ "name": "Sales East", "user_id": [1, "x"], "active": true }))],
    );
    odoo.models.insert("helpdesk.team".to_owned(), vec![row(3, 0, &json!({ "name": "Complaints", "active": true }))]);
    let ticket = |n: usize| {
        let user = if n.is_multiple_of(4) { json!(false) } else { json!([1 + n % 5, "x"]) };
        row(
            n,
            n / TOGETHER,
            &json!({
                "name": format!("Ticket {n}"), "user_id": user, "team_id": [3, "Complaints"], "priority": (n % 4).to_string(),
                "active": true, "create_date": "2026-01-05 08:00:00",
            }),
        )
    };
    odoo.models.insert("helpdesk.ticket".to_owned(), (1..=tickets).map(ticket).collect());
    let deal = |n: usize| {
        row(
            n,
            n / TOGETHER,
            &json!({
                "type": "opportunity", "stage_id.is_won": n.is_multiple_of(2), "user_id": [1 + n % 5, "x"], "expected_revenue": 1000.5 * n as f64,
                "company_currency": [7, "CNY"], "date_closed": "2026-01-20 10:00:00", "active": true,
            }),
        )
    };
    odoo.models.insert("crm.lead".to_owned(), (1..=tickets).map(deal).collect());
    odoo
}

/// A database with all of it: HR of so many employees, and so many tickets and deals of its first five.
#[must_use]
pub fn whole(employees: usize, deals: usize) -> Odoo {
    let mut odoo = hr(employees);
    odoo.models.extend(crm(deals).models);
    odoo
}

fn row(id: usize, tick: usize, members: &Value) -> Value {
    let at = jiff::Timestamp::from_second(1_767_225_600 + tick as i64).unwrap();
    let mut row = members.clone();
    row["id"] = json!(id);
    row["write_date"] = json!(at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    row["_us"] = json!((id * 137) % 1_000_000);
    row
}

fn department(n: usize) -> Value {
    let parent = if n > 1 { json!([1, "Department 1"]) } else { json!(false) };
    row(
        n,
        0,
        &json!({ "name": format!("Department {n}"), "parent_id": parent, "manager_id": [n, "x"], "company_id": [1, "Made Up Ltd"], "active": true }),
    )
}

fn job(n: usize) -> Value {
    row(
        n,
        0,
        &json!({ "name": format!("Job {n}"), "department_id": [1, "Department 1"], "no_of_recruitment": n, "active": true }),
    )
}

fn employee(n: usize) -> Value {
    let who = person(n);
    let manager = if n > 1 { json!([1, "x"]) } else { json!(false) };
    row(
        n,
        n / TOGETHER,
        &json!({
            "name": who.name, "barcode": format!("E{n:04}"), "birthday": false, "gender": "female", "sex": "female",
            "work_email": format!("{}@example.test", who.latin), "work_phone": false, "mobile_phone": who.mobile, "job_id": [1 + n % 2, format!("Job {}", 1 + n % 2)],
            "job_title": false, "department_id": [1 + n % 3, "x"], "parent_id": manager, "company_id": [1, "Made Up Ltd"], "work_location_id": false,
            "employee_type": "employee", "departure_date": false, "departure_reason_id": false, "active": true,
        }),
    )
}

fn contract(n: usize) -> Value {
    row(
        n,
        0,
        &json!({
            "employee_id": [n, "x"], "company_id": [1, "Made Up Ltd"], "contract_type_id": [1, "Full-Time"], "date_start": "2025-01-01", "date_end": false,
            "trial_date_end": "2025-06-30", "state": "open", "wage": 8000.55 + n as f64, "currency_id": [7, "CNY"], "active": true,
        }),
    )
}

fn version(n: usize) -> Value {
    row(
        n,
        0,
        &json!({
            "employee_id": [n, "x"], "company_id": [1, "Made Up Ltd"], "contract_type_id": [1, "Full-Time"], "date_version": "2025-01-01",
            "contract_date_start": if n.is_multiple_of(5) { json!(false) } else { json!("2025-01-01") }, "contract_date_end": false, "trial_date_end": "2025-06-30",
            "departure_date": false, "departure_reason_id": false, "wage": 8000.55, "currency_id": [7, "CNY"], "department_id": [1, "x"],
            "job_id": [1, "Job 1"], "job_title": "Engineer", "work_location_id": false, "active": true,
        }),
    )
}

fn applicant(n: usize) -> Value {
    let who = person(n + 500);
    // Some apply without a job.
    let job = if n.is_multiple_of(10) { json!(false) } else { json!([1, "Job 1"]) };
    row(
        n,
        n / TOGETHER,
        &json!({
            "partner_name": who.name, "email_from": format!("{}@candidate.example", who.latin), "partner_phone": who.mobile, "availability": false,
            "job_id": job, "stage_id": [1, "New"], "application_status": "ongoing", "refuse_reason_id": false, "source_id": [4, "LinkedIn"],
            "create_date": "2026-01-01 08:00:00", "active": true,
        }),
    )
}

fn attendance(n: usize) -> Value {
    let out = if n.is_multiple_of(9) { json!(false) } else { json!("2026-01-05 10:00:00") };
    row(
        n,
        n / TOGETHER,
        &json!({
            "employee_id": [n, "x"], "check_in": "2026-01-05 01:00:00", "check_out": out, "in_mode": "kiosk", "worked_hours": 8.016_666_666_666_667,
        }),
    )
}

fn leave(n: usize) -> Value {
    row(
        n,
        n / TOGETHER,
        &json!({
            "employee_id": [n, "x"], "holiday_status_id": [2, "Sick Time Off"], "state": if n.is_multiple_of(3) { "confirm" } else { "validate" },
            "request_date_from": "2026-01-06", "request_date_to": "2026-01-07", "date_from": "2026-01-06 01:00:00", "date_to": "2026-01-07 10:00:00",
            "number_of_days": 2.0, "create_date": "2026-01-02 08:00:00", "active": true,
        }),
    )
}
