//! `renmen people`: who is one person or unit, why, and what people decide about it.

use renmen_api::{
    IdentityConflict, IdentityDecided, IdentityDecision, IdentityDetail, IdentityField, IdentityProposal, IdentityView,
};
use renmen_people::{Act, Ask, Page, People, PeopleError, PersonQuery, Subject};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::{Text, text};
use serde_json::{Value, json};

use crate::cli::{Common, Of, PeopleCommand, Which, Why};
use crate::deployment::{Deployment, people_over};
use crate::exit::{Outcome, Usage};
use crate::output::{Output, time};
use crate::running_gateway::{Question, RunningGateway, Writing, writing};

/// Rows that are read at once.
const PAGE: u32 = 1_000;
/// Characters of a value in a table.
const VALUE_CHARS: usize = 60;

/// Runs the command. What only reads also works while a gateway is running, and so does what decides: through that gateway on SQLite.
pub(crate) async fn run(common: &Common, out: Output, ask: &PeopleCommand) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    match ask {
        PeopleCommand::Link { of } => return decide(&deployment, out, Act::Link, of).await,
        PeopleCommand::Split { of } => return decide(&deployment, out, Act::Split, of).await,
        PeopleCommand::Never { of } => return decide(&deployment, out, Act::Never, of).await,
        PeopleCommand::Undo { number, why } => return undo(&deployment, out, *number, why).await,
        _ => {}
    }
    let people = people_over(&deployment, deployment.store_to_read().await?);
    let tenant = &deployment.config.gateway.tenant;
    let reader = Reader { people: &people, tenant, out };
    match ask {
        PeopleCommand::List { which, connection, unresolved, records_min } => {
            let query = PersonQuery {
                subject: subject(which),
                connection: connection.clone(),
                unresolved: *unresolved,
                records_min: *records_min,
                after: None,
                limit: 0,
            };
            reader.list(query, which.limit).await
        }
        PeopleCommand::Show { id } => reader.show(*id).await,
        PeopleCommand::Proposals { which } => reader.proposals(which).await,
        PeopleCommand::Conflicts { which } => reader.conflicts(which).await,
        PeopleCommand::Decisions { limit } => reader.decisions(*limit).await,
        _ => Ok(Outcome::Done),
    }
}

fn subject(which: &Which) -> Subject {
    if which.units { Subject::Unit } else { Subject::Person }
}

/// An error of the identities as one of a command.
fn told(error: PeopleError) -> anyhow::Error {
    match error {
        PeopleError::Store(error) => error.into(),
        PeopleError::NotFound => {
            Usage(text!("no live record of a person or a unit has this id", "没有使用此编号的人员或组织单元记录"))
                .into()
        }
        PeopleError::BadInput(why) | PeopleError::Refused(why) => Usage(why).into(),
    }
}

/// What reads, and how it is shown.
struct Reader<'a> {
    people: &'a People,
    tenant: &'a TenantId,
    out: Output,
}

