//! The shapes in which people and units are shown, by the API and by the command line. What a reader may not see is left out here, and
//! counted.

use renmen_people::{
    Conflict, Decision, Evidence, Field, FieldValue, Grounds, Happened, Link, Person, Portrait, Proposal, SharedValue,
    Source, Step, Subject, Why,
};
use renmen_schema::id::RecordId;
use renmen_schema::{EntityKind, Text, text};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::collection;
use crate::instant::Time;

/// Of which entities a reader may see the records.
pub(crate) type MayRead<'a> = &'a dyn Fn(EntityKind) -> bool;

fn may(may_read: MayRead<'_>, entity: &str) -> bool {
    EntityKind::from_name(entity).is_some_and(may_read)
}

fn url_of(subject: Subject, id: RecordId) -> String {
    format!("/v1/{}/{id}", collection(subject))
}

/// A person or an organisational unit: the records of all connections that are one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityView {
    /// That of its oldest record. A former id leads here too.
    #[schema(format = "uuid")]
    pub id: String,
    /// Its path in this API.
    pub url: String,
    /// The preferred name, where a record has one.
    pub name: Option<String>,
    /// Its records, the oldest first.
    pub records: Vec<IdentityRecord>,
    /// Each field that a record has a value of.
    pub fields: Vec<IdentityField>,
    /// How many of its records are left out because the key may not read records of their entities.
    pub withheld: usize,
    /// True: more records hold together by rules than `identity.component_max` allows, so no rule linked them.
    pub too_large: bool,
}

/// A record of a person or a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityRecord {
    /// The record's id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The entity.
    pub entity: String,
    /// The record, as a path of this API.
    pub url: String,
    /// The connection that it came through.
    pub connection: String,
    /// Its id in the source system.
    pub external_id: String,
    /// Since when it is one of this person's or unit's.
    pub since: Time,
}

/// A field with the values of all records.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityField {
    /// Its name, as in `identity.prefer`: `person.names`, `number`.
    pub name: String,
    /// The preferred value.
    pub value: Value,
    /// Why that one is preferred.
    pub why: WhyWord,
    /// The same in a sentence.
    #[schema(value_type = String)]
    pub because: Text,
    /// Every value with its record, the preferred one first.
    pub values: Vec<IdentityValue>,
}

/// Why a value is the preferred one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyWord {
    /// A person chose it.
    Chosen,
    /// All records that have a value have this one.
    Only,
    /// Its connection comes first in the order for this field.
    First,
    /// Its source changed it last.
    Latest,
    /// Most connections have it.
    Agreed,
}

/// The value of a field in one record.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityValue {
    /// As the record has it.
    pub value: Value,
    /// Which record.
    #[schema(format = "uuid")]
    pub record: String,
    /// The connection that it came through.
    pub connection: String,
    /// Where it stands: an RFC 6901 pointer into the record's body.
    pub path: String,
    /// When its source changed the record, or it was first seen.
    pub at: Time,
}

/// What two records have in common, or what a person decided of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityGrounds {
    /// In a sentence: the rules, their numbers and weights, with values in part.
    #[schema(value_type = String)]
    pub because: Text,
    /// Each rule by which they agree.
    pub evidence: Vec<IdentityEvidence>,
    /// The sum of the weights; null for a decision of a person.
    pub score: Option<i32>,
    /// The number of the decision by which they are one; null for rules.
    pub decision: Option<i64>,
}

/// One rule by which two records agree.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityEvidence {
    /// The rule.
    pub rule: String,
    /// Its number, from 1.
    pub number: usize,
    /// What it adds to the score.
    pub weight: u16,
    /// The value in part; null where a record cannot be read any more.
    pub value: Option<String>,
}

/// A link between two records.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityLink {
    /// The older record.
    #[schema(format = "uuid")]
    pub a: String,
    /// The younger record.
    #[schema(format = "uuid")]
    pub b: String,
    /// Why.
    #[serde(flatten)]
    pub grounds: IdentityGrounds,
    /// Since when.
    pub since: Time,
    /// Until when; null while it is in force.
    pub until: Option<Time>,
}

/// Two people, or two units, that may be one.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityProposal {
    /// The older one.
    #[schema(format = "uuid")]
    pub one: String,
    /// The younger one.
    #[schema(format = "uuid")]
    pub other: String,
    /// The records that say most for it, one of each.
    pub between: [String; 2],
    /// What they say.
    #[serde(flatten)]
    pub grounds: IdentityGrounds,
    /// Since when.
    pub since: Time,
}

