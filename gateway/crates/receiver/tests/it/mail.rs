//! Mail as a destination: from a template or from texts, and what a refusal means to the delivery.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use renmen_egress::{Egress, MailSecurity, MailSpec};
use renmen_flow::{Destination as _, Failure, Receipt};
use renmen_receiver::channel::{MailChannel, MailOptions, SEND, Templates};
use renmen_schema::FailureKind;
use renmen_schema::id::{ConnectionName, TenantId};
use serde_json::{Value, json};

use crate::mail_server::{MailServer, Manner};
use crate::rig::push;

pub(crate) fn templates() -> Arc<Templates> {
    Arc::new(Templates::load(None, TimeZone::get("Asia/Shanghai").unwrap()).unwrap())
}

fn channel(server: &MailServer) -> MailChannel {
    let spec = MailSpec {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("mail").unwrap(),
        host: "127.0.0.1".into(),
        port: server.address.port(),
        security: MailSecurity::Plaintext,
        credential: None,
        addresses: vec!["127.0.0.0/8".parse().unwrap()],
        timeout: Duration::from_secs(10),
        message_bytes_max: 100_000,
        recipients_max: 2,
        parallel_max: 2,
        rate: None,
    };
    let options = MailOptions { from: "人事部 <hr@example.com>".into(), reply_to: None, language: "zh".into() };
    MailChannel::new(Egress::new().unwrap().mailer(spec).unwrap(), templates(), options)
}

fn reminder() -> Value {
    json!({
        "to": "zhang.wei@example.com",
        "template": "interview_reminder",
        "locale": "en-GB",
        "data": { "candidate": "Zhang Wei", "company": "Example", "job": "Accountant", "starts_at": "2026-11-23T02:00:00Z" },
    })
}

async fn send(manner: Manner, input: &Value) -> (Result<Receipt, Failure>, MailServer) {
    let server = MailServer::start(manner).await;
    let outcome = channel(&server).push(push(SEND, input)).await;
    (outcome, server)
}

#[tokio::test]
async fn a_reminder_arrives_in_the_readers_language_with_the_deliverys_id() {
    let (outcome, server) = send(Manner::plain(), &reminder()).await;
    let receipt = outcome.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("00112233445566778899aabbccddeeff"));
    assert_eq!((receipt.detail["status"].as_str(), receipt.detail["language"].as_str()), (Some("250"), Some("en")));
    let data = &server.mails()[0].data;
    assert!(data.contains("Your interview for Accountant begins at 10:00"), "{data}");
    assert!(data.contains("Message-ID: <00112233445566778899aabbccddeeff@example.com>"), "{data}");
    assert!(!serde_json::to_string(&receipt.detail).unwrap().contains("zhang"), "{receipt:?}");
}

#[tokio::test]
async fn texts_can_be_given_instead_of_a_template() {
    let input = json!({ "to": ["a@example.com", "b@example.com"], "subject": "Hello", "text": "One line." });
    let (outcome, server) = send(Manner::plain(), &input).await;
    outcome.unwrap();
    assert_eq!(server.mails()[0].to.len(), 2);
    assert!(server.mails()[0].data.contains("One line."));
}

#[tokio::test]
async fn what_no_attempt_can_mend_ends_the_delivery_and_what_may_pass_does_not() {
    let refusing = |answer| Manner { answers: vec![("RCPT", answer)], ..Manner::plain() };
    let (gone, _) = send(refusing("550 5.1.1 no zhang.wei here"), &reminder()).await;
    let gone = gone.unwrap_err();
    assert_eq!((gone.passes(), gone.code.as_deref()), (false, Some("550 5.1.1")));
    let (later, _) = send(refusing("450 4.2.1 busy"), &reminder()).await;
    assert!(later.unwrap_err().passes());
}

#[tokio::test]
async fn an_input_that_makes_no_mail_is_refused_without_its_values() {
    for (input, wanted) in [
        (json!({ "to": "a@example.com" }), "`template` or `text` is missing"),
        (json!({ "to": [], "text": "x" }), "names no recipient"),
        (json!({ "to": "a@example.com", "text": "x" }), "`subject` is missing"),
        (json!({ "to": "a@example.com", "template": "result_ready", "text": "canary" }), "either"),
        (json!({ "to": "canary", "subject": "s", "text": "x" }), "recipient 1"),
        (
            json!({ "to": ["a@example.com", "b@example.com", "c@example.com"], "subject": "s", "text": "x" }),
            "recipients_max",
        ),
        (json!({ "to": "a@example.com", "template": "canary-template" }), "unknown message"),
        (
            json!({ "to": "a@example.com", "template": "result_ready", "data": { "job": "canary" } }),
            "`candidate` is missing",
        ),
        (json!({ "to": "a@example.com", "text": "x", "bcc": "canary" }), "does not fit"),
    ] {
        let (outcome, server) = send(Manner::plain(), &input).await;
        let failure = outcome.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{failure}");
        assert!(failure.message.contains(wanted), "{input} {failure}");
        assert!(
            server.mails().is_empty() && (!failure.message.contains("canary") || wanted.contains("unknown message"))
        );
    }
}

#[test]
fn the_input_schema_names_the_messages() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(MailServer::start(Manner::plain()));
    let actions = channel(&server).actions();
    let schema = actions[SEND].input_schema.as_ref().unwrap();
    assert!(schema["properties"]["template"]["enum"].as_array().unwrap().contains(&json!("interview_reminder")));
}
