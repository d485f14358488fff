//! `[identity]`: which records are one person or one organisational unit, by which rules, and which source's value is preferred.

use std::collections::BTreeMap;
use std::time::Duration;

use renmen_identity::{Choice, Counts, Day, RULES_MAX, Rule, Rules, Scheme, Survivorship};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};

use crate::limits::within_range;
use crate::section::{Node, Section};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Short names, and days that stand for an unknown one, in one file.
const WORDS_MAX: usize = 1_000;

/// What a rule is good for, by its word.
pub(crate) const COUNTS: [(&str, Counts); 4] = [
    ("alone", Counts::Alone),
    ("with_name", Counts::WithName),
    ("suggests", Counts::Suggests),
    ("supports", Counts::Supports),
];

/// How the gateway finds out who is one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// `enabled`: persons and units are kept. Default true.
    pub enabled: bool,
    /// `tenants_off`: not for these tenants. Default none.
    pub tenants_off: Vec<TenantId>,
    /// `history`: how long links are kept that ended. Default `366d`.
    pub history: Duration,
    /// `takeover_after`: of gateways that share a database one works on the identities of a tenant; after it showed no sign of life for this
    /// long, another works on in its place. Default `15s`.
    pub takeover_after: Duration,
    /// The rules, with all that they compare by.
    pub rules: Rules,
    /// `prefer`: which source's value is preferred, by field.
    pub prefer: Survivorship,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            enabled: true,
            tenants_off: Vec::new(),
            history: 366 * DAY,
            takeover_after: 15 * SECOND,
            rules: Rules::default(),
            prefer: Survivorship::default(),
        }
    }
}

impl Identity {
    /// Are the persons of this tenant kept?
    #[must_use]
    pub fn keeps(&self, tenant: &TenantId) -> bool {
        self.enabled && !self.tenants_off.contains(tenant)
    }

    pub(crate) fn read(section: Option<Section<'_>>) -> Self {
        let mut identity = Self::default();
        let Some(mut section) = section else { return identity };
        if let Some(enabled) = section.get("enabled").and_then(|node| node.flag()) {
            identity.enabled = enabled;
        }
        let tenants = section.get("tenants_off").and_then(|node| node.list()).unwrap_or_default();
        identity.tenants_off = tenants.iter().filter_map(Node::named).collect();
        for (key, least, most, place) in [
            ("history", DAY, 3_660 * DAY, &mut identity.history),
            ("takeover_after", 4 * SECOND, 10 * MINUTE, &mut identity.takeover_after),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::duration(&node, least, most)) {
                *place = read;
            }
        }
        read_numbers(&mut section, &mut identity.rules);
        read_lists(&mut section, &mut identity.rules);
        if let Some(names) = section.table("names") {
            read_names(names, &mut identity.rules);
        }
        if let Some(prefer) = section.table("prefer") {
            identity.prefer = read_prefer(&prefer);
        }
        let rules = section.table("rules");
        if let Some(rules) = &rules {
            read_rules(rules, &mut identity.rules);
        }
        for (name, why) in identity.rules.faults() {
            tell(&section, rules.as_ref(), name, why);
        }
        section.finish();
        identity
    }
}

/// At the rule that it is about, or at the section.
fn tell(section: &Section<'_>, rules: Option<&Section<'_>>, name: Option<&str>, why: Text) {
    let help = text!("change one of the two", "请修改其中之一");
    let at = name.and_then(|name| rules?.nodes().find(|(key, _)| *key == name));
    match at {
        Some((_, node)) => node.problem_at_key(why, help),
        None => section.problem(why, help),
    }
}

fn read_numbers(section: &mut Section<'_>, rules: &mut Rules) {
    for (key, place) in [("link_at", &mut rules.link_at), ("propose_at", &mut rules.propose_at)] {
        if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, 1_u16, 10_000)) {
            *place = read;
        }
    }
    for (key, (least, most), place) in
        [("component_max", (2_u32, 2_000), &mut rules.component_max), ("holders_max", (2, 500), &mut rules.holders_max)]
    {
        if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, least, most)) {
            *place = read as usize;
        }
    }
    if let Some(read) = section.get("values_max").and_then(|node| within_range::count(&node, 4_u8, 200)) {
        rules.values_max = read;
    }
}

fn read_lists(section: &mut Section<'_>, rules: &mut Rules) {
    for (of, node) in section.table("one_each").map(Section::named::<ConnectionName>).unwrap_or_default() {
        for entity in node.list().unwrap_or_default() {
            let kinds = ["person", "employee", "candidate", "org_unit"];
            let known = |text: &str| {
                let found = kinds.contains(&text).then(|| text.to_owned());
                found
                    .ok_or_else(|| text!("is not a kind of record of a person or unit", "不是人员或组织单位的记录类型"))
            };
            let help = text!("write one of: {}", "请写其中之一：{}", kinds.join(", "));
            rules.one_each.extend(entity.parsed(known, help).map(|entity| (of.to_string(), entity)));
        }
    }
    rules.one_each.sort();
    if let Some(days) = section.get("unknown_birth_dates") {
        let read = |node: &Node<'_>| {
            let day = |text: &str| Day::parse(text).ok_or_else(|| text!("is not a date", "不是日期"));
            node.parsed(day, text!("write it as 1900-01-01", "请写作 1900-01-01"))
        };
        rules.unknown_birth_dates = few(&days).iter().filter_map(read).collect();
    }
    let Some(short) = section.get("short_names") else { return };
    let Some(table) = short.section() else { return };
    for (count, (name, node)) in table.nodes().enumerate() {
        if count == WORDS_MAX {
            too_many(&node);
            return;
        }
        let full = node.filled().map(|text| text.value.to_lowercase());
        rules.short_names.extend(full.map(|full| (name.to_lowercase(), full)));
    }
}

