//! What a fault does to an answer.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Answer, Content, Manner};
use crate::ask::Ask;
use crate::fault::Fault;
use crate::place;
use crate::plan::Dice;

/// Names under which vendors write the next cursor, for answers whose shape was not described.
const NEXT_NAMES: &[&str] =
    &["next_cursor", "nextCursor", "next_page_token", "page_token", "next_token", "nextToken", "next"];

/// The header in which some write it.
const LINK: &str = "link";

/// Spoils an answer in one way. What needs a list leaves an answer without one as it is.
pub(crate) fn spoil(answer: &mut Answer, fault: Fault, dice: &mut Dice) {
    match fault {
        Fault::Unauthorized | Fault::TokenExpired => refuse(answer, 401, "the credential is not taken"),
        Fault::Forbidden => refuse(answer, 403, "this is not allowed"),
        Fault::RateLimited => {
            refuse(answer, 429, "slow down");
            answer.headers.push(("retry-after".into(), "7".into()));
        }
        Fault::RateLimitedBare => refuse(answer, 429, "slow down"),
        Fault::ServerError => refuse(answer, 500, "the source has a fault of its own"),
        Fault::Unavailable => *answer = Answer::of(503, Content::Bytes(Bytes::new())),
        Fault::HtmlBan => {
            *answer = Answer::text(
                200,
                "text/html",
                "<html><body>Too many requests. Come back in five minutes.</body></html>",
            );
        }
        Fault::ErrorIn200 => {
            let body = json!({"errcode": 90002, "errmsg": "too many calls", "code": 99_991_400, "msg": "request trigger frequency limit"});
            *answer = Answer::json(body);
        }
        Fault::SlowBody => answer.manner = Manner::Slow,
        Fault::CutBody => answer.manner = Manner::Cut,
        Fault::EndlessBody => answer.manner = Manner::Endless,
        Fault::InvalidUtf8 => invalid_utf8(answer),
        Fault::WrongType => {
            answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            answer.headers.push(("content-type".into(), "text/html".into()));
        }
        Fault::OtherShape | Fault::FieldType | Fault::FieldRenamed | Fault::RowsDuplicated | Fault::RowsDropped => {
            spoil_rows(answer, fault, dice);
        }
        Fault::CursorLoops => loop_cursor(answer),
        Fault::CursorEmpty => empty_cursor(answer),
        // Done by the model before the answer is made.
        Fault::PageEmpty
        | Fault::RowsMoved
        | Fault::WrongOrder
        | Fault::TiesAtEdge
        | Fault::LateRecord
        | Fault::FutureTime
        | Fault::CreatedFilter
        | Fault::ClockAhead
        | Fault::ClockBehind => {}
    }
}

/// Repeats what was asked, credentials too, where a careless connector would carry it on.
pub(crate) fn echo(answer: &mut Answer, ask: &Ask) {
    let headers = ask.headers.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let said = format!("{headers} {}", ask.raw_query);
    if let Content::Json { body: Value::Object(members), .. } = &mut answer.content {
        members.insert("echo".into(), said.clone().into());
    }
    answer.headers.push(("x-echo".into(), said));
}

/// An error of the vendor's own, with nothing of the answer left.
fn refuse(answer: &mut Answer, status: u16, message: &str) {
    *answer = Answer::json(json!({"error": {"code": status.to_string(), "message": message}}));
    answer.status = status;
}

fn invalid_utf8(answer: &mut Answer) {
    let (body, kind) = answer.encoded();
    let mut body = body.to_vec();
    // Inside the first text after the beginning, where a reader must look at it.
    let at = body.iter().rposition(u8::is_ascii_alphabetic).unwrap_or(0);
    if let Some(byte) = body.get_mut(at) {
        *byte = 0xff;
    }
    answer.headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
    answer.content = Content::Bytes(body.into());
}

fn spoil_rows(answer: &mut Answer, fault: Fault, dice: &mut Dice) {
    if let Content::Csv { rows, .. } = &mut answer.content {
        spoil_list(rows, fault, dice);
        return;
    }
    let Content::Json { body, list, .. } = &mut answer.content else { return };
    let Some(pointer) = list.clone().or_else(|| list_in(body)) else { return };
    if fault == Fault::OtherShape {
        place::put(body, &pointer, json!({"total": 0}));
        return;
    }
    if let Some(Value::Array(rows)) = body.pointer_mut(&pointer) {
        spoil_list(rows, fault, dice);
    }
}

