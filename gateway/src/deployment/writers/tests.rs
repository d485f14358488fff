use std::collections::BTreeSet;
use std::path::Path;

use renmen_config::LoadOptions;

use super::*;

const MANIFEST: &str = r#"
name = "survey"
version = "1.0.0"
description = "Surveys"
contract = "0.1.0"
[streams.answers]
description = "Answers"
entities = ["survey", "candidate"]
[webhook]
description = "Events"
entities = ["survey", "tag"]
"#;

fn config(text: &str) -> anyhow::Result<Config> {
    Ok(Config::parse(text, Path::new("connectors.toml"), LoadOptions { dev: true, env: &|_| None })?)
}

fn told(more: &str) -> anyhow::Result<String> {
    let config = config(&format!("[connections.survey]\nplugin = \"p.wasm\"\n{more}"))?;
    let connection = config.connections.values().next().cloned().expect("there is one");
    let problems = missing(&connection, &Manifest::parse(MANIFEST)?);
    if problems.is_empty() { Ok(String::new()) } else { Ok(connection.refuse(&config.path, &problems).to_string()) }
}

fn name(text: &str) -> ConnectionName {
    ConnectionName::new(text).expect("a name")
}

/// Of one tenant, who may write what.
fn writers(who: &[(&str, &[EntityKind])]) -> Writers {
    let own = who.iter().map(|(connection, kinds)| (name(connection), kinds.iter().copied().collect()));
    Writers([(TenantId::new("default").expect("a name"), own.collect())].into())
}

#[test]
fn what_a_plugin_carries_is_asked_for_ready_to_paste() -> anyhow::Result<()> {
    let error = told("")?;
    for wanted in [
        "connectors.toml:1:14: `grant.entities` is missing",
        "plugin `survey` carries candidate, survey, tag; write those that you allow: \
         `grant.entities = [\"candidate\", \"survey\", \"tag\"]`",
    ] {
        assert!(error.contains(wanted), "{wanted}\n---\n{error}");
    }
    assert!(
        told("grant = { plaintext = true }\n")?
            .contains("add to `grant` those that you allow: `entities = [\"candidate\"")
    );
    assert_eq!(told("grant.entities = [\"survey\"]\n")?, "");
    assert_eq!(told("grant.entities = []\n")?, "", "nothing is an answer too");
    Ok(())
}

#[test]
fn who_is_meant_is_said_or_can_only_be_one() -> anyhow::Result<()> {
    let one = writers(&[("vendor", &[EntityKind::Interview]), ("payroll", &[EntityKind::PayBand])]);
    let silent = config("")?;
    assert_eq!(sources(&silent, &one).vendors, [name("vendor")].into());
    assert_eq!(pay_bands(&silent, &one), [name("payroll")].into());
    assert!(remarks(&silent, &one).is_empty());

    let two = writers(&[
        ("hr", &[EntityKind::Interview]),
        ("vendor", &[EntityKind::Interview, EntityKind::PayBand]),
        ("payroll", &[EntityKind::PayBand]),
    ]);
    assert!(sources(&silent, &two).vendors.is_empty() && pay_bands(&silent, &two).is_empty(), "no one chose");
    let told = remarks(&silent, &two);
    assert_eq!(told.len(), 2);
    assert!(
        told[0].1.english().contains("`hr`, `vendor` may write `interview`")
            && told[0].1.english().contains("no interview is acted on")
    );
    assert!(told[1].1.english().contains("pay_bands = "), "{}", told[1].1);

    let text =
        "[interview]\nvendors = [\"vendor\"]\npay_bands = [\"payrol\"]\nsources = { vendor = [\"proctoring\"] }\n";
    let said = config(text)?;
    let counted = sources(&said, &two);
    assert_eq!(counted.vendors, [name("vendor")].into());
    assert_eq!(counted.beside[&name("vendor")], [name("proctoring")].into());
    let told: Vec<String> = remarks(&said, &two).into_iter().map(|(place, why)| format!("{place}: {why}")).collect();
    assert!(told[0].starts_with("interview.pay_bands: it names `payrol`"), "{told:?}");
    assert!(told[1].starts_with("interview.sources: it names `proctoring`"), "{told:?}");
    Ok(())
}

#[test]
fn a_flow_that_anybodys_records_set_off_is_told_with_their_names() -> anyhow::Result<()> {
    let flow = |entity: &str, more: &str| {
        let text = format!(
            "[flows.x]\nwhen = {{ entity = \"{entity}\"{more} }}\nto = {{ connection = \"desk\", action = \"a\" }}\nmap = {{}}\n"
        );
        config(&text)
    };
    let who = writers(&[
        ("survey", &[EntityKind::InterviewResult, EntityKind::ProcessNode]),
        ("vendor", &[EntityKind::InterviewResult, EntityKind::Candidate]),
    ]);
    let told = |config: Config| remarks(&config, &who).pop().map(|(place, why)| format!("{place}: {why}"));
    let result = told(flow("interview_result", "")?).unwrap_or_default();
    assert!(
        result.contains("flows.x: `when.connection` is missing") && result.contains(": `survey`, `vendor`;"),
        "{result}"
    );
    assert!(told(flow("process_node", "")?).unwrap_or_default().contains(": `renmen`, `survey`;"));
    assert!(
        told(flow("decision", "")?).unwrap_or_default().contains("connection = \"renmen\""),
        "of the gateway alone too"
    );
    assert_eq!(told(flow("candidate", "")?), None, "there is only one whose it can be");
    assert_eq!(told(flow("interview_result", ", connection = \"vendor\"")?), None);
    Ok(())
}

