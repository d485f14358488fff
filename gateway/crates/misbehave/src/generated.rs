//! A source out of nothing: staff of a paged JSON API, as the example connector of the SDK reads it.

use serde_json::json;

use crate::model::{Described, Model, Order, Serve};

/// `rows` employees under `GET /v1/employees?limit=&cursor=&updated_since=`.
///
/// # Panics
/// Never: its own example fits its own description.
#[must_use]
pub fn generated(rows: usize) -> Model {
    let record = json!({
        "id": "emp", "employeeNumber": "E0001", "firstName": "Wei", "lastName": "Example", "displayName": "Wei Example",
        "workEmail": "wei@example.test", "mobile": "+8619900000001", "department": { "id": "dept-1", "name": "Finance" },
        "jobTitle": "Analyst", "managerId": null, "location": "Shanghai", "employmentType": "full_time", "status": "active",
        "hireDate": "2020-02-29", "salary": { "amount": 61234.5, "currency": "CNY" },
        "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-01-01T00:00:00Z",
    });
    let serve = Serve {
        path: "/v1/employees".into(),
        list: Some("/data".into()),
        size: Some("limit".into()),
        since: Some("updated_since".into()),
        cursor: Some("cursor".into()),
        next: Some("/next_cursor".into()),
        ..Serve::default()
    };
    let described = Described {
        record,
        id: "/id".into(),
        modified: Some("/updatedAt".into()),
        zone: None,
        created: Some("/createdAt".into()),
        deleted: None,
        order: Order::OldestFirst,
        change: "/jobTitle".into(),
        serve: vec![serve],
        parents: Vec::new(),
        parent_at: None,
    };
    let mut model = Model::new();
    model.add("employees", described, rows).expect("the example fits its description");
    model
}
