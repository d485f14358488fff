//! What is linked, held, proposed and decided, and which id a person has.

use renmen_identity::{
    ClaimKind, Collector, Day, DecisionKind, Digests, Facts, Grounds, IdentityId, MemberId, NameMatch, Obstacle, Rules,
    Span, split,
};

use crate::shelf::{Shelf, decision};

const ALWAYS: Span = Span::ALWAYS;

fn facts(rules: &Rules, connection: &str, id: u64, tell: impl Fn(&mut Collector<'_>)) -> Facts {
    let (digests, id) = (Digests::new([4; 32]), id.to_string());
    let mut collector = Collector::new(rules, &digests, connection, "employee", &id);
    tell(&mut collector);
    collector.done()
}

struct Company {
    rules: Rules,
    shelf: Shelf,
}

impl Company {
    fn new() -> Self {
        Self { rules: Rules::default(), shelf: Shelf::default() }
    }

    fn put(&mut self, id: u64, connection: &str, tell: impl Fn(&mut Collector<'_>)) {
        let facts = facts(&self.rules, connection, id, tell);
        self.shelf.put(&self.rules, MemberId(id), facts);
    }

    fn decide(&mut self, seq: u64, kind: DecisionKind, a: u64, b: u64) {
        self.shelf.decide(&self.rules, decision(seq, kind, MemberId(a), MemberId(b)));
    }

    /// The members of each person by id.
    fn people(&self) -> Vec<Vec<u64>> {
        let members = |identity: &renmen_identity::Identity| identity.members.iter().map(|member| member.0).collect();
        self.shelf.identities.values().map(members).collect()
    }

    fn obstacles(&self) -> Vec<Obstacle> {
        self.shelf.conflicts.iter().map(|conflict| conflict.obstacle).collect()
    }
}

#[test]
fn records_of_three_systems_are_one_person_and_each_link_says_why() {
    let mut company = Company::new();
    company.put(1, "hr", |r| {
        r.name("王伟");
        r.staff_number("E1", ALWAYS);
        r.mail("wei@acme.example", true);
    });
    company.put(2, "chat", |r| {
        r.name("Kevin Wang");
        r.mail("Wei@Acme.Example", true);
    });
    company.put(3, "payroll", |r| r.staff_number(" e1 ", ALWAYS));
    company.put(4, "payroll", |r| r.staff_number("E2", ALWAYS));
    assert_eq!(company.people(), [vec![1, 2, 3], vec![4]]);
    let links = &company.shelf.identity_of(MemberId(1)).links;
    let why = |at: usize| match &links[at].grounds {
        Grounds::Rules(agreement) => {
            let rules = agreement.keys.iter().map(|key| company.rules.rules[usize::from(key.rule)].name.as_str());
            (links[at].b.0, rules.collect::<Vec<_>>(), agreement.score, agreement.names)
        }
        Grounds::Decision(_) => panic!("no one decided"),
    };
    assert_eq!(why(0), (2, vec!["work_mail"], 100, NameMatch::Unknown));
    assert_eq!(why(1), (3, vec!["staff_number"], 100, NameMatch::Unknown));
}

#[test]
fn a_former_id_leads_to_where_its_member_is_and_comes_back_when_people_are_separated() {
    let mut company = Company::new();
    let id = |member| IdentityId(MemberId(member));
    company.put(1, "hr", |r| r.staff_number("E1", ALWAYS));
    company.put(2, "chat", |r| r.mail("wei@acme.example", true));
    assert_eq!(company.shelf.follow(id(2)), Some(id(2)));
    company.put(3, "it", |r| {
        r.staff_number("E1", ALWAYS);
        r.mail("wei@acme.example", true);
    });
    assert_eq!(company.people(), [[1, 2, 3]]);
    assert_eq!(company.shelf.follow(id(2)), Some(id(1)), "the younger id leads to the older");
    // The record that connected them was wrong.
    company.put(3, "it", |r| r.mail("wei@acme.example", true));
    assert_eq!(company.people(), [vec![1], vec![2, 3]]);
    assert_eq!(company.shelf.follow(id(2)), Some(id(2)), "and comes back");
    company.shelf.erase(&company.rules, MemberId(2));
    assert_eq!((company.shelf.follow(id(2)), company.people()), (None, vec![vec![1], vec![3]]));
}

#[test]
fn what_one_person_cannot_have_two_of_is_held_and_told() {
    let (first, second) = (Span::of(None, Day::parse("2020-12-31")), Span::of(Day::parse("2021-03-01"), None));
    for (kind, a, b) in [
        (ClaimKind::BirthDate, ("hr", 1, ALWAYS, "E1"), ("hr2", 2, ALWAYS, "E1")),
        (ClaimKind::StaffNumber, ("hr", 1, ALWAYS, "E1"), ("hr", 1, second, "E2")),
    ] {
        let mut company = Company::new();
        for (record, (connection, born, span, number)) in [(1, a), (2, b)] {
            company.put(record, connection, |r| {
                r.birth_date(Day(19_900_100 + born));
                r.staff_number(number, span);
                r.mail("wei@acme.example", true);
            });
        }
        assert_eq!(company.people(), [[1], [2]]);
        assert_eq!(company.obstacles(), [Obstacle::Claim(kind, MemberId(1), MemberId(2))]);
        assert!(company.shelf.proposals.is_empty(), "it is a conflict and no proposal");
    }
    let mut company = Company::new();
    for (record, span, number) in [(1, first, "E1"), (2, second, "E2")] {
        company.put(record, "hr", |r| {
            r.staff_number(number, span);
            r.national_id("ID_CARD", "CN", "110101199001010001", true);
        });
    }
    assert_eq!(company.people(), [[1, 2]], "who comes back has another number, and is the same");
}

#[test]
fn no_chain_makes_two_people_one() {
    let mut company = Company::new();
    let staff = |number: &'static str, mail: &'static str| {
        move |r: &mut Collector<'_>| {
            r.staff_number(number, ALWAYS);
            r.mail(mail, true);
        }
    };
    company.put(1, "hr", staff("E1", "one@acme.example"));
    company.put(2, "hr", staff("E2", "two@acme.example"));
    company.put(3, "chat", |r| {
        r.mail("one@acme.example", true);
        r.mail("two@acme.example", true);
    });
    assert_eq!(company.people(), [[1], [2], [3]], "no one can tell whose it is");
    assert_eq!(company.obstacles(), [Obstacle::Chain, Obstacle::Chain]);
    // A person can.
    company.decide(1, DecisionKind::Never, 3, 2);
    assert_eq!(company.people(), [vec![1, 3], vec![2]]);
    assert_eq!(company.obstacles(), [Obstacle::Never(1)]);
}

#[test]
fn decisions_win_over_rules_and_claims_and_the_later_one_over_the_earlier() {
    let mut company = Company::new();
    for (record, born) in [(1, 19_900_101), (2, 19_900_102), (3, 19_900_102)] {
        company.put(record, ["hr", "chat", "ats"][record as usize - 1], |r| {
            r.birth_date(Day(born));
            r.mail(if record == 1 { "a@acme.example" } else { "b@acme.example" }, true);
        });
    }
    assert_eq!(company.people(), [vec![1], vec![2, 3]]);
    company.decide(1, DecisionKind::Same, 1, 2);
    assert_eq!(company.people(), [[1, 2, 3]], "who was decided to be one keeps who fits");
    company.decide(2, DecisionKind::Never, 1, 3);
    assert_eq!(company.people(), [vec![1, 2], vec![3]]);
    company.decide(3, DecisionKind::Never, 1, 2);
    assert_eq!(company.people(), [vec![1], vec![2, 3]]);
    assert_eq!(company.obstacles(), [Obstacle::Overruled(1)]);
    company.shelf.withdraw(&company.rules, decision(3, DecisionKind::Never, MemberId(1), MemberId(2)));
    assert_eq!(company.people(), [vec![1, 2], vec![3]], "withdrawn: as before");
}

#[test]
fn a_split_holds_against_records_that_come_later() {
    let mut company = Company::new();
    for record in [1, 2, 3] {
        company.put(record, ["hr", "chat", "ats"][record as usize - 1], |r| r.mail("team@acme.example", true));
    }
    assert_eq!(company.people(), [[1, 2, 3]]);
    for decision in split(1, &[MemberId(3)], &[MemberId(1), MemberId(2)]) {
        company.shelf.decide(&company.rules, decision);
    }
    assert_eq!(company.people(), [vec![1, 2], vec![3]]);
    company.put(4, "it", |r| r.mail("team@acme.example", true));
    let apart = company.people().iter().all(|members| !(members.contains(&3) && members.contains(&1)));
    assert!(apart, "{:?}", company.people());
    assert!(company.obstacles().contains(&Obstacle::Chain));
}

#[test]
fn a_value_that_too_many_people_share_is_evidence_for_nobody_until_fewer_do() {
    let mut company = Company::new();
    let at_reception = |name: &'static str| {
        move |r: &mut Collector<'_>| {
            r.name(name);
            r.mobile("13800000001");
        }
    };
    company.put(1, "ats", at_reception("王伟"));
    company.put(2, "chat", at_reception("王伟"));
    assert_eq!(company.people(), [[1, 2]]);
    for (record, name) in [(3, "李娜"), (4, "张勇"), (5, "赵敏")] {
        company.put(record, "ats", at_reception(name));
    }
    assert_eq!(company.people(), [[1], [2], [3], [4], [5]]);
    assert_eq!(company.shelf.worn_out.first().map(|found| found.holders), Some(5));
    company.shelf.erase(&company.rules, MemberId(5));
    assert_eq!(company.people(), [vec![1, 2], vec![3], vec![4]]);
    assert!(company.shelf.worn_out.is_empty());
}

