//! The list of decisions by how they stand and by whose they are.

use std::collections::BTreeSet;

use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_store::{AuthoredCommit, AuthoredRecord, Content, LinkWrite, Parent, RecordWrite};
use serde_json::{Value, json};

use crate::rig::{BEGIN_MS, Rig, employee};

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn parent(entity: &str, id: &str) -> Parent {
    Parent { connection: ConnectionName::new("hr").unwrap(), entity: entity.into(), external_id: id.into() }
}

/// A decision on `int-N` of `app-N`, with a note that can be long enough to make the body large.
fn decision(n: usize, status: &str, application: &str, note: &str) -> AuthoredRecord {
    let of = |id: &str| json!({ "external": { "connection": "hr", "value": id } });
    let body =
        json!({ "status": status, "interview": of(&format!("int-{n}")), "application": of(application), "note": note });
    AuthoredRecord {
        entity: "decision".into(),
        external_id: format!("res-{n}/1"),
        body: body.to_string().into_bytes(),
        deleted: None,
        causes: Vec::new(),
        expect: Some(0),
        parents: Vec::new(),
    }
}

async fn write(rig: &Rig, records: Vec<(AuthoredRecord, Vec<Parent>)>) -> Vec<RecordId> {
    let (records, parents): (Vec<_>, Vec<_>) = records.into_iter().unzip();
    let commit = || AuthoredCommit::of(tenant(), StreamName::new("decisions").unwrap(), BEGIN_MS);
    let ids = rig.store.author(AuthoredCommit { records, ..commit() }).await.unwrap().ids;
    let links = ids.iter().zip(parents).map(|(child, parents)| LinkWrite { child: *child, parents }).collect();
    rig.store.author(AuthoredCommit { links, ..commit() }).await.unwrap();
    ids
}

/// 30 decisions, every third open; the first ten are of `app-a`, the others of `app-b`.
async fn thirty(rig: &Rig) -> Vec<RecordId> {
    let records = (0..30).map(|n| {
        let status = ["AWAITING_PERSON", "DECIDED", "SUPERSEDED"][n % 3];
        let application = if n < 10 { "app-a" } else { "app-b" };
        let parents = vec![parent("interview", &format!("int-{n}")), parent("application", application)];
        (decision(n, status, application, ""), parents)
    });
    write(rig, records.collect()).await
}

/// Follows the list to its end; how many pages it took.
async fn all(rig: &Rig, path: &str) -> (Vec<Value>, usize) {
    let (mut found, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = rig.get(&format!("{path}{next}")).await.json();
        pages += 1;
        let data = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        found.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return (found, pages),
        }
    }
}

fn other_record(entity: &str, id: &str) -> RecordWrite {
    let body = b"{}".to_vec();
    RecordWrite { content: Content::of(entity, body), ..employee(id, "1") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b2_the_open_decisions_are_listed_and_no_others_whatever_the_page() {
    let rig = Rig::new().await;
    thirty(&rig).await;
    for (status, first) in [("AWAITING_PERSON", 0), ("DECIDED", 1), ("SUPERSEDED", 2)] {
        for limit in [1, 3, 7, 10, 1000] {
            let (found, _) = all(&rig, &format!("/v1/decisions?status={status}&limit={limit}")).await;
            let found: BTreeSet<_> = found
                .iter()
                .map(|one| {
                    assert_eq!(one["body"]["status"], status);
                    one["external_ids"][0]["value"].as_str().unwrap().to_owned()
                })
                .collect();
            let wanted: BTreeSet<_> = (first..30).step_by(3).map(|n| format!("res-{n}/1")).collect();
            assert_eq!(found, wanted, "{status} {limit}");
        }
    }
    let page = rig.get("/v1/decisions?status=AWAITING_PERSON&limit=4").await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 4, "a page is as full as it can be");
    assert_eq!(all(&rig, "/v1/decisions?limit=1000").await.0.len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_of_an_interview_or_an_application_are_listed() {
    let rig = Rig::new().await;
    thirty(&rig).await;
    rig.commit(vec![other_record("interview", "int-3"), other_record("application", "app-a")], Vec::new()).await;
    let id = async |collection: &str| rig.get(&format!("/v1/{collection}")).await.json()["data"][0]["id"].clone();
    let interview = id("interviews").await.as_str().unwrap().to_owned();
    let application = id("applications").await.as_str().unwrap().to_owned();
    for (query, wanted) in [
        (format!("interview={interview}"), 1),
        (format!("application={application}"), 10),
        (format!("application={application}&status=AWAITING_PERSON"), 4),
        (format!("application={application}&interview={interview}"), 1),
        (format!("application={application}&connection=hr"), 0),
        (format!("application={application}&deleted=only"), 0),
        (format!("application={application}&external_id=res-2%2F1"), 1),
        (format!("application={application}&updated_since=2030-01-01T00:00:00Z"), 0),
        // Another entity's id, and none of anybody's.
        (format!("application={interview}"), 0),
        ("interview=018bcfe5-6800-7000-8000-00000000ffff".to_owned(), 0),
    ] {
        for limit in [1, 3, 1000] {
            let (found, _) = all(&rig, &format!("/v1/decisions?{query}&limit={limit}")).await;
            assert_eq!(found.len(), wanted, "{query} {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_is_none_and_a_cursor_of_another_list_are_refused() {
    let rig = Rig::new().await;
    thirty(&rig).await;
    rig.commit(vec![other_record("application", "app-a")], Vec::new()).await;
    let application = rig.get("/v1/applications").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for bad in ["status=OPEN", "status=", "interview=int-3", "application=x", "status=DECIDED&status=DECIDED"] {
        rig.get(&format!("/v1/decisions?{bad}")).await.problem("invalid_parameter");
    }
    rig.get("/v1/decisions?state=DECIDED").await.problem("unknown_parameter");
    rig.get("/v1/interviews?status=DECIDED").await.problem("unknown_parameter");
    let cursor = |page: Value| page["next_cursor"].as_str().unwrap().to_owned();
    let linked = cursor(rig.get(&format!("/v1/decisions?application={application}&limit=1")).await.json());
    let stored = cursor(rig.get("/v1/decisions?status=DECIDED&limit=1").await.json());
    rig.get(&format!("/v1/decisions?status=DECIDED&cursor={linked}")).await.problem("invalid_cursor");
    rig.get(&format!("/v1/decisions?application={application}&cursor={stored}")).await.problem("invalid_cursor");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_ends_before_it_is_larger_than_an_answer_may_be_and_after_many_that_do_not_fit() {
    let options = renmen_api::ApiOptions { page_bytes_max: 64 << 10, ..Default::default() };
    let rig = Rig::with(options, Default::default()).await;
    let large = "x".repeat(30 << 10);
    let records = (0..5).map(|n| (decision(n, "DECIDED", "app-a", &large), vec![parent("application", "app-a")]));
    write(&rig, records.collect()).await;
    rig.commit(vec![other_record("application", "app-a")], Vec::new()).await;
    let application = rig.get("/v1/applications").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for query in ["status=DECIDED".to_owned(), format!("application={application}")] {
        let (found, pages) = all(&rig, &format!("/v1/decisions?{query}")).await;
        assert_eq!((found.len(), pages), (5, 3), "{query}");
    }
}
