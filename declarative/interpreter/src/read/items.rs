//! The items of an answer: those of its list, of lists within them, or the one object that stands for a list.

use std::borrow::Cow;

use renmen_plugin::Failure;

use crate::answer::{Node, raw_item};
use crate::plan::Read;

/// The items of one answer, in order.
pub(super) enum Items<'t, 'a> {
    /// Those of the list.
    Listed(&'t [Node<'a>]),
    /// Each with its own place in the answer, and how many the list itself has.
    Placed(Vec<(String, &'t Node<'a>)>, usize),
}

impl<'t, 'a> Items<'t, 'a> {
    /// Finds them; null is an empty list.
    ///
    /// # Errors
    /// Where there is no list.
    pub(super) fn of(read: &Read, root: &'t Node<'a>) -> Result<Self, Failure> {
        let place = if read.items.text().is_empty() { "the top level" } else { read.items.text() };
        let list: &[Node<'a>] = match read.items.find(root) {
            Some(Node::List(items)) => items,
            Some(Node::Null) => &[],
            Some(one @ Node::Object(_)) if read.single => {
                return Ok(Self::Placed(vec![(read.items.text().to_owned(), one)], 1));
            }
            Some(other) => {
                let kind = other.kind();
                return Err(Failure::upstream_changed(format!("{kind} at {place} of the answer; expected a list")));
            }
            None => return Err(Failure::upstream_changed(format!("no list at {place} in the answer"))),
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
        }
    }

    /// How many the list itself has: what pages are counted by.
    pub(super) fn listed(&self) -> usize {
        match self {
            Self::Listed(items) => items.len(),
            Self::Placed(_, listed) => *listed,
        }
    }

    /// One of them.
    pub(super) fn at(&self, index: usize) -> &'t Node<'a> {
        match self {
            Self::Listed(items) => &items[index],
            Self::Placed(items, _) => items[index].1,
        }
    }

    /// Its place in the answer.
    pub(super) fn place(&self, read: &Read, index: usize) -> Cow<'_, str> {
        match self {
            Self::Listed(_) => format!("{}/{index}", read.items.text()).into(),
            Self::Placed(items, _) => items[index].0.as_str().into(),
        }
    }

    /// The vendor's bytes of it.
    pub(super) fn raw(&self, read: &Read, body: &str, index: usize) -> Vec<u8> {
        match self {
            Self::Listed(_) => raw_item(body.trim_start_matches('\u{feff}'), &read.names, index),
            Self::Placed(items, _) => items[index].1.value().to_string().into_bytes(),
        }
    }
}
