//! From the contract's shapes to ours: moves, and cleaning where the text is for an operator.

use renmen_schema::Remedy;

use crate::bindings::exports::renmen::connector::{probe, source};
use crate::bindings::renmen::connector::types;
use crate::failure::CallError;
use crate::guest_text::{CODE_BYTES_MAX, MESSAGE_BYTES_MAX};
use renmen_schema::{RunFinding, RunOmission};

use crate::page::{Coverage, Envelope, Finding};
use crate::state::CallState;
use crate::usage::Usage;
use renmen_schema::FailureKind;

/// The connector's own failure, as the caller gets it.
pub(crate) fn failure(state: &CallState, failure: &types::Failure, usage: Usage) -> CallError {
    CallError::Failure {
        kind: kind(failure.kind),
        code: failure.code.as_deref().map(|code| state.clean(code, CODE_BYTES_MAX)),
        message: state.clean(&failure.message, MESSAGE_BYTES_MAX),
        retry_after_ms: failure.retry_after_ms,
        proved: state.signature_matched,
        usage,
    }
}

fn kind(kind: types::FailureKind) -> FailureKind {
    match kind {
        types::FailureKind::AuthRequired => FailureKind::AuthRequired,
        types::FailureKind::NotGranted => FailureKind::NotGranted,
        types::FailureKind::RateLimited => FailureKind::RateLimited,
        types::FailureKind::BadConfig => FailureKind::BadConfig,
        types::FailureKind::UpstreamUnavailable => FailureKind::UpstreamUnavailable,
        types::FailureKind::UpstreamChanged => FailureKind::UpstreamChanged,
        types::FailureKind::InvalidInput => FailureKind::InvalidInput,
        types::FailureKind::Internal => FailureKind::Internal,
    }
}

pub(crate) fn envelope(from: types::Envelope) -> Envelope {
    Envelope {
        entity: from.entity,
        external_id: from.external_id,
        updated_at_ms: from.updated_at_ms,
        deleted: from.deleted,
        exchange: from.exchange,
        pointer: from.pointer,
        payload: from.payload,
    }
}

pub(crate) fn finding(state: &CallState, from: &probe::Finding) -> Finding {
    Finding {
        name: state.clean(&from.name, CODE_BYTES_MAX),
        ok: from.ok,
        message: state.clean(&from.message, MESSAGE_BYTES_MAX),
    }
}

pub(crate) fn page_finding(state: &CallState, from: &source::Finding) -> RunFinding {
    RunFinding {
        part: state.clean(&from.part, CODE_BYTES_MAX),
        code: state.clean(&from.code, CODE_BYTES_MAX),
        message: state.clean(&from.message, MESSAGE_BYTES_MAX),
        needs: match from.needs {
            source::Remedy::Operator => Remedy::Operator,
            source::Remedy::Source => Remedy::Source,
            source::Remedy::Vendor => Remedy::Vendor,
            source::Remedy::Connector => Remedy::Connector,
        },
        missing: from.missing,
    }
}

pub(crate) fn omission(state: &CallState, from: &source::Omission) -> RunOmission {
    RunOmission {
        part: state.clean(&from.part, CODE_BYTES_MAX),
        rule: state.clean(&from.rule, CODE_BYTES_MAX),
        count: from.count,
        places: from
            .places
            .iter()
            .take(RunOmission::PLACES_MAX)
            .map(|place| state.clean(place, CODE_BYTES_MAX))
            .collect(),
    }
}

pub(crate) fn coverage(from: source::Coverage) -> Coverage {
    match from {
        source::Coverage::Changes => Coverage::Changes,
        source::Coverage::Everything => Coverage::Everything,
    }
}

/// What `page_bytes_max` counts, in bytes.
pub(crate) fn items_bytes(records: &[types::Envelope], rejects: &[types::Reject]) -> u64 {
    let records = records.iter().map(|r| r.entity.len() + r.external_id.len() + r.pointer.len() + r.payload.len());
    let rejects = rejects.iter().map(|r| {
        let id = r.external_id.as_ref().map_or(0, String::len);
        r.entity.len() + id + r.pointer.len() + r.reason.len() + r.raw.len()
    });
    records.chain(rejects).sum::<usize>() as u64
}

/// What findings and omissions add to `page_bytes_max`, in bytes.
pub(crate) fn told_bytes(findings: &[source::Finding], omissions: &[source::Omission]) -> u64 {
    let findings = findings.iter().map(|finding| finding.part.len() + finding.code.len() + finding.message.len());
    let omissions = omissions.iter().map(|omission| {
        omission.part.len() + omission.rule.len() + omission.places.iter().map(String::len).sum::<usize>()
    });
    findings.chain(omissions).sum::<usize>() as u64
}
