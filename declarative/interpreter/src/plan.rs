//! A stream as it is carried out: the language's tables with their pointers, templates and conditions read.

use renmen_plugin::paging::Window;

use crate::answer::Wanted;
use crate::ask::Ask;
use crate::condition::Condition;
use crate::faults::Faults;
use crate::form::Clock;
use crate::language::{ChangesOf, Document, LookupOf, Missing, Order, PagingOf, ParentsOf, ReadOf};
use crate::pointer::Pointer;
use crate::record::{Id, Record, pointers_into};
use crate::template::{Template, duration_ms};
use crate::verdict::Judge;

/// What lists may be asked with.
const LIST_ROOTS: &[&str] = &["config", "page", "since", "until", "now"];
const CHILD_ROOTS: &[&str] = &["config", "page", "now", "parent"];
const CHANGED_CHILD_ROOTS: &[&str] = &["config", "page", "since", "until", "now", "parent"];
const LOOKUP_ROOTS: &[&str] = &["config", "now", "id", "ids"];

/// One list.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) ask: Ask,
    pub(crate) items: Pointer,
    /// The pointer's names, one by one.
    pub(crate) names: Vec<String>,
    /// The items are the members of an object, and their names are put into them under this one.
    pub(crate) keyed: Option<String>,
    pub(crate) nested: Option<Pointer>,
    pub(crate) single: bool,
    pub(crate) size_max: Option<u32>,
    pub(crate) paging: Paging,
    pub(crate) changes: Changes,
    pub(crate) parents: Option<Parents>,
    pub(crate) lookup: Option<Lookup>,
    pub(crate) when: Condition,
    pub(crate) records: Vec<Record>,
    pub(crate) judge: Judge,
    /// What of its answer is needed.
    pub(crate) wanted: Wanted,
}

/// How a list goes on.
#[derive(Debug, Clone)]
pub(crate) enum Paging {
    Never,
    Url(Pointer),
    Link,
    Token { next: Pointer, more: Option<Pointer> },
    Number { first: u64, more: Option<Pointer>, pages: Option<Pointer> },
    Offset { total: Option<Pointer>, more: Option<Pointer> },
}

/// How the vendor is asked what changed.
#[derive(Debug, Clone)]
pub(crate) enum Changes {
    All,
    Time { modified: Pointer, clock: Clock, order: Order, window: Window, start: Option<Template> },
    SyncToken(Pointer),
}

/// For what a list is read once each.
#[derive(Debug, Clone)]
pub(crate) enum Parents {
    /// Each item of a list, of which these members are kept.
    Stream {
        read: Box<Read>,
        keep: Vec<Pointer>,
    },
    List(Template),
    Days {
        back_ms: i64,
        step_ms: i64,
    },
    Months(u32),
}

/// Months at most.
const MONTHS_MAX: u32 = 120;

impl Parents {
    /// Do they cover a time only, so that what is older is not listed?
    pub(crate) fn is_window(&self) -> bool {
        match self {
            Self::Days { .. } | Self::Months(_) => true,
            Self::Stream { read, .. } => read.parents.as_ref().is_some_and(Self::is_window),
            Self::List(_) => false,
        }
    }
}

/// Items that are asked for by id.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) ask: Ask,
    pub(crate) listed: Option<Pointer>,
    pub(crate) batch: usize,
    pub(crate) items: Option<Pointer>,
    pub(crate) names: Vec<String>,
    pub(crate) item: Pointer,
    pub(crate) id: Id,
    pub(crate) missing: Missing,
    pub(crate) wanted: Wanted,
}

/// Every list of a stream, one after the other.
pub(crate) fn stream(document: &Document, name: &str, faults: &mut Faults) -> Vec<Read> {
    let Some(reads) = document.streams.get(name) else { return Vec::new() };
    if reads.0.is_empty() {
        faults.add("a stream without a list");
    }
    match reads.0.as_slice() {
        [one] => vec![Read::of(one, document, faults)],
        several => {
            let each = |(number, read): (usize, &ReadOf)| {
                faults.within(number.to_string(), |faults| Read::of(read, document, faults))
            };
            several.iter().enumerate().map(each).collect()
        }
    }
}