/// A link that is held back, because one person or unit cannot be both.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityConflict {
    /// The records that would be linked.
    pub between: [String; 2],
    /// The people or units to whom these records belong.
    pub identities: [String; 2],
    /// What for.
    #[serde(flatten)]
    pub grounds: IdentityGrounds,
    /// What against, and what to do.
    #[schema(value_type = String)]
    pub against: Text,
    /// The records that contradict each other, where it is two.
    pub contradiction: Option<[String; 2]>,
    /// Since when.
    pub since: Time,
}

/// A value that too many share to tell one from another, so that it does not count.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentitySharedValue {
    /// The rule by which it would count.
    pub rule: String,
    /// On how many records it is; counted up to one more than `identity.holders_max`.
    pub holders: u64,
    /// Some of them.
    pub records: Vec<String>,
    /// Since when.
    pub since: Time,
}

/// What a person decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityDecision {
    /// Its number.
    pub number: i64,
    /// What was decided.
    pub act: ActWord,
    /// Of which records, two by two.
    pub pairs: Vec<[String; 2]>,
    /// Who decided: the name of the key.
    pub person: String,
    /// In their own words.
    pub reason: String,
    /// When.
    pub at: Time,
    /// Set when it was undone.
    pub undone: Option<IdentityUndone>,
}

/// What people decide of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActWord {
    /// They are one.
    Link,
    /// They are not who the other records of their person or unit are.
    Split,
    /// They are never one.
    Never,
}

/// That a decision was undone.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityUndone {
    /// Who undid it.
    pub person: String,
    /// In their own words.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// What happened with a person on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityMoment {
    /// The day.
    #[schema(format = Date)]
    pub day: String,
    /// What happened.
    pub step: StepWord,
    /// A word about it: the position, the result.
    pub about: Option<String>,
    /// The records that tell it.
    pub told_by: Vec<String>,
}

/// What happens with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepWord {
    /// An application.
    Applied,
    /// An interview was held.
    Interviewed,
    /// An offer was sent.
    Offered,
    /// The first day of work.
    Joined,
    /// Another position, unit or level.
    Moved,
    /// A review.
    Reviewed,
    /// The last day of work.
    Left,
}

/// A person or a unit with everything that is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityDetail {
    /// Who it is.
    #[serde(flatten)]
    pub identity: IdentityView,
    /// What makes its records one: one link fewer than there are records.
    pub links: Vec<IdentityLink>,
    /// Links that its records had before, the latest first.
    pub past_links: Vec<IdentityLink>,
    /// With whom it may be one: a person decides.
    pub proposals: Vec<IdentityProposal>,
    /// Links of its records that are held back.
    pub conflicts: Vec<IdentityConflict>,
    /// What people decided about its records.
    pub decisions: Vec<IdentityDecision>,
    /// What happened with the person, over all connections.
    pub timeline: Vec<IdentityMoment>,
    /// True: a record changed a moment ago, and what stands here may change with it.
    pub waits: bool,
}

impl IdentityView {
    /// As a reader sees it who may read these entities. None when nothing is left.
    #[must_use]
    pub fn of(person: &Person, may_read: MayRead<'_>) -> Option<Self> {
        let shown: Vec<&Source> = person.sources.iter().filter(|source| may(may_read, &source.record.entity)).collect();
        let fields: Vec<IdentityField> =
            person.fields.iter().filter_map(|field| IdentityField::of(field, may_read)).collect();
        let name = fields.iter().find_map(|field| name_in(&field.name, &field.value));
        (!shown.is_empty()).then(|| Self {
            id: person.id.to_string(),
            url: url_of(person.subject, person.id),
            name,
            withheld: person.sources.len() - shown.len(),
            records: shown.into_iter().map(IdentityRecord::of).collect(),
            fields,
            too_large: person.too_large,
        })
    }
}

/// What people call someone or something, out of the field that has it.
fn name_in(field: &str, value: &Value) -> Option<String> {
    let text = match field {
        "person.names" => value["formatted"].as_str(),
        "name" => value.as_str().or_else(|| value.as_object()?.values().find_map(Value::as_str)),
        _ => None,
    };
    text.map(str::to_owned)
}

impl IdentityRecord {
    fn of(source: &Source) -> Self {
        let record = &source.record;
        let collection = EntityKind::from_name(&record.entity).map_or("", EntityKind::collection);
        Self {
            id: record.id.to_string(),
            url: format!("/v1/{collection}/{}", record.id),
            entity: record.entity.clone(),
            connection: record.connection.to_string(),
            external_id: record.external_id.clone(),
            since: Time(source.since_ms),
        }
    }
}

