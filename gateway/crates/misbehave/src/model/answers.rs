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
        self.find(ask).map(|(_, serve)| serve.is_data())
    }

    /// The answer to a request; none if nothing answers it.
    #[must_use]
    pub fn answer(&self, ask: &Ask) -> Option<Answer> {
        let (rows, serve) = self.find(ask)?;
        let Some(rows) = rows.filter(|_| serve.is_data()) else {
            return Some(Answer::json(serve.around.clone().unwrap_or_else(|| json!({}))));
        };
        if let Some(columns) = &serve.csv {
            let listed = rows.all().iter().filter(|row| rows.is_listed(row));
            let rows = listed.map(|row| rows.write(row, self.skew_ms)).collect();
            return Some(Answer::of(200, Content::Csv { columns: columns.clone(), rows }));
        }
        if let Some(id) = named_id(&serve.path, &ask.path) {
            return Some(self.one(rows, serve, id));
        }
        Some(match &serve.ids {
            Some(ids) => self.looked_up(rows, serve, ask.at(ids)),
            None => self.listed(rows, serve, ask),
        })
    }

    fn find(&self, ask: &Ask) -> Option<(Option<&Rows>, &Serve)> {
        let of_streams =
            self.streams.values().flat_map(|rows| rows.described.serve.iter().map(move |s| (Some(rows), s)));
        of_streams.chain(self.constants.iter().map(|serve| (None, serve))).find(|(_, serve)| fits(serve, ask))
    }

    fn listed(&self, rows: &Rows, serve: &Serve, ask: &Ask) -> Answer {
        let since = serve.since.as_ref().and_then(|place| ask.text_at(place));
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
        if rows.form.is_some() && rows.described.order != Order::Fixed {
            found.sort_by_key(|row| (row.modified_ms, Rows::id_text(row)));
        }
        if (rows.described.order == Order::NewestFirst) != self.reversed {
            found.reverse();
        }
        // An empty cursor counts as absent, as with most vendors.
        let cursor = serve.cursor.as_ref().and_then(|place| ask.text_at(place)).filter(|text| !text.is_empty());
        let stray = cursor.filter(|text| text.parse::<usize>().is_err());
        if stray.is_some() {
            return Answer { status: 400, ..Answer::json(json!({"error": {"code": "invalid_cursor"}})) };
        }
        let number =
            |place: &Option<String>| place.as_ref().and_then(|place| ask.text_at(place)?.parse::<usize>().ok());
        let from = number(&serve.cursor).unwrap_or(0).min(found.len());
        let size = if serve.size.is_some() { number(&serve.size).unwrap_or(SIZE_DEFAULT).max(1) } else { found.len() };
        let to = if self.empty { from } else { found.len().min(from + size) };
        let items = found[from..to].iter().map(|row| match serve.ids_only {
            true => row.id.clone(),
            false => rows.write(row, self.skew_ms),
        });
        let mut body = serve.around.clone().unwrap_or_else(|| json!({}));
        let list = serve.list.clone().unwrap_or_default();
        place::put(&mut body, &list, items.collect());
        let more = to < found.len();
        if let (true, Some(next)) = (more, &serve.next) {
            place::put(&mut body, next, if serve.next_is_number { to.into() } else { to.to_string().into() });
        }
        if let Some(pointer) = &serve.total {
            place::put(&mut body, pointer, found.len().into());
        }
        if let Some(pointer) = &serve.more {
            place::put(&mut body, pointer, more.into());
        }
        Answer::of(200, Content::Json { body, list: serve.list.clone(), next: serve.next.clone() })
    }

    /// The record that a path names: alone, or in a list that holds nothing else.
    fn one(&self, rows: &Rows, serve: &Serve, id: &str) -> Answer {
        let row = rows.all().iter().find(|row| rows.is_listed(row) && Rows::id_text(row) == id);
        let mut body = serve.around.clone().unwrap_or_else(|| json!({}));
        let record = row.map(|row| rows.write(row, self.skew_ms));
        match (&serve.list, &serve.record, record) {
            (Some(list), _, record) => place::put(&mut body, list, record.into_iter().collect()),
            (None, Some(pointer), Some(record)) => place::put(&mut body, pointer, record),
            _ => return Answer { status: 404, ..Answer::json(json!({"error": {"code": "not_found"}})) },
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

fn fits(serve: &Serve, ask: &Ask) -> bool {
    let same = |(place, wanted): (&String, &Value)| {
        ask.at(place).is_some_and(|found| place::text_of(&found) == place::text_of(wanted))
    };
    serve.method.as_deref().unwrap_or("GET").eq_ignore_ascii_case(&ask.method)
        && (serve.path == ask.path || named_id(&serve.path, &ask.path).is_some())
        && serve.when.iter().all(same)
}

/// The segment that stands where a described path has `{id}`.
fn named_id<'a>(described: &str, asked: &'a str) -> Option<&'a str> {
    let (before, after) = described.split_once("{id}")?;
    let id = asked.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::named_id;
    use crate::ask::Ask;
    use crate::model::{Described, Model, Order, Serve};

    /// Workers of whom each has a page of his own, and a list of those who are gone.
    fn workers() -> Model {
        let list = |path: &str| Serve { path: path.into(), list: Some("/data".into()), ..Serve::default() };
        let described = Described {
            record: json!({ "id": "w", "title": "Analyst", "changed": "2026-01-01T00:00:00Z" }),
            id: "/id".into(),
            modified: Some("/changed".into()),
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
    fn a_path_with_an_id_gives_that_record_alone_and_404_for_none() {
        let model = workers();
        assert_eq!(answer(&model, "/workers/w-0003").1["id"], "w-0003");
        let (_, positions) = answer(&model, "/workers/w-0003/positions");
        assert_eq!((positions["data"].as_array().unwrap().len(), &positions["data"][0]["id"]), (1, &json!("w-0003")));
        assert_eq!(answer(&model, "/workers/w-0009").0, 404);
        assert_eq!(answer(&model, "/workers/w-0009/positions").1["data"], json!([]), "a list of nothing");
    }

    #[test]
    fn a_path_names_one_record_by_its_segment() {
        assert_eq!(named_id("/workers/{id}/positions", "/workers/7/positions"), Some("7"));
        assert_eq!(named_id("/workers/{id}", "/workers/7"), Some("7"));
        for other in ["/workers/7", "/workers//positions", "/workers/7/8/positions", "/people/7/positions"] {
            assert_eq!(named_id("/workers/{id}/positions", other), None, "{other}");
        }
        assert_eq!(named_id("/workers", "/workers"), None);
    }
}