impl Read {
    fn of(read: &ReadOf, document: &Document, faults: &mut Faults) -> Self {
        let roots = match (&read.for_each, &read.changes) {
            (None, _) => LIST_ROOTS,
            (Some(_), Some(ChangesOf::Time { .. })) => CHANGED_CHILD_ROOTS,
            (Some(_), _) => CHILD_ROOTS,
        };
        let ask = faults.within("request", |faults| Ask::of(&read.request, &document.api, roots, faults));
        let items = faults.take("items", list_pointer(&read.items));
        if read.records.is_empty() {
            faults.add("a list without `records`: what does an item become?");
        }
        let records = faults.within("records", |faults| {
            let each =
                |(number, record)| faults.within(number_of(number), |faults| Record::of(record, document, faults));
            read.records.iter().enumerate().map(each).collect::<Vec<_>>()
        });
        let first = records.first().map(|record: &Record| record.id.clone()).unwrap_or_default();
        let mut plan = Self {
            names: renmen_schema::pointer::names(items.text()),
            items,
            keyed: faults.take_some("keyed", read.keyed.as_ref(), |text| member_name(text, read)),
            nested: faults.take_some("nested", read.nested.as_ref(), list_pointer),
            single: read.single,
            size_max: read.size_max,
            paging: faults.within("paging", |faults| Paging::of(read.paging.as_ref(), faults)),
            changes: faults.within("changes", |faults| Changes::of(read.changes.as_ref(), faults)),
            lookup: read
                .lookup
                .as_ref()
                .map(|lookup| faults.within("lookup", |faults| Lookup::of(lookup, &records, first, document, faults))),
            parents: None,
            when: faults.take("when", Condition::parse(&read.when)),
            records,
            judge: Judge::of(&document.api, &mut Faults::default()),
            ask,
            wanted: Wanted::default(),
        };
        if read.size_max == Some(0) {
            faults.within("size_max", |faults| faults.add("expected at least 1"));
        }
        if let Some(parents) = &read.for_each {
            faults.within("changes", |faults| check_child_changes(read.changes.as_ref(), parents, faults));
            let keep = plan.parent_pointers(read);
            plan.parents = faults.within("for_each", |faults| Parents::of(parents, keep, document, faults));
        }
        plan.note_wanted();
        plan
    }

    /// What of a parent's item is needed.
    fn parent_pointers(&self, read: &ReadOf) -> Vec<Pointer> {
        let mut keep = self.ask.pointers_into("parent");
        keep.extend(read.records.iter().flat_map(|record| pointers_into("parent", record)));
        keep.sort_by(|one, other| one.text().cmp(other.text()));
        keep.dedup();
        keep
    }

    fn note_wanted(&mut self) {
        let mut wanted = Wanted::default();
        self.judge.want(&mut wanted);
        match &self.paging {
            Paging::Never | Paging::Link => {}
            Paging::Url(next) => next.want(&mut wanted).all(),
            Paging::Token { next, more } => {
                next.want(&mut wanted).all();
                more.iter().for_each(|more| more.want(&mut wanted).all());
            }
            Paging::Number { more, pages: other, .. } | Paging::Offset { more, total: other } => {
                more.iter().chain(other).for_each(|pointer| pointer.want(&mut wanted).all());
            }
        }
        if let Changes::SyncToken(token) = &self.changes {
            token.want(&mut wanted).all();
        }
        let place = self.items.want(&mut wanted);
        if self.single {
            // Of an object that stands for itself, and of the items of a list.
            place.all();
        }
        let item = items_of(place, self.keyed.is_some());
        if let Some(nested) = &self.nested {
            nested.want(item).all();
        }
        self.when.want(item);
        if let Changes::Time { modified, .. } = &self.changes {
            modified.want(item).all();
        }
        let listed = self.lookup.as_ref().and_then(|lookup| lookup.listed.as_ref());
        match listed {
            Some(listed) => listed.want(item).all(),
            None => self.records.iter().for_each(|record| record.want(item)),
        }
        self.wanted = wanted;
    }

    /// How many items are asked for, so that at most so many records come of them.
    pub(crate) fn size(&self, records_max: u32) -> u32 {
        self.size_max.unwrap_or(u32::MAX).min(records_max).max(1)
    }

    /// The id of an item: that of the first record made of it.
    pub(crate) fn id(&self) -> Option<&Id> {
        self.records.first().map(|record| &record.id)
    }
}

