//! What only the destinations know: whether there is such a place, such an action, such a key of its input, and which fields
//! must never reach it.

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Text, sensitivity, text};

use super::reader::note;
use super::{Defect, Definition, Delay, Target, Template};
use crate::catalogue::{Catalogue, DestinationEntry};
use crate::fields::Fields;

fn other_fields() -> Text {
    text!("use other fields, or another destination", "请使用其他字段，或其他目标")
}
fn custom_fields() -> Text {
    text!(
        "what custom fields hold is not known, so a connection with `withhold` or `scoring` gets none of them",
        "自定义字段的内容不可知，因此带 `withhold` 或 `scoring` 的连接不会收到任何自定义字段"
    )
}

impl Definition {
    /// Checks it against the destinations of its tenant.
    #[must_use]
    pub fn check(&self, catalogue: &Catalogue) -> Vec<Defect> {
        let mut defects = Vec::new();
        if let Some(action) = target(&self.to, "to", catalogue, &mut defects) {
            self.check_input(action.input_schema.as_ref(), &mut defects);
            action.input_schema.iter().for_each(|schema| self.check_input_types(schema, &mut defects));
        }
        if let Some(notice) = &self.on_failure {
            target(notice, "on_failure", catalogue, &mut defects);
        }
        if let Some(place) = catalogue.entry(&self.to.connection) {
            let withheld = place.withheld(self.when.entity);
            self.check_withheld(&withheld, &mut defects);
            self.check_with(place, &mut defects);
        }
        self.check_links(catalogue, &mut defects);
        defects
    }

    /// A destination that it names and that is off now: until it is there again, nothing of this can be checked or sent.
    #[must_use]
    pub fn waits_for<'c>(&self, catalogue: &'c Catalogue) -> Option<(&ConnectionName, &'c Text)> {
        let named = std::iter::once(&self.to).chain(&self.on_failure).map(|target| &target.connection);
        named.into_iter().find_map(|name| Some((name, catalogue.off(name)?)))
    }

    /// The keys of a map that is a table are known before anything is sent.
    fn check_input(&self, schema: Option<&serde_json::Value>, defects: &mut Vec<Defect>) {
        let (Some(schema), Template::Object(parts)) = (schema, &self.map) else { return };
        let Some(properties) = schema["properties"].as_object() else { return };
        let open = schema["additionalProperties"] != false;
        let known = || properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        for (name, _) in parts.iter().filter(|(name, _)| !open && !properties.contains_key(name)) {
            let message = text!("action `{}` takes no `{name}`", "动作 `{}` 没有参数 `{name}`", self.to.action);
            note(defects, &format!("map.{name}"), message, text!("it takes {}", "可用的参数为 {}", known()));
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        for name in required.filter(|name| !parts.iter().any(|(key, _)| key == name)) {
            let message = text!("action `{}` needs `{name}`", "动作 `{}` 需要 `{name}`", self.to.action);
            note(
                defects,
                "map",
                message,
                text!("add `{name}`; it takes {}", "请加上 `{name}`；可用的参数为 {}", known()),
            );
        }
        for (name, part) in parts {
            let words = properties.get(name).and_then(|property| property["enum"].as_array());
            check_words(&format!("map.{name}"), part, words, defects);
        }
    }

    /// Anyone who has a decision link can decide with it: there must be an address to make it from, and it must not be
    /// sent to the one that the decision is about.
    fn check_links(&self, catalogue: &Catalogue, defects: &mut Vec<Defect>) {
        let to = &self.to.connection;
        let judged = catalogue.entry(to).is_some_and(|place| place.is_source || place.scoring);
        let wrong = match catalogue.links() {
            None => (
                text!(
                    "`decision_link()` needs the address at which people reach this gateway",
                    "`decision_link()` 需要人员访问此网关的地址"
                ),
                text!(
                    "write `public_url = \"https://…\"` in [gateway]",
                    "请在 [gateway] 中写 `public_url = \"https://…\"`"
                ),
            ),
            Some(_) if judged => (
                text!(
                    "`decision_link()` would let connection `{to}` decide on its own results",
                    "`decision_link()` 会让连接 `{to}` 对自己的结果做决定"
                ),
                text!("send it to the person who decides, by chat or mail", "请用聊天消息或邮件发给做决定的人"),
            ),
            Some(_) => return,
        };
        self.map.each("map", &mut |key, expression| {
            if let Some(at) = expression.named().link {
                let (message, help) = (wrong.0.clone(), wrong.1.clone());
                defects.push(Defect { key: key.to_owned(), at: Some(at), message, help });
            }
        });
    }

    /// What is withheld from the destination anyway must not be asked for either: its answer would tell.
    fn check_withheld(&self, withheld: &Fields, defects: &mut Vec<Defect>) {
        let kind = self.when.entity;
        if let Some(condition) = &self.when.condition {
            for name in condition.named().fields.iter().filter(|name| within(kind, withheld, &name.path)) {
                let (message, help) = (self.withholds(&name.path), help(&name.path));
                defects.push(Defect { key: "when.if".to_owned(), at: name.at, message, help });
            }
        }
        if let Some(Delay::Field { pointer, .. }) = &self.delay {
            let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
            if within(kind, withheld, &path) {
                note(defects, "delay.field", self.withholds(&path), help(&path));
            }
        }
        self.check_fields(kind, withheld, &self.fields, "fields", defects);
    }

    fn withholds(&self, path: &[String]) -> Text {
        text!("`/{}` is withheld from connection `{}`", "`/{}` 不会发给连接 `{}`", path.join("/"), self.to.connection)
    }

    /// The same of the records that it refers to.
    fn check_with(&self, place: &DestinationEntry, defects: &mut Vec<Defect>) {
        for one in &self.with {
            let key = format!("with.{}.fields", one.name);
            self.check_fields(one.kind, &place.withheld(one.kind), &one.fields, &key, defects);
        }
    }

    fn check_fields(&self, kind: EntityKind, withheld: &Fields, fields: &Fields, key: &str, defects: &mut Vec<Defect>) {
        for (number, pattern) in fields.iter().enumerate().filter(|(_, pattern)| within(kind, withheld, pattern)) {
            note(defects, &format!("{key}[{number}]"), self.withholds(pattern), help(pattern));
        }
    }
}

