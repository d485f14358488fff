//! Finding a list's items in JSON by their bytes alone.
//!
//! Used only when a page cannot be read in one pass: it must get past an item that no parser would take (invalid
//! UTF-8, a number like `01`), so it looks at nothing but quotes and brackets. Each item is parsed afterwards.

use std::ops::Range;

/// Where the items of a list are, and the other members of the objects on the way to it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Byte ranges of the items, in order.
    pub(crate) items: Vec<Range<usize>>,
    /// Pointer and byte range of each other member.
    pub(crate) rest: Vec<(String, Range<usize>)>,
    /// Did the list exist (also as `null`)?
    pub(crate) list: bool,
}

/// Why the bytes could not be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// They end too early.
    Cut,
    /// At this byte something stands that JSON does not allow there.
    At(usize),
}

/// Finds the list at `path` (the unescaped tokens of a pointer through objects).
pub(crate) fn find(json: &[u8], path: &[String]) -> Result<Found, Broken> {
    let mut scan = Scan { json, at: 0 };
    let mut found = Found::default();
    let mut base = String::new();
    scan.object_or_list(path, &mut base, &mut found)?;
    scan.blank();
    if scan.at == json.len() { Ok(found) } else { Err(Broken::At(scan.at)) }
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn object_or_list(&mut self, path: &[String], base: &mut String, found: &mut Found) -> Result<(), Broken> {
        self.blank();
        let Some((wanted, deeper)) = path.split_first() else {
            return match self.peek()? {
                b'[' | b'n' => {
                    found.list = true;
                    self.list(found)
                }
                // Below a member it is still valid JSON: the caller reports that it is not a list.
                b'{' | b'"' | b't' | b'f' | b'-' | b'0'..=b'9' if !base.is_empty() => self.value().map(drop),
                _ => Err(Broken::At(self.at)),
            };
        };
        if self.peek()? != b'{' {
            return self.value().map(drop);
        }
        self.at += 1;
        self.blank();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            let key = self.key()?;
            self.blank();
            self.expect(b':')?;
            let length = base.len();
            base.push('/');
            base.push_str(&renmen_schema::pointer::escape(&key));
            if key == *wanted {
                self.object_or_list(deeper, base, found)?;
            } else {
                self.blank();
                let range = self.value()?;
                found.rest.push((base.clone(), range));
            }
            base.truncate(length);
            if !self.comma_or(b'}')? {
                return Ok(());
            }
        }
    }

    fn list(&mut self, found: &mut Found) -> Result<(), Broken> {
        if self.peek()? == b'n' {
            return self.value().map(drop);
        }
        self.expect(b'[')?;
        self.blank();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            let range = self.value()?;
            found.items.push(range);
            if !self.comma_or(b']')? {
                return Ok(());
            }
        }
    }

    /// Gets past one value; nesting is counted, not recursed into.
    fn value(&mut self) -> Result<Range<usize>, Broken> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b' ' | b'\t' | b'\r' | b'\n' => self.blank(),
                b',' | b':' | b'}' | b']' => return Err(Broken::At(self.at)),
                _ => self.word(),
            }
            if depth == 0 && self.at > start {
                return Ok(start..self.at);
            }
        }
    }

    /// A number, `true`, `false`, `null`, or what some vendor takes for one.
    fn word(&mut self) {
        let ends = |b: &u8| matches!(b, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n');
        self.at += self.json[self.at..].iter().position(ends).unwrap_or(self.json.len() - self.at);
    }

    fn string(&mut self) -> Result<(), Broken> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break self.at += 1,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<String, Broken> {
        let start = self.at;
        if self.peek()? != b'"' {
            return Err(Broken::At(self.at));
        }
        self.string()?;
        serde_json::from_slice(&self.json[start..self.at]).map_err(|_| Broken::At(start))
    }

    fn comma_or(&mut self, end: u8) -> Result<bool, Broken> {
        self.blank();
        let byte = self.peek()?;
        if byte != b',' && byte != end {
            return Err(Broken::At(self.at));
        }
        self.at += 1;
        Ok(byte == b',')
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek()? != byte {
            return Err(Broken::At(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn blank(&mut self) {
        while self.json.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, Broken> {
        self.json.get(self.at).copied().ok_or(Broken::Cut)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn items(json: &[u8], path: &[&str]) -> Result<Vec<String>, Broken> {
        let path: Vec<String> = path.iter().map(|&token| token.to_owned()).collect();
        Ok(find(json, &path)?.items.into_iter().map(|r| String::from_utf8_lossy(&json[r]).into_owned()).collect())
    }

    #[test]
    fn items_are_found_by_their_brackets_whatever_is_inside() {
        let json = br#" {"a":{"b":[{"x":"]},\"{"}, [1,[2]] ,null, 01, "q"],"n":"c"},"z":true} "#;
        assert_eq!(items(json, &["a", "b"]).unwrap(), [r#"{"x":"]},\"{"}"#, "[1,[2]]", "null", "01", "\"q\""]);
    }

    #[test]
    fn an_item_with_invalid_utf8_does_not_hide_its_neighbours() {
        let found = items(b"[\"a\",\"\xff\",\"b\"]", &[]).unwrap();
        assert_eq!((found.len(), found[2].as_str()), (3, "\"b\""));
    }

    #[test]
    fn the_other_members_on_the_way_keep_their_pointers() {
        let json = br#"{"result":{"list":[],"next/cursor":7},"ok":1}"#;
        let found = find(json, &["result".into(), "list".into()]).unwrap();
        let rest: Vec<_> = found.rest.iter().map(|(p, r)| (p.as_str(), &json[r.clone()])).collect();
        assert_eq!(rest, [("/result/next~1cursor", &b"7"[..]), ("/ok", b"1")]);
        assert!(found.list);
    }

    #[test]
    fn an_object_where_a_list_was_is_no_broken_json() {
        for body in [&br#"{"data":{"total":0},"next":"2"}"#[..], br#"{"data":7}"#, br#"{"data":"x"}"#] {
            let found = find(body, &["data".into()]).unwrap();
            assert!(!found.list && found.items.is_empty());
        }
    }

    #[test]
    fn a_cut_body_is_told_from_a_wrong_one() {
        assert_eq!(items(br#"{"data":[{"id":1},{"#, &["data"]), Err(Broken::Cut));
        assert_eq!(items(br#"{"data":["a\"#, &["data"]), Err(Broken::Cut));
        assert_eq!(items(b"<html>", &[]), Err(Broken::At(0)));
        assert_eq!(items(b"[1]]", &[]), Err(Broken::At(3)));
        assert_eq!(items(b"[1,,2]", &[]), Err(Broken::At(3)));
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let mut json = vec![b'['; 200_001];
        json.extend(vec![b']'; 200_001]);
        assert_eq!(items(&json, &[]).unwrap().len(), 1);
    }
}
