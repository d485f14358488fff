//! Competencies that are in use stay.

use renmen_schema::{EntityKind, references};
use renmen_store::RecordRow;
use serde_json::Value;

use crate::ask::Refusal;
use crate::profile;
use crate::refer;
use crate::shelf::{Shelf, body, key_of};

/// Users that are told of by name.
const NAMED_MAX: usize = 3;

/// Refuses to take away what a published profile or an active question names.
pub(crate) async fn check_removal(shelf: Shelf<'_>, row: &RecordRow) -> Result<(), Refusal> {
    let mut users = Vec::new();
    for kind in [EntityKind::PositionProfile, EntityKind::LibraryQuestion] {
        for user in shelf.ours(kind).await? {
            let its = body(&user);
            let in_force = match kind {
                EntityKind::PositionProfile => profile::is_published(&user),
                _ => its["active"] == true,
            };
            if in_force && names(shelf, kind, &its, row).await? {
                users.push((kind, user));
            }
        }
    }
    let Some((kind, first)) = users.first() else { return Ok(()) };
    let named = users.iter().take(NAMED_MAX).map(|(kind, user)| format!("{kind} `{}`", user.external_id));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = users.len().saturating_sub(NAMED_MAX);
    let (more_en, more_zh) = if more == 0 {
        (String::new(), String::new())
    } else {
        (format!(" and {more} more"), format!(" 以及另外 {more} 个"))
    };
    Err(Refusal::conflict(
        Some((*kind, first.id)),
        format!("it is in use by {named}{more_en}: versions that are published keep what they name"),
        format!("该能力项正被 {named}{more_zh} 使用：已发布的版本会保留其引用的内容"),
    ))
}

async fn names(shelf: Shelf<'_>, kind: EntityKind, its: &Value, row: &RecordRow) -> Result<bool, Refusal> {
    let key = key_of(row);
    for reference in references(kind, its).into_iter().filter(|reference| reference.to == EntityKind::Competency) {
        if refer::id_of(reference.value) == Some(row.id)
            || refer::meant(shelf, reference.value, EntityKind::Competency).await?.as_ref() == Some(&key)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
