//! The page for a person who decides: what it shows, what it takes, and what each refusal tells.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use parking_lot::Mutex;
use renmen_api::{ApiOptions, Interviews};
use renmen_interview::{
    BandAsk, Before, By, CorrectionAsk, DecisionAsk, DecisionLink, Dimension, InterviewError, Judged, JudgedCorrection,
    LinkDesk, LinkKey, LoopProgress, Made, PersonVerdict, ReopenAsk, ScreenToken, ScreenView, Stands, Timeline,
    Verdict,
};
use renmen_schema::code::OutcomeReason;
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::{Decimal, Localized};
use renmen_store::{RecordRow, Store};
use tower::ServiceExt as _;

use crate::rig::{Answer, BEGIN_MS, Rig, employee};
use crate::scripted_control::ScriptedControl;

const ID: &str = "018bcfe5-6800-7000-8000-000000000001";
const HOSTILE: &str = "</p><script>alert(1)</script>\"'";

/// A loop with one decision.
struct Desk {
    store: Arc<dyn Store>,
    judged: Mutex<Judged>,
    asked: Mutex<Vec<String>>,
}

/// Links that open for an hour, the decision for li.na.
fn links() -> LinkDesk {
    LinkDesk::new(LinkKey::new(&[7; 32]).unwrap(), 3_600_000)
}

fn link(expires_at_ms: i64) -> DecisionLink {
    DecisionLink {
        tenant: TenantId::new("acme").unwrap(),
        decision: ID.parse().unwrap(),
        person: "li.na".into(),
        expires_at_ms,
    }
}

fn judged() -> Judged {
    Judged {
        candidate: Some(format!("张伟{HOSTILE}")),
        position: Some(Localized::zh_cn("后端工程师").with("en", "Backend engineer").unwrap()),
        score: Some(Decimal::parse("77.5").unwrap()),
        pass: Some(Decimal::from(80)),
        border: Some((Decimal::from(75), Decimal::from(80))),
        rule_passes: None,
        reason: Some(Localized::en("The score is in the border band").with("zh-CN", "得分处于边界区间").unwrap()),
        reasons: Vec::new(),
        stands: Stands::Open,
        opened_by: None,
        dimensions: vec![Dimension {
            name: Some(Localized::und(HOSTILE)),
            value: Decimal::from(60),
            max: Decimal::from(100),
            weight_bp: Some(2_550),
            corrected: Some(JudgedCorrection {
                value: Decimal::from(72),
                by: Some("wang.wei".into()),
                reason: Some(Localized::und("line broke")),
            }),
        }],
        more_dimensions: false,
        before: Some(Before {
            score: Some(Decimal::from(70)),
            made: Some(Made { passes: false, by: By::Rule, at_ms: Some(BEGIN_MS) }),
        }),
    }
}

fn made_by(person: &str, passes: bool) -> Stands {
    Stands::Made(Made { passes, by: By::Person(person.into()), at_ms: Some(BEGIN_MS) })
}

impl Desk {
    async fn row(&self) -> Result<RecordRow, InterviewError> {
        let query = renmen_store::RecordQuery { limit: 1, ..Default::default() };
        let rows = self.store.records(&TenantId::new("acme").unwrap(), &query).await?;
        Ok(rows.items.into_iter().next().unwrap())
    }
}

#[async_trait]
impl Interviews for Desk {
    fn progress(&self, _: &TenantId) -> Option<LoopProgress> {
        None
    }

    async fn judged(&self, tenant: &TenantId, _decision: RecordId) -> Result<Judged, InterviewError> {
        assert_eq!(tenant.as_str(), "acme");
        Ok(self.judged.lock().clone())
    }

    async fn decide(&self, _: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        assert_eq!((id.to_string().as_str(), ask.person.as_str()), (ID, "li.na"), "the link says who");
        let pass = ask.verdict == PersonVerdict::Pass;
        let codes: Vec<_> = ask.reasons.iter().map(|code| code.as_str()).collect();
        self.asked.lock().push(format!("{pass} {:?} {codes:?}", ask.reason));
        {
            let mut judged = self.judged.lock();
            if judged.stands != Stands::Open {
                return Err(InterviewError::refused("made already", "已决定"));
            }
            judged.stands = made_by(&ask.person, pass);
            judged.reasons = ask.reasons.iter().map(|code| code.as_str()).collect();
            judged.reason = Some(Localized::und(ask.reason.clone()));
        }
        self.row().await
    }

