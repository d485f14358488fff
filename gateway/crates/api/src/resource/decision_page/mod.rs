//! The page for a person who decides. It needs no API key: the token in its address is sealed for one decision and one person, and
//! soon ends. Reading it changes nothing, because chat clients read every link that they show; only its form decides.
//!
//! Owns the page and its refusals. Each refusal is a page too, and tells nothing of the decision. What was judged, and what becomes of
//! a verdict, is asked of [`crate::Interviews`].

mod form;
mod html;
mod show;
mod words;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    VARY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use renmen_interview::{
    By, DecisionAsk, DecisionLink, InterviewError, Judged, LinkDesk, LinkFault, PersonVerdict, ReopenAsk, Stands,
};
use renmen_schema::Language;
use renmen_schema::id::RecordId;
use renmen_schema::types::Localized;
use sha2::{Digest as _, Sha256};

use self::form::{Draft, Sent};
use self::words::{Notice, Text};
use crate::guard::within;
use crate::instant::now_ms;
use crate::limit::Limit;
use crate::pool::Owner;
use crate::problem::language;
use crate::problem::{Answered, Problem, ProblemCode};
use crate::sender::Sender;
use crate::state::AppState;

/// For search engines that follow a link someone pasted in public.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
/// Seconds after which a sender of wrong links may try again.
const GUESS_AGAIN_S: u32 = 60;

/// Why a page shows no decision.
#[derive(Debug)]
enum Refusal {
    Invalid,
    Expired,
    Superseded,
    NotYours,
    TooLarge,
    Unreadable,
    TooMany,
    /// The store, the deadline, a limit of the process.
    Problem(Box<Problem>),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<InterviewError> for Refusal {
    fn from(error: InterviewError) -> Self {
        match error {
            InterviewError::Superseded { .. } => Self::Superseded,
            // The link was sealed by us, and its decision is gone: of another database, perhaps.
            InterviewError::NotFound(_) => Self::Invalid,
            other => Problem::from(other).into(),
        }
    }
}

impl Refusal {
    fn told(&self) -> (StatusCode, Notice, &'static str) {
        match self {
            Self::Invalid => (StatusCode::NOT_FOUND, words::INVALID, "not_ours"),
            Self::Expired => (StatusCode::GONE, words::EXPIRED, "expired"),
            Self::Superseded => (StatusCode::CONFLICT, words::SUPERSEDED, "superseded"),
            Self::NotYours => (StatusCode::FORBIDDEN, words::NOT_YOURS, "not_yours"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, words::TOO_LARGE, "too_large"),
            Self::Unreadable => (StatusCode::BAD_REQUEST, words::UNREADABLE, "unreadable"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, words::TOO_MANY, "too_many"),
            Self::Problem(problem) => (problem.code.status(), words::UNAVAILABLE, problem.code.name()),
        }
    }

    fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooMany => Some(GUESS_AGAIN_S),
            Self::Problem(problem) => problem.code.retry_after_s(),
            _ => None,
        }
    }
}

/// A page as it is answered.
struct Page {
    status: StatusCode,
    html: String,
    /// Where to go on instead.
    onward: Option<String>,
}

/// What every request of the page has.
struct Visit {
    token: String,
    language: Language,
    /// The language was chosen on the page: it stays chosen.
    chosen: bool,
    sender: Sender,
}

impl Visit {
    fn of(state: &AppState, token: Result<Path<String>, PathRejection>, request: &Request) -> Self {
        let chosen = chosen_language(request.uri());
        Self {
            token: token.map(|Path(token)| token).unwrap_or_default(),
            language: chosen.unwrap_or_else(|| language::asked(request.headers())),
            chosen: chosen.is_some(),
            sender: Sender::of_request(request, &state.options.proxies),
        }
    }

    /// The same page again, by a relative path: it stays right under any prefix that a proxy has put in front of ours.
    fn again(&self, token: &str) -> String {
        let query = match (self.chosen, self.language) {
            (false, _) => "",
            (true, Language::English) => "?lang=en",
            (true, Language::Chinese) => "?lang=zh",
        };
        format!("./{token}{query}")
    }
}

