//! Versions of a position's profile. They rise by one, one of them at most is a draft, and a published one never changes.

use renmen_schema::types::Instant;
use renmen_schema::{Defect, EntityKind, text};
use renmen_store::{Parent, RecordRow};
use serde_json::Value;

use crate::ask::{Refusal, defect};
use crate::refer;
use crate::shelf::{Shelf, body};

const KIND: EntityKind = EntityKind::PositionProfile;

/// The position of a profile, as its versions are found by.
pub(crate) async fn position(shelf: Shelf<'_>, profile: &Value) -> Result<Option<Parent>, Refusal> {
    refer::meant(shelf, &profile["position"], EntityKind::Job).await
}

/// Refuses a new version that does not follow the last one.
pub(crate) async fn check_new(shelf: Shelf<'_>, new: &Value, now_ms: i64) -> Result<(), Refusal> {
    let defects = published_later(new, now_ms);
    if !defects.is_empty() {
        return Err(Refusal::Defects(defects));
    }
    let Some(position) = position(shelf, new).await? else { return Ok(()) };
    let versions = shelf.ours_of(&position, KIND).await?;
    if let Some(draft) = versions.iter().find(|row| !is_published(row)) {
        let version = version(&body(draft));
        return Err(Refusal::conflict(
            Some((KIND, draft.id)),
            format!("version {version} of this position's profile is a draft: edit, publish or delete it first"),
            format!("该职位画像的第 {version} 版仍是草稿：请先修改、发布或删除它"),
        ));
    }
    let next = versions.iter().map(|row| version(&body(row))).max().unwrap_or(0) + 1;
    if version(new) == next {
        return Ok(());
    }
    let newest = versions.iter().max_by_key(|row| version(&body(row)));
    Err(Refusal::conflict(
        newest.map(|row| (KIND, row.id)),
        format!("versions rise by one: the next one of this position's profile is {next}, not {}", version(new)),
        format!("版本号逐一递增：该职位画像的下一版是 {next}，而不是 {}", version(new)),
    ))
}

/// Refuses a draft that would become another version.
pub(crate) async fn check_change(shelf: Shelf<'_>, row: &RecordRow, new: &Value, now_ms: i64) -> Result<(), Refusal> {
    let old = body(row);
    let mut defects = published_later(new, now_ms);
    if version(new) != version(&old) {
        defects.push(defect(
            "/version",
            "immutable",
            text!("another version; expected {}", "版本不符；应为 {}", version(&old)),
        ));
    }
    if position(shelf, new).await? != position(shelf, &old).await? {
        defects.push(defect(
            "/position",
            "immutable",
            text!(
                "another position; a profile stays with the one that it was made for",
                "职位不符；画像属于创建时的职位"
            ),
        ));
    }
    if defects.is_empty() { Ok(()) } else { Err(Refusal::Defects(defects)) }
}

/// Refuses to change or take away what is published.
pub(crate) fn refuse_published(row: &RecordRow) -> Result<(), Refusal> {
    if !is_published(row) {
        return Ok(());
    }
    let this = version(&body(row));
    let next = this + 1;
    Err(Refusal::conflict(
        Some((KIND, row.id)),
        format!(
            "version {this} is published and stays as it is: POST version {next} to change what the position asks for"
        ),
        format!("第 {this} 版已发布，不可更改：如需调整职位要求，请 POST 第 {next} 版"),
    ))
}

/// Is a version published?
pub(crate) fn is_published(row: &RecordRow) -> bool {
    body(row).get("published_at").is_some()
}

fn version(profile: &Value) -> u64 {
    profile["version"].as_u64().unwrap_or(0)
}

fn published_later(new: &Value, now_ms: i64) -> Vec<Defect> {
    let mut defects = Vec::new();
    if version(new) == 0 {
        defects.push(defect("/version", "bad_value", text!("0; versions begin with 1", "为 0；版本从 1 开始")));
    }
    let at = new["published_at"].as_str().and_then(|text| Instant::parse(text).ok());
    if at.is_some_and(|at| at.epoch_ms() > now_ms) {
        defects.push(defect(
            "/published_at",
            "bad_instant",
            text!(
                "a time to come; leave it out for a draft, or give the time of now to publish",
                "时间在将来；草稿请省略，发布请写当前时间"
            ),
        ));
    }
    defects
}
