//! What the SDK spells for the contract is what the contract spells.

use renmen_plugin::FailureKind;

/// The cases of an enum of the contract, in its order.
fn cases(name: &str) -> Vec<&'static str> {
    let contract = include_str!("../../wit/connector.wit");
    let (_, rest) = contract.split_once(&format!("enum {name} {{")).unwrap();
    let (body, _) = rest.split_once('}').unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("///"));
    lines.map(|line| line.trim_end_matches(',')).collect()
}

#[test]
fn the_kinds_of_failure_are_those_of_the_contract_in_its_order() {
    assert_eq!(FailureKind::ALL.map(FailureKind::name).to_vec(), cases("failure-kind"));
    assert_eq!(FailureKind::RateLimited.to_string(), "rate-limited");
}
