//! What a body refers to. A reference by the id of another connection may come before what it means, as a connector's may; one by our
//! id, and one to a record of ours, must lead somewhere: no pull would ever bring it.

use renmen_schema::id::RecordId;
use renmen_schema::{Defect, EntityKind, external_of, references, text};
use renmen_store::Parent;
use serde_json::Value;

use crate::ask::{Refusal, defect};
use crate::shelf::{Shelf, built_in, key_of};

/// Our id in a reference.
pub(crate) fn id_of(reference: &Value) -> Option<RecordId> {
    reference["id"].as_str()?.parse().ok()
}

/// What a reference of a body of ours names by the id of a connection.
fn named(reference: &Value, to: EntityKind) -> Option<Parent> {
    let (connection, value) = external_of(reference, &built_in())?;
    Some(Parent { connection, entity: to.name().to_owned(), external_id: value.to_owned() })
}

/// The record that a reference means, by the id that its connection gave. None for what is not there and is named by our id alone.
pub(crate) async fn meant(shelf: Shelf<'_>, reference: &Value, to: EntityKind) -> Result<Option<Parent>, Refusal> {
    if let Some(named) = named(reference, to) {
        return Ok(Some(named));
    }
    let Some(id) = id_of(reference) else { return Ok(None) };
    Ok(shelf.record(id).await?.filter(|row| row.entity == to.name()).map(|row| key_of(&row)))
}

/// What is wrong with the references of a body.
pub(crate) async fn check(shelf: Shelf<'_>, kind: EntityKind, body: &Value) -> Result<Vec<Defect>, Refusal> {
    let mut defects = Vec::new();
    for reference in references(kind, body) {
        let named = named(reference.value, reference.to);
        if let Some(id) = id_of(reference.value) {
            let row = shelf.record(id).await?;
            let row = row.filter(|row| row.entity == reference.to.name() && row.deleted.is_none());
            match row {
                None => defects.push(defect(
                    format!("{}/id", reference.pointer),
                    "unknown_reference",
                    text!("an id that no {} here has", "此处没有 {} 使用该编号", reference.to),
                )),
                Some(row) if named.as_ref().is_some_and(|named| *named != key_of(&row)) => defects.push(defect(
                    reference.pointer.clone(),
                    "contradiction",
                    text!(
                        "id and external mean two records; leave one of them out",
                        "id 与 external 指向两条记录；请省略其中一个"
                    ),
                )),
                Some(_) => continue,
            }
        } else if let Some(named) = named.filter(|named| named.connection == built_in()) {
            let there = shelf.find(&named).await?.is_some_and(|row| row.deleted.is_none());
            if !there {
                defects.push(defect(
                    format!("{}/external", reference.pointer),
                    "unknown_reference",
                    text!("an id that no {} of connection `{}` has; create it first, or name the connection that gave the id in \
                         `connection`", "连接 `{1}` 没有 {0} 使用该编号；请先创建，或在 `connection` 中写明给出该编号的连接",
                        reference.to,
                        built_in()
                    ),
                ));
            }
        }
    }
    Ok(defects)
}
