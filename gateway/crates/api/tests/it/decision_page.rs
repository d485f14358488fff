//! The page for a person who decides: what it shows, what it takes, and what each refusal tells.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use parking_lot::Mutex;
use renmen_api::{
    ApiOptions, BandQuestion, BandVerdict, DecisionDesk, DimensionView, Interviews, InterviewsError, JudgedView,
    LinkRefusal, LoopHealth, OpenedLink, PersonDecision, PersonReopening, ScoreCorrection, ScreenSteps, StandsView,
    TimelineStep, VerdictView,
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

/// A desk with one decision: `good` opens it for li.na, `next` is what follows a reopening.
struct Desk {
    store: Arc<dyn Store>,
    judged: Mutex<JudgedView>,
    asked: Mutex<Vec<String>>,
}

fn judged() -> JudgedView {
    JudgedView {
        candidate: Some(format!("张伟{HOSTILE}")),
        position: Some(Localized::zh_cn("后端工程师").with("en", "Backend engineer").unwrap()),
        score: Some(Decimal::parse("77.5").unwrap()),
        pass: Some(Decimal::from(80)),
        border: Some((Decimal::from(75), Decimal::from(80))),
        rule_passes: None,
        reason: Some(Localized::en("The score is in the border band").with("zh-CN", "得分处于边界区间").unwrap()),
        reasons: Vec::new(),
        stands: StandsView::Open,
        opened_by: None,
        dimensions: vec![DimensionView {
            name: Some(Localized::und(HOSTILE)),
            value: Decimal::from(60),
            max: Decimal::from(100),
            weight_bp: Some(2_550),
            corrected: Some((Decimal::from(72), Some("wang.wei".into()), Some(Localized::und("line broke")))),
        }],
        more_dimensions: false,
        before: Some((
            Some(Decimal::from(70)),
            Some(VerdictView { passes: false, person: None, at_ms: Some(BEGIN_MS) }),
        )),
    }
}

fn made_by(person: &str, passes: bool) -> StandsView {
    StandsView::Made(VerdictView { passes, person: Some(person.into()), at_ms: Some(BEGIN_MS) })
}

#[async_trait]
impl DecisionDesk for Desk {
    fn open(&self, token: &str) -> Result<OpenedLink, LinkRefusal> {
        match token {
            "good" => Ok(OpenedLink {
                tenant: TenantId::new("acme").unwrap(),
                decision: ID.parse().unwrap(),
                person: "li.na".into(),
                expires_at_ms: BEGIN_MS + 3_600_000,
            }),
            "old" => Err(LinkRefusal::Expired),
            _ => Err(LinkRefusal::NotOurs),
        }
    }

    fn onward(&self, link: &OpenedLink, _decision: RecordId) -> Option<String> {
        assert_eq!((link.person.as_str(), link.expires_at_ms), ("li.na", BEGIN_MS + 3_600_000));
        Some("next".into())
    }

    async fn judged(&self, tenant: &TenantId, _decision: RecordId) -> Result<JudgedView, InterviewsError> {
        assert_eq!(tenant.as_str(), "acme");
        Ok(self.judged.lock().clone())
    }
}

impl Desk {
    async fn row(&self) -> Result<RecordRow, InterviewsError> {
        let query = renmen_store::RecordQuery { limit: 1, ..Default::default() };
        let rows = self.store.records(&TenantId::new("acme").unwrap(), &query).await?;
        Ok(rows.items.into_iter().next().unwrap())
    }
}

#[async_trait]
impl Interviews for Desk {
    fn health(&self, _: &TenantId) -> Option<LoopHealth> {
        None
    }

    async fn candidate_timeline(
        &self,
        _: &TenantId,
        _: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        Err(InterviewsError::NotFound("candidate"))
    }

    async fn decide(&self, _: &TenantId, id: RecordId, by: PersonDecision) -> Result<RecordRow, InterviewsError> {
        assert_eq!((id.to_string().as_str(), by.person.as_str()), (ID, "li.na"), "the link says who");
        let codes: Vec<_> = by.reasons.iter().map(|code| code.as_str()).collect();
        self.asked.lock().push(format!("{} {:?} {codes:?}", by.pass, by.reason));
        {
            let mut judged = self.judged.lock();
            if judged.stands != StandsView::Open {
                return Err(InterviewsError::Refused { en: "made already".into(), zh: "已决定".into() });
            }
            judged.stands = made_by(&by.person, by.pass);
            judged.reasons = by.reasons.iter().map(|code| code.as_str()).collect();
            judged.reason = Some(Localized::und(by.reason));
        }
        self.row().await
    }

    async fn reopen(&self, _: &TenantId, _: RecordId, by: PersonReopening) -> Result<RecordRow, InterviewsError> {
        assert!(by.reason.get("en").is_some() && by.reason.get("zh-CN").is_some());
        self.asked.lock().push(format!("reopen {}", by.person));
        self.row().await
    }

    async fn overrule(&self, _: &TenantId, _: RecordId, _: PersonDecision) -> Result<RecordRow, InterviewsError> {
        unreachable!("the page overrides nothing")
    }

    async fn match_band(&self, _: &TenantId, _: &str, _: BandQuestion) -> Result<BandVerdict, InterviewsError> {
        unreachable!()
    }

    async fn correct(&self, _: &TenantId, _: RecordId, _: ScoreCorrection) -> Result<RecordRow, InterviewsError> {
        unreachable!()
    }

    async fn timeline(&self, _: &TenantId, _: RecordId) -> Result<(Vec<TimelineStep>, bool), InterviewsError> {
        unreachable!()
    }

    async fn screen_token(&self, _: &TenantId, _: RecordId) -> Result<(String, i64), InterviewsError> {
        unreachable!()
    }

    async fn screen(&self, _: &str, _: RecordId) -> Result<Option<ScreenSteps>, InterviewsError> {
        unreachable!()
    }
}

struct Visited {
    rig: Rig,
    desk: Arc<Desk>,
}

impl Visited {
    async fn new(options: ApiOptions) -> Self {
        let mut made = None;
        let rig = Rig::with_all(options, ScriptedControl::default(), |store, state| {
            let desk = Arc::new(Desk { store, judged: Mutex::new(judged()), asked: Mutex::default() });
            made = Some(Arc::clone(&desk));
            state.with_interviews(Arc::clone(&desk) as _).with_decisions(desk)
        })
        .await;
        // What a write gives back.
        rig.commit(vec![employee("e-1", "1")], Vec::new()).await;
        Self { rig, desk: made.unwrap() }
    }

    async fn ask(&self, method: &str, path: &str, language: &str, form: Option<&str>) -> Answer {
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
    assert_eq!((sent.status, &sent.headers["location"]), (StatusCode::SEE_OTHER, &"./good?lang=en".parse().unwrap()));
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
    assert_eq!(
        (undone.status, &undone.headers["location"]),
        (StatusCode::SEE_OTHER, &"./next?lang=zh".parse().unwrap())
    );
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
    visited.desk.judged.lock().stands = StandsView::Superseded;
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
