//! Reading the tree of a file without losing the place of anything.
//!
//! A [`Section`] is a table that knows which keys were asked for, so that at its end it can name the unknown ones. A
//! [`Node`] is one value; each `Node` method gives the value in the wanted type or notes a problem at its place and
//! gives nothing, so that reading goes on and all problems are told at once.

mod context;
mod node;

use std::ops::Range;
use std::str::FromStr;

pub(crate) use context::Context;
pub(crate) use node::Node;
use renmen_schema::{Text, text};
use toml::de::DeTable;

use crate::suggest;

/// One table of the file.
pub(crate) struct Section<'a> {
    context: &'a Context<'a>,
    table: &'a DeTable<'a>,
    key: String,
    span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub(crate) fn top(context: &'a Context<'a>, table: &'a DeTable<'a>) -> Self {
        Self::new(context, table, String::new(), 0..0)
    }

    pub(crate) fn new(context: &'a Context<'a>, table: &'a DeTable<'a>, key: String, span: Range<usize>) -> Self {
        Self { context, table, key, span, known: Vec::new() }
    }

    /// The context, for sections that resolve paths.
    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// A value that may be absent.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.known.push(name);
        self.nodes().find(|(key, _)| *key == name).map(|(_, node)| node)
    }

    /// A table that may be absent.
    pub(crate) fn table(&mut self, name: &'static str) -> Option<Section<'a>> {
        self.get(name)?.section()
    }

    /// A value that must be there; its absence is noted at the table's own place.
    pub(crate) fn require(&mut self, name: &'static str, help: Text) -> Option<Node<'a>> {
        let node = self.get(name);
        if node.is_none() {
            self.problem(text!("the key `{name}` is missing", "缺少配置项 `{name}`"), help);
        }
        node
    }

    /// All values of a table whose keys are names of one kind; a key that is not a valid name is noted as a problem.
    pub(crate) fn named<N>(self) -> Vec<(N, Node<'a>)>
    where
        N: FromStr,
        N::Err: std::fmt::Display,
    {
        let mut all = Vec::with_capacity(self.table.len());
        for (key, node) in self.nodes() {
            match key.parse::<N>() {
                Ok(name) => all.push((name, node)),
                Err(error) => node.problem_at_key(Text::rendered(|| error.to_string()), text!("rename it", "请改名")),
            }
        }
        all
    }

    /// Every key of this table, known or not.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let (context, prefix) = (self.context, self.key.clone());
        self.table.iter().map(move |(key, value)| {
            let name: &'a str = key.get_ref().as_ref();
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            (name, Node::new(context, value, path, key.span()))
        })
    }

    /// Notes a problem about the table as a whole.
    pub(crate) fn problem(&self, message: Text, help: Text) {
        self.context.note(self.span.clone(), &self.key, message, help);
    }

    /// Is there a key that was not asked for? Then what is missing was probably written under another name.
    pub(crate) fn has_unknown(&self) -> bool {
        self.nodes().any(|(key, _)| !self.known.contains(&key))
    }

    /// Ends the reading: what was never asked for is not known.
    pub(crate) fn finish(self) {
        for (key, node) in self.nodes() {
            if self.known.contains(&key) {
                continue;
            }
            let shown: String = key.chars().take(80).collect();
            let (message, help) = match suggest::nearest(key, &self.known) {
                Some(word) => (
                    text!(
                        "unknown key `{shown}`; did you mean `{word}`?",
                        "未知的配置项 `{shown}`；是否想写 `{word}`？"
                    ),
                    text!("write `{word}`", "请写 `{word}`"),
                ),
                None => (
                    text!("unknown key `{shown}`", "未知的配置项 `{shown}`"),
                    text!("take it out, or use one of: {}", "请删除，或使用其中之一：{}", self.known.join(", ")),
                ),
            };
            node.problem_at_key(message, help);
        }
    }
}
