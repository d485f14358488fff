//! Partition routers as `for_each` of `mapping.toml`, or as several lists where the partitions are constants.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::jinja::pointer;
use super::left::Lefts;
use super::translate::{Partition, Scope, text};
use super::yaml::{Kind, Node};

/// Lists that constant partitions may make of one.
const LISTS_MAX: usize = 20;

/// For what a list is read once each.
#[derive(Debug, Default)]
pub(super) struct Router {
    /// `for_each` without a parent stream.
    pub(super) for_each: Option<Value>,
    /// The parent stream as the manifest has it, and its name.
    pub(super) parent: Option<(String, Node)>,
    /// What the names of partitions stand for; one of these for each list.
    pub(super) lists: Vec<BTreeMap<String, Partition>>,
    /// Values that go where options say: option, partition field.
    pub(super) inject: Vec<(Node, String)>,
    /// Keys of the configuration that are named.
    pub(super) config: Vec<String>,
    /// Why it cannot be read.
    pub(super) blocked: Option<String>,
}

impl Router {
    pub(super) fn of(router: Option<&Node>, scope: &Scope<'_>, left: &mut Lefts) -> Self {
        let mut read = Self { lists: vec![BTreeMap::new()], ..Self::default() };
        let Some(router) = router else { return read };
        let all: Vec<&Node> = match &router.kind {
            Kind::List(items) => items.iter().collect(),
            _ => vec![router],
        };
        for one in all {
            match one.component() {
                "SubstreamPartitionRouter" => read.parents(one, left),
                "ListPartitionRouter" => read.values(one, scope, left),
                other => read.block(one, other, format!("no list is read once for each of what {other} gives"), left),
            }
        }
        read
    }

    fn block(&mut self, node: &Node, what: &str, why: String, left: &mut Lefts) {
        left.add(node, what, &why);
        self.blocked.get_or_insert(why);
    }

    fn parents(&mut self, router: &Node, left: &mut Lefts) {
        let configs = router.get("parent_stream_configs").map(Node::items).unwrap_or_default();
        let [config] = configs else {
            let why = format!("{} parents: a list has one", configs.len());
            return self.block(router, "parent_stream_configs", why, left);
        };
        let Some(stream) = config.get("stream") else {
            return self.block(config, "ParentStreamConfig", "without a stream".to_owned(), left);
        };
        if self.for_each.is_some() || self.parent.is_some() {
            let why = "the product of two lists of parents: a list has one".to_owned();
            return self.block(router, "partition_router", why, left);
        }
        for extra in ["lazy_read_pointer", "global_substream_cursor"] {
            if let Some(extra) = config.get(extra).or_else(|| router.get(extra)).filter(|extra| !extra.is_falsy()) {
                left.add(extra, "ParentStreamConfig", "the parents are asked for as they are listed");
            }
        }
        let key = config.word("parent_key").unwrap_or("id");
        let field = config.word("partition_field").unwrap_or(key).to_owned();
        let steps: Vec<String> = key.split('/').map(str::to_owned).collect();
        let name = stream.word("name").unwrap_or_default().to_owned();
        self.parent = Some((name, stream.clone()));
        let place = Partition::Place(format!("parent{}", pointer(&steps)));
        self.lists.iter_mut().for_each(|list| drop(list.insert(field.clone(), place.clone())));
        self.option(config.get("request_option"), &field);
    }

