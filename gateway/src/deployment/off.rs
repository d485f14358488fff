//! What the configuration names and what is off all the same, because it could not be loaded: which, and why.

use renmen_schema::id::{ConnectionName, TenantId};
use serde::Serialize;

/// Characters of a reason that are kept: a manifest can have very many faults.
const REASON_CHARS_MAX: usize = 2_000;

/// A connection, channel or endpoint that is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unloaded {
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Its key in the configuration.
    pub(crate) name: ConnectionName,
    /// Why, and what to do. It may quote the plugin, so control characters are escaped.
    pub(crate) reason: String,
}

impl Unloaded {
    /// Takes note, and says it in the log.
    pub(super) fn note(kind: &str, tenant: &TenantId, name: &ConnectionName, error: &anyhow::Error) -> Self {
        let reason = printable(&format!("{error:#}"));
        tracing::error!(%tenant, kind, %name, reason, "Off until its reason is removed and the gateway is started again");
        Self { tenant: tenant.clone(), name: name.clone(), reason }
    }
}

fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        if at == REASON_CHARS_MAX {
            shown.push('…');
            break;
        }
        match character {
            '\n' => shown.push(' '),
            control if control.is_control() => shown.extend(control.escape_default()),
            plain => shown.push(plain),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_can_neither_move_the_cursor_nor_fill_the_log() {
        assert_eq!(printable("a\u{1b}[2Kb\nc"), "a\\u{1b}[2Kb c");
        assert_eq!(printable(&"x".repeat(5_000)).chars().count(), REASON_CHARS_MAX + 1);
    }
}
