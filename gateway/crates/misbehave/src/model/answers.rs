//! What a request gets.
//!
//! A list is in the order of its description; its page cursor is an offset into what the request asks for, as with most vendors:
//! a row that changes meanwhile shifts all others. `since` is inclusive.

use serde_json::{Value, json};

use super::Model;
use super::describe::{Order, Serve};
use super::rows::{Row, Rows};
use crate::answer::{Answer, Content};
use crate::ask::Ask;
use crate::place;

/// Rows in a page when the request does not say.
const SIZE_DEFAULT: usize = 100;

impl Model {
    /// Does this request give records? None: nothing answers it.
    #[must_use]
    pub fn is_data(&self, ask: &Ask) -> Option<bool> {
        self.find(ask).map(|(_, serve, _)| serve.is_data())
    }

    /// The answer to a request; none if nothing answers it.
    #[must_use]
    pub fn answer(&self, ask: &Ask) -> Option<Answer> {
        let (rows, serve, named) = self.find(ask)?;
        let Some(rows) = rows.filter(|_| serve.is_data()) else {
            return Some(Answer::json(serve.around.clone().unwrap_or_else(|| json!({}))));
        };
        if named.parent.is_some_and(|parent| !rows.described.parents.iter().any(|known| known == parent)) {
            return Some(not_found());
        }
        if let Some(columns) = &serve.csv {
            let listed = rows.all().iter().filter(|row| rows.is_listed(row));
            let rows = listed.map(|row| rows.write(row, self.skew_ms)).collect();
            return Some(Answer::of(200, Content::Csv { columns: columns.clone(), rows }));
        }
        if let Some(id) = named.id {
            return Some(self.one(rows, serve, id));
        }
        Some(match &serve.ids {
            Some(ids) => self.looked_up(rows, serve, ask.at(ids)),
            None => self.listed(rows, serve, ask, named),
        })
    }

