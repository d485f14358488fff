//! A page: one answer of a list, what it becomes, and where the list goes on.

mod items;
mod lookup;
mod next;
mod parents;

use std::borrow::Cow;

use renmen_plugin::http::{Request, Response};
use renmen_plugin::paging::Since;
use renmen_plugin::{Failure, Page, Pull, clock};
use serde_json::{Value, json};

use crate::answer::Node;
use crate::ask::Ask;
use crate::cursor::{At, Cursor};
use crate::form::odata_ms;
use crate::language::Order;
use crate::plan::{Changes, Paging, Parents, Read};
use crate::record::Found;
use crate::template::Scope;
use crate::verdict::Verdict;
use items::Items;
use next::{Counted, finish_child, finish_since, next_page, page_of, restart, vendor_page};

/// What is told of a list that the vendor does not have: a part of its system that is not installed or not bought.
pub(crate) const NO_SUCH_LIST: &str = "the vendor has no such list: check the configuration";

/// Requests for single items in one call.
const LOOKUPS_MAX: usize = 100;

/// A stream that is read.
pub(crate) struct Reading<'p> {
    pub(crate) stream: &'p str,
    pub(crate) reads: &'p [Read],
    pub(crate) config: &'p Value,
}

/// What one answer led to.
struct Step {
    /// Where the list goes on; none: it is over.
    next: Option<At>,
    /// What the list leaves for the next run.
    keep: Option<String>,
    /// The list was told to start over.
    restarted: bool,
}