fn few<'a>(list: &Node<'a>) -> Vec<Node<'a>> {
    let mut items = list.list().unwrap_or_default();
    if items.len() > WORDS_MAX {
        too_many(list);
        items.truncate(WORDS_MAX);
    }
    items
}

fn too_many(node: &Node<'_>) {
    node.problem(text!("more than {WORDS_MAX} of them", "超过 {WORDS_MAX} 个"), text!("leave some out", "请减少"));
}

fn read_names(mut section: Section<'_>, rules: &mut Rules) {
    let weights = &mut rules.names;
    for (key, place) in [("same", &mut weights.same), ("near", &mut weights.near), ("partly", &mut weights.partly)] {
        if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, 0_u16, 10_000)) {
            *place = read.cast_signed();
        }
    }
    if let Some(read) = section.get("different").and_then(|node| within_range::count(&node, 0_u16, 10_000)) {
        weights.different = -read.cast_signed();
    }
    section.finish();
}

fn read_prefer(section: &Section<'_>) -> Survivorship {
    let mut prefer = Survivorship::default();
    for (field, node) in section.nodes() {
        let Some(choice) = choice(&node) else { continue };
        if field == "default" {
            prefer.default = choice;
        } else {
            prefer.fields.insert(field.to_owned(), choice);
        }
    }
    prefer
}

fn choice(node: &Node<'_>) -> Option<Choice> {
    if let Some(list) = node.as_list() {
        let names: BTreeMap<usize, ConnectionName> =
            list.iter().enumerate().filter_map(|(at, node)| Some((at, node.named()?))).collect();
        return Some(Choice::Order(names.values().map(ToString::to_string).collect()));
    }
    let word = |text: &str| match text {
        "latest" => Ok(Choice::Latest),
        "most_agreed" => Ok(Choice::MostAgreed),
        _ => Err(text!("is not a way to choose", "不是选择方式")),
    };
    let help = text!(
        "write `latest`, `most_agreed`, or a list of connections, the first one first",
        "请写 `latest`、`most_agreed`，或按优先次序列出连接"
    );
    node.parsed(word, help)
}

/// A rule with the name of a built-in one changes that; any other is added.
fn read_rules(section: &Section<'_>, rules: &mut Rules) {
    for (name, node) in section.nodes() {
        if name.is_empty() || name.len() > 63 {
            node.problem_at_key(
                text!("a rule's name has 1 to 63 bytes", "规则名为 1 到 63 字节"),
                text!("give it a shorter name", "请取更短的名称"),
            );
            continue;
        }
        let Some(rule) = node.section() else { continue };
        let at = rules.rules.iter().position(|rule| rule.name == name);
        if at.is_none() && rules.rules.len() == RULES_MAX {
            node.problem(
                text!("more than {RULES_MAX} rules", "规则超过 {RULES_MAX} 条"),
                text!("leave some out", "请减少"),
            );
            return;
        }
        match read_rule(name, rule, at.map(|at| rules.rules[at].clone())) {
            Read::Off => rules.rules.retain(|rule| rule.name != name),
            Read::Rule(rule) => match at {
                Some(at) => rules.rules[at] = rule,
                None => rules.rules.push(rule),
            },
            Read::Nothing => {}
        }
    }
}

/// What a rule's table says.
enum Read {
    Rule(Rule),
    Off,
    /// It has a problem.
    Nothing,
}

fn read_rule(name: &str, mut section: Section<'_>, known: Option<Rule>) -> Read {
    let schemes = || Scheme::ALL.map(|(_, name)| name).join(", ");
    let scheme = section.get("scheme");
    let scheme = match &scheme {
        Some(node) => node.parsed(
            |text| Scheme::from_name(text).ok_or_else(|| text!("is not a scheme", "不是比较方式")),
            text!("write one of: {}", "请写其中之一：{}", schemes()),
        ),
        None => known.as_ref().map(|rule| rule.scheme),
    };
    let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
    let weight = section.get("weight").and_then(|node| within_range::count(&node, 0_u16, 10_000));
    let counts = section.get("counts").and_then(|node| {
        let word = |text: &str| COUNTS.iter().find(|(word, _)| *word == text).map(|(_, counts)| *counts);
        node.parsed(
            |text| word(text).ok_or_else(|| text!("is not what a rule is good for", "不是规则的效力")),
            text!("write one of: {}", "请写其中之一：{}", COUNTS.map(|(word, _)| word).join(", ")),
        )
    });
    let people_max = section.get("names_max").and_then(|node| within_range::count(&node, 1_u16, 500));
    let among = section.get("among").map(|node| {
        node.list()
            .unwrap_or_default()
            .iter()
            .filter_map(Node::named::<ConnectionName>)
            .map(|name| name.to_string())
            .collect()
    });
    if scheme.is_none() && !section.has_unknown() {
        section.problem(
            text!("what the rule `{name}` compares is not said", "未说明规则 `{name}` 比较什么"),
            text!("write `scheme`: {}", "请写 `scheme`：{}", schemes()),
        );
    }
    section.finish();
    let Some(scheme) = scheme else { return Read::Nothing };
    if !enabled {
        return Read::Off;
    }
    let built_in = Rules::default().rules.into_iter().find(|rule| rule.scheme == scheme);
    let Some(mut rule) = known.filter(|rule| rule.scheme == scheme).or(built_in) else { return Read::Nothing };
    name.clone_into(&mut rule.name);
    rule.weight = weight.unwrap_or(rule.weight);
    rule.counts = counts.unwrap_or(rule.counts);
    rule.people_max = people_max.unwrap_or(rule.people_max);
    rule.among = among.unwrap_or(rule.among);
    Read::Rule(rule)
}