    fn find<'a>(&'a self, ask: &'a Ask) -> Option<(Option<&'a Rows>, &'a Serve, Named<'a>)> {
        let of_streams =
            self.streams.values().flat_map(|rows| rows.described.serve.iter().map(move |s| (Some(rows), s)));
        let mut all = of_streams.chain(self.constants.iter().map(|serve| (None, serve)));
        all.find_map(|(rows, serve)| Some((rows, serve, fits(serve, ask)?)))
    }

    fn listed(&self, rows: &Rows, serve: &Serve, ask: &Ask, named: Named<'_>) -> Answer {
        let token = serve.sync.as_ref().and_then(|place| ask.text_at(place)).filter(|text| !text.is_empty());
        let known = token.as_deref().map(|text| text.strip_prefix("sync-").and_then(|n| n.parse::<u64>().ok()));
        // An empty cursor counts as absent, as with most vendors.
        let cursor = serve.cursor.as_ref().and_then(|place| ask.text_at(place)).filter(|text| !text.is_empty());
        if cursor.is_some_and(|text| text.parse::<usize>().is_err()) {
            return refused("invalid_cursor");
        }
        if known == Some(None) {
            return refused("invalid_sync_token");
        }
        let found = self.found(rows, serve, ask, named, known.flatten());
        let number =
            |place: &Option<String>| place.as_ref().and_then(|place| ask.text_at(place)?.parse::<usize>().ok());
        let size = if serve.size.is_some() { number(&serve.size).unwrap_or(SIZE_DEFAULT).max(1) } else { found.len() };
        let from = match serve.first_number {
            Some(first) => number(&serve.cursor).unwrap_or(first).saturating_sub(first).saturating_mul(size),
            None => number(&serve.cursor).unwrap_or(0),
        };
        let from = from.min(found.len());
        let to = if self.empty { from } else { found.len().min(from + size) };
        let mut body = serve.around.clone().unwrap_or_else(|| json!({}));
        let list = serve.list.clone().unwrap_or_default();
        place::put(&mut body, &list, self.written(rows, serve, &found[from..to]));
        let more = to < found.len();
        let mut headers = Vec::new();
        self.lead_on(serve, ask, (more, to), &mut body, &mut headers);
        if let Some(pointer) = &serve.total {
            place::put(&mut body, pointer, found.len().into());
        }
        if let Some(pointer) = &serve.pages {
            place::put(&mut body, pointer, found.len().div_ceil(size.max(1)).into());
        }
        if let Some(pointer) = &serve.more {
            place::put(&mut body, pointer, more.into());
        }
        if let (false, Some(pointer)) = (more, &serve.sync_next) {
            place::put(&mut body, pointer, rows.token().into());
        }
        let content = Content::Json { body, list: serve.list.clone(), next: serve.next.clone() };
        Answer { headers, ..Answer::of(200, content) }
    }

    /// Rows as they stand in an answer: a list, or an object with their ids as names.
    fn written(&self, rows: &Rows, serve: &Serve, listed: &[&Row]) -> Value {
        let write = |row: &&Row| match (&serve.id_at, serve.ids_only) {
            (Some(id_at), _) => rows.write_thin(row, id_at, serve.time_at.as_deref(), self.skew_ms),
            (None, true) => row.id.clone(),
            (None, false) => rows.write(row, self.skew_ms),
        };
        match serve.keyed {
            true => Value::Object(listed.iter().map(|row| (Rows::id_text(row), write(row))).collect()),
            false => listed.iter().map(write).collect(),
        }
    }

    /// The rows that a request asks for, in the order in which they are listed.
    fn found<'r>(
        &self,
        rows: &'r Rows,
        serve: &Serve,
        ask: &Ask,
        named: Named<'_>,
        known: Option<u64>,
    ) -> Vec<&'r Row> {
        let since = serve.since.as_ref().and_then(|place| ask.text_at(place));
        let since = since.and_then(|text| time_in(serve.since_in.as_deref(), text));
        let since_ms = since.zip(rows.form).and_then(|(text, form)| form.read(&text));
        let time_of = |row: &Row| self.skew_ms + if self.by_creation { row.created_ms } else { row.modified_ms };
        let late = rows.late.filter(|_| self.withholds);
        let listed = rows
            .all()
            .iter()
            .enumerate()
            .filter(|(at, row)| Some(*at) != late && if serve.gone { row.gone } else { rows.is_listed(row) });
        let mut found: Vec<&Row> = listed.map(|(_, row)| row).collect();
        found.retain(|row| since_ms.is_none_or(|since| time_of(row) >= since));
        found.retain(|row| known.is_none_or(|known| row.seq > known));
        found.retain(|row| named.parent.is_none_or(|parent| rows.parent_of(row) == Some(parent)));
        if rows.form.is_some() && rows.described.order != Order::Fixed {
            found.sort_by_key(|row| (row.modified_ms, Rows::id_text(row)));
        }
        if (rows.described.order == Order::NewestFirst) != self.reversed {
            found.reverse();
        }
        found
    }

    /// Says where the list goes on, in the way that is described.
    fn lead_on(
        &self,
        serve: &Serve,
        ask: &Ask,
        (more, to): (bool, usize),
        body: &mut Value,
        headers: &mut Vec<(String, String)>,
    ) {
        let address = |at: usize| address(ask, serve.cursor.as_deref().unwrap_or("cursor"), at);
        if let (true, Some(next)) = (more, &serve.next) {
            let value = match (serve.next_is_url, serve.next_is_number) {
                (true, _) => address(to).into(),
                (false, true) => to.into(),
                (false, false) => to.to_string().into(),
            };
            place::put(body, next, value);
        }
        if serve.link {
            let (at, relation) = if more { (to, "next") } else { (0, "first") };
            headers.push(("link".to_owned(), format!("<{}>; rel=\"{relation}\"", address(at))));
        }
    }

    /// The record that a path names: alone, or in a list that holds nothing else.
    fn one(&self, rows: &Rows, serve: &Serve, id: &str) -> Answer {
        let row = rows.all().iter().find(|row| rows.is_listed(row) && Rows::id_text(row) == id);
        let mut body = serve.around.clone().unwrap_or_else(|| json!({}));
        let record = row.map(|row| rows.write(row, self.skew_ms));
        match (&serve.list, &serve.record, record) {
            (Some(list), _, record) => place::put(&mut body, list, record.into_iter().collect()),
            (None, Some(pointer), Some(record)) => place::put(&mut body, pointer, record),
            _ => return not_found(),
        }
        Answer::of(200, Content::Json { body, list: serve.list.clone(), next: None })
    }

    fn looked_up(&self, rows: &Rows, serve: &Serve, asked: Option<Value>) -> Answer {
        // In a query a list is written as JSON, or with commas.
        let asked = match asked {
            Some(Value::String(text)) => serde_json::from_str(&text)
                .unwrap_or_else(|_| text.split(',').map(|id| Value::from(id.trim())).collect::<Value>()),
            other => other.unwrap_or_default(),
        };
        let ids: Vec<String> = asked.as_array().into_iter().flatten().filter_map(place::text_of).collect();
        let of_id = |id: &String| rows.all().iter().find(|row| rows.is_listed(row) && Rows::id_text(row) == *id);
        let items: Vec<Value> = ids.iter().filter_map(of_id).map(|row| rows.write(row, self.skew_ms)).collect();
        let mut body = serve.around.clone().unwrap_or_else(|| json!({}));
        place::put(&mut body, serve.list.as_deref().unwrap_or_default(), items.into());
        Answer::of(200, Content::Json { body, list: serve.list.clone(), next: None })
    }
}

