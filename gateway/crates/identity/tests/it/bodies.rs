//! From the bodies of records to a link in words.

use renmen_identity::{
    Body, Changed, ClaimKind, Conflict, Digests, Engine, Facts, Grounds, MemberId, Obstacle, Rules, Subject, because,
    evidence, facts_of, held, shown_of,
};
use renmen_schema::{EntityKind, Language, canonicalize};
use serde_json::{Value, json};

use crate::shelf::Shelf;

fn body<'a>(connection: &'a str, kind: EntityKind, bytes: &'a [u8], applications: &'a [(String, String)]) -> Body<'a> {
    Body { connection, kind, external_id: "1", bytes, applications }
}

/// The body as the gateway keeps it: what the schema refuses fails here.
fn canonical(kind: EntityKind, body: &Value) -> Vec<u8> {
    canonicalize(kind, body.to_string().as_bytes()).unwrap()
}

fn employee() -> Vec<u8> {
    let body = json!({
        "number": "E00123",
        "person": {
            "names": { "formatted": "王伟", "family": "Wang", "preferred": "Kevin", "alias": ["Wang Wei"] },
            "emails": [{ "address": "wei@home.example", "kind": "PRIVATE" }],
            "phones": [
                { "number": "138 0000 0001", "e164": "+8613800000001", "kind": "MOBILE" },
                { "number": "010 1234 5678", "kind": "HOME" },
            ],
            "national_ids": [{ "kind": { "code": "ID_CARD" }, "value": "11010119900101001x" }],
            "birth_date": "1990-01-01",
        },
        "work": { "work_email": "Wei@Acme.Example", "hire_date": "2020-03-02" },
    });
    canonical(EntityKind::Employee, &body)
}

fn facts(rules: &Rules, body: Body<'_>) -> Facts {
    facts_of(rules, &Digests::new([1; 32]), body).unwrap()
}

#[test]
fn an_employee_and_a_candidate_are_one_and_the_link_is_told_in_two_languages() {
    let (rules, digests) = (Rules::default(), Digests::new([1; 32]));
    let (employee, application) = (employee(), [("ats".to_owned(), "A7".to_owned())]);
    let candidate = canonical(
        EntityKind::Candidate,
        &json!({ "person": {
            "names": { "formatted": "Kevin Wang" },
            "phones": [{ "number": "13800000001" }],
            "emails": [{ "address": "wei@acme.example" }],
        } }),
    );
    let one = body("hr", EntityKind::Employee, &employee, &application);
    let other = body("ats", EntityKind::Candidate, &candidate, &application);
    let mut shelf = Shelf::default();
    shelf.put(&rules, MemberId(1), facts(&rules, one));
    shelf.put(&rules, MemberId(2), facts(&rules, other));
    let identity = shelf.identity_of(MemberId(2));
    assert_eq!(identity.members, [MemberId(1), MemberId(2)]);

    let shown = shown_of(&rules, &digests, one);
    let show = |key| shown.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
    let grounds = &identity.links[0].grounds;
    let words = because(&rules, grounds, &show);
    assert_eq!(
        words.in_language(Language::English),
        "application A7 (rule 4, 120), mobile +861***001 (rule 5, 60), mail w***@acme.example (rule 6, 60), the same name (40): 280 of 100"
    );
    assert_eq!(
        words.in_language(Language::Chinese),
        "application A7（规则 4，120）, mobile +861***001（规则 5，60）, mail w***@acme.example（规则 6，60）, 姓名相同（40）：280，关联需 100"
    );
    let Grounds::Rules(agreement) = grounds else { panic!("no one decided") };
    assert_eq!(evidence(&rules, agreement, &|_| None)[0].value, None);
    for whole in ["13800000001", "wei@", "E00123", "11010119900101001", "1990"] {
        assert!(!shown.iter().any(|(_, value)| value.contains(whole)), "{shown:?}");
    }
}

#[test]
fn an_address_at_work_is_found_where_its_kind_is_not_told_and_counts_once() {
    let rules = Rules::default();
    let employee = employee();
    let one = facts(&rules, body("hr", EntityKind::Employee, &employee, &[]));
    let other = facts(&rules, body("office", EntityKind::Employee, &employee, &[]));
    let mut shelf = Shelf::default();
    shelf.put(&rules, MemberId(1), one);
    shelf.put(&rules, MemberId(2), other);
    let Grounds::Rules(agreement) = &shelf.identity_of(MemberId(1)).links[0].grounds else { panic!("no one decided") };
    let rule = |name: &str| evidence(&rules, agreement, &|_| None).iter().filter(|one| one.rule == name).count();
    assert_eq!((rule("work_mail"), rule("mail"), rule("staff_number"), rule("national_id")), (1, 0, 1, 1));
}

#[test]
fn units_of_two_systems_are_one_by_code_and_suggested_by_name() {
    let rules = Rules::default();
    let unit = |code: Option<&str>, name: &str| {
        let mut body = json!({ "name": { "zh-CN": name }, "kind": { "code": "DEPARTMENT" } });
        code.into_iter().for_each(|code| body["code"] = code.into());
        canonical(EntityKind::OrgUnit, &body)
    };
    let (one, other, third) = (unit(Some("D10"), "研发部"), unit(Some("d10"), "研发中心"), unit(None, "研发部"));
    let mut shelf = Shelf::default();
    for (member, (connection, bytes)) in [("hr", one), ("chat", other), ("office", third)].iter().enumerate() {
        let facts = facts(&rules, body(connection, EntityKind::OrgUnit, bytes, &[]));
        shelf.put(&rules, MemberId(member as u64 + 1), facts);
    }
    assert_eq!(shelf.identities.len(), 2);
    assert_eq!(shelf.identity_of(MemberId(2)).members, [MemberId(1), MemberId(2)]);
    assert_eq!(shelf.proposals.len(), 1);
}

#[test]
fn records_about_somebody_are_nobody_themselves_and_what_is_no_body_has_no_facts() {
    let (rules, digests) = (Rules::default(), Digests::new([1; 32]));
    for kind in [EntityKind::PayrollRecord, EntityKind::Interview, EntityKind::PerformanceReview] {
        assert_eq!(Subject::of(kind), None);
        assert_eq!(facts_of(&rules, &digests, body("hr", kind, b"{}", &[])), None);
    }
    assert_eq!(facts_of(&rules, &digests, body("hr", EntityKind::Employee, b"{", &[])), None);
}

#[test]
fn what_is_held_says_what_to_do() {
    let conflict = |obstacle| Conflict { between: (MemberId(1), MemberId(2)), grounds: Grounds::Decision(1), obstacle };
    let claim = held(&conflict(Obstacle::Claim(ClaimKind::BirthDate, MemberId(1), MemberId(2))));
    let wanted = "one person does not have two dates of birth: correct the record that is wrong, or decide that they are the same";
    assert_eq!(claim.in_language(Language::English), wanted);
    for obstacle in [Obstacle::Never(3), Obstacle::Chain, Obstacle::Overruled(3)] {
        let text = held(&conflict(obstacle));
        assert!(
            text.in_language(Language::English).contains(": ") && text.in_language(Language::Chinese).contains('：')
        );
    }
    assert_eq!(Engine::new(&Rules::default()).settle(&[] as &[Changed], &Shelf::default()), Ok(Default::default()));
}
