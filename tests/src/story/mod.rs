//! The loop from end to end, played on a running gateway by the simulators of its vendors: Hire moves an application to the AI
//! interview, the gateway orders one, the vendor asks about pay and sends what happens, a person decides the border case, and Hire has
//! the result with its scores on the candidate and the application in the next stage. People change the vendor's model, and take that
//! back. At last CRM, ERP and payroll tell of one person, and a payroll run goes to the ledger. The demo tells it, the end-to-end test
//! proves it.

mod adjust;
mod books;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::interview_vendor::send;
use crate::interview_vendor::story::Story;
use crate::{dingtalk, feishu, http, interview_vendor, sms};
pub use books::Ledger;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const POLL: Duration = Duration::from_millis(100);
/// The stage of the AI interview in Hire.
const AI_STAGE: &str = "stage-2";
/// The one after it.
const NEXT_STAGE: &str = "stage-3";
/// Verdicts on an interview in Hire: passed, undecided.
const PASSED: i64 = 2;
const UNDECIDED: i64 = 3;
/// Of 100: between the fail line and the pass line of the example deployment.
const BORDER_SCORE: u32 = 77;

/// The vendors, by what they hold.
pub struct Stage {
    /// Hire.
    pub hire: feishu::Tenant,
    /// DingTalk.
    pub company: dingtalk::Company,
    /// The AI interviewer.
    pub vendor: interview_vendor::Vendor,
    /// Who brings text messages to candidates.
    pub phones: sms::Provider,
    /// The books.
    pub ledger: Ledger,
}

/// A gateway's API.
#[derive(Deserialize)]
pub struct Gateway {
    /// `http://127.0.0.1:7300`.
    pub url: String,
    /// An owner's API key.
    pub key: String,
}

/// What it came to.
pub struct End {
    /// The decision that a person made.
    pub decision: Value,
    /// The path of the page on which it was made.
    pub page: String,
    /// The path of the application's timeline.
    pub timeline: String,
    /// The timeline's steps.
    pub steps: Vec<Value>,
}

/// Plays it. `told` gets one line for each thing that happened.
///
/// # Errors
/// What did not happen, or not as it should.
pub async fn play(stage: &Stage, gateway: &Gateway, mut told: impl FnMut(&str)) -> anyhow::Result<End> {
    let api = Api::new(gateway);
    let reader = api.with_key_for(&json!({ "role": "consumer", "label": "the story's reader" })).await?;
    let application = reader.candidate_for_an_interview().await?;
    let hire_id = application["external_ids"][0]["value"].as_str().context("an application has its id in Hire")?;
    told(&format!("application {hire_id} is in screening in Hire, and {}", reader.bands().await?));
    let pay = reader.pay_of(&application).await?;

    let story = ordered(stage, &api, hire_id, &mut told).await?;
    let messages = stage.company.lock().unwrap().tasks.len();
    interviewed(stage, &api, &story, &pay, &mut told).await?;
    let shown = until("the result in Hire, undecided", async || Ok(in_hire(stage, &story, UNDECIDED))).await?;
    told(&format!("Hire shows the interview on the candidate, undecided yet, with its scores: {}", scores_of(&shown)));
    let (decision, page) = decided(stage, &api, (&story, messages), &mut told).await?;

    until("the verdict in Hire", async || Ok(in_hire(stage, &story, PASSED))).await?;
    told("Hire shows in the same place that it passed");
    until("the application in the next stage", async || {
        let state = stage.hire.lock().unwrap();
        let moved = state.applications.iter().find(|one| one["id"] == hire_id && one["stage"]["id"] == NEXT_STAGE);
        Ok(moved.map(|_| ()))
    })
    .await?;
    told("and the application has moved from the AI interview to the next stage of its process");
    adjust::adjusted(stage, &api, &mut told).await?;
    told(&until("someone whom several systems know", async || reader.one_person().await).await?);
    books::one_person(&reader, &mut told).await?;
    books::posted(&api, &stage.ledger, &mut told).await?;
    let timeline = format!("/v1/applications/{}/timeline", application["id"].as_str().unwrap_or_default());
    let steps = until("every step on the timeline", async || complete(&reader.get(&timeline).await?)).await?;
    Ok(End { decision, page, timeline, steps })
}

