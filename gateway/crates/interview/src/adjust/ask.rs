//! What people do about adjust instructions: propose, approve, reject, take back. The same act twice is one.

use renmen_schema::code::AdjustmentStatus;
use renmen_schema::entity::{AdjustmentAct, ModelAdjustment};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::{ExternalId, Ref};
use renmen_schema::{Entity, canonicalize};
use renmen_store::{AuthoredCommit, AuthoredRecord, ContentHash, Parent, RecordRow, Store, StoreError};
use serde_json::Value;

use super::{AdjustOptions, ENTITY, known};
use crate::dossier::{self, Read};
use crate::{InterviewError, author};

/// Characters of a reason and of a person's name.
const REASON_CHARS_MAX: usize = 2_000;
const PERSON_CHARS_MAX: usize = 200;
/// Changes of one instruction.
const OPS_MAX: usize = 50;
/// How many times an instruction is read again when someone else was quicker.
const TRIES: usize = 4;
/// The stream that people's work is written by.
const STREAM: &str = "people";

/// An instruction that a person proposes.
#[derive(Debug, Clone)]
pub struct ProposeAsk {
    /// `target`, `ops` and `evidence`, as the entity has them.
    pub instruction: Value,
    /// Who: the name of their key.
    pub person: String,
    /// Why they propose it.
    pub reason: String,
    /// What makes a second ask the same as the first.
    pub idempotency_key: Option<String>,
}

