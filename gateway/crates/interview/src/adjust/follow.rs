//! The outcome of an instruction: from the deliveries that were made while it was APPROVED or REVERTING, and from the
//! vendor's own record of it, whichever is heard first. It is worked out from the start each time, so that looking
//! twice changes nothing.

use std::collections::BTreeSet;

use renmen_schema::code::AdjustmentStatus as Status;
use renmen_schema::entity::ModelAdjustment;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{DeliveryQuery, DeliveryRow, DeliveryState};
use renmen_store::{
    AuthoredCommit, AuthoredRecord, ChangeRow, LinkedQuery, MESSAGES_STREAM, Parent, RecordRow, Store, TimerWrite,
};
use serde_json::Value;

use super::{ENTITY, theirs};
use crate::dossier;
use crate::{InterviewError, author};

/// The action by which an endpoint is told of a record: it carries nothing out.
const EVENT: &str = "event.send";
/// Deliveries of one instruction that are looked at, the newest; and its revisions.
const DELIVERIES_MAX: u32 = 50;
const REVISIONS_MAX: u32 = 100;
/// Characters of a vendor's code.
const CODE_CHARS_MAX: usize = 100;

/// A new revision of the instruction with this id, as it stands now; `None` where the instruction is not known or
/// nothing about it has changed.
pub(crate) async fn followed(
    store: &dyn Store,
    tenant: &TenantId,
    external_id: &str,
) -> Result<Option<AuthoredRecord>, InterviewError> {
    let key = Parent { connection: author::built_in(), entity: ENTITY.to_owned(), external_id: external_id.to_owned() };
    let Some(kept) = dossier::find::<ModelAdjustment>(store, tenant, &key).await? else { return Ok(None) };
    let Ok(vendor) = kept.body.target.vendor_connection.parse::<ConnectionName>() else { return Ok(None) };
    let sent = Sent::read(store, tenant, &kept.row, &vendor).await?;
    let receipt = sent.receipt().or_else(|| kept.body.vendor_receipt.clone());
    let said = match &receipt {
        Some(receipt) => dossier::find::<ModelAdjustment>(store, tenant, &theirs(&vendor, receipt)).await?,
        None => None,
    };
    let now = sent.standing(&kept.body, receipt, said.as_ref().map(|read| &read.body));
    if now == kept.body {
        return Ok(None);
    }
    let causes = std::iter::once(&kept.row).chain(said.as_ref().map(|read| &read.row)).map(author::cause).collect();
    let mut record = author::revised(&kept.row, &now, causes)?;
    record.parents = parents(&now);
    if now.status != kept.body.status {
        let status = now.status.as_str();
        metrics::counter!("renmen_model_adjustments_followed_total", "status" => status).increment(1);
    }
    Ok(Some(record))
}

/// Is it a change of what a vendor says of an instruction?
pub(crate) fn is_theirs(change: &ChangeRow) -> bool {
    change.entity == ENTITY && change.connection != author::built_in()
}

/// The vendor's record of an instruction changed: the instruction, where it is one of ours, is to be looked at.
pub(crate) async fn wake(
    store: &dyn Store,
    tenant: &TenantId,
    theirs: &RecordRow,
    now_ms: i64,
) -> Result<(), InterviewError> {
    let query = LinkedQuery {
        parent: crate::subject::key_of(theirs),
        connections: vec![author::built_in()],
        entities: vec![ENTITY.to_owned()],
        after: None,
        limit: 10,
    };
    let ours = store.linked(tenant, &query).await?;
    if ours.is_empty() {
        return Ok(());
    }
    let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(MESSAGES_STREAM), now_ms);
    commit.timers = ours.into_iter().map(|row| TimerWrite::Set { name: row.external_id, due_ms: now_ms }).collect();
    store.author(commit).await?;
    Ok(())
}

/// What an instruction is found by: the vendor's record of it.
pub(super) fn parents(body: &ModelAdjustment) -> Vec<Parent> {
    let vendor = body.target.vendor_connection.parse::<ConnectionName>().ok();
    let found = vendor.zip(body.vendor_receipt.as_ref()).map(|(vendor, receipt)| theirs(&vendor, receipt));
    found.into_iter().collect()
}

/// The deliveries of an instruction to its vendor.
#[derive(Default)]
struct Sent {
    /// Made while it was APPROVED, in the order of their making.
    forth: Vec<DeliveryRow>,
    /// Made while it was REVERTING for the last time.
    back: Vec<DeliveryRow>,
    /// Was it ever to be taken back?
    reverting: bool,
}

impl Sent {
    async fn read(
        store: &dyn Store,
        tenant: &TenantId,
        row: &RecordRow,
        vendor: &ConnectionName,
    ) -> Result<Self, InterviewError> {
        let revisions = store.revisions(tenant, row.id, REVISIONS_MAX).await?;
        let status_at = |wanted: Status| {
            let of = |row: &RecordRow| serde_json::from_slice::<ModelAdjustment>(&row.body).ok();
            let all = revisions.iter().filter(move |row| of(row).is_some_and(|body| body.status == wanted));
            all.map(|row| row.revision).collect::<BTreeSet<i64>>()
        };
        let (forth, back) = (status_at(Status::Approved), status_at(Status::Reverting));
        let query = DeliveryQuery {
            record: Some(row.id),
            connection: Some(vendor.clone()),
            limit: DELIVERIES_MAX,
            ..DeliveryQuery::default()
        };
        let mut sent = Self { reverting: !back.is_empty(), ..Self::default() };
        let all = store.deliveries(tenant, &query).await?;
        let ids: BTreeSet<i64> = all.iter().map(|row| row.id).collect();
        // Newest first; what tells an operator that a delivery died names that one as its cause, and carries nothing out.
        let carries = |row: &DeliveryRow| row.action != EVENT && row.caused_by.is_none_or(|id| !ids.contains(&id));
        for delivery in all.into_iter().rev().filter(carries) {
            if Some(&delivery.change.revision) == back.last() {
                sent.back.push(delivery);
            } else if forth.contains(&delivery.change.revision) {
                sent.forth.push(delivery);
            }
        }
        Ok(sent)
    }

