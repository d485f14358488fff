//! What a person is made of, put together from what is kept.

use std::collections::{BTreeMap, BTreeSet};

use renmen_identity::{Body, Digests, Key, Rules, Survivorship, because, evidence, held, shown_of};
use renmen_schema::EntityKind;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{
    ConflictRow, DecisionRow, IdentityAsk, IdentityLink, MemberRow, NumberedRecord, ProposalRow, RecordIdentity, Store,
    StoreError, WornRow,
};

use crate::PeopleError;
use crate::grounds;
use crate::person::{Act, Conflict, Decision, Grounds, Link, Person, Portrait, Proposal, SharedValue, Source, Subject};
use crate::reader::subject_of_kind;
use crate::settle::{member, row};
use crate::{fields, settle};

/// Links that ended, of one person.
const PAST_MAX: u32 = 200;
/// Records that are named for a value that too many share.
const HOLDERS_MAX: u32 = 10;

/// Shows persons of one tenant.
pub(crate) struct Gallery<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
    pub(crate) rules: &'a Rules,
    pub(crate) prefer: &'a Survivorship,
}

/// What is needed to say in words what is kept in numbers.
#[derive(Default)]
struct Words {
    ids: BTreeMap<i64, RecordId>,
    /// What a reader may see of values, by digest.
    shown: BTreeMap<u64, String>,
}

impl Words {
    fn id(&self, record: i64) -> Result<RecordId, StoreError> {
        let gone = || StoreError::Fault("a record that is named as a person's is not there".into());
        self.ids.get(&record).copied().ok_or_else(gone)
    }
}