/// What a person does about an instruction.
#[derive(Debug, Clone)]
pub struct AdjustAct {
    /// What they do.
    pub kind: AdjustActKind,
    /// Who: the name of their key.
    pub person: String,
    /// Why they do it.
    pub reason: String,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdjustActKind {
    /// It may go to the vendor.
    Approve,
    /// It may not.
    Reject,
    /// What it changed is to be taken back.
    Revert {
        /// The version that the model has now; none: the one that it got from this instruction.
        version: Option<u32>,
    },
}

/// An instruction as it stands after an act.
#[derive(Debug, Clone)]
pub struct Adjusted {
    /// The record as it is kept now.
    pub row: RecordRow,
    /// False: it was done before.
    pub is_new: bool,
}

/// Keeps an instruction that a person proposes.
///
/// # Errors
/// [`InterviewError::BadInput`] for one that cannot be carried out; [`InterviewError::Refused`] for one that starts from values
/// that are known to be old, and for a key that was used for something else.
pub async fn propose_adjustment(
    store: &dyn Store,
    tenant: &TenantId,
    options: &AdjustOptions,
    ask: &ProposeAsk,
    now_ms: i64,
) -> Result<Adjusted, InterviewError> {
    check_text("person", &ask.person, PERSON_CHARS_MAX)?;
    check_text("reason", &ask.reason, REASON_CHARS_MAX)?;
    let mut body = read(store, tenant, options, ask).await?;
    body.requested_by = Some(ask.person.clone());
    body.acts = vec![kept(AdjustmentStatus::Proposed, &ask.person, &ask.reason, now_ms)?];
    let name = match &ask.idempotency_key {
        Some(key) => hex(&ContentHash::of(format!("adjust {tenant} {key}").as_bytes()).0),
        None => format!("{:032x}", rand::random::<u128>()),
    };
    let external_id = format!("adjust/{name}");
    let key = Parent { connection: author::built_in(), entity: ENTITY.to_owned(), external_id: external_id.clone() };
    if let Some(found) = dossier::find::<ModelAdjustment>(store, tenant, &key).await? {
        return again(found, &body);
    }
    known::check(store, tenant, &body, None).await?;
    let mut record = author::record(external_id, &body, Vec::new())?;
    record.expect = Some(0);
    match write(store, tenant, record, now_ms).await {
        Ok(row) => {
            count("proposed");
            Ok(Adjusted { row, is_new: true })
        }
        Err(InterviewError::Store(StoreError::Fenced(why))) => {
            let found = dossier::find::<ModelAdjustment>(store, tenant, &key).await?;
            again(found.ok_or(StoreError::Fenced(why))?, &body)
        }
        Err(error) => Err(error),
    }
}

/// The same proposal again gives the one that is there.
fn again(found: Read<ModelAdjustment>, body: &ModelAdjustment) -> Result<Adjusted, InterviewError> {
    let (there, asked) = (&found.body, body);
    let reason = |body: &ModelAdjustment| body.acts.first().and_then(|act| act.reason.clone());
    let same = there.target == asked.target
        && there.ops == asked.ops
        && there.evidence == asked.evidence
        && reason(there) == reason(asked);
    if same {
        return Ok(Adjusted { row: found.row, is_new: false });
    }
    let id = found.row.id;
    Err(InterviewError::refused(
        format!("this idempotency key was used before, for another instruction ({id}): give each its own"),
        format!("此幂等键已用于另一条指令（{id}）：请为每条指令使用不同的键"),
    ))
}

/// Does something about an instruction.
///
/// # Errors
/// [`InterviewError::NotFound`]; [`InterviewError::Refused`] where it cannot be done now, with what to do instead.
pub async fn act_on_adjustment(
    store: &dyn Store,
    tenant: &TenantId,
    options: &AdjustOptions,
    (id, act): (RecordId, &AdjustAct),
    now_ms: i64,
) -> Result<Adjusted, InterviewError> {
    check_text("person", &act.person, PERSON_CHARS_MAX)?;
    check_text("reason", &act.reason, REASON_CHARS_MAX)?;
    let mut last = None;
    for _ in 0..TRIES {
        let found = store.record(tenant, id).await?.and_then(Read::<ModelAdjustment>::of);
        let found = found.filter(|found| found.row.connection == author::built_in());
        let found = found.ok_or(InterviewError::NotFound("adjustment"))?;
        if is_done(&found.body, act) {
            return Ok(Adjusted { row: found.row, is_new: false });
        }
        let body = acted(&found.body, options, act, now_ms)?;
        if act.kind == AdjustActKind::Approve {
            known::check(store, tenant, &body, Some(found.row.id)).await?;
        }
        let mut record = author::revised(&found.row, &body, vec![author::cause(&found.row)])?;
        record.parents = super::follow::parents(&body);
        match write(store, tenant, record, now_ms).await {
            Ok(row) => {
                count(match act.kind {
                    AdjustActKind::Approve => "approved",
                    AdjustActKind::Reject => "rejected",
                    AdjustActKind::Revert { .. } => "reverted",
                });
                return Ok(Adjusted { row, is_new: true });
            }
            Err(InterviewError::Store(StoreError::Fenced(why))) => last = Some(why),
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Fenced(last.unwrap_or_default()).into())
}

/// Was just this the last thing that was done?
fn is_done(body: &ModelAdjustment, act: &AdjustAct) -> bool {
    let to = match act.kind {
        AdjustActKind::Approve => AdjustmentStatus::Approved,
        AdjustActKind::Reject => AdjustmentStatus::Rejected,
        AdjustActKind::Revert { .. } => AdjustmentStatus::Reverting,
    };
    // A revert that the vendor refused can be asked for once more.
    let over = to == AdjustmentStatus::Reverting && body.status == AdjustmentStatus::Applied;
    let last = body.acts.last();
    !over
        && last
            .is_some_and(|last| last.to == to && last.by == act.person && last.reason.as_deref() == Some(&act.reason))
}

fn acted(
    body: &ModelAdjustment,
    options: &AdjustOptions,
    act: &AdjustAct,
    now_ms: i64,
) -> Result<ModelAdjustment, InterviewError> {
    use AdjustmentStatus as Status;
    let mut next = body.clone();
    let status = body.status;
    next.status = match act.kind {
        AdjustActKind::Approve if status == Status::Proposed => {
            if !options.self_approval && body.requested_by.as_deref() == Some(&act.person) {
                return Err(InterviewError::refused(
                    "the person who proposed an instruction may not approve it: have it approved with another person's key, or \
                     set `adjust_self_approval = true` in [interview]",
                    "提出指令的人不能自行批准：请由他人用自己的密钥批准，或在 [interview] 中设置 `adjust_self_approval = true`",
                ));
            }
            next.approved_by = Some(act.person.clone());
            Status::Approved
        }
        AdjustActKind::Reject if status == Status::Proposed => Status::Rejected,
        AdjustActKind::Revert { version } if status == Status::Applied => {
            next.revert_version = version.or(body.applied_version);
            next.refusal = None;
            Status::Reverting
        }
        AdjustActKind::Approve | AdjustActKind::Reject => {
            let status = status.as_str();
            return Err(InterviewError::refused(
                format!("the instruction is {status}: only what is PROPOSED is approved or rejected"),
                format!("该指令的状态为 {status}：只有 PROPOSED 的指令可以批准或驳回"),
            ));
        }
        AdjustActKind::Revert { .. } => {
            let advice = match status {
                Status::Proposed => ("reject it instead", "请改为驳回"),
                Status::Reverting | Status::Reverted => ("it is being taken back, or was", "它正在撤回或已撤回"),
                Status::Rejected => ("nothing was changed", "未作任何更改"),
                _ => ("wait until the vendor has applied it", "请等待供应商应用后再撤回"),
            };
            let (status, (en, zh)) = (status.as_str(), advice);
            return Err(InterviewError::refused(
                format!("the instruction is {status}: only what is APPLIED is taken back; {en}"),
                format!("该指令的状态为 {status}：只有 APPLIED 的指令可以撤回；{zh}"),
            ));
        }
    };
    next.acts.push(kept(next.status, &act.person, &act.reason, now_ms)?);
    Ok(next)
}

fn kept(to: AdjustmentStatus, person: &str, reason: &str, now_ms: i64) -> Result<AdjustmentAct, InterviewError> {
    let mut act = AdjustmentAct::new(to, person.to_owned(), author::instant(now_ms)?);
    act.reason = Some(reason.to_owned());
    Ok(act)
}

/// The instruction as a body, with references that the vendor can follow.
async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    options: &AdjustOptions,
    ask: &ProposeAsk,
) -> Result<ModelAdjustment, InterviewError> {
    let bad = |expected: String, zh: String| InterviewError::bad("instruction", expected, zh);
    let Value::Object(mut source) = ask.instruction.clone() else {
        return Err(bad("an object with `target` and `ops`".to_owned(), "含 `target` 与 `ops` 的对象".to_owned()));
    };
    if let Some(other) = source.keys().find(|key| !["target", "ops", "evidence"].contains(&key.as_str())) {
        let other: String = other.chars().take(60).collect();
        return Err(bad(
            format!("an object with `target`, `ops` and `evidence`; `{other}` is not one of them"),
            format!("仅含 `target`、`ops` 和 `evidence` 的对象；`{other}` 不在其中"),
        ));
    }
    source.insert("status".to_owned(), AdjustmentStatus::Proposed.as_str().into());
    let source = Value::Object(source).to_string();
    let body = canonicalize(ModelAdjustment::KIND, source.as_bytes()).map_err(|defects| {
        let told: Vec<String> = defects.iter().take(10).map(ToString::to_string).collect();
        let told = told.join("; ");
        bad(
            format!("an instruction as `GET /v1/schema/model_adjustment` shows it: {told}"),
            format!("符合 `GET /v1/schema/model_adjustment` 的指令：{told}"),
        )
    })?;
    let mut body: ModelAdjustment =
        serde_json::from_slice(&body).map_err(|error| InterviewError::Fault(error.to_string()))?;
    let vendors = &options.sources.vendors;
    let vendor = vendors.iter().find(|vendor| vendor.as_str() == body.target.vendor_connection);
    let Some(vendor) = vendor.cloned() else {
        let known = vendors.iter().map(|vendor| format!("`{vendor}`")).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none is named".to_owned() } else { known };
        return Err(InterviewError::bad(
            "target.vendor_connection",
            format!("one of `interview.vendors`: {known}"),
            format!("`interview.vendors` 之一：{known}"),
        ));
    };
    check_ops(&body)?;
    if let Some(position) = &mut body.target.position {
        lead(store, tenant, &vendor, "target.position", position).await?;
    }
    for op in &mut body.ops {
        if let Some(competency) = &mut op.competency {
            lead(store, tenant, &vendor, "ops.competency", competency).await?;
        }
        for own in [&mut op.signal, &mut op.question].into_iter().flatten() {
            own.connection.get_or_insert_with(|| vendor.clone());
        }
    }
    Ok(body)
}

fn check_ops(body: &ModelAdjustment) -> Result<(), InterviewError> {
    if body.ops.is_empty() || body.ops.len() > OPS_MAX {
        return Err(InterviewError::bad("ops", format!("1 to {OPS_MAX} changes"), format!("1 到 {OPS_MAX} 项更改")));
    }
    let weights: Vec<_> = body.ops.iter().filter(|op| op.op == "SET_WEIGHT").collect();
    for (at, op) in weights.iter().enumerate() {
        if op.from_bp == op.to_bp {
            return Err(InterviewError::bad("ops.to_bp", "another weight than `from_bp`", "不同于 `from_bp` 的权重"));
        }
        let twice = |other: &&&renmen_schema::entity::AdjustOp| {
            known::same_reference(&other.competency, &op.competency) && other.modality == op.modality
        };
        if weights[..at].iter().any(|other| twice(&other)) {
            return Err(InterviewError::bad(
                "ops",
                "changes of which no two set the same weight",
                "互不重复的更改：同一权重只能设置一次",
            ));
        }
    }
    Ok(())
}

/// A reference with the id that the vendor knows the record by: as it is given, or of the record that our id names.
async fn lead<E>(
    store: &dyn Store,
    tenant: &TenantId,
    vendor: &ConnectionName,
    field: &'static str,
    reference: &mut Ref<E>,
) -> Result<(), InterviewError> {
    match (&mut reference.external, reference.id) {
        (Some(external), _) => {
            external.connection.get_or_insert_with(|| vendor.clone());
        }
        (None, Some(id)) => {
            let row = store.record(tenant, id).await?.filter(|row| row.deleted.is_none());
            let row =
                row.ok_or_else(|| InterviewError::bad(field, "the id of a record that is there", "已有记录的编号"))?;
            let external = ExternalId { connection: Some(row.connection.clone()), ..ExternalId::of(&row.external_id) };
            reference.external = Some(external);
        }
        (None, None) => {
            return Err(InterviewError::bad(
                field,
                "a reference with an `id` or an `external`",
                "含 `id` 或 `external` 的引用",
            ));
        }
    }
    Ok(())
}

async fn write(
    store: &dyn Store,
    tenant: &TenantId,
    record: AuthoredRecord,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(STREAM), now_ms);
    commit.records.push(record);
    let done = store.author(commit).await?;
    let id = done.ids.first().copied().ok_or_else(|| InterviewError::Fault("nothing was written".into()))?;
    store.record(tenant, id).await?.ok_or_else(|| InterviewError::Fault("what was written is gone".into()))
}

fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), InterviewError> {
    if text.trim().is_empty() || text.chars().count() > max {
        return Err(InterviewError::bad(
            field,
            format!("a text of 1 to {max} characters"),
            format!("1 到 {max} 个字符的文本"),
        ));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count(what: &'static str) {
    metrics::counter!("renmen_model_adjustments_total", "what" => what).increment(1);
}
