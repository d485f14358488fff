//! What a mailer is built from. Owns the shapes alone.

use std::time::Duration;

use ipnet::IpNet;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::Rate;
use renmen_vault::Secret;

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS begins with a command in the session, usually on port 587. A server that does not offer it gets no mail.
    StartTls,
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// None: a relay on the same network, without a password.
    Plaintext,
}

/// Everything that egress must know of one mail server.
#[derive(Debug, Clone)]
pub struct MailSpec {
    /// The tenant that sends the mail.
    pub tenant: TenantId,
    /// The name under which the deployment knows the server.
    pub connection: ConnectionName,
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Protection of the way.
    pub security: MailSecurity,
    /// `user:password`; `None` for a relay that does not ask for one.
    pub credential: Option<Secret>,
    /// Address ranges that are otherwise refused (loopback, private).
    pub addresses: Vec<IpNet>,
    /// For one mail, from the look-up of the name to the server's last answer.
    pub timeout: Duration,
    /// Bytes of one mail with headers and encoding.
    pub message_bytes_max: u64,
    /// Recipients of one mail.
    pub recipients_max: u32,
    /// Sessions at the same time; 0 counts as 1.
    pub parallel_max: u32,
    /// Mails in a period; none means no limit.
    pub rate: Option<Rate>,
}
