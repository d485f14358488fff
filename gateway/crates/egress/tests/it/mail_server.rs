//! A mail server on the loopback that does what a test tells it and remembers what it was told (RFC 5321, 3207, 4954).

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How the server protects its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    None,
    StartTls,
    Tls,
}

/// How it behaves.
#[derive(Clone)]
pub(crate) struct Manner {
    pub(crate) protection: Protection,
    /// The name on its certificate.
    pub(crate) name: &'static str,
    /// `user:password`; with it nothing is taken without.
    pub(crate) password: Option<&'static str>,
    /// Answers to commands that begin with a word, instead of the usual ones.
    pub(crate) answers: Vec<(&'static str, &'static str)>,
}

impl Manner {
    pub(crate) fn plain() -> Self {
        Self { protection: Protection::None, name: "localhost", password: None, answers: vec![] }
    }
}

/// One mail as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    pub(crate) encrypted: bool,
}

/// See the module.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    /// Its certificate, to be trusted.
    pub(crate) pem: String,
    pub(crate) taken: Arc<Mutex<Vec<Taken>>>,
    /// Every command of every session.
    pub(crate) commands: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    pub(crate) async fn start(manner: Manner) -> Self {
        let (acceptor, pem) = certificate(manner.name);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), pem, taken: Arc::default(), commands: Arc::default() };
        let (taken, commands) = (server.taken.clone(), server.commands.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Desk { manner: manner.clone(), taken: taken.clone(), commands: commands.clone() };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if desk.manner.protection == Protection::Tls {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        desk.session(stream, true, true).await;
                    } else if let Some(stream) = desk.session(stream, false, true).await {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        desk.session(stream, true, false).await;
                    }
                });
            }
        });
        server
    }

    pub(crate) fn mails(&self) -> Vec<Taken> {
        self.taken.lock().clone()
    }

    pub(crate) fn said(&self, word: &str) -> bool {
        self.commands.lock().iter().any(|command| command.starts_with(word))
    }
}

struct Desk {
    manner: Manner,
    taken: Arc<Mutex<Vec<Taken>>>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    /// Gives the stream back when the other side wants to go on in TLS.
    async fn session<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, encrypted: bool, greet: bool) -> Option<S> {
        let mut stream = BufReader::new(stream);
        if greet {
            say(&mut stream, "220 mail.test ready").await;
        }
        let mut signed_in = self.manner.password.is_none();
        let mut mail = Taken { from: String::new(), to: vec![], data: String::new(), encrypted };
        loop {
            let line = line(&mut stream).await?;
            let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            self.commands.lock().push(line.clone());
            if let Some((_, answer)) = self.manner.answers.iter().find(|(begins, _)| word == *begins) {
                say(&mut stream, answer).await;
                continue;
            }
            let answer = match word.as_str() {
                "EHLO" => self.greeting(encrypted),
                "STARTTLS" => {
                    say(&mut stream, "220 go on").await;
                    return Some(stream.into_inner());
                }
                "AUTH" => {
                    signed_in = self.is_right(&line);
                    (if signed_in { "235 2.7.0 welcome" } else { "535 5.7.8 who are you?" }).to_owned()
                }
                "MAIL" | "RCPT" if !signed_in => "530 5.7.0 sign in first".to_owned(),
                "MAIL" => {
                    mail.from = line;
                    "250 2.1.0 ok".to_owned()
                }
                "RCPT" => {
                    mail.to.push(line);
                    "250 2.1.5 ok".to_owned()
                }
                "DATA" => {
                    say(&mut stream, "354 go on").await;
                    mail.data = data(&mut stream).await?;
                    self.taken.lock().push(mail.clone());
                    "250 2.0.0 Ok: queued as 4Xy1".to_owned()
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await;
                    return None;
                }
                _ => "500 5.5.2 what?".to_owned(),
            };
            say(&mut stream, &answer).await;
        }
    }

    fn greeting(&self, encrypted: bool) -> String {
        let mut lines = vec!["mail.test"];
        if self.manner.protection == Protection::StartTls && !encrypted {
            lines.push("STARTTLS");
        }
        if self.manner.password.is_some() {
            lines.push("AUTH PLAIN LOGIN");
        }
        lines.push("8BITMIME");
        let last = lines.len() - 1;
        let line = |(n, text): (usize, &&str)| format!("250{}{text}", if n == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    /// `AUTH PLAIN` with the text of RFC 4616.
    fn is_right(&self, line: &str) -> bool {
        let (user, password) = self.manner.password.unwrap().split_once(':').unwrap();
        let wanted = STANDARD.encode(format!("\0{user}\0{password}"));
        line.strip_prefix("AUTH PLAIN ").is_some_and(|given| given == wanted)
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) {
    stream.write_all(format!("{text}\r\n").as_bytes()).await.unwrap_or_default();
    stream.flush().await.unwrap_or_default();
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    let read = (&mut *stream).take(4096).read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut data = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Some(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push('\n');
    }
}

fn certificate(name: &str) -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}
