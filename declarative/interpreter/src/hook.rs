//! What a vendor sends of its own accord: the proof, the id, and what an event means.

use std::borrow::Cow;

use renmen_plugin::{Answer, Delivery, Failure, Outcome, Page, Refresh, seal};
use serde_json::{Map, Value};

use crate::answer::{Node, Wanted};
use crate::condition::Condition;
use crate::faults::Faults;
use crate::form::Clock;
use crate::language::{Document, Encoding, EventOf, HookOf, SignatureOf};
use crate::pointer::Pointer;
use crate::record::{Found, Record};
use crate::template::{Scope, Template};

const ROOTS: &[&str] = &["config", "header", "query", "body"];

/// A webhook as it is carried out.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    signature: Option<Signature>,
    id: Option<Template>,
    events: Vec<Event>,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
struct Signature {
    slot: String,
    at: Template,
    prefix: String,
    encoding: Encoding,
    signed: Vec<Template>,
    time: Option<(Template, Clock)>,
}

#[derive(Debug, Clone)]
struct Event {
    when: Condition,
    refresh: Option<String>,
    ids: Vec<Pointer>,
    item: Pointer,
    records: Vec<Record>,
    answer: Option<Value>,
}

impl Hook {
    /// Reads `[webhook]`.
    pub(crate) fn of(hook: &HookOf, document: &Document, faults: &mut Faults) -> Self {
        let events = faults.within("events", |faults| {
            let each = |(number, event): (usize, &EventOf)| {
                faults.within(number.to_string(), |faults| Event::of(event, document, faults))
            };
            hook.events.iter().enumerate().map(each).collect::<Vec<_>>()
        });
        let id = hook.id.as_ref().map(|text| faults.take("id", template(text)));
        let signature = hook
            .signature
            .as_ref()
            .map(|signature| faults.within("signature", |faults| Signature::of(signature, faults)));
        let mut wanted = Wanted::default();
        id.iter().for_each(|template| template.want(&mut wanted));
        if let Some(signature) = &signature {
            let times = signature.time.iter().map(|(template, _)| template);
            let all = signature.signed.iter().chain([&signature.at]).chain(times);
            all.for_each(|template| template.want(&mut wanted));
        }
        for event in &events {
            event.when.want(&mut wanted);
            event.ids.iter().for_each(|pointer| pointer.want(&mut wanted).all());
            let item = event.item.want(&mut wanted);
            event.records.iter().for_each(|record| record.want(item));
        }
        Self { signature, id, events, wanted }
    }

    /// Is the proof made here, and not by the gateway?
    #[cfg(feature = "author")]
    pub(crate) fn proof_slot(&self) -> Option<&str> {
        self.signature.as_ref().map(|signature| signature.slot.as_str())
    }

    /// Adds where the fields of its records come from.
    #[cfg(feature = "author")]
    pub(crate) fn add_lineage(&self, lineage: &mut crate::lineage::Lineage) {
        self.events.iter().for_each(|event| crate::lineage::add(&event.records, lineage));
    }

    /// What a delivery means.
    pub(crate) fn receive(&self, delivery: &Delivery, config: &Value) -> Result<Outcome, Failure> {
        let body = delivery.opened.as_deref().unwrap_or(&delivery.body);
        let text = std::str::from_utf8(body);
        let read = text.ok().and_then(|text| Node::read(text, &self.wanted).ok());
        let mut scope = Scope::default();
        scope.set("config", config.clone());
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), Value::from(value.as_str()));
        scope.set("header", Value::Object(delivery.headers.iter().map(lower).collect::<Map<_, _>>()));
        scope.set("query", query_of(&delivery.path_and_query));
        let nothing = Node::Null;
        if let Some(signature) = &self.signature {
            signature.prove(delivery, &scope, read.as_ref().unwrap_or(&nothing))?;
        }
        let (Some(root), Ok(text)) = (read, text) else {
            return Err(Failure::invalid_input("the delivery is not JSON: it can never be taken in"));
        };
        let mut outcome = match self.events.iter().find(|event| event.when.holds(&root, &scope)) {
            Some(event) => event.outcome(&root, text, &scope)?,
            None => Outcome::default(),
        };
        outcome.delivery_id = match &self.id {
            Some(id) => id.text_of_item(&scope, &root).map_err(Failure::invalid_input)?,
            None => None,
        };
        Ok(outcome)
    }
}

fn template(text: &str) -> Result<Template, String> {
    let template = Template::parse(text)?;
    let strange = template.places().find_map(|place| place.root.clone().filter(|root| !ROOTS.contains(&root.as_str())));
    match strange {
        Some(root) => Err(format!(
            "`{root}` has no meaning in a delivery; here there are the delivery's JSON and {}",
            ROOTS.join(", ")
        )),
        None => Ok(template),
    }
}

impl Signature {
    fn of(signature: &SignatureOf, faults: &mut Faults) -> Self {
        if signature.signed.is_empty() {
            faults.within("signed", |faults| {
                faults.add("nothing is signed; expected the pieces in order, as [\"{body}\"]");
            });
        }
        Self {
            slot: signature.slot.clone(),
            at: faults.take("at", template(&signature.at)),
            prefix: signature.prefix.clone(),
            encoding: signature.encoding,
            signed: signature.signed.iter().map(|text| faults.take("signed", template(text))).collect(),
            time: signature.time.as_ref().map(|text| {
                (faults.take("time", template(text)), Clock { unit: signature.unit, offset_minutes: None })
            }),
        }
    }

