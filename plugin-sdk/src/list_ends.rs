//! The two ends of a list in an answer and the members next to it, without what lies between: enough to name the request for the next
//! page before this one is mapped ([`Request::prefetch`](crate::http::Request::prefetch)).
//!
//! Both are read from the outside inwards, some kilobytes of each, so that it costs the same for any page. That rests on the answer
//! being what it should be: what is found here is good for a hint and for nothing else.

use serde::Deserialize;

use crate::http::Response;

/// How much of either end is looked at. Bytes.
const NEAR: usize = 32 << 10;

/// See the module.
#[derive(Debug)]
pub struct ListEnds<'a> {
    first: Option<&'a [u8]>,
    last: Option<&'a [u8]>,
    members: Vec<(String, &'a [u8])>,
}

impl<'a> ListEnds<'a> {
    /// The ends of the list at `pointer`. None where it is not found near the ends of the answer.
    #[must_use]
    pub fn of(response: &'a Response, pointer: &str) -> Option<Self> {
        let body = response.body();
        let path = renmen_schema::pointer::names(pointer);
        let mut ends = Self { first: None, last: None, members: Vec::new() };
        let places = ends.front(&body[..body.len().min(NEAR)], &path)?;
        ends.back(body, body.len().saturating_sub(NEAR), &path, &places)?;
        Some(ends)
    }

