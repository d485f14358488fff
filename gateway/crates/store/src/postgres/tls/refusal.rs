//! What an operator can do about a connection that TLS refused.

use std::error::Error;

use renmen_schema::{Text, text};
use rustls::{AlertDescription, CertificateError};

/// Why TLS refused, if it did: looks through an error and what caused it.
pub(crate) fn refusal_of(error: &(dyn Error + 'static)) -> Option<Text> {
    let mut next = Some(error);
    // A chain of causes is short; one that bites its own tail ends here.
    for _ in 0..16 {
        let cause = next?;
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return explain(tls);
        }
        if cause.to_string() == NO_TLS {
            return Some(text!(
                "the PostgreSQL server does not offer TLS and `sslmode` requires it: switch it on there (`ssl = on`), or write `sslmode=disable` if the network in between is yours alone",
                "PostgreSQL 服务器不提供 TLS，而 `sslmode` 要求 TLS：请在服务器上启用（`ssl = on`）；若中间网络完全由您掌控，可写 `sslmode=disable`"
            ));
        }
        // An `io::Error` hides what it wraps from `source`.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    None
}

/// The driver's words for a server that answers `N`.
const NO_TLS: &str = "server does not support TLS";

fn explain(error: &rustls::Error) -> Option<Text> {
    let why = match error {
        rustls::Error::InvalidCertificate(why) => return Some(of_certificate(why)),
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::NoCertificate,
        ) => text!(
            "the PostgreSQL server asks for a client certificate: name it with `sslcert` and `sslkey`",
            "PostgreSQL 服务器要求客户端证书：请用 `sslcert` 与 `sslkey` 写明"
        ),
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate,
        ) => text!(
            "the PostgreSQL server does not accept the client certificate (`sslcert`): use one that its `ssl_ca_file` trusts and that has not expired",
            "PostgreSQL 服务器不接受客户端证书（`sslcert`）：请使用其 `ssl_ca_file` 信任且未过期的证书"
        ),
        rustls::Error::InvalidMessage(_) => text!(
            "what listens at the address of PostgreSQL does not speak TLS: check host and port",
            "PostgreSQL 地址上的服务不使用 TLS：请检查主机与端口"
        ),
        rustls::Error::AlertReceived(alert) => text!(
            "the PostgreSQL server ended the TLS handshake ({alert:?}): see its log",
            "PostgreSQL 服务器中止了 TLS 握手（{alert:?}）：请查看其日志"
        ),
        rustls::Error::PeerIncompatible(why) => text!(
            "the PostgreSQL server's TLS is too old ({why:?}): it needs TLS 1.2 or later",
            "PostgreSQL 服务器的 TLS 版本过旧（{why:?}）：需要 TLS 1.2 或更高版本"
        ),
        _ => return None,
    };
    Some(why)
}

fn of_certificate(why: &CertificateError) -> Text {
    match why {
        CertificateError::UnknownIssuer => text!(
            "the certificate of the PostgreSQL server is signed by an authority that is not trusted: name that authority with `sslrootcert=PATH`",
            "PostgreSQL 服务器的证书由不受信任的机构签发：请用 `sslrootcert=PATH` 写明该机构"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => text!(
            "the certificate of the PostgreSQL server is for another host name: connect with a name that it carries as a subject alternative name, or write `sslmode=verify-ca` with an authority that signs nothing else",
            "PostgreSQL 服务器的证书属于其他主机名：请使用证书 subjectAltName 中的名称连接；若该机构不签发其他证书，可写 `sslmode=verify-ca`"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => text!(
            "the certificate of the PostgreSQL server has expired: renew it there, and check this machine's clock",
            "PostgreSQL 服务器的证书已过期：请在服务器上更新证书，并检查本机时钟"
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => text!(
            "the certificate of the PostgreSQL server is not valid yet: check the clocks of both machines",
            "PostgreSQL 服务器的证书尚未生效：请检查两台机器的时钟"
        ),
        other => {
            let why = if format!("{other:?}").contains("CaUsedAsEndEntity") {
                "an authority's own certificate is used as the server's"
            } else {
                "it is damaged or of a kind that is not supported"
            };
            text!(
                "the certificate of the PostgreSQL server is not accepted ({why}): give the server a certificate that an authority signed, with the host as a subject alternative name",
                "PostgreSQL 服务器的证书不被接受（{why}）：请为服务器使用由机构签发、以主机名为 subjectAltName 的证书"
            )
        }
    }
}
