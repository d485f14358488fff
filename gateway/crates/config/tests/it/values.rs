//! Every section with everything in it.

use std::path::Path;
use std::time::Duration;

use renmen_config::{AboveTolerance, KeySource, Schedule, Sharing, Slot, SlotSource};

use crate::{read, read_dev, refused};

const WHOLE: &str = r#"
[gateway]
listen = "[::1]:8080"
data_dir = "data"
data_dir_parents = "trust"
cache_dir = "/var/cache/renmen"
tenant = "acme"
shutdown_wait = "5s"
plugin_threads = 3
parallel_calls = 32
parallel_runs = 8
run_turn = "1s"

[store]
url = "postgres://renmen:${DB_PASSWORD}@db.internal:5433/hr?sslmode=require"
cache_bytes = "16MiB"
checkpoint_pages = 1000
synchronous = "normal"
readers = 8
disk_free_bytes_min = "1GiB"
read_timeout = "2s"
insight_timeout = "90s"
intake_group = 32
intake_wait = "5ms"
intake_committers = 8
poll = "1s"

[vault]
path = "secrets.json"
key_file = "/run/secrets/key"

[limits]
memory_bytes_max = "64MiB"
retries_max = 1

[connections.people]
plugin = "plugins/dingtalk.wasm"
digest = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
tenant = "branch-2"
config = { base_url = "${DINGTALK_URL:-https://api.dingtalk.com}", other = "${ABSENT:-https://o.example}", deep = { list = [1, 2.5, true, "$$5"] } }
grant = { hosts = ["{base_url}", "https://*.example.com"], methods = ["get", "POST"], plaintext = true, addresses = ["127.0.0.0/8", "::1"], drop = "./inbox" }
slots.app = { env = "DINGTALK_APP", to = ["{base_url}", "https://login.example.com/"] }
slots.old = { file = "app.json", public = ["client_id", "/app/id"] }
slots.third = { vault = "dingtalk/app" }
streams.employees = { every = "15m" }
streams.roster = { cron = "30 2 * * MON-FRI", zone = "Asia/Shanghai", enabled = false }
streams.leavers = { manual = true }
payslips = { tolerance = "1.5", above = "accept" }
limits = { retries_max = 2, rate = { requests = 20, per = "1s", burst = 5 } }

[connections.off]
plugin = "/opt/p.wasm"
digest = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
enabled = false
"#;

#[test]
fn the_process_the_store_and_the_vault_are_read() {
    let config = read(WHOLE, false).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.gateway.listen.to_string(), "[::1]:8080");
    assert_eq!(config.gateway.data_dir, Path::new("/etc/renmen/data"));
    assert!(config.gateway.data_dir_parents_trusted);
    assert_eq!(config.gateway.cache_dir, Path::new("/var/cache/renmen"));
    assert_eq!(config.gateway.shutdown_wait, Duration::from_secs(5));
    let sharing = Sharing { plugin_threads: 3, parallel_calls: 32, parallel_runs: 8, run_turn: Duration::from_secs(1) };
    assert_eq!(config.gateway.sharing, sharing);
    assert!(config.store.url.is_postgres());
    assert!(config.store.url.expose().contains("canary-db@db.internal:5433"));
    assert_eq!((config.store.cache_bytes, config.store.checkpoint_pages, config.store.readers), (16 << 20, 1000, 8));
    assert!(!config.store.synchronous_full);
    assert_eq!(config.store.read_timeout, Duration::from_secs(2));
    assert_eq!(config.store.insight_timeout, Duration::from_secs(90));
    assert_eq!(config.store.disk_free_bytes_min, 1 << 30);
    assert_eq!((config.store.intake_group, config.store.intake_committers), (32, 8));
    assert_eq!((config.store.intake_wait, config.store.poll), (Duration::from_millis(5), Duration::from_secs(1)));
    let vault = config.vault.unwrap();
    assert_eq!(vault.path, Path::new("/etc/renmen/secrets.json"));
    assert_eq!(vault.key, KeySource::File("/run/secrets/key".into()));
}