/// What a path names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Named<'a> {
    id: Option<&'a str>,
    parent: Option<&'a str>,
}

/// What the request's path names, if it is one of these.
fn fits<'a>(serve: &Serve, ask: &'a Ask) -> Option<Named<'a>> {
    let same = |(place, wanted): (&String, &Value)| {
        ask.at(place).is_some_and(|found| place::text_of(&found) == place::text_of(wanted))
    };
    let method = serve.method.as_deref().unwrap_or("GET").eq_ignore_ascii_case(&ask.method);
    (method && serve.when.iter().all(same)).then(|| named(&serve.path, &ask.path))?
}

/// What stands where a described path has `{id}` and `{parent}`; none for another path.
fn named<'a>(described: &str, asked: &'a str) -> Option<Named<'a>> {
    if described.matches('/').count() != asked.matches('/').count() {
        return None;
    }
    let mut named = Named::default();
    for (wanted, found) in described.split('/').zip(asked.split('/')) {
        let place = ["{id}", "{parent}"].into_iter().find_map(|name| Some((name, wanted.split_once(name)?)));
        let Some((name, (before, after))) = place else {
            if wanted != found {
                return None;
            }
            continue;
        };
        let value = found.strip_prefix(before)?.strip_suffix(after)?;
        if value.is_empty() {
            return None;
        }
        if name == "{id}" { named.id = Some(value) } else { named.parent = Some(value) }
    }
    Some(named)
}

/// The request's own address with another page: the cursor is its last parameter.
fn address(ask: &Ask, cursor: &str, at: usize) -> String {
    let host = ask.headers.iter().find(|(name, _)| name == "host").map_or("127.0.0.1", |(_, host)| host);
    let others = ask.raw_query.trim_start_matches('?').split('&');
    let kept = others.filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(cursor));
    let query: String = kept.map(|pair| format!("{pair}&")).collect();
    format!("http://{host}{}?{query}{cursor}={at}", ask.path)
}

/// The time in a text that holds more: of `gte|{since}|lte|*` what stands there. A text of another form has none.
fn time_in(pattern: Option<&str>, text: String) -> Option<String> {
    let Some((before, after)) = pattern.and_then(|pattern| pattern.split_once("{since}")) else { return Some(text) };
    let start = text.find(before)? + before.len();
    let end = match after.chars().next() {
        None | Some('*') => text.len(),
        Some(mark) => start + text[start..].find(mark)?,
    };
    Some(text[start..end].to_owned())
}

fn refused(code: &str) -> Answer {
    Answer { status: 400, ..Answer::json(json!({"error": {"code": code}})) }
}

