//! What is known of a vendor's model already: the weights and the version that instructions left behind. An instruction
//! that starts from others is refused before it is sent. What was never changed from here is left to the vendor to
//! compare.

use std::cmp::Ordering;

use renmen_schema::code::AdjustmentStatus as Status;
use renmen_schema::entity::{AdjustOp, ModelAdjustment};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Ref;
use renmen_store::Store;

use super::own;
use crate::InterviewError;
use crate::dossier::Read;

/// Refuses an instruction that starts from an older version, or from another weight, than the last one left behind that was applied.
/// `but` is the instruction itself.
pub(super) async fn check(
    store: &dyn Store,
    tenant: &TenantId,
    asked: &ModelAdjustment,
    but: Option<RecordId>,
) -> Result<(), InterviewError> {
    let mut done: Vec<Read<ModelAdjustment>> = Vec::new();
    let is_done =
        |body: &ModelAdjustment| matches!(body.status, Status::Applied | Status::Reverting | Status::Reverted);
    own(store, tenant, |read| {
        if Some(read.row.id) != but && is_done(&read.body) && same_model(&read.body, asked) {
            done.push(read);
        }
    })
    .await?;
    done.sort_by(later);
    let states = asked.target.profile_version;
    let newest = done.iter().rev().find_map(|read| Some((read, read.body.applied_version?)));
    if let Some((read, version)) = newest
        && states < version
    {
        let id = read.row.id;
        return Err(InterviewError::refused(
            format!(
                "the vendor's model has version {version} since instruction {id}, and this one starts from version {states}: \
                 read the model, and state what it is now"
            ),
            format!(
                "自指令 {id} 起，供应商模型的版本为 {version}，而此指令基于版本 {states}：请读取模型并填写其当前版本"
            ),
        ));
    }
    for op in asked.ops.iter().filter(|op| op.op == "SET_WEIGHT") {
        let Some((read, weight)) = done.iter().rev().find_map(|read| Some((read, left(&read.body, op)?))) else {
            continue;
        };
        // A later version may have another weight: someone else may have changed it.
        let until = read.body.applied_version.unwrap_or(read.body.target.profile_version);
        if op.from_bp != Some(weight) && states <= until {
            let says = op.from_bp.unwrap_or_default();
            let id = read.row.id;
            return Err(InterviewError::refused(
                format!(
                    "the weight is {weight} basis points since instruction {id}, and this one starts from {says}: state what it \
                     is now"
                ),
                format!("自指令 {id} 起，该权重为 {weight} 基点，而此指令基于 {says}：请填写当前值"),
            ));
        }
    }
    Ok(())
}

/// Of the same vendor's model, and of the same position's?
fn same_model(one: &ModelAdjustment, other: &ModelAdjustment) -> bool {
    one.target.vendor_connection == other.target.vendor_connection
        && same_reference(&one.target.position, &other.target.position)
}

/// The weight that an instruction left behind.
fn left(body: &ModelAdjustment, asked: &AdjustOp) -> Option<u16> {
    let same = |op: &&AdjustOp| {
        op.op == "SET_WEIGHT" && op.modality == asked.modality && same_reference(&op.competency, &asked.competency)
    };
    let op = body.ops.iter().find(same)?;
    if body.status == Status::Reverted { op.from_bp } else { op.to_bp }
}

/// In the order in which they changed the model: by the version where both say it, else by when it was known.
fn later(one: &Read<ModelAdjustment>, other: &Read<ModelAdjustment>) -> Ordering {
    match (one.body.applied_version, other.body.applied_version) {
        (Some(one), Some(other)) if one != other => one.cmp(&other),
        _ => one.row.recorded_at_ms.cmp(&other.row.recorded_at_ms),
    }
}

/// Do both mean the same record?
pub(super) fn same_reference<E>(one: &Option<Ref<E>>, other: &Option<Ref<E>>) -> bool {
    let key = |reference: &Option<Ref<E>>| {
        let external = reference.as_ref()?.external.clone()?;
        Some((external.connection, external.value))
    };
    key(one) == key(other)
}
