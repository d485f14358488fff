//! Tables of groups that were worked by hand: the four-fifths rule, and the two tables of Local Law 144.

use renmen_insight::Row;
use renmen_insight::figure::Why;
use renmen_insight::question::fairness::{GroupFigures, ImpactTable};

use crate::acceptance::fairness;
use crate::rows::{application, ask, group, interview, left_out, overall, person};

/// Groups with how many there are and how many were selected.
fn selected(groups: &[(&'static str, u64, u64)]) -> ImpactTable {
    let mut rows = Vec::new();
    let mut n = 0;
    for (value, total, chosen) in groups {
        for at in 0..*total {
            let mut made = application(n);
            made.selected = Some(at < *chosen);
            rows.extend([person(n), group(n, "gender", Some(value)), Row::Application(made)]);
            n += 1;
        }
    }
    ask(fairness(&["gender"]), &rows).selection.remove(0)
}

fn ratios(groups: &[GroupFigures]) -> Vec<(&str, String, bool)> {
    let ratio = |group: &GroupFigures| group.ratio.map_or_else(|| "none".to_owned(), |ratio| ratio.to_string());
    groups.iter().map(|group| (group.value.as_str(), ratio(group), group.flagged)).collect()
}

/// The example of the Uniform Guidelines: of 80 applicants of one group 48 are hired (60 %), of 40 of the other 12 (30 %): one half.
#[test]
fn four_fifths_by_hand() {
    let table = selected(&[("a", 80, 48), ("b", 40, 12)]);
    assert_eq!(ratios(&table.groups), [("a", "1".into(), false), ("b", "0.5".into(), true)]);
    assert_eq!(table.lowest_ratio.unwrap().to_string(), "0.5");
    // By SciPy's fisher_exact.
    let p = table.groups[1].impact.p.unwrap();
    assert!((p.alone - 0.003_409_221_767_849_183).abs() < 1e-12 && p.adjusted == p.alone, "{p:?}");
    assert_eq!(table.groups[0].impact.p, None, "the best group is not compared with itself");
}

#[test]
fn exactly_0_80_is_not_flagged_and_a_hair_below_is() {
    // 40 of 100 against 50 of 100, and 3,999 of 10,000 against the same share.
    assert_eq!(ratios(&selected(&[("a", 100, 50), ("b", 100, 40)]).groups)[1], ("b", "0.8".into(), false));
    assert_eq!(ratios(&selected(&[("a", 1_000, 500), ("b", 10_000, 3_999)]).groups)[1], ("b", "0.7998".into(), true));
    // 1/3 over 5/12 is 0.8 although neither is a finite decimal.
    assert_eq!(ratios(&selected(&[("a", 120, 50), ("b", 120, 40)]).groups)[1], ("b", "0.8".into(), false));
}

/// Worked by hand, in the form of the Department's sample for a tool that selects.
///
/// | group | applicants | selected | rate | ratio |
/// |---|---|---|---|---|
/// | Hispanic | 408 | 204 | 0.5 | 1 |
/// | White | 797 | 350 | 0.439146 | 0.878294 |
/// | Black | 390 | 168 | 0.430769 | 0.861538 |
/// | Asian | 378 | 150 | 0.396825 | 0.793651 |
/// | Two or more | 24 | 4 | not compared: 24 of 1,997 is 1.2 % | |
#[test]
fn selection_by_hand() {
    let table = selected(&[
        ("Hispanic", 408, 204),
        ("White", 797, 350),
        ("Black", 390, 168),
        ("Asian", 378, 150),
        ("Two or more", 24, 4),
    ]);
    let expected = [
        ("Asian", "0.793651".to_owned(), true),
        ("Black", "0.861538".to_owned(), false),
        ("Hispanic", "1".to_owned(), false),
        ("White", "0.878294".to_owned(), false),
    ];
    assert_eq!(ratios(&table.groups), expected);
    assert_eq!(ratios(&table.small), [("Two or more", "none".into(), false)]);
    assert_eq!((table.small[0].rate.n, table.small[0].few), (24, true));
    assert_eq!(table.lowest_ratio.unwrap().to_string(), "0.793651");
}

/// Ten scores: 10, 20, … 100 per cent, the median is 55. Women have 10, 30, 50, 70, 90 (two of five above), men 20, 40, 60, 80, 100
/// (three of five): 0.4 over 0.6 is two thirds.
#[test]
fn scoring_rates_are_shares_above_the_median_of_all() {
    let mut rows = Vec::new();
    for n in 0..10 {
        let value = if n % 2 == 0 { "FEMALE" } else { "MALE" };
        rows.extend([person(n), group(n, "gender", Some(value)), Row::Interview(interview(n))]);
        rows.push(overall(n, (n + 1) as f64 / 10.0));
    }
    let report = ask(fairness(&["gender"]), &rows);
    assert_eq!(report.median_score, Some(0.55));
    let table = &report.scoring[0];
    assert_eq!(ratios(&table.groups), [("FEMALE", "0.666667".into(), true), ("MALE", "1".into(), false)]);
    assert_eq!(table.groups[0].mean_score.value, Some(0.5));
    assert!(table.groups.iter().all(|group| group.few), "five people say little, and it is said");
}

#[test]
fn groups_cross_and_one_unknown_attribute_makes_a_person_unknown() {
    let mut rows = Vec::new();
    for n in 0..8 {
        let gender = if n % 2 == 0 { "F" } else { "M" };
        let ethnicity = if n == 7 { None } else { Some(if n < 4 { "x" } else { "y" }) };
        let mut made = application(n);
        made.selected = Some(n % 2 == 0);
        rows.extend([
            person(n),
            group(n, "gender", Some(gender)),
            group(n, "ethnicity", ethnicity),
            Row::Application(made),
        ]);
    }
    rows.push(left_out(8, Why::NoConsent));
    rows.extend([group(8, "gender", Some("F")), Row::Application(application(8))]);
    let report = ask(fairness(&["gender", "ethnicity"]), &rows);
    let table = &report.selection[0];
    assert_eq!(table.attribute, "gender+ethnicity");
    let groups: Vec<_> = table.groups.iter().map(|group| (group.value.as_str(), group.rate.n)).collect();
    assert_eq!(groups, [("F+x", 2), ("F+y", 2), ("M+x", 2), ("M+y", 1)]);
    assert_eq!(table.unknown.total(), 1);
    assert_eq!(report.left_out.count(Why::NoConsent), 1);
}

#[test]
fn where_no_one_is_selected_or_there_is_one_group_nothing_is_compared() {
    for table in [selected(&[("a", 50, 0), ("b", 50, 0)]), selected(&[("a", 50, 10)])] {
        assert_eq!(table.lowest_ratio, None);
        assert!(table.groups.iter().all(|group| !group.flagged && group.ratio.is_none()));
    }
}
