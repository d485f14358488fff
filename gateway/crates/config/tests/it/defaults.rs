//! What holds when nothing is said.

use std::path::Path;

use renmen_config::{Limits, Payslips, Schedule};

use crate::{DIGEST, read, read_dev};

#[test]
fn an_empty_file_is_a_gateway_without_connections_on_loopback() {
    let config = read("", false).unwrap();
    assert_eq!(config.gateway.listen.to_string(), "127.0.0.1:7300");
    assert_eq!(config.gateway.data_dir, Path::new("/etc/renmen/.renmen"));
    assert_eq!(config.gateway.cache_dir, Path::new("/etc/renmen/.renmen/cache"));
    assert!(!config.gateway.data_dir_parents_trusted, "the directories above are looked at");
    assert_eq!(config.gateway.tenant.as_str(), "default");
    assert_eq!(config.store.url.expose(), "sqlite:/etc/renmen/.renmen/renmen.db");
    assert!(config.store.synchronous_full);
    assert!(config.vault.is_none() && config.connections.is_empty() && !config.dev);
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn the_store_follows_the_data_directory() {
    let config = read_dev("[gateway]\ndata_dir = \"/var/lib/renmen\"\n");
    assert_eq!(config.store.url.expose(), "sqlite:/var/lib/renmen/renmen.db");
    assert_eq!(config.gateway.cache_dir, Path::new("/var/lib/renmen/cache"));
}

#[test]
fn the_smallest_connection_may_do_what_its_manifest_asks_for_and_pulls_nothing_by_itself() {
    let config = read(&format!("[connections.people]\nplugin = \"p.wasm\"\ndigest = \"{DIGEST}\"\n"), false).unwrap();
    let (name, people) = config.connections.first_key_value().unwrap();
    assert_eq!(name.as_str(), "people");
    assert_eq!(people.plugin, Path::new("/etc/renmen/p.wasm"));
    assert_eq!(people.tenant.as_str(), "default");
    assert_eq!(people.config, serde_json::json!({}));
    assert!(!people.event_socket && people.enabled && people.streams.is_empty() && people.slots.is_empty());
    let grant = &people.grant;
    assert!(grant.hosts.is_none() && grant.methods.is_none() && grant.drop.is_none());
    assert!(!grant.plaintext && grant.addresses.is_empty(), "no plaintext and no private address unless configured");
    assert_eq!(people.limits, Limits::default());
    assert_eq!(people.payslips, Payslips::default());
    assert_eq!(people.payslips.tolerance.to_string(), "0.01");
}

#[test]
fn a_cron_schedule_is_in_utc_unless_it_names_a_zone() {
    let config = read_dev("[connections.a]\nplugin = \"p.wasm\"\nstreams.x = { cron = \"0 2 * * *\" }\n");
    let stream = config.connections.first_key_value().unwrap().1.streams.first_key_value().unwrap().1;
    assert!(stream.enabled);
    assert_eq!(stream.schedule, Schedule::Cron { expr: "0 2 * * *".into(), zone: "UTC".into() });
}
