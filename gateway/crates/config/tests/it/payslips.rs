//! How far a payslip may be from adding up, on both sides of what may be said.

use renmen_config::{AboveTolerance, Payslips};

fn payslips(text: &str) -> Result<Payslips, String> {
    let file = format!("[connections.a]\nplugin = \"p.wasm\"\npayslips = {{ {text} }}\n");
    crate::read(&file, true)
        .map(|config| config.connections.values().next().unwrap().payslips)
        .map_err(|e| e.to_string())
}

#[test]
fn a_tolerance_goes_from_nothing_to_a_million() {
    for tolerance in ["0", "0.000001", "1000000"] {
        let read = payslips(&format!("tolerance = \"{tolerance}\"")).unwrap();
        assert_eq!((read.tolerance.to_string().as_str(), read.above), (tolerance, AboveTolerance::Quarantine));
    }
    for tolerance in ["\"-0.01\"", "\"1000000.01\"", "\"0.0000001\"", "\"1 CNY\"", "0.01"] {
        let told = payslips(&format!("tolerance = {tolerance}")).unwrap_err();
        assert!(told.contains("tolerance") && told.contains("0.01"), "{told}");
    }
}

#[test]
fn what_is_above_is_kept_out_or_taken_in() {
    assert_eq!(payslips("above = \"accept\"").unwrap().above, AboveTolerance::Accept);
    assert_eq!(payslips("above = \"quarantine\"").unwrap().above, AboveTolerance::Quarantine);
    assert_eq!(payslips("").unwrap().above, AboveTolerance::Quarantine, "an empty section is enough");
    assert_eq!(Payslips::default().above, AboveTolerance::Accept, "nothing is kept out that was not asked for");
    let told = payslips("above = \"ignore\"").unwrap_err();
    assert!(told.contains("write \"quarantine\" or \"accept\""), "{told}");
    assert!(payslips("below = \"accept\"").is_err());
}