impl Reading<'_> {
    /// The page at the cursor.
    pub(crate) fn page(&self, pull: &Pull) -> Result<Page, Failure> {
        let mut cursor = Cursor::resume(pull.cursor.as_deref(), self.reads.len())?;
        let first = pull.cursor.is_none();
        let read = &self.reads[cursor.list];
        let mut page = Page::new();
        cursor.partial |= self.is_partial(read, &cursor);
        let step = match &read.parents {
            None => {
                let most = Most { records: pull.max_records, left: pull.max_records };
                self.step(read, &cursor, cursor.at.clone(), None, most, &mut page)?
            }
            Some(parents) => self.children(read, parents, &cursor, pull.max_records, &mut page)?,
        };
        if first {
            self.tell_strangers(read, &page);
        }
        if step.restarted {
            cursor.keep(None);
        }
        match step.next {
            Some(at) => cursor.at = at,
            None => {
                cursor.keep(step.keep);
                cursor.at = At::default();
                cursor.list += 1;
            }
        }
        if cursor.list < self.reads.len() {
            return Ok(page.more(cursor.text()));
        }
        let whole = !cursor.partial;
        let next = Cursor { kept: cursor.kept, ..Cursor::default() };
        let page = if whole { page.everything() } else { page };
        Ok(page.done(next.text()))
    }

    /// Does the list tell less than all that there is?
    fn is_partial(&self, read: &Read, cursor: &Cursor) -> bool {
        match &read.changes {
            Changes::All => read.parents.as_ref().is_some_and(Parents::is_window),
            Changes::Time { .. } => true,
            Changes::SyncToken(_) => cursor.kept().is_some(),
        }
    }

    fn scope(&self, read: &Read, at: &At, size: u32) -> Scope {
        let mut scope = Scope::default();
        scope.set("config", self.config.clone());
        scope.set_time("now", clock::now_ms(), None);
        scope.set("page", page_of(read, at, size));
        if let Some(until_ms) = at.until_ms {
            scope.set_time("until", until_ms, None);
        }
        scope
    }

    /// The named values of the request for a page, by the state of its list.
    fn asked(
        &self,
        read: &Read,
        cursor: &Cursor,
        at: &mut At,
        (since, listing): (Option<&Since>, Option<&Counted>),
        size: u32,
    ) -> Scope {
        if at.until_ms.is_none() && read.ask.names("until") {
            at.until_ms = Some(clock::now_ms());
        }
        if let Some(since) = since {
            at.page = vendor_page(since);
        }
        let mut scope = self.scope(read, at, size);
        if let Some(counted) = listing {
            scope.set("page", json!({ "size": counted.limit(read, size), "offset": counted.0.offset() }));
        }
        match since {
            None => scope.set_some("since", cursor.kept()),
            Some(since) => match since.from().zip(since.from_ms()) {
                Some((words, ms)) => scope.set_time("since", ms, Some(words.to_owned())),
                None => scope.set_some("since", None::<Value>),
            },
        }
        scope
    }

    /// Where the first run begins, if the mapping says it.
    fn begin(&self, read: &Read, since: Option<&Since>, scope: &mut Scope) -> Result<(), Failure> {
        let Changes::Time { start: Some(start), .. } = &read.changes else { return Ok(()) };
        if since.is_some_and(|since| since.from().is_some()) {
            return Ok(());
        }
        let found = start.time(scope);
        let found =
            found.map_err(|why| Failure::bad_config(format!("changes.start: {why}; expected 2024-01-01T00:00:00Z")))?;
        if let Some((ms, words)) = found {
            scope.set_time("since", ms, Some(words));
        }
        Ok(())
    }

    /// One answer of a list.
    fn step(
        &self,
        read: &Read,
        cursor: &Cursor,
        mut at: At,
        parent: Option<&Value>,
        most: Most,
        page: &mut Page,
    ) -> Result<Step, Failure> {
        let mut since = match &read.changes {
            Changes::Time { window, .. } => Some(Since::resume_within(at.state.as_deref().or(cursor.kept()), *window)?),
            _ => None,
        };
        let listing = Counted::of(read, &at)?;
        // The same throughout a list, or pages would be cut elsewhere.
        let size = read.size(most.records);
        let mut scope = self.asked(read, cursor, &mut at, (since.as_ref(), listing.as_ref()), size);
        self.begin(read, since.as_ref(), &mut scope)?;
        scope.set_some("parent", parent.cloned());
        let response = ask(&read.ask, &read.paging, &at, &scope)?.send()?;
        let root = match read.judge.judge(&response, &read.wanted) {
            Verdict::Good(root) => root,
            Verdict::Gone | Verdict::Empty if parent.is_some() => return Ok(Step::over(None)),
            Verdict::Gone => return Err(Failure::bad_config(NO_SUCH_LIST)),
            Verdict::Empty => return Ok(Step::over(cursor.kept().map(str::to_owned))),
            Verdict::Restart => return restart(cursor, &at),
            Verdict::Fail(failure) | Verdict::Refused(failure) => return Err(failure),
        };
        let items = Items::of(read, &root)?;
        let (listed, all) = (items.listed(), items.len());
        let next = next_page(read, &response, &root, &at, listed, size)?;
        if let Paging::Offset { total: Some(total), .. } = &read.paging {
            page.total =
                total.filled(&root).and_then(Node::scalar).and_then(|text| text.trim().parse().ok()).or(page.total);
        }
        let taken = Taken {
            read,
            response: &response,
            items,
            skip: at.skip as usize,
            held: held(page),
            left: held(page) + most.left as usize,
        };
        if since.as_ref().is_none_or(|_| is_unsorted(read)) && listing.is_none() && parent.is_none() {
            self.prefetch(read, &at, (next.as_deref(), size), &taken, &scope);
        }
        let done = self.take(&taken, since.as_mut(), listing.as_ref(), &scope, page)?;
        if done < all {
            let skip = u32::try_from(done).unwrap_or(u32::MAX);
            return Ok(Step { next: Some(At { skip, ..at }), keep: None, restarted: false });
        }
        at.skip = 0;
        if let Some(counted) = listing {
            return counted.finish(read, page, &response, at, size);
        }
        if let Some(since) = since {
            return match parent {
                Some(_) => finish_child(since, at, next),
                None => finish_since(read, since, at, next),
            };
        }
        match next {
            Some(next) => Ok(Step { next: Some(At { page: Some(next), ..at }), keep: None, restarted: false }),
            None => {
                let token = match &read.changes {
                    Changes::SyncToken(token) => token.filled(&root).and_then(Node::scalar).map(Cow::into_owned),
                    _ => None,
                };
                Ok(Step::over(token))
            }
        }
    }

    /// Names the request for the next page while this one is still to be mapped.
    fn prefetch(&self, read: &Read, at: &At, (next, size): (Option<&str>, u32), taken: &Taken<'_>, scope: &Scope) {
        let Some(next) = next.filter(|_| read.lookup.is_none() && !read.ask.names("now")) else { return };
        if taken.items.len().saturating_sub(taken.skip) > taken.left {
            return;
        }
        let then = At { page: Some(next.to_owned()), skip: 0, ..at.clone() };
        let mut ahead = scope.clone();
        ahead.set("page", page_of(read, &then, size));
        if let Ok(request) = ask(&read.ask, &read.paging, &then, &ahead)
            && read.ask.is_get()
        {
            request.prefetch();
        }
    }

    /// Makes records of items, and gives how many items of the answer are done.
    fn take(
        &self,
        taken: &Taken<'_>,
        mut since: Option<&mut Since>,
        listing: Option<&Counted>,
        scope: &Scope,
        page: &mut Page,
    ) -> Result<usize, Failure> {
        let (read, body) = (taken.read, std::str::from_utf8(taken.response.body()).unwrap_or_default());
        let exchange = taken.response.exchange();
        let mut wanted: Vec<Wanted> = Vec::new();
        for index in 0..taken.items.len() {
            let (item, pointer) = (taken.items.at(index), taken.items.place(read, index));
            let raw = || taken.items.raw(read, body, index);
            let found = Found { exchange, pointer: &pointer, raw: &raw };
            if index >= taken.skip && held(page) + wanted.len() * read.records.len() >= taken.left {
                return self.looked_up(read, &wanted, scope, page).map(|()| index);
            }
            if !read.when.is_empty() && !read.when.holds(item, scope) {
                continue;
            }
            match is_new(read, since.as_deref_mut(), listing, item, scope) {
                Ok(true) if index >= taken.skip => {}
                Ok(_) => continue,
                Err(reason) => {
                    if index >= taken.skip {
                        page.rejects.push(reject(read, reason, found));
                    }
                    continue;
                }
            }
            match read.lookup.as_ref().and_then(|lookup| lookup.listed.as_ref()) {
                None => {
                    let before = (page.records.len(), page.rejects.len());
                    read.records.iter().for_each(|record| record.add(item, found, scope, page));
                    // An item that makes several records is taken in whole, or with the next page.
                    if held(page) > taken.left && before.0 + before.1 > taken.held {
                        page.records.truncate(before.0);
                        page.rejects.truncate(before.1);
                        return Ok(index);
                    }
                }
                Some(listed) => match listed.filled(item).and_then(Node::scalar) {
                    Some(id) => wanted.push((id.into_owned(), pointer.into_owned())),
                    None => {
                        page.rejects.push(reject(read, format!("{}: nothing; expected the id", listed.text()), found));
                    }
                },
            }
            let most = read.lookup.as_ref().map_or(usize::MAX, |lookup| lookup.batch * LOOKUPS_MAX);
            if wanted.len() >= most {
                return self.looked_up(read, &wanted, scope, page).map(|()| index + 1);
            }
        }
        self.looked_up(read, &wanted, scope, page)?;
        Ok(taken.items.len())
    }

    /// Says which pointers of the mapping met nothing in the first page.
    fn tell_strangers(&self, read: &Read, page: &Page) {
        if page.records.is_empty() {
            return;
        }
        let mut strangers: Vec<&str> = read.records.iter().flat_map(|record| record.fields.strangers()).collect();
        strangers.sort_unstable();
        strangers.dedup();
        for pointer in strangers {
            let (stream, count) = (self.stream, page.records.len());
            renmen_plugin::warn!(
                "{stream}: `{pointer}` of mapping.toml met nothing in {count} records; is it spelt as the vendor spells it?"
            );
        }
    }
}

