//! `[identity]`: who is one person.

use std::time::Duration;

use renmen_config::Identity;
use renmen_identity::{Choice, Counts, Day, Rules, Scheme};
use renmen_schema::id::TenantId;

use crate::{read_dev, refused};

#[test]
fn what_is_not_said_is_as_it_is_built_in() {
    assert_eq!(read_dev("").identity, Identity::default());
    assert_eq!(read_dev("[identity]\n").identity.rules, Rules::default());
    let said = read_dev("[identity]\nlink_at = 120\nhistory = \"90d\"\n").identity;
    assert_eq!((said.rules.link_at, said.rules.propose_at, said.history), (120, 60, Duration::from_secs(90 * 86_400)));
}

#[test]
fn it_is_on_for_every_tenant_that_is_not_left_out() {
    let tenant = |name: &str| TenantId::new(name).unwrap();
    let identity = read_dev("[identity]\ntenants_off = [\"globex\"]\n").identity;
    assert!(identity.keeps(&tenant("acme")) && !identity.keeps(&tenant("globex")));
    assert!(!read_dev("[identity]\nenabled = false\n").identity.keeps(&tenant("acme")));
}

#[test]
fn a_built_in_rule_is_changed_or_taken_out_and_another_is_added() {
    let text = "[identity.rules.mobile]\nenabled = false\n\n[identity.rules.mail]\nweight = 20\ncounts = \"supports\"\n\n\
                [identity.rules.staff_number]\namong = [\"hr\"]\n\n\
                [identity.rules.north]\nscheme = \"staff_number\"\namong = [\"hr-north\", \"payroll-north\"]\nnames_max = 5\n";
    let rules = read_dev(text).identity.rules.rules;
    assert!(rules.iter().all(|rule| rule.scheme != Scheme::Mobile));
    let named = |name: &str| rules.iter().find(|rule| rule.name == name).unwrap();
    assert_eq!((named("mail").weight, named("mail").counts), (20, Counts::Supports));
    let north = named("north");
    assert_eq!((north.scheme, north.weight, north.people_max, north.among.len()), (Scheme::StaffNumber, 100, 5, 2));
    assert_eq!(rules.len(), Rules::default().rules.len(), "one is out, one is added");
}

#[test]
fn a_rule_that_counts_twice_or_says_nothing_is_explained_at_its_place() {
    let twice = refused("[identity.rules.mine]\nscheme = \"mobile\"\n");
    assert!(twice.contains("the rule `mobile` counts already") && twice.contains(":1:"), "{twice}");
    let nothing = refused("[identity.rules.mine]\nweight = 5\n");
    assert!(
        nothing.contains("`mine` compares is not said") && nothing.contains("staff_number, national_id"),
        "{nothing}"
    );
    let scheme = refused("[identity.rules.mine]\nscheme = \"shoe_size\"\n");
    assert!(scheme.contains("is not a scheme") && scheme.contains(":2:"), "{scheme}");
    assert!(refused("[identity.rules.mail]\ncounts = \"always\"\n").contains("write one of: alone, with_name"));
    assert!(refused("[identity]\npropose_at = 101\n").contains("nothing would ever be proposed"));
    assert!(refused("[identity.rules.mail]\nwieght = 5\n").contains("did you mean `weight`?"));
}

#[test]
fn both_ends_of_every_number_are_kept() {
    for good in [
        "link_at = 1\npropose_at = 1",
        "link_at = 10000",
        "component_max = 2",
        "component_max = 2000",
        "holders_max = 500",
        "values_max = 4",
        "values_max = 200",
        "history = \"1d\"",
        "history = \"3660d\"",
        "takeover_after = \"4s\"",
        "names = { different = 10000 }",
        "rules = { mobile = { weight = 10000, names_max = 500 } }",
    ] {
        read_dev(&format!("[identity]\n{good}\n"));
    }
    for bad in [
        "link_at = 0",
        "link_at = 10001",
        "component_max = 1",
        "component_max = 2001",
        "holders_max = 501",
        "values_max = 3",
        "values_max = 201",
        "history = \"23h\"",
        "history = \"3661d\"",
        "takeover_after = \"3s\"",
        "names = { different = 10001 }",
        "rules = { mobile = { weight = 10001 } }",
        "rules = { mobile = { names_max = 501 } }",
    ] {
        assert!(refused(&format!("[identity]\n{bad}\n")).contains("out of range"), "{bad}");
    }
}

#[test]
fn lists_say_whose_value_is_preferred_and_what_stands_for_nothing() {
    let text = "[identity]\nunknown_birth_dates = [\"1901-02-03\"]\none_each = { hr = [\"employee\"] }\n\
                short_names = { Xiaoming = \"Ming\" }\n\n\
                [identity.prefer]\ndefault = \"most_agreed\"\n\"person.names\" = [\"hr\", \"chat\"]\n\"work.title\" = \"latest\"\n";
    let identity = read_dev(text).identity;
    assert_eq!(identity.rules.unknown_birth_dates, [Day(19_010_203)]);
    assert_eq!(identity.rules.one_each, [("hr".to_owned(), "employee".to_owned())]);
    assert_eq!(identity.rules.short_names["xiaoming"], "ming");
    assert_eq!(identity.prefer.default, Choice::MostAgreed);
    assert_eq!(identity.prefer.fields["person.names"], Choice::Order(vec!["hr".to_owned(), "chat".to_owned()]));
    assert_eq!(identity.prefer.fields["work.title"], Choice::Latest);
    assert!(refused("[identity]\nunknown_birth_dates = [\"1901/02/03\"]\n").contains("is not a date"));
    assert!(refused("[identity]\none_each = { hr = [\"job\"] }\n").contains("write one of: person, employee"));
    assert!(refused("[identity.prefer]\nname = \"oldest\"\n").contains("is not a way to choose"));
}
