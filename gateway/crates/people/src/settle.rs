//! Settling: the engine is asked until everything that it asks for was loaded, and what it found is written as the difference to what is
//! kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use renmen_identity::{
    Changed, Decision, DecisionKind, Engine, Facts, Holder, IdentityId, Key, MemberId, Missing, Neighbourhood, Rules,
    Settled, Standing,
};
use renmen_schema::id::TenantId;
use renmen_store::{
    ConflictRow, DecisionRow, IdentityAsk, IdentityKept, IdentityLink, IdentityPass, MemberRow, PendingRow,
    ProposalRow, SettledCommit, Store, StoreError, WornRow,
};

use crate::grounds;

/// Times that the engine is asked at most: each time it goes a step further, and a component has fewer steps than records.
const ROUNDS_MAX: usize = 10_000;

/// Settles records of one tenant.
pub(crate) struct Settler<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
    pub(crate) rules: &'a Rules,
}

pub(crate) fn row(member: MemberId) -> i64 {
    member.0.cast_signed()
}

pub(crate) fn member(row: i64) -> MemberId {
    MemberId(row.cast_unsigned())
}

pub(crate) fn decision_of(row: &DecisionRow) -> Decision {
    let kind = if row.same { DecisionKind::Same } else { DecisionKind::Never };
    Decision { seq: row.seq.cast_unsigned(), kind, a: member(row.a), b: member(row.b) }
}

pub(crate) fn facts_in(bytes: &[u8]) -> Result<Arc<Facts>, StoreError> {
    let damaged = || StoreError::Fault("the database holds facts of a record in a form that is not known".into());
    Facts::from_bytes(bytes).map(Arc::new).ok_or_else(damaged)
}

