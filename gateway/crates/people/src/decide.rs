//! What people decide. A decision speaks of records, so that it means the same regardless of what else is found; it is taken in by any gateway and
//! settled at once by that one.

use std::collections::BTreeSet;

use renmen_clock::Clock;
use renmen_identity::{Rules, Subject};
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use renmen_store::{DecisionCommit, IdentityAsk, MemberRow, PendingRow, RecordIdentity, Store, StoreError, Undone};

use crate::PeopleError;
use crate::person::{Act, Ask, Decided};
use crate::settle::Settler;

/// Records of one decision.
pub(crate) const RECORDS_MAX: usize = 100;
/// Pairs of records that one decision is kept as.
const PAIRS_MAX: usize = 2_500;
/// Characters of a name, of a reason, and of a request's name.
const WHO_MAX: usize = 200;
const WHY_MAX: usize = 2_000;
/// Times that a settling is tried that another write was in the way of.
const TRIES: usize = 5;
/// Records that wait and are looked through for those of a decision.
const PENDING: u32 = 1_000;

/// Takes decisions in.
pub(crate) struct Desk<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) tenant: &'a TenantId,
    pub(crate) rules: &'a Rules,
}

fn bad(why: Text) -> PeopleError {
    PeopleError::BadInput(why)
}

fn check_text(what: &str, text: &str, most: usize) -> Result<(), PeopleError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(bad(text!("`{what}` is empty", "`{what}` 为空")));
    }
    if length > most {
        return Err(bad(text!(
            "`{what}` has {length} characters; at most {most}",
            "`{what}` 有 {length} 个字符；最多 {most} 个"
        )));
    }
    if text.contains('\0') {
        return Err(bad(text!("`{what}` holds a NUL character", "`{what}` 含有 NUL 字符")));
    }
    Ok(())
}

