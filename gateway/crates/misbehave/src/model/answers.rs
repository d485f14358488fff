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
        let listed = rows.all().iter().enumerate().filter(|(at, row)| rows.is_listed(row) && Some(*at) != late);
        let mut found: Vec<&Row> = listed.map(|(_, row)| row).collect();
        found.retain(|row| since_ms.is_none_or(|since| time_of(row) >= since));
        if rows.form.is_some() && rows.described.order != Order::Fixed {
            found.sort_by_key(|row| (row.modified_ms, Rows::id_text(row)));
        }
        if (rows.described.order == Order::NewestFirst) != self.reversed {
            found.reverse();
        }
        // An empty cursor is none, as with most vendors.
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
        if let Some(pointer) = &serve.more {
            place::put(&mut body, pointer, more.into());
        }
        Answer::of(200, Content::Json { body, list: serve.list.clone(), next: serve.next.clone() })
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
        && serve.path == ask.path
        && serve.when.iter().all(same)
}
