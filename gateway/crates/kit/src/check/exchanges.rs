//! What can be wrong with the fixtures, and what they show of the grant: a host, a method or a stream that no fixture meets is
//! either not needed or not tested.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use renmen_schema::manifest::Manifest;

use super::{Lints, is_open, methods};
use crate::disguise::gives_away;
use crate::recorded::{self, ENDING, files};

/// People told of in one file.
const TOLD_MAX: usize = 3;

/// How fixtures are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// After the stream that they are of.
    ByStream,
    /// In any way: all streams are played over all of them.
    Freely,
}

pub(super) fn check(folder: &Path, manifest: &Manifest, named: Named, lints: &mut Lints) {
    let files = files(folder);
    if manifest.http.hosts == ["drop:"] {
        // Files and not exchanges: those are the conformance kit's to look at.
        return;
    }
    let mut asked = Asked::default();
    for file in &files {
        read(file, &mut asked, lints);
    }
    if named == Named::ByStream || files.is_empty() {
        streams(folder, &files, manifest, lints);
    }
    if !files.is_empty() {
        grants(folder, &asked, manifest, lints);
    }
}

/// What the fixtures' requests ask for.
#[derive(Default)]
struct Asked {
    origins: BTreeSet<String>,
    methods: BTreeSet<String>,
}

fn read(file: &Path, asked: &mut Asked, lints: &mut Lints) {
    let shown = file.display();
    let (text, list) = match recorded::read(file) {
        Ok(read) => read,
        Err(unreadable) => return lints.error("fixture", unreadable.place, unreadable.why),
    };
    for recorded in list {
        if let Some(origin) = origin(&recorded.request.url) {
            asked.origins.insert(origin.to_owned());
        }
        asked.methods.insert(recorded.request.method);
    }
    for (line, what) in
        text.lines().enumerate().flat_map(|(n, line)| gives_away(line).map(move |what| (n + 1, what))).take(TOLD_MAX)
    {
        let message = format!(
            "{what} that may belong to a real person: make it up (example.test, 1990000…), or record it with `renmen plugin record`"
        );
        lints.warning("personal", format!("{shown}:{line}"), message);
    }
}

fn streams(folder: &Path, files: &[PathBuf], manifest: &Manifest, lints: &mut Lints) {
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    for stream in manifest.streams.keys() {
        if !names.iter().any(|name| name.starts_with(stream.as_str())) {
            let wanted = folder.join(format!("{stream}{ENDING}"));
            let message = format!(
                "the stream `{stream}` has no fixture, so nothing shows that it works: record one with `renmen plugin record --stream {stream}`"
            );
            lints.warning("no_fixture", wanted.display().to_string(), message);
        }
    }
}

fn grants(folder: &Path, asked: &Asked, manifest: &Manifest, lints: &mut Lints) {
    let shown = folder.display().to_string();
    let (open, named): (Vec<&String>, Vec<&String>) =
        manifest.http.hosts.iter().filter(|host| *host != "drop:").partition(|host| is_open(host));
    let mut met = BTreeSet::new();
    for host in &named {
        let of_host: Vec<&String> = asked.origins.iter().filter(|origin| fits(host, origin)).collect();
        if of_host.is_empty() {
            let message = format!("no fixture asks {host}: take it out of http.hosts, or add a fixture");
            lints.warning("unused_host", shown.clone(), message);
        }
        met.extend(of_host);
    }
    // What no named host explains must be one of those that the configuration names.
    let others = asked.origins.iter().filter(|origin| !met.contains(origin)).count();
    if others < open.len() {
        let names = open.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{others} other origins are asked in fixtures, http.hosts has {} ({names}): take out what is not needed, or add a fixture",
            open.len()
        );
        lints.warning("unused_host", shown.clone(), message);
    }
    if others > 0 && open.is_empty() {
        lints.error(
            "host",
            shown.clone(),
            "a fixture asks a host that http.hosts does not name: a gateway would refuse it",
        );
    }
    let wished = methods(manifest);
    for method in asked.methods.iter().filter(|method| !wished.contains(&method.as_str())) {
        lints.error(
            "method",
            shown.clone(),
            format!("a fixture sends {method}, which http.methods does not name: a gateway would refuse it"),
        );
    }
    for method in wished.iter().filter(|method| !asked.methods.contains(**method)) {
        // A connector that pushes does it in no fixture of a stream.
        if manifest.actions.is_empty() {
            lints.warning(
                "unused_method",
                shown.clone(),
                format!("no fixture sends {method}: take it out of http.methods, or add a fixture"),
            );
        }
    }
}

/// `https://*.example.com` is every host below it.
fn fits(host: &str, origin: &str) -> bool {
    match host.split_once("*.") {
        Some((scheme, domain)) => origin.strip_prefix(scheme).is_some_and(|rest| rest.ends_with(&format!(".{domain}"))),
        None => origin.eq_ignore_ascii_case(host),
    }
}

fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    if url.starts_with("drop:") {
        return None;
    }
    Some(&url[..url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at)])
}
