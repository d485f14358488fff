//! What a reload changes, and what it cannot.

use std::collections::BTreeMap;
use std::fmt;

use renmen_config::Config;

/// What another file changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Difference {
    pub(crate) connections: Names,
    pub(crate) channels: Names,
    pub(crate) endpoints: Names,
    pub(crate) flows: Names,
    /// Keys whose new values count from the next start on.
    pub(crate) needs_restart: Vec<String>,
}

/// Names under one section.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) added: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) removed: Vec<String>,
}

impl Difference {
    pub(super) fn of(before: &Config, after: &Config, needs_restart: Vec<String>) -> Self {
        Self {
            connections: Names::of(&before.connections, &after.connections, |one, other| {
                one.says_the_same(other) && one.enabled == other.enabled
            }),
            channels: Names::of(&before.channels, &after.channels, PartialEq::eq),
            endpoints: Names::of(&before.endpoints, &after.endpoints, PartialEq::eq),
            flows: Names::of(&before.flows, &after.flows, renmen_config::Flow::says_the_same),
            needs_restart,
        }
    }
}

impl Names {
    fn of<K: Ord + ToString, V>(
        before: &BTreeMap<K, V>,
        after: &BTreeMap<K, V>,
        same: impl Fn(&V, &V) -> bool,
    ) -> Self {
        let names = |wanted: &dyn Fn(&K, &V) -> bool, of: &BTreeMap<K, V>| {
            of.iter().filter(|(key, value)| wanted(key, value)).map(|(key, _)| key.to_string()).collect()
        };
        Self {
            added: names(&|key, _| !before.contains_key(key), after),
            changed: names(&|key, now| before.get(key).is_some_and(|was| !same(was, now)), after),
            removed: names(&|key, _| !after.contains_key(key), before),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("+", &self.added), ("~", &self.changed), ("-", &self.removed)];
        let names = parts.iter().flat_map(|(mark, names)| names.iter().map(move |name| format!("{mark}{name}")));
        f.write_str(&names.collect::<Vec<_>>().join(" "))
    }
}

/// Puts what a running gateway cannot change back to what it was; gives the keys of what the file says otherwise.
pub(super) fn keep_what_cannot_change(before: &Config, after: &mut Config) -> Vec<String> {
    let mut keys = Vec::new();
    let (was, now) = (&before.gateway, &mut after.gateway);
    macro_rules! fixed {
        ($($key:ident),* $(,)?) => {$(
            if was.$key != now.$key {
                keys.push(concat!("gateway.", stringify!($key)).to_owned());
            }
        )*};
    }
    // The cache may be named on the command line, which counts.
    now.cache_dir.clone_from(&was.cache_dir);
    fixed!(
        listen,
        allow_plaintext,
        public_url,
        proxies,
        metrics,
        limits,
        data_dir,
        shutdown_wait,
        lease,
        spool_age_max,
        keep_exchanges,
        inbox_age,
        sharing,
        memory_bytes_max,
    );
    now.clone_from(was);
    macro_rules! fixed_sections {
        ($($section:ident),* $(,)?) => {$(
            if before.$section != after.$section {
                keys.push(stringify!($section).to_owned());
            }
            after.$section.clone_from(&before.$section);
        )*};
    }
    fixed_sections!(store, vault, plugins, interview, identity, insight, outbox, journals, exports);
    keys
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let options = renmen_config::LoadOptions { dev: true, env: &|_| None };
        Ok(Config::parse(text, Path::new("/etc/renmen/connectors.toml"), options)?)
    }

    #[test]
    fn what_cannot_change_is_named_and_stays_as_it_was() -> anyhow::Result<()> {
        let before = read("[gateway]\nlisten = \"127.0.0.1:7300\"\n")?;
        let mut after = read(
            "[gateway]\nlisten = \"127.0.0.1:7400\"\nlease = \"30s\"\n[store]\nurl = \"sqlite:other.db\"\n[outbox]\nkeep = \"7d\"\n",
        )?;
        let keys = keep_what_cannot_change(&before, &mut after);
        assert_eq!(keys, ["gateway.listen", "gateway.lease", "store", "outbox"]);
        assert_eq!((after.gateway, after.outbox), (before.gateway.clone(), before.outbox.clone()));
        assert!(keep_what_cannot_change(&before, &mut read("[gateway]\n")?).is_empty(), "the same in other words");
        Ok(())
    }

    #[test]
    fn a_connection_that_only_moved_in_its_file_is_no_other() -> anyhow::Result<()> {
        let one = "[connections.hr]\nplugin = \"hr.wasm\"\n";
        let before = read(&format!("{one}[connections.old]\nplugin = \"old.wasm\"\n"))?;
        let after = read(&format!("# A word.\n\n{one}[connections.new]\nplugin = \"new.wasm\"\n"))?;
        let difference = Difference::of(&before, &after, Vec::new());
        assert_eq!(difference.connections.to_string(), "+new -old");
        let changed = read(&format!("{one}enabled = false\n"))?;
        assert_eq!(Difference::of(&before, &changed, Vec::new()).connections.to_string(), "~hr -old");
        Ok(())
    }
}
