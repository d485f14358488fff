//! `[flows]` and `[outbox]`: kept as they stand, and told with their place when they turn out to be wrong.

use std::path::Path;
use std::time::Duration;

use renmen_config::{LateProblem, Outbox};
use renmen_schema::Text;
use serde_json::json;

use crate::{read_dev, refused};

const TEXT: &str = r#"
[flows.notes]
when = { entity = "employee", if = "record.number == '${DINGTALK_URL}'" }
fields = ["/number", "/titel"]

[flows.notes.map]
text = '''
record.number +
record.titel'''
"#;

fn problem(key: &str, at: Option<usize>) -> LateProblem {
    LateProblem { key: key.into(), at, message: Text::verbatim("something"), help: Text::verbatim("do this") }
}

#[test]
fn a_flow_is_kept_as_json_with_its_variables_replaced() {
    let config = read_dev(TEXT);
    let flow = &config.flows["notes"];
    assert_eq!(flow.tenant.as_str(), "default");
    assert_eq!(flow.definition["when"]["if"], "record.number == 'http://127.0.0.1:9001'");
    assert_eq!(flow.definition["fields"], json!(["/number", "/titel"]));
    let other = read_dev(&TEXT.replace("[flows.notes]", "[flows.notes]\ntenant = \"globex\""));
    assert_eq!(other.flows["notes"].tenant.as_str(), "globex");
    assert!(other.flows["notes"].definition.get("tenant").is_none());
}

#[test]
fn what_is_wrong_with_it_is_told_where_it_stands() {
    let config = read_dev(TEXT);
    let told = |key: &str, at: Option<usize>| {
        let error = config.flows["notes"].refuse(Path::new("c.toml"), &[problem(key, at)]);
        (error.problems[0].line, error.problems[0].column, error.problems[0].key.clone())
    };
    assert_eq!(told("fields[1]", None), (4, 22, "flows.notes.fields[1]".into()));
    assert_eq!(told("when.entity", None), (3, 19, "flows.notes.when.entity".into()));
    assert_eq!(told("when.if", Some(7)), (3, 44, "flows.notes.when.if".into()));
    assert_eq!(told("map.text", Some(16)), (9, 1, "flows.notes.map.text".into()), "in the second line of its text");
    assert_eq!(told("to", None).0, 2, "what is missing is told at the flow");
    assert_eq!(told("", None).0, 2);
    assert_eq!(told("map.absent", None).0, 6, "or at the table that it is missing in");
    let text = config.flows["notes"].refuse(Path::new("c.toml"), &[problem("fields[1]", None)]).to_string();
    assert!(text.contains("c.toml:4:22: something") && text.contains("fix: do this"), "{text}");
}

#[test]
fn several_problems_come_in_the_order_of_the_file() {
    let config = read_dev(TEXT);
    let problems = [problem("map.text", None), problem("when.entity", None)];
    let error = config.flows["notes"].refuse(Path::new("c.toml"), &problems);
    assert!(error.problems[0].line < error.problems[1].line);
}

#[test]
fn a_name_that_is_none_and_a_limit_out_of_range_are_told() {
    assert!(refused("[flows.\"Big Flow\"]\nwhen = {}\n").contains("Big Flow"));
    assert!(refused("[outbox]\nhops_max = 0\n").contains("hops_max"));
    assert!(refused("[outbox]\nhop_max = 3\n").contains("did you mean `hops_max`"));
    assert!(refused("[outbox]\nkeep = \"5m\"\n").contains("out of range"));
}

#[test]
fn the_limits_of_the_outbox_have_defaults_and_can_be_set() {
    assert_eq!(read_dev("").outbox, Outbox::default());
    let outbox = read_dev("[outbox]\nhops_max = 3\necho_window = \"1h\"\ninput_bytes_max = \"64KiB\"\n").outbox;
    let expected =
        Outbox { hops_max: 3, echo_window: Duration::from_secs(3_600), input_bytes_max: 64 << 10, ..Outbox::default() };
    assert_eq!(outbox, expected);
}

#[test]
fn a_connection_says_what_never_reaches_it() {
    let people = |more: &str| format!("[connections.vendor]\nplugin = \"v.wasm\"\n{more}\n");
    let vendor = &read_dev(&people("scoring = true\nwithhold = [\"/person/gender\"]")).connections;
    let vendor = vendor.values().next().unwrap();
    assert!(vendor.scoring);
    assert_eq!(vendor.withhold, ["/person/gender"]);
    let told = crate::read(&people("withhold = [\"gender\"]"), true).unwrap_err().to_string();
    assert!(told.contains("`gender` is not a field") && told.contains("connectors.toml:3:"), "{told}");
}

#[test]
fn a_rule_of_what_is_withheld_leads_to_a_field_or_is_refused_with_what_was_meant() {
    let told = |field: &str| {
        let text = format!("[connections.vendor]\nplugin = \"v.wasm\"\nwithhold = [\"/number\", \"{field}\"]\n");
        crate::read(&text, true).map(drop).map_err(|error| error.to_string())
    };
    for good in ["/person/gender", "/person/emails/*/address", "/overall", "/ext/payroll/iban"] {
        assert_eq!(told(good), Ok(()), "{good}");
    }
    for (bad, parts) in [
        ("/person/names/fromatted", &["did you mean `/person/names/formatted`?", "connectors.toml:3:24"][..]),
        ("/person/emails/0/address", &["one item of a list", "write `*` for every item: \"/person/emails/*/address\""]),
        ("/person/emails/address", &["is a list", "\"/person/emails/*/address\""]),
        ("/colour", &["no entity has a field `colour`", "renmen schema"]),
        ("/", &["`/` is not a field"]),
    ] {
        let error = told(bad).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{bad}: {error}");
    }
}
