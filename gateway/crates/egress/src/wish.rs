//! What no manifest may ask for, no matter who grants it: reported when a plugin is loaded or checked, before there is
//! a connection.

use renmen_schema::manifest::{Manifest, ManifestFault};

/// Every pattern of a manifest that cannot be granted, with its key.
#[must_use]
pub fn host_faults(manifest: &Manifest) -> Vec<ManifestFault> {
    let slots = manifest.slots.iter().map(|(name, slot)| (format!("slots.{name}.audience"), &slot.audience));
    let socket = manifest.webhook.as_ref().and_then(|webhook| webhook.socket.as_ref());
    let socket = socket.map(|socket| ("webhook.socket.hosts".to_owned(), &socket.hosts));
    let lists = std::iter::once(("http.hosts".to_owned(), &manifest.http.hosts)).chain(slots).chain(socket);
    let fault = |key: &str, host: &String| {
        let why = renmen_origin::check(host).err()?;
        Some(ManifestFault { key: key.to_owned(), message: format!("`{host}` {why}") })
    };
    lists.flat_map(|(key, hosts)| hosts.iter().filter_map(move |host| fault(&key, host)).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MANIFEST: &str = r#"
name = "wide"
version = "1.0.0"
description = "Wide"
contract = "0.1.0"
[webhook]
description = "Events"
[webhook.socket]
open = { body = {}, endpoint = "/e", ticket = "/t", ticket_query = "t" }
event = { when = { "/type" = "EVENT" }, id = "/id", body = "/data" }
answers = { taken = {}, later = {}, refused = {} }
open_url = "https://api.example.com/open"
slot = "key"
hosts = ["https://*.events.example.com"]
[http]
hosts = ["https://*.example.com", "{base_url}", "drop:"]
[slots.key]
description = "The key"
audience = ["https://api.example.com"]
"#;

    #[test]
    fn a_manifest_may_not_span_names_of_strangers_anywhere() {
        assert_eq!(host_faults(&Manifest::parse(MANIFEST).unwrap()), []);
        for (from, to, key) in [
            ("https://*.example.com\"", "https://*.com\"", "http.hosts"),
            ("\"https://api.example.com\"", "\"https://*.github.io\"", "slots.key.audience"),
            ("https://*.events.example.com", "https://*.co.uk", "webhook.socket.hosts"),
        ] {
            let faults = host_faults(&Manifest::parse(&MANIFEST.replace(from, to)).unwrap());
            let [fault] = faults.as_slice() else { panic!("{key}: {faults:?}") };
            assert!(fault.key == key && fault.message.contains("strangers"), "{fault}");
        }
    }
}
