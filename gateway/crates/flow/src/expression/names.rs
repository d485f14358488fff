//! Which names an expression uses, so that an unknown name is reported with its place when the expression is loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use renmen_schema::text;

use super::BadExpression;
use crate::links;

/// The variables.
const VARIABLES: [&str; 4] = ["record", "before", "change", "now"];
/// The fields of `change`.
pub(crate) const CHANGE_FIELDS: [&str; 8] =
    ["seq", "kind", "entity", "connection", "id", "external_id", "revision", "at"];
/// The functions: CEL's own that need no clock, `ms`, `text` and `decision_link`.
const FUNCTIONS: [&str; 19] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "type",
    "dyn",
    "min",
    "max",
    "ms",
    "text",
    "has",
    links::FUNCTION,
];
/// The names of types, which type() is compared with.
const TYPES: [&str; 10] = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];
/// Words of the language.
const WORDS: [&str; 4] = ["true", "false", "null", "in"];
/// Characters of a name that a flow gives.
const NAME_CHARS_MAX: usize = 40;
/// The operator of `list[0]` and `map["key"]`.
const INDEX: &str = "_[_]";

/// A place in a record that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// `record`, `before`, or a name of `with`.
    pub(crate) variable: Arc<str>,
    /// Segments; `*` for an item of a list or a key that is worked out.
    pub(crate) path: Vec<String>,
    /// Where it stands, in characters from 0.
    pub(crate) at: Option<usize>,
}

/// Everything in records that an expression names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) fields: Vec<Name>,
    /// Where it asks for a link to a decision, in characters from 0; none where it does not.
    pub(crate) link: Option<usize>,
}

/// May a flow call a record so?
pub(crate) fn is_free_name(name: &str) -> bool {
    let taken = VARIABLES.iter().chain(&TYPES).chain(&WORDS).chain(&FUNCTIONS).any(|word| *word == name);
    let fits = |(at, c): (usize, char)| c.is_ascii_lowercase() || (at > 0 && (c.is_ascii_digit() || c == '_'));
    !taken && !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().enumerate().all(fits)
}

/// The operator of `condition ? this : that`.
const CHOICE: &str = "_?_:_";

/// What a name stands for while the tree is walked.
#[derive(Clone)]
enum Meaning {
    Record(Arc<str>, Vec<String>),
    Change(Vec<String>),
    Other,
}

struct Walk<'t> {
    places: &'t SourceInfo,
    related: &'t [&'t str],
    named: Named,
}

type Known = BTreeMap<String, Meaning>;

/// Collects the names; refuses unknown ones.
pub(super) fn collect(tree: &IdedExpr, places: &SourceInfo, related: &[&str]) -> Result<Named, BadExpression> {
    let mut known = Known::new();
    for name in ["record", "before"].iter().chain(related) {
        known.insert((*name).to_owned(), Meaning::Record(Arc::from(*name), Vec::new()));
    }
    known.insert("change".into(), Meaning::Change(Vec::new()));
    known.insert("now".into(), Meaning::Other);
    for word in TYPES {
        known.insert(word.into(), Meaning::Other);
    }
    let mut walk = Walk { places, related, named: Named::default() };
    let meaning = walk.visit(tree, &known)?;
    walk.note(&meaning, tree.id)?;
    Ok(walk.named)
}

/// The texts that stand in an expression as what it may give: of a choice, those of both sides.
pub(super) fn texts(tree: &IdedExpr) -> Vec<String> {
    match &tree.expr {
        Expr::Literal(LiteralValue::String(text)) => vec![text.inner().to_owned()],
        Expr::Call(CallExpr { func_name, args, .. }) if func_name == CHOICE => {
            args.iter().skip(1).flat_map(texts).collect()
        }
        _ => Vec::new(),
    }
}