fn chosen_language(uri: &Uri) -> Option<Language> {
    uri.query()?.split('&').find_map(|pair| match pair {
        "lang=en" => Some(Language::English),
        "lang=zh" => Some(Language::Chinese),
        _ => None,
    })
}

/// `GET /decide/{token}`: shows, and changes nothing.
pub(crate) async fn show(
    State(state): State<AppState>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let visit = Visit::of(&state, token, &request);
    drop(request);
    let shown = async {
        let (_, link) = open(&state, &visit)?;
        let judged = guarded(&state, &link, async { Ok(judged(&state, &link).await?) }).await?;
        page(&visit, &link, &judged, &Draft::default(), None)
    };
    answer(&visit, shown.await)
}

/// `POST /decide/{token}`: the page's form.
pub(crate) async fn decide(
    State(state): State<AppState>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let visit = Visit::of(&state, token, &request);
    let decided = async {
        let (links, link) = open(&state, &visit)?;
        let (head, body) = request.into_parts();
        guarded(&state, &link, taken(&state, links, &visit, &link, &head.headers, body)).await
    };
    answer(&visit, decided.await)
}

async fn judged(state: &AppState, link: &DecisionLink) -> Result<Judged, InterviewError> {
    state.interviews.judged(&link.tenant, link.decision).await
}

/// Opens the link. Nothing of the store is asked for one that is not ours.
fn open<'s>(state: &'s AppState, visit: &Visit) -> Result<(&'s LinkDesk, DecisionLink), Refusal> {
    let links = state.decision_links.as_deref().ok_or(Refusal::Invalid)?;
    match links.open(&visit.token, now_ms()) {
        Ok(link) => Ok((links, link)),
        // Of ours, and so no guess.
        Err(LinkFault::Expired) => Err(Refusal::Expired),
        Err(LinkFault::NotOurs) if state.guesses.is_over(visit.sender.text()) => {
            state.reached.note(Limit::LinkGuesses, None);
            Err(Refusal::TooMany)
        }
        Err(LinkFault::NotOurs) => Err(Refusal::Invalid),
    }
}

/// Works within the deadline and within the places that requests share: the holder of a link counts as a key of its tenant does.
async fn guarded<T>(
    state: &AppState,
    link: &DecisionLink,
    work: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let overloaded = || {
        state.reached.note(Limit::Requests, Some(&link.tenant));
        Refusal::from(Problem::new(ProblemCode::Overloaded))
    };
    let owner = Owner { group: link.tenant.to_string(), member: format!("decision {}", link.decision) };
    let place = state.requests.take(owner, 1).ok_or_else(overloaded)?;
    let work = within(state.options.deadline, async { Ok::<_, Problem>(work.await) });
    tokio::select! {
        done = work => done?,
        () = place.lost() => Err(overloaded()),
    }
}

/// Takes what was sent.
async fn taken(
    state: &AppState,
    links: &LinkDesk,
    visit: &Visit,
    link: &DecisionLink,
    headers: &HeaderMap,
    body: Body,
) -> Result<Page, Refusal> {
    let sent = form::read(headers, body, state.options.body_bytes_max).await?;
    let judged = judged(state, link).await?;
    match sent {
        _ if judged.stands == Stands::Superseded => Err(Refusal::Superseded),
        Sent::Undo => undo(state, links, visit, link, &judged).await,
        Sent::Verdict(draft) => match draft.fault() {
            Some(fault) => page(visit, link, &judged, &draft, Some((StatusCode::UNPROCESSABLE_ENTITY, fault))),
            None => verdict(state, visit, link, &draft).await,
        },
    }
}

