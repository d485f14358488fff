//! Work notifications: send, progress, result. Official pages 发送工作通知, 获取工作通知消息的发送进度, …的发送结果.

use renmen_plugin::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{accept_old, old_request};
use crate::Config;

/// How far a message has come.
#[derive(Debug, Deserialize)]
pub struct SendProgress {
    /// 0 to 100.
    #[serde(default)]
    pub progress_in_percent: i64,
    /// 0 not begun, 1 under way, 2 done.
    pub status: i64,
}

/// The people whom a message reached, and those whom it did not.
#[derive(Debug, Deserialize)]
pub struct SendResult {
    /// Ids that do not exist.
    #[serde(default)]
    pub invalid_user_id_list: Vec<String>,
    /// Left out by a limit; the others got it.
    #[serde(default)]
    pub forbidden_user_id_list: Vec<String>,
    /// The same with the limit that it was.
    #[serde(default)]
    pub forbidden_list: Vec<Forbidden>,
    /// Could not be delivered.
    #[serde(default)]
    pub failed_user_id_list: Vec<String>,
    /// Got it and read it.
    #[serde(default)]
    pub read_user_id_list: Vec<String>,
    /// Got it.
    #[serde(default)]
    pub unread_user_id_list: Vec<String>,
}

/// A person who was left out by a limit.
#[derive(Debug, Deserialize)]
pub struct Forbidden {
    /// 143105: too many that day; 143106: the same words that day.
    pub code: String,
    /// The person left out.
    pub userid: String,
}

/// `POST /topapi/message/corpconversation/asyncsend_v2`; `people` with commas, at most 100. Answers the task.
///
/// # Errors
/// What the answer's code means.
pub fn send_message(config: &Config, agent: i64, people: &str, message: &Value) -> Result<i64, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        task_id: i64,
    }
    let body = json!({ "agent_id": agent, "userid_list": people, "to_all_user": false, "msg": message });
    Ok(ask::<Answer>(config, "asyncsend_v2", &body)?.task_id)
}

/// `POST /topapi/message/corpconversation/getsendprogress`.
///
/// # Errors
/// What the answer's code means.
pub fn send_progress(config: &Config, agent: i64, task: i64) -> Result<SendProgress, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        progress: SendProgress,
    }
    Ok(ask::<Answer>(config, "getsendprogress", &json!({ "agent_id": agent, "task_id": task }))?.progress)
}

/// `POST /topapi/message/corpconversation/getsendresult`: within 24 hours, for at most 100 people.
///
/// # Errors
/// What the answer's code means.
pub fn send_result(config: &Config, agent: i64, task: i64) -> Result<SendResult, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        send_result: SendResult,
    }
    Ok(ask::<Answer>(config, "getsendresult", &json!({ "agent_id": agent, "task_id": task }))?.send_result)
}

fn ask<T: DeserializeOwned>(config: &Config, what: &str, body: &Value) -> Result<T, Failure> {
    let path = format!("/topapi/message/corpconversation/{what}");
    accept_old(old_request(config, &path, body).send()?)?.json()
}