#[test]
fn a_stream_that_is_off_needs_no_time_and_one_that_is_on_does() {
    let with =
        |stream: &str| read(&format!("[connections.people]\nplugin = \"p.wasm\"\nstreams.leavers = {stream}\n"), true);
    let config = with("{ enabled = false }").unwrap();
    let stream = &config.connections[&"people".parse().unwrap()].streams[&"leavers".parse().unwrap()];
    assert!(!stream.enabled);
    assert!(with("{ enabled = true }").unwrap_err().to_string().contains("`enabled = false` switches it off"));
    assert!(with("{ enabled = false, evry = \"5m\" }").unwrap_err().to_string().contains("`every`"));
}

#[test]
fn a_connection_is_read_with_its_grant_slots_and_streams() {
    let config = read(WHOLE, false).unwrap();
    let people = &config.connections[&"people".parse().unwrap()];
    assert_eq!(people.tenant.as_str(), "branch-2");
    assert_eq!(people.config["base_url"], "http://127.0.0.1:9001");
    assert_eq!(people.config["other"], "https://o.example");
    assert_eq!(people.config["deep"]["list"], serde_json::json!([1, 2.5, true, "$5"]));
    let grant = &people.grant;
    assert_eq!(grant.hosts.as_deref().unwrap(), ["{base_url}", "https://*.example.com"]);
    assert_eq!(grant.methods.as_deref().unwrap(), ["GET", "POST"]);
    assert!(grant.plaintext);
    assert_eq!(grant.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["127.0.0.0/8", "::1/128"]);
    assert_eq!(grant.drop.as_deref(), Some(Path::new("/etc/renmen/inbox")));
    let payslips = people.payslips;
    assert_eq!((payslips.tolerance.to_string().as_str(), payslips.above), ("1.5", AboveTolerance::Accept));
    let slots: Vec<_> = people.slots.values().cloned().collect();
    let to = Some(vec!["{base_url}".to_owned(), "https://login.example.com".to_owned()]);
    assert_eq!(
        slots,
        [
            Slot { source: SlotSource::Env("DINGTALK_APP".into()), to, public: vec![] },
            Slot {
                source: SlotSource::File("/etc/renmen/app.json".into()),
                to: None,
                public: vec!["client_id".into(), "/app/id".into()]
            },
            Slot { source: SlotSource::Vault("dingtalk/app".into()), to: None, public: vec![] }
        ]
    );
    let stream = |name: &str| &people.streams[&name.parse().unwrap()];
    assert_eq!(stream("employees").schedule, Schedule::Every(Duration::from_secs(900)));
    assert_eq!(stream("leavers").schedule, Schedule::Manual);
    let roster = stream("roster");
    assert!(!roster.enabled);
    assert_eq!(roster.schedule, Schedule::Cron { expr: "30 2 * * MON-FRI".into(), zone: "Asia/Shanghai".into() });
    assert!(!config.connections[&"off".parse().unwrap()].enabled);
}

#[test]
fn the_limits_of_a_connection_stand_over_those_of_the_file_over_the_defaults() {
    let config = read(WHOLE, false).unwrap();
    let (people, off) =
        (&config.connections[&"people".parse().unwrap()].limits, &config.connections[&"off".parse().unwrap()].limits);
    assert_eq!((people.retries_max, off.retries_max), (2, 1));
    assert_eq!((people.memory_bytes_max, off.memory_bytes_max), (64 << 20, 64 << 20));
    assert_eq!(people.http_calls_max, renmen_config::Limits::default().http_calls_max);
    let rate = people.rate.unwrap();
    assert_eq!((rate.requests, rate.per_ms, rate.burst), (20, 1000, Some(5)));
    assert!(off.rate.is_none());
}

#[test]
fn only_the_slots_of_connections_have_public_members() {
    let text = "[channels.post]\nkind = \"mail\"\nhost = \"smtp.example.com\"\nfrom = \"hr@example.com\"\n\
                slots.login = { env = \"A\", public = [\"user\"] }\n";
    let error = read(text, false).unwrap_err().to_string();
    assert!(error.contains("`public` is for the slots of connections"), "{error}");
}

#[test]
fn dev_needs_no_digest_and_takes_a_value_in_clear() {
    let text = "[connections.a]\nplugin = \"p.wasm\"\nslots.app = { value = \"made-up\" }\n";
    assert!(read(text, false).is_err());
    let config = read_dev(text);
    let connection = config.connections.first_key_value().unwrap().1;
    assert!(connection.digest.is_none());
    let slot = connection.slots.first_key_value().unwrap().1.clone();
    let SlotSource::Value(value) = slot.source else { panic!("not a value") };
    assert_eq!(value.into_text(), "made-up");
}