#[test]
fn more_records_than_the_limit_are_linked_by_no_rule_and_are_told() {
    let mut company = Company::new();
    company.rules.component_max = 4;
    for record in 1..=5 {
        company.put(record, &format!("system-{record}"), |r| r.staff_number("E1", ALWAYS));
    }
    assert_eq!(company.people(), [[1], [2], [3], [4], [5]]);
    assert!(company.shelf.identities.values().all(|identity| identity.too_large));
    company.shelf.erase(&company.rules, MemberId(3));
    assert_eq!(company.people(), [[1, 2, 4, 5]]);
    assert!(company.shelf.identities.values().all(|identity| !identity.too_large));
}

#[test]
fn proposals_are_between_people_and_only_where_nothing_is_against_it() {
    let mut company = Company::new();
    let born = |day: i32, mail: &'static str| {
        move |r: &mut Collector<'_>| {
            r.name("Anna Smith");
            r.birth_date(Day(day));
            r.mail(mail, true);
        }
    };
    company.put(1, "hr", born(19_900_101, "anna@acme.example"));
    company.put(2, "chat", born(19_900_101, "anna@acme.example"));
    company.put(3, "ats", born(19_900_101, "other@acme.example"));
    company.put(4, "ats", born(19_900_102, "third@acme.example"));
    assert_eq!(company.people(), [vec![1, 2], vec![3], vec![4]]);
    let proposed: Vec<_> = company.shelf.proposals.iter().map(|one| (one.one.0.0, one.other.0.0)).collect();
    assert_eq!(proposed, [(1, 3)], "one for two people, however many records speak for it");
    company.decide(1, DecisionKind::Never, 2, 3);
    assert!(company.shelf.proposals.is_empty());
    company.shelf.withdraw(&company.rules, decision(1, DecisionKind::Never, MemberId(2), MemberId(3)));
    assert_eq!(company.shelf.proposals.len(), 1);
}

#[test]
fn a_change_needs_a_few_round_trips_however_many_records_there_are() {
    let mut company = Company::new();
    for record in 1..=60 {
        company.put(record, ["hr", "chat", "ats", "payroll", "it"][record as usize % 5], |r| {
            r.staff_number(&format!("E{}", record / 5), ALWAYS);
            r.mail(&format!("m{}@acme.example", record / 10), true);
        });
    }
    // A record that shares a value is a step away; a step takes two.
    assert!(company.shelf.rounds_max <= 6, "{} round trips", company.shelf.rounds_max);
}
