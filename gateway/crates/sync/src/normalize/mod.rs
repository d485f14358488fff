//! From envelopes to records: the one hall behind every door. Pure: no store, no clock, no network.
//!
//! [`page`] is the whole way. A run takes it in two steps with one look-up between them: [`check`] looks at envelopes alone; then the store says what it knows of those
//! that passed; [`finish`] needs to parse only what is not byte for byte what the store already holds. A record that cannot
//! be taken in goes to quarantine with a reason that holds none of its values; the rest of the page goes on.

mod envelope;
mod payslip;
mod refusal;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use renmen_plugin_host::{Envelope, Page, Reject};
use renmen_store::{Content, ContentHash, DeletedBy, Known, QuarantineWrite, RecordWrite};

use crate::{EntityGrant, IngestLimits};
use envelope::Fault;
pub(crate) use envelope::NOT_GRANTED;
pub use payslip::PayslipRule;
pub(crate) use payslip::Payslips;
use renmen_schema::{EntityKind, Limits, Text, canonicalize_into, text};

/// What may come in through a door: what the manifest declares for it, and of that what the operator granted.
pub(crate) struct Rules {
    kinds: Vec<(String, May)>,
    limits: IngestLimits,
    payslips: PayslipRule,
}

/// What is known of a declared entity.
#[derive(Clone, Copy)]
enum May {
    Come(EntityKind),
    NotGranted,
    GatewayOnly,
    Unknown,
}

impl Rules {
    /// For what a manifest declares for a door: a stream's entities, or all that a delivery may carry.
    pub(crate) fn new(
        declared: &[String],
        entities: &EntityGrant,
        limits: IngestLimits,
        payslips: PayslipRule,
    ) -> Self {
        let may = |name: &String| match EntityKind::from_name(name) {
            None => May::Unknown,
            Some(kind) if kind.is_gateway_only() => May::GatewayOnly,
            Some(kind) if entities.allows(kind) => May::Come(kind),
            Some(_) => May::NotGranted,
        };
        let kinds = declared.iter().map(|name| (name.clone(), may(name))).collect();
        Self { kinds, limits, payslips }
    }

    fn kind(&self, entity: &str) -> Result<EntityKind, Fault> {
        match self.kinds.iter().find(|(name, _)| name == entity) {
            Some((_, May::Come(kind))) => Ok(*kind),
            Some((_, May::NotGranted)) => Err(Fault::new(
                NOT_GRANTED,
                text!(
                    "`grant.entities` of the connection does not name `{entity}`: add it there to let it in",
                    "该连接的 `grant.entities` 中没有 `{entity}`：如需接收，请在那里加上"
                ),
            )),
            Some((_, May::GatewayOnly)) => Err(gateway_only(entity)),
            Some((_, May::Unknown)) => Err(Fault::new(
                "unknown_entity",
                text!(
                    "the manifest declares an entity that this gateway does not know: it may need a newer gateway",
                    "清单声明了此网关不认识的实体：可能需要更新的网关"
                ),
            )),
            None if EntityKind::from_name(entity).is_some_and(EntityKind::is_gateway_only) => Err(gateway_only(entity)),
            None => Err(Fault::new(
                "undeclared_entity",
                text!(
                    "the manifest's stream carries {}",
                    "清单中该数据流的实体为 {}",
                    self.kinds.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ")
                ),
            )),
        }
    }
}

fn gateway_only(entity: &str) -> Fault {
    Fault::new(
        "gateway_only",
        text!(
            "`{entity}` is written by the gateway alone: no connection may bring it",
            "`{entity}` 只由网关写入：任何连接都不能送来"
        ),
    )
}

/// Which records are on their way to the store but may not be there yet: what the store knows of them is out of date.
/// Hashes instead of ids: a collision costs a parse, nothing else.
pub(crate) struct Marks(RandomState);

impl Marks {
    pub(crate) fn new() -> Self {
        Self(RandomState::new())
    }

    pub(crate) fn of(&self, entity: &str, external_id: &str) -> u64 {
        self.0.hash_one((entity, external_id))
    }
}

