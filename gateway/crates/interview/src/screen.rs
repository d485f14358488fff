//! What a candidate's screen may see of one interview: its steps as they happen, and nothing else of any record.
//!
//! A screen holds no API key. It holds a token for one interview that soon ends; only the token's hash is kept.

use renmen_schema::code::NodeCode;
use renmen_schema::entity::ProcessNode;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::{RecordRow, ScreenTokenRow, Store};
use sha2::{Digest as _, Sha256};

use crate::children::Shelf;
use crate::dossier::Read;
use crate::sources::Sources;
use crate::standing::Standing;
use crate::steps::Steps;
use crate::{InterviewError, subject};

/// What a token begins with.
const PREFIX: &str = "rs_";
/// Steps that are a candidate's own business. What the gateway found, or a vendor asked, is not.
const SHOWN: [NodeCode; 14] = [
    NodeCode::InviteSent,
    NodeCode::InviteOpened,
    NodeCode::Confirmed,
    NodeCode::Reminded,
    NodeCode::Started,
    NodeCode::QuestionShown,
    NodeCode::AnswerSubmitted,
    NodeCode::PromptShown,
    NodeCode::Interrupted,
    NodeCode::Resumed,
    NodeCode::Completed,
    NodeCode::FeedbackSent,
    NodeCode::Rescheduled,
    NodeCode::Cancelled,
];

/// A new token.
pub struct ScreenToken {
    /// `rs_` and 64 hexadecimal digits: shown once.
    pub token: String,
    /// Until when, milliseconds since the epoch.
    pub expires_at_ms: i64,
}

impl std::fmt::Debug for ScreenToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScreenToken").field("expires_at_ms", &self.expires_at_ms).finish_non_exhaustive()
    }
}

/// Where an interview stands for its candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenStage {
    /// It has not begun.
    Waiting,
    /// It is under way.
    InProgress,
    /// It is over.
    Done,
}

/// One step as a candidate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenNode {
    /// What tells it from others of this stream.
    pub id: RecordId,
    /// `QUESTION_SHOWN`.
    pub code: &'static str,
    /// By the vendor's clock, milliseconds since the epoch.
    pub at_ms: i64,
    /// How much is done: 2 of 5.
    pub done: Option<u32>,
    /// Of how many.
    pub of: Option<u32>,
}

/// What a screen may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenView {
    /// The tenant that the interview belongs to.
    pub tenant: TenantId,
    /// Where it stands.
    pub stage: ScreenStage,
    /// In the order of their times.
    pub nodes: Vec<ScreenNode>,
}

/// Makes a token for an interview.
pub(crate) async fn issue(
    store: &dyn Store,
    tenant: &TenantId,
    interview: RecordId,
    life_ms: i64,
    now_ms: i64,
) -> Result<ScreenToken, InterviewError> {
    interview_of(store, tenant, interview).await?;
    let secret: [u8; 32] = rand::random();
    let token = format!("{PREFIX}{}", hex::encode(secret));
    let expires_at_ms = now_ms.saturating_add(life_ms);
    let row = ScreenTokenRow { hash: hash(&token), tenant: tenant.clone(), interview, expires_at_ms };
    store.put_screen_token(row, now_ms).await?;
    Ok(ScreenToken { token, expires_at_ms })
}

/// What the holder of a token may see of its interview; none for a token that is wrong, over, or another interview's.
pub(crate) async fn view(
    store: &dyn Store,
    (sources, children_max): (&Sources, usize),
    token: &str,
    interview: RecordId,
    now_ms: i64,
) -> Result<Option<ScreenView>, InterviewError> {
    let Some(row) = store.screen_token(&hash(token)).await? else { return Ok(None) };
    if row.interview != interview || row.expires_at_ms <= now_ms {
        return Ok(None);
    }
    let Ok(found) = interview_of(store, &row.tenant, interview).await else { return Ok(None) };
    let (shelf, key) = (Shelf { store, tenant: &row.tenant, sources, children_max }, subject::key_of(&found));
    let mut nodes: Vec<ScreenNode> = Vec::new();
    let (mut steps, mut has_result) = (Steps::default(), false);
    // What the gateway wrote is not shown anyhow; whether there is more than is looked at is told where the watch looks.
    let all = shelf.each(&key, sources.of(&key), &["process_node", "interview_result"], |row| {
        has_result |= row.entity == "interview_result";
        if let Some(node) = Read::<ProcessNode>::of(row) {
            steps.note(&node);
            nodes.extend(shown(&node));
        }
        true
    });
    all.await?;
    nodes.sort_by_key(|node| (node.at_ms, node.id));
    let stage = stage(Standing::of(Read::of(found).as_ref(), &steps, has_result));
    Ok(Some(ScreenView { tenant: row.tenant, stage, nodes }))
}

async fn interview_of(store: &dyn Store, tenant: &TenantId, id: RecordId) -> Result<RecordRow, InterviewError> {
    let found = store.record(tenant, id).await?;
    found.filter(|row| row.entity == "interview" && row.deleted.is_none()).ok_or(InterviewError::NotFound("interview"))
}

fn shown(node: &Read<ProcessNode>) -> Option<ScreenNode> {
    let code = SHOWN.into_iter().find(|code| *code == node.body.node.code)?;
    let attrs = node.body.attrs.as_ref();
    Some(ScreenNode {
        id: node.row.id,
        code: code.as_str(),
        at_ms: node.body.at.epoch_ms(),
        done: attrs.and_then(|attrs| attrs.done),
        of: attrs.and_then(|attrs| attrs.of),
    })
}

/// By the status of the interview as well as by its steps: not every vendor tells each in both ways.
fn stage(standing: Standing) -> ScreenStage {
    match standing {
        Standing::Awaited => ScreenStage::Waiting,
        Standing::Begun => ScreenStage::InProgress,
        Standing::Held | Standing::Missed(_) | Standing::Cancelled(_) => ScreenStage::Done,
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