fn spoil_list(rows: &mut Vec<Value>, fault: Fault, dice: &mut Dice) {
    if rows.is_empty() {
        return;
    }
    let chosen = dice.below(rows.len());
    match fault {
        Fault::RowsDuplicated => rows.insert(chosen, rows[chosen].clone()),
        Fault::RowsDropped => drop(rows.remove(chosen)),
        Fault::FieldType => match &mut rows[chosen] {
            Value::Object(members) => {
                let which = dice.below(members.len());
                if let Some(value) = members.values_mut().nth(which) {
                    *value = if value.is_array() { json!(7) } else { json!(["of another type"]) };
                }
            }
            other => *other = json!({"of": "another type"}),
        },
        Fault::FieldRenamed => {
            let names: Vec<String> =
                rows[chosen].as_object().map(|row| row.keys().cloned().collect()).unwrap_or_default();
            let Some(name) = names.get(dice.below(names.len())) else { return };
            for row in rows.iter_mut().filter_map(Value::as_object_mut) {
                if let Some(value) = row.remove(name) {
                    row.insert(format!("{name}_v2"), value);
                }
            }
        }
        _ => {}
    }
}

fn loop_cursor(answer: &mut Answer) {
    for (_, link) in answer.headers.iter_mut().filter(|(name, _)| name == LINK) {
        if let Some((address, rest)) = link.split_once('>') {
            *link = format!("{}>{rest}", first_page(address));
        }
    }
    let Content::Json { body, next, .. } = &mut answer.content else { return };
    let Some(pointer) = next.clone().or_else(|| next_in(body)) else { return };
    let same = match body.pointer(&pointer) {
        Some(Value::Number(_)) => json!(1),
        Some(Value::String(address)) if address.contains("://") => first_page(address).into(),
        _ => json!("1"),
    };
    place::put(body, &pointer, same);
}

/// The same address with another cursor, which is its last parameter.
fn first_page(address: &str) -> String {
    let kept = address.rfind('=').map_or(address, |at| &address[..=at]);
    format!("{kept}1")
}

/// On the last page alone: where there is a next cursor it stays.
fn empty_cursor(answer: &mut Answer) {
    for (_, link) in answer.headers.iter_mut().filter(|(name, _)| name == LINK) {
        if !link.contains("rel=\"next\"") {
            "<>; rel=\"next\"".clone_into(link);
        }
    }
    let Content::Json { body, next, .. } = &mut answer.content else { return };
    let Some(pointer) = next.clone().or_else(|| null_next_in(body)) else { return };
    if body.pointer(&pointer).is_none_or(Value::is_null) {
        place::put(body, &pointer, "".into());
    }
}

/// A next cursor that is `null`, in an answer that was not described.
fn null_next_in(body: &Value) -> Option<String> {
    let members = body.as_object()?;
    let here = NEXT_NAMES.iter().find(|name| members.get(**name).is_some_and(Value::is_null));
    if let Some(name) = here {
        return Some(place::step(name));
    }
    members.iter().find_map(|(name, value)| Some(place::step(name) + &null_next_in(value)?))
}

/// The first list of objects, outermost first.
fn list_in(body: &Value) -> Option<String> {
    if body.as_array().is_some_and(|items| items.iter().any(Value::is_object)) {
        return Some(String::new());
    }
    let members = body.as_object()?;
    let here =
        members.iter().find(|(_, value)| value.as_array().is_some_and(|items| items.iter().any(Value::is_object)));
    if let Some((name, _)) = here {
        return Some(place::step(name));
    }
    members.iter().find_map(|(name, value)| Some(place::step(name) + &list_in(value).filter(|_| value.is_object())?))
}

