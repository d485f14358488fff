//! TLS to PostgreSQL, with rustls: what `sslmode` asks for, which authorities are trusted, the certificate that we show.
//!
//! Must not know URLs or what is sent over the connection.

mod binding;
mod connect;
mod refusal;
mod verify;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_schema::text;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::StoreError;
pub(crate) use connect::{Encrypted, TlsConnector};
pub(crate) use refusal::refusal_of;

/// `sslmode`, as libpq means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it. Nothing is verified.
    Prefer,
    /// Always. The server is verified only where `sslrootcert` names an authority.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority for the host that was asked for.
    VerifyFull,
}

impl TlsMode {
    pub(crate) fn named(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];
        all.into_iter().find(|mode| mode.name() == name).ok_or_else(|| {
            let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
            StoreError::Configuration(text!(
                "`sslmode={shown}` is not supported: use disable, prefer, require, verify-ca or verify-full",
                "不支持 `sslmode={shown}`：请使用 disable、prefer、require、verify-ca 或 verify-full"
            ))
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// What the driver has to know of it.
    pub(crate) fn of_driver(self) -> tokio_postgres::config::SslMode {
        match self {
            Self::Disable => tokio_postgres::config::SslMode::Disable,
            Self::Prefer => tokio_postgres::config::SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => tokio_postgres::config::SslMode::Require,
        }
    }
}

/// Which authorities are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// The certificate that we show, and its key: PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Debug, Clone)]
pub(crate) struct TlsSettings {
    pub(crate) mode: TlsMode,
    pub(crate) roots: Option<Roots>,
    pub(crate) client: Option<ClientCertificate>,
}

impl TlsSettings {
    /// Reads the files. Nothing is sent.
    pub(crate) fn connector(&self) -> Result<TlsConnector, StoreError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Fault(format!("TLS cannot be set up: {error}")))?;
        let verifier = match &self.roots {
            None => verify::unverified(provider),
            Some(roots) => verify::verifier(provider, trusted(roots)?, self.mode == TlsMode::VerifyFull)?,
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let (chain, key) = read_client(client)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| {
                    StoreError::Configuration(text!(
                        "the client certificate {} does not fit its key {}: {error}",
                        "客户端证书 {} 与其密钥 {} 不匹配：{error}",
                        client.certificate.display(),
                        client.key.display()
                    ))
                })?
            }
        };
        Ok(TlsConnector::new(Arc::new(config)))
    }
}

fn trusted(roots: &Roots) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(StoreError::Configuration(text!(
                    "the system has no trusted certificates to verify PostgreSQL's with: name the authority with `sslrootcert=PATH`, or install the system's (`ca-certificates`)",
                    "系统没有可用于验证 PostgreSQL 的受信证书：请用 `sslrootcert=PATH` 写明签发机构，或安装系统证书（`ca-certificates`）"
                )));
            }
        }
        Roots::File(path) => {
            for certificate in certificates("sslrootcert", path)? {
                store.add(certificate).map_err(|error| unusable("sslrootcert", path, &error.to_string()))?;
            }
        }
    }
    Ok(store)
}

fn certificates(parameter: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unusable(parameter, path, &error.to_string()))?;
    if found.is_empty() {
        return Err(unusable(parameter, path, "it holds no certificate in PEM"));
    }
    Ok(found)
}

fn unusable(parameter: &str, path: &Path, why: &str) -> StoreError {
    StoreError::Configuration(text!(
        "`{parameter}` {} cannot be used: {why}",
        "`{parameter}` {} 无法使用：{why}",
        path.display()
    ))
}

fn read_client(
    client: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), StoreError> {
    let chain = certificates("sslcert", &client.certificate)?;
    let key = &client.key;
    let file = std::fs::metadata(key).map_err(|error| unusable("sslkey", key, &error.to_string()))?;
    // As libpq: closed to everybody else; one of root's may be open to its group.
    let forbidden = if file.uid() == 0 { 0o037 } else { 0o077 };
    if file.mode() & forbidden != 0 {
        return Err(StoreError::Configuration(text!(
            "`sslkey` {} can be read by other users of this machine: run `chmod 600` on it",
            "`sslkey` {} 可被本机其他用户读取：请对它执行 `chmod 600`",
            key.display()
        )));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unusable("sslkey", key, &format!("{error} (a key with a passphrase is not supported)")))?;
    Ok((chain, key))
}
