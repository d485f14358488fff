//! Items that are asked for by their ids.

use renmen_plugin::http::{Response, send_all};
use renmen_plugin::{Failure, Omission, Page, clock};
use serde_json::json;

use super::{Reading, Wanted};
use crate::answer::{Node, raw_item};
use crate::language::Missing;
use crate::plan::{Lookup, Read};
use crate::record::Found;
use crate::template::Scope;
use crate::verdict::Verdict;

/// Requests that are under way together.
const TOGETHER: usize = 20;
/// Places that an omission names.
const PLACES: usize = 5;

impl Reading<'_> {
    /// Asks for listed items by their ids.
    pub(super) fn looked_up(
        &self,
        read: &Read,
        wanted: &[Wanted],
        scope: &Scope,
        page: &mut Page,
    ) -> Result<(), Failure> {
        let Some(lookup) = read.lookup.as_ref().filter(|_| !wanted.is_empty()) else { return Ok(()) };
        let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
        let absent = self.by_id(read, lookup, &ids, scope, page)?;
        if !absent.is_empty() {
            let place = |id: &&str| wanted.iter().find(|(known, _)| known == id).map(|(_, place)| place.clone());
            page.omissions.push(Omission {
                part: self.stream.to_owned(),
                rule: "lookup".to_owned(),
                count: absent.len() as u64,
                places: absent.iter().filter_map(|(id, _)| place(id)).take(PLACES).collect(),
            });
        }
        Ok(())
    }

    /// Asks for items by their ids; gives those that the vendor does not have, each with the exchange that said so.
    fn by_id<'i>(
        &self,
        read: &Read,
        lookup: &Lookup,
        ids: &[&'i str],
        scope: &Scope,
        page: &mut Page,
    ) -> Result<Vec<(&'i str, u32)>, Failure> {
        let mut absent = Vec::new();
        let batches: Vec<&[&'i str]> = ids.chunks(lookup.batch).collect();
        for together in batches.chunks(TOGETHER) {
            let requests = together.iter().map(|batch| {
                let mut scope = scope.clone();
                scope.set("id", batch[0]);
                scope.set("ids", json!(batch));
                lookup.ask.request(&scope)
            });
            let answers = send_all(requests.collect::<Result<Vec<_>, _>>()?);
            for (batch, answer) in together.iter().zip(answers) {
                let response = answer?;
                match read.judge.judge(&response, &lookup.wanted) {
                    Verdict::Good(root) => {
                        absent.extend(items_by_id(read, lookup, batch, &root, &response, scope, page)?);
                    }
                    Verdict::Gone => absent.extend(batch.iter().map(|id| (*id, response.exchange()))),
                    Verdict::Empty => {}
                    Verdict::Restart => return Err(Failure::upstream_changed("a lookup cannot start over")),
                    Verdict::Fail(failure) | Verdict::Refused(failure) => return Err(failure),
                }
            }
        }
        Ok(absent)
    }

    /// Just these records.
    pub(crate) fn named(&self, only: &[String]) -> Result<Page, Failure> {
        let read = self.reads.iter().find(|read| read.lookup.is_some());
        let (read, lookup) = read.and_then(|read| Some((read, read.lookup.as_ref()?))).ok_or_else(|| {
            let stream = self.stream;
            Failure::invalid_input(format!("stream `{stream}` has no `lookup`: single records cannot be read"))
        })?;
        let mut page = Page::new();
        let mut scope = Scope::default();
        scope.set("config", self.config.clone());
        scope.set_time("now", clock::now_ms(), None);
        let ids: Vec<&str> = only.iter().map(String::as_str).collect();
        for (id, exchange) in self.by_id(read, lookup, &ids, &scope, &mut page)? {
            if lookup.batch == 1 || lookup.missing == Missing::Gone {
                let own = read.records.iter().filter(|record| record.is_of_item(&lookup.id));
                own.for_each(|record| record.gone(id, exchange, &mut page));
            }
        }
        Ok(page)
    }
}

pub(super) fn items_by_id<'i>(
    read: &Read,
    lookup: &Lookup,
    batch: &[&'i str],
    root: &Node<'_>,
    response: &Response,
    scope: &Scope,
    page: &mut Page,
) -> Result<Vec<(&'i str, u32)>, Failure> {
    let body = std::str::from_utf8(response.body()).unwrap_or_default();
    let exchange = response.exchange();
    let Some(items) = &lookup.items else {
        let node = lookup.item.find(root);
        let Some(item) = node.filter(|node| matches!(node, Node::Object(_))) else {
            let (place, kind) = (lookup.item.text(), node.map_or("nothing", Node::kind));
            return Err(Failure::upstream_changed(format!("{kind} at `{place}` of the answer; expected the record")));
        };
        let raw = || body.as_bytes().to_vec();
        let found = Found { exchange, pointer: lookup.item.text(), raw: &raw };
        read.records.iter().for_each(|record| record.add(item, found, scope, page));
        return Ok(Vec::new());
    };
    let list = match items.find(root) {
        Some(Node::List(list)) => list.as_slice(),
        Some(Node::Null) => &[],
        _ => return Err(Failure::upstream_changed(format!("no list at {} in the answer", items.text()))),
    };
    let mut seen = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let raw = || raw_item(body, &lookup.names, index);
        let pointer = format!("{}/{index}", items.text());
        read.records.iter().for_each(|record| {
            record.add(item, Found { exchange, pointer: &pointer, raw: &raw }, scope, page);
        });
        seen.extend(lookup.id.of(item, scope).ok());
    }
    Ok(batch.iter().filter(|id| !seen.iter().any(|known| known == *id)).map(|id| (*id, exchange)).collect())
}