/// A record whose envelope is sound.
pub(crate) struct Candidate {
    envelope: Rest,
    kind: EntityKind,
    hash: ContentHash,
    /// The store's answer may be used: the id is unique in its page and not on its way from the one before.
    settled: bool,
}

/// What is left of an envelope when its ids are taken out.
struct Rest {
    updated_at_ms: Option<i64>,
    deleted: bool,
    exchange: u32,
    pointer: String,
    payload: Vec<u8>,
}

/// Between the steps.
#[derive(Default)]
pub(crate) struct Checked {
    /// Entity and external id of each candidate: the look-up's question.
    pub(crate) ids: Vec<(String, String)>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) quarantine: Vec<QuarantineWrite>,
    /// Marks of every candidate: the next page's `in_flight`.
    pub(crate) marks: HashSet<u64>,
    /// How its payslips are verified.
    payslips: PayslipRule,
    /// By entity: candidates whose time lies too far ahead of the clock to be believed.
    pub(crate) dated_ahead: BTreeMap<String, u64>,
}

/// What a page amounts to.
#[derive(Default)]
pub(crate) struct Normalized {
    pub(crate) records: Vec<RecordWrite>,
    pub(crate) unchanged: Vec<(String, String)>,
    pub(crate) quarantine: Vec<QuarantineWrite>,
    pub(crate) payslips: Payslips,
    /// By entity: records, unchanged ones too, whose time lay too far ahead of the clock to be believed. They count as having none.
    pub(crate) dated_ahead: BTreeMap<String, u64>,
}

/// What came through a door, as the connector handed it over.
pub(crate) struct Arrived {
    pub(crate) envelopes: Vec<Envelope>,
    /// Records that the connector itself could not make.
    pub(crate) rejects: Vec<Reject>,
    /// How many exchanges the envelopes may point into.
    pub(crate) exchanges: usize,
    /// The clock that the connector saw.
    pub(crate) clock_ms: i64,
}

impl Arrived {
    /// The records and rejects of a page, which are taken out of it.
    pub(crate) fn of(page: &mut Page, clock_ms: i64) -> Self {
        Self {
            envelopes: std::mem::take(&mut page.records),
            rejects: std::mem::take(&mut page.rejects),
            exchanges: page.exchanges.len(),
            clock_ms,
        }
    }
}

/// Both steps without a look-up between them: for the doors through which no page comes right before this one.
pub(crate) fn page(arrived: Arrived, rules: &Rules) -> Normalized {
    finish(check(arrived, rules, &Marks::new(), &VecDeque::new()), &[])
}

/// The first step.
///
/// A time in the future is not one that the vendor changed something at. As the newest time of a record it would let no later
/// change in until then, so such a record comes in as one without a time, in the order in which it comes.
pub(crate) fn check(arrived: Arrived, rules: &Rules, marks: &Marks, in_flight: &VecDeque<HashSet<u64>>) -> Checked {
    let Arrived { envelopes, rejects, exchanges, clock_ms } = arrived;
    let marks_of = HashSet::with_capacity(envelopes.len());
    let mut checked = Checked { marks: marks_of, payslips: rules.payslips, ..Checked::default() };
    let ceiling_ms = clock_ms.saturating_add(crate::options::millis(rules.limits.dated_ahead_max));
    let mut repeated = HashSet::new();
    let mut own = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        let found = envelope::examine(&envelope, exchanges, &rules.limits).and_then(|()| rules.kind(&envelope.entity));
        let kind = match found {
            Ok(kind) => kind,
            Err(fault) => {
                checked.quarantine.push(refusal::from_envelope(envelope, fault, &rules.limits));
                continue;
            }
        };
        let mark = marks.of(&envelope.entity, &envelope.external_id);
        if !checked.marks.insert(mark) {
            repeated.insert(mark);
        }
        own.push(mark);
        let hash = ContentHash::of(&envelope.payload);
        let Envelope { entity, external_id, updated_at_ms, deleted, exchange, pointer, payload } = envelope;
        let believed_ms = updated_at_ms.filter(|at_ms| *at_ms <= ceiling_ms);
        if believed_ms != updated_at_ms {
            *checked.dated_ahead.entry(entity.clone()).or_default() += 1;
        }
        checked.ids.push((entity, external_id));
        let updated_at_ms = believed_ms;
        let envelope = Rest { updated_at_ms, deleted, exchange, pointer, payload };
        checked.candidates.push(Candidate { envelope, kind, hash, settled: false });
    }
    for (candidate, mark) in checked.candidates.iter_mut().zip(own) {
        candidate.settled = !repeated.contains(&mark) && !in_flight.iter().any(|page| page.contains(&mark));
    }
    checked.quarantine.extend(rejects.into_iter().map(|reject| refusal::from_reject(reject, &rules.limits)));
    checked
}