async fn verdict(state: &AppState, visit: &Visit, link: &DecisionLink, draft: &Draft) -> Result<Page, Refusal> {
    let pass = draft.pass == Some(true);
    let ask = DecisionAsk {
        verdict: if pass { PersonVerdict::Pass } else { PersonVerdict::Fail },
        person: link.person.clone(),
        reason: draft.reason.clone(),
        // The form has it in view for either verdict where the browser cannot hide it.
        reasons: draft.code.filter(|_| !pass).into_iter().collect(),
    };
    match state.interviews.decide(&link.tenant, link.decision, &ask).await {
        Ok(row) => {
            told(visit, link, "decide", row.id);
            Ok(Page::onward(visit.again(&visit.token)))
        }
        // Someone else was quicker: their decision is shown.
        Err(InterviewError::Refused { .. }) => {
            let judged = judged(state, link).await?;
            page(visit, link, &judged, draft, Some((StatusCode::CONFLICT, words::MEANWHILE)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the person's own decision again, and leads to the page of the one that is open then.
async fn undo(
    state: &AppState,
    links: &LinkDesk,
    visit: &Visit,
    link: &DecisionLink,
    judged: &Judged,
) -> Result<Page, Refusal> {
    if !is_own(judged, link) {
        return Err(Refusal::NotYours);
    }
    let reason = Localized::en(words::UNDONE.of(Language::English))
        .with("zh-CN", words::UNDONE.of(Language::Chinese))
        .map_err(|error| Problem::fault(&error))?;
    let ask = ReopenAsk { person: link.person.clone(), reason };
    let row = state.interviews.reopen(&link.tenant, link.decision, &ask).await?;
    told(visit, link, "reopen", row.id);
    let next = links.seal(&DecisionLink { decision: row.id, ..link.clone() });
    let next = next.ok_or_else(|| Problem::fault(&"a link cannot be made from another"))?;
    Ok(Page::onward(visit.again(&next)))
}

/// Did the person of the link make this decision?
fn is_own(judged: &Judged, link: &DecisionLink) -> bool {
    matches!(&judged.stands, Stands::Made(made) if made.by == By::Person(link.person.clone()))
}

/// Who decided is in the record; the log has which link it was, by a mark that opens nothing.
fn told(visit: &Visit, link: &DecisionLink, what: &'static str, written: RecordId) {
    let mark = hex::encode(&Sha256::digest(visit.token.as_bytes())[..8]);
    tracing::info!(tenant = %link.tenant, link = mark, what, decision = %link.decision, %written, "A person decided with a link");
}

fn page(
    visit: &Visit,
    link: &DecisionLink,
    judged: &Judged,
    draft: &Draft,
    fault: Option<(StatusCode, Text)>,
) -> Result<Page, Refusal> {
    if judged.stands == Stands::Superseded {
        return Err(Refusal::Superseded);
    }
    let (status, fault) = fault.map_or((StatusCode::OK, None), |(status, text)| (status, Some(text)));
    let shown = show::Shown { language: visit.language, link, judged, draft, fault, own: is_own(judged, link) };
    Ok(Page { status, html: shown.html(), onward: None })
}

impl Page {
    fn onward(to: String) -> Self {
        Self { status: StatusCode::SEE_OTHER, html: String::new(), onward: Some(to) }
    }
}

fn answer(visit: &Visit, page: Result<Page, Refusal>) -> Response {
    let (page, retry_after_s) = match page {
        Ok(page) => (page, None),
        Err(refusal) => {
            let (status, notice, why) = refusal.told();
            metrics::counter!("renmen_decision_links_refused_total", "why" => why).increment(1);
            let html = show::notice(visit.language, notice);
            (Page { status, html, onward: None }, refusal.retry_after_s())
        }
    };
    let mut response = Response::new(Body::from(page.html));
    *response.status_mut() = page.status;
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, fixed("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, fixed("no-store"));
    headers.insert(REFERRER_POLICY, fixed("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
    headers.insert(ROBOTS, fixed("noindex, nofollow"));
    headers.insert(CONTENT_LANGUAGE, fixed(visit.language.tag()));
    headers.insert(VARY, fixed("accept-language"));
    if let Ok(policy) = HeaderValue::from_str(show::policy()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if let Some(to) = page.onward.and_then(|to| HeaderValue::from_str(&to).ok()) {
        headers.insert(LOCATION, to);
    }
    if let Some(seconds) = retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // It is a page already: what turns bare errors into problem JSON leaves it.
    response.extensions_mut().insert(Answered);
    response
}
