//! TLS to a server of the test's own: what is trusted, what is refused, and what the refusal says to do.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use renmen_store::{StoreError, StoreOptions, StorePassword, open, open_read_only};

use crate::server::Server;

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, in PEM.
    fn sign(&self, common_name: &str, hosts: &[&str], expired: bool) -> (String, String) {
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        if expired {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server whose certificate is for `db.internal`, which takes passwords over TLS, and for the user `certified` certificates alone.
struct Secured {
    server: Server,
    ours: Authority,
    files: tempfile::TempDir,
}

impl Secured {
    async fn start() -> Option<Self> {
        let server = Server::start(&["password_encryption = scram-sha-256"])?;
        let ours = Authority::new("ours");
        server.write("ca.pem", &ours.pem);
        let secured = Self { server, ours, files: tempfile::tempdir().unwrap() };
        secured.show("server", &["db.internal"], false);
        secured.server.append(
            "postgresql.conf",
            "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\nssl_ca_file = 'ca.pem'\n",
        );
        secured.server.write(
            "pg_hba.conf",
            "local all all trust\nhostssl all certified 127.0.0.1/32 cert\nhostssl all renmen 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 scram-sha-256\n",
        );
        secured.server.admin("ALTER ROLE renmen PASSWORD 'correct-horse'; CREATE ROLE certified LOGIN SUPERUSER").await;
        secured.reload().await;
        Some(secured)
    }

    /// The certificate that the server shows after the next reload.
    fn show(&self, name: &str, hosts: &[&str], expired: bool) {
        let (certificate, key) = self.ours.sign(name, hosts, expired);
        self.server.write("server.pem", &certificate);
        self.server.write("server.key", &key);
    }

    async fn reload(&self) {
        // Connections that come after the answer meet the new settings: the postmaster takes the signal before it accepts them.
        self.server.admin("SELECT pg_reload_conf()").await;
        self.server.admin("SELECT pg_sleep(0.3)").await;
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn ca(&self) -> PathBuf {
        self.file("ours.pem", &self.ours.pem)
    }

    fn at(&self, user: &str, host: &str, parameters: &str) -> StoreOptions {
        let port = self.server.port;
        let url = format!("postgres://{user}@{host}:{port}/postgres?hostaddr=127.0.0.1&{parameters}");
        StoreOptions { password: Some(StorePassword::new("correct-horse")), ..StoreOptions::at(url) }
    }

    /// What opening says; the first one migrates.
    async fn told(&self, options: StoreOptions) -> Result<(), StoreError> {
        let store = open(options).await?;
        store.ready().await
    }

    async fn refused(&self, options: StoreOptions, told: &str) {
        let error = self.told(options.clone()).await.expect_err(told);
        assert!(matches!(error, StoreError::Configuration(_)), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!error.to_string().contains("correct-horse"));
    }
}

fn root(path: &Path) -> String {
    format!("sslrootcert={}", path.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_by_its_authority_and_its_name_and_refused_with_what_to_do() {
    let Some(secured) = Secured::start().await else { return };
    let ca = secured.ca();
    let theirs = secured.file("theirs.pem", &Authority::new("theirs").pem);

    // Trusted.
    secured.told(secured.at("renmen", "db.internal", &root(&ca))).await.unwrap();
    for mode in ["sslmode=prefer".to_owned(), "sslmode=require".into(), format!("sslmode=verify-ca&{}", root(&ca))] {
        secured.told(secured.at("renmen", "elsewhere.internal", &mode)).await.unwrap();
    }
    // SCRAM is bound to the certificate.
    let bound = format!("channel_binding=require&{}", root(&ca));
    secured.told(secured.at("renmen", "db.internal", &bound)).await.unwrap();

    // Refused.
    secured.refused(secured.at("renmen", "db.internal", &root(&theirs)), "sslrootcert=PATH").await;
    let require = format!("sslmode=require&{}", root(&theirs));
    secured.refused(secured.at("renmen", "db.internal", &require), "sslrootcert=PATH").await;
    secured.refused(secured.at("renmen", "elsewhere.internal", &root(&ca)), "another host name").await;
    let wrong = StorePassword::new("wrong-horse");
    let wrong = StoreOptions { password: Some(wrong), ..secured.at("renmen", "db.internal", &root(&ca)) };
    secured.refused(wrong, "store.password").await;
    let none = StoreOptions { password: None, ..secured.at("renmen", "db.internal", &root(&ca)) };
    secured.refused(none, "store.password").await;

    // The server's own end.
    secured.show("server", &["db.internal"], true);
    secured.reload().await;
    secured.refused(secured.at("renmen", "db.internal", &root(&ca)), "expired").await;
    secured.server.admin("ALTER SYSTEM SET ssl = off").await;
    secured.reload().await;
    secured.refused(secured.at("renmen", "db.internal", &root(&ca)), "does not offer TLS").await;
    secured.refused(secured.at("renmen", "db.internal", "sslmode=require"), "ssl = on").await;
    secured.told(secured.at("renmen", "db.internal", "sslmode=prefer")).await.unwrap();
    secured.told(secured.at("renmen", "db.internal", "sslmode=disable")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_shown_where_the_server_asks_for_one() {
    let Some(secured) = Secured::start().await else { return };
    let ca = secured.ca();
    let (certificate, key) = secured.ours.sign("certified", &[], false);
    let (certificate, key) = (secured.file("me.pem", &certificate), secured.file("me.key", &key));
    let shown = |key: &Path| format!("{}&sslcert={}&sslkey={}", root(&ca), certificate.display(), key.display());
    secured.told(secured.at("certified", "db.internal", &shown(&key))).await.unwrap();
    open_read_only(secured.at("certified", "db.internal", &shown(&key))).await.unwrap();

    secured.refused(secured.at("certified", "db.internal", &root(&ca)), "certificate").await;
    let (strange, strange_key) = Authority::new("theirs").sign("certified", &[], false);
    let (strange, strange_key) = (secured.file("strange.pem", &strange), secured.file("strange.key", &strange_key));
    let strangers = format!("{}&sslcert={}&sslkey={}", root(&ca), strange.display(), strange_key.display());
    secured.refused(secured.at("certified", "db.internal", &strangers), "sslcert").await;
    secured.refused(secured.at("certified", "db.internal", &shown(&strange_key)), "does not fit").await;
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    secured.refused(secured.at("certified", "db.internal", &shown(&key)), "chmod 600").await;
    let absent = secured.files.path().join("absent.pem");
    secured.refused(secured.at("renmen", "db.internal", &root(&absent)), "absent.pem").await;
    let empty = secured.file("empty.pem", "nothing");
    secured.refused(secured.at("renmen", "db.internal", &root(&empty)), "no certificate").await;
}
