//! Work notifications (工作通知), and what became of them.
//!
//! Sending answers with a task and nothing else: over a limit "the interface answers success and the user receives nothing"
//! (official page 发送工作通知). So a receipt is never confirmed; `message.result` reads the task back (官方页面
//! 获取工作通知消息的发送结果, within 24 hours).
//!
//! What is guaranteed for repeated attempts: the message ends with a mark of its action, and the vendor does not
//! deliver a message to a person who already got the same content that day. So within one day in China no one gets it
//! twice, however often it is sent; an attempt before and one after midnight may both arrive. Without the mark
//! (`message_mark = false`) the same rule also drops another action's message of the same words.

use renmen_plugin::{Action, Failure, Receipt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{facts, mark, unfit};
use crate::Config;
use crate::api::{self, SendResult};

/// The vendor's limit of one call; also what a result can be read for.
const PEOPLE_MAX: usize = 100;
/// Bytes of a message as JSON.
const MESSAGE_BYTES_MAX: usize = 2_048;
/// The vendor's code for words that the recipient already got that day.
const REPEATED: &str = "143106";
/// A task is done by now, or the vendor will need a while.
const DONE: i64 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    /// User ids.
    to: Vec<String>,
    #[serde(default)]
    kind: Kind,
    title: Option<String>,
    text: String,
    /// Where a link or a card leads.
    url: Option<String>,
    /// What is written on a card's one button.
    button: Option<String>,
    /// A card's buttons, where there are several.
    #[serde(default)]
    buttons: Vec<Button>,
    /// A link's picture: the vendor's media id.
    picture: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Text,
    Markdown,
    Link,
    ActionCard,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    title: String,
    url: String,
}

/// Sends one message to at most 100 people.
///
/// # Errors
/// An input that cannot be sent, a limit for the whole app, or what the vendor says.
pub fn send(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    let message: Message = action.input()?;
    if message.to.is_empty() || message.to.len() > PEOPLE_MAX {
        return Err(unfit("/to", &format!("{} people; expected 1 to {PEOPLE_MAX}", message.to.len())));
    }
    // The list crosses as one text with commas.
    if message.to.iter().any(|id| id.is_empty() || id.contains(',')) {
        return Err(unfit("/to", "an id that is empty or has a comma"));
    }
    let mark = config.message_mark.then(|| mark(&action.idempotency_key));
    let body = content(&message, mark.as_deref())?;
    let bytes = body.to_string().len();
    if bytes > MESSAGE_BYTES_MAX {
        let text = format!("the message has {bytes} bytes as the vendor counts; at most {MESSAGE_BYTES_MAX}");
        return Err(unfit("/text", &text));
    }
    let task = api::send_message(config, config.agent()?, &message.to.join(","), &body)?;
    let sent = [("task_id", json!(task)), ("recipients", json!(message.to.len())), ("mark", json!(mark))];
    Ok(Receipt { reference: Some(task.to_string()), detail: facts(sent), confirmed: false })
}

/// The message as the vendor wants it (official page 消息通知类型).
fn content(message: &Message, mark: Option<&str>) -> Result<Value, Failure> {
    let marked = |before: &str| match mark {
        Some(mark) => format!("{}{before}编号 {mark}", message.text),
        None => message.text.clone(),
    };
    let needed = |place: &str, value: &Option<String>| {
        value.clone().ok_or_else(|| unfit(place, "missing; this kind of message needs it"))
    };
    Ok(match message.kind {
        Kind::Text => json!({ "msgtype": "text", "text": { "content": marked("\n") } }),
        Kind::Markdown => json!({
            "msgtype": "markdown",
            "markdown": { "title": needed("/title", &message.title)?, "text": marked("  \n  ") },
        }),
        Kind::Link => json!({
            "msgtype": "link",
            "link": {
                "messageUrl": needed("/url", &message.url)?, "title": needed("/title", &message.title)?,
                "picUrl": message.picture.clone().unwrap_or_default(), "text": marked("\n"),
            },
        }),
        Kind::ActionCard => json!({ "msgtype": "action_card", "action_card": card(message, &marked("  \n  "))? }),
    })
}

