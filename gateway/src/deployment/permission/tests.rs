use std::path::Path;

use renmen_config::{Config, LoadOptions};

use super::*;

/// Two generations of one API, a token endpoint, an event connection, a slot that is never sent.
const MANIFEST: &str = r#"
name = "two-ages"
version = "1.0.0"
description = "Two generations"
contract = "0.1.0"
[streams.users]
description = "Everybody"
entities = ["employee"]
[webhook]
description = "Events"
[webhook.socket]
open = { body = {}, endpoint = "/e", ticket = "/t", ticket_query = "t" }
event = { when = { "/type" = "EVENT" }, id = "/id", body = "/data" }
answers = { taken = {}, later = {}, refused = {} }
open_url = "{api_url}/open"
slot = "app"
hosts = ["https://*.events.example.com"]
[http]
hosts = ["{api_url}", "https://old.example.com", "drop:", "{unset}"]
methods = ["GET", "POST"]
[slots.app]
description = "The app"
audience = ["{api_url}"]
auth = { type = "json_token", token_url = "https://login.example.com/token", fields = { id = "{id}" }, token = "/t" }
[slots.app_old]
description = "The app, older API"
same_as = "app"
audience = ["https://old.example.com"]
auth = { type = "basic" }
[slots.callback]
description = "Signs"
optional = true
[config_schema.properties.api_url]
type = "string"
[config_schema.properties.unset]
type = "string"
"#;

const CONNECTION: &str =
    "[connections.ages]\nplugin = \"p.wasm\"\nconfig = { api_url = \"https://api.example.com/v1\" }\n";

fn read(more: &str) -> anyhow::Result<(Config, Connection, Manifest)> {
    let digest = format!("digest = \"sha256:{}\"\n", "0".repeat(64));
    let text = format!("{CONNECTION}{digest}{more}");
    let config = Config::parse(&text, Path::new("connectors.toml"), LoadOptions { dev: false, env: &|_| None })?;
    let connection = config.connections.values().next().cloned().expect("there is one");
    Ok((config, connection, Manifest::parse(MANIFEST)?))
}

/// What is told of a connection with these lines more.
fn told(more: &str) -> anyhow::Result<String> {
    let (config, connection, manifest) = read(more)?;
    let problems = missing(&connection, &manifest);
    if problems.is_empty() { Ok(String::new()) } else { Ok(connection.refuse(&config.path, &problems).to_string()) }
}

#[test]
fn hosts_methods_and_destinations_are_asked_for_with_their_place_and_with_what_to_write() -> anyhow::Result<()> {
    let error = told("slots.app = { env = \"APP\" }\n")?;
    for wanted in [
        "connectors.toml:1:14: `grant.hosts` is missing",
        "key: connections.ages.grant.hosts",
        "plugin `two-ages` asks for {api_url} (here https://api.example.com), https://old.example.com, https://login.example.com; \
         write those that you allow: `grant.hosts = [\"{api_url}\", \"https://old.example.com\", \"https://login.example.com\"]`",
        "connectors.toml:1:14: `grant.methods` is missing",
        "`grant.methods = [\"GET\", \"POST\"]`",
        "connectors.toml:5:13: it is not said where the secret of slot `app` may go",
        "`slots.app = { env = \"APP\", to = [\"{api_url}\", \"https://login.example.com\", \"https://old.example.com\"] }`",
    ] {
        assert!(error.contains(wanted), "{wanted}\n---\n{error}");
    }
    Ok(())
}

#[test]
fn what_the_operator_wrote_is_enough_and_each_part_of_it_is_needed() -> anyhow::Result<()> {
    let hosts = "grant.hosts = [\"{api_url}\"]\n";
    let methods = "grant.methods = [\"GET\"]\n";
    let slot = "slots.app = { env = \"APP\", to = [\"{api_url}\", \"https://login.example.com\"] }\n";
    assert_eq!(told(&format!("{hosts}{methods}{slot}"))?, "");
    for (text, key) in [
        (format!("{methods}{slot}"), "grant.hosts"),
        (format!("{hosts}{slot}"), "grant.methods"),
        (format!("{hosts}{methods}{}", "slots.app = { vault = \"app\" }\n"), "slots.app"),
    ] {
        let error = told(&text)?;
        assert_eq!(error.matches("key: ").count(), 1, "{error}");
        assert!(error.contains(&format!("key: connections.ages.{key}")), "{error}");
    }
    // A `grant` that is there is added to.
    assert!(told("grant = { plaintext = true }\n")?.contains("add to `grant` those that you allow: `hosts = ["));
    Ok(())
}

#[test]
fn a_secret_that_is_not_given_or_never_sent_needs_no_destination() -> anyhow::Result<()> {
    let granted = "grant = { hosts = [\"{api_url}\"], methods = [\"GET\"] }\n";
    assert_eq!(told(&format!("{granted}slots.callback = {{ env = \"SIGN\" }}\n"))?, "");
    assert_eq!(told(granted)?, "");
    Ok(())
}

#[test]
fn an_event_connection_counts_only_where_it_is_switched_on() -> anyhow::Result<()> {
    let slot = "slots.app = { env = \"APP\" }\n";
    assert!(!told(slot)?.contains("events.example.com"));
    let error = told(&format!("event_socket = true\n{slot}"))?;
    assert_eq!(
        error.matches("\"https://*.events.example.com\"").count(),
        2,
        "grant.hosts and the slot that opens it: {error}"
    );
    Ok(())
}

fn reach(to: &[&str]) -> Reach {
    let slot =
        renmen_egress::SlotReach { filled: true, to: to.iter().map(ToString::to_string).collect(), token_url: None };
    let name = SlotName::new("app_old").expect("a name");
    Reach { hosts: vec![], methods: vec![], slots: [(name, slot)].into() }
}

#[test]
fn what_can_never_be_is_told_where_it_is_written() -> anyhow::Result<()> {
    let (config, connection, manifest) = read(
        "slots.app = { env = \"APP\", to = [\"{api_url}\"] }\nslots.callback = { env = \"SIGN\", to = [\"https://a.example.com\"] }\n",
    )?;
    let told = |reach: &Reach| connection.refuse(&config.path, &idle(&connection, &manifest, reach)).to_string();
    let error = told(&reach(&[]));
    for wanted in [
        "connectors.toml:5:13: the credential of slot `app_old` may go nowhere",
        "sends it to {api_url} (here https://api.example.com), https://login.example.com, https://old.example.com; of these, \
         `grant.hosts` and `to` of slot `app` must both allow one",
        "connectors.toml:6:18: the secret of slot `callback` is never sent",
    ] {
        assert!(error.contains(wanted), "{wanted}\n---\n{error}");
    }
    assert!(!told(&reach(&["https://old.example.com"])).contains("may go nowhere"));
    Ok(())
}
