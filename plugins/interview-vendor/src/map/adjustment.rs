//! Adjust instructions as the vendor has them.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::AdjustmentStatus;
use renmen_plugin::schema::entity::{AdjustOp, AdjustmentTarget, ModelAdjustment};
use renmen_plugin::schema::types::{ExternalId, Ref};

use super::{coded, localized};
use crate::vendor;

/// `adjustments`.
///
/// # Errors
/// [`Unfit`] for an operation or a status that the protocol does not have.
pub fn adjustment(from: &vendor::Adjustment) -> Result<ModelAdjustment, Unfit> {
    let status = match from.status.as_str() {
        "accepted" => AdjustmentStatus::Accepted,
        "applied" => AdjustmentStatus::Applied,
        "rejected" => AdjustmentStatus::Rejected,
        "reverted" => AdjustmentStatus::Reverted,
        _ => return Err(Unfit::field("status", "a word that is not one of accepted, applied, rejected, reverted")),
    };
    // The vendor does not know what we call the connection to it.
    let mut target = AdjustmentTarget::new("self".into(), from.expected_version);
    target.position = from.position_id.as_deref().map(Ref::external);
    let ops = from.ops.iter().map(op).collect::<Result<_, _>>()?;
    let (vendor_receipt, applied_version) = (from.receipt.clone(), from.version);
    Ok(ModelAdjustment { ops, vendor_receipt, applied_version, ..ModelAdjustment::new(target, status) })
}

fn op(from: &vendor::AdjustOp) -> Result<AdjustOp, Unfit> {
    let known = ["set_weight", "add_signal", "drop_question", "add_question", "block_feature"];
    if !known.contains(&from.op.as_str()) {
        return Err(Unfit::field("ops.op", "an operation that the protocol does not have"));
    }
    let mut op = AdjustOp::new(from.op.to_ascii_uppercase());
    op.competency = from.competency_id.as_deref().map(Ref::external);
    op.modality = from.modality.as_deref().map(coded);
    (op.from_bp, op.to_bp) = (from.from_bp, from.to_bp);
    op.signal = from.signal.as_deref().map(ExternalId::of);
    op.question = from.question_id.as_deref().map(ExternalId::of);
    op.text = from.text.as_ref().map(|text| localized("ops.text", text)).transpose()?;
    op.feature.clone_from(&from.feature);
    Ok(op)
}