    async fn reopen(&self, _: &TenantId, _: RecordId, ask: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        assert!(ask.reason.get("en").is_some() && ask.reason.get("zh-CN").is_some());
        self.asked.lock().push(format!("reopen {}", ask.person));
        self.row().await
    }

    async fn overrule(&self, _: &TenantId, _: RecordId, _: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        unreachable!("the page overrides nothing")
    }

    async fn match_band(&self, _: &TenantId, _: &str, _: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        unreachable!()
    }

    async fn correct(&self, _: &TenantId, _: RecordId, _: &CorrectionAsk) -> Result<RecordRow, InterviewError> {
        unreachable!()
    }

    async fn timeline(&self, _: &TenantId, _: RecordId) -> Result<Timeline, InterviewError> {
        unreachable!()
    }

    async fn candidate_timeline(&self, _: &TenantId, _: RecordId) -> Result<Timeline, InterviewError> {
        unreachable!()
    }

    async fn screen_token(&self, _: &TenantId, _: RecordId) -> Result<ScreenToken, InterviewError> {
        unreachable!()
    }

    async fn screen(&self, _: &str, _: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        unreachable!()
    }
}

/// A visit to the page. In paths `good` stands for the token that opens the decision, `old` for one that has expired.
struct Visited {
    rig: Rig,
    desk: Arc<Desk>,
    expires_at_ms: i64,
}

impl Visited {
    async fn new(options: ApiOptions) -> Self {
        let mut made = None;
        let rig = Rig::with_parts(options, ScriptedControl::default(), |parts| {
            let store = Arc::clone(&parts.store);
            let desk = Arc::new(Desk { store, judged: Mutex::new(judged()), asked: Mutex::default() });
            made = Some(Arc::clone(&desk));
            parts.interviews = desk;
            parts.decision_links = Some(links());
        })
        .await;
        // What a write gives back.
        rig.commit(vec![employee("e-1", "1")], Vec::new()).await;
        let expires_at_ms = jiff::Timestamp::now().as_millisecond() + 3_600_000;
        Self { rig, desk: made.unwrap(), expires_at_ms }
    }

    fn token(&self, name: &str) -> String {
        let expires_at_ms = if name == "old" { BEGIN_MS } else { self.expires_at_ms };
        links().seal(&link(expires_at_ms)).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, language: &str, form: Option<&str>) -> Answer {
        let token = |path: &str, name: &str| path.replacen(&format!("/{name}"), &format!("/{}", self.token(name)), 1);
        let path = token(&token(path, "good"), "old");
        let mut request = Request::builder().method(method).uri(path).header("accept-language", language);
        if form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let body = form.map_or_else(Body::empty, |form| Body::from(form.to_owned()));
        Answer::read(self.rig.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "en", None).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        self.ask("POST", path, "en", Some(form)).await
    }

    fn asked(&self) -> Vec<String> {
        self.desk.asked.lock().clone()
    }
}

async fn visited() -> Visited {
    Visited::new(ApiOptions::default()).await
}

/// A page of ours, with everything that keeps it to itself, and nothing of the decision.
fn refusal(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    sealed(answer);
    assert!(answer.text.contains(says), "{}", answer.text);
    for told in ["张伟", "77.5", "Backend", "后端", "li.na", "<form"] {
        assert!(!answer.text.contains(told), "{told} in {}", answer.text);
    }
}