fn not_found() -> Answer {
    Answer { status: 404, ..Answer::json(json!({"error": {"code": "not_found"}})) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{Named, named, time_in};
    use crate::ask::Ask;
    use crate::model::{Described, Model, Order, Serve};

    /// Workers of whom each has a page of his own, and a list of those who are gone.
    fn workers() -> Model {
        let list = |path: &str| Serve { path: path.into(), list: Some("/data".into()), ..Serve::default() };
        let described = Described {
            record: json!({ "id": "w", "title": "Analyst", "changed": "2026-01-01T00:00:00Z" }),
            id: "/id".into(),
            modified: Some("/changed".into()),
            zone: None,
            created: None,
            deleted: None,
            order: Order::OldestFirst,
            change: "/title".into(),
            serve: vec![
                Serve { size: Some("limit".into()), total: Some("/meta/total".into()), ..list("/workers") },
                Serve { gone: true, ids_only: true, since: Some("since".into()), ..list("/deletions") },
                list("/workers/{id}/positions"),
                Serve { path: "/workers/{id}".into(), record: Some(String::new()), ..Serve::default() },
            ],
            parents: Vec::new(),
            parent_at: None,
        };
        let mut model = Model::new();
        model.add("workers", described, 5).unwrap();
        model
    }

    fn answer(model: &Model, path: &str) -> (u16, Value) {
        let answer = model.answer(&Ask::new("GET", path, Vec::new(), Bytes::new())).unwrap();
        let body = match answer.content {
            crate::answer::Content::Json { body, .. } => body,
            _ => Value::Null,
        };
        (answer.status, body)
    }

    #[test]
    fn a_list_says_how_many_there_are_and_what_is_gone_has_a_list_of_its_own() {
        let mut model = workers();
        let (_, first) = answer(&model, "/workers?limit=2");
        assert_eq!((first["data"].as_array().unwrap().len(), &first["meta"]["total"]), (2, &json!(5)));
        assert_eq!(answer(&model, "/deletions").1["data"], json!([]));
        let rows = model.rows_mut("workers").unwrap();
        let ends_ms = rows.newest_ms() + 1_000;
        rows.end(1, ends_ms);
        assert_eq!(answer(&model, "/workers?limit=9").1["meta"]["total"], 4);
        assert_eq!(answer(&model, "/deletions").1["data"], json!(["w-0002"]));
        assert_eq!(answer(&model, "/deletions?since=2030-01-01T00%3A00%3A00Z").1["data"], json!([]), "none so late");
    }

    #[test]
    fn a_list_of_what_is_gone_may_hold_ids_and_times_alone() {
        let mut model = workers();
        let rows = model.rows_mut("workers").unwrap();
        rows.described.serve.insert(
            0,
            Serve {
                path: "/tombstones".into(),
                list: Some("/gone".into()),
                gone: true,
                id_at: Some("/worker".into()),
                time_at: Some("/at".into()),
                ..Serve::default()
            },
        );
        rows.end(1, 1_772_413_300_000);
        let (_, body) = answer(&model, "/tombstones");
        assert_eq!(body, json!({ "gone": [{ "worker": "w-0002", "at": "2026-03-02T01:01:40Z" }] }));
    }

    #[test]
    fn rows_may_stand_in_an_object_under_their_ids() {
        let model = jobs(Serve { path: "/jobs".into(), keyed: true, cursor: Some("page".into()), ..Serve::default() });
        let (_, body) = answer(&model, "/jobs?limit=2&page=2");
        let keys: Vec<&str> = body["data"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((keys, &body["data"]["j-0003"]["id"]), (vec!["j-0003", "j-0004"], &json!("j-0003")));
    }

    #[test]
    fn a_path_with_an_id_gives_that_record_alone_and_404_for_none() {
        let model = workers();
        assert_eq!(answer(&model, "/workers/w-0003").1["id"], "w-0003");
        let (_, positions) = answer(&model, "/workers/w-0003/positions");
        assert_eq!((positions["data"].as_array().unwrap().len(), &positions["data"][0]["id"]), (1, &json!("w-0003")));
        assert_eq!(answer(&model, "/workers/w-0009").0, 404);
        assert_eq!(answer(&model, "/workers/w-0009/positions").1["data"], json!([]), "a list of nothing");
    }

    #[test]
    fn a_path_names_a_record_and_a_parent_by_its_segments() {
        let of = |id, parent| Some(Named { id, parent });
        assert_eq!(named("/workers/{id}/positions", "/workers/7/positions"), of(Some("7"), None));
        assert_eq!(named("/workers/{id}", "/workers/7"), of(Some("7"), None));
        assert_eq!(named("/boards/{parent}/jobs({id})", "/boards/a/jobs(7)"), of(Some("7"), Some("a")));
        for other in ["/workers/7", "/workers//positions", "/workers/7/8/positions", "/people/7/positions"] {
            assert_eq!(named("/workers/{id}/positions", other), None, "{other}");
        }
        assert_eq!(named("/workers", "/workers"), of(None, None));
    }

    /// Jobs of boards, in pages.
    fn jobs(serve: Serve) -> Model {
        let described = Described {
            record: json!({ "id": "j", "title": "Analyst", "board": "", "changed": "2026-01-01T00:00:00Z" }),
            id: "/id".into(),
            modified: Some("/changed".into()),
            zone: None,
            created: None,
            deleted: None,
            order: Order::Fixed,
            change: "/title".into(),
            serve: vec![Serve { list: Some("/data".into()), size: Some("limit".into()), ..serve }],
            parents: vec!["a".into(), "b".into()],
            parent_at: Some("/board".into()),
        };
        let mut model = Model::new();
        model.add("jobs", described, 5).unwrap();
        model
    }

    fn ids(body: &Value) -> Vec<&str> {
        body["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn each_row_is_listed_below_one_parent_and_names_it() {
        let model = jobs(Serve { path: "/boards/{parent}/jobs".into(), ..Serve::default() });
        assert_eq!(ids(&answer(&model, "/boards/a/jobs").1), ["j-0001", "j-0003", "j-0005"]);
        let (_, other) = answer(&model, "/boards/b/jobs");
        assert_eq!((ids(&other), &other["data"][0]["board"]), (vec!["j-0002", "j-0004"], &json!("b")));
        assert_eq!(answer(&model, "/boards/c/jobs").0, 404);
    }

    #[test]
    fn an_address_of_the_next_page_stands_in_the_header_or_the_body_until_the_last_page() {
        let linked = Serve { path: "/jobs".into(), cursor: Some("page".into()), link: true, ..Serve::default() };
        let asked = |model: &Model, path: &str| {
            let headers = vec![("host".to_owned(), "127.0.0.1:9".to_owned())];
            model.answer(&Ask::new("GET", path, headers, Bytes::new())).unwrap()
        };
        let model = jobs(linked.clone());
        let link = |path: &str| asked(&model, path).headers[0].1.clone();
        assert_eq!(link("/jobs?limit=3&x=1"), "<http://127.0.0.1:9/jobs?limit=3&x=1&page=3>; rel=\"next\"");
        assert_eq!(link("/jobs?limit=3&x=1&page=3"), "<http://127.0.0.1:9/jobs?limit=3&x=1&page=0>; rel=\"first\"");
        let model = jobs(Serve { link: false, next: Some("/next".into()), next_is_url: true, ..linked });
        assert_eq!(answer(&model, "/jobs?limit=4").1["next"], "http://127.0.0.1/jobs?limit=4&page=4");
        assert_eq!(answer(&model, "/jobs?limit=4&page=4").1["next"], Value::Null);
    }

    #[test]
    fn pages_are_counted_from_their_first_number() {
        let serve = Serve {
            path: "/jobs".into(),
            cursor: Some("page".into()),
            first_number: Some(1),
            pages: Some("/pages".into()),
            ..Serve::default()
        };
        let model = jobs(serve);
        let (_, second) = answer(&model, "/jobs?limit=2&page=2");
        assert_eq!((ids(&second), &second["pages"]), (vec!["j-0003", "j-0004"], &json!(3)));
        assert_eq!(ids(&answer(&model, "/jobs?limit=2&page=4").1), Vec::<&str>::new());
    }

    #[test]
    fn a_token_of_the_last_page_asks_for_what_changed_since_and_knows_what_was_not_shown() {
        let serve = Serve {
            path: "/jobs".into(),
            cursor: Some("page".into()),
            next: Some("/next".into()),
            sync: Some("token".into()),
            sync_next: Some("/token".into()),
            ..Serve::default()
        };
        let mut model = jobs(serve);
        assert_eq!(answer(&model, "/jobs?limit=3").1["token"], Value::Null, "not the last page");
        model.rows_mut("jobs").unwrap().hold_back();
        model.withholds = true;
        let (_, last) = answer(&model, "/jobs?limit=9");
        let token = last["token"].as_str().unwrap().to_owned();
        model.withholds = false;
        let changed = |model: &Model| ids(&answer(model, &format!("/jobs?token={token}")).1).join(" ");
        assert_eq!(changed(&model), "j-0004", "the one that was held back");
        let rows = model.rows_mut("jobs").unwrap();
        let later_ms = rows.newest_ms() + 1;
        rows.touch(0, later_ms);
        rows.insert(later_ms);
        assert_eq!(changed(&model), "j-0001 j-0004 j-0006");
        assert_eq!(answer(&model, "/jobs?token=stale").0, 400);
    }

    #[test]
    fn a_time_is_found_in_a_text_that_holds_more() {
        let time = |pattern: Option<&str>, text: &str| time_in(pattern, text.to_owned());
        assert_eq!(time(None, "2026").as_deref(), Some("2026"));
        assert_eq!(time(Some("gte|{since}|lte|*"), "gte|2026|lte|2027").as_deref(), Some("2026"));
        assert_eq!(time(Some("changed ge '{since}'"), "status eq 1 and changed ge '2026'").as_deref(), Some("2026"));
        assert_eq!(time(Some(">={since}"), ">=2026").as_deref(), Some("2026"));
        assert_eq!(time(Some("gte|{since}|"), "lte|2027"), None);
    }
}
