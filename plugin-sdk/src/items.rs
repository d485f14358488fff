//! From a list in a response to records of a page, so that one bad item never spoils its page.
//!
//! The good case is one pass: no intermediate tree, no list of items, each item parsed into its type and mapped at
//! once. What comes along with the list (`next_cursor`) is kept as raw text on the way and read from [`Rest`].

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::http::Response;
use crate::page::{Origin, Page, Reject};
use crate::scan::{self, Broken};
use crate::schema::Entity;
use crate::unfit::Unfit;
use crate::{Failure, locate};

impl Page {
    /// Maps every item of the list at `pointer` (through objects; the empty pointer is the whole body) and adds what
    /// `map` pushes. An item that does not parse, or for which `map` gives an [`Unfit`], becomes a reject of entity `E`
    /// with its own bytes and pointer; the others are not touched by it.
    ///
    /// The list is read in one pass straight into `T`; only if an item is bad is the page read again item by item, and
    /// then `map` sees the good items a second time: it must not count.
    ///
    /// # Errors
    /// A body that is not JSON, or that has no list at the pointer. See [`Failure::from`] a JSON error.
    pub fn map_items<'a, E, T>(
        &mut self,
        response: &'a Response,
        pointer: &str,
        map: impl FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
    ) -> Result<Rest<'a>, Failure>
    where
        E: Entity,
        T: Deserialize<'a>,
    {
        map_list(self, E::KIND.name(), response, pointer, map)
    }
}

/// Where the records of one item go.
pub struct Item<'p> {
    page: &'p mut Page,
    exchange: u32,
    pointer: &'p str,
    external_id: Option<String>,
}

impl Item<'_> {
    /// Adds a record made of this item; an item may make several.
    ///
    /// # Errors
    /// As [`Page::push`].
    pub fn push<E: Entity>(
        &mut self,
        external_id: impl Into<String>,
        updated_at_ms: Option<i64>,
        entity: &E,
    ) -> Result<(), Unfit> {
        self.page.push(Origin { exchange: self.exchange, pointer: self.pointer }, external_id, updated_at_ms, entity)
    }

    /// Adds the news that a record is gone.
    pub fn push_deleted<E: Entity>(&mut self, external_id: impl Into<String>, updated_at_ms: Option<i64>) {
        let origin = Origin { exchange: self.exchange, pointer: self.pointer };
        self.page.push_deleted::<E>(origin, external_id, updated_at_ms);
    }

    /// The item's external id, so that a reject of it can be found by it.
    pub fn is_about(&mut self, external_id: impl Into<String>) {
        self.external_id = Some(external_id.into());
    }

    /// RFC 6901 pointer to the item: `/data/17`.
    #[must_use]
    pub fn pointer(&self) -> &str {
        self.pointer
    }
}

/// The other members of the answer, next to the list.
#[derive(Debug)]
pub struct Rest<'a> {
    members: Vec<(String, &'a [u8])>,
    /// How many items the list had, rejects included.
    pub items: usize,
}

impl<'a> Rest<'a> {
    /// The value at a pointer, from the top of the body. What is not there is `null`: ask for an `Option`.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](crate::FailureKind::UpstreamChanged) when it is there but is not a `T`.
    pub fn get<T: Deserialize<'a>>(&self, pointer: &str) -> Result<T, Failure> {
        let changed = |fault: String| Failure::upstream_changed(format!("{pointer} in the answer: {fault}"));
        for (base, json) in &self.members {
            if pointer == base {
                return locate::parse(json).map_err(changed);
            }
            let Some(inner) = pointer.strip_prefix(base.as_str()).filter(|inner| inner.starts_with('/')) else {
                continue;
            };
            // Deeper than what was kept apart: rare and small, so a tree will do.
            let tree: serde_json::Value = locate::parse(json).map_err(changed)?;
            let found = tree.pointer(inner).cloned().unwrap_or_default();
            return T::deserialize(found).map_err(|e| changed(locate::describe(&e)));
        }
        locate::parse(b"null").map_err(|_| changed("missing".to_owned()))
    }
}

fn map_list<'a, T, F>(
    page: &mut Page,
    entity: &'static str,
    response: &'a Response,
    pointer: &str,
    mut each: F,
) -> Result<Rest<'a>, Failure>
where
    T: Deserialize<'a>,
    F: FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
{
    let path = tokens(pointer);
    let body = response.body().strip_prefix(b"\xEF\xBB\xBF").unwrap_or(response.body());
    let start = page.records.len();
    let mut walk = Walk {
        page,
        exchange: response.exchange(),
        place: Place::at(pointer),
        members: Vec::new(),
        items: None,
        each: &mut each,
        of: std::marker::PhantomData::<T>,
    };
    let whole = std::str::from_utf8(body).is_ok_and(|text| walk.whole(text, &path).is_ok());
    match (whole, walk.items) {
        (true, Some(items)) => {
            let members = std::mem::take(&mut walk.members);
            Ok(Rest { members, items })
        }
        _ => {
            page.records.truncate(start);
            one_by_one(page, entity, response, body, pointer, &path, each)
        }
    }
}

