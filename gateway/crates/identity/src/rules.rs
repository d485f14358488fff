//! The rules: which values of two records speak for one person, how much, and whether that is enough.

use std::collections::BTreeMap;

use renmen_schema::{Text, text};

use crate::id::Day;

/// What kind of value a rule compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// The number at work.
    StaffNumber,
    /// The number of an identity document.
    NationalId,
    /// An address at work.
    WorkMail,
    /// Any e-mail address. One that agrees as an address at work is not counted again.
    Mail,
    /// A mobile number in E.164.
    Mobile,
    /// The application that an employment began with: of the candidate and of the employee.
    Application,
    /// The day of birth.
    BirthDate,
    /// The name together with the day of birth.
    NameAndBirthDate,
    /// The code of an organisational unit.
    UnitCode,
    /// The name of an organisational unit.
    UnitName,
}

impl Scheme {
    /// Every one, with its name in the configuration and in links.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::StaffNumber, "staff_number"),
        (Self::NationalId, "national_id"),
        (Self::WorkMail, "work_mail"),
        (Self::Mail, "mail"),
        (Self::Mobile, "mobile"),
        (Self::Application, "application"),
        (Self::BirthDate, "birth_date"),
        (Self::NameAndBirthDate, "name_and_birth_date"),
        (Self::UnitCode, "unit_code"),
        (Self::UnitName, "unit_name"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The scheme of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(scheme, _)| *scheme)
    }
}

/// What agreement by a rule is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It may link by itself. When something contradicts, it is proposed at least.
    Alone,
    /// It links only where the names agree as well, or cannot be compared and a second such value agrees: households share telephones and
    /// mailboxes.
    WithName,
    /// It brings two records together, and never links: a person decides.
    Suggests,
    /// It adds to what others found, and finds nothing itself.
    Supports,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name in the configuration; links are explained with it.
    pub name: String,
    /// What it compares.
    pub scheme: Scheme,
    /// What it adds to the score of a pair.
    pub weight: u16,
    /// What it is good for.
    pub counts: Counts,
    /// A value that records of one kind of one connection have under more names than this does not count.
    pub people_max: u16,
    /// The connections whose values mean the same; empty: all. Staff numbers of two companies, for example, are apart.
    pub among: Vec<String>,
}

/// What names add to the score of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameWeights {
    /// The same name.
    pub same: i16,
    /// The same by a usual short form: Bob, Robert.
    pub near: i16,
    /// A part of it is the same.
    pub partly: i16,
    /// Nothing is.
    pub different: i16,
}

/// All of it. A change of any of this asks for a full pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The rules, the first being rule 1.
    pub rules: Vec<Rule>,
    /// What names add.
    pub names: NameWeights,
    /// From this score on a pair is linked.
    pub link_at: u16,
    /// From this score on a pair is proposed to a person.
    pub propose_at: u16,
    /// More records than this that hold together by rules are linked by none of them.
    pub component_max: usize,
    /// A value on more records than this does not count.
    pub holders_max: usize,
    /// Values of one record that count; a record with more has told a list and not itself. What is left out is counted with its facts.
    pub values_max: u8,
    /// Connections and entities of which one person has one record at a time.
    pub one_each: Vec<(String, String)>,
    /// Days that stand for an unknown day of birth.
    pub unknown_birth_dates: Vec<Day>,
    /// Short forms of given names in addition to those that are known: short form → name.
    pub short_names: BTreeMap<String, String>,
}

/// Counts up with each change of what is read of a record, of how values and names are compared, or of how identities are found.
const READING: u32 = 1;

/// Rules in one list: keys name theirs in one byte.
pub const RULES_MAX: usize = 64;

fn rule(scheme: Scheme, weight: u16, counts: Counts, people_max: u16) -> Rule {
    Rule { name: scheme.name().to_owned(), scheme, weight, counts, people_max, among: Vec::new() }
}

