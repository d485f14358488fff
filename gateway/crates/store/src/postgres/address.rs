//! A PostgreSQL URL as libpq reads it. What it says about TLS is taken out here, because the driver knows only a part of it; the rest
//! is the driver's.
//!
//! Must not know what a certificate is: that is `tls`.

use std::net::IpAddr;
use std::path::PathBuf;

use renmen_schema::text;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use super::tls::{ClientCertificate, Roots, TlsMode, TlsSettings};
use crate::StoreError;

/// Parameters of libpq that change what is trusted or sent, and that are not supported: ignoring one would weaken the connection.
const REFUSED: [(&str, &str); 12] = [
    ("sslpassword", "store the key without a passphrase, readable only by its owner"),
    ("sslcrl", "revocation lists are not read: replace the authority instead"),
    ("sslcrldir", "revocation lists are not read: replace the authority instead"),
    ("sslcertmode", "a client certificate is sent when `sslcert` names one"),
    ("ssl_min_protocol_version", "TLS 1.2 is the minimum already"),
    ("ssl_max_protocol_version", "take it out: the newest version that both sides know is used"),
    ("require_auth", "take it out and limit the methods in the server's pg_hba.conf"),
    ("gssencmode", "use TLS"),
    ("krbsrvname", "use a password or a client certificate"),
    ("passfile", "name the password with `store.password`"),
    ("service", "write the address into the URL"),
    ("sslcompression", "take it out"),
];

/// Where the server is, and how the way to it is secured.
#[derive(Debug, Clone)]
pub(crate) struct PostgresAddress {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: TlsSettings,
}

/// What the URL says about TLS.
#[derive(Default)]
struct TlsParameters {
    mode: Option<String>,
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl PostgresAddress {
    /// Reads a URL. No error quotes it, for it may hold a password.
    pub(crate) fn read(url: &str) -> Result<Self, StoreError> {
        let invalid = || {
            StoreError::Configuration(text!(
                "the PostgreSQL URL is invalid: write `postgres://USER@HOST:PORT/DATABASE`",
                "PostgreSQL URL 无效：请写 `postgres://USER@HOST:PORT/DATABASE`"
            ))
        };
        let (rest, tls) = take_tls(url)?;
        let mut config: tokio_postgres::Config = rest.parse().map_err(|_| invalid())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid());
        }
        let tls = tls.settings(is_on_this_machine(&config))?;
        config.ssl_mode(tls.mode.of_driver());
        if config.get_hosts().len() > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            // Of several servers only one takes writes: the others are its replicas.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self { config, tls })
    }
}

/// Takes the parameters about TLS out of a URL.
fn take_tls(url: &str) -> Result<(String, TlsParameters), StoreError> {
    let Some((place, query)) = url.split_once('?') else { return Ok((url.to_owned(), TlsParameters::default())) };
    let (mut tls, mut kept) = (TlsParameters::default(), Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if let Some((name, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err(StoreError::Configuration(text!(
                "`{name}` in the PostgreSQL URL is not supported: {instead}",
                "PostgreSQL URL 中的 `{name}` 不受支持：{instead}"
            )));
        }
        let slot = match name {
            "sslmode" => &mut tls.mode,
            "sslrootcert" => &mut tls.roots,
            "sslcert" => &mut tls.certificate,
            "sslkey" => &mut tls.key,
            _ => {
                kept.push(parameter);
                continue;
            }
        };
        *slot = Some(decoded(value).ok_or_else(|| {
            StoreError::Configuration(text!(
                "`{name}` in the PostgreSQL URL is not percent-encoded UTF-8",
                "PostgreSQL URL 中的 `{name}` 不是百分号编码的 UTF-8"
            ))
        })?);
    }
    let rest = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    Ok((rest, tls))
}

/// Undoes percent-encoding.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                after
            }
            (b'%', _) => return None,
            (byte, after) => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).ok()
}