#[test]
fn the_key_of_the_vault_comes_from_a_variable_by_default() {
    let key = |text: &str| read_dev(text).vault.unwrap().key;
    assert_eq!(key("[vault]\npath = \"v\"\n"), KeySource::Env("RENMEN_VAULT_KEY".into()));
    assert_eq!(key("[vault]\npath = \"v\"\nkey_env = \"OTHER\"\n"), KeySource::Env("OTHER".into()));
}

#[test]
fn what_is_shared_has_a_range_on_both_sides() {
    for (key, least, most) in [("plugin_threads", 0, 256), ("parallel_calls", 4, 4_096), ("parallel_runs", 1, 1_024)] {
        for good in [least, most] {
            assert!(read(&format!("[gateway]\n{key} = {good}\n"), false).is_ok(), "{key} = {good}");
        }
        for bad in [least - 1, most + 1] {
            assert!(read(&format!("[gateway]\n{key} = {bad}\n"), false).is_err(), "{key} = {bad}");
        }
    }
    for (turn, good) in [("100ms", true), ("1h", true), ("99ms", false), ("61m", false)] {
        assert_eq!(read(&format!("[gateway]\nrun_turn = \"{turn}\"\n"), false).is_ok(), good, "{turn}");
    }
}

#[test]
fn an_address_for_people_is_https_or_of_this_machine() {
    let url = |text: &str| read_dev(&format!("[gateway]\npublic_url = \"{text}\"\n")).gateway.public_url;
    assert_eq!(read_dev("").gateway.public_url, None);
    for (text, kept) in [
        ("https://renmen.example.com", "https://renmen.example.com"),
        ("https://renmen.example.com/", "https://renmen.example.com"),
        ("https://hr.example.com:8443/renmen/", "https://hr.example.com:8443/renmen"),
        ("http://127.0.0.1:7300", "http://127.0.0.1:7300"),
        ("http://localhost:7300", "http://localhost:7300"),
        ("http://[::1]:7300", "http://[::1]:7300"),
    ] {
        assert_eq!(url(text).as_deref(), Some(kept), "{text}");
    }
    for (text, says) in [
        ("http://renmen.example.com", "is not https"),
        ("http://127.0.0.1.example.com", "is not https"),
        ("ftp://renmen.example.com", "is not the URL"),
        ("renmen.example.com", "is not the URL"),
        ("", "public_url"),
        ("https://me@renmen.example.com", "more than a host"),
        ("https://renmen.example.com/?a=b", "more than a host"),
        ("https://renmen.example.com/#a", "more than a host"),
    ] {
        let error = refused(&format!("[gateway]\npublic_url = \"{text}\"\n"));
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn how_postgresql_is_reached_is_read_and_has_its_ranges() {
    let text = "[store]\nurl = \"postgres://renmen@a:5432,b:5433/hr?target_session_attrs=read-write\"\npassword = { vault = \"db/hr\" }\n\
                connections_max = 2\nconnect_timeout = \"100ms\"\nacquire_timeout = \"60s\"\nstatement_timeout = \"1h\"\npooler = \"transaction\"\n";
    let store = read(text, false).unwrap_or_else(|error| panic!("{error}")).store;
    assert_eq!(store.password, Some(SlotSource::Vault("db/hr".into())));
    assert_eq!((store.connections_max, store.pooler_transaction), (2, true));
    assert_eq!(
        (store.connect_timeout, store.acquire_timeout, store.statement_timeout),
        (Duration::from_millis(100), Duration::from_secs(60), Duration::from_secs(3_600))
    );
    assert_eq!(store.url.to_string(), "postgres://a:5432/hr");
    for line in [
        "connections_max = 1",
        "connections_max = 1001",
        "connect_timeout = \"99ms\"",
        "connect_timeout = \"61s\"",
        "acquire_timeout = \"61s\"",
        "statement_timeout = \"61m\"",
        "pooler = \"session\"",
        "password = \"canary-hush\"",
        "password = {}",
        "password = { env = \"A\", file = \"b\" }",
        "url = \"postgres://u@a:1x,b/hr\"",
    ] {
        let told = refused(&format!("[store]\n{line}\n"));
        assert!(told.contains("connectors.toml:2") && !told.contains("canary-hush"), "{line}: {told}");
    }
}
