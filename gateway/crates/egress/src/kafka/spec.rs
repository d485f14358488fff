//! What a producer is built from. Owns the shapes alone.

use std::time::Duration;

use ipnet::IpNet;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::manifest::Rate;
use renmen_vault::Secret;

/// How the producer signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaMechanism {
    /// The password as it is: over TLS alone.
    Plain,
    /// A proof of the password with SHA-256; the password itself never leaves.
    ScramSha256,
    /// The same with SHA-512.
    ScramSha512,
}

impl KafkaMechanism {
    /// As SASL registers it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Everything that egress must know of one cluster.
#[derive(Debug, Clone)]
pub struct KafkaSpec {
    /// The tenant whose events are sent.
    pub tenant: TenantId,
    /// The name under which the deployment knows the cluster.
    pub connection: ConnectionName,
    /// Names or addresses with ports, of which one that answers tells of all others.
    pub brokers: Vec<(String, u16)>,
    /// False: nothing protects the way, and it must be said.
    pub tls: bool,
    /// `user:password`, and how it is proved; none for a cluster that does not ask.
    pub login: Option<(KafkaMechanism, Secret)>,
    /// Address ranges that are otherwise refused (loopback, private); of brokers that the cluster names as well.
    pub addresses: Vec<IpNet>,
    /// For one record, from the look-up of the cluster to the acknowledgement.
    pub timeout: Duration,
    /// Bytes of one record with its key and headers.
    pub record_bytes_max: u64,
    /// Bytes of one answer.
    pub answer_bytes_max: u64,
    /// Records in a period; none means no limit.
    pub rate: Option<Rate>,
}
