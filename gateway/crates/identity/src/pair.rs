//! What two records say for being one.

use crate::facts::{Facts, Key};
use crate::name::{self, NameMatch};
use crate::rules::{Counts, Rules, Scheme};

/// What a score is enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Propose,
    Link,
}

/// Where two records agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agreement {
    /// The sum of the weights.
    pub score: i32,
    /// What the names say.
    pub names: NameMatch,
    /// The values that both have.
    pub keys: Box<[Key]>,
}

/// Compares two records. `usable` says of a key that both have whether it is evidence at all. None: nothing that a person should look at.
pub(crate) fn compare(
    rules: &Rules,
    a: &Facts,
    b: &Facts,
    usable: impl Fn(Key) -> bool,
) -> Option<(Verdict, Agreement)> {
    let mut keys: Vec<Key> = common(&a.keys, &b.keys).filter(|key| !rules.seeks(*key) || usable(*key)).collect();
    let scheme = |key: &Key| rules.at(key.rule).scheme;
    if keys.iter().any(|key| scheme(key) == Scheme::WorkMail) {
        keys.retain(|key| scheme(key) != Scheme::Mail);
    }
    let names = name::compare(&a.names, &b.names);
    let said = match names {
        NameMatch::Unknown => 0,
        NameMatch::Different => rules.names.different,
        NameMatch::Partly => rules.names.partly,
        NameMatch::Near => rules.names.near,
        NameMatch::Same => rules.names.same,
    };
    let (mut score, against) = (i32::from(said), said.min(0));
    let (mut alone, mut with_name, mut sought, mut last) = (false, 0, false, None);
    for key in &keys {
        let rule = rules.at(key.rule);
        // Two numbers that both have are not twice the evidence.
        if last != Some(key.rule) {
            score += i32::from(rule.weight);
            with_name += u8::from(rule.counts == Counts::WithName);
        }
        last = Some(key.rule);
        alone |= rule.counts == Counts::Alone;
        sought |= rule.counts != Counts::Supports;
    }
    // Names that cannot be compared are made up for by a second value of the person.
    let soft = with_name > 0 && names >= NameMatch::Near || with_name > 1 && names == NameMatch::Unknown;
    let verdict = if score >= i32::from(rules.link_at) && (alone || soft) {
        Verdict::Link
    } else if alone || sought && score - i32::from(against) >= i32::from(rules.propose_at) {
        // Other names keep two records from being linked, and no person from looking at them: people go by other names in a chat.
        Verdict::Propose
    } else {
        return None;
    };
    Some((verdict, Agreement { score, names, keys: keys.into() }))
}

/// What is in both of two sorted lists.
fn common<'a>(a: &'a [Key], b: &'a [Key]) -> impl Iterator<Item = Key> + 'a {
    let mut rest = b;
    a.iter().copied().filter(move |key| {
        let skipped = rest.iter().take_while(|other| *other < key).count();
        rest = &rest[skipped..];
        rest.first() == Some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digests;
    use crate::facts::Collector;
    use crate::id::{Day, Span};

    fn facts(of: &str, tell: impl Fn(&mut Collector<'_>)) -> Facts {
        let (rules, digests) = (Rules::default(), Digests::new([7; 32]));
        let mut collector = Collector::new(&rules, &digests, of, "employee", "1");
        tell(&mut collector);
        collector.done()
    }

    fn verdict(a: impl Fn(&mut Collector<'_>), b: impl Fn(&mut Collector<'_>)) -> Option<Verdict> {
        let (a, b) = (facts("hr", a), facts("chat", b));
        compare(&Rules::default(), &a, &b, |_| true).map(|(verdict, _)| verdict)
    }

    #[test]
    fn a_staff_number_links_unless_the_names_contradict() {
        let numbered = |name: &'static str| {
            move |record: &mut Collector<'_>| {
                record.staff_number("E1", Span::ALWAYS);
                record.name(name);
            }
        };
        assert_eq!(verdict(numbered("王伟"), numbered("王伟")), Some(Verdict::Link));
        assert_eq!(verdict(numbered("王伟"), numbered("Wang Wei")), Some(Verdict::Link));
        assert_eq!(verdict(numbered("张勇"), numbered("逍遥子")), Some(Verdict::Propose));
    }

    #[test]
    fn a_mobile_links_with_the_name_only_and_a_household_is_left_to_a_person() {
        let at_home = |name: &'static str| {
            move |record: &mut Collector<'_>| {
                record.mobile("13800000001");
                record.mail("family@home.example", false);
                record.birth_date(Day(19_900_101));
                record.name(name);
            }
        };
        assert_eq!(verdict(at_home("Anna Smith"), at_home("Smith, Anna")), Some(Verdict::Link));
        assert_eq!(verdict(at_home("Anna Smith"), at_home("Maria Smith")), Some(Verdict::Propose), "twins");
        assert_eq!(verdict(at_home("王伟"), at_home("Wang Wei")), Some(Verdict::Link), "telephone and mailbox");
        let phone = |name: &'static str| {
            move |record: &mut Collector<'_>| {
                record.mobile("13800000001");
                record.name(name);
            }
        };
        assert_eq!(verdict(phone("Anna Smith"), phone("John Doe")), Some(Verdict::Propose));
        assert_eq!(verdict(phone("王伟"), phone("Wang Wei")), Some(Verdict::Propose));
    }

    #[test]
    fn name_and_birth_date_are_a_suggestion_and_nothing_more() {
        let born = |name: &'static str| {
            move |record: &mut Collector<'_>| {
                record.birth_date(Day(19_900_101));
                record.name(name);
            }
        };
        assert_eq!(verdict(born("Anna Smith"), born("Smith Anna")), Some(Verdict::Propose));
        assert_eq!(verdict(born("Anna Smith"), born("Maria Smith")), None);
        assert_eq!(verdict(|r| r.name("Anna"), |r| r.name("Anna")), None);
    }

    #[test]
    fn a_value_that_is_no_evidence_does_not_count() {
        let a = facts("hr", |r| r.staff_number("E1", Span::ALWAYS));
        assert_eq!(compare(&Rules::default(), &a, &a, |_| false), None);
    }
}
