//! ShowMeBug's open API: orders of written tests and coding interviews, and its signed events.
//!
//! Quirks it plays: refusals come with status 200 and an `errcode`, orders are lists even of one, and a signature is in upper-case digits.

use serde_json::{Value, json};

use crate::office::{Ask, Told, Vendor, hmac_sha1, now_s};

/// The application's key.
pub const CLIENT_ID: &str = "made-up-app";
/// Its secret, which signs events too. A canary, like the token: they must turn up nowhere.
pub const CLIENT_SECRET: &str = "canary-smb-secret-3e7b";

const TOKEN: &str = "canary-smb-token-41";

/// A team.
#[derive(Debug, Default)]
pub struct Team {
    /// What was ordered, in order: the call and its body.
    pub orders: Vec<(String, Value)>,
}

fn refused(code: u32, message: &str) -> Told {
    Told::good(json!({ "errcode": code, "errmsg": message }))
}

impl Vendor for Team {
    fn admit(&self, ask: &Ask) -> Result<(), Told> {
        match ask.path == "/oauth/token.json" || ask.is_bearer(TOKEN) {
            true => Ok(()),
            false => Err(Told::of(401, json!({ "errcode": 401, "errmsg": "未授权" }))),
        }
    }

    fn busy(&self) -> Told {
        Told::of(429, Value::Null)
    }

    fn answer(&mut self, ask: &Ask) -> Told {
        let list = |name: &str| ask.body[name].as_array().filter(|list| !list.is_empty() && list.len() <= 100).cloned();
        let uid = format!("PAD{}", self.orders.len() + 1);
        let answer = match (ask.method.as_str(), ask.path.as_str()) {
            ("POST", "/oauth/token.json") => {
                let good = ask.body["client_id"] == CLIENT_ID && ask.body["client_secret"] == CLIENT_SECRET;
                return match good {
                    true => Told::good(json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 7200 })),
                    false => Told::of(401, json!({ "error": "invalid_client" })),
                };
            }
            ("POST", "/open_api/v1/batch_written_pads") => {
                match (list("candidates"), ask.body["exam_id"] == "110346") {
                    (Some(candidates), true) => {
                        let pad = |one: &Value| json!({ "uid": uid, "url": "https://www.showmebug.example/t/1", "candidate_uid": one["uid"], "candidate_name": one["name"] });
                        json!({ "written_pads": candidates.iter().map(pad).collect::<Vec<_>>() })
                    }
                    _ => return refused(4004, "试卷不存在"),
                }
            }
            ("POST", "/open_api/v1/batch_interviews") => match list("interviews") {
                Some(interviews) => {
                    let pad = |one: &Value| json!({ "uid": uid, "candidate_url": "https://www.showmebug.example/c/1", "interviewer_url": "https://www.showmebug.example/i/1", "candidate_uid": one["uid"], "candidate_name": one["name"] });
                    json!({ "interviews": interviews.iter().map(pad).collect::<Vec<_>>() })
                }
                None => return refused(4000, "参数错误"),
            },
            _ => return Told::of(404, json!({ "errcode": 404, "errmsg": "不存在" })),
        };
        self.orders.push((ask.path.clone(), ask.body.clone()));
        Told::good(json!({ "errcode": 0, "errmsg": "成功", "data": answer }))
    }
}

/// An event that is sent so many seconds ago: its header and its body.
pub fn event(payload: &Value, ago_s: i64) -> ([(&'static str, String); 1], String) {
    let body = json!({ "event": "interview_ended", "ts": now_s() - ago_s, "tid": 1, "payload": payload }).to_string();
    ([("smb-signature", hmac_sha1(CLIENT_SECRET, &[&body]).to_uppercase())], body)
}
