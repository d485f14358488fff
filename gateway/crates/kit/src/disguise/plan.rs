//! Which places of the vendor's answers are a person's: learned from what the connector made of them.
//!
//! A vendor's field is as sensitive as the canonical field that the manifest's lineage makes of it. A field that the
//! connector passes over is judged by its key, and a text in it that reads like a name or a sentence counts as a
//! person's too: keeping too little costs an author nothing, but keeping too much exposes a person.
//!
//! Ids of people are learned from records, from references to people who are on no page, and from staff numbers. An id is changed
//! wherever it stands, so that references still lead where they led; one that is too short for that stays everywhere.

use std::collections::{BTreeMap, HashMap, HashSet};

use renmen_plugin_host::Page;
use renmen_schema::manifest::{LineageRule, Manifest};
use renmen_schema::{EntityKind, Sensitivity, class_of};
use serde_json::Value;

use super::pattern::Kind;
use super::pointer_pattern::pattern_of;
use super::whose::{References, is_number};
use crate::trial::{covers, walk};

/// The class of a place; for a reference to a person, that of the id in it: what else it can hold does not make the id
/// a value.
fn class_of_id(kind: EntityKind, to: &str, refers: bool) -> Option<Sensitivity> {
    let id = ["/external/value", "/*/external/value"].into_iter().filter(|_| refers);
    id.into_iter().find_map(|below| class_of(kind, &format!("{to}{below}"))).or_else(|| class_of(kind, to))
}

/// Words in the keys of fields that hold what is a person's.
const PERSONAL_KEYS: [&str; 31] = [
    "name",
    "mobile",
    "phone",
    "tel",
    "mail",
    "address",
    "birth",
    "idcard",
    "idno",
    "identity",
    "passport",
    "bank",
    "account",
    "salary",
    "wechat",
    "weixin",
    "qq",
    "avatar",
    "photo",
    "portrait",
    "emergency",
    "contact",
    "family",
    "spouse",
    "nation",
    "religion",
    "marital",
    "health",
    "gender",
    "remark",
    "comment",
];
/// Keys with these endings name things and not people, no matter what else is in them.
const THING_KEYS: [&str; 6] = ["deptname", "departmentname", "orgname", "companyname", "fieldname", "groupname"];
/// Keys whose value is a credential. Compared without case, hyphens and underscores.
pub(super) const SECRET_KEYS: [&str; 12] = [
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "sessiontoken",
    "password",
    "passwd",
    "secret",
    "clientsecret",
    "appsecret",
    "apikey",
    "authorization",
    "privatekey",
];

/// What is done with a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, but for what its form gives away.
    Stay,
    /// It becomes a made-up value.
    Change(Kind),
    /// It is a credential.
    Strike,
}

/// What was learned.
#[derive(Default)]
pub(super) struct Plan {
    /// Path of the URL, then the patterns of records in its answers: `/data/*`.
    records: HashMap<String, Vec<String>>,
    /// Pattern within a record, by entity rules: the sensitivity class that the canonical side has.
    fields: BTreeMap<String, Class>,
    /// Values that are a person's wherever they stand.
    pub(super) values: BTreeMap<String, Kind>,
    /// Pattern within a record of what becomes a reference to a person; whether nothing else goes into that reference.
    referring: BTreeMap<String, bool>,
    /// Ids of people that are too short to be looked for.
    short_ids: HashSet<String>,
    references: References,
}

#[derive(Debug, Clone, Copy)]
struct Class {
    personal: bool,
    is_name: bool,
    /// A word out of a closed set: the mapping is tested with it, and without its person it says nothing.
    coded: bool,
    /// A staff number.
    is_number: bool,
}

