//! What of a record counts: its keys, its claims and its names.

use renmen_schema::{Text, text};

use crate::digest::Digests;
use crate::id::{Day, Span};
use crate::mask;
use crate::name::{NameForm, Names};
use crate::normal;
use crate::rules::{Counts, Rules, Scheme};

/// A value by a rule: records with the same one agree by that rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which rule, by its number from 0.
    pub rule: u8,
    /// The value, as a keyed hash.
    pub digest: u64,
}

/// What one person has only one of at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A staff number in one system.
    StaffNumber,
    /// An identity document of a kind that is given once.
    NationalId,
    /// A day of birth.
    BirthDate,
    /// A record in a system that has one for each.
    OneEach,
}

impl ClaimKind {
    /// What two records that cannot be one differ in.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::StaffNumber => {
                text!("two staff numbers that are valid at the same time in one system", "同一系统中同时有效的两个工号")
            }
            Self::NationalId => text!("two identity documents of one kind", "两个同类证件号码"),
            Self::BirthDate => text!("two dates of birth", "两个出生日期"),
            Self::OneEach => {
                text!(
                    "two records of a system that has one for each person",
                    "同一系统中的两条记录，而该系统每人只有一条"
                )
            }
        }
    }
}

/// A value of which one person has only one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// What two claims must have in common to contradict each other.
    pub(crate) family: u64,
    pub(crate) value: u64,
    pub(crate) span: Span,
    /// What it is.
    pub kind: ClaimKind,
}

/// What of one record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Of connection, entity and external id: an order of records that no arrival changes.
    pub source: u64,
    /// Of connection and entity.
    pub place: u32,
    /// Sorted, each once.
    pub(crate) keys: Box<[Key]>,
    /// Sorted, each once.
    pub(crate) claims: Box<[Claim]>,
    pub(crate) names: Box<[NameForm]>,
    /// Values that do not count because the record has more of them than [`Rules::values_max`].
    pub left_out: u16,
    /// Values that have no form in which they could be compared, such as a telephone number without its country.
    pub unusable: u16,
}

impl Facts {
    /// Its keys: what a store keeps to find the holders of a key.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Its first name as a hash; 0 without one.
    #[must_use]
    pub fn name(&self) -> u64 {
        self.names.first().map_or(0, |form| form.whole)
    }
}

/// Collects the facts of one record.
pub struct Collector<'a> {
    rules: &'a Rules,
    digests: &'a Digests,
    connection: &'a str,
    entity: &'a str,
    source: u64,
    keys: Vec<Key>,
    claims: Vec<Claim>,
    names: Names<'a>,
    birth: Option<Day>,
    left_out: u16,
    unusable: u16,
    shown: Vec<(Key, String)>,
    shows: bool,
}

impl<'a> Collector<'a> {
    /// Of the record that its connection knows by this id.
    #[must_use]
    pub fn new(
        rules: &'a Rules,
        digests: &'a Digests,
        connection: &'a str,
        entity: &'a str,
        external_id: &str,
    ) -> Self {
        let source = digests.of(&["source", connection, entity, external_id]);
        let names = Names::new(digests, &rules.short_names);
        Self {
            rules,
            digests,
            connection,
            entity,
            source,
            keys: Vec::new(),
            claims: Vec::new(),
            names,
            birth: None,
            left_out: 0,
            unusable: 0,
            shown: Vec::new(),
            shows: false,
        }
    }

    /// Keeps what a person may see of each value as well.
    #[must_use]
    pub fn showing(mut self) -> Self {
        self.shows = true;
        self
    }

    /// A staff number, valid in this span. In one system a person has one at a time.
    pub fn staff_number(&mut self, number: &str, span: Span) {
        let Some(number) = self.usable(normal::code(number)) else { return };
        self.key(Scheme::StaffNumber, &number);
        let family = self.digests.of(&["family", "staff_number", self.connection]);
        self.claim(ClaimKind::StaffNumber, family, &number, span);
    }

    /// An identity document. `for_life`: its kind is given once, so that another number is another person; a passport is renewed.
    pub fn national_id(&mut self, kind: &str, country: &str, number: &str, for_life: bool) {
        let Some(number) = self.usable(normal::document(number)) else { return };
        self.key(Scheme::NationalId, &[kind, country, &number].join("\0"));
        if for_life {
            let family = self.digests.of(&["family", "national_id", kind, country]);
            self.claim(ClaimKind::NationalId, family, &number, Span::ALWAYS);
        }
    }