/// All parents share one time, which moves at the end of the run: so only a time will do, and no order is looked at.
fn check_child_changes(changes: Option<&ChangesOf>, parents: &ParentsOf, faults: &mut Faults) {
    match changes {
        None => {}
        Some(_) if parents.days.is_some() || parents.months.is_some() => {
            faults.add("does not go together with spans of time: `for_each` says itself what is read");
        }
        Some(ChangesOf::SyncToken { .. }) => {
            faults.add("a token for each parent cannot be kept: with `for_each` it is `by = \"time\"`");
        }
        Some(ChangesOf::Time { order: Order::OldestFirst, .. }) => {
            faults.within("order", |faults| {
                faults.add("with `for_each` the lists of all parents are one list without an order: leave it out");
            });
        }
        Some(ChangesOf::Time { .. }) => {}
    }
}

fn number_of(number: usize) -> String {
    number.to_string()
}

/// A pointer to a list: what records point to, so one of RFC 6901.
fn list_pointer(text: &str) -> Result<Pointer, String> {
    let pointer = Pointer::parse(text)?;
    match pointer.is_plain() {
        true => Ok(pointer),
        false => {
            Err("a list is found by names alone, without [key=value]: records point to their place in it".to_owned())
        }
    }
}

/// What is wanted of each item of a list, or of an object that stands for one.
fn items_of(place: &mut Wanted, keyed: bool) -> &mut Wanted {
    if keyed { place.each_member() } else { place.item() }
}

/// The name under which a member's own name is put into its item.
fn member_name(text: &str, read: &ReadOf) -> Result<String, String> {
    if read.nested.is_some() || read.single {
        return Err(
            "the items are the members of one object: neither `nested` nor `single` goes together with it".to_owned()
        );
    }
    let pointer = Pointer::parse(text)?;
    match renmen_schema::pointer::names(pointer.text()).as_slice() {
        [name] if pointer.is_plain() && !name.is_empty() => Ok(name.clone()),
        _ => Err("expected one name, where an item shows the name of its member: /id".to_owned()),
    }
}

impl Paging {
    fn of(paging: Option<&PagingOf>, faults: &mut Faults) -> Self {
        let Some(paging) = paging else { return Self::Never };
        let mut some = |key: &str, pointer: &Option<String>| faults.take_some(key, pointer.as_ref(), Pointer::parse);
        match paging {
            PagingOf::Link {} => Self::Link,
            PagingOf::Number { first, more, pages } => {
                Self::Number { first: *first, more: some("more", more), pages: some("pages", pages) }
            }
            PagingOf::Offset { total, more } => Self::Offset { total: some("total", total), more: some("more", more) },
            PagingOf::Url { next } => Self::Url(faults.take("next", Pointer::parse(next))),
            PagingOf::Token { next, more } => {
                let more = some("more", more);
                Self::Token { next: faults.take("next", Pointer::parse(next)), more }
            }
        }
    }
}

impl Changes {
    fn of(changes: Option<&ChangesOf>, faults: &mut Faults) -> Self {
        match changes {
            None => Self::All,
            Some(ChangesOf::SyncToken { token }) => Self::SyncToken(faults.take("token", Pointer::parse(token))),
            Some(ChangesOf::Time { modified, unit, zone, order, overlap, start }) => {
                let mut window = Window::default();
                if let Some(ms) = faults.take_some("overlap", overlap.as_ref(), duration_ms) {
                    window.overlap_ms = ms;
                }
                Self::Time {
                    modified: faults.take("modified", Pointer::parse(modified)),
                    clock: faults.take("zone", Clock::parse(*unit, zone.as_deref())),
                    order: *order,
                    window,
                    start: faults.take_some("start", start.as_ref(), beginning),
                }
            }
        }
    }
}

/// Where the first run begins: a point in time of the configuration or of the clock.
fn beginning(text: &str) -> Result<Template, String> {
    let template = Template::parse(text)?;
    let known = template.places().all(|place| matches!(place.root.as_deref(), Some("config" | "now")));
    match known {
        true => Ok(template),
        false => Err("there are `config` and `now` here: \"{config/start_date}\", \"{now | less 90d}\"".to_owned()),
    }
}

