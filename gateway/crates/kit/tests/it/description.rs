//! Descriptions that cannot be used are told with their place.

use renmen_kit::conformance::Description;

fn told(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.http.json"), r#"[{"response": {"body": {"id": "x", "name": "A"}}}]"#).unwrap();
    let file = folder.path().join("conformance.toml");
    std::fs::write(&file, text).unwrap();
    match Description::read(&file).and_then(|description| description.model(3)) {
        Ok(_) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn with(record: &str, id: &str, more: &str) -> String {
    format!("[streams.s.source]\nrecord = {record}\nid = \"{id}\"\nchange = \"/name\"\nserve = []\n{more}")
}

#[test]
fn an_example_is_a_table_or_a_place_in_a_fixture() {
    assert_eq!(told(&with(r#"{ id = 1, name = "A" }"#, "/id", "")), "good");
    assert_eq!(told(&with(r#""a.http.json#/0/response/body""#, "/id", "")), "good");
    assert_eq!(told("fixtures = { runs = 10, now = \"2026-01-01T00:00:00Z\" }"), "good", "streams may be left out");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, part) in [
        (with(r#""a.http.json#/1/body""#, "/id", ""), "holds nothing at `/1/body`"),
        (with(r#""b.http.json#/0""#, "/id", ""), "b.http.json"),
        (with(r#""no place""#, "/id", ""), "FILE#POINTER"),
        (with(r#"{ id = 1, name = "A" }"#, "/key", ""), "streams.s.source.id: `/key`"),
        (with(r#"{ id = 1, name = 2 }"#, "/id", ""), "streams.s.source.change: `/name`"),
        (
            with(r#"{ id = 1, name = "A", at = "soon" }"#, "/id", "modified = \"/at\""),
            "streams.s.source.modified: `/at`",
        ),
        (with(r#"{ id = 1, name = "A" }"#, "/id", "colour = 1"), "unknown field `colour`"),
        ("[streams.s]\npage = \"x\"\n".to_owned(), "line 2"),
        ("fixtures = { runs = 0 }".to_owned(), "fixtures.runs = 0: expected 1 to 10"),
        ("fixtures = { runs = 11 }".to_owned(), "fixtures.runs = 11: expected 1 to 10"),
        ("fixtures = { now = \"soon\" }".to_owned(), "fixtures.now = \"soon\": expected a time"),
    ] {
        let told = told(&text);
        assert!(told.contains(part), "{told}\nlacks {part}");
    }
}