impl Walk<'_> {
    fn at(&self, id: u64) -> Option<usize> {
        self.places.offset_for(id).and_then(|(start, _)| usize::try_from(start).ok())
    }

    /// Notes what a whole name came to.
    fn note(&mut self, meaning: &Meaning, id: u64) -> Result<(), BadExpression> {
        match meaning {
            Meaning::Record(variable, path) => {
                let name = Name { variable: Arc::clone(variable), path: path.clone(), at: self.at(id) };
                if !self.named.fields.contains(&name) {
                    self.named.fields.push(name);
                }
            }
            Meaning::Change(path) => {
                if let Some(field) = path.first().filter(|field| !CHANGE_FIELDS.contains(&field.as_str())) {
                    let message = text!(
                        "`change` has no `{field}`; it has {}",
                        "`change` 没有 `{field}`；可用的为 {}",
                        CHANGE_FIELDS.join(", ")
                    );
                    return Err(BadExpression { at: self.at(id), message });
                }
            }
            Meaning::Other => {}
        }
        Ok(())
    }

    /// Visits what is used up here, as an operand: its names end with it.
    fn end(&mut self, tree: &IdedExpr, known: &Known) -> Result<(), BadExpression> {
        let meaning = self.visit(tree, known)?;
        self.note(&meaning, tree.id)
    }

    fn visit(&mut self, tree: &IdedExpr, known: &Known) -> Result<Meaning, BadExpression> {
        match &tree.expr {
            Expr::Ident(name) => match known.get(name.trim_start_matches('.')) {
                Some(meaning) => Ok(meaning.clone()),
                // What a macro makes for itself begins with an `@`.
                None if name.starts_with('@') => Ok(Meaning::Other),
                None => Err(BadExpression {
                    at: self.at(tree.id),
                    message: text!(
                        "`{name}` is not known; there are {}",
                        "未知的名称 `{name}`；可用的为 {}",
                        [&VARIABLES, self.related].concat().join(", ")
                    ),
                }),
            },
            Expr::Select(select) => {
                let meaning = self.visit(&select.operand, known)?;
                Ok(deeper(meaning, select.field.clone()))
            }
            Expr::Call(call) => self.call(tree, call, known),
            Expr::Comprehension(parts) => self.comprehension(parts, known).map(|()| Meaning::Other),
            Expr::List(list) => {
                list.elements.iter().try_for_each(|item| self.end(item, known))?;
                Ok(Meaning::Other)
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.end(&entry.key, known)?;
                        self.end(&entry.value, known)?;
                    }
                }
                Ok(Meaning::Other)
            }
            Expr::Struct(shape) => Err(BadExpression {
                at: self.at(tree.id),
                message: text!(
                    "unknown type `{}`: write a map, {{\"key\": value}}",
                    "未知的类型 `{}`：请写映射 {{\"key\": value}}",
                    shape.type_name
                ),
            }),
            Expr::Literal(_) | Expr::Unspecified => Ok(Meaning::Other),
        }
    }

    fn call(&mut self, tree: &IdedExpr, call: &CallExpr, known: &Known) -> Result<Meaning, BadExpression> {
        let word = call.func_name.as_str();
        let operator = !word.starts_with(|first: char| first.is_ascii_alphabetic());
        if !operator && !FUNCTIONS.contains(&word) {
            let message = text!(
                "unknown function `{word}`; there are {}",
                "未知的函数 `{word}`；可用的为 {}",
                FUNCTIONS.join(", ")
            );
            return Err(BadExpression { at: self.at(tree.id), message });
        }
        if word == links::FUNCTION {
            self.named.link = Some(self.at(tree.id).unwrap_or_default());
        }
        if word == INDEX
            && let [list, index] = call.args.as_slice()
        {
            let meaning = self.visit(list, known)?;
            return Ok(match &index.expr {
                Expr::Literal(LiteralValue::String(key)) => deeper(meaning, key.inner().to_owned()),
                _ => {
                    self.end(index, known)?;
                    deeper(meaning, "*".to_owned())
                }
            });
        }
        if let Some(target) = &call.target {
            self.end(target, known)?;
        }
        call.args.iter().try_for_each(|argument| self.end(argument, known))?;
        Ok(Meaning::Other)
    }

    /// A loop: its variable stands for an item of what it runs over.
    fn comprehension(&mut self, parts: &ComprehensionExpr, known: &Known) -> Result<(), BadExpression> {
        let over = self.visit(&parts.iter_range, known)?;
        self.note(&over, parts.iter_range.id)?;
        self.end(&parts.accu_init, known)?;
        let mut inner = known.clone();
        inner.insert(parts.iter_var.clone(), deeper(over, "*".to_owned()));
        if let Some(second) = &parts.iter_var2 {
            inner.insert(second.clone(), Meaning::Other);
        }
        inner.insert(parts.accu_var.clone(), Meaning::Other);
        for part in [&parts.loop_cond, &parts.loop_step, &parts.result] {
            self.end(part, &inner)?;
        }
        Ok(())
    }
}

fn deeper(meaning: Meaning, segment: String) -> Meaning {
    match meaning {
        Meaning::Record(variable, mut path) => {
            path.push(segment);
            Meaning::Record(variable, path)
        }
        Meaning::Change(mut path) => {
            path.push(segment);
            Meaning::Change(path)
        }
        Meaning::Other => Meaning::Other,
    }
}
