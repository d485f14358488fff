//! From one item of an answer to the records that it becomes.

use std::borrow::Cow;

use renmen_plugin::{Envelope, Page, Reject, Unfit};
use serde_json::Map;

use crate::answer::{Node, Wanted};
use crate::condition::Condition;
use crate::faults::Faults;
use crate::fields::Fields;
use crate::form::Clock;
use crate::language::{DeletedOf, Document, RecordOf};
use crate::pointer::Pointer;
use crate::template::{Scope, Template};

/// What an item becomes.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) entity: String,
    each: Option<Pointer>,
    /// With `each`: what of the item around the entry is named.
    outer: Vec<Pointer>,
    when: Condition,
    pub(crate) id: Id,
    updated: Option<(Pointer, Clock)>,
    deleted: Deleted,
    pub(crate) fields: Fields,
}

/// Where an id stands.
#[derive(Debug, Clone)]
pub(crate) enum Id {
    At(Pointer),
    Text(Template),
}

#[derive(Debug, Clone)]
enum Deleted {
    Never,
    Always,
    When(Condition),
}

/// Where an item was found.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) exchange: u32,
    pub(crate) pointer: &'a str,
    /// The vendor's bytes of it, made when they are needed.
    pub(crate) raw: &'a dyn Fn() -> Vec<u8>,
}

/// The values that have a meaning in a record, besides the item. `outer` is the item around an entry of `each`.
const ROOTS: &[&str] = &["config", "parent", "outer"];

impl Id {
    /// Reads a pointer, or a text with places.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.contains('{') {
            true => {
                let template = Template::parse(text)?;
                let strange = template
                    .places()
                    .find_map(|place| place.root.clone().filter(|root| !ROOTS.contains(&root.as_str())));
                match strange {
                    Some(root) => Err(format!(
                        "`{root}` has no meaning in an id; here there are the item and {}",
                        ROOTS.join(", ")
                    )),
                    None => Ok(Self::Text(template)),
                }
            }
            false => Pointer::parse(text).map(Self::At),
        }
    }

    pub(crate) fn want(&self, item: &mut Wanted) {
        match self {
            Self::At(pointer) => pointer.want(item).all(),
            Self::Text(template) => template.want(item),
        }
    }

    /// The id of an item.
    pub(crate) fn of(&self, item: &Node<'_>, scope: &Scope) -> Result<String, Unfit> {
        let id = match self {
            Self::At(pointer) => {
                let node =
                    pointer.filled(item).ok_or_else(|| Unfit::field(pointer.text(), "nothing; expected the id"))?;
                let text = node
                    .scalar()
                    .ok_or_else(|| Unfit::field(pointer.text(), format!("{}; expected the id", node.kind())))?;
                text.trim().to_owned()
            }
            Self::Text(template) => {
                let text = template.text_of_item(scope, item).map_err(|why| Unfit::field("id", why))?;
                text.ok_or_else(|| Unfit::field("id", "nothing in one of its places"))?
            }
        };
        match id.chars().any(char::is_control) {
            true => Err(Unfit::field("id", "a text with control characters")),
            false => Ok(id),
        }
    }

    /// The pointer, where it is one of RFC 6901.
    pub(crate) fn plain(&self) -> Option<&Pointer> {
        match self {
            Self::At(pointer) => Some(pointer).filter(|pointer| pointer.is_plain()),
            Self::Text(_) => None,
        }
    }
}

impl Default for Id {
    fn default() -> Self {
        Self::At(Pointer::default())
    }
}

impl Record {
    /// Reads a record's table.
    pub(crate) fn of(record: &RecordOf, document: &Document, faults: &mut Faults) -> Self {
        let updated = record.updated.as_ref().map(|time| {
            let pointer = faults.take("updated", Pointer::parse(&time.0.from));
            (pointer, faults.take("updated", Clock::parse(time.0.unit, time.0.zone.as_deref())))
        });
        let deleted = match &record.deleted {
            None => Deleted::Never,
            Some(DeletedOf::Always) => Deleted::Always,
            Some(DeletedOf::When(lines)) => Deleted::When(faults.take("deleted", Condition::parse(lines))),
        };
        if matches!(deleted, Deleted::Always) && !record.fields.is_empty() {
            faults.within("fields", |faults| faults.add("a record that is always gone has no fields"));
        }
        let outer = pointers_into("outer", record);
        if record.each.is_none() && !outer.is_empty() {
            faults.add("`outer` is the item around an entry: without `each` there is none");
        }
        Self {
            outer,
            entity: record.entity.clone(),
            each: faults.take_some("each", record.each.as_ref(), Pointer::parse),
            when: faults.take("when", Condition::parse(&record.when)),
            id: faults.take("id", Id::parse(&record.id)),
            updated,
            deleted,
            fields: Fields::of(&record.fields, &record.set, &document.maps, faults),
        }
    }

    /// Notes what of the item is needed.
    pub(crate) fn want(&self, item: &mut Wanted) {
        self.outer.iter().for_each(|pointer| pointer.want(item).all());
        let item = match &self.each {
            Some(each) => each.want(item).item(),
            None => item,
        };
        self.when.want(item);
        self.id.want(item);
        if let Some((pointer, _)) = &self.updated {
            pointer.want(item).all();
        }
        if let Deleted::When(condition) = &self.deleted {
            condition.want(item);
        }
        self.fields.want(item);
    }

    /// Is its id that of the item itself?
    pub(crate) fn is_of_item(&self, id: &Id) -> bool {
        let same = matches!((&self.id, id), (Id::At(own), Id::At(item)) if own == item);
        self.each.is_none() && same
    }

