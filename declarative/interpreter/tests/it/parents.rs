//! Lists that are read once for each of something.

use renmen_plugin::Coverage;
use renmen_plugin::testing::{Host, NOW_MS};
use serde_json::json;

use crate::world::{body, ids, map, page, pull_all, row};

const BASE: &str = "https://hr.example/v1";

const CHILDREN: &str = r#"
[api]
base = "{config/base_url}"

[[api.errors]]
status = [404]
is = "gone"

[streams.teams]
request = { path = "/teams", query = { cursor = "{page/token}" } }
items = "/data"
paging = { by = "token", next = "/next" }
[[streams.teams.records]]
entity = "org_unit"
id = "/key/id"
set = { "/kind" = { code = "TEAM" } }
fields = { "/name" = { from = "/name", as = "localized", lang = "en" } }

[streams.staff]
request = { path = "/teams/{parent/key/id}/staff", query = { page = "{page/number}" } }
items = "/data"
size_max = 2
paging = { by = "number" }
for_each = { stream = "teams", when = { "/open" = true } }
[[streams.staff.records]]
entity = "employee"
id = "{parent/key/id}-{/id}"
fields = { "/person/names/formatted" = "/name", "/work/org_unit" = { text = "{parent/key/id}", as = "ref" } }
"#;

fn team(id: &str, open: bool) -> serde_json::Value {
    json!({ "key": { "id": id }, "name": id, "open": open, "secret": "left out" })
}

fn host() -> Host {
    let staff = |team: &str, page: u32, rows: &[&str]| {
        let rows: Vec<_> = rows.iter().map(|id| row(id)).collect();
        (format!("{BASE}/teams/{team}/staff?page={page}"), json!({ "data": rows }).to_string())
    };
    let mut host = Host::new()
        .answer(
            "GET",
            &format!("{BASE}/teams"),
            200,
            json!({ "data": [team("a", true), team("b", false), team("c", true)], "next": "n" }).to_string(),
        )
        .answer("GET", &format!("{BASE}/teams?cursor=n"), 200, json!({ "data": [team("d", true)] }).to_string())
        .answer("GET", &format!("{BASE}/teams/c/staff?page=1"), 404, "{}");
    for (url, body) in [
        staff("a", 1, &["1", "2"]),
        staff("a", 2, &["3"]),
        staff("a", 3, &[]),
        staff("d", 1, &["1"]),
        staff("d", 2, &[]),
    ] {
        host = host.answer("GET", &url, 200, body);
    }
    host
}

#[test]
fn the_children_of_every_parent_are_read_over_all_pages_of_both() {
    map(CHILDREN);
    let run = pull_all(&host(), "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["a-1", "a-2", "a-3", "d-1"], Coverage::Everything));
    assert_eq!(body(&run.records[3])["work"]["org_unit"]["external"]["value"], "d");
}

#[test]
fn a_run_goes_on_from_any_page_with_pages_of_any_size() {
    map(CHILDREN);
    for size in [1, 2, 3, 100] {
        let (mut cursor, mut seen) = (None, Vec::new());
        for _ in 0..40 {
            let page = page(&host(), "staff", cursor, size).unwrap();
            assert!(page.records.len() <= size as usize);
            assert!(!page.next.as_deref().unwrap_or_default().contains("left out"), "only what is needed is kept");
            seen.extend(page.records.iter().map(|record| record.external_id.clone()));
            cursor = page.next;
            if !page.has_more {
                break;
            }
        }
        seen.dedup();
        assert_eq!(seen, ["a-1", "a-2", "a-3", "d-1"], "{size}");
    }
}

#[test]
fn values_of_the_configuration_and_spans_of_days_are_parents_too() {
    let list = CHILDREN.replace(
        "for_each = { stream = \"teams\", when = { \"/open\" = true } }",
        "for_each = { list = \"{config/boards}\" }",
    );
    map(&list.replace("{parent/key/id}", "{parent}"));
    let host = Host::new()
        .answer("GET", &format!("{BASE}/teams/a/staff?page=1"), 200, json!({ "data": [row("1")] }).to_string())
        .answer("GET", &format!("{BASE}/teams/b%20c/staff?page=1"), 200, json!({ "data": [row("2")] }).to_string());
    assert_eq!(ids(&pull_all(&host, "staff", None).unwrap().records), ["a-1", "b c-2"]);

    map(r#"
[api]
base = "{config/base_url}"
[streams.staff]
request = { path = "/punches", query = { from = "{parent/from | date}", to = "{parent/to | date}" } }
items = "/data"
for_each = { days = { back = "10d", step = "7d" } }
[[streams.staff.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }
"#);
    let span = |from: &str, to: &str| format!("{BASE}/punches?from={from}&to={to}");
    let host = Host::new()
        .at_ms(NOW_MS + 3_600_000)
        .answer("GET", &span("2025-12-22", "2025-12-28"), 200, json!({ "data": [row("1")] }).to_string())
        .answer("GET", &span("2025-12-29", "2026-01-04"), 200, json!({ "data": [row("2")] }).to_string());
    let run = pull_all(&host, "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["1", "2"], Coverage::Changes));
}