fn card(message: &Message, text: &str) -> Result<Value, Failure> {
    let mut card = json!({ "title": message.title, "markdown": text });
    match (message.buttons.as_slice(), &message.button, &message.url) {
        ([], Some(title), Some(url)) => {
            card["single_title"] = json!(title);
            card["single_url"] = json!(url);
        }
        ([], ..) => return Err(unfit("/button", "a card needs `button` and `url`, or `buttons`")),
        (many, None, None) => {
            card["btn_orientation"] = json!("0");
            card["btn_json_list"] = many.iter().map(|b| json!({ "title": b.title, "action_url": b.url })).collect();
        }
        _ => return Err(unfit("/buttons", "together with `button` or `url`; expected either one button or several")),
    }
    Ok(card)
}

/// The receipt of the message that is asked about.
#[derive(Deserialize)]
struct Sent {
    reference: String,
    #[serde(default)]
    detail: SentDetail,
}

#[derive(Default, Deserialize)]
struct SentDetail {
    #[serde(default)]
    recipients: Option<u64>,
    #[serde(default)]
    mark: Option<String>,
}

/// Reads back whom a message reached. Confirmed once the vendor is done with it and it reached at least one person; the
/// receipt says who was left out.
///
/// # Errors
/// [`FailureKind::InvalidInput`](renmen_plugin::FailureKind) with the vendor's code when it reached no one.
pub fn result(config: &Config, action: &Action) -> Result<Receipt, Failure> {
    let sent: Sent = action.input()?;
    let task: i64 =
        sent.reference.parse().map_err(|_| unfit("/reference", "no task id; expected that of message.send"))?;
    let agent = config.agent()?;
    let progress = api::send_progress(config, agent, task)?;
    if progress.status != DONE {
        let percent = [("percent", json!(progress.progress_in_percent))];
        return Ok(Receipt { reference: Some(sent.reference), detail: facts(percent), confirmed: false });
    }
    judge(sent, &api::send_result(config, agent, task)?)
}

fn judge(sent: Sent, found: &SendResult) -> Result<Receipt, Failure> {
    // What was dropped for having been said already is, under a mark of its own, what an earlier attempt delivered.
    let repeated = |code: &str| code == REPEATED && sent.detail.mark.is_some();
    let earlier = found.forbidden_list.iter().filter(|drop| repeated(&drop.code)).count() as u64;
    let limited: Vec<Value> = found
        .forbidden_list
        .iter()
        .filter(|drop| !repeated(&drop.code))
        .map(|drop| json!({ "user": drop.userid, "code": drop.code }))
        .collect();
    // The vendor lists those whom a limit left out twice; the list with codes may be missing.
    let uncoded = found.forbidden_user_id_list.len().saturating_sub(found.forbidden_list.len());
    let read = found.read_user_id_list.len() as u64;
    let reached = read + found.unread_user_id_list.len() as u64 + earlier;
    if reached == 0 {
        return Err(nobody(found));
    }
    let detail = facts([
        ("recipients", json!(sent.detail.recipients)),
        ("reached", json!(reached)),
        ("read", json!(read)),
        ("by_an_earlier_attempt", json!(earlier)),
        ("over_a_limit", Value::Array(limited)),
        ("over_a_limit_without_code", json!(uncoded)),
        ("unknown_users", json!(found.invalid_user_id_list)),
        ("failed", json!(found.failed_user_id_list)),
    ]);
    Ok(Receipt { reference: Some(sent.reference), detail, confirmed: true })
}

/// The vendor reported success, but no one got the message.
fn nobody(found: &SendResult) -> Failure {
    let code = found.forbidden_list.first().map(|drop| drop.code.clone());
    let why = match code.as_deref() {
        Some("143105" | "143205") => "the app has sent each of them its daily number of messages",
        Some("143106" | "143206") => "they got the same words today: vary the text, or set `message_mark`",
        Some("143103" | "143104" | "143203" | "143204") => "too many messages within a minute: send it again later",
        Some(_) => "a rule of the vendor's forbids it: see the code",
        None if !found.forbidden_user_id_list.is_empty() => "over one of the vendor's limits",
        None if !found.invalid_user_id_list.is_empty() => {
            "the vendor does not know the recipients: are they in the app's range?"
        }
        None => "the vendor names no reason: are the recipients in the app's range?",
    };
    let failure = Failure::invalid_input(format!("the vendor accepted the message but delivered it to no one: {why}"));
    match code {
        Some(code) => failure.with_code(code),
        None => failure,
    }
}
