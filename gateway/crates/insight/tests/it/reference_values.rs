//! Against what SciPy and statsmodels say about the same numbers: to 1e-9.

use renmen_insight::stats::{
    Coefficient, Correction, Correlation, Interval, adjusted, difference_of_correlations, fisher_exact, pearson,
    quantile, rank_sum, spearman, two_proportions, wilson,
};
use serde_json::Value;

use crate::numbers::pairs;

fn reference(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("reference/reference.json")).unwrap();
    let list = all[section].as_array().unwrap().clone();
    assert!(!list.is_empty(), "{section}");
    list
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// 1e-9 in all, of values above one 1e-9 of the value; and a p value of 1e-200 must be right in its own size.
#[track_caller]
fn close(what: &str, found: f64, expected: f64) {
    let error = (found - expected).abs();
    assert!(error <= 1e-9 * expected.abs().max(1.0), "{what}: {found} is not {expected}, {error} apart");
    let tail = what.ends_with('p') && expected > 1e-290;
    assert!(!tail || error <= 1e-7 * expected, "{what}: {found} is not {expected} in its own size");
}

#[track_caller]
fn close_list(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    found.iter().zip(expected).for_each(|(found, expected)| close(what, *found, *expected));
}

#[test]
fn correlations_are_those_of_scipy() {
    for case in reference("correlations") {
        let n = count(&case["n"]);
        let (x, y) =
            pairs(count(&case["seed"]), n as usize, case["slope"].as_f64().unwrap(), case["levels"].as_f64().unwrap());
        for (name, found) in [("pearson", pearson(&x, &y, 0.95)), ("spearman", spearman(&x, &y, 0.95))] {
            let Correlation { n: counted, r, interval: Interval { low, high }, p } = found.unwrap();
            let expected = numbers(&case[name]);
            let what = format!("{name} of {n}");
            assert_eq!(counted, n);
            close(&what, r, expected[0]);
            close(&format!("{what} p"), p, expected[1]);
            close_list(&what, &[low, high], &expected[2..]);
        }
    }
}

#[test]
fn what_has_no_spread_has_no_correlation() {
    let rising = [1.0, 2.0, 3.0, 4.0];
    for flat in [[0.1; 4], [1e9; 4]] {
        assert_eq!(pearson(&flat, &rising, 0.95), None);
        assert_eq!(spearman(&rising, &flat, 0.95), None);
    }
    assert_eq!(pearson(&rising[..2], &rising[..2], 0.95), None);
    assert_eq!(pearson(&rising, &rising[..3], 0.95), None);
    assert_eq!(pearson(&[1.0, f64::NAN, 2.0], &[1.0, 2.0, 3.0], 0.95), None);
    let perfect = pearson(&rising, &rising, 0.95).unwrap();
    assert_eq!((perfect.r, perfect.p), (1.0, 0.0));
}

#[test]
fn differences_of_correlations_follow_fisher_and_zou() {
    let of = |value: &Value| {
        let (r, n) = (value[0].as_f64().unwrap(), count(&value[1]));
        Correlation { n, r, interval: Interval { low: 0.0, high: 0.0 }, p: 0.0 }
    };
    for case in reference("differences") {
        let found = difference_of_correlations(&of(&case["before"]), &of(&case["after"]), 0.95).unwrap();
        let found = [found.value, found.interval.low, found.interval.high, found.p];
        close_list("difference", &found, &numbers(&case["expected"]));
    }
    let small = Correlation { n: 3, r: 0.5, interval: Interval { low: -1.0, high: 1.0 }, p: 0.7 };
    assert_eq!(difference_of_correlations(&small, &small, 0.95), None);
}

#[test]
fn tables_of_two_by_two_are_those_of_scipy_and_statsmodels() {
    for case in reference("tables") {
        let table: Vec<u64> = case["table"].as_array().unwrap().iter().map(count).collect();
        let [a, b, c, d] = table[..] else { panic!("{case}") };
        let exact = fisher_exact(a, b, c, d).unwrap();
        close(&format!("{table:?} p"), exact, case["fisher"].as_f64().unwrap());
        let two = two_proportions((a, a + b), (c, c + d), 0.95);
        match case["two"].as_array() {
            Some(_) => {
                let two = two.unwrap();
                let found = [two.difference, two.interval.low, two.interval.high, two.z, two.p];
                close_list(&format!("{table:?}"), &found, &numbers(&case["two"]));
            }
            None => assert_eq!(two, None),
        }
    }
    assert_eq!(fisher_exact(0, 0, 3, 4), None);
    assert_eq!(two_proportions((5, 5), (7, 7), 0.95), None);
}

#[test]
fn shares_corrections_and_quantiles_are_those_of_statsmodels_and_numpy() {
    for case in reference("shares") {
        let found = wilson(count(&case[0]), count(&case[1]), case[2].as_f64().unwrap()).unwrap();
        close_list(&case.to_string(), &[found.low, found.high], &numbers(&case)[3..]);
    }
    assert_eq!((wilson(0, 0, 0.95), wilson(2, 1, 0.95)), (None, None));
    for case in reference("corrections") {
        let p = numbers(&case["p"]);
        close_list("Benjamini and Hochberg", &adjusted(Correction::BenjaminiHochberg, &p), &numbers(&case["bh"]));
        close_list("Holm", &adjusted(Correction::Holm, &p), &numbers(&case["holm"]));
    }
    for case in reference("quantiles") {
        let values = numbers(&case["values"]);
        let found: Vec<f64> = numbers(&case["q"]).into_iter().map(|q| quantile(&values, q).unwrap()).collect();
        close_list("quantile", &found, &numbers(&case["expected"]));
    }
    assert_eq!((quantile(&[], 0.5), quantile(&[1.0], 1.1)), (None, None));
}

#[test]
fn rank_sums_are_those_of_scipy() {
    for case in reference("rank_sums") {
        let (n, m) = (count(&case["n"]) as usize, count(&case["m"]) as usize);
        let (x, _) = pairs(count(&case["seed"]), n + m, 0.0, case["levels"].as_f64().unwrap());
        let shift = case["shift"].as_f64().unwrap();
        let first: Vec<f64> = x[..n].iter().map(|value| value + shift).collect();
        let found = rank_sum(&first, &x[n..]).unwrap();
        close_list("rank sum", &[found.u, found.superiority, found.p, found.p_below], &numbers(&case["expected"]));
    }
    assert_eq!(rank_sum(&[1.0, 1.0], &[1.0]), None);
    assert_eq!(rank_sum(&[], &[1.0]), None);
}

#[test]
fn both_coefficients_differ_where_a_relation_is_not_a_line() {
    let x: Vec<f64> = (1..=20).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| x.exp()).collect();
    let [line, rank] = [pearson(&x, &y, 0.95), spearman(&x, &y, 0.95)].map(|found| found.unwrap().r);
    assert!(line < 0.6 && rank == 1.0, "{line} {rank} {:?}", Coefficient::Spearman);
}
