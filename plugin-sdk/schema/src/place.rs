//! Is there such a field? Paths that people write into configurations and flows, checked against the schema, with the word that
//! was most likely meant. A rule about a field that does not exist would hold nothing back.

use std::sync::LazyLock;

use serde_json::Value;

use crate::json_schema::{Node, json_schema};
use crate::kind::EntityKind;
use crate::{Text, text};

/// Why a place does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPlace {
    /// What is wrong, without a full stop.
    pub message: Text,
    /// What to write instead.
    pub help: Text,
    /// Segments that do lead somewhere: of several reasons the one with the most tells most.
    known: usize,
    /// Is there a word that was most likely meant?
    has_guess: bool,
}

/// What a number in a path may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indices {
    /// An item of a list: the path is of one value.
    Item,
    /// Nothing: the path is a rule for values, and the other items would be left out of it. `*` is every item.
    Refused,
}

static SCHEMAS: LazyLock<Vec<Value>> =
    LazyLock::new(|| EntityKind::ALL.iter().map(|kind| json_schema(*kind)).collect());

/// Is there such a place in an entity? `*` is any item of a list, any key of a map and any field.
///
/// # Errors
/// [`NoPlace`] with what there is where the path goes wrong.
pub fn check_place<S: AsRef<str>>(kind: EntityKind, path: &[S], indices: Indices) -> Result<(), NoPlace> {
    let schema = &SCHEMAS[kind as usize];
    let mut nodes = vec![Node::new(schema, schema)];
    for (at, segment) in path.iter().enumerate() {
        let segment = segment.as_ref();
        if indices == Indices::Refused && is_number(segment) && nodes.iter().any(|node| is_list(*node)) {
            return Err(index(path, at));
        }
        let next: Vec<Node<'_>> = nodes.iter().flat_map(|node| step(*node, segment)).collect();
        if next.is_empty() {
            return Err(stray(kind, &nodes, path, at));
        }
        nodes = next;
    }
    Ok(())
}

/// The same for a path that is a rule for every entity: some entity must have such a place.
///
/// # Errors
/// [`NoPlace`] of the entity that has most of it.
pub fn check_place_in_any<S: AsRef<str>>(path: &[S]) -> Result<(), NoPlace> {
    let mut nearest: Option<NoPlace> = None;
    for kind in EntityKind::ALL {
        match check_place(*kind, path, Indices::Refused) {
            Ok(()) => return Ok(()),
            Err(other) => {
                let meant = |found: &NoPlace| (found.known, found.has_guess);
                if nearest.as_ref().is_none_or(|nearest| meant(&other) > meant(nearest)) {
                    nearest = Some(other);
                }
            }
        }
    }
    match nearest {
        Some(nearest) if nearest.known > 0 || nearest.has_guess => Err(nearest),
        _ => {
            let name = shown(path.first().map_or("", AsRef::as_ref));
            let message = text!("no entity has a field `{name}`", "没有实体含字段 `{name}`");
            let help = text!("`renmen schema` shows the fields of every entity", "`renmen schema` 列出每个实体的字段");
            Err(NoPlace { message, help, known: 0, has_guess: false })
        }
    }
}

/// The whole that a place is a form of: the code, the source's own text and the label of a coded field say the same thing, so what
/// is held back of one is held back of all. Any other place is itself.
#[must_use]
pub fn whole_of<S: AsRef<str>>(kind: EntityKind, path: &[S]) -> usize {
    let Some((last, above)) = path.split_last() else { return 0 };
    let schema = &SCHEMAS[kind as usize];
    let mut nodes = vec![Node::new(schema, schema)];
    for segment in above {
        nodes = nodes.iter().flat_map(|node| step(*node, segment.as_ref())).collect();
    }
    let coded = |node: &Node<'_>| {
        let names: Vec<&str> = node.children().into_iter().map(|(name, _)| name).collect();
        ["code", "raw", "label"].iter().all(|part| names.contains(part))
    };
    let part = ["code", "raw", "label"].contains(&last.as_ref());
    if part && nodes.iter().any(coded) { above.len() } else { path.len() }
}

fn step<'s>(node: Node<'s>, segment: &str) -> Vec<Node<'s>> {
    let list = is_list(node);
    let fits = |name: &str| name == segment || segment == "*" || (name == "*" && (!list || is_number(segment)));
    node.children().into_iter().filter(|(name, _)| fits(name)).map(|(_, child)| child).collect()
}