    fn prove(&self, delivery: &Delivery, scope: &Scope, root: &Node<'_>) -> Result<(), Failure> {
        let refuse = |why: &str| Failure::auth_required(format!("the delivery is not proved: {why}"));
        let text = |template: &Template| template.text_of_item(scope, root).ok().flatten();
        let given = text(&self.at).ok_or_else(|| refuse("no signature"))?;
        let given = given.strip_prefix(&self.prefix).ok_or_else(|| refuse("a signature in another form"))?;
        let given = match self.encoding {
            Encoding::Hex => from_hex(given),
            Encoding::Base64 => from_base64(given),
        };
        let given = given.ok_or_else(|| refuse("a signature in another form"))?;
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for piece in &self.signed {
            let is_body = piece.places().any(|place| place.root.as_deref() == Some("body"));
            match is_body {
                // The bytes as they came, not a text made of them.
                true => {
                    let (before, behind) = piece.around();
                    parts.extend([before.into_bytes(), delivery.body.clone(), behind.into_bytes()]);
                }
                false => {
                    parts.push(text(piece).ok_or_else(|| refuse("a piece that is signed is missing"))?.into_bytes());
                }
            }
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        if !seal::verify(&self.slot, &parts, &given)? {
            return Err(refuse("a wrong signature"));
        }
        match &self.time {
            None => Ok(()),
            Some((time, clock)) => {
                let words = text(time).ok_or_else(|| refuse("no time"))?;
                let at_ms = clock.ms(&Node::Text(words.into())).map_err(|_| refuse("a time in another form"))?;
                delivery.check_age(at_ms)
            }
        }
    }
}

impl Event {
    fn of(event: &EventOf, document: &Document, faults: &mut Faults) -> Self {
        if let Some(stream) = &event.refresh {
            let names: Vec<&String> = document.streams.keys().collect();
            faults.take("refresh", crate::nearest::known(stream, &names, "stream"));
            let looks_up =
                document.streams.get(stream).is_some_and(|reads| reads.0.iter().any(|read| read.lookup.is_some()));
            if !event.ids.is_empty() && !looks_up {
                faults.within("ids", |faults| {
                    faults.add(format!("stream `{stream}` has no `lookup`: single records cannot be read"));
                });
            }
        } else if !event.ids.is_empty() {
            faults.within("ids", |faults| faults.add("ids of what? write `refresh`"));
        }
        let records = faults.within("records", |faults| {
            let each = |(number, record): (usize, &crate::language::RecordOf)| {
                faults.within(number.to_string(), |faults| Record::of(record, document, faults))
            };
            event.records.iter().enumerate().map(each).collect()
        });
        Self {
            when: faults.take("when", Condition::parse(&event.when)),
            refresh: event.refresh.clone(),
            ids: event.ids.iter().map(|pointer| faults.take("ids", Pointer::parse(pointer))).collect(),
            item: faults.take("item", Pointer::parse(&event.item)),
            records,
            answer: event.answer.clone(),
        }
    }

    fn outcome(&self, root: &Node<'_>, text: &str, scope: &Scope) -> Result<Outcome, Failure> {
        let mut outcome = match &self.answer {
            Some(answer) => Outcome::json(answer.to_string()),
            None => Outcome { answer: Answer::default(), ..Outcome::default() },
        };
        if let Some(stream) = &self.refresh {
            let mut only = Vec::new();
            for pointer in &self.ids {
                match pointer.filled(root) {
                    Some(Node::List(ids)) => only.extend(ids.iter().filter_map(Node::scalar).map(Cow::into_owned)),
                    Some(id) => only.extend(id.scalar().map(Cow::into_owned)),
                    None => {}
                }
            }
            if only.is_empty() && !self.ids.is_empty() {
                return Err(Failure::invalid_input("the event names no id where the mapping expects one"));
            }
            outcome.refresh.push(Refresh { stream: stream.clone(), only });
        }
        if self.records.is_empty() {
            return Ok(outcome);
        }
        let item = self
            .item
            .find(root)
            .ok_or_else(|| Failure::invalid_input("the event holds nothing where its record should be"))?;
        let mut page = Page::new();
        let raw = || text.as_bytes().to_vec();
        let found = Found { exchange: 0, pointer: self.item.text(), raw: &raw };
        self.records.iter().for_each(|record| record.add(item, found, scope, &mut page));
        Ok(outcome.with_page(page))
    }
}

fn query_of(path_and_query: &str) -> Value {
    let query = path_and_query.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Value::Object(pairs.map(|(name, value)| (decoded(name), Value::from(decoded(value)))).collect::<Map<_, _>>())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let [first, rest @ ..] = left {
        let pair = rest.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).and_then(from_hex);
        left = rest;
        match (first, pair) {
            (b'%', Some(byte)) => {
                bytes.extend(byte);
                left = &rest[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let even = text.len().is_multiple_of(2) && !text.is_empty();
    even.then(|| text.chunks(2).map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?)).collect())?
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::new();
    for chunk in text.chunks(4) {
        let bits = chunk.iter().try_fold(0_u32, |bits, byte| Some(bits << 6 | value(*byte)?))?;
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        let whole = (bits << (6 * (4 - chunk.len()))).to_be_bytes();
        bytes.extend_from_slice(&whole[1..=count]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_and_what_is_none_is_refused() {
        assert_eq!(from_hex("00ff7F"), Some(vec![0, 255, 127]));
        assert_eq!((from_hex("0"), from_hex("zz"), from_hex("")), (None, None, None));
        assert_eq!(from_base64("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(from_base64("aGVsbG8h"), Some(b"hello!".to_vec()));
        assert_eq!((from_base64("a"), from_base64("a*b=")), (None, None));
        assert_eq!(query_of("/x?a=b%20c&d=%E5%BC%A0+1&e"), serde_json::json!({ "a": "b c", "d": "张 1" }));
    }
}
