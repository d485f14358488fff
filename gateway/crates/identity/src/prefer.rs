//! Which of several sources' values is preferred, and why: the others are kept next to it.

use std::collections::BTreeMap;

/// How a field's value is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The first of these connections that has a value; then any other, the latest of them.
    Order(Vec<String>),
    /// The value that its source changed last.
    Latest,
    /// The value that the most connections have.
    MostAgreed,
}

/// A rule a field; fields without one go by the rule for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivorship {
    /// For all fields without a rule of their own.
    pub default: Choice,
    /// Field → how.
    pub fields: BTreeMap<String, Choice>,
}

impl Default for Survivorship {
    fn default() -> Self {
        Self { default: Choice::Latest, fields: BTreeMap::new() }
    }
}

/// A value as one record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<V> {
    /// The value.
    pub value: V,
    /// Of which connection.
    pub connection: String,
    /// Of which record: the order that no arrival changes, [`Facts::source`](crate::Facts::source).
    pub source: u64,
    /// When its source changed it, or it was first seen, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Why a value is the preferred one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A person chose it.
    Chosen,
    /// There is no other.
    Only,
    /// Its connection comes first: at this place of the order, from 0.
    First(usize),
    /// It was changed last.
    Latest,
    /// So many connections have it.
    Agreed(usize),
}

/// All values of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferred<V> {
    /// The one to use is the first; the others follow, the best first.
    pub stated: Vec<Stated<V>>,
    /// Why that one.
    pub why: Why,
}

impl Survivorship {
    /// The values of a field in the order of preference; none without any. What a person chose comes first as long as a record has it.
    #[must_use]
    pub fn prefer<V: Ord + Clone>(
        &self,
        field: &str,
        mut stated: Vec<Stated<V>>,
        chosen: Option<&V>,
    ) -> Option<Preferred<V>> {
        let choice = self.fields.get(field).unwrap_or(&self.default);
        let rank = |one: &Stated<V>| match choice {
            Choice::Order(order) => order.iter().position(|name| *name == one.connection).unwrap_or(order.len()),
            Choice::Latest | Choice::MostAgreed => 0,
        };
        let mut connections: BTreeMap<V, Vec<String>> = BTreeMap::new();
        if *choice == Choice::MostAgreed {
            for one in &stated {
                let known = connections.entry(one.value.clone()).or_default();
                if !known.contains(&one.connection) {
                    known.push(one.connection.clone());
                }
            }
        }
        let agreed = |one: &Stated<V>| connections.get(&one.value).map_or(0, Vec::len);
        stated.sort_by_cached_key(|one| {
            let not_chosen = chosen != Some(&one.value);
            (not_chosen, rank(one), usize::MAX - agreed(one), std::cmp::Reverse(one.at_ms), one.source)
        });
        let first = stated.first()?;
        let why = match choice {
            _ if chosen == Some(&first.value) => Why::Chosen,
            _ if stated.iter().all(|other| other.value == first.value) => Why::Only,
            Choice::Order(order) if rank(first) < order.len() => Why::First(rank(first)),
            Choice::Order(_) | Choice::Latest => Why::Latest,
            Choice::MostAgreed => Why::Agreed(agreed(first)),
        };
        Some(Preferred { stated, why })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn stated(values: &[(&str, &'static str, i64)]) -> Vec<Stated<&'static str>> {
        let one = |((connection, value, at_ms), source): (&(&str, &'static str, i64), u64)| Stated {
            value: *value,
            connection: (*connection).to_owned(),
            source,
            at_ms: *at_ms,
        };
        values.iter().zip(1..).map(one).collect()
    }

    fn preferred(choice: Choice, chosen: Option<&'static str>) -> (&'static str, Why) {
        let rules = Survivorship { fields: BTreeMap::from([("mobile".to_owned(), choice)]), ..Survivorship::default() };
        let values = [("ats", "a", 30), ("hr", "b", 10), ("chat", "b", 20), ("payroll", "c", 40)];
        let forth = rules.prefer("mobile", stated(&values), chosen.as_ref()).unwrap();
        let mut back = stated(&values);
        back.reverse();
        assert_eq!(rules.prefer("mobile", back, chosen.as_ref()), Some(forth.clone()), "in any order");
        assert_eq!(forth.stated.len(), 4, "the others are kept");
        (forth.stated[0].value, forth.why)
    }

    #[test]
    fn each_way_to_choose_says_why() {
        let order = |names: &[&str]| Choice::Order(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(preferred(order(&["crm", "hr", "ats"]), None), ("b", Why::First(1)));
        assert_eq!(preferred(order(&["crm"]), None), ("c", Why::Latest));
        assert_eq!(preferred(Choice::Latest, None), ("c", Why::Latest));
        assert_eq!(preferred(Choice::MostAgreed, None), ("b", Why::Agreed(2)));
        assert_eq!(preferred(Choice::Latest, Some("a")), ("a", Why::Chosen));
        assert_eq!(preferred(Choice::Latest, Some("gone")), ("c", Why::Latest));
    }

    #[test]
    fn one_value_needs_no_reason_and_none_has_no_preference() {
        let rules = Survivorship::default();
        let only = rules.prefer("name", stated(&[("hr", "a", 1), ("ats", "a", 2)]), None).unwrap();
        assert_eq!((only.why, only.stated[0].at_ms), (Why::Only, 2));
        assert_eq!(rules.prefer::<u8>("name", Vec::new(), None), None);
    }
}