impl Plan {
    pub(super) fn learn(&mut self, page: &Page, manifest: &Manifest) {
        let origins = page.records.iter().map(|record| (record.exchange, &record.pointer));
        let rejects = page.rejects.iter().map(|reject| (reject.exchange, &reject.pointer));
        for (exchange, pointer) in origins.chain(rejects) {
            let Some(exchange) = page.exchanges.get(exchange as usize) else { continue };
            let patterns = self.records.entry(path_of(&exchange.url).to_owned()).or_default();
            let pattern = pattern_of(pointer);
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        for record in &page.records {
            self.learn_id(&record.external_id);
            let Some(kind) = EntityKind::from_name(&record.entity) else { continue };
            let Ok(canonical) = serde_json::from_slice::<Value>(&record.payload) else { continue };
            self.learn_fields(kind, &canonical, manifest);
            walk(&canonical, &mut String::new(), &mut |pointer, value| self.learn_leaf(kind, pointer, value));
        }
        for reject in &page.rejects {
            reject.external_id.iter().for_each(|id| self.learn_id(id));
        }
        self.learn_rows(page);
    }

    /// A leaf of a canonical record.
    fn learn_leaf(&mut self, kind: EntityKind, pointer: &str, value: &Value) {
        let text = value.as_str().unwrap_or_default();
        // A key is an address, a telephone number, or as good as an id.
        let is_address = pointer.ends_with("/key/value") && (text.contains('@') || text.starts_with('+'));
        let refers = !is_address && self.references.leads_to_somebody(kind, pointer);
        if refers {
            self.learn_id(text);
        }
        if is_number(kind, pointer) && is_telling(text) {
            self.learn_id(text);
        }
        let coded = pointer.ends_with("/code") || pointer.ends_with("/raw");
        let is_key = refers && pointer.ends_with("/key/value");
        if !coded && !is_key && class_of(kind, pointer).is_some_and(|class| class >= Sensitivity::Personal) {
            self.learn_value(text, pointer.contains("/names/"));
        }
    }

    /// The vendor's own writing of a reference. The canonical one may be put together of several fields, and a row that was
    /// refused has none.
    fn learn_rows(&mut self, page: &Page) {
        if self.referring.is_empty() {
            return;
        }
        let records = page.records.iter().map(|record| (record.exchange, &record.pointer));
        let rejects = page.rejects.iter().map(|reject| (reject.exchange, &reject.pointer));
        let mut bodies: HashMap<u32, Value> = HashMap::new();
        for (exchange, pointer) in records.chain(rejects) {
            let Some(found) = page.exchanges.get(exchange as usize) else { continue };
            let body = bodies
                .entry(exchange)
                .or_insert_with(|| serde_json::from_slice(&found.response.body).unwrap_or_default());
            let Some(row) = body.pointer(pointer) else { continue };
            walk(row, &mut String::new(), &mut |pointer, value| self.learn_referring(pointer, value));
        }
    }

    /// A leaf of a vendor's row.
    fn learn_referring(&mut self, pointer: &str, value: &Value) {
        let pattern = pattern_of(pointer);
        let listed = pattern.strip_suffix("/*").and_then(|list| self.referring.get(list));
        let Some(alone) = self.referring.get(&pattern).or(listed).copied() else { return };
        let Some(id) = id_of(value) else { return };
        // Of several fields one may be a word, as the kind of an id: only what is a part of a known id is one.
        if alone || self.values.keys().any(|known| known.contains(&id)) {
            self.learn_id(&id);
        }
    }

    fn learn_fields(&mut self, kind: EntityKind, canonical: &Value, manifest: &Manifest) {
        let Some(rules) = manifest.lineage.get(kind.name()) else { return };
        for (to, rule) in rules {
            let (LineageRule::From(from) | LineageRule::Transformed { from, .. }) = rule;
            let value = canonical.pointer(to);
            let is_number = is_number(kind, to);
            let refers = self.references.leads_to_somebody(kind, to);
            let class = Class {
                personal: is_number
                    || class_of_id(kind, to, refers).is_some_and(|class| class >= Sensitivity::Personal),
                is_name: to.contains("/names"),
                coded: value.is_some_and(|value| value.get("code").is_some()) || to.ends_with("/code"),
                is_number,
            };
            for from_one in from.split(' ') {
                if refers {
                    *self.referring.entry(pattern_of(from_one)).or_default() |= from_one == from;
                }
                let known = self.fields.entry(pattern_of(from_one)).or_insert(class);
                // One vendor field may become several of ours: the strictest counts.
                known.personal |= class.personal;
                known.is_name |= class.is_name;
                known.coded &= class.coded || !class.personal;
                known.is_number |= class.is_number;
            }
        }
    }

    fn learn_value(&mut self, text: &str, is_name: bool) {
        let long_enough = if text.is_ascii() { text.len() >= 4 } else { text.chars().count() >= 2 };
        let a_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() < 8;
        if long_enough && !a_number {
            let kind = kind_of(text, is_name);
            self.values.insert(text.to_owned(), kind);
            // A name in another order or with its words apart.
            if kind == Kind::Name {
                for word in text.split(' ').filter(|word| word.len() >= 4 && word.len() < text.len()) {
                    self.values.entry(word.to_owned()).or_insert(Kind::Name);
                }
            }
        }
    }

    /// Ids are often made of names or staff numbers.
    fn learn_id(&mut self, id: &str) {
        if is_telling(id) {
            // A number stays any number: of those that are made up for phones there are too few for ids.
            let kind = if kind_of(id, false) == Kind::Email { Kind::Email } else { Kind::Other };
            self.values.entry(id.to_owned()).or_insert(kind);
        } else {
            self.short_ids.insert(id.to_owned());
        }
    }

    /// What is done with the leaf at a pointer of the answer of a URL.
    pub(super) fn fate(&self, url: &str, pointer: &str, value: &Value) -> Fate {
        let key = pointer.rsplit('/').find(|part| part.parse::<u32>().is_err()).unwrap_or_default();
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if SECRET_KEYS.contains(&key.as_str()) {
            return Fate::Strike;
        }
        let pattern = pattern_of(pointer);
        let records = self.records.get(path_of(url)).map(Vec::as_slice).unwrap_or_default();
        let record = records.iter().filter(|record| covers(record, &pattern)).max_by_key(|record| record.len());
        let Some(record) = record else { return Fate::Stay };
        let within = &pattern[record.len()..];
        let text = value.as_str().unwrap_or_default();
        if is_code(text) {
            return Fate::Stay;
        }
        if let Some(class) = self.fields.get(within) {
            return match class {
                Class { personal: false, .. } | Class { coded: true, .. } => Fate::Stay,
                // Where the staff number is the id too, it must become what the id becomes, in all places or in none.
                Class { is_number: true, .. } if self.is_id(value) => Fate::Stay,
                Class { is_name, .. } => Fate::Change(kind_of(text, *is_name)),
            };
        }
        let thing = THING_KEYS.iter().any(|end| key.ends_with(end));
        // The amount of a salary and the street of an address: what it is in counts as well.
        let around = within.to_ascii_lowercase().replace(['_', '-'], "");
        let personal = !thing && PERSONAL_KEYS.iter().any(|word| around.contains(word));
        let prose = text.contains(' ') && text.chars().any(char::is_alphabetic) || text.chars().any(is_sign);
        // A yes or no is not personal; and a credential, a name or an address is never a yes or no.
        match (value, personal, prose && !self.below_a_rule(within)) {
            (Value::Bool(_) | Value::Null, _, _) | (_, false, false) => Fate::Stay,
            _ => Fate::Change(kind_of(text, key.contains("name"))),
        }
    }

    fn is_id(&self, value: &Value) -> bool {
        id_of(value).is_some_and(|id| self.values.contains_key(&id) || self.short_ids.contains(&id))
    }

    /// A rule that names a whole list or object says nothing of a single leaf in it; what is in it reaches the connector.
    fn below_a_rule(&self, within: &str) -> bool {
        self.fields.keys().any(|rule| covers(rule, within))
    }
}

/// Small numbers and short words stay: they say nothing and stand everywhere.
fn is_telling(id: &str) -> bool {
    let letters = id.bytes().any(|b| b.is_ascii_alphabetic());
    (letters && id.len() >= 4) || id.len() >= 6
}

/// An id as a vendor writes it: a text or a number.
fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn kind_of(text: &str, is_name: bool) -> Kind {
    match super::pattern::find(text).as_slice() {
        [(range, kind)] if range.len() == text.len() => *kind,
        _ if is_name => Kind::Name,
        _ => Kind::Other,
    }
}

/// A currency or a country: what is tested is that it is read, and it says nothing of a single person.
fn is_code(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_sign(c: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&c)
}

/// The URL without its query.
fn path_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