/// Hire moves the application and says so; the gateway reads it and orders an interview.
async fn ordered(stage: &Stage, api: &Api, hire_id: &str, told: &mut impl FnMut(&str)) -> anyhow::Result<Story> {
    let (before, tag) = (stage.vendor.lock().unwrap().orders.len(), api.tag.clone());
    ensure!(feishu::move_application(&stage.hire, hire_id, AI_STAGE), "Hire has no application {hire_id}");
    let event = feishu::event(
        &format!("ev-{tag}"),
        "hire.application.stage_changed_v1",
        &json!({ "application_id": hire_id, "target_stage_id": AI_STAGE }),
    );
    let hook = format!("{}/hooks/feishu", api.url);
    let (status, _) = feishu::send(&hook, &event, &feishu::Sending::default()).await?;
    ensure!(status == 200, "the gateway answered Hire's event with {status}");
    told("a recruiter moves it to the AI interview; Hire's encrypted event says that it changed, and no more");
    let story = until("an order at the vendor", async || Ok(Story::of_order(&stage.vendor, before, &tag))).await?;
    let asked = stage.vendor.lock().unwrap().orders[before].clone();
    ensure!(asked["application_id"] == hire_id, "another application was ordered: {asked}");
    let members = asked["candidate"].as_object().map(|who| who.keys().cloned().collect::<Vec<_>>().join(", "));
    told(&format!(
        "the gateway read it and ordered an interview; of the candidate it told: {}",
        members.unwrap_or_default()
    ));
    Ok(story)
}

/// What the vendor sends and asks while the interview goes on; the result twice, as vendors do.
async fn interviewed(
    stage: &Stage,
    api: &Api,
    story: &Story,
    pay: &Pay,
    told: &mut impl FnMut(&str),
) -> anyhow::Result<()> {
    let hook = format!("{}/hooks/interview", api.url);
    let tell = async |number: usize, event: &Value| {
        Story::keep(&stage.vendor, event);
        let id = format!("msg-{}-{number}", api.tag);
        let answer = send::event(&hook, interview_vendor::WEBHOOK_SECRET, &id, event).await?;
        ensure!((200..300).contains(&answer.status), "the gateway answered a signed event with {answer:?}");
        Ok(())
    };
    tell(0, &story.invited()).await?;
    until("a reminder at the candidate", async || Ok(texted(stage, "开始").then_some(()))).await?;
    told("the vendor plans it for four minutes from now: the candidate is reminded by text message, in Chinese");
    for (number, event) in [story.started(), story.answered(1)].iter().enumerate() {
        tell(1 + number, event).await?;
    }
    told("the candidate begins and answers the first question: each event signed, each kept before its answer");
    let vendor = json!({ "role": "vendor", "connection": "interview", "label": "the interview vendor" });
    let vendor = api.with_key_for(&vendor).await?;
    let refused = vendor.status("GET", "/v1/pay-bands", "").await?;
    ensure!(refused == 403, "the vendor's key was answered with {refused} about pay bands");
    told("the vendor has a key of its own, for its questions and nothing else: it may not read the bands");
    for (question, amount, wanted) in [
        (story.asks_about_pay(&pay.within), &pay.within, "in"),
        (story.asks_about_pay_by_order(&pay.beyond), &pay.beyond, "out"),
    ] {
        let said = vendor.post("/v1/pay-bands/match", &question).await?;
        ensure!(said == json!({ "match": wanted }), "about {amount}: {said}");
        told(&format!(
            "the vendor asks whether {amount} CNY a month is within the band of this interview: `{wanted}`, and never the band"
        ));
    }
    let result = story.result(BORDER_SCORE);
    let rest = [story.answered(2), story.slow(), story.answered(3), story.completed(), result.clone(), result];
    for (number, event) in rest.iter().enumerate() {
        // The last one is the same again, with the same id.
        tell(10 + number.min(4), event).await?;
    }
    let forged =
        send::event(&hook, "whsec_Zm9yZ2VkLXNlY3JldA==", &format!("msg-{}-forged", api.tag), &story.result(100))
            .await?;
    ensure!(forged.status == 401, "a forged result was answered with {}", forged.status);
    told(&format!("it is over: {BORDER_SCORE} of 100, sent twice and taken once; a forged 100 is refused"));
    until("the feedback at the candidate", async || Ok(texted(stage, "反馈").then_some(()))).await?;
    until("the feedback counted as delivered", async || {
        let page = api.get("/v1/notifications?connection=renmen&limit=500").await?;
        let ours = |one: &&Value| {
            one["body"]["interview"]["external"]["value"] == story.interview.as_str()
                && one["body"]["template"] == "interview_feedback"
        };
        let body = page["data"].as_array().and_then(|all| Some(all.iter().find(ours)?["body"].clone()));
        let Some(body) = body.filter(|body| body["status"]["code"] == "DELIVERED") else { return Ok(None) };
        let arrived = body["attempts"].as_array().and_then(|all| all.last()?["at"].as_str()).context("an attempt")?;
        ensure!(arrived <= body["deadline"].as_str().unwrap_or_default(), "the feedback was late: {body}");
        Ok(Some(()))
    })
    .await?;
    told("the candidate has the feedback by text message; the provider confirms it, and it counts as in time");
    Ok(())
}

