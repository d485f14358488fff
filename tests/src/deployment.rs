//! The example deployment with the systems on that it has off because they need an account: ERP, CRM and finance, each at its
//! simulator's address. The demo and the end-to-end test of its story run it.

use anyhow::Context as _;

use serde_json::json;

use crate::sap_business_one::Company;
use crate::{assertion, odoo, salesforce};

/// Where the simulators are: `http://127.0.0.1:4711`.
pub struct Offices<'a> {
    /// ERP with its sales: Odoo.
    pub odoo: &'a str,
    /// CRM: Salesforce.
    pub salesforce: &'a str,
    /// The ledger: SAP Business One.
    pub ledger: &'a str,
}

/// The text of connectors.toml with those sections on.
///
/// # Errors
/// A section or a key that is not where it was.
pub fn with_books(text: &str, offices: &Offices<'_>) -> anyhow::Result<String> {
    let mut text = text.to_owned();
    let (odoo, crm, ledger) = (offices.odoo, offices.salesforce, offices.ledger);
    let odoo: &[(&str, &str)] = &[("https://company.odoo.com", odoo)];
    let crm: &[(&str, &str)] = &[
        ("https://company.my.salesforce.com", crm),
        ("https://login.salesforce.com", crm),
        ("robot@company.example", salesforce::USER),
    ];
    let ledger: &[(&str, &str)] = &[("https://sap.company.example:50000", ledger)];
    for (section, replacements) in [
        ("connections.odoo", odoo),
        ("connections.odoo-crm", odoo),
        ("connections.salesforce", crm),
        ("connections.sap-business-one", ledger),
    ] {
        let mut all = vec![("methods = [", "plaintext = true, addresses = [\"127.0.0.0/8\"], methods = [")];
        all.extend(replacements);
        text = switched_on(&text, section, &all)?;
    }
    switched_on(&text, "journals.payroll", &[])
}

/// The secrets of those systems, by the variables that the deployment names.
#[must_use]
pub fn secrets() -> [(&'static str, String); 3] {
    let app = json!({ "client_id": salesforce::CLIENT_ID, "private_key": assertion::KEY });
    [("ODOO_KEY", odoo::KEY.to_owned()), ("SALESFORCE_APP", app.to_string()), ("SAP_B1_USER", Company::user())]
}

/// A section without its `enabled = false`, and with other texts in it.
fn switched_on(text: &str, section: &str, replacements: &[(&str, &str)]) -> anyhow::Result<String> {
    let head = format!("\n[{section}]\n");
    let begin = text.find(&head).with_context(|| format!("the deployment has no [{section}]"))? + head.len();
    let end = text[begin..].find("\n[").map_or(text.len(), |end| begin + end);
    let mut body = text[begin..end].to_owned();
    for (from, to) in replacements.iter().copied().chain([("enabled = false\n", "")]) {
        anyhow::ensure!(body.contains(from), "[{section}] has no `{from}`");
        body = body.replace(from, to);
    }
    Ok(format!("{}{body}{}", &text[..begin], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_section_is_switched_on_and_the_others_stay() {
        let text = "\n[a]\nenabled = false\nurl = \"x\"\n\n[b]\nenabled = false\nurl = \"x\"\n";
        let on = switched_on(text, "a", &[("\"x\"", "\"y\"")]).unwrap();
        assert_eq!(on, "\n[a]\nurl = \"y\"\n\n[b]\nenabled = false\nurl = \"x\"\n");
        assert!(switched_on(text, "c", &[]).unwrap_err().to_string().contains("no [c]"));
        assert!(switched_on(text, "a", &[("z", "")]).unwrap_err().to_string().contains("`z`"));
    }
}