/// How many records a page may hold.
#[derive(Clone, Copy)]
struct Most {
    /// In all.
    records: u32,
    /// Besides those that are there.
    left: u32,
}

/// The id of a listed item that is to be looked up, and the item's place in the answer.
type Wanted = (String, String);

/// The items of one answer that are to be taken in.
struct Taken<'t> {
    read: &'t Read,
    response: &'t Response,
    items: Items<'t, 't>,
    skip: usize,
    /// What the page held before.
    held: usize,
    /// What it may hold.
    left: usize,
}

impl Step {
    fn over(keep: Option<String>) -> Self {
        Self { next: None, keep, restarted: false }
    }
}

/// What counts against the size of a page: what was set aside does, too.
fn held(page: &Page) -> usize {
    page.records.len() + page.rejects.len()
}

fn is_unsorted(read: &Read) -> bool {
    matches!(read.changes, Changes::Time { order: Order::Any, .. })
}

fn ask(ask: &Ask, paging: &Paging, at: &At, scope: &Scope) -> Result<Request, Failure> {
    match (paging, &at.page) {
        (Paging::Url(_) | Paging::Link, Some(url)) => ask.following(url, scope),
        _ => ask.request(scope),
    }
}

/// Is an item to be taken in? By time, one that the page before brought is not.
fn is_new(
    read: &Read,
    since: Option<&mut Since>,
    listing: Option<&Counted>,
    item: &Node<'_>,
    scope: &Scope,
) -> Result<bool, String> {
    let of_first = || read.records.first().map_or_else(|| Ok(String::new()), |record| record.identity(item, scope));
    let id = || of_first().map_err(|unfit| unfit.reason);
    if let Some(counted) = listing {
        return Ok(!id().is_ok_and(|id| counted.0.is_overlap(&id)));
    }
    let (Some(since), Changes::Time { modified, clock, .. }) = (since, &read.changes) else { return Ok(true) };
    let node =
        modified.filled(item).ok_or_else(|| format!("{}: nothing; expected the time of change", modified.text()))?;
    let ms = clock.ms(node).map_err(|why| format!("{}: {why}", modified.text()))?;
    // A time is asked for in the vendor's words; those of OData cannot be moved back, and a number of milliseconds can.
    let words = node.scalar().filter(|words| odata_ms(words).is_none()).unwrap_or_else(|| ms.to_string().into());
    let listed = read.lookup.as_ref().and_then(|lookup| lookup.listed.as_ref());
    let id = match listed {
        Some(listed) => listed.filled(item).and_then(Node::scalar).map(Cow::into_owned).unwrap_or_default(),
        None => id()?,
    };
    Ok(since.is_new(words.trim(), ms, &id))
}

fn reject(read: &Read, reason: String, found: Found<'_>) -> renmen_plugin::Reject {
    renmen_plugin::Reject {
        entity: read.records.first().map(|record| record.entity.clone()).unwrap_or_default(),
        external_id: None,
        exchange: found.exchange,
        pointer: found.pointer.to_owned(),
        reason,
        raw: (found.raw)(),
    }
}
