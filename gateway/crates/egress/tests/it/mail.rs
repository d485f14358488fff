//! Mail on its way out: what arrives, what is protected, what is refused, and what each refusal means.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use renmen_egress::{Egress, EgressError, EgressOptions, Mail, MailError, MailSecurity, MailSpec, Mailer};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_vault::Secret;

use crate::mail_server::{MailServer, Manner, Protection};
use crate::support::options;

fn spec(server: &MailServer, security: MailSecurity) -> MailSpec {
    MailSpec {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("mail").unwrap(),
        host: "localhost".into(),
        port: server.address.port(),
        security,
        credential: None,
        addresses: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        timeout: Duration::from_secs(10),
        message_bytes_max: 100_000,
        recipients_max: 3,
        parallel_max: 2,
        rate: None,
    }
}

fn mailer(server: &MailServer, spec: MailSpec) -> Arc<Mailer> {
    let options = EgressOptions { extra_roots_pem: server.pem.clone().into(), ..options() };
    Egress::with(options).unwrap().mailer(spec).unwrap()
}

fn mail() -> Mail {
    Mail {
        from: "人事部 <hr@example.com>".into(),
        reply_to: None,
        to: vec!["zhang.wei@example.com".into()],
        subject: "面试邀请".into(),
        text: "您好。\n.\n明天见。".into(),
        html: Some("<p>您好。</p>".into()),
        id: "00112233445566778899aabbccddeeff".into(),
        at: SystemTime::now(),
    }
}

async fn send(mailer: &Mailer) -> Result<String, MailError> {
    mailer.send(&mail()).await.map(|receipt| format!("{} {}", receipt.code, receipt.answer))
}

#[tokio::test]
async fn a_relay_in_clear_takes_the_mail_where_the_operator_says_so() {
    let server = MailServer::start(Manner::plain()).await;
    let receipt = send(&mailer(&server, spec(&server, MailSecurity::Plaintext))).await.unwrap();
    assert_eq!(receipt, "250 2.0.0 Ok: queued as 4Xy1");
    let taken = server.mails();
    assert_eq!((taken.len(), taken[0].encrypted), (1, false));
    assert!(taken[0].from.contains("<hr@example.com>") && taken[0].to[0].contains("<zhang.wei@example.com>"));
    assert!(taken[0].data.contains("Message-ID: <00112233445566778899aabbccddeeff@example.com>"), "{}", taken[0].data);
}

#[tokio::test]
async fn starttls_protects_the_mail_and_its_absence_stops_it() {
    let with = MailServer::start(Manner { protection: Protection::StartTls, ..Manner::plain() }).await;
    send(&mailer(&with, spec(&with, MailSecurity::StartTls))).await.unwrap();
    assert!(with.mails()[0].encrypted);

    let without = MailServer::start(Manner::plain()).await;
    let error = send(&mailer(&without, spec(&without, MailSecurity::StartTls))).await.unwrap_err();
    assert!(error.to_string().contains("no STARTTLS"), "{error}");
    assert!(without.mails().is_empty() && !without.said("MAIL"));
}

#[tokio::test]
async fn tls_from_the_first_byte_is_spoken_and_a_wrong_certificate_is_not_believed() {
    let manner = |name| Manner { protection: Protection::Tls, name, ..Manner::plain() };
    let right = MailServer::start(manner("localhost")).await;
    send(&mailer(&right, spec(&right, MailSecurity::Tls))).await.unwrap();
    assert!(right.mails()[0].encrypted);

    let wrong = MailServer::start(manner("elsewhere.test")).await;
    let error = send(&mailer(&wrong, spec(&wrong, MailSecurity::Tls))).await.unwrap_err();
    assert!(
        matches!(&error, MailError::Egress(EgressError::Unavailable(why)) if why.contains("certificate")),
        "{error}"
    );
    assert!(wrong.commands.lock().is_empty());

    let stranger = Manner { protection: Protection::StartTls, name: "elsewhere.test", ..Manner::plain() };
    let stranger = MailServer::start(stranger).await;
    let error = send(&mailer(&stranger, spec(&stranger, MailSecurity::StartTls))).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(!stranger.said("MAIL"));
}

#[tokio::test]
async fn a_password_signs_in_inside_tls_and_never_in_clear() {
    let manner = Manner { protection: Protection::StartTls, password: Some("hr:not-a-real-one"), ..Manner::plain() };
    let server = MailServer::start(manner).await;
    let with = |secret: &str| MailSpec {
        credential: Some(Secret::new(secret.into())),
        ..spec(&server, MailSecurity::StartTls)
    };
    send(&mailer(&server, with("hr:not-a-real-one"))).await.unwrap();
    let error = send(&mailer(&server, with("hr:wrong-canary"))).await.unwrap_err();
    assert!(matches!(&error, MailError::Egress(EgressError::Auth(why)) if why.contains("535 5.7.8")), "{error}");
    assert!(!error.to_string().contains("canary"));
    assert_eq!(server.mails().len(), 1);

    let egress = Egress::with(options()).unwrap();
    let clear = MailSpec { security: MailSecurity::Plaintext, ..with("hr:x") };
    assert!(matches!(egress.mailer(clear), Err(EgressError::BadRequest(why)) if why.contains("in clear")));
    assert!(matches!(egress.mailer(with("no colon")), Err(EgressError::Auth(_))));
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_told_from_what_may_pass() {
    let refusing = |word, answer| Manner { answers: vec![(word, answer)], ..Manner::plain() };
    let outcome = async |manner| {
        let server = MailServer::start(manner).await;
        let error = send(&mailer(&server, spec(&server, MailSecurity::Plaintext))).await.unwrap_err();
        assert!(server.mails().is_empty());
        assert!(!error.to_string().contains("zhang"), "{error}");
        error
    };
    let gone = outcome(refusing("RCPT", "550 5.1.1 <zhang.wei@example.com> is unknown here")).await;
    assert!(matches!(&gone, MailError::Refused { code } if code == "550 5.1.1"), "{gone}");
    let later = outcome(refusing("RCPT", "451 4.7.1 greylisted, zhang.wei")).await;
    assert!(matches!(&later, MailError::Egress(EgressError::Unavailable(why)) if why.contains("451 4.7.1")), "{later}");
    let closed = outcome(refusing("EHLO", "421 4.3.2 closing")).await;
    assert!(matches!(&closed, MailError::Egress(EgressError::Unavailable(_))), "{closed}");
    let strange = outcome(refusing("EHLO", "hello to you too")).await;
    assert!(matches!(&strange, MailError::Egress(EgressError::Unavailable(_))), "{strange}");
}

#[tokio::test]
async fn an_address_that_may_not_be_reached_gets_no_connection_f13() {
    let server = MailServer::start(Manner::plain()).await;
    let closed = MailSpec { addresses: vec![], ..spec(&server, MailSecurity::Plaintext) };
    let error = send(&mailer(&server, closed)).await.unwrap_err();
    assert!(matches!(&error, MailError::Egress(EgressError::NotGranted(why)) if why.contains("loopback")), "{error}");
    assert!(server.commands.lock().is_empty());
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = MailServer::start(Manner::plain()).await;
    let silent = MailSpec {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        timeout: Duration::from_millis(200),
        ..spec(&server, MailSecurity::Plaintext)
    };
    let error = send(&mailer(&server, silent)).await.unwrap_err();
    assert!(error.to_string().contains("200 ms"), "{error}");
}
