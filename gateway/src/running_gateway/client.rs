//! Asking the gateway that runs: HTTP on this machine, with the key from its file.

use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use renmen_schema::{Text, text};
use serde_json::Value;
use tokio::net::TcpStream;

use super::Address;
use crate::deployment::Deployment;
use crate::exit::Usage;
use crate::output;

/// For a connection on this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For an answer: the gateway's own deadline comes first.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Who does it, where the gateway keeps who did something.
const PERSON: &str = "renmen-person";

/// A gateway that answers.
pub(crate) struct RunningGateway {
    address: Address,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Null where there is no body.
    pub(crate) body: Value,
}

/// One question.
#[derive(Debug, Default)]
pub(crate) struct Question<'a> {
    pub(crate) body: Option<Value>,
    pub(crate) person: Option<&'a str>,
    pub(crate) idempotency_key: Option<&'a str>,
}

impl RunningGateway {
    /// The gateway that runs with this data directory and store, if one does.
    pub(crate) async fn find(deployment: &Deployment) -> anyhow::Result<Option<Self>> {
        let Some(address) = Address::find(&deployment.config)? else { return Ok(None) };
        // A file that a killed gateway left behind leads nowhere.
        Ok(Self::reach(address).await.ok())
    }

    /// The gateway at an address, if it is there and knows the key.
    pub(super) async fn reach(address: Address) -> anyhow::Result<Self> {
        let gateway = Self { address };
        let answer = gateway.get("/v1/plugins").await?;
        if answer.status.is_success() {
            Ok(gateway)
        } else {
            anyhow::bail!(text!("it does not know the key", "它不认识该密钥"))
        }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, Question::default()).await
    }

    pub(crate) async fn post(&self, path: &str, question: Question<'_>) -> anyhow::Result<Answer> {
        self.ask(Method::POST, path, question).await
    }

    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::DELETE, path, Question::default()).await
    }

    async fn ask(&self, method: Method, path: &str, question: Question<'_>) -> anyhow::Result<Answer> {
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(method, path, question)).await;
        let asked = asked
            .map_err(|_| anyhow::anyhow!(text!("no answer within {} s", "{} 秒内没有应答", ANSWER_TIMEOUT.as_secs())));
        asked
            .and_then(|answer| answer)
            .with_context(|| text!("the running gateway at {}", "运行中的网关 {}", self.address.listens_on))
    }

    async fn exchange(&self, method: Method, path: &str, question: Question<'_>) -> anyhow::Result<Answer> {
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(self.address.listens_on)).await??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.listens_on.to_string())
            .header(ACCEPT_LANGUAGE, output::language().tag())
            .header(AUTHORIZATION, format!("Bearer {}", self.address.key));
        if let Some(person) = question.person {
            request = request.header(PERSON, segment(person));
        }
        if let Some(key) = question.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = match &question.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(body)?)
            }
            None => Bytes::new(),
        };
        let response = sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body
            .map_err(|error| anyhow::anyhow!(text!("its answer cannot be read: {error}", "无法读取其应答：{error}")))?
            .to_bytes();
        drop(sender);
        connection.abort();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// The body of what went well; else the problem as an error that ends the command with the right code.
    pub(crate) fn good(self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let text = |key: &str| self.body[key].as_str().unwrap_or_default().to_owned();
        let (title, detail) = (text("title"), text("detail"));
        let told = if detail.is_empty() { title } else { detail };
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Usage(Text::verbatim(told)).into())
            }
            _ => Err(anyhow::anyhow!("{told}")),
        }
    }

    /// The same, where a missing record is an answer and not an error.
    pub(crate) fn found(self) -> anyhow::Result<Option<Value>> {
        if self.status == StatusCode::NOT_FOUND { Ok(None) } else { self.good().map(Some) }
    }
}

/// A name within a path or a header, with every character escaped that is not an ASCII letter or digit.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_name_in_any_letters_fits_a_header() {
        assert_eq!(segment("Ada"), "Ada");
        assert_eq!(segment("李 5%\n"), "%E6%9D%8E%205%25%0A");
    }
}
