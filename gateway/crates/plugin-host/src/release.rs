//! Which release of the contract this gateway serves, and how its interfaces are named.

/// The release of `renmen:connector` that this gateway serves. Every release of its line (`0.2.*`) links.
pub const CONTRACT: &str = "0.2.0";

const PACKAGE: &str = "renmen:connector/";

/// `renmen:connector/http@0.2.0` → `http` and `0.2.0`; none for other packages.
pub(crate) fn interface_of(name: &str) -> Option<(&str, Option<&str>)> {
    let rest = name.strip_prefix(PACKAGE)?;
    Some(match rest.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (rest, None),
    })
}