/// The assessment of the interview as Hire shows it, once it has this verdict.
fn in_hire(stage: &Stage, story: &Story, verdict: i64) -> Option<Value> {
    let state = stage.hire.lock().unwrap();
    let ours = state.external_interviews.iter().find(|one| one.to_string().contains(&story.interview))?;
    let assessment = ours["interview_assessments"][0].clone();
    (assessment["conclusion"] == verdict).then_some(assessment)
}

/// The scores in an assessment as people read them.
fn scores_of(assessment: &Value) -> String {
    let all = assessment["assessment_dimension_list"].as_array().into_iter().flatten();
    let scored = all.filter(|one| one["score"].is_number());
    let said = scored.map(|one| format!("{} {}", one["title"].as_str().unwrap_or_default(), one["score"]));
    said.collect::<Vec<_>>().join(", ")
}

/// Did a text message with these words reach someone?
fn texted(stage: &Stage, words: &str) -> bool {
    let sent = stage.phones.lock().unwrap();
    sent.iter().any(|message| message["text"].as_str().is_some_and(|text| text.contains(words)))
}

/// The rule leaves a borderline result to a person, who is told and decides.
async fn decided(
    stage: &Stage,
    api: &Api,
    (story, before): (&Story, usize),
    told: &mut impl FnMut(&str),
) -> anyhow::Result<(Value, String)> {
    let open = until("a decision for a person", async || {
        let page = api.get("/v1/decisions?status=AWAITING_PERSON&limit=500").await?;
        let ours = |one: &&Value| one["body"]["interview"]["external"]["value"] == story.interview.as_str();
        Ok(page["data"].as_array().and_then(|all| all.iter().find(ours).cloned()))
    })
    .await?;
    let id = open["id"].as_str().context("a decision has an id")?.to_owned();
    told("the pass line is 80, the border begins at 75: the rule leaves it to a person");
    let link = until("a message with a link in DingTalk", async || {
        let company = stage.company.lock().unwrap();
        Ok(company
            .tasks
            .iter()
            .skip(before)
            .find(|task| !task.reached.is_empty())
            .and_then(|task| link_in(&task.message)))
    })
    .await?;
    told("DingTalk tells the recruiter that a decision is due, with a link to the page of this decision and no key");
    let page = api.open(&link, None).await?;
    ensure!(page.status == 200 && page.body.contains(&BORDER_SCORE.to_string()), "the page answered {page:?}");
    let sent = api.open(&link, Some("verdict=pass&reason=Convincing+in+person")).await?;
    ensure!(sent.status == 303, "the page's form was answered with {sent:?}");
    let decision = api.get(&format!("/v1/decisions/{id}")).await?;
    let by = decision["body"]["decided_by"]["person"].as_str().unwrap_or_default();
    told(&format!("{by} decides on that page: pass"));
    Ok((decision, link))
}