    /// An e-mail address.
    pub fn mail(&mut self, address: &str, work: bool) {
        let Some(address) = self.usable(normal::mail(address)) else { return };
        if work {
            self.key(Scheme::WorkMail, &address);
        }
        // Not every system says which of its addresses are at work.
        self.key(Scheme::Mail, &address);
    }

    /// A mobile number.
    pub fn mobile(&mut self, number: &str) {
        if let Some(number) = self.usable(normal::phone(number)) {
            self.key(Scheme::Mobile, &number);
        }
    }

    /// The application of a candidate, or that an employment began with: its connection and its id there.
    pub fn application(&mut self, connection: &str, id: &str) {
        self.key(Scheme::Application, &[connection, id].join("\0"));
    }

    /// The day of birth.
    pub fn birth_date(&mut self, day: Day) {
        if self.rules.unknown_birth_dates.contains(&day) || self.birth.is_some() {
            return;
        }
        self.birth = Some(day);
        let (value, family) = (day.0.to_string(), self.digests.of(&["family", "birth_date"]));
        self.key(Scheme::BirthDate, &value);
        self.claim(ClaimKind::BirthDate, family, &value, Span::ALWAYS);
    }

    /// A name; the first one is the main one.
    pub fn name(&mut self, name: &str) {
        self.names.add(name);
    }

    /// The code of a unit, and its name.
    pub fn unit(&mut self, code: Option<&str>, name: Option<&str>) {
        if let Some(code) = code.and_then(|code| self.usable(normal::code(code))) {
            self.key(Scheme::UnitCode, &code);
        }
        if let Some(name) = name.and_then(|name| self.usable(normal::code(name))) {
            self.key(Scheme::UnitName, &name);
        }
    }

    /// Where the operator says that each person has one such record at a time: this one, in this span.
    pub fn one_each(&mut self, span: Span) {
        let (connection, entity) = (self.connection, self.entity);
        if self.rules.one_each.iter().any(|(name, kind)| name == connection && kind == entity) {
            let family = self.digests.of(&["family", "one_each", connection, entity]);
            let value = self.source.to_string();
            self.claim(ClaimKind::OneEach, family, &value, span);
        }
    }

    /// All of it.
    #[must_use]
    pub fn done(self) -> Facts {
        self.done_with_shown().0
    }

    /// All of it, and what a person may see of each value after [`Collector::showing`].
    #[must_use]
    pub fn done_with_shown(mut self) -> (Facts, Vec<(Key, String)>) {
        let names = std::mem::replace(&mut self.names, Names::new(self.digests, &self.rules.short_names));
        let (names, left_out) = names.done();
        self.left_out = self.left_out.saturating_add(left_out);
        if let Some(day) = self.birth {
            for form in &names {
                self.key(Scheme::NameAndBirthDate, &format!("{:x}\0{}", form.whole, day.0));
            }
        }
        self.keys.sort_unstable();
        self.keys.dedup();
        self.claims.sort_unstable();
        self.claims.dedup();
        let place = self.digests.of(&["place", self.connection, self.entity]);
        let facts = Facts {
            source: self.source,
            place: (place >> 32) as u32,
            keys: self.keys.into(),
            claims: self.claims.into(),
            names,
            left_out: self.left_out,
            unusable: self.unusable,
        };
        (facts, self.shown)
    }

    fn usable(&mut self, normal: Option<String>) -> Option<String> {
        self.unusable = self.unusable.saturating_add(u16::from(normal.is_none()));
        normal
    }

    fn key(&mut self, scheme: Scheme, value: &str) {
        for (number, rule) in (0_u8..).zip(&self.rules.rules) {
            let covers = rule.among.is_empty() || rule.among.iter().any(|name| name == self.connection);
            if rule.scheme == scheme && covers {
                if self.keys.len() >= usize::from(self.rules.values_max) {
                    self.left_out = self.left_out.saturating_add(1);
                    continue;
                }
                let digest = self.digests.of(&["key", &rule.name, value]);
                let key = Key { rule: number, digest };
                self.keys.push(key);
                if self.shows {
                    self.shown.push((key, mask::masked(scheme, value)));
                }
            }
        }
    }

    fn claim(&mut self, kind: ClaimKind, family: u64, value: &str, span: Span) {
        if self.claims.len() >= usize::from(self.rules.values_max) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let value = self.digests.of(&["claim", value]);
        self.claims.push(Claim { family, value, span, kind });
    }
}

impl Rules {
    /// Are records looked for by this key? One that only supports is compared where others met.
    pub(crate) fn seeks(&self, key: Key) -> bool {
        self.at(key.rule).counts != Counts::Supports
    }
}
