//! Where something stands in an answer: an RFC 6901 pointer, in which a segment `[key=value]` stands for the first item of a list that has
//! this member, for vendors that write columns as a list of names and values.

use crate::answer::{Node, Wanted};

/// A pointer that can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A member, or an item by its number.
    Name(String),
    /// The first item with this member.
    Item { key: String, value: String },
}

impl Pointer {
    /// Reads the text of one; the empty one is the whole.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let segments = text
            .strip_prefix('/')
            .ok_or_else(|| format!("`{text}` is not a pointer: it begins with `/`, as /data/id"))?;
        let steps = segments.split('/').map(Step::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Is it one of RFC 6901 alone?
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Name(_)))
    }

    /// What stands there; none where the way ends before.
    #[must_use]
    pub fn find<'n, 'a>(&self, root: &'n Node<'a>) -> Option<&'n Node<'a>> {
        self.steps.iter().try_fold(root, |at, step| match (step, at) {
            (Step::Name(name), Node::Object(_)) => at.member(name),
            (Step::Name(name), Node::List(items)) => items.get(name.parse::<usize>().ok()?),
            (Step::Item { key, value }, Node::List(items)) => {
                items.iter().find(|item| item.member(key).and_then(Node::scalar).is_some_and(|text| text == *value))
            }
            _ => None,
        })
    }

    /// What stands there, with the pointer of RFC 6901 that leads to it.
    #[must_use]
    pub fn located<'n, 'a>(&self, root: &'n Node<'a>) -> Option<(String, &'n Node<'a>)> {
        let (mut path, mut at) = (String::new(), root);
        for step in &self.steps {
            let (name, next) = match (step, at) {
                (Step::Name(name), Node::Object(_)) => (name.clone(), at.member(name)?),
                (Step::Name(name), Node::List(items)) => (name.clone(), items.get(name.parse::<usize>().ok()?)?),
                (Step::Item { key, value }, Node::List(items)) => {
                    let fits =
                        |item: &Node<'_>| item.member(key).and_then(Node::scalar).is_some_and(|text| text == *value);
                    let index = items.iter().position(fits)?;
                    (index.to_string(), &items[index])
                }
                _ => return None,
            };
            path.push('/');
            path.push_str(&name.replace('~', "~0").replace('/', "~1"));
            at = next;
        }
        Some((path, at))
    }

    /// What stands there and is something: neither null nor a text of blanks.
    #[must_use]
    pub fn filled<'n, 'a>(&self, root: &'n Node<'a>) -> Option<&'n Node<'a>> {
        self.find(root).filter(|node| !node.is_blank())
    }

    /// Notes that what stands there is needed, and gives the place of it.
    pub fn want<'w>(&self, from: &'w mut Wanted) -> &'w mut Wanted {
        self.steps.iter().fold(from, |at, step| match step {
            Step::Name(name) => at.member(name),
            Step::Item { key, .. } => {
                at.item().member(key).all();
                at.item()
            }
        })
    }
}

impl Step {
    fn parse(segment: &str) -> Result<Self, String> {
        if let Some(inner) = segment.strip_prefix('[') {
            let parts = inner.strip_suffix(']').and_then(|inner| inner.split_once('='));
            let (key, value) = parts
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| format!("`{segment}` picks no item: write [key=value]"))?;
            return Ok(Self::Item { key: key.to_owned(), value: value.to_owned() });
        }
        Ok(Self::Name(segment.replace("~1", "/").replace("~0", "~")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(json: &str, pointer: &str) -> Option<String> {
        let pointer = Pointer::parse(pointer).unwrap();
        let mut wanted = Wanted::default();
        pointer.want(&mut wanted).all();
        let node = Node::read(json, &wanted).unwrap();
        pointer.find(&node).and_then(Node::scalar).map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn members_numbers_and_items_by_a_member_are_found() {
        let json = r#"{"a":{"b/c":[{"k":"x","v":1},{"k":"y","v":2}]},"other":{"a":1}}"#;
        assert_eq!(at(json, "/a/b~1c/1/v").as_deref(), Some("2"));
        assert_eq!(at(json, "/a/b~1c/[k=y]/v").as_deref(), Some("2"));
        assert_eq!(at(json, "/a/b~1c/[k=z]/v"), None);
        assert_eq!(at(json, "/a/none"), None);
        let whole = serde_json::from_str::<serde_json::Value>(json).unwrap();
        let located = |pointer: &str| {
            Pointer::parse(pointer).unwrap().located(&Node::from(&whole)).map(|(path, node)| (path, node.value()))
        };
        assert_eq!(located("/a/b~1c/[k=y]/v"), Some(("/a/b~1c/1/v".to_owned(), 2.into())));
        assert_eq!(located("/a/b~1c/[k=z]/v"), None);
    }

    #[test]
    fn what_is_no_pointer_says_what_one_looks_like() {
        for text in ["id", "a/b"] {
            assert!(Pointer::parse(text).unwrap_err().contains("begins with `/`"), "{text}");
        }
        assert!(Pointer::parse("/a/[b]").unwrap_err().contains("[key=value]"));
    }
}