impl IdentityField {
    fn of(field: &Field, may_read: MayRead<'_>) -> Option<Self> {
        let shown: Vec<&FieldValue> = field.values.iter().filter(|value| may(may_read, &value.entity)).collect();
        let first = *shown.first()?;
        // Where values are left out, the rule did not choose between those that are left.
        let same = shown.iter().all(|other| other.value == first.value);
        let chose = field.values.first() == Some(first);
        let why = match field.why {
            why if chose && shown.len() == field.values.len() => why,
            _ if same => Why::Only,
            why if chose => why,
            _ => Why::Latest,
        };
        let because = match why {
            Why::Chosen => text!("a person chose it", "由人工选定"),
            Why::Only => text!("there is no other value", "没有其他取值"),
            Why::First(at) => {
                let (place, connection) = (at + 1, &first.connection);
                text!(
                    "`{connection}` is number {place} in the order for this field",
                    "在此字段的顺序中，`{connection}` 为第 {place} 位"
                )
            }
            Why::Latest => text!("its source changed it last", "其来源最后更改"),
            Why::Agreed(count) => text!("{count} connections have it", "有 {count} 个连接为此值"),
        };
        Some(Self {
            name: field.name.clone(),
            value: first.value.clone(),
            why: WhyWord::of(why),
            because,
            values: shown.into_iter().map(IdentityValue::of).collect(),
        })
    }
}

impl WhyWord {
    fn of(why: Why) -> Self {
        match why {
            Why::Chosen => Self::Chosen,
            Why::Only => Self::Only,
            Why::First(_) => Self::First,
            Why::Latest => Self::Latest,
            Why::Agreed(_) => Self::Agreed,
        }
    }
}

impl IdentityValue {
    fn of(value: &FieldValue) -> Self {
        Self {
            value: value.value.clone(),
            record: value.record.to_string(),
            connection: value.connection.to_string(),
            path: value.pointer.clone(),
            at: Time(value.at_ms),
        }
    }
}

impl IdentityGrounds {
    fn of(grounds: &Grounds) -> Self {
        let evidence = |one: &Evidence| IdentityEvidence {
            rule: one.rule.clone(),
            number: one.number,
            weight: one.weight,
            value: one.value.clone(),
        };
        Self {
            because: grounds.because.clone(),
            evidence: grounds.evidence.iter().map(evidence).collect(),
            score: grounds.score,
            decision: grounds.decision,
        }
    }
}

fn two((a, b): (RecordId, RecordId)) -> [String; 2] {
    [a.to_string(), b.to_string()]
}

impl IdentityLink {
    fn of(link: &Link) -> Self {
        let [a, b] = two((link.a, link.b));
        Self {
            a,
            b,
            grounds: IdentityGrounds::of(&link.grounds),
            since: Time(link.since_ms),
            until: link.until_ms.map(Time),
        }
    }
}

impl IdentityProposal {
    /// As it is shown.
    #[must_use]
    pub fn of(proposal: &Proposal) -> Self {
        let [one, other] = two((proposal.one, proposal.other));
        let grounds = IdentityGrounds::of(&proposal.grounds);
        Self { one, other, between: two(proposal.between), grounds, since: Time(proposal.since_ms) }
    }
}

impl IdentityConflict {
    /// As it is shown.
    #[must_use]
    pub fn of(conflict: &Conflict) -> Self {
        Self {
            between: two(conflict.between),
            identities: two(conflict.identities),
            grounds: IdentityGrounds::of(&conflict.grounds),
            against: conflict.against.clone(),
            contradiction: conflict.contradiction.map(two),
            since: Time(conflict.since_ms),
        }
    }
}

impl IdentitySharedValue {
    pub(crate) fn of(shared: &SharedValue) -> Self {
        Self {
            rule: shared.rule.clone(),
            holders: shared.holders,
            records: shared.records.iter().map(RecordId::to_string).collect(),
            since: Time(shared.since_ms),
        }
    }
}

impl ActWord {
    fn of(act: renmen_people::Act) -> Self {
        match act {
            renmen_people::Act::Link => Self::Link,
            renmen_people::Act::Split => Self::Split,
            renmen_people::Act::Never => Self::Never,
        }
    }

    /// What it asks for.
    pub(crate) fn act(self) -> renmen_people::Act {
        match self {
            Self::Link => renmen_people::Act::Link,
            Self::Split => renmen_people::Act::Split,
            Self::Never => renmen_people::Act::Never,
        }
    }
}

