//! A message to a person or a group, by the app's bot. The vendor sends messages of one `uuid` once within an hour.

use renmen_plugin::{Failure, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::done;
use crate::Config;
use crate::api::write;

/// Page "发送消息": characters of a `uuid`.
const UUID_CHARS_MAX: usize = 50;
/// Bytes of the content of a text message.
const TEXT_BYTES_MAX: usize = 150 << 10;
/// Bytes of the content of a card.
const CARD_BYTES_MAX: usize = 30 << 10;

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    receive_id_type: IdType,
    receive_id: String,
    /// Words, or
    text: Option<String>,
    /// a card in the vendor's own JSON: just one of the two.
    card: Option<Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IdType {
    OpenId,
    UnionId,
    UserId,
    Email,
    ChatId,
}

impl IdType {
    fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "open_id",
            Self::UnionId => "union_id",
            Self::UserId => "user_id",
            Self::Email => "email",
            Self::ChatId => "chat_id",
        }
    }
}

#[derive(Serialize)]
struct NewMessage<'a> {
    receive_id: &'a str,
    msg_type: &'a str,
    content: &'a str,
    uuid: &'a str,
}

pub(super) fn send(config: &Config, idempotency_key: &str, input: &Input) -> Result<Receipt, Failure> {
    let (msg_type, content, most) = match (&input.text, &input.card) {
        (Some(text), None) => ("text", json!({ "text": text }).to_string(), TEXT_BYTES_MAX),
        (None, Some(card)) => ("interactive", card.to_string(), CARD_BYTES_MAX),
        _ => return Err(Failure::invalid_input("input of action `message.send`: expected just one of text and card")),
    };
    if content.len() > most {
        let found = content.len();
        return Err(Failure::invalid_input(format!("a message of {found} bytes; the vendor takes {most}: shorten it")));
    }
    #[derive(Deserialize)]
    struct Sent {
        message_id: String,
    }
    let new =
        NewMessage { receive_id: &input.receive_id, msg_type, content: &content, uuid: &uuid_of(idempotency_key) };
    let query = [("receive_id_type", input.receive_id_type.as_str())];
    let sent: Sent = write(config, "POST", "/open-apis/im/v1/messages", &query, &new)?;
    Ok(done(&sent.message_id, [("message_id", json!(sent.message_id))]))
}

/// The same for the same key, and never longer than the vendor takes.
fn uuid_of(key: &str) -> String {
    if !key.is_empty() && key.chars().count() <= UUID_CHARS_MAX {
        return key.to_owned();
    }
    let mut digest = hex::encode(Sha256::digest(key));
    digest.truncate(UUID_CHARS_MAX);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_too_long_becomes_another_that_is_the_same_each_time() {
        let (fits, long) = ("k".repeat(UUID_CHARS_MAX), "k".repeat(UUID_CHARS_MAX + 1));
        assert_eq!(uuid_of(&fits), fits);
        let short = uuid_of(&long);
        assert_eq!((short.len(), &uuid_of(&long)), (UUID_CHARS_MAX, &short));
        assert_ne!(short, uuid_of(&format!("{long}k")));
    }
}