impl Parents {
    fn of(parents: &ParentsOf, keep: Vec<Pointer>, document: &Document, faults: &mut Faults) -> Option<Self> {
        let (stream, list, days, months) = (&parents.stream, &parents.list, &parents.days, parents.months);
        match (stream, list, days, months) {
            (Some(name), None, None, None) => {
                let names: Vec<&String> = document.streams.keys().collect();
                faults.take("stream", crate::nearest::known(name, &names, "stream"));
                let read = document.streams.get(name)?.0.first()?;
                let above = read.for_each.as_ref().and_then(|parents| parents.stream.as_ref());
                let above = above.and_then(|name| document.streams.get(name)?.0.first());
                if above.is_some_and(|read| read.for_each.is_some()) {
                    faults.within("stream", |faults| {
                        faults.add("a stream whose parents have parents themselves; two levels are the most");
                    });
                    return None;
                }
                // What is wrong in it is told where it stands.
                let mut read = Read::of(read, document, &mut Faults::default());
                read.when = faults.take("when", Condition::parse(&parents.when));
                (read.changes, read.lookup, read.records) = (Changes::All, None, Vec::new());
                read.note_wanted();
                let mut wanted = std::mem::take(&mut read.wanted);
                let item = items_of(read.items.want(&mut wanted), read.keyed.is_some());
                keep.iter().for_each(|pointer| pointer.want(item).all());
                read.wanted = wanted;
                Some(Self::Stream { read: Box::new(read), keep })
            }
            (None, Some(list), None, None) => Some(Self::List(faults.take("list", Template::parse(list)))),
            (None, None, None, Some(months)) => {
                if !(1..=MONTHS_MAX).contains(&months) {
                    faults.within("months", |faults| faults.add(format!("expected 1 to {MONTHS_MAX}")));
                }
                Some(Self::Months(months))
            }
            (None, None, Some(days), None) => faults.within("days", |faults| {
                let back_ms = faults.take("back", duration_ms(&days.back));
                let step_ms = faults.take("step", duration_ms(&days.step));
                if step_ms < 3_600_000 || back_ms / step_ms.max(1) > 1000 {
                    faults.add("expected steps of an hour at least, and at most 1000 of them");
                }
                Some(Self::Days { back_ms, step_ms })
            }),
            _ => {
                faults.add("expected exactly one of `stream`, `list`, `days` and `months`");
                None
            }
        }
    }
}

impl Lookup {
    fn of(lookup: &LookupOf, records: &[Record], first: Id, document: &Document, faults: &mut Faults) -> Self {
        let ask = faults.within("request", |faults| Ask::of(&lookup.request, &document.api, LOOKUP_ROOTS, faults));
        let wants = if lookup.batch > 1 { "ids" } else { "id" };
        if !ask.names(wants) && !ask.names("ids") {
            faults.within("request", |faults| {
                faults.add(format!("names no `{{{wants}}}`: it would ask for the same each time"));
            });
        }
        if lookup.batch == 0 || lookup.batch > 1 && lookup.items.is_none() {
            faults.within("batch", |faults| faults.add("expected 1, or more with `items`: the list in the answer"));
        }
        if lookup.items.is_some() && lookup.item.is_some() {
            faults.within("item", |faults| faults.add("the answer holds one `item` or a list of `items`, not both"));
        }
        let items = faults.take_some("items", lookup.items.as_ref(), list_pointer);
        let item = faults.take("item", list_pointer(lookup.item.as_deref().unwrap_or_default()));
        let id = faults.take_some("id", lookup.id.as_ref(), Id::parse).unwrap_or(first);
        let mut wanted = Wanted::default();
        Judge::of(&document.api, &mut Faults::default()).want(&mut wanted);
        let place = match &items {
            Some(items) => items.want(&mut wanted).item(),
            None => item.want(&mut wanted),
        };
        id.want(place);
        records.iter().for_each(|record| record.want(place));
        Self {
            ask,
            listed: faults.take_some("listed", lookup.listed.as_ref(), Pointer::parse),
            batch: lookup.batch.max(1) as usize,
            names: items.as_ref().map(|items| renmen_schema::pointer::names(items.text())).unwrap_or_default(),
            items,
            item,
            id,
            missing: lookup.missing,
            wanted,
        }
    }
}
