//! One session with a mail server: connect to the checked address, protect, sign in, hand over. Owns the meaning of what the
//! server answers; its words may repeat an address, so only their codes are told.

use std::error::Error as _;
use std::net::IpAddr;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::message::Built;
use super::{MailError, MailReceipt, MailSecurity};
use crate::EgressError;

/// Characters kept of the server's last answer.
const ANSWER_CHARS_MAX: usize = 200;

/// TLS for a server of this name.
pub(super) fn tls(host: &str, extra_roots_pem: &[u8]) -> Result<TlsParameters, EgressError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if !extra_roots_pem.is_empty() {
        let certificate = Certificate::from_pem(extra_roots_pem)
            .map_err(|_| EgressError::BadRequest("an extra root certificate cannot be read; it must be PEM".into()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|_| EgressError::Unavailable("TLS cannot be set up for the mail server".into()))
}

/// Where and how a session is opened.
pub(super) struct Way<'a> {
    /// Checked.
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) security: MailSecurity,
    pub(super) tls: Option<&'a TlsParameters>,
    pub(super) credentials: Option<&'a Credentials>,
    pub(super) hello: &'a ClientId,
}

/// An open session, signed in where that is asked for.
pub(super) struct Session(AsyncSmtpConnection);

impl Session {
    /// # Errors
    /// [`EgressError`]: nothing of any mail was sent.
    pub(super) async fn open(way: &Way<'_>) -> Result<Self, EgressError> {
        let at_once = way.tls.filter(|_| way.security == MailSecurity::Tls).cloned();
        let place = (way.address, way.port);
        let opened = AsyncSmtpConnection::connect_tokio1(place, None, way.hello, at_once, None).await;
        let mut connection = opened.map_err(|error| before_mail(&error, "connecting to the mail server"))?;
        if let Some(tls) = way.tls.filter(|_| way.security == MailSecurity::StartTls) {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(EgressError::Unavailable(
                    "the mail server offers no STARTTLS; nothing was sent in clear".into(),
                ));
            }
            connection.starttls(tls.clone(), way.hello).await.map_err(|error| before_mail(&error, "STARTTLS"))?;
        }
        if let Some(credentials) = way.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| match error.is_permanent() {
                true => EgressError::Auth(format!("the mail server does not take the credential: {}", codes(&error))),
                false => before_mail(&error, "signing in"),
            })?;
        }
        Ok(Self(connection))
    }

    /// Hands the mail over and says goodbye.
    pub(super) async fn send(&mut self, message: &Built) -> Result<MailReceipt, MailError> {
        let taken = self.0.send(&message.envelope, &message.bytes).await.map_err(|error| during_mail(&error))?;
        let answer = taken.message().collect::<Vec<_>>().join(" ");
        let receipt = MailReceipt { code: taken.code().to_string(), answer: clean(&answer) };
        // The server has accepted the mail: its answer to this does not matter.
        let _ = self.0.quit().await;
        Ok(receipt)
    }
}

impl Session {
    /// Says goodbye without a mail.
    pub(super) async fn close(mut self) {
        // The session was opened, which is all that was asked: how it ends does not matter.
        let _ = self.0.quit().await;
    }
}

fn before_mail(error: &Error, doing: &str) -> EgressError {
    let why = match error.status() {
        Some(_) => format!("status {}", codes(error)),
        None => plain_reason(error),
    };
    EgressError::Unavailable(format!("{doing}: {why}"))
}

fn during_mail(error: &Error) -> MailError {
    if error.is_permanent() {
        return MailError::Refused { code: codes(error) };
    }
    if error.is_client() {
        return MailError::Invalid("the mail server takes no address with characters like these (SMTPUTF8)".into());
    }
    before_mail(error, "handing the mail over").into()
}

/// `550 5.1.1`: the status, and the enhanced one (RFC 3463) where the text begins with it.
fn codes(error: &Error) -> String {
    let status = error.status().map(|code| code.to_string()).unwrap_or_default();
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    match text.split_whitespace().next().filter(|word| is_enhanced(word)) {
        Some(enhanced) => format!("{status} {enhanced}"),
        None => status,
    }
}

fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// What happened to the way, in words that are ours.
fn plain_reason(error: &Error) -> String {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return format!("TLS: {tls}");
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return format!("TLS: {tls}");
            }
            return io.kind().to_string();
        }
        next = cause.source();
    }
    "the mail server does not speak SMTP as it should".into()
}

/// One line without control characters and without anything that looks like an address.
fn clean(answer: &str) -> String {
    let words = answer.split_whitespace().filter(|word| !word.contains('@'));
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !renmen_schema::shown::is_deceptive(*c)).take(ANSWER_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_status_is_three_short_numbers() {
        assert!(is_enhanced("5.1.1") && is_enhanced("4.7.999"));
        assert!(
            !is_enhanced("5.1")
                && !is_enhanced("5.1.x")
                && !is_enhanced("zhang@example.com")
                && !is_enhanced("1.2.3.4")
        );
    }

    #[test]
    fn an_answer_is_kept_without_addresses() {
        assert_eq!(clean("2.0.0 Ok: queued\r\n as <a@b.test> 4Xy1"), "2.0.0 Ok: queued as 4Xy1");
        assert_eq!(clean(&"x".repeat(300)).len(), 200);
    }
}
