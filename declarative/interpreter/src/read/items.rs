//! The items of an answer: those of its list, of lists within them, the members of an object, or the one object that stands for a list.

use std::borrow::Cow;

use renmen_plugin::Failure;
use renmen_schema::pointer;

use crate::answer::{Node, raw_at, raw_item};
use crate::plan::Read;

/// The items of one answer, in order.
pub(super) enum Items<'t, 'a> {
    /// Those of the list.
    Listed(&'t [Node<'a>]),
    /// Each with its own place in the answer, and how many the list itself has.
    Placed(Vec<(String, &'t Node<'a>)>, usize),
    /// Those of an object, each with its own place in the answer and with its member's name put into it.
    Keyed(Vec<(String, Node<'a>)>),
}

impl<'t, 'a> Items<'t, 'a> {
    /// Finds them; null is an empty list. An empty list stands for an empty object too: not every server tells them apart.
    ///
    /// # Errors
    /// Where there is no list.
    pub(super) fn of(read: &Read, root: &'t Node<'a>) -> Result<Self, Failure> {
        let place = if read.items.text().is_empty() { "the top level" } else { read.items.text() };
        let wanted = if read.keyed.is_some() { "an object" } else { "a list" };
        let found = read.items.find(root);
        if let (Some(name), Some(Node::Object(members))) = (&read.keyed, found) {
            return keyed(name, read.items.text(), members).map(Self::Keyed);
        }
        let list: &[Node<'a>] = match found {
            Some(Node::List(items)) if read.keyed.is_none() || items.is_empty() => items,
            Some(Node::Null) => &[],
            Some(one @ Node::Object(_)) if read.single => {
                return Ok(Self::Placed(vec![(read.items.text().to_owned(), one)], 1));
            }
            Some(other) => {
                let kind = other.kind();
                return Err(Failure::upstream_changed(format!("{kind} at {place} of the answer; expected {wanted}")));
            }
            None => {
                return Err(Failure::upstream_changed(format!("nothing at {place} of the answer; expected {wanted}")));
            }
        };
        let Some(nested) = &read.nested else { return Ok(Self::Listed(list)) };
        let mut placed = Vec::with_capacity(list.len());
        let below = |place: &str, list: &'t [Node<'a>]| {
            list.iter().enumerate().map(|(index, item)| (format!("{place}/{index}"), item)).rev().collect::<Vec<_>>()
        };
        let mut waiting = below(read.items.text(), list);
        while let Some((place, item)) = waiting.pop() {
            match nested.find(item) {
                Some(Node::List(inner)) => waiting.extend(below(&format!("{place}{}", nested.text()), inner)),
                Some(Node::Null) | None => {}
                Some(other) => {
                    let (kind, at) = (other.kind(), nested.text());
                    return Err(Failure::upstream_changed(format!("{kind} at {at} of an item; expected a list")));
                }
            }
            placed.push((place, item));
        }
        Ok(Self::Placed(placed, list.len()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed(items) => items.len(),
            Self::Placed(items, _) => items.len(),
            Self::Keyed(items) => items.len(),
        }
    }

    /// How many the list itself has: what pages are counted by.
    pub(super) fn listed(&self) -> usize {
        match self {
            Self::Listed(items) => items.len(),
            Self::Placed(_, listed) => *listed,
            Self::Keyed(items) => items.len(),
        }
    }

    /// One of them.
    pub(super) fn at(&self, index: usize) -> &Node<'a> {
        match self {
            Self::Listed(items) => &items[index],
            Self::Placed(items, _) => items[index].1,
            Self::Keyed(items) => &items[index].1,
        }
    }

    /// Its place in the answer.
    pub(super) fn place(&self, read: &Read, index: usize) -> Cow<'_, str> {
        match self {
            Self::Listed(_) => format!("{}/{index}", read.items.text()).into(),
            Self::Placed(items, _) => items[index].0.as_str().into(),
            Self::Keyed(items) => items[index].0.as_str().into(),
        }
    }

    /// The vendor's bytes of it.
    pub(super) fn raw(&self, read: &Read, body: &str, index: usize) -> Vec<u8> {
        let body = body.trim_start_matches('\u{feff}');
        match self {
            Self::Listed(_) => raw_item(body, &read.names, index),
            Self::Placed(items, _) => items[index].1.value().to_string().into_bytes(),
            Self::Keyed(items) => raw_at(body, &pointer::names(&items[index].0)).unwrap_or_default().into(),
        }
    }
}

/// The members of the object at `place`, each with its name under `name`; a member of the vendor's of that name makes way for it.
///
/// # Errors
/// Where a member is not an object: what stands there is not a list of records.
fn keyed<'a>(
    name: &str,
    place: &str,
    members: &[(Cow<'a, str>, Node<'a>)],
) -> Result<Vec<(String, Node<'a>)>, Failure> {
    let item = |(key, node): &(Cow<'a, str>, Node<'a>)| {
        let Node::Object(own) = node else {
            let kind = node.kind();
            return Err(Failure::upstream_changed(format!(
                "{kind} as a member of {place}; expected an object for each item"
            )));
        };
        let mut own = own.clone();
        own.retain(|(known, _)| known != name);
        own.push((name.to_owned().into(), Node::Text(key.clone())));
        Ok((format!("{place}/{}", pointer::escape(key)), Node::Object(own)))
    };
    members.iter().map(item).collect()
}