    /// The vendor's id of the instruction.
    fn receipt(&self) -> Option<String> {
        best(&self.forth)?.receipt.as_ref()?.reference.clone()
    }

    /// The instruction as it stands. `said` is what the vendor's own record says.
    fn standing(
        &self,
        kept: &ModelAdjustment,
        receipt: Option<String>,
        said: Option<&ModelAdjustment>,
    ) -> ModelAdjustment {
        let by_person = kept.acts.last().is_some_and(|act| act.to == Status::Rejected);
        if by_person || matches!(kept.status, Status::Proposed | Status::Reverted) {
            return kept.clone();
        }
        let mut now = kept.clone();
        now.vendor_receipt = receipt;
        // What is no longer kept is as it was; only what was applied is taken back.
        let was = if self.reverting { Status::Applied } else { kept.status };
        let forth = outcome(&self.forth, (Status::Approved, Status::Applied));
        let (mut status, mut refusal) = forth.unwrap_or_else(|| (was, kept.refusal.clone()));
        match said.map(|said| said.status) {
            Some(Status::Rejected) => {
                refusal = refusal.filter(|_| status == Status::Rejected).or_else(|| Some("rejected".to_owned()));
                status = Status::Rejected;
            }
            Some(Status::Reverted) => status = Status::Reverted,
            Some(said) if status == Status::Rejected || rank(said) > rank(status) => (status, refusal) = (said, None),
            _ => {}
        }
        if self.reverting && status == Status::Applied {
            let back = outcome(&self.back, (Status::Reverting, Status::Reverted));
            (status, refusal) = back.unwrap_or_else(|| (kept.status, kept.refusal.clone()));
            if status == Status::Rejected {
                status = Status::Applied;
            }
        }
        // A model's versions rise: the last that is known is the one that it has since.
        let told = [best(&self.forth), best(&self.back)].into_iter().flatten().filter_map(version);
        now.applied_version = told.chain(said.and_then(|said| said.applied_version)).chain(kept.applied_version).max();
        (now.status, now.refusal) = (status, refusal);
        now
    }
}

/// What deliveries come to together; `None` where there are no deliveries.
fn outcome(deliveries: &[DeliveryRow], (waits, arrived): (Status, Status)) -> Option<(Status, Option<String>)> {
    let best = best(deliveries)?;
    Some(match best.state {
        DeliveryState::Delivered => (arrived, None),
        DeliveryState::Unconfirmed if waits == Status::Approved => (Status::Sent, None),
        DeliveryState::Unconfirmed | DeliveryState::Pending | DeliveryState::InFlight => (waits, None),
        DeliveryState::Dead | DeliveryState::Withheld | DeliveryState::Expired => {
            (Status::Rejected, best.error.as_deref().map(code))
        }
    })
}

/// One that arrived is enough; one that is under way may still.
fn best(deliveries: &[DeliveryRow]) -> Option<&DeliveryRow> {
    let rank = |row: &DeliveryRow| match row.state {
        DeliveryState::Delivered => 3,
        DeliveryState::Unconfirmed => 2,
        DeliveryState::Pending | DeliveryState::InFlight => 1,
        DeliveryState::Dead | DeliveryState::Withheld | DeliveryState::Expired => 0,
    };
    deliveries.iter().max_by_key(|row| (rank(row), row.id))
}

/// How far an instruction is that the vendor did not refuse.
fn rank(status: Status) -> u8 {
    match status {
        Status::Proposed => 0,
        Status::Approved => 1,
        Status::Sent => 2,
        Status::Accepted => 3,
        Status::Applied => 4,
        Status::Reverting => 5,
        Status::Reverted => 6,
        Status::Rejected => 7,
    }
}

/// The version of the model that a receipt tells: `version`, of the receipt or of what it was confirmed by.
fn version(delivery: &DeliveryRow) -> Option<u32> {
    let detail: Value = serde_json::from_str(&delivery.receipt.as_ref()?.detail).ok()?;
    let told = detail["confirmed"].get("version").or_else(|| detail.get("version"));
    told.and_then(Value::as_u64).and_then(|version| u32::try_from(version).ok())
}

/// The vendor's own code, which stands at the end in brackets, or the kind of the failure. What stands between may quote the vendor.
fn code(error: &str) -> String {
    let kind = error.split(':').next().unwrap_or_default();
    let theirs = error.rsplit_once(" [").and_then(|(_, rest)| rest.split_once(']')).map(|(code, _)| code);
    theirs.filter(|code| !code.is_empty()).unwrap_or(kind).chars().take(CODE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_refusal_is_the_vendors_code_or_the_kind_of_the_failure() {
        for (error, wanted) in [
            ("invalid-input: another weight [weight_conflict]", "weight_conflict"),
            ("not_arrived: taken and rejected [rejected]", "rejected"),
            ("upstream-unavailable: no answer [503] (for longer than its patience)", "503"),
            ("expired: its deadline passed", "expired"),
            ("loop: 9 deliveries [] led to this one", "loop"),
        ] {
            assert_eq!(code(error), wanted, "{error}");
        }
    }
}