impl TlsParameters {
    fn settings(self, on_this_machine: bool) -> Result<TlsSettings, StoreError> {
        let mode = match self.mode.as_deref() {
            None if on_this_machine => TlsMode::Prefer,
            None => TlsMode::VerifyFull,
            Some(name) => TlsMode::named(name)?,
        };
        let roots = match (self.roots.as_deref(), mode) {
            (Some("system"), TlsMode::VerifyFull) | (None, TlsMode::VerifyFull) => Some(Roots::System),
            (Some("system"), _) => {
                return Err(StoreError::Configuration(text!(
                    "`sslrootcert=system` needs `sslmode=verify-full`: anybody can have a certificate of a public authority",
                    "`sslrootcert=system` 需要 `sslmode=verify-full`：任何人都能取得公共机构签发的证书"
                )));
            }
            (Some(path), TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull) => {
                Some(Roots::File(PathBuf::from(path)))
            }
            (Some(_), TlsMode::Disable | TlsMode::Prefer) => {
                return Err(StoreError::Configuration(text!(
                    "`sslrootcert` has no effect with `sslmode={}`: write `sslmode=verify-full`",
                    "`sslrootcert` 在 `sslmode={}` 时不起作用：请写 `sslmode=verify-full`",
                    mode.name()
                )));
            }
            (None, TlsMode::VerifyCa) => {
                return Err(StoreError::Configuration(text!(
                    "`sslmode=verify-ca` needs `sslrootcert=PATH`: the authority that signed the server's certificate",
                    "`sslmode=verify-ca` 需要 `sslrootcert=PATH`：签发服务器证书的机构"
                )));
            }
            (None, _) => None,
        };
        let client = match (self.certificate, self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) if mode != TlsMode::Disable => {
                Some(ClientCertificate { certificate: PathBuf::from(certificate), key: PathBuf::from(key) })
            }
            (Some(_), Some(_)) => {
                return Err(StoreError::Configuration(text!(
                    "`sslcert` has no effect with `sslmode=disable`: write `sslmode=verify-full`",
                    "`sslcert` 在 `sslmode=disable` 时不起作用：请写 `sslmode=verify-full`"
                )));
            }
            _ => {
                return Err(StoreError::Configuration(text!(
                    "`sslcert` and `sslkey` need each other: name the certificate and its key",
                    "`sslcert` 与 `sslkey` 须同时给出：请写明证书及其密钥"
                )));
            }
        };
        Ok(TlsSettings { mode, roots, client })
    }
}

/// A socket file or a loopback address: no network in between that others could listen on.
fn is_on_this_machine(config: &tokio_postgres::Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mode_of(url: &str) -> TlsMode {
        PostgresAddress::read(url).unwrap().tls.mode
    }

    #[test]
    fn the_server_is_verified_by_default_unless_it_is_on_this_machine() {
        for url in ["postgres://u@db.example.com/r", "postgres://u@10.0.0.5/r", "postgres://u@127.0.0.1,db2/r"] {
            assert_eq!(mode_of(url), TlsMode::VerifyFull, "{url}");
        }
        for url in [
            "postgres://u@127.0.0.1/r",
            "postgres://u@localhost:5433/r",
            "postgres://u@[::1]/r",
            "postgres://u@%2Ftmp/r",
        ] {
            assert_eq!(mode_of(url), TlsMode::Prefer, "{url}");
        }
        let moved = "postgres://u@localhost/r?hostaddr=10.0.0.5";
        assert_eq!(mode_of(moved), TlsMode::VerifyFull, "the name alone does not say where the server is");
    }

    #[test]
    fn each_mode_of_libpq_is_read_or_refused_by_name() {
        let modes = [
            ("disable", TlsMode::Disable),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-full", TlsMode::VerifyFull),
        ];
        for (name, mode) in modes {
            assert_eq!(mode_of(&format!("postgres://u@h/r?sslmode={name}&connect_timeout=3")), mode);
        }
        assert_eq!(mode_of("postgres://u@h/r?sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem"), TlsMode::VerifyCa);
        for (parameters, told) in [
            ("sslmode=allow", "allow"),
            ("sslmode=full", "full"),
            ("sslmode=verify-ca", "sslrootcert"),
            ("sslmode=require&sslrootcert=system", "verify-full"),
            ("sslmode=prefer&sslrootcert=ca.pem", "no effect"),
            ("sslcert=me.pem", "sslkey"),
            ("sslkey=me.key", "sslcert"),
            ("sslmode=disable&sslcert=a&sslkey=b", "no effect"),
            ("sslrootcert=%zz", "percent"),
            ("sslcrl=crl.pem", "sslcrl"),
            ("sslpassword=hush", "sslpassword"),
            ("service=hr", "service"),
        ] {
            let refused = PostgresAddress::read(&format!("postgres://u:hush@h/r?{parameters}")).unwrap_err();
            assert!(matches!(refused, StoreError::Configuration(_)), "{parameters}");
            let refused = refused.to_string();
            assert!(refused.contains(told) && !refused.contains("hush"), "{parameters}: {refused}");
        }
    }

    #[test]
    fn several_servers_mean_the_one_that_takes_writes() {
        let several = PostgresAddress::read("postgres://u@a:5432,b:5433/r").unwrap().config;
        assert_eq!((several.get_hosts().len(), several.get_ports()), (2, &[5432, 5433][..]));
        assert_eq!(several.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let one = PostgresAddress::read("postgres://u@a/r").unwrap().config;
        assert_eq!(one.get_target_session_attrs(), TargetSessionAttrs::Any);
        let any = PostgresAddress::read("postgres://u@a,b/r?target_session_attrs=read-only").unwrap().config;
        assert_eq!(any.get_target_session_attrs(), TargetSessionAttrs::ReadOnly);
    }
}
