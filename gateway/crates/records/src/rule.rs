//! Rules that decide on results. Two that are in force never say something for the same thing, and those of the configuration file
//! are changed there.

use renmen_schema::EntityKind;
use renmen_schema::id::RecordId;
use renmen_store::{FILE_RULES_STREAM, RecordRow};
use serde_json::Value;

use crate::ask::Refusal;
use crate::shelf::{Shelf, body};

const KIND: EntityKind = EntityKind::DecisionRule;

/// Does it stand in the configuration file?
pub(crate) fn is_of_file(row: &RecordRow) -> bool {
    row.entity == KIND.name() && row.origin.stream.as_str() == FILE_RULES_STREAM
}

/// The refusal to change a rule of the file.
pub(crate) fn of_file(row: &RecordRow) -> Refusal {
    let key = file_key(&body(row));
    Refusal::conflict(
        Some((KIND, row.id)),
        format!(
            "this rule stands in the configuration file under `{key}`: change it there and start the gateway again"
        ),
        format!("该规则写在配置文件的 `{key}` 中：请在那里修改并重启网关"),
    )
}

/// Refuses a rule in force for what another one in force is for. `own`: the record that it replaces.
pub(crate) async fn check(shelf: Shelf<'_>, new: &Value, own: Option<RecordId>) -> Result<(), Refusal> {
    if new["active"] != true {
        return Ok(());
    }
    for other in shelf.ours(KIND).await?.into_iter().filter(|other| Some(other.id) != own) {
        let its = body(&other);
        if its["active"] != true {
            continue;
        }
        let same = if its["name"] == new["name"] {
            ("has the same name", "同名")
        } else if its.get("position") == new.get("position") && its.get("profile_version") == new.get("profile_version")
        {
            ("is for the same position and version", "适用于同一职位和版本")
        } else {
            continue;
        };
        return Err(refuse(&other, &its, same));
    }
    Ok(())
}

fn refuse(other: &RecordRow, its: &Value, (en, zh): (&str, &str)) -> Refusal {
    let related = Some((KIND, other.id));
    if is_of_file(other) {
        let key = file_key(its);
        return Refusal::conflict(
            related,
            format!(
                "`{key}` of the configuration file {en}: change that one, or make this one for another position or version"
            ),
            format!("配置文件中的 `{key}` 与之{zh}：请修改该规则，或将此规则用于其他职位或版本"),
        );
    }
    let name = its["name"].as_str().unwrap_or_default();
    Refusal::conflict(
        related,
        format!("the rule `{name}` {en}: change that one, or deactivate it first"),
        format!("规则 `{name}` 与之{zh}：请修改该规则，或先将其停用"),
    )
}

fn file_key(rule: &Value) -> String {
    format!("interview.rules.{}", rule["name"].as_str().unwrap_or_default())
}