impl Gallery<'_> {
    /// In the order of these identities, those that have records.
    pub(crate) async fn persons(&self, identities: &[i64]) -> Result<Vec<Person>, PeopleError> {
        let mut sources: BTreeMap<i64, Vec<(MemberRow, NumberedRecord)>> = BTreeMap::new();
        for (place, record) in self.store.identity_records(self.tenant, identities).await? {
            sources.entry(place.identity).or_default().push((place, record));
        }
        Ok(identities.iter().filter_map(|id| self.person(sources.remove(id)?)).collect())
    }

    fn person(&self, records: Vec<(MemberRow, NumberedRecord)>) -> Option<Person> {
        let (first, oldest) = records.first()?;
        let (id, subject, too_large) = (oldest.row.id, subject_of_kind(first.kind)?, first.too_large);
        let source =
            |(place, record): (MemberRow, NumberedRecord)| Source { record: record.row, since_ms: place.since_ms };
        let sources: Vec<Source> = records.into_iter().map(source).collect();
        let fields = fields::of(&sources, self.prefer);
        Some(Person { id, subject, sources, fields, too_large })
    }

    /// The records of a person; of one that was not settled yet its own.
    pub(crate) async fn sources(&self, place: RecordIdentity, id: RecordId) -> Result<Vec<Source>, PeopleError> {
        let records = self.store.identity_records(self.tenant, &[place.identity]).await?;
        if records.is_empty() {
            let record = self.store.record(self.tenant, id).await?.filter(|record| record.deleted.is_none());
            return Ok(record.into_iter().map(|record| Source { since_ms: record.created_at_ms, record }).collect());
        }
        let source =
            |(place, record): (MemberRow, NumberedRecord)| Source { record: record.row, since_ms: place.since_ms };
        Ok(records.into_iter().map(source).collect())
    }

    pub(crate) async fn portrait(
        &self,
        place: RecordIdentity,
        subject: Subject,
        id: RecordId,
    ) -> Result<Option<Portrait>, PeopleError> {
        let records = self.store.identity_records(self.tenant, &[place.identity]).await?;
        let mut numbers: Vec<i64> = records.iter().map(|(_, record)| record.number).collect();
        let person = if records.is_empty() {
            numbers.push(place.record);
            let sources = self.sources(place, id).await?;
            if sources.is_empty() {
                return Ok(None);
            }
            let fields = fields::of(&sources, self.prefer);
            Person { id, subject, sources, fields, too_large: false }
        } else {
            let Some(person) = self.person(records) else { return Ok(None) };
            person
        };
        let kept = self.store.identity_kept(self.tenant, &numbers, &[]).await?;
        let past = self.store.past_links(self.tenant, &numbers, PAST_MAX).await?;
        let decided =
            self.store.identity_decisions(self.tenant, Some(&numbers), 0, renmen_store::LIST_LIMIT_MAX).await?;
        let links: Vec<IdentityLink> = kept.links.into_iter().chain(past).collect();
        let ends = links.iter().flat_map(|link| [link.a, link.b]);
        let words = self.words(ends.collect(), &person.sources).await?;
        let (mut in_force, mut past_links) = (Vec::new(), Vec::new());
        for link in &links {
            let shown = self.link(link, &words)?;
            if link.until_ms.is_none() { in_force.push(shown) } else { past_links.push(shown) }
        }
        let waiting = self.store.pending_identities(self.tenant, renmen_store::LIST_LIMIT_MAX).await?;
        Ok(Some(Portrait {
            person,
            links: in_force,
            past_links,
            proposals: self.proposals(&kept.proposals).await?,
            conflicts: self.conflicts(&kept.conflicts).await?,
            decisions: self.decisions(decided).await?,
            waits: waiting.iter().any(|row| numbers.contains(&row.record)),
        }))
    }

    /// The ids of these records, and what may be shown of the values that these sources have.
    async fn words(&self, records: BTreeSet<i64>, sources: &[Source]) -> Result<Words, StoreError> {
        let records: Vec<i64> = records.into_iter().collect();
        let ids = self.store.record_ids(self.tenant, &records).await?;
        let mut words = Words { ids: ids.iter().map(|found| (found.number, found.id)).collect(), ..Words::default() };
        let Some(key) = self.store.digest_key(self.tenant).await? else { return Ok(words) };
        let digests = Digests::new(key.0);
        for source in sources {
            let record = &source.record;
            let Some(kind) = EntityKind::from_name(&record.entity) else { continue };
            let name = (record.connection.to_string(), record.entity.clone(), record.external_id.clone());
            let applications = match kind {
                EntityKind::Candidate | EntityKind::Employee => {
                    self.store.applications(self.tenant, &[], &[name]).await?
                }
                _ => Vec::new(),
            };
            let applications: Vec<_> = applications.into_iter().map(|row| row.application).collect();
            let body = Body {
                connection: record.connection.as_str(),
                kind,
                external_id: &record.external_id,
                bytes: &record.body,
                applications: &applications,
            };
            let shown = shown_of(self.rules, &digests, body);
            words.shown.extend(shown.into_iter().map(|(key, text)| (key.digest, text)));
        }
        Ok(words)
    }

    /// The same for pairs of records, of which the first of each is read: it is of one of these identities.
    async fn words_of_pairs(
        &self,
        pairs: &[(i64, i64)],
        identities: BTreeSet<i64>,
        others: &[i64],
    ) -> Result<Words, StoreError> {
        let ends: BTreeSet<i64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).chain(others.iter().copied()).collect();
        let first: BTreeSet<i64> = pairs.iter().map(|(a, _)| *a).collect();
        let identities: Vec<i64> = identities.into_iter().collect();
        let records = self.store.identity_records(self.tenant, &identities).await?.into_iter();
        let read = records.filter(|(_, record)| first.contains(&record.number));
        let sources: Vec<Source> =
            read.map(|(place, record)| Source { record: record.row, since_ms: place.since_ms }).collect();
        self.words(ends, &sources).await
    }

    fn grounds(&self, bytes: &[u8], words: &Words) -> Result<Grounds, StoreError> {
        let damaged = || StoreError::Fault("the database holds a link in a form that is not known".into());
        let kept = grounds::decode(bytes).ok_or_else(damaged)?;
        let then = kept.rules_then(self.rules);
        let shown = |key: Key| words.shown.get(&key.digest).cloned();
        let because = because(&then, &kept.grounds, &shown);
        Ok(match &kept.grounds {
            renmen_identity::Grounds::Decision(number) => {
                let decision = Some(number.cast_signed());
                Grounds { because, evidence: Vec::new(), score: None, decision }
            }
            renmen_identity::Grounds::Rules(agreement) => {
                let evidence = evidence(&then, agreement, &shown);
                Grounds { because, evidence, score: Some(agreement.score), decision: None }
            }
        })
    }

    fn link(&self, link: &IdentityLink, words: &Words) -> Result<Link, StoreError> {
        Ok(Link {
            a: words.id(link.a)?,
            b: words.id(link.b)?,
            grounds: self.grounds(&link.grounds, words)?,
            since_ms: link.since_ms,
            until_ms: link.until_ms,
        })
    }

    pub(crate) async fn proposals(&self, rows: &[ProposalRow]) -> Result<Vec<Proposal>, PeopleError> {
        let pairs: Vec<(i64, i64)> = rows.iter().map(|row| (row.a, row.b)).collect();
        let others: Vec<i64> = rows.iter().flat_map(|row| [row.one, row.other]).collect();
        let words = self.words_of_pairs(&pairs, rows.iter().map(|row| row.one).collect(), &others).await?;
        let proposal = |row: &ProposalRow| {
            Ok(Proposal {
                one: words.id(row.one)?,
                other: words.id(row.other)?,
                between: (words.id(row.a)?, words.id(row.b)?),
                grounds: self.grounds(&row.grounds, &words)?,
                since_ms: row.since_ms,
            })
        };
        rows.iter().map(proposal).collect()
    }

    pub(crate) async fn conflicts(&self, rows: &[ConflictRow]) -> Result<Vec<Conflict>, PeopleError> {
        let pairs: Vec<(i64, i64)> = rows.iter().map(|row| (row.a, row.b)).collect();
        let standing: Vec<i64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let ask = IdentityAsk { standing, ..IdentityAsk::default() };
        let places = self.store.identity_load(self.tenant, ask).await?.standing;
        let places: BTreeMap<i64, i64> = places.into_iter().map(|one| (one.record, one.identity)).collect();
        let identity = |record: i64| places.get(&record).copied().unwrap_or(record);
        let obstacles: Vec<_> = rows.iter().map(|row| grounds::decode_obstacle(&row.obstacle)).collect();
        let mut others: Vec<i64> = places.values().copied().collect();
        for obstacle in obstacles.iter().flatten() {
            if let renmen_identity::Obstacle::Claim(_, a, b) = obstacle {
                others.extend([row(*a), row(*b)]);
            }
        }
        let first = pairs.iter().map(|(a, _)| identity(*a)).collect();
        let words = self.words_of_pairs(&pairs, first, &others).await?;
        let mut conflicts = Vec::with_capacity(rows.len());
        for (row, obstacle) in rows.iter().zip(obstacles) {
            let damaged = || StoreError::Fault("the database holds a conflict in a form that is not known".into());
            let (obstacle, kept) = obstacle.zip(grounds::decode(&row.grounds)).ok_or_else(damaged)?;
            let between = (member(row.a), member(row.b));
            let against = held(&renmen_identity::Conflict { between, grounds: kept.grounds, obstacle });
            let contradiction = match obstacle {
                renmen_identity::Obstacle::Claim(_, a, b) => {
                    Some((words.id(settle::row(a))?, words.id(settle::row(b))?))
                }
                _ => None,
            };
            conflicts.push(Conflict {
                between: (words.id(row.a)?, words.id(row.b)?),
                identities: (words.id(identity(row.a))?, words.id(identity(row.b))?),
                grounds: self.grounds(&row.grounds, &words)?,
                against,
                contradiction,
                since_ms: row.since_ms,
            });
        }
        Ok(conflicts)
    }

    /// Rows of one call are one decision.
    pub(crate) async fn decisions(&self, rows: Vec<DecisionRow>) -> Result<Vec<Decision>, PeopleError> {
        let records: BTreeSet<i64> = rows.iter().flat_map(|row| [row.a, row.b]).collect();
        let words = self.words(records, &[]).await?;
        let mut decisions: Vec<Decision> = Vec::new();
        for row in rows {
            let pair = (words.id(row.a)?, words.id(row.b)?);
            if let Some(last) = decisions.iter_mut().find(|decision| decision.number == row.call) {
                last.pairs.push(pair);
                continue;
            }
            let unknown = || StoreError::Fault("the database holds a decision of a kind that is not known".into());
            decisions.push(Decision {
                number: row.call,
                act: Act::from_name(&row.act).ok_or_else(unknown)?,
                pairs: vec![pair],
                who: row.who,
                why: row.why,
                at_ms: row.at_ms,
                undone: row.undone.map(|undone| (undone.who, undone.why, undone.at_ms)),
            });
        }
        Ok(decisions)
    }

    pub(crate) async fn shared_values(&self, rows: &[WornRow]) -> Result<Vec<SharedValue>, PeopleError> {
        let holders = rows.iter().map(|row| row.digest).collect();
        let ask = IdentityAsk { holders, most: HOLDERS_MAX, ..IdentityAsk::default() };
        let found = self.store.identity_load(self.tenant, ask).await?.holders;
        let records = found.iter().map(|holder| holder.record).collect();
        let words = self.words(records, &[]).await?;
        let value = |row: &WornRow| {
            let of = found.iter().filter(|holder| holder.digest == row.digest);
            SharedValue {
                rule: row.rule.clone(),
                holders: row.holders.unsigned_abs(),
                records: of.filter_map(|holder| words.ids.get(&holder.record).copied()).collect(),
                since_ms: row.since_ms,
            }
        };
        Ok(rows.iter().map(value).collect())
    }
}