/// The second step. `known` answers `ids` in their order; empty when nothing was asked.
pub(crate) fn finish(checked: Checked, known: &[Option<Known>]) -> Normalized {
    let Checked { ids, candidates, quarantine, dated_ahead, .. } = checked;
    let mut page = Normalized { quarantine, dated_ahead, ..Normalized::default() };
    let mut canonical = Vec::new();
    for (at, (candidate, id)) in candidates.into_iter().zip(ids).enumerate() {
        let known = known.get(at).copied().flatten().filter(|_| candidate.settled);
        if known.is_some_and(|known| is_same(&candidate, known)) {
            page.unchanged.push(id);
            continue;
        }
        match record(candidate, id, &mut canonical, (checked.payslips, &mut page.payslips)) {
            Ok(record) => page.records.push(record),
            Err(refused) => page.quarantine.push(*refused),
        }
    }
    page
}

fn is_same(candidate: &Candidate, known: Known) -> bool {
    known.deleted == candidate.envelope.deleted && (known.deleted || known.hash == candidate.hash)
}

/// `canonical` is used again for each record: nearly every payload is canonical as it comes, and is then the body.
fn record(
    candidate: Candidate,
    (entity, external_id): (String, String),
    canonical: &mut Vec<u8>,
    (rule, payslips): (PayslipRule, &mut Payslips),
) -> Result<RecordWrite, Box<QuarantineWrite>> {
    let Candidate { envelope, kind, hash, .. } = candidate;
    let content = if envelope.deleted {
        Content::gone(entity)
    } else {
        canonical.clear();
        match body_of(kind, &envelope.payload, canonical, (rule, payslips)) {
            Ok(()) if *canonical == envelope.payload => Content::hashed(entity, envelope.payload, hash),
            Ok(()) => Content::of(entity, canonical.clone()),
            Err((code, reason)) => {
                return Err(Box::new(QuarantineWrite {
                    entity,
                    external_id: Some(external_id),
                    exchange_no: envelope.exchange,
                    pointer: envelope.pointer,
                    code,
                    reason,
                    raw: envelope.payload,
                }));
            }
        }
    };
    Ok(RecordWrite {
        external_id,
        content,
        updated_at_ms: envelope.updated_at_ms,
        exchange_no: envelope.exchange,
        pointer: envelope.pointer,
        deleted: envelope.deleted.then_some(DeletedBy::SourceFlag),
    })
}

/// Adds the canonical body of a payload, or says code and reason of its refusal.
fn body_of(
    kind: EntityKind,
    payload: &[u8],
    body: &mut Vec<u8>,
    (rule, payslips): (PayslipRule, &mut Payslips),
) -> Result<(), (String, Text)> {
    canonicalize_into(kind, payload, &Limits::default(), body).map_err(|defects| refusal::describe(&defects))?;
    let fault = match kind {
        EntityKind::DimensionScore if corrects(body) => Some(Fault::new(
            "gateway_only",
            text!(
                "/adjusts: only a person at the gateway corrects a score; a source that scored again sends another score and its new \
             result",
                "/adjusts：只有网关上的人员可以更正分数；来源重新评分时，应发送另一个分数及其新结果"
            ),
        )),
        EntityKind::PayrollRecord => payslips.verify(body, rule).err(),
        _ => None,
    };
    match fault {
        Some(Fault { code, reason }) => Err((code.to_owned(), reason)),
        None => Ok(()),
    }
}

/// Does a score name another one that it corrects? Its body is canonical, so it parses.
fn corrects(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Score {
        adjusts: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Score>(body).is_ok_and(|score| score.adjusts.is_some())
}