impl IdentityDecision {
    /// As it is shown.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let undone =
            |(person, reason, at_ms): (String, String, i64)| IdentityUndone { person, reason, at: Time(at_ms) };
        Self {
            number: decision.number,
            act: ActWord::of(decision.act),
            pairs: decision.pairs.iter().copied().map(two).collect(),
            person: decision.who.clone(),
            reason: decision.why.clone(),
            at: Time(decision.at_ms),
            undone: decision.undone.clone().map(undone),
        }
    }
}

impl IdentityMoment {
    fn of(happened: &Happened) -> Self {
        let day = happened.day.0;
        let step = match happened.step {
            Step::Applied => StepWord::Applied,
            Step::Interviewed => StepWord::Interviewed,
            Step::Offered => StepWord::Offered,
            Step::Joined => StepWord::Joined,
            Step::Moved => StepWord::Moved,
            Step::Reviewed => StepWord::Reviewed,
            Step::Left => StepWord::Left,
        };
        let mut told_by: Vec<String> = happened.told_by.iter().map(|(_, record)| record.to_string()).collect();
        told_by.dedup();
        Self {
            day: format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100),
            step,
            about: happened.about.clone(),
            told_by,
        }
    }
}

impl IdentityDetail {
    /// As a reader sees it who may read these entities. None when nothing is left.
    #[must_use]
    pub fn of(portrait: &Portrait, timeline: &[Happened], may_read: MayRead<'_>) -> Option<Self> {
        Some(Self {
            identity: IdentityView::of(&portrait.person, may_read)?,
            links: portrait.links.iter().map(IdentityLink::of).collect(),
            past_links: portrait.past_links.iter().map(IdentityLink::of).collect(),
            proposals: portrait.proposals.iter().map(IdentityProposal::of).collect(),
            conflicts: portrait.conflicts.iter().map(IdentityConflict::of).collect(),
            decisions: portrait.decisions.iter().map(IdentityDecision::of).collect(),
            timeline: timeline.iter().map(IdentityMoment::of).collect(),
            waits: portrait.waits,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::id::RunId;
    use renmen_store::{ContentHash, Origin, PluginRef, RecordRow};
    use serde_json::json;

    use super::*;

    fn id(n: u32) -> RecordId {
        format!("0192e5c0-0000-7000-8000-{n:012}").parse().unwrap()
    }

    fn source(n: u32, entity: &str) -> Source {
        let plugin = PluginRef { name: "p".into(), version: "1".into(), digest: "sha256:0".into() };
        let origin =
            Origin { stream: "all".parse().unwrap(), run: RunId(1), exchange: None, pointer: String::new(), plugin };
        let record = RecordRow {
            id: id(n),
            entity: entity.into(),
            connection: "hr".parse().unwrap(),
            external_id: n.to_string(),
            revision: 1,
            hash: ContentHash::of(b""),
            body: Vec::new(),
            deleted: None,
            source_updated_at_ms: None,
            created_at_ms: 1,
            recorded_at_ms: 1,
            origin,
        };
        Source { record, since_ms: 1 }
    }

    fn value(n: u32, entity: &str, name: &str) -> FieldValue {
        FieldValue {
            value: json!({ "formatted": name }),
            record: id(n),
            entity: entity.into(),
            connection: "hr".parse().unwrap(),
            pointer: "/person/names".into(),
            at_ms: 1,
        }
    }

    #[test]
    fn records_that_a_reader_may_not_see_are_left_out_with_their_values_and_counted() {
        let values = vec![value(2, "candidate", "Kevin"), value(1, "employee", "Wang Wei")];
        let person = Person {
            id: id(1),
            subject: Subject::Person,
            sources: vec![source(1, "employee"), source(2, "candidate")],
            fields: vec![Field { name: "person.names".into(), values, why: Why::Latest }],
            too_large: false,
        };
        let all = IdentityView::of(&person, &|_| true).unwrap();
        assert_eq!((all.records.len(), all.withheld, all.name.as_deref()), (2, 0, Some("Kevin")));
        let part = IdentityView::of(&person, &|kind| kind == EntityKind::Employee).unwrap();
        assert_eq!((part.records.len(), part.withheld, part.name.as_deref()), (1, 1, Some("Wang Wei")));
        assert!(!serde_json::to_string(&part).unwrap().contains("Kevin"), "the preferred value is another's");
        assert_eq!(part.fields[0].why, WhyWord::Only, "of what is left, it is the only one");
        assert!(IdentityView::of(&person, &|_| false).is_none());
    }
}