    /// What tells an item from the others of its time: its id; with `each` that of the first entry that has one.
    ///
    /// # Errors
    /// When there is none, though there is something to make a record of.
    pub(crate) fn identity(&self, item: &Node<'_>, scope: &Scope) -> Result<String, Unfit> {
        let Some(each) = &self.each else { return self.id.of(item, scope) };
        let Some(Node::List(entries)) = each.find(item) else { return Ok(String::new()) };
        let scope = self.with_outer(item, scope);
        let mut ids = entries.iter().map(|entry| self.id.of(entry, &scope));
        let first = ids.next().unwrap_or_else(|| Ok(String::new()));
        first.or_else(|unfit| ids.find_map(Result::ok).ok_or(unfit))
    }

    /// Adds what the item becomes.
    pub(crate) fn add(&self, item: &Node<'_>, found: Found<'_>, scope: &Scope, page: &mut Page) {
        let Some(each) = &self.each else { return self.add_one(item, found, scope, page) };
        match each.located(item) {
            None | Some((_, Node::Null)) => {}
            Some((list, Node::List(entries))) => {
                let scope = self.with_outer(item, scope);
                for (index, entry) in entries.iter().enumerate() {
                    let pointer = format!("{}{list}/{index}", found.pointer);
                    self.add_one(entry, Found { pointer: &pointer, ..found }, &scope, page);
                }
            }
            Some((_, other)) => {
                let unfit = Unfit::field(each.text(), format!("{}; expected a list", other.kind()));
                self.reject(unfit, None, found, page);
            }
        }
    }

    /// The named values, with those of the item around the entries.
    fn with_outer<'s>(&self, item: &Node<'_>, scope: &'s Scope) -> Cow<'s, Scope> {
        if self.outer.is_empty() {
            return Cow::Borrowed(scope);
        }
        let value = |pointer: &Pointer| Some((pointer.text().to_owned(), pointer.filled(item)?.value()));
        let mut scope = scope.clone();
        scope.set("outer", self.outer.iter().filter_map(value).collect::<Map<_, _>>());
        Cow::Owned(scope)
    }

    fn add_one(&self, item: &Node<'_>, found: Found<'_>, scope: &Scope, page: &mut Page) {
        if !self.when.is_empty() && !self.when.holds(item, scope) {
            return;
        }
        let id = self.id.of(item, scope);
        let known = id.as_ref().ok().cloned();
        match id.and_then(|id| self.made(id, item, found, scope, page)) {
            Ok(envelope) => page.records.push(envelope),
            Err(unfit) => self.reject(unfit, known, found, page),
        }
    }

    fn made(
        &self,
        id: String,
        item: &Node<'_>,
        found: Found<'_>,
        scope: &Scope,
        page: &Page,
    ) -> Result<Envelope, Unfit> {
        let updated_at_ms = match &self.updated {
            Some((pointer, clock)) => {
                let at = pointer.filled(item).map(|node| clock.ms(node)).transpose();
                at.map_err(|why| Unfit::field(pointer.text(), why))?
            }
            None => None,
        };
        let deleted = match &self.deleted {
            Deleted::Never => false,
            Deleted::Always => true,
            Deleted::When(condition) => condition.holds(item, scope),
        };
        // A list holds records of one kind: the last one is a good guess for the size of the next.
        let mut payload = Vec::with_capacity(page.records.last().map_or(256, |last| last.payload.len() + 64));
        if !deleted {
            self.fields.write(item, scope, &mut payload)?;
        }
        Ok(Envelope {
            entity: self.entity.clone(),
            external_id: id,
            updated_at_ms,
            deleted,
            exchange: found.exchange,
            pointer: found.pointer.to_owned(),
            payload,
        })
    }

    fn reject(&self, unfit: Unfit, external_id: Option<String>, found: Found<'_>, page: &mut Page) {
        page.rejects.push(Reject {
            entity: self.entity.clone(),
            external_id,
            exchange: found.exchange,
            pointer: found.pointer.to_owned(),
            reason: unfit.reason,
            raw: (found.raw)(),
        });
    }

    /// The news that a record is gone.
    pub(crate) fn gone(&self, id: &str, exchange: u32, page: &mut Page) {
        page.records.push(Envelope {
            entity: self.entity.clone(),
            external_id: id.to_owned(),
            updated_at_ms: None,
            deleted: true,
            exchange,
            pointer: String::new(),
            payload: Vec::new(),
        });
    }
}

/// Where places of a record lead into a named value.
pub(crate) fn pointers_into(root: &str, record: &RecordOf) -> Vec<Pointer> {
    let mut found: Vec<Pointer> = Vec::new();
    for template in templates(record) {
        let places = template.places().filter(|place| place.root.as_deref() == Some(root));
        found.extend(places.map(|place| place.pointer.clone()));
    }
    found
}

/// The texts with places of a record: its id's, and its fields'.
fn templates(record: &RecordOf) -> impl Iterator<Item = Template> {
    let tables = record.fields.values().flat_map(crate::language::SourceOf::tables);
    let texts = tables.filter_map(|table| table.text.as_deref()).chain([record.id.as_str()]);
    texts.filter_map(|text| Template::parse(text).ok())
}

/// The slots by whose keys a record's pseudonyms are made.
#[cfg(feature = "author")]
pub(crate) fn pseudonym_slots(record: &RecordOf) -> Vec<String> {
    let of = |template: Template| {
        template.places().flat_map(crate::template::Place::pseudonym_slots).map(str::to_owned).collect::<Vec<_>>()
    };
    templates(record).flat_map(of).collect()
}