impl Desk<'_> {
    pub(crate) async fn decide(&self, ask: &Ask, places: &[(RecordIdentity, Subject)]) -> Result<Decided, PeopleError> {
        check_text("who", &ask.who, WHO_MAX)?;
        check_text("why", &ask.why, WHY_MAX)?;
        ask.request.as_deref().map_or(Ok(()), |request| check_text("request", request, WHO_MAX))?;
        if places.len() > RECORDS_MAX {
            return Err(bad(text!("more than {RECORDS_MAX} records", "记录超过 {RECORDS_MAX} 条")));
        }
        if places.iter().any(|(_, subject)| *subject != places[0].1) {
            return Err(bad(text!("a person and a unit are never one", "人员与组织单位不会是同一个")));
        }
        let places: Vec<RecordIdentity> = places.iter().map(|(place, _)| *place).collect();
        let pairs = match ask.act {
            Act::Link => Self::linked(&places)?,
            Act::Split => self.split(&places).await?,
            Act::Never => self.never(&places).await?,
        };
        if pairs.len() > PAIRS_MAX {
            let count = pairs.len();
            return Err(PeopleError::Refused(text!(
                "this would be kept as {count} pairs of records, at most {PAIRS_MAX}: decide about fewer records at a time",
                "这将保存为 {count} 对记录，最多 {PAIRS_MAX} 对：请每次对更少的记录作决定"
            )));
        }
        let commit = DecisionCommit {
            tenant: self.tenant.clone(),
            act: ask.act.name(),
            same: ask.act == Act::Link,
            pairs: pairs.clone(),
            who: ask.who.clone(),
            why: ask.why.clone(),
            request: ask.request.clone().unwrap_or_default(),
            now_ms: self.clock.now_ms(),
        };
        let kept = match self.store.decide_identity(commit).await {
            Err(StoreError::BadInput(_)) => {
                return Err(bad(text!(
                    "another decision came under this name before: use another name for another decision",
                    "此名称此前已用于另一个决定：不同的决定请使用不同的名称"
                )));
            }
            kept => kept?,
        };
        self.answer(kept.call, kept.repeated, pairs).await
    }

    /// Each with the first.
    fn linked(places: &[RecordIdentity]) -> Result<Vec<(i64, i64)>, PeopleError> {
        let [first, rest @ ..] = places else { return Err(two_records()) };
        if rest.is_empty() {
            return Err(two_records());
        }
        Ok(rest.iter().map(|place| (first.record, place.record)).collect())
    }

    /// Each that leaves with each that stays.
    async fn split(&self, places: &[RecordIdentity]) -> Result<Vec<(i64, i64)>, PeopleError> {
        let Some(first) = places.first() else {
            return Err(bad(text!("name the records that leave", "请指明要分出的记录")));
        };
        if places.iter().any(|place| place.identity != first.identity) {
            return Err(PeopleError::Refused(text!(
                "these records are not of one person now: a split names records of one",
                "这些记录目前不属于同一人：拆分只能针对同一人的记录"
            )));
        }
        let out: BTreeSet<i64> = places.iter().map(|place| place.record).collect();
        let rest: Vec<i64> = self
            .members(&[first.identity])
            .await?
            .iter()
            .map(|one| one.record)
            .filter(|one| !out.contains(one))
            .collect();
        if rest.is_empty() {
            return Err(PeopleError::Refused(text!(
                "these are all records of the person: name only those that leave",
                "这些已是该人的全部记录：请只指明要分出的记录"
            )));
        }
        Ok(out.iter().flat_map(|one| rest.iter().map(move |other| (*one, *other))).collect())
    }

    /// All records of each with all records of the others.
    async fn never(&self, places: &[RecordIdentity]) -> Result<Vec<(i64, i64)>, PeopleError> {
        let identities: BTreeSet<i64> = places.iter().map(|place| place.identity).collect();
        if places.len() < 2 {
            return Err(two_records());
        }
        if identities.len() < places.len() {
            return Err(PeopleError::Refused(text!(
                "two of these records are of one person now: split them",
                "其中两条记录目前属于同一人：请使用拆分"
            )));
        }
        let identities: Vec<i64> = identities.into_iter().collect();
        let members = self.members(&identities).await?;
        let mut pairs = Vec::new();
        for (at, one) in identities.iter().enumerate() {
            let of = |identity: i64| {
                // One that was not settled yet is by itself.
                let mut records: Vec<i64> =
                    members.iter().filter(|row| row.identity == identity).map(|row| row.record).collect();
                if records.is_empty() {
                    records.push(identity);
                }
                records
            };
            for other in &identities[at + 1..] {
                pairs.extend(of(*one).into_iter().flat_map(|a| of(*other).into_iter().map(move |b| (a, b))));
            }
        }
        Ok(pairs)
    }

    async fn members(&self, identities: &[i64]) -> Result<Vec<MemberRow>, StoreError> {
        let ask = IdentityAsk { members: identities.to_vec(), ..IdentityAsk::default() };
        Ok(self.store.identity_load(self.tenant, ask).await?.members)
    }

    pub(crate) async fn undo(&self, number: i64, who: &str, why: &str) -> Result<Decided, PeopleError> {
        check_text("who", who, WHO_MAX)?;
        check_text("why", why, WHY_MAX)?;
        let undone = Undone { at_ms: self.clock.now_ms(), who: who.to_owned(), why: why.to_owned() };
        if !self.store.undo_identity(self.tenant, number, &undone).await? {
            return Err(PeopleError::NotFound);
        }
        let (mut pairs, mut after) = (Vec::new(), number - 1);
        loop {
            let rows = self.store.identity_decisions(self.tenant, None, after, renmen_store::LIST_LIMIT_MAX).await?;
            // Those of one call follow each other.
            let own: Vec<_> = rows.iter().take_while(|row| row.call == number).collect();
            pairs.extend(own.iter().map(|row| (row.a, row.b)));
            match own.last() {
                Some(last) if own.len() == rows.len() => after = last.seq,
                _ => return self.answer(number, false, pairs).await,
            }
        }
    }

    /// Settles at once; what another gateway is at, or a pass, is done by the follower.
    async fn answer(&self, number: i64, repeated: bool, pairs: Vec<(i64, i64)>) -> Result<Decided, PeopleError> {
        let records: BTreeSet<i64> = pairs.into_iter().flat_map(|(a, b)| [a, b]).collect();
        let mut in_force = false;
        for _ in 0..TRIES {
            match self.settle(&records).await {
                Ok(settled) => {
                    in_force = settled;
                    break;
                }
                Err(StoreError::Fenced(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let standing = records.iter().copied().collect();
        let ask = IdentityAsk { standing, ..IdentityAsk::default() };
        let now = self.store.identity_load(self.tenant, ask).await?.standing;
        let identities: BTreeSet<i64> = now.iter().map(|one| one.identity).collect();
        let identities: Vec<i64> = identities.into_iter().collect();
        let ids = self.store.record_ids(self.tenant, &identities).await?;
        Ok(Decided { number, repeated, in_force, identities: ids.into_iter().map(|found| found.id).collect() })
    }

    /// False: not now.
    async fn settle(&self, records: &BTreeSet<i64>) -> Result<bool, StoreError> {
        let Some(stand) = self.store.identity_stand(self.tenant).await? else { return Ok(false) };
        if stand.pass.is_some() || stand.rules.as_ref() != Some(&self.rules.fingerprint()) {
            return Ok(false);
        }
        let waiting = self.store.pending_identities(self.tenant, PENDING).await?;
        let mut own: Vec<PendingRow> = waiting.into_iter().filter(|row| records.contains(&row.record)).collect();
        let known: BTreeSet<i64> = own.iter().map(|row| row.record).collect();
        let beyond: Vec<i64> = records.difference(&known).copied().collect();
        own.extend(beyond.iter().map(|record| PendingRow { record: *record, keys: Vec::new() }));
        let settler = Settler { store: self.store, tenant: self.tenant, rules: self.rules };
        let mut commit = settler.settle(&own, stand.version, self.clock.now_ms()).await?;
        // With which keys these wait is not known here: they wait on.
        commit.done.retain(|record| !beyond.contains(record));
        self.store.put_settled(commit).await?;
        Ok(true)
    }
}

fn two_records() -> PeopleError {
    bad(text!("name two records or more", "请指明两条或更多记录"))
}