impl Settler<'_> {
    /// What is to be written so that these records wait no more.
    pub(crate) async fn settle(
        &self,
        pending: &[PendingRow],
        version: i64,
        now_ms: i64,
    ) -> Result<SettledCommit, StoreError> {
        let mut changed: Vec<Changed> = pending.iter().map(|row| self.changed(row)).collect();
        loop {
            let settled = self.solve(&changed).await?;
            let kept = self.kept(&settled).await?;
            let missed = self.missed(&settled, &kept).await?;
            if missed.is_empty() {
                let mut commit = self.difference(settled, &kept, now_ms);
                commit.version = Some(version);
                commit.done = pending.iter().map(|row| row.record).collect();
                return Ok(commit);
            }
            changed.extend(missed.into_iter().map(|member| Changed { member, keys_before: Vec::new() }));
        }
    }

    /// A key of a rule that is not there any more finds no one.
    fn changed(&self, pending: &PendingRow) -> Changed {
        let key = |(digest, rule): &(i64, i64)| {
            let rule = u8::try_from(*rule).ok().filter(|rule| usize::from(*rule) < self.rules.rules.len())?;
            Some(Key { rule, digest: digest.cast_unsigned() })
        };
        Changed { member: member(pending.record), keys_before: pending.keys.iter().filter_map(key).collect() }
    }

    async fn solve(&self, changed: &[Changed]) -> Result<Settled, StoreError> {
        let mut near = Neighbourhood::default();
        for _ in 0..ROUNDS_MAX {
            match Engine::new(self.rules).settle(changed, &near) {
                Ok(settled) => return Ok(settled),
                Err(_) => {
                    let missing = near.missing();
                    self.load(&mut near, missing).await?;
                }
            }
        }
        Err(StoreError::Fault("a settling did not come to its end".into()))
    }

    async fn load(&self, near: &mut Neighbourhood, missing: Missing) -> Result<(), StoreError> {
        let rows = |members: &BTreeSet<MemberId>| members.iter().map(|one| row(*one)).collect::<Vec<_>>();
        let ask = IdentityAsk {
            facts: rows(&missing.facts),
            holders: missing.holders.iter().map(|key| key.digest.cast_signed()).collect(),
            most: u32::try_from(missing.most).unwrap_or(u32::MAX),
            decisions: rows(&missing.decisions),
            standing: rows(&missing.standing),
            members: missing.members.iter().map(|id| row(id.0)).collect(),
        };
        let found = self.store.identity_load(self.tenant, ask).await?;
        let mut facts: BTreeMap<MemberId, Arc<Facts>> = BTreeMap::new();
        for one in &found.facts {
            facts.insert(member(one.record), facts_in(&one.facts)?);
        }
        missing.facts.iter().for_each(|one| near.put_facts(*one, facts.remove(one)));
        let mut holders: BTreeMap<u64, Vec<Holder>> = BTreeMap::new();
        for one in &found.holders {
            let place = u32::try_from(one.place).unwrap_or_default();
            let holder = Holder { member: member(one.record), place, name: one.name.cast_unsigned() };
            holders.entry(one.digest.cast_unsigned()).or_default().push(holder);
        }
        for key in &missing.holders {
            near.put_holders(*key, holders.remove(&key.digest).unwrap_or_default());
        }
        let decisions: Vec<Decision> = found.decisions.iter().map(decision_of).collect();
        for one in &missing.decisions {
            let about = decisions.iter().filter(|decision| decision.a == *one || decision.b == *one);
            near.put_decisions(*one, about.copied().collect());
        }
        let standing: BTreeMap<i64, &MemberRow> = found.standing.iter().map(|one| (one.record, one)).collect();
        for one in &missing.standing {
            let known = standing.get(&row(*one));
            let identity = |known: &&MemberRow| IdentityId(member(known.identity));
            near.put_standing(
                *one,
                known.map(|known| Standing { identity: identity(known), too_large: known.too_large }),
            );
        }
        for id in missing.members {
            let of = found.members.iter().filter(|one| one.identity == row(id.0));
            near.put_members(id, of.map(|one| member(one.record)).collect());
        }
        Ok(())
    }

    pub(crate) async fn kept(&self, settled: &Settled) -> Result<IdentityKept, StoreError> {
        let records: Vec<i64> = settled.members.iter().map(|one| row(*one)).collect();
        let digests: Vec<i64> = settled.uses.iter().map(|one| one.key.digest.cast_signed()).collect();
        self.store.identity_kept(self.tenant, &records, &digests).await
    }

    /// Records of an identity that is kept, of which others were settled: an identity is settled as a whole. There are such while a record
    /// waits that connected them.
    async fn missed(&self, settled: &Settled, kept: &IdentityKept) -> Result<Vec<MemberId>, StoreError> {
        let identities: BTreeSet<i64> = kept.members.iter().map(|one| one.identity).collect();
        let ask = IdentityAsk { members: identities.into_iter().collect(), ..IdentityAsk::default() };
        let found = self.store.identity_load(self.tenant, ask).await?;
        let records = found.members.iter().map(|one| member(one.record));
        Ok(records.filter(|one| !settled.members.contains(one)).collect())
    }

    /// What differs from what is kept.
    pub(crate) fn difference(&self, settled: Settled, kept: &IdentityKept, now_ms: i64) -> SettledCommit {
        let mut commit = empty(self.tenant, now_ms);
        commit.gone = settled.gone.iter().map(|one| row(*one)).collect();
        self.members(&settled, kept, &mut commit);
        self.links(&settled, kept, &mut commit);
        self.proposals(&settled, kept, &mut commit);
        self.conflicts(&settled, kept, &mut commit);
        let worn: BTreeMap<i64, &WornRow> = kept.worn.iter().map(|one| (one.digest, one)).collect();
        for one in settled.uses {
            let digest = one.key.digest.cast_signed();
            let holders = i64::try_from(one.holders).unwrap_or(i64::MAX);
            let known = worn.get(&digest);
            if one.worn_out && known.is_none_or(|known| known.holders != holders) {
                commit.worn.push(self.worn(&one, now_ms));
            } else if !one.worn_out && known.is_some() {
                commit.worn_gone.push(digest);
            }
        }
        commit
    }

    pub(crate) fn worn(&self, found: &renmen_identity::Use, now_ms: i64) -> WornRow {
        WornRow {
            digest: found.key.digest.cast_signed(),
            rule: self.rules.rules[usize::from(found.key.rule)].name.clone(),
            holders: i64::try_from(found.holders).unwrap_or(i64::MAX),
            since_ms: now_ms,
        }
    }

    fn members(&self, settled: &Settled, kept: &IdentityKept, commit: &mut SettledCommit) {
        let before: BTreeMap<i64, &MemberRow> = kept.members.iter().map(|one| (one.record, one)).collect();
        for identity in &settled.identities {
            for record in identity.members.iter().map(|one| row(*one)) {
                let known = before.get(&record);
                let id = row(identity.id.0);
                let since_ms = known.filter(|known| known.identity == id).map_or(commit.now_ms, |known| known.since_ms);
                if known.is_none_or(|known| known.identity != id || known.too_large != identity.too_large) {
                    // The store knows the kind from the facts.
                    let one = MemberRow { record, identity: id, kind: 0, too_large: identity.too_large, since_ms };
                    commit.members.push(one);
                }
            }
        }
    }

    fn links(&self, settled: &Settled, kept: &IdentityKept, commit: &mut SettledCommit) {
        let mut before: BTreeMap<(i64, i64), &IdentityLink> =
            kept.links.iter().map(|link| ((link.a, link.b), link)).collect();
        for link in settled.identities.iter().flat_map(|identity| &identity.links) {
            let (a, b) = (row(link.a), row(link.b));
            let grounds = grounds::encode(self.rules, &link.grounds);
            let known = before.remove(&(a, b));
            if known.is_some_and(|known| known.grounds == grounds) {
                continue;
            }
            // By other rules, or by more of them, it is the same link; by a decision it is another one.
            let same = known.filter(|known| of_rules(&known.grounds) && of_rules(&grounds));
            if known.is_some() && same.is_none() {
                commit.unlinked.push((a, b));
            }
            let since_ms = same.map_or(commit.now_ms, |known| known.since_ms);
            commit.links.push(IdentityLink { a, b, grounds, since_ms, until_ms: None });
        }
        commit.unlinked.extend(before.into_keys());
    }

    fn proposals(&self, settled: &Settled, kept: &IdentityKept, commit: &mut SettledCommit) {
        let mut before: BTreeMap<(i64, i64), &ProposalRow> =
            kept.proposals.iter().map(|one| ((one.one, one.other), one)).collect();
        for found in &settled.proposals {
            let (one, other) = (row(found.one.0), row(found.other.0));
            let known = before.remove(&(one, other));
            let said = renmen_identity::Grounds::Rules(found.agreement.clone());
            let proposal = ProposalRow {
                one,
                other,
                a: row(found.between.0),
                b: row(found.between.1),
                grounds: grounds::encode(self.rules, &said),
                since_ms: known.map_or(commit.now_ms, |known| known.since_ms),
            };
            if known != Some(&proposal) {
                commit.proposals.push(proposal);
            }
        }
        commit.proposals_gone = before.into_keys().collect();
    }

    fn conflicts(&self, settled: &Settled, kept: &IdentityKept, commit: &mut SettledCommit) {
        let mut before: BTreeMap<(i64, i64, i64), &ConflictRow> =
            kept.conflicts.iter().map(|one| ((one.a, one.b, one.no), one)).collect();
        let mut counted: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for found in &settled.conflicts {
            let (a, b) = (row(found.between.0), row(found.between.1));
            let no = counted.entry((a, b)).and_modify(|no| *no += 1).or_default();
            let known = before.remove(&(a, b, *no));
            let conflict = ConflictRow {
                a,
                b,
                no: *no,
                grounds: grounds::encode(self.rules, &found.grounds),
                obstacle: grounds::encode_obstacle(&found.obstacle),
                since_ms: known.map_or(commit.now_ms, |known| known.since_ms),
            };
            if known != Some(&conflict) {
                commit.conflicts.push(conflict);
            }
        }
        commit.conflicts_gone = before.into_keys().collect();
    }
}

fn of_rules(bytes: &[u8]) -> bool {
    grounds::decode(bytes).is_some_and(|kept| matches!(kept.grounds, renmen_identity::Grounds::Rules(_)))
}

/// Nothing to be written yet.
pub(crate) fn empty(tenant: &TenantId, now_ms: i64) -> SettledCommit {
    SettledCommit {
        tenant: tenant.clone(),
        version: None,
        pass: None::<IdentityPass>,
        done: Vec::new(),
        members: Vec::new(),
        gone: Vec::new(),
        unlinked: Vec::new(),
        links: Vec::new(),
        proposals_gone: Vec::new(),
        proposals: Vec::new(),
        conflicts_gone: Vec::new(),
        conflicts: Vec::new(),
        worn_gone: Vec::new(),
        worn: Vec::new(),
        now_ms,
    }
}

/// Is there anything to be written?
pub(crate) fn says_something(commit: &SettledCommit) -> bool {
    !(commit.members.is_empty()
        && commit.gone.is_empty()
        && commit.unlinked.is_empty()
        && commit.links.is_empty()
        && commit.proposals_gone.is_empty()
        && commit.proposals.is_empty()
        && commit.conflicts_gone.is_empty()
        && commit.conflicts.is_empty())
}