/// The page's path in a message.
fn link_in(message: &Value) -> Option<String> {
    const PAGE: &str = "/decide/";
    let text = message.to_string();
    let path = &text[text.find(PAGE)?..];
    let end = path[PAGE.len()..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    Some(path[..end.map_or(path.len(), |end| end + PAGE.len())].to_owned())
}

/// The steps, when all that belongs to the story is there.
fn complete(timeline: &Value) -> anyhow::Result<Option<Vec<Value>>> {
    const WANTED: [(&str, &str); 9] = [
        ("order", "interview"),
        ("node", "interview"),
        ("result", "interview"),
        ("decision", "renmen"),
        ("notification", "renmen"),
        ("delivery", "interview"),
        ("delivery", "sms"),
        ("delivery", "dingtalk"),
        ("delivery", "feishu"),
    ];
    let steps = timeline["steps"].as_array().context("a timeline has steps")?;
    let has = |(kind, connection): (&str, &str)| {
        steps.iter().any(|step| step["kind"] == kind && step["connection"] == connection)
    };
    let settled = steps.iter().all(|step| step["kind"] != "delivery" || step["status"] == "DELIVERED");
    let asked = steps.iter().any(|step| step["code"] == "BAND_MATCHED");
    Ok((settled && asked && WANTED.into_iter().all(has)).then(|| steps.clone()))
}

/// A step as people read it.
#[must_use]
pub fn line(step: &Value) -> String {
    let text = |key: &str| step[key].as_str().unwrap_or_default();
    let at = text("at").get(11..19).unwrap_or_default();
    format!("{at}  {:<10} {:<12} {:<28} {}", text("connection"), text("kind"), text("code"), text("status"))
}

/// What the table of pay bands says of a job, read by one who may: an amount within it, and one beyond.
struct Pay {
    within: String,
    beyond: String,
}

/// The gateway's API, asked with its key.
struct Api {
    url: String,
    key: String,
    /// What this story's own ids hold, so that none of an earlier one is met again.
    tag: String,
}

impl Api {
    fn new(gateway: &Gateway) -> Self {
        let tag = jiff::Timestamp::now().as_millisecond().to_string();
        Self { url: gateway.url.clone(), key: gateway.key.clone(), tag }
    }

    /// The same API with a key that is made for this purpose.
    async fn with_key_for(&self, purpose: &Value) -> anyhow::Result<Self> {
        let made = self.post("/v1/keys", purpose).await?;
        let key = made["key"].as_str().context("a key that is made is shown")?.to_owned();
        Ok(Self { key, url: self.url.clone(), tag: self.tag.clone() })
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> anyhow::Result<http::Answer> {
        let key = [("authorization", format!("Bearer {}", self.key))];
        http::ask(method, &format!("{}{path}", self.url), &key, body, PATIENCE).await
    }

    /// Opens a page as a browser does, without a key; with a form, sends it.
    async fn open(&self, path: &str, form: Option<&str>) -> anyhow::Result<http::Answer> {
        let kind = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let (method, head) = if form.is_some() { ("POST", &kind[..]) } else { ("GET", &[][..]) };
        http::ask(method, &format!("{}{path}", self.url), head, form.unwrap_or_default(), PATIENCE).await
    }

    async fn status(&self, method: &str, path: &str, body: &str) -> anyhow::Result<u16> {
        Ok(self.send(method, path, body).await?.status)
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let answer = self.send(method, path, body).await?;
        ensure!((200..300).contains(&answer.status), "{path} answered {}: {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).with_context(|| format!("{path} answered no JSON"))
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask("GET", path, "").await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask("POST", path, &body.to_string()).await
    }

    /// The newest application in screening that was never ordered an interview.
    async fn candidate_for_an_interview(&self) -> anyhow::Result<Value> {
        let page = self.get("/v1/applications?connection=feishu&limit=500").await?;
        let all = page["data"].as_array().context("a page has data")?;
        let open = |one: &&Value| {
            one["body"]["stage"]["kind"]["code"] == "SCREENING" && one["body"]["status"]["code"] != "ENDED"
        };
        let newest = all.iter().filter(open).max_by_key(|one| one["external_ids"][0]["value"].to_string());
        newest.cloned().context("Hire has no application in screening")
    }

    /// From the bands of the lowest and the highest level of an application's job.
    async fn pay_of(&self, application: &Value) -> anyhow::Result<Pay> {
        let job = application["body"]["job"]["external"]["value"].as_str().context("an application is for a job")?;
        let jobs = self.get("/v1/jobs?connection=feishu&limit=100").await?;
        let is_it = |one: &&Value| one["external_ids"][0]["value"] == job;
        let job = jobs["data"].as_array().and_then(|all| all.iter().find(is_it)).context("Hire told of the job")?;
        let job = &job["body"];
        let page = self.get("/v1/pay-bands?connection=payroll&limit=100").await?;
        let range = |level: &Value| {
            let is_it = |one: &&Value| {
                one["body"]["key"]["job_family"] == job["job_family"] && one["body"]["key"]["level"] == *level
            };
            let band = page["data"].as_array().and_then(|all| all.iter().find(is_it));
            band.map(|band| band["body"]["range"].clone()).with_context(|| format!("payroll has a band for {level}"))
        };
        let amount = |text: &Value| text.as_str().and_then(|text| text.parse::<u32>().ok()).context("an amount");
        let (min, max) = (amount(&range(&job["min_level"])?["min"])?, amount(&range(&job["max_level"])?["max"])?);
        Ok(Pay { within: ((min + max) / 2 / 100 * 100).to_string(), beyond: (max + 3_000).to_string() })
    }

    /// Someone who has records in several systems, and what links them.
    async fn one_person(&self) -> anyhow::Result<Option<String>> {
        let page = self.get("/v1/people?records_min=2&limit=1").await?;
        let Some(id) = page["data"][0]["id"].as_str() else { return Ok(None) };
        let person = self.get(&format!("/v1/people/{id}")).await?;
        let places = person["records"].as_array().context("a person has records")?;
        let places: Vec<&str> = places.iter().filter_map(|record| record["connection"].as_str()).collect();
        let why = person["links"][0]["because"].as_str().context("a link says why it is one")?;
        let name = person["name"].as_str().unwrap_or_default();
        Ok(Some(format!("{name} is one person in {}, and the gateway says why: {why}", places.join(" and "))))
    }

    async fn bands(&self) -> anyhow::Result<String> {
        let page = self.get("/v1/pay-bands?connection=payroll&limit=100").await?;
        let count = page["data"].as_array().map_or(0, Vec::len);
        ensure!(count > 0, "payroll's file brought no pay band");
        Ok(format!("payroll's file brought {count} pay bands"))
    }
}

async fn until<T>(what: &str, mut is_so: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = is_so().await? {
            return Ok(found);
        }
        tokio::time::sleep(POLL).await;
    }
    anyhow::bail!("after {} s there is still not: {what}", PATIENCE.as_secs())
}
