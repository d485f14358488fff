//! Mail over SMTP. Owns the session with the server and the form of a message; which message goes to whom is not known here.
//!
//! The address rules are those of HTTP: the server's name is resolved, every address is checked, and the connection is made to
//! a checked address while the certificate must still be the name's. Without TLS nothing goes unless the operator says so, and a
//! password never does.

mod message;
mod session;
mod spec;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use renmen_vault::Secret;
use tokio::sync::Semaphore;

use crate::rate::Pace;
use crate::resolve::{AddressBook, ResolveError};
use crate::{Egress, EgressError};
pub use message::Mail;
pub use spec::{MailSecurity, MailSpec};

/// The way to one mail server. Made by [`Egress::mailer`].
pub struct Mailer {
    spec: MailSpec,
    addresses: AddressBook,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    pace: Option<Pace>,
    /// `parallel_max` of them.
    places: Semaphore,
}

/// What the server said to a mail that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailReceipt {
    /// Its status: `250`.
    pub code: String,
    /// Its text, cleaned and cut: it often holds the server's own id of the mail.
    pub answer: String,
}

/// A mail that was not taken, by what can be done about it. No text holds an address, a secret or the server's words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailError {
    /// An address, a subject or a size that no server would take.
    #[error("{0}")]
    Invalid(String),
    /// The server refuses this mail for good.
    #[error("the mail server refuses this mail: status {code}")]
    Refused {
        /// `550`, with its enhanced status when there is one: `550 5.1.1`.
        code: String,
    },
    /// As for HTTP.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

impl Egress {
    /// The way to a mail server.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] for a rate of nothing, or for a password without TLS; [`EgressError::Auth`] for a secret that
    /// is not `user:password`.
    pub fn mailer(self: &Arc<Self>, spec: MailSpec) -> Result<Arc<Mailer>, EgressError> {
        let credentials = spec.credential.as_ref().map(credentials).transpose()?;
        if credentials.is_some() && spec.security == MailSecurity::Plaintext {
            return Err(EgressError::BadRequest(
                "a password would go over the network in clear: use STARTTLS or TLS, or take the credential out".into(),
            ));
        }
        let tls = match spec.security {
            MailSecurity::Plaintext => None,
            MailSecurity::StartTls | MailSecurity::Tls => Some(session::tls(&spec.host, self.extra_roots_pem())?),
        };
        let pace = spec.rate.map(|rate| Pace::new(rate, spec.timeout)).transpose()?;
        Ok(Arc::new(Mailer {
            addresses: AddressBook::new(self.lookup(), spec.addresses.clone()),
            places: Semaphore::new(spec.parallel_max.max(1) as usize),
            hello: ClientId::default(),
            tls,
            credentials,
            pace,
            spec,
        }))
    }
}

impl Mailer {
    /// Sends one mail in a session of its own. The server may get it twice when its answer is lost; the message id is the same.
    ///
    /// # Errors
    /// [`MailError`], by what can be done.
    pub async fn send(&self, mail: &Mail) -> Result<MailReceipt, MailError> {
        let message = mail.build(self.spec.message_bytes_max, self.spec.recipients_max)?;
        let started = Instant::now();
        let sent = tokio::time::timeout(self.spec.timeout, self.deliver(&message)).await;
        let outcome = sent.unwrap_or_else(|_| {
            let limit = self.spec.timeout.as_millis();
            Err(EgressError::Unavailable(format!("the mail was not taken within {limit} ms (request_timeout)")).into())
        });
        self.audit(&outcome, message.recipients(), started);
        outcome
    }

    /// Opens a session, signs in where there is a login, and says goodbye: no mail is sent.
    ///
    /// # Errors
    /// [`EgressError`], by what can be done.
    pub async fn probe(&self) -> Result<(), EgressError> {
        let opened = tokio::time::timeout(self.spec.timeout, self.session()).await;
        let opened = opened.unwrap_or_else(|_| {
            let limit = self.spec.timeout.as_millis();
            Err(EgressError::Unavailable(format!("no session within {limit} ms (request_timeout)")))
        });
        opened?.close().await;
        Ok(())
    }

    /// A session with the first address that takes one.
    async fn session(&self) -> Result<session::Session, EgressError> {
        let mut unreachable = None;
        for address in self.resolve().await?.iter() {
            match self.connect(*address).await {
                Err(EgressError::Unavailable(why)) => unreachable = Some(why),
                opened => return opened,
            }
        }
        Err(EgressError::Unavailable(unreachable.unwrap_or_else(|| "the mail server has no address".into())))
    }

    async fn deliver(&self, message: &message::Built) -> Result<MailReceipt, MailError> {
        let _place =
            self.places.acquire().await.map_err(|_| EgressError::Unavailable("the connection is closed".into()))?;
        if let Some(pace) = &self.pace {
            pace.wait().await?;
        }
        self.session().await?.send(message).await
    }

    async fn resolve(&self) -> Result<Arc<[IpAddr]>, EgressError> {
        self.addresses.resolve(&self.spec.host).await.map_err(|error| match error {
            refused @ ResolveError::Refused { .. } => EgressError::NotGranted(refused.to_string()),
            unknown @ ResolveError::Unknown { .. } => EgressError::Unavailable(unknown.to_string()),
        })
    }

    async fn connect(&self, address: IpAddr) -> Result<session::Session, EgressError> {
        session::Session::open(&session::Way {
            address,
            port: self.spec.port,
            security: self.spec.security,
            tls: self.tls.as_ref(),
            credentials: self.credentials.as_ref(),
            hello: &self.hello,
        })
        .await
    }

    /// One line for each mail, without addresses, subject and text.
    fn audit(&self, outcome: &Result<MailReceipt, MailError>, recipients: usize, started: Instant) {
        let MailSpec { tenant, connection, host, port, .. } = &self.spec;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(receipt) => {
                tracing::info!(%tenant, %connection, %host, port, recipients, code = %receipt.code, took_ms, "Mail accepted by the server");
            }
            Err(error) => {
                tracing::warn!(%tenant, %connection, %host, port, recipients, %error, took_ms, "Mail not accepted by the server");
            }
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// `user:password`, as of HTTP's Basic.
fn credentials(secret: &Secret) -> Result<Credentials, EgressError> {
    let (user, password) = secret
        .expose()
        .trim()
        .split_once(':')
        .ok_or_else(|| EgressError::Auth("the slot of a mail server must hold `user:password`".into()))?;
    Ok(Credentials::new(user.to_owned(), password.to_owned()))
}