fn is_list(node: Node<'_>) -> bool {
    node.get("items").is_some_and(Value::is_object)
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn index<S: AsRef<str>>(path: &[S], at: usize) -> NoPlace {
    let mut whole: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let message = text!(
        "`{}` is one item of a list, and the others would be left out",
        "`{}` 只是列表中的一项，其余各项会被漏掉",
        whole[at]
    );
    whole[at] = "*";
    NoPlace {
        message,
        help: text!("write `*` for every item: \"/{}\"", "每一项请写 `*`：\"/{}\"", whole.join("/")),
        known: at + 1,
        has_guess: false,
    }
}

fn stray<S: AsRef<str>>(kind: EntityKind, nodes: &[Node<'_>], path: &[S], at: usize) -> NoPlace {
    let above: Vec<&str> = path[..at].iter().map(AsRef::as_ref).collect();
    let given = path[at].as_ref();
    let mut there: Vec<&str> = nodes.iter().flat_map(|node| node.children()).map(|(name, _)| name).collect();
    there.sort_unstable();
    there.dedup();
    let place = if above.is_empty() { kind.name().to_owned() } else { format!("/{}", above.join("/")) };
    let written = |segment: &str, rest: &[S]| {
        let whole = above.iter().copied().chain([segment]).chain(rest.iter().map(AsRef::as_ref));
        whole.map(|part| format!("/{part}")).collect::<String>()
    };
    let mut has_guess = false;
    let (message, help) = match there.as_slice() {
        [] => {
            (text!("`{place}` has no parts", "`{place}` 没有下级字段"), text!("write \"{place}\"", "请写 \"{place}\""))
        }
        ["*"] => (
            text!("`{place}` is a list", "`{place}` 是列表"),
            text!("write `*` for every item: \"{}\"", "每一项请写 `*`：\"{}\"", written("*", &path[at..])),
        ),
        _ => match nearest(given, &there) {
            Some(meant) => {
                let meant = written(meant, &path[at + 1..]);
                has_guess = true;
                let message = text!(
                    "{place} has no `{}`; did you mean `{meant}`?",
                    "{place} 没有 `{}`；是否想写 `{meant}`？",
                    shown(given)
                );
                (message, text!("write \"{meant}\"", "请写 \"{meant}\""))
            }
            None => (
                text!(
                    "{place} has no `{}`; it has {}",
                    "{place} 没有 `{}`；可用的为 {}",
                    shown(given),
                    there.join(", ")
                ),
                text!("`renmen schema {}` shows its fields", "`renmen schema {}` 列出其字段", kind.name()),
            ),
        },
    };
    NoPlace { message, help, known: at, has_guess }
}

/// The known word that is a slip or two away.
fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let most = (given.chars().count() / 3).clamp(1, 3);
    let near = known.iter().map(|word| (distance(given, word), *word)).filter(|(steps, _)| *steps <= most);
    near.min_by_key(|(steps, _)| *steps).map(|(_, word)| word)
}

/// How far one word is from another: the insertions, deletions, replacements and swaps of neighbours that lead to it.
/// For guessing what was meant.
#[must_use]
pub fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut steps = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                steps = steps.min(before[j - 1] + 1);
            }
            row.push(steps);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Indices, check_place, check_place_in_any, whole_of};
    use crate::kind::EntityKind;

    fn path(text: &str) -> Vec<&str> {
        text.split('/').skip(1).collect()
    }

    fn told(text: &str) -> String {
        let no = check_place(EntityKind::Employee, &path(text), Indices::Refused).unwrap_err();
        format!("{}; {}", no.message, no.help)
    }

    #[test]
    fn a_place_that_is_there_is_found_and_an_item_of_a_list_only_where_one_value_is_meant() {
        for good in
            ["/person", "/person/names/formatted", "/person/emails/*/address", "/person/*/formatted", "/ext/any/key"]
        {
            assert_eq!(check_place(EntityKind::Employee, &path(good), Indices::Refused), Ok(()), "{good}");
        }
        assert_eq!(check_place(EntityKind::Employee, &path("/person/emails/0/address"), Indices::Item), Ok(()));
        let index = told("/person/emails/0/address");
        assert!(index.contains("one item of a list") && index.contains("\"/person/emails/*/address\""), "{index}");
    }

    #[test]
    fn a_place_that_is_not_there_is_told_with_what_was_meant_or_what_there_is() {
        assert!(told("/person/names/fromatted").contains("did you mean `/person/names/formatted`?"));
        assert!(told("/persno/names").contains("did you mean `/person/names`?"));
        assert!(told("/person/emails/address").contains("write `*` for every item: \"/person/emails/*/address\""));
        assert!(told("/work/title/x").contains("has no parts"));
        assert!(told("/colour").contains("employee has no `colour`; it has "));
        assert!(told("/person/emails/first/address").contains("is a list"));
    }

    #[test]
    fn a_rule_for_all_entities_needs_one_that_has_the_place() {
        for good in ["/person/gender", "/overall", "/range/min"] {
            assert_eq!(check_place_in_any(&path(good)), Ok(()), "{good}");
        }
        let no = |text: &str| check_place_in_any(&path(text)).unwrap_err();
        assert!(no("/person/names/fromatted").message.english().contains("did you mean `/person/names/formatted`?"));
        assert!(no("/person/emails/0/address").help.english().contains("\"/person/emails/*/address\""));
        assert_eq!(no("/colour").message.english(), "no entity has a field `colour`");
        assert!(no("/gendre").message.english().starts_with("no entity has a field `gendre`"));
    }

    #[test]
    fn the_forms_of_a_coded_field_are_one_whole() {
        for (text, whole) in
            [("/person/gender/code", 2), ("/person/gender/raw", 2), ("/person/gender", 2), ("/number", 1)]
        {
            assert_eq!(whole_of(EntityKind::Employee, &path(text)), whole, "{text}");
        }
    }
}