fn one_by_one<'a, T, F>(
    page: &mut Page,
    entity: &'static str,
    response: &'a Response,
    body: &'a [u8],
    pointer: &str,
    path: &[String],
    mut each: F,
) -> Result<Rest<'a>, Failure>
where
    T: Deserialize<'a>,
    F: FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
{
    let found = scan::find(body, path).map_err(|broken| no_json(broken, response))?;
    if !found.list {
        let place = if pointer.is_empty() { "the top level" } else { pointer };
        return Err(Failure::upstream_changed(format!(
            "no list at {place} in the answer ({})",
            response.kind_of_body()
        )));
    }
    let mut place = Place::at(pointer);
    let items = found.items.len();
    for (index, range) in found.items.into_iter().enumerate() {
        let raw = &body[range];
        let start = page.records.len();
        let mut item = Item { page, exchange: response.exchange(), pointer: place.of(index), external_id: None };
        let mapped = locate::parse::<T>(raw).map_err(Unfit::new).and_then(|parsed| each(parsed, &mut item));
        if let Err(unfit) = mapped {
            let Item { external_id, pointer, exchange, .. } = item;
            let pointer = pointer.to_owned();
            page.records.truncate(start);
            page.rejects.push(Reject {
                entity: entity.to_owned(),
                external_id,
                exchange,
                pointer,
                reason: unfit.reason,
                raw: raw.to_vec(),
            });
        }
    }
    Ok(Rest { members: found.rest.into_iter().map(|(pointer, range)| (pointer, &body[range])).collect(), items })
}

fn no_json(broken: Broken, response: &Response) -> Failure {
    match broken {
        Broken::Cut => {
            Failure::upstream_unavailable(format!("the answer ends too early ({})", response.kind_of_body()))
        }
        Broken::At(byte) => Failure::upstream_changed(format!(
            "the response is not valid JSON from byte {byte} on ({})",
            response.kind_of_body()
        )),
    }
}

pub(crate) fn tokens(pointer: &str) -> Vec<String> {
    renmen_schema::pointer::names(pointer)
}

/// `/data/17` without formatting machinery: it is made once for each record.
struct Place {
    text: String,
    base: usize,
}

impl Place {
    fn at(pointer: &str) -> Self {
        let text = format!("{pointer}/");
        Self { base: text.len(), text }
    }

    fn of(&mut self, index: usize) -> &str {
        self.text.truncate(self.base);
        let mut digits = [0_u8; 20];
        let (mut at, mut left) = (digits.len(), index);
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.text.extend(digits[at..].iter().map(|&digit| char::from(digit)));
        &self.text
    }
}

/// The one pass: down the path, then through the list.
struct Walk<'p, 'a, T, F> {
    page: &'p mut Page,
    exchange: u32,
    place: Place,
    members: Vec<(String, &'a [u8])>,
    items: Option<usize>,
    each: &'p mut F,
    of: std::marker::PhantomData<T>,
}

impl<'a, T, F> Walk<'_, 'a, T, F>
where
    T: Deserialize<'a>,
    F: FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
{
    fn whole(&mut self, text: &'a str, path: &[String]) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Step { walk: self, path, base: String::new() }.deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

/// One level of the path; with no tokens left, the list itself.
struct Step<'w, 'p, 'a, T, F> {
    walk: &'w mut Walk<'p, 'a, T, F>,
    path: &'w [String],
    base: String,
}

impl<'a, T, F> DeserializeSeed<'a> for Step<'_, '_, 'a, T, F>
where
    T: Deserialize<'a>,
    F: FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, T, F> Visitor<'a> for Step<'_, '_, 'a, T, F>
where
    T: Deserialize<'a>,
    F: FnMut(T, &mut Item<'_>) -> Result<(), Unfit>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.is_empty() { "a list" } else { "an object" })
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, deeper)) = self.path.split_first() else {
            return Err(A::Error::custom("an object, no list"));
        };
        while let Some(key) = map.next_key::<String>()? {
            let base = format!("{}/{}", self.base, renmen_schema::pointer::escape(&key));
            if key == *wanted {
                map.next_value_seed(Step { walk: &mut *self.walk, path: deeper, base })?;
            } else {
                let raw: &'a RawValue = map.next_value()?;
                self.walk.members.push((base, raw.get().as_bytes()));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.path.is_empty() {
            return Err(A::Error::custom("a list where an object leads on"));
        }
        let mut index = 0;
        while let Some(parsed) = list.next_element::<T>()? {
            let walk = &mut *self.walk;
            let mut item = Item {
                page: &mut *walk.page,
                exchange: walk.exchange,
                pointer: walk.place.of(index),
                external_id: None,
            };
            (walk.each)(parsed, &mut item).map_err(|_| A::Error::custom("an item that does not fit"))?;
            index += 1;
        }
        self.walk.items = Some(index);
        Ok(())
    }

    /// Many vendors write `null` for an empty list.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.path.is_empty() {
            self.walk.items = Some(0);
        }
        Ok(())
    }
}