fn sealed(answer: &Answer) {
    for (header, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("vary", "accept-language"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(answer.headers[header], value, "{header}");
    }
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{policy}");
    assert!(!answer.headers.contains_key("set-cookie"));
    assert!(!answer.text.contains("style=\"") && !answer.text.contains("<script"), "{}", answer.text);
}

#[tokio::test]
async fn a_link_shows_what_was_judged_in_the_readers_language_and_changes_nothing() {
    let visited = visited().await;
    for method in ["GET", "HEAD", "GET"] {
        let answer = visited.ask(method, "/decide/good", "zh-CN,zh;q=0.9", None).await;
        assert_eq!(answer.status, StatusCode::OK);
        sealed(&answer);
    }
    assert_eq!(visited.asked(), Vec::<String>::new(), "clients that read links ahead decide nothing");
    let chinese = visited.ask("GET", "/decide/good", "zh-CN", None).await;
    assert_eq!(chinese.headers["content-language"], "zh-CN");
    for shown in [
        "张伟",
        "后端工程师",
        "77.5",
        "75 – 80",
        "得分处于边界区间",
        "60 → 72",
        "25.5 %",
        "line broke",
        "此前的决定",
        ">70<",
        "确认决定",
        "li.na",
    ] {
        assert!(chinese.text.contains(shown), "{shown}");
    }
    let english = visited.get("/decide/good").await;
    for shown in [
        "<html lang=\"en\">",
        "Backend engineer",
        "The score is in the border band",
        "Previous decision",
        "Confirm decision",
    ] {
        assert!(english.text.contains(shown), "{shown}");
    }
    assert!(english.text.contains("href=\"?lang=zh\"") && chinese.text.contains("href=\"?lang=en\""));
    let chosen = visited.ask("GET", "/decide/good?lang=zh&utm_source=chat", "en", None).await;
    assert_eq!(chosen.headers["content-language"], "zh-CN");
}

#[tokio::test]
async fn whatever_a_source_wrote_is_text_on_the_page() {
    let visited = visited().await;
    let page = visited.get("/decide/good").await.text;
    assert!(page.contains("&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;"), "{page}");
    let answer = visited.post("/decide/good", "verdict=&reason=%3C%2Ftextarea%3E%3Cb%3E&x=1").await;
    refusal(&answer, 400, "could not be read");
    let again = visited.post("/decide/good", "reason=%3C%2Ftextarea%3E%3Cb%3E").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    sealed(&again);
    assert!(again.text.contains("&lt;/textarea&gt;&lt;b&gt;</textarea>"), "{}", again.text);
}

#[tokio::test]
async fn a_verdict_is_taken_with_its_reason_and_shown_with_whose_it_is() {
    let visited = visited().await;
    for (form, says) in [
        ("reason=r", "Choose pass or fail"),
        ("verdict=fail&reason=+%0D%0A", "Give a reason"),
        (&format!("verdict=fail&reason={}", "x".repeat(2_001)), "Give a reason"),
        ("verdict=fail&reason=a%00b", "Give a reason"),
    ] {
        let answer = visited.post("/decide/good", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.text.contains(says) && answer.text.contains("role=\"alert\""), "{form}");
    }
    assert!(visited.asked().is_empty());
    let sent = visited.post("/decide/good?lang=en", "verdict=fail&reason=Not%0D%0Aenough&code=NOT_QUALIFIED").await;
    assert_eq!(
        (sent.status, &sent.headers["location"]),
        (StatusCode::SEE_OTHER, &format!("./{}?lang=en", visited.token("good")).parse().unwrap())
    );
    assert_eq!(visited.asked(), ["false \"Not\\nenough\" [\"NOT_QUALIFIED\"]"]);
    let shown = visited.get("/decide/good").await.text;
    for said in [
        "Decided: fail",
        "<bdi>li.na</bdi>",
        "14 Nov 2023, 22:13 UTC",
        "Not\nenough",
        "Not qualified",
        "Undo my decision",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(!shown.contains("name=\"verdict\""), "what was decided is decided no second time");
}

#[tokio::test]
async fn a_category_goes_with_a_verdict_that_does_not_pass() {
    let visited = visited().await;
    assert_eq!(visited.post("/decide/good", "verdict=pass&reason=r&code=NO_SHOW").await.status, StatusCode::SEE_OTHER);
    assert_eq!(visited.asked(), ["true \"r\" []"]);
    assert!(OutcomeReason::ALL.len() > 2);
    let other = visited.post("/decide/good", "verdict=fail&reason=r&code=OTHER").await;
    refusal(&other, 400, "could not be read");
}

#[tokio::test]
async fn a_person_undoes_their_own_decision_and_nobody_elses() {
    let visited = visited().await;
    let early = visited.post("/decide/good", "undo=yes").await;
    refusal(&early, 403, "Only the person who decided");
    visited.desk.judged.lock().stands = made_by("wang.wei", true);
    let page = visited.get("/decide/good").await.text;
    assert!(page.contains("Decided: pass") && page.contains("wang.wei") && !page.contains("<form"), "{page}");
    refusal(&visited.post("/decide/good", "undo=yes").await, 403, "Only the person who decided");
    assert!(visited.asked().is_empty());
    visited.desk.judged.lock().stands = made_by("li.na", true);
    let undone = visited.ask("POST", "/decide/good?lang=zh", "en", Some("undo=yes")).await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER);
    let next = undone.headers["location"].to_str().unwrap().strip_prefix("./").unwrap().strip_suffix("?lang=zh");
    let onward = links().open(next.unwrap(), BEGIN_MS).unwrap();
    let written = visited.desk.row().await.unwrap().id;
    assert_eq!(onward, DecisionLink { decision: written, ..link(visited.expires_at_ms) }, "the same person and end");
    assert_eq!(visited.asked(), ["reopen li.na"]);
}

#[tokio::test]
async fn who_comes_second_is_shown_what_was_decided() {
    let visited = visited().await;
    visited.desk.judged.lock().stands = made_by("wang.wei", true);
    let late = visited.post("/decide/good", "verdict=fail&reason=r").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    sealed(&late);
    assert!(
        late.text.contains("A different decision was made in the meantime") && late.text.contains("wang.wei"),
        "{}",
        late.text
    );
}

#[tokio::test]
async fn a_link_that_opens_nothing_gives_a_page_in_either_language_and_tells_nothing() {
    let visited = visited().await;
    for (token, status, en, zh) in
        [("old", 410, "has expired", "已过期"), ("forged", 404, "not valid", "无效"), ("%FF", 404, "not valid", "无效")]
    {
        let path = format!("/decide/{token}");
        for form in [None, Some("verdict=pass&reason=r")] {
            let method = if form.is_some() { "POST" } else { "GET" };
            refusal(&visited.ask(method, &path, "en", form).await, status, en);
            refusal(&visited.ask(method, &path, "zh", form).await, status, zh);
        }
    }
    visited.desk.judged.lock().stands = Stands::Superseded;
    refusal(&visited.get("/decide/good").await, 409, "was replaced");
    refusal(&visited.ask("GET", "/decide/good", "zh", None).await, 409, "取代");
    for form in ["verdict=pass&reason=r", "undo=yes", ""] {
        refusal(&visited.post("/decide/good", form).await, 409, "was replaced");
    }
    assert!(visited.asked().is_empty());
}

#[tokio::test]
async fn what_is_too_long_or_no_form_is_refused_on_a_page() {
    let options = ApiOptions { body_bytes_max: 1_000, ..ApiOptions::default() };
    let visited = Visited::new(options).await;
    let of = |chars: usize| format!("verdict=pass&reason={}", "x".repeat(chars - "verdict=pass&reason=".len()));
    refusal(&visited.post("/decide/good", &of(1_001)).await, 413, "too long");
    refusal(&visited.ask("POST", "/decide/good", "zh", Some(&of(1_001))).await, 413, "过长");
    refusal(&visited.ask("POST", "/decide/good", "en", None).await, 400, "could not be read");
    assert!(visited.asked().is_empty());
    assert_eq!(visited.post("/decide/good", &of(1_000)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn who_tries_links_is_slowed_down_and_told_of_while_a_good_one_opens() {
    let visited = Visited::new(ApiOptions { link_guesses_per_minute: 2, ..ApiOptions::default() }).await;
    for _ in 0..2 {
        refusal(&visited.get("/decide/guess").await, 404, "not valid");
    }
    let over = visited.get("/decide/guess").await;
    refusal(&over, 429, "Too many");
    assert_eq!(over.headers["retry-after"], "60");
    refusal(&visited.ask("GET", "/decide/guess", "zh", None).await, 429, "过多");
    assert_eq!(visited.get("/decide/good").await.status, StatusCode::OK);
    let health = visited.rig.get("/v1/health").await.text;
    assert!(health.contains("gateway.limits.link_guesses_per_minute"), "{health}");
}

#[tokio::test]
async fn a_gateway_without_an_address_for_people_has_no_page() {
    let rig = Rig::new().await;
    let answer = rig.get("/decide/good").await;
    refusal(&answer, 404, "not valid");
}
