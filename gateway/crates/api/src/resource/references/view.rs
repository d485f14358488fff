//! A reference with what it means now.

use renmen_schema::{Reference, Text, text};
use renmen_store::{Keyed, Named};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a reference leads to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReferenceState {
    /// To this one.
    Linked,
    /// To none yet, or to one that is gone.
    Waiting,
    /// Several records have the key, so it means none of them: name the connection with the reference, or correct the records.
    Ambiguous,
    /// The key may not read records of this entity, so it was not looked up.
    Withheld,
}

/// A reference in a record, with what it means now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReferenceView {
    /// Where it stands: an RFC 6901 pointer into the body.
    path: String,
    /// The entity that it means.
    entity: String,
    /// The alternate key by which it refers; null for one by an id.
    scheme: Option<&'static str>,
    /// Whether it leads to a record.
    state: ReferenceState,
    /// How many records have the key, where there are several.
    matches: Option<u64>,
    /// The record's id; null unless it is linked.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The record, as a path of this API.
    url: Option<String>,
    /// The connection that the record came through.
    connection: Option<String>,
    /// Its id in the source system.
    external_id: Option<String>,
}

impl ReferenceView {
    /// What it means.
    pub(super) fn of(reference: &Reference<'_>, name: Option<&Named>, meant: &Keyed) -> Self {
        let (state, matches) = match meant {
            Keyed::One(_) => (ReferenceState::Linked, None),
            Keyed::Nothing => (ReferenceState::Waiting, None),
            Keyed::Several(count) => (ReferenceState::Ambiguous, Some(*count)),
        };
        let row = if let Keyed::One(row) = meant { Some(row) } else { None };
        Self {
            state,
            matches,
            id: row.map(|row| row.id.to_string()),
            url: row.map(|row| format!("/v1/{}/{}", reference.to.collection(), row.id)),
            connection: row.map(|row| row.connection.to_string()),
            external_id: row.map(|row| row.external_id.clone()),
            ..Self::withheld(reference, name)
        }
    }

    /// One that was not looked up.
    pub(super) fn withheld(reference: &Reference<'_>, name: Option<&Named>) -> Self {
        let scheme = name.and_then(|name| if let Named::Key(key) = name { Some(key.scheme) } else { None });
        Self {
            path: reference.pointer.clone(),
            entity: reference.to.name().to_owned(),
            scheme,
            state: ReferenceState::Withheld,
            matches: None,
            id: None,
            url: None,
            connection: None,
            external_id: None,
        }
    }

    /// In a line: where it stands, and the record that it leads to or why there is none.
    #[must_use]
    pub fn line(&self) -> Text {
        let (path, entity) = (&self.path, &self.entity);
        match (&self.connection, &self.external_id, self.state) {
            (Some(connection), Some(id), _) => Text::verbatim(format!("{path}: {entity} {connection}/{id}")),
            (_, _, ReferenceState::Ambiguous) => {
                let matches = self.matches.unwrap_or(0);
                text!(
                    "{path}: {matches} records have the key ({entity})",
                    "{path}：有 {matches} 条 {entity} 记录含有该键"
                )
            }
            (_, _, ReferenceState::Withheld) => text!("{path}: withheld ({entity})", "{path}：未授权（{entity}）"),
            _ => text!("{path}: waits for its {entity}", "{path}：等待其 {entity} 记录"),
        }
    }
}
