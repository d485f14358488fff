//! What stands between the gateway and the network: where it may listen, whom it believes, what it takes.

use renmen_config::{GATEWAY_LIMITS, GatewayLimits, MetricsAccess, gateway_limits_table};

use crate::limits::literal;
use crate::{read, refused};

#[test]
fn an_address_that_other_machines_reach_needs_a_word_and_never_goes_with_dev() {
    for address in ["127.0.0.1:7300", "127.8.8.8:1", "[::1]:7300", "[::ffff:127.0.0.1]:7300"] {
        for dev in [false, true] {
            assert!(read(&format!("[gateway]\nlisten = \"{address}\"\n"), dev).is_ok(), "{address}");
        }
    }
    for address in ["0.0.0.0:7300", "[::]:7300", "192.168.1.5:7300", "203.0.113.9:80"] {
        let text = format!("[gateway]\nlisten = \"{address}\"\n");
        let error = refused(&text);
        assert!(error.contains(address) && error.contains("in clear"), "{error}");
        assert!(error.contains("TLS") && error.contains("allow_plaintext = true"), "{error}");
        let allowed = format!("{text}allow_plaintext = true\n");
        assert!(read(&allowed, false).is_ok(), "{address}");
        let error = read(&allowed, true).unwrap_err().to_string();
        assert!(error.contains("`--dev` is for this one alone"), "{error}");
        assert!(refused(&format!("{text}allow_plaintext = false\n")).contains("in clear"));
    }
}

#[test]
fn metrics_are_for_keys_unless_somebody_says_otherwise() {
    let access = |text: &str| read(text, false).map(|config| config.gateway.metrics).map_err(|error| error.to_string());
    assert_eq!(access(""), Ok(MetricsAccess::Key));
    for (word, meant) in
        [("key", MetricsAccess::Key), ("loopback", MetricsAccess::Loopback), ("off", MetricsAccess::Off)]
    {
        assert_eq!(access(&format!("[gateway]\nmetrics = \"{word}\"\n")), Ok(meant));
    }
    let error = access("[gateway]\nmetrics = \"open\"\n").unwrap_err();
    assert!(error.contains("is not one of \"key\", \"loopback\" or \"off\""), "{error}");
}

#[test]
fn proxies_are_addresses_or_ranges_and_never_everybody() {
    let config = read("[gateway]\nproxies = [\"10.0.0.5\", \"192.168.0.0/16\", \"fd00::/8\"]\n", false).unwrap();
    let ranges: Vec<_> = config.gateway.proxies.iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["10.0.0.5/32", "192.168.0.0/16", "fd00::/8"]);
    for (bad, why) in [
        ("proxy.example.com", "is not an address"),
        ("0.0.0.0/0", "holds every address"),
        ("::/0", "holds every address"),
    ] {
        let error = refused(&format!("[gateway]\nproxies = [\"{bad}\"]\n"));
        assert!(error.contains(why), "{bad}: {error}");
    }
}

fn limit(name: &str, value: &str) -> Result<GatewayLimits, String> {
    let text = format!("[gateway.limits]\n{name} = {value}\n");
    read(&text, false).map(|config| config.gateway.limits).map_err(|error| error.to_string())
}

#[test]
fn every_limit_of_the_process_takes_its_default_its_least_and_its_most() {
    for spec in GATEWAY_LIMITS.iter() {
        let default = literal(spec.unit, &spec.default);
        assert_eq!(limit(spec.name, &default).as_ref(), Ok(&GatewayLimits::default()), "{} = {default}", spec.name);
        for edge in [&spec.least, &spec.most] {
            let edge = literal(spec.unit, edge);
            assert!(limit(spec.name, &edge).is_ok(), "{} = {edge}: {:?}", spec.name, limit(spec.name, &edge));
        }
        assert!(spec.meaning.ends_with('.'), "{}", spec.name);
    }
}

#[test]
fn beyond_its_range_a_limit_of_the_process_is_refused_with_the_range() {
    for (name, value) in [
        ("connections_max", "7"),
        ("connections_max", "65537"),
        ("connections_per_address_max", "0"),
        ("head_timeout", "\"10ms\""),
        ("head_timeout", "\"1h\""),
        ("head_bytes_max", "\"4KiB\""),
        ("streams_max", "0"),
        ("delivery_bytes_max", "\"1KiB\""),
        ("wait_max", "\"2m\""),
    ] {
        let error = limit(name, value).unwrap_err();
        assert!(error.contains("out of range") && error.contains("this limit goes from"), "{name} = {value}: {error}");
    }
    assert!(limit("connection_max", "9").unwrap_err().contains("did you mean `connections_max`?"));
}

/// `docs/limits.md` holds this table too. `RENMEN_UPDATE_DOCS=1` writes it again.
#[test]
fn the_page_of_limits_shows_the_table_of_the_process() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().join("docs/limits.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (head, table) = page.split_once("| limit of the process |").unwrap();
    let tail = table.split_once("|\n\n").map_or("", |(_, tail)| tail);
    let wanted = format!("{head}{}\n{tail}", gateway_limits_table());
    if std::env::var_os("RENMEN_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap();
    assert!(found == wanted, "docs/limits.md is out of date: run this test with RENMEN_UPDATE_DOCS=1");
}