impl Default for Rules {
    fn default() -> Self {
        let rules = vec![
            rule(Scheme::NationalId, 120, Counts::Alone, 2),
            rule(Scheme::StaffNumber, 100, Counts::Alone, 2),
            rule(Scheme::WorkMail, 100, Counts::Alone, 2),
            rule(Scheme::Application, 120, Counts::Alone, 2),
            rule(Scheme::Mobile, 60, Counts::WithName, 3),
            rule(Scheme::Mail, 60, Counts::WithName, 3),
            rule(Scheme::BirthDate, 30, Counts::Supports, 1),
            rule(Scheme::NameAndBirthDate, 0, Counts::Suggests, 1),
            rule(Scheme::UnitCode, 100, Counts::Alone, 2),
            rule(Scheme::UnitName, 20, Counts::Suggests, 3),
        ];
        Self {
            rules,
            names: NameWeights { same: 40, near: 40, partly: 0, different: -60 },
            link_at: 100,
            propose_at: 60,
            component_max: 200,
            holders_max: 64,
            values_max: 48,
            one_each: Vec::new(),
            unknown_birth_dates: vec![Day(19_000_101), Day(19_700_101)],
            short_names: BTreeMap::new(),
        }
    }
}

impl Rules {
    /// What of this cannot be meant, with the name of its rule where it is one's.
    #[must_use]
    pub fn faults(&self) -> Vec<(Option<&str>, Text)> {
        let mut faults = Vec::new();
        if self.rules.len() > RULES_MAX {
            faults.push((None, text!("more than {RULES_MAX} rules", "规则超过 {RULES_MAX} 条")));
        }
        if self.propose_at > self.link_at {
            let why = text!(
                "`propose_at` is above `link_at`, so nothing would ever be proposed",
                "`propose_at` 高于 `link_at`，因此不会有任何建议"
            );
            faults.push((None, why));
        }
        for (at, rule) in self.rules.iter().enumerate() {
            if self.rules[..at].iter().any(|other| other.name == rule.name) {
                faults.push((Some(rule.name.as_str()), text!("two rules have this name", "两条规则同名")));
            }
            let same = |other: &&Rule| other.scheme == rule.scheme && meet(&other.among, &rule.among);
            if let Some(other) = self.rules[..at].iter().find(same) {
                let other = &other.name;
                let why = text!(
                    "it counts what the rule `{other}` counts already, for the same connections",
                    "规则 `{other}` 已对相同的连接计入同一内容"
                );
                faults.push((Some(rule.name.as_str()), why));
            }
        }
        faults
    }

    /// Another one asks for a pass over all records: with other rules, or with a release that reads or compares records in another way, what
    /// was found before may not be what would be found now.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        blake3::hash(format!("{READING} {self:?}").as_bytes()).to_hex()[..32].to_owned()
    }

    /// The rule of a number.
    pub(crate) fn at(&self, number: u8) -> &Rule {
        &self.rules[usize::from(number)]
    }
}

/// Is there a connection in both lists? An empty one has all.
fn meet(a: &[String], b: &[String]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|name| b.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_come_with_the_gateway_are_without_fault() {
        assert_eq!(Rules::default().faults(), []);
        for (scheme, name) in Scheme::ALL {
            assert_eq!((scheme.name(), Scheme::from_name(name)), (name, Some(scheme)));
        }
    }

    #[test]
    fn other_rules_have_another_fingerprint() {
        let rules = Rules::default();
        let other = Rules { holders_max: 65, ..Rules::default() };
        assert_eq!(rules.fingerprint(), Rules::default().fingerprint());
        assert_ne!(rules.fingerprint(), other.fingerprint());
    }

    #[test]
    fn the_built_in_rules_are_those_of_the_page() {
        let page = include_str!("../README.md");
        let rules = Rules::default();
        for Rule { name, weight, counts, people_max, .. } in &rules.rules {
            let counts = match counts {
                Counts::Alone => "alone",
                Counts::WithName => "with_name",
                Counts::Suggests => "suggests",
                Counts::Supports => "supports",
            };
            let row = format!("\n| `{name}` | {weight} | {counts} | {people_max} |\n");
            assert!(page.contains(&row), "{row}");
        }
        assert_eq!(page.matches("\n| `").count(), rules.rules.len());
    }

    #[test]
    fn what_counts_twice_or_never_is_a_fault() {
        let mut rules = Rules { propose_at: 120, ..Rules::default() };
        let twin = |name: &str, among: &[&str]| Rule {
            name: name.to_owned(),
            among: among.iter().map(|name| (*name).to_owned()).collect(),
            ..rule(Scheme::StaffNumber, 100, Counts::Alone, 1)
        };
        rules.rules =
            vec![twin("north", &["hr-north"]), twin("south", &["hr-south"]), twin("all", &[]), twin("all", &["x"])];
        let faults = rules.faults();
        let named: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
        assert_eq!(named, [None, Some("all"), Some("all"), Some("all")]);
        assert!(faults[1].1.english().contains("`north`"), "{faults:?}");
    }
}