/// The example deployment with the manifests of its plugins.
#[test]
fn the_shipped_file_says_who_may_write_what_and_whose_records_set_its_flows_off() -> anyhow::Result<()> {
    let env = |_: &str| None;
    let text = include_str!("../../../../connectors.toml");
    let config = Config::parse(text, Path::new("connectors.toml"), LoadOptions { dev: true, env: &env })?;
    let mut own = BTreeMap::new();
    for (name, manifest) in [
        ("dingtalk", include_str!("../../../../plugins/dingtalk/plugin.toml")),
        ("feishu", include_str!("../../../../plugins/feishu/plugin.toml")),
        ("interview", include_str!("../../../../plugins/interview-vendor/plugin.toml")),
        ("payroll", include_str!("../../../../plugins/table-file/plugin.toml")),
    ] {
        let (name, manifest) = (self::name(name), Manifest::parse(manifest)?);
        let connection = &config.connections[&name];
        assert!(missing(connection, &manifest).is_empty(), "{name}");
        assert_eq!(granted(connection).idle(&manifest), [], "{name}");
        own.insert(name, granted(connection).effective(&manifest));
    }
    let writers = Writers([(config.gateway.tenant.clone(), own)].into());
    assert_eq!(remarks(&config, &writers), []);
    assert_eq!(sources(&config, &writers).vendors, [name("interview")].into());
    assert_eq!(pay_bands(&config, &writers), [name("payroll")].into());
    for (name, flow) in &config.flows {
        let definition =
            Definition::parse(&flow.definition).map_err(|defects| anyhow::anyhow!("{name}: {defects:?}"))?;
        assert!(!definition.when.connections.is_empty(), "{name}");
    }
    Ok(())
}

/// The example deployment with the connections that it has in comments: its text, and their names.
fn with_the_offered(example: &str) -> (String, BTreeSet<ConnectionName>) {
    let start = example.find("# Connectors without code").expect("the example offers connectors without code");
    let end = start + example[start..].find("\n# ---").unwrap_or_default();
    let lines = example[start..end].lines().filter_map(|line| line.strip_prefix("# "));
    let code: Vec<&str> = lines.skip_while(|line| !line.starts_with('[')).collect();
    let names = code.iter().filter_map(|line| line.strip_prefix("[connections.")?.strip_suffix(']')).map(name);
    let names = names.collect();
    (format!("{example}\n{}\n", code.join("\n")), names)
}

#[test]
fn the_shipped_file_offers_every_connector_without_code_with_all_that_it_asks_for() -> anyhow::Result<()> {
    let (text, offered) = with_the_offered(include_str!("../../../../connectors.toml"));
    let config = Config::parse(&text, Path::new("connectors.toml"), LoadOptions { dev: true, env: &|_| None })?;
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../declarative/connectors");
    let mut there = BTreeSet::new();
    for folder in std::fs::read_dir(folders)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()? {
        let manifest = Manifest::parse(&std::fs::read_to_string(folder.join("plugin.toml"))?)?;
        let name = name(&manifest.name);
        assert!(text.contains(&format!("/{name}.wasm\"")), "{name} is not in the file");
        if offered.contains(&name) {
            let connection = config.connections.get(&name).ok_or_else(|| anyhow::anyhow!("{name} is not offered"))?;
            assert!(missing(connection, &manifest).is_empty(), "{name}");
            assert_eq!(granted(connection).idle(&manifest), [], "{name}");
            let own = manifest.slots.iter().filter(|(_, slot)| slot.same_as.is_none()).map(|(name, _)| name);
            assert!(connection.slots.keys().eq(own), "{name}: slots");
            assert!(connection.streams.keys().eq(manifest.streams.keys()), "{name}: streams");
        }
        there.insert(name);
    }
    assert!(offered.is_subset(&there), "{offered:?}");
    Ok(())
}

#[test]
fn gateways_that_share_a_database_are_told_to_share_the_key_of_decision_links() -> anyhow::Result<()> {
    let told = |more: &str| -> anyhow::Result<String> {
        let store = "[store]\nurl = \"postgres://renmen@127.0.0.1/renmen\"\n";
        Ok(format!("{:?}", remarks(&config(&format!("{store}{more}"))?, &writers(&[]))))
    };
    let url = "[gateway]\npublic_url = \"https://renmen.example.com\"\n";
    assert!(told(url)?.contains("interview.decision_link_key_file"));
    assert_eq!(told("")?, "[]", "without an address there are no links");
    assert_eq!(told(&format!("{url}[interview]\ndecision_link_key_env = \"KEY\"\n"))?, "[]");
    Ok(())
}
