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

const CHANGED_CHILDREN: &str = r#"
[api]
base = "{config/base_url}"

[[api.errors]]
status = [404]
is = "gone"

[streams.teams]
request = { path = "/teams" }
items = "/data"
[[streams.teams.records]]
entity = "org_unit"
id = "/id"
set = { "/kind" = { code = "TEAM" } }
fields = { "/name" = { from = "/id", as = "localized", lang = "en" } }

[streams.staff]
request = { path = "/teams/{parent/id}/staff", query = { since = "{since}", cursor = "{page/token}" } }
items = "/data"
paging = { by = "token", next = "/next" }
for_each = { stream = "teams" }
changes = { by = "time", modified = "/updated", overlap = "1h" }
[[streams.staff.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }
"#;

fn changed(rows: &[(&str, &str)], next: Option<&str>) -> String {
    let rows: Vec<_> = rows.iter().map(|(id, at)| json!({ "id": id, "name": "A", "updated": at })).collect();
    json!({ "data": rows, "next": next }).to_string()
}

fn teams() -> Host {
    Host::new().answer(
        "GET",
        &format!("{BASE}/teams"),
        200,
        json!({ "data": [{ "id": "a" }, { "id": "b" }, { "id": "c" }] }).to_string(),
    )
}

#[test]
fn what_changed_is_asked_of_every_parent_from_one_time_that_moves_at_the_end() {
    map(CHANGED_CHILDREN);
    let url = |team: &str, query: &str| format!("{BASE}/teams/{team}/staff{query}");
    let host = || {
        teams()
            .answer("GET", &url("a", ""), 200, changed(&[("2", "2025-12-31T12:00:00Z")], Some("p")))
            .answer("GET", &url("a", "?cursor=p"), 200, changed(&[("1", "2025-12-31T09:00:00Z")], None))
            .answer("GET", &url("b", ""), 404, "{}")
            // The same time once more, in another list.
            .answer(
                "GET",
                &url("c", ""),
                200,
                changed(&[("3", "2025-12-31T12:00:00Z"), ("4", "2025-12-30T00:00:00Z")], None),
            )
    };
    let run = pull_all(&host(), "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["2", "1", "3", "4"], Coverage::Changes));
    let since = "?since=2025-12-31T11%3A00%3A00Z";
    let next = || {
        ["a", "b", "c"].iter().fold(teams(), |host, team| {
            host.answer("GET", &url(team, since), 200, changed(&[("3", "2025-12-31T12:00:00Z")], None))
        })
    };
    let again = pull_all(&next(), "staff", run.next.clone()).unwrap();
    assert_eq!(ids(&again.records), ["3", "3", "3"]);
    // A run in which nothing changed, or that has no parents, leaves the time where it is.
    let quiet = ["a", "b", "c"]
        .iter()
        .fold(teams(), |host, team| host.answer("GET", &url(team, since), 200, changed(&[], None)));
    let quiet = pull_all(&quiet, "staff", run.next).unwrap();
    let none = Host::new().answer("GET", &format!("{BASE}/teams"), 200, r#"{"data":[]}"#);
    let none = pull_all(&none, "staff", quiet.next).unwrap();
    assert_eq!(ids(&pull_all(&next(), "staff", none.next).unwrap().records), ["3", "3", "3"]);
}

#[test]
fn a_run_over_changed_children_goes_on_from_any_page() {
    map(CHANGED_CHILDREN);
    let url = |team: &str, query: &str| format!("{BASE}/teams/{team}/staff{query}");
    let host = || {
        teams()
            .answer("GET", &url("a", ""), 200, changed(&[("2", "2025-12-31T12:00:00Z")], Some("p")))
            .answer("GET", &url("a", "?cursor=p"), 200, changed(&[("1", "2025-12-31T09:00:00Z")], None))
            .answer("GET", &url("b", ""), 404, "{}")
            .answer(
                "GET",
                &url("c", ""),
                200,
                changed(&[("3", "2025-12-31T12:00:00Z"), ("4", "2025-12-30T00:00:00Z")], None),
            )
    };
    for size in [1, 2, 3] {
        let (mut cursor, mut seen) = (None, Vec::new());
        for _ in 0..20 {
            let page = page(&host(), "staff", cursor, size).unwrap();
            seen.extend(page.records.iter().map(|record| record.external_id.clone()));
            cursor = page.next;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen, ["2", "1", "3", "4"], "{size}");
        let since = "?since=2025-12-31T11%3A00%3A00Z";
        let next = ["a", "b", "c"]
            .iter()
            .fold(teams(), |host, team| host.answer("GET", &url(team, since), 200, changed(&[], None)));
        assert!(pull_all(&next, "staff", cursor).is_ok(), "{size}");
    }
}

const GRANDCHILDREN: &str = r#"
[api]
base = "{config/base_url}"

[[api.errors]]
status = [404]
is = "gone"

[streams.regions]
request = { path = "/regions", query = { cursor = "{page/token}" } }
items = "/data"
paging = { by = "token", next = "/next" }
[[streams.regions.records]]
entity = "org_unit"
id = "/id"
set = { "/kind" = { code = "DIVISION" } }
fields = { "/name" = { from = "/id", as = "localized", lang = "en" } }

[streams.teams]
request = { path = "/regions/{parent/id}/teams", query = { cursor = "{page/token}" } }
items = "/data"
paging = { by = "token", next = "/next" }
for_each = { stream = "regions" }
[[streams.teams.records]]
entity = "org_unit"
id = "/id"
set = { "/kind" = { code = "TEAM" } }
fields = { "/name" = { from = "/id", as = "localized", lang = "en" } }

[streams.staff]
request = { path = "/teams/{parent/id}/staff" }
items = "/data"
for_each = { stream = "teams", when = { "/open" = true } }
[[streams.staff.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name", "/work/org_unit" = { text = "{parent/id}", as = "ref" } }
"#;

fn grandparents() -> Host {
    let list = |rows: serde_json::Value, next: Option<&str>| json!({ "data": rows, "next": next }).to_string();
    let open = |id: &str| json!({ "id": id, "open": true });
    let staff = |id: &str| json!({ "data": [row(id)] }).to_string();
    Host::new()
        .answer("GET", &format!("{BASE}/regions"), 200, list(json!([{ "id": "r1" }, { "id": "r2" }]), Some("n")))
        .answer("GET", &format!("{BASE}/regions?cursor=n"), 200, list(json!([{ "id": "r3" }, { "id": "r4" }]), None))
        .answer(
            "GET",
            &format!("{BASE}/regions/r1/teams"),
            200,
            list(json!([open("a"), { "id": "x", "open": false }]), Some("m")),
        )
        .answer("GET", &format!("{BASE}/regions/r1/teams?cursor=m"), 200, list(json!([open("b")]), None))
        .answer("GET", &format!("{BASE}/regions/r2/teams"), 404, "{}")
        .answer("GET", &format!("{BASE}/regions/r3/teams"), 200, list(json!([]), None))
        .answer("GET", &format!("{BASE}/regions/r4/teams"), 200, list(json!([open("d")]), None))
        .answer("GET", &format!("{BASE}/teams/a/staff"), 200, staff("1"))
        .answer("GET", &format!("{BASE}/teams/b/staff"), 200, staff("2"))
        .answer("GET", &format!("{BASE}/teams/d/staff"), 200, staff("3"))
}

#[test]
fn parents_may_have_parents_and_a_run_goes_on_from_any_page() {
    map(GRANDCHILDREN);
    let run = pull_all(&grandparents(), "staff", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["1", "2", "3"], Coverage::Everything));
    assert_eq!(body(&run.records[2])["work"]["org_unit"]["external"]["value"], "d");
    let (mut cursor, mut seen) = (None, Vec::new());
    for _ in 0..40 {
        let page = page(&grandparents(), "staff", cursor, 1).unwrap();
        seen.extend(page.records.iter().map(|record| record.external_id.clone()));
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "3"]);
}

#[test]
fn the_last_months_are_parents_and_what_lies_before_them_is_not_gone() {
    map(r#"
[api]
base = "{config/base_url}"
[streams.runs]
request = { path = "/runs", query = { month = "{parent/from | month}", last = "{parent/to | date}" } }
items = "/data"
single = true
for_each = { months = 3 }
[[streams.runs.records]]
entity = "employee"
id = "/id"
fields = { "/person/names/formatted" = "/name" }
"#);
    let url = |month: &str, last: &str| format!("{BASE}/runs?last={last}&month={month}");
    let host = Host::new()
        .at_ms(NOW_MS + 3_600_000)
        // One run of a month comes without a list around it.
        .answer("GET", &url("2025-11", "2025-11-30"), 200, json!({ "data": row("1") }).to_string())
        .answer("GET", &url("2025-12", "2025-12-31"), 200, json!({ "data": [row("2"), row("3")] }).to_string())
        .answer("GET", &url("2026-01", "2026-01-31"), 200, json!({ "data": null }).to_string());
    let run = pull_all(&host, "runs", None).unwrap();
    assert_eq!((ids(&run.records), run.coverage), (vec!["1", "2", "3"], Coverage::Changes));
    let places: Vec<&str> = run.records.iter().map(|record| record.pointer.as_str()).collect();
    assert_eq!(places, ["/data", "/data/0", "/data/1"]);
}