impl Reader<'_> {
    async fn list(&self, mut query: PersonQuery, limit: u32) -> anyhow::Result<Outcome> {
        let mut found = Vec::new();
        while (found.len() as u64) < u64::from(limit) {
            query.limit = left(limit, found.len());
            let Page { items, next } = self.people.list(self.tenant, &query).await.map_err(told)?;
            found.extend(items.iter().filter_map(|person| IdentityView::of(person, &|_| true)));
            query.after = next;
            if query.after.is_none() {
                break;
            }
        }
        let rows = found.iter().map(|one| {
            let places: Vec<String> =
                one.records.iter().map(|record| format!("{}/{}", record.connection, record.external_id)).collect();
            vec![one.id.clone(), one.name.clone().unwrap_or_default(), one.records.len().to_string(), places.join("\n")]
        });
        self.out.table(&["id", "name", "records", "from"], rows, &found)?;
        Ok(Outcome::Done)
    }

    async fn show(&self, id: RecordId) -> anyhow::Result<Outcome> {
        let Some(portrait) = self.people.get(self.tenant, id).await.map_err(told)? else {
            self.out.say(text!("person or unit not found", "没有该人员或组织单元"));
            return Ok(Outcome::Failed);
        };
        let timeline = match portrait.person.subject {
            Subject::Person => self.people.timeline(self.tenant, id).await.map_err(told)?,
            Subject::Unit => Vec::new(),
        };
        let Some(detail) = IdentityDetail::of(&portrait, &timeline, &|_| true) else {
            return Ok(Outcome::Failed);
        };
        if self.out.json {
            self.out.document(&detail)?;
            return Ok(Outcome::Done);
        }
        self.portrait(&detail)
    }

    fn portrait(&self, detail: &IdentityDetail) -> anyhow::Result<Outcome> {
        let Self { out, .. } = self;
        let one = &detail.identity;
        let name = one.name.clone().unwrap_or_default();
        out.say(Text::verbatim(format!("{} {name}", one.id)));
        let records = one.records.iter().map(|record| {
            vec![
                record.id.clone(),
                record.entity.clone(),
                record.connection.clone(),
                record.external_id.clone(),
                time(record.since.ms()),
            ]
        });
        out.table(&["id", "entity", "connection", "external id", "since"], records, &())?;
        out.table(&["field", "value", "why", "other values"], one.fields.iter().map(field_row), &())?;
        if !detail.links.is_empty() {
            let links = detail.links.iter().map(|link| {
                vec![link.a.clone(), link.b.clone(), link.grounds.because.to_string(), time(link.since.ms())]
            });
            out.table(&["record", "linked with", "why", "since"], links, &())?;
        }
        if !detail.proposals.is_empty() {
            out.table(&PROPOSAL, detail.proposals.iter().map(proposal_row), &())?;
        }
        if !detail.conflicts.is_empty() {
            out.table(&CONFLICT, detail.conflicts.iter().map(conflict_row), &())?;
        }
        if !detail.timeline.is_empty() {
            let steps = detail.timeline.iter().map(|moment| {
                let step = serde_json::to_value(moment.step).unwrap_or_default();
                let step = step.as_str().unwrap_or_default().to_owned();
                vec![moment.day.clone(), step, moment.about.clone().unwrap_or_default()]
            });
            out.table(&["day", "what", "details"], steps, &())?;
        }
        Ok(Outcome::Done)
    }

    async fn proposals(&self, which: &Which) -> anyhow::Result<Outcome> {
        let (mut found, mut after): (Vec<IdentityProposal>, Option<String>) = (Vec::new(), None);
        while (found.len() as u64) < u64::from(which.limit) {
            let limit = left(which.limit, found.len());
            let page = self.people.proposals(self.tenant, Some(subject(which)), after.as_deref(), limit).await;
            let Page { items, next } = page.map_err(told)?;
            found.extend(items.iter().map(IdentityProposal::of));
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.out.table(&PROPOSAL, found.iter().map(proposal_row), &found)?;
        Ok(Outcome::Done)
    }

    async fn conflicts(&self, which: &Which) -> anyhow::Result<Outcome> {
        let (mut found, mut after): (Vec<IdentityConflict>, Option<String>) = (Vec::new(), None);
        while (found.len() as u64) < u64::from(which.limit) {
            let limit = left(which.limit, found.len());
            let page = self.people.conflicts(self.tenant, Some(subject(which)), after.as_deref(), limit).await;
            let Page { items, next } = page.map_err(told)?;
            found.extend(items.iter().map(IdentityConflict::of));
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.out.table(&CONFLICT, found.iter().map(conflict_row), &found)?;
        Ok(Outcome::Done)
    }

    async fn decisions(&self, limit: u32) -> anyhow::Result<Outcome> {
        let Page { items, .. } = self.people.decisions(self.tenant, None, limit).await.map_err(told)?;
        let found: Vec<IdentityDecision> = items.iter().map(IdentityDecision::of).collect();
        let rows = items.iter().map(|decision| {
            let records: Vec<String> = decision.pairs.iter().map(|(a, b)| format!("{a} {b}")).collect();
            let undone = decision.undone.as_ref().map(|(who, _, at_ms)| format!("{} {who}", time(*at_ms)));
            vec![
                decision.number.to_string(),
                decision.act.name().to_owned(),
                records.join("\n"),
                decision.who.clone(),
                decision.why.clone(),
                time(decision.at_ms),
                undone.unwrap_or_default(),
            ]
        });
        self.out.table(&["id", "what", "records", "person", "reason", "at", "undone"], rows, &found)?;
        Ok(Outcome::Done)
    }
}

const PROPOSAL: [&str; 4] = ["one", "other", "why", "since"];
const CONFLICT: [&str; 5] = ["one", "other", "why", "against", "since"];

fn proposal_row(one: &IdentityProposal) -> Vec<String> {
    vec![one.one.clone(), one.other.clone(), one.grounds.because.to_string(), time(one.since.ms())]
}

fn conflict_row(one: &IdentityConflict) -> Vec<String> {
    let [a, b] = one.between.clone();
    vec![a, b, one.grounds.because.to_string(), one.against.to_string(), time(one.since.ms())]
}

fn field_row(field: &IdentityField) -> Vec<String> {
    let others = field.values.iter().skip(1).filter(|other| other.value != field.value);
    let others: Vec<String> = others.map(|other| format!("{}: {}", other.connection, short(&other.value))).collect();
    vec![field.name.clone(), short(&field.value), field.because.to_string(), others.join("\n")]
}

/// A value on one line.
fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cut: String = text.chars().take(VALUE_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// How many rows are still wanted.
fn left(limit: u32, found: usize) -> u32 {
    limit.saturating_sub(u32::try_from(found).unwrap_or(limit)).clamp(1, PAGE)
}

async fn decide(deployment: &Deployment, out: Output, act: Act, of: &Of) -> anyhow::Result<Outcome> {
    let Of { records, why: Why { reason, person } } = of;
    let decided = match writing(deployment).await? {
        Writing::Store(store) => {
            let people = people_over(deployment, store);
            let (who, why) = (person.clone(), reason.clone());
            let ask = Ask { act, records: records.clone(), who, why, request: None };
            let decided = people.decide(&deployment.config.gateway.tenant, &ask).await.map_err(told)?;
            json!(IdentityDecided::of(&decided))
        }
        Writing::Gateway(gateway) => {
            let body = json!({ "act": act.name(), "records": records, "reason": reason });
            post(&gateway, "/v1/people/decisions", body, person).await?
        }
    };
    show_decided(out, &decided)
}

async fn undo(deployment: &Deployment, out: Output, number: i64, why: &Why) -> anyhow::Result<Outcome> {
    let decided = match writing(deployment).await? {
        Writing::Store(store) => {
            let people = people_over(deployment, store);
            let tenant = &deployment.config.gateway.tenant;
            let undone = people.undo(tenant, number, &why.person, &why.reason).await;
            let decided = undone.map_err(|error| match error {
                PeopleError::NotFound => {
                    Usage(text!("no decision with this number is in force", "没有使用此编号的有效决定")).into()
                }
                other => told(other),
            })?;
            json!(IdentityDecided::of(&decided))
        }
        Writing::Gateway(gateway) => {
            let path = format!("/v1/people/decisions/{number}/undo");
            post(&gateway, &path, json!({ "reason": why.reason }), &why.person).await?
        }
    };
    show_decided(out, &decided)
}

async fn post(gateway: &RunningGateway, path: &str, body: Value, person: &str) -> anyhow::Result<Value> {
    let question = Question { body: Some(body), person: Some(person), idempotency_key: None };
    gateway.post(path, question).await?.good()
}

fn show_decided(out: Output, decided: &Value) -> anyhow::Result<Outcome> {
    if out.json {
        out.document(decided)?;
        return Ok(Outcome::Done);
    }
    let ids: Vec<&str> = decided["identities"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let number = &decided["number"];
    let people = ids.join(", ");
    out.say(if decided["in_force"] == true {
        text!(
            "decision {number} is in force; the records are: {people}",
            "决定 {number} 已生效；这些记录现为：{people}"
        )
    } else {
        text!(
            "decision {number} is kept and takes effect with the pass over all records that is under way",
            "决定 {number} 已保存，将随正在进行的全量比对生效"
        )
    });
    Ok(Outcome::Done)
}