    fn values(&mut self, router: &Node, scope: &Scope<'_>, left: &mut Lefts) {
        let field = router.word("cursor_field").unwrap_or_default().to_owned();
        self.option(router.get("request_option"), &field);
        let Some(values) = router.get("values") else { return };
        let constants: Vec<String> = values.items().iter().filter_map(Node::scalar).collect();
        if !constants.is_empty() && constants.iter().all(|value| !value.contains("{{")) {
            if constants.len() * self.lists.len() > LISTS_MAX {
                let why = format!("over {LISTS_MAX} lists of one stream");
                return self.block(router, "ListPartitionRouter", why, left);
            }
            let each = |list: &BTreeMap<String, Partition>| {
                let with = |value: &String| {
                    let mut list = list.clone();
                    list.insert(field.clone(), Partition::Constant(value.clone()));
                    list
                };
                constants.iter().map(with).collect::<Vec<_>>()
            };
            self.lists = self.lists.iter().flat_map(each).collect();
            return;
        }
        if self.for_each.is_some() || self.parent.is_some() {
            let why = "the product of two lists: a list is read once for each of one".to_owned();
            return self.block(router, "partition_router", why, left);
        }
        match values.text().map(|raw| text(raw, scope)) {
            Some(Ok(translated)) if !translated.is_constant() && translated.text.is_some() => {
                self.config.extend(translated.config);
                self.for_each = Some(json!({ "list": translated.text }));
                let place = Partition::Place("parent".to_owned());
                self.lists.iter_mut().for_each(|list| drop(list.insert(field.clone(), place.clone())));
            }
            Some(Err(why)) => self.block(values, "ListPartitionRouter", format!("{why} has no counterpart"), left),
            _ => self.block(values, "ListPartitionRouter", "values that are neither a list nor a key".to_owned(), left),
        }
    }

    fn option(&mut self, option: Option<&Node>, field: &str) {
        self.inject.extend(option.map(|option| (option.clone(), field.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::yaml::read;
    use super::*;

    fn router(text: &str) -> (Router, usize) {
        let mut left = Lefts::default();
        let router = Router::of(Some(&read(text).unwrap()), &Scope::default(), &mut left);
        (router, left.sorted().len())
    }

    const PARENT: &str = "{ type: SubstreamPartitionRouter, parent_stream_configs: [ { parent_key: data/id, partition_field: job, stream: { name: jobs }, request_option: { inject_into: request_parameter, field_name: job_id } } ] }";

    #[test]
    fn parents_and_lists_become_for_each_and_constants_become_lists() {
        let (read, left) = router(&format!("[{PARENT}]"));
        assert_eq!((read.parent.unwrap().0.as_str(), left), ("jobs", 0));
        assert_eq!(read.lists[0]["job"], Partition::Place("parent/data/id".to_owned()));
        assert_eq!(read.inject[0].1, "job");
        let (read, _) = router("{ type: ListPartitionRouter, values: '{{ config.boards }}', cursor_field: board }");
        assert_eq!(read.for_each, Some(json!({ "list": "{config/boards}" })));
        let (read, _) = router("{ type: ListPartitionRouter, values: [true, false], cursor_field: live }");
        assert_eq!(
            read.lists.iter().map(|list| list["live"].clone()).collect::<Vec<_>>(),
            ["True", "False"].map(|text| Partition::Constant(text.to_owned()))
        );
        assert_eq!(router("[]").0.lists.len(), 1);
    }

    #[test]
    fn what_has_no_counterpart_stops_and_is_told() {
        let list = "{ type: ListPartitionRouter, values: '{{ config.boards }}', cursor_field: board }";
        for text in [
            format!("[{PARENT}, {list}]"),
            "{ type: SubstreamPartitionRouter, parent_stream_configs: [] }".to_owned(),
            "{ type: GroupingPartitionRouter }".to_owned(),
            "{ type: ListPartitionRouter, values: '{{ last_record }}' }".to_owned(),
            format!("{{ type: ListPartitionRouter, values: [{}] }}", vec!["a"; LISTS_MAX + 1].join(",")),
        ] {
            let (read, left) = router(&text);
            assert!(read.blocked.is_some() && left == 1, "{text}");
        }
        let most = format!("{{ type: ListPartitionRouter, values: [{}] }}", vec!["a"; LISTS_MAX].join(","));
        assert_eq!(router(&most).0.blocked, None);
    }
}