    /// The first item; none of an empty list, or where it is not a `T`.
    #[must_use]
    pub fn first<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_slice(self.first?).ok()
    }

    /// The last item; none of an empty list, or where it is not a `T`.
    #[must_use]
    pub fn last<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_slice(self.last?).ok()
    }

    /// The member at a pointer from the top of the answer, which stands next to the list or to what holds it; `null` where there is
    /// none. None where it is not a `T`.
    #[must_use]
    pub fn get<T: Deserialize<'a>>(&self, pointer: &str) -> Option<T> {
        let member = self.members.iter().find(|(at, _)| at == pointer);
        serde_json::from_slice(member.map_or(b"null", |(_, json)| json)).ok()
    }

    /// From the beginning to the list's first item. Gives where each value on the path begins, the list last.
    fn front(&mut self, head: &'a [u8], path: &[String]) -> Option<Vec<usize>> {
        let (mut places, mut base) = (vec![after_blanks(head, 0)], String::new());
        for name in path {
            let mut at = *places.last()?;
            let mut follows = b'{';
            loop {
                (*head.get(at)? == follows).then_some(())?;
                follows = b',';
                let key = after_blanks(head, at + 1);
                (*head.get(key)? == b'"').then_some(())?;
                let key_end = value_end(head, key)?;
                let colon = after_blanks(head, key_end);
                (*head.get(colon)? == b':').then_some(())?;
                let value = after_blanks(head, colon + 1);
                let key = std::str::from_utf8(&head[key + 1..key_end - 1]).ok()?;
                if key == name {
                    places.push(value);
                    base = format!("{base}/{}", renmen_schema::pointer::escape(key));
                    break;
                }
                let end = value_end(head, value)?;
                self.members.push((format!("{base}/{}", renmen_schema::pointer::escape(key)), &head[value..end]));
                at = after_blanks(head, end);
            }
        }
        let list = *places.last()?;
        (*head.get(list)? == b'[').then_some(())?;
        let item = after_blanks(head, list + 1);
        if *head.get(item)? != b']' {
            self.first = Some(&head[item..value_end(head, item)?]);
        }
        Some(places)
    }

    /// From the end to the list's last item, not beyond `near`. `places` are those that [`Self::front`] found.
    fn back(&mut self, body: &'a [u8], near: usize, path: &[String], places: &[usize]) -> Option<()> {
        let tail = Tail { body, near };
        let (mut end, mut base) = (tail.before_blanks(body.len()), String::new());
        for (name, place) in path.iter().zip(&places[1..]) {
            let mut at = end;
            let mut closes = b'}';
            loop {
                (tail.before(at)? == closes).then_some(())?;
                closes = b',';
                let value_end = tail.before_blanks(at - 1);
                let start = tail.value_start(value_end);
                // What begins further away than is looked at is what everything else was looked at for.
                if start.is_none_or(|start| start == *place) {
                    end = value_end;
                    break;
                }
                let start = start?;
                let colon = tail.before_blanks(start);
                (tail.before(colon)? == b':').then_some(())?;
                let key_end = tail.before_blanks(colon - 1);
                (tail.before(key_end)? == b'"').then_some(())?;
                let key_start = tail.value_start(key_end)?;
                let key = std::str::from_utf8(&body[key_start + 1..key_end - 1]).ok()?;
                self.members.push((format!("{base}/{}", renmen_schema::pointer::escape(key)), &body[start..value_end]));
                at = tail.before_blanks(key_start);
            }
            base = format!("{base}/{}", renmen_schema::pointer::escape(name));
        }
        (tail.before(end)? == b']').then_some(())?;
        let item_end = tail.before_blanks(end - 1);
        if self.first.is_some() {
            self.last = Some(&body[tail.value_start(item_end)?..item_end]);
        }
        Some(())
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn after_blanks(head: &[u8], at: usize) -> usize {
    at + head.get(at..).unwrap_or_default().iter().take_while(|byte| is_blank(**byte)).count()
}

/// Behind the value that begins here. None where it ends further away.
fn value_end(head: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match *head.get(at)? {
            b'"' => {
                at += 1;
                while *head.get(at)? != b'"' {
                    at += if head[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            _ => {
                let ends = |byte: &u8| is_blank(*byte) || matches!(byte, b',' | b'}' | b']');
                return Some(at + head[at..].iter().position(ends)?);
            }
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of an answer, read backwards. Outside of a string a quotation mark is the end of one, and what begins it is the next mark in
/// front that no backslash stands before.
struct Tail<'a> {
    body: &'a [u8],
    near: usize,
}

impl Tail<'_> {
    /// The byte in front of a place.
    fn before(&self, at: usize) -> Option<u8> {
        (at > self.near).then(|| self.body[at - 1])
    }

    fn before_blanks(&self, mut at: usize) -> usize {
        while self.before(at).is_some_and(is_blank) {
            at -= 1;
        }
        at
    }

    /// Where the value begins that ends here. None where that is further away.
    fn value_start(&self, end: usize) -> Option<usize> {
        let (mut at, mut depth) = (end, 0_usize);
        loop {
            match self.before(at)? {
                b'"' => at = self.string_start(at)?,
                b'}' | b']' => {
                    depth += 1;
                    at -= 1;
                }
                b'{' | b'[' => {
                    depth = depth.checked_sub(1)?;
                    at -= 1;
                }
                _ if depth > 0 => {
                    at -= 1;
                    continue;
                }
                _ => {
                    let ends = |byte: u8| is_blank(byte) || matches!(byte, b',' | b':' | b'[' | b'{');
                    while !ends(self.before(at)?) {
                        at -= 1;
                    }
                    return (at < end).then_some(at);
                }
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }

    fn string_start(&self, end: usize) -> Option<usize> {
        let mut at = end - 1;
        loop {
            if self.before(at)? == b'"' {
                let mut backslashes = at - 1;
                while self.before(backslashes)? == b'\\' {
                    backslashes -= 1;
                }
                if (at - 1 - backslashes).is_multiple_of(2) {
                    return Some(at - 1);
                }
                at = backslashes;
            } else {
                at -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn answer(body: impl Into<Vec<u8>>) -> Response {
        Response::from_parts(200, Vec::new(), body.into())
    }

    /// First and last item and a member, as JSON.
    fn ends(body: &str, list: &str, member: &str) -> Option<(Option<Value>, Option<Value>, Value)> {
        let answer = answer(body);
        let ends = ListEnds::of(&answer, list)?;
        Some((ends.first(), ends.last(), ends.get(member).unwrap()))
    }

    #[test]
    fn both_ends_and_the_members_on_either_side_are_found() {
        let items =
            [json!({"id": 1, "t": "a\"]}\\"}), json!({"id": 2}), json!({"id": 3, "t": "\\\\\"[{", "l": [1, {}]})];
        let (first, last) = (Some(items[0].clone()), Some(items[2].clone()));
        for (list, body) in [
            ("/data", json!({"data": items, "next": "x\\\"]", "z": {"data": [0]}})),
            ("/data", json!({"a": ["]", {"data": [1]}], "data": items, "next": "x\\\"]"})),
            ("/data", json!({"data": items, "next": "x\\\"]", "page": [1, 2], "small": []})),
        ] {
            for body in [body.to_string(), format!(" {body:#}\n")] {
                assert_eq!(ends(&body, list, "/next"), Some((first.clone(), last.clone(), json!("x\\\"]"))), "{body}");
            }
        }
        let nested =
            json!({"code": 0, "data": {"has_more": true, "items": items, "page_token": "t"}, "msg": "ok"}).to_string();
        for (member, value) in [
            ("/data/page_token", json!("t")),
            ("/data/has_more", json!(true)),
            ("/code", json!(0)),
            ("/msg", json!("ok")),
        ] {
            assert_eq!(ends(&nested, "/data/items", member), Some((first.clone(), last.clone(), value)), "{member}");
        }
        assert_eq!(ends("[1, 2]", "", "/next"), Some((Some(json!(1)), Some(json!(2)), Value::Null)));
        assert_eq!(ends(r#"{"data":[ ],"next":null}"#, "/data", "/next"), Some((None, None, Value::Null)));
    }

    #[test]
    fn a_page_of_megabytes_is_not_read_between_its_ends() {
        let items: Vec<Value> =
            (0..20_000).map(|n| json!({"id": n, "text": "a \"quoted\" text \\ with [brackets}"})).collect();
        for body in [json!({"data": items, "next": "n"}), json!({"before": "n", "data": items, "next": "n"})] {
            let body = body.to_string();
            assert!(body.len() > 20 * NEAR);
            let (first, last, next) = ends(&body, "/data", "/next").unwrap();
            assert_eq!((first, last, next), (Some(items[0].clone()), Some(items[19_999].clone()), json!("n")));
        }
        let far = json!({"data": ["x".repeat(2 * NEAR)], "next": "n"}).to_string();
        assert_eq!(ends(&far, "/data", "/next"), None);
    }

    #[test]
    fn what_is_no_such_answer_gives_nothing_and_no_panic() {
        let whole = json!({"a": "\\\"", "data": [{"t": "x]\"}"}, 5, -1.5e3, true, null], "next": ["n"]}).to_string();
        for from in 0..whole.len() {
            for to in from..whole.len() {
                let _any = ListEnds::of(&answer(&whole.as_bytes()[from..to]), "/data");
                let _any = ListEnds::of(&answer(&whole.as_bytes()[from..to]), "");
            }
        }
        for body in ["", "{", "null", "[", "]", "\"", "{}", r#"{"data":{}}"#, r#"{"data":null}"#, "{]", "\\\"", "[\"]"]
        {
            assert_eq!(ends(body, "/data", "/next"), None, "{body}");
        }
    }
}