/// Of a key that takes certain words, such as the name of a message, those that stand in the map are known before anything is sent.
fn check_words(key: &str, part: &Template, words: Option<&Vec<serde_json::Value>>, defects: &mut Vec<Defect>) {
    let (Some(words), Template::Expression(expression)) = (words, part) else { return };
    let known = || words.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ");
    for text in expression.texts().iter().filter(|text| !words.iter().any(|word| word == text.as_str())) {
        let shown: String = text.chars().take(80).collect();
        note(
            defects,
            key,
            text!("there is no `{shown}`", "没有 `{shown}`"),
            text!("there are {}", "可用的为 {}", known()),
        );
    }
}

fn help(path: &[String]) -> Text {
    if path.first().is_some_and(|first| first == "ext") { custom_fields() } else { other_fields() }
}

/// Is a place withheld as a whole, or a part of what is?
fn within(kind: EntityKind, withheld: &Fields, path: &[String]) -> bool {
    let covered = |path: &[&str]| {
        withheld.iter().any(|pattern| {
            pattern.len() <= path.len() && pattern.iter().zip(path).all(|(one, other)| one == other || one == "*")
        })
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let leaves = sensitivity(kind).keys().map(|leaf| leaf.split('/').skip(1).collect::<Vec<_>>());
    let mut below = leaves
        .filter(|leaf| leaf.len() >= path.len() && leaf.iter().zip(&path).all(|(l, p)| l == p || *l == "*"))
        .peekable();
    covered(&path) || (below.peek().is_some() && below.all(|leaf| covered(&leaf)))
}

pub(crate) fn target<'c>(
    target: &Target,
    key: &str,
    catalogue: &'c Catalogue,
    defects: &mut Vec<Defect>,
) -> Option<&'c crate::ActionInfo> {
    let Some(place) = catalogue.entry(&target.connection) else {
        if let Some(reason) = catalogue.off(&target.connection) {
            let message = text!("connection `{}` is off: {reason}", "连接 `{}` 已停用：{reason}", target.connection);
            note(
                defects,
                &format!("{key}.connection"),
                message,
                text!("the flow waits, and goes on from its place when it is on", "流程会等待，连接启用后从原位置继续"),
            );
            return None;
        }
        let known = catalogue.names().collect::<Vec<_>>().join(", ");
        let message = text!("no connection `{}` accepts actions", "没有可执行动作的连接 `{}`", target.connection);
        let help = if known.is_empty() {
            text!("none of them does", "没有任何连接可执行动作")
        } else {
            text!("there are {known}", "可用的为 {known}")
        };
        note(defects, &format!("{key}.connection"), message, help);
        return None;
    };
    let action = place.actions.get(&target.action);
    if action.is_none() {
        let shown: String = target.action.chars().take(80).collect();
        let message =
            text!("connection `{}` has no action `{shown}`", "连接 `{}` 没有动作 `{shown}`", target.connection);
        let known = place.actions.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        note(defects, &format!("{key}.action"), message, text!("it has {known}", "可用的为 {known}"));
    }
    action
}
