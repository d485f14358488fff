//! What the configuration names but is off, because it could not be loaded: which, and why.

use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::shown::{line, lines};
use serde::Serialize;

/// Characters of a reason that are kept: a manifest can have very many faults.
const REASON_CHARS_MAX: usize = 2_000;

/// A connection, channel or endpoint that is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unloaded {
    /// The tenant that owns it.
    pub(crate) tenant: TenantId,
    /// Its key in the configuration.
    pub(crate) name: ConnectionName,
    /// Why, and what to do, in one line: for a log and for programs.
    pub(crate) reason: Text,
    /// The same text unchanged, with the lines of the file: for people.
    #[serde(skip)]
    pub(crate) told: Text,
}

impl Unloaded {
    /// Makes a note of it, and logs it.
    pub(super) fn note(kind: &str, tenant: &TenantId, name: &ConnectionName, error: &anyhow::Error) -> Self {
        let off = Self::of(tenant, name, error);
        off.log(kind);
        off
    }

    pub(super) fn log(&self, kind: &str) {
        let Self { tenant, name, reason, .. } = self;
        tracing::error!(%tenant, kind, %name, %reason, "Off until the cause is fixed and the configuration is reloaded");
    }

    /// What could not be loaded.
    pub(super) fn of(tenant: &TenantId, name: &ConnectionName, error: &anyhow::Error) -> Self {
        let told = Text::rendered(|| lines(&cut(&format!("{error:#}"))).into_owned());
        let reason = Text::rendered(|| line(&cut(&format!("{error:#}")).replace('\n', " ")).into_owned());
        Self { tenant: tenant.clone(), name: name.clone(), reason, told }
    }
}

fn cut(text: &str) -> String {
    let end = text.char_indices().nth(REASON_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_can_neither_move_the_cursor_nor_fill_the_log() -> anyhow::Result<()> {
        let (tenant, name) = (TenantId::new("acme")?, ConnectionName::new("erp")?);
        let note = |text: &str| Unloaded::note("connection", &tenant, &name, &anyhow::anyhow!(text.to_owned()));
        let off = note("a\u{1b}[2Kb\nc\u{202e}");
        assert_eq!(off.reason.english(), "a\\u{1b}[2Kb c\\u{202e}");
        assert_eq!(off.told.english(), "a\\u{1b}[2Kb\nc\\u{202e}");
        assert_eq!(note(&"x".repeat(5_000)).reason.english().chars().count(), REASON_CHARS_MAX + 1);
        Ok(())
    }
}