fn next_in(body: &Value) -> Option<String> {
    let members = body.as_object()?;
    let here =
        NEXT_NAMES.iter().find(|name| members.get(**name).is_some_and(|value| !value.is_null() && !value.is_object()));
    if let Some(name) = here {
        return Some(place::step(name));
    }
    members.iter().find_map(|(name, value)| Some(place::step(name) + &next_in(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn spoilt(body: Value, fault: Fault) -> Answer {
        let mut answer = Answer::json(body);
        spoil(&mut answer, fault, &mut Plan::of(vec![], 3).dice(1));
        answer
    }

    fn rows(answer: &Answer) -> Value {
        match &answer.content {
            Content::Json { body, .. } => body["result"]["list"].clone(),
            _ => Value::Null,
        }
    }

    fn page() -> Value {
        json!({"errcode": 0, "result": {"list": [{"id": 1, "a": "x"}, {"id": 2, "a": "y"}], "next_cursor": 2}})
    }

    #[test]
    fn rows_are_found_and_spoilt_in_an_answer_that_nobody_described() {
        assert_eq!(rows(&spoilt(page(), Fault::RowsDuplicated)).as_array().map(Vec::len), Some(3));
        assert_eq!(rows(&spoilt(page(), Fault::RowsDropped)).as_array().map(Vec::len), Some(1));
        assert_eq!(rows(&spoilt(page(), Fault::OtherShape)), json!({"total": 0}));
        assert_ne!(rows(&spoilt(page(), Fault::FieldType)), rows(&Answer::json(page())));
        let renamed = rows(&spoilt(page(), Fault::FieldRenamed)).to_string();
        assert_eq!(renamed.matches("_v2").count(), 2, "{renamed}");
    }

    #[test]
    fn a_cursor_keeps_its_type_when_it_loops() {
        let Content::Json { body, .. } = spoilt(page(), Fault::CursorLoops).content else { unreachable!() };
        assert_eq!(body["result"]["next_cursor"], json!(1));
    }

    #[test]
    fn an_address_loops_and_ends_like_a_cursor() {
        let linked = |fault: Fault, relation: &str| {
            let mut answer = Answer::json(json!([{"id": 1}]));
            answer.headers.push(("link".into(), format!("<http://a.test/x?limit=2&at=4>; rel=\"{relation}\"")));
            spoil(&mut answer, fault, &mut Plan::of(vec![], 3).dice(1));
            answer.headers[0].1.clone()
        };
        assert_eq!(linked(Fault::CursorLoops, "next"), "<http://a.test/x?limit=2&at=1>; rel=\"next\"");
        assert_eq!(linked(Fault::CursorEmpty, "first"), "<>; rel=\"next\"");
        assert!(linked(Fault::CursorEmpty, "next").contains("at=4"), "there is more");
        let body = json!({"data": [{"id": 1}], "next": "http://a.test/x?at=4"});
        let Content::Json { body, .. } = spoilt(body, Fault::CursorLoops).content else { unreachable!() };
        assert_eq!(body["next"], "http://a.test/x?at=1");
    }

    #[test]
    fn an_empty_cursor_stands_on_the_last_page_alone() {
        let next = |next: Value| {
            let body = json!({"data": [{"id": 1}], "paging": {"next_cursor": next}});
            let Content::Json { body, .. } = spoilt(body, Fault::CursorEmpty).content else { unreachable!() };
            body["paging"]["next_cursor"].clone()
        };
        assert_eq!((next(json!(null)), next(json!("2"))), (json!(""), json!("2")));
        let known = Content::Json { body: json!({"data": []}), list: None, next: Some("/next".into()) };
        let mut answer = Answer::of(200, known);
        spoil(&mut answer, Fault::CursorEmpty, &mut Plan::of(vec![], 3).dice(1));
        let Content::Json { body, .. } = answer.content else { unreachable!() };
        assert_eq!(body["next"], json!(""), "where it is described it need not be there");
    }

    #[test]
    fn a_body_with_a_wrong_byte_is_no_longer_text() {
        assert!(String::from_utf8(spoilt(page(), Fault::InvalidUtf8).encoded().0.to_vec()).is_err());
    }

    #[test]
    fn each_refusal_has_its_status() {
        for (fault, status) in [
            (Fault::Unauthorized, 401),
            (Fault::Forbidden, 403),
            (Fault::RateLimited, 429),
            (Fault::ServerError, 500),
            (Fault::Unavailable, 503),
            (Fault::HtmlBan, 200),
            (Fault::ErrorIn200, 200),
        ] {
            assert_eq!(spoilt(page(), fault).status, status, "{fault:?}");
        }
    }
}
