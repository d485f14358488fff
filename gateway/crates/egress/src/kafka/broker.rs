//! One connection to one broker: to a checked address, protected, signed in; then one request after the other. Owns what goes wrong
//! with the way; a broker's words may repeat what was sent, so only its codes are told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use renmen_vault::Secret;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::bytes::{Writer, garbled};
use super::messages::{self, API_VERSIONS, Api, SASL_AUTHENTICATE, SASL_HANDSHAKE};
use super::scram::Scram;
use super::{KafkaMechanism, KafkaSpec, code};
use crate::EgressError;
use crate::resolve::{AddressBook, ResolveError};

/// Each address of a name gets so long; a shorter timeout goes before.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);
/// How the gateway calls itself.
const CLIENT_ID: &str = "renmen";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// How brokers of a cluster are reached.
pub(super) struct Way {
    pub(super) spec: KafkaSpec,
    pub(super) addresses: AddressBook,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
}

/// An open connection.
pub(super) struct Broker {
    stream: Box<dyn Stream>,
    /// `host:port`, as it was named.
    pub(super) name: String,
    versions: HashMap<i16, (i16, i16)>,
    answer_bytes_max: u64,
    next: i32,
    /// A request was answered on it: it may have been closed since, which says nothing of the next.
    pub(super) is_used: bool,
}

impl Way {
    /// A connection that is ready for requests.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] for an address that is not allowed, [`EgressError::Auth`] for a login that is not taken.
    pub(super) async fn open(&self, host: &str, port: u16) -> Result<Broker, EgressError> {
        let name = format!("{host}:{port}");
        let tcp = self.dial(host, port, &name).await?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => {
                let server = ServerName::try_from(host.to_owned())
                    .map_err(|_| EgressError::BadRequest(format!("{name}: not a name that TLS can prove")))?;
                let shaken = TlsConnector::from(Arc::clone(tls)).connect(server, tcp).await;
                Box::new(shaken.map_err(|error| unreachable_because(&name, &error))?)
            }
        };
        let answer_bytes_max = self.spec.answer_bytes_max;
        let versions = HashMap::from([(API_VERSIONS.key, (0, 0))]);
        let mut broker = Broker { stream, name, versions, answer_bytes_max, next: 0, is_used: false };
        broker.learn_versions().await?;
        if let Some((mechanism, secret)) = &self.spec.login {
            broker.sign_in(*mechanism, secret).await?;
        }
        Ok(broker)
    }

    /// To one of the checked addresses.
    async fn dial(&self, host: &str, port: u16, name: &str) -> Result<TcpStream, EgressError> {
        let addresses = self.addresses.resolve(host).await.map_err(|error| match error {
            refused @ ResolveError::Refused { .. } => EgressError::NotGranted(refused.to_string()),
            unknown @ ResolveError::Unknown { .. } => EgressError::Unavailable(unknown.to_string()),
        })?;
        let mut why = "it has no address".to_owned();
        for address in addresses.iter() {
            let made = TcpStream::connect(SocketAddr::new(*address, port));
            match tokio::time::timeout(self.spec.timeout.min(CONNECT_TIMEOUT_MAX), made).await {
                Ok(Ok(tcp)) => {
                    // Requests are whole when they are written.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Ok(Err(error)) => why = error.kind().to_string(),
                Err(_) => why = "timed out".to_owned(),
            }
        }
        Err(EgressError::Unavailable(format!("connecting to broker {name}: {why}")))
    }
}

impl Broker {
    /// The newest version of a request that both sides speak.
    pub(super) fn version(&self, api: Api) -> Result<i16, EgressError> {
        let (oldest, newest) = self.versions.get(&api.key).copied().unwrap_or((0, -1));
        let version = newest.min(api.newest);
        if version < oldest.max(api.oldest) {
            return Err(EgressError::Unavailable(format!(
                "broker {} speaks {} in versions {oldest} to {newest}; {} to {} are spoken here",
                self.name, api.name, api.oldest, api.newest
            )));
        }
        Ok(version)
    }

    /// The answer to a request.
    pub(super) async fn ask(&mut self, api: Api, version: i16, body: &[u8]) -> Result<Vec<u8>, EgressError> {
        let correlation = self.next;
        self.next = self.next.wrapping_add(1);
        let mut head = Writer::default();
        head.i16(api.key);
        head.i16(version);
        head.i32(correlation);
        head.text(CLIENT_ID);
        let head = head.written();
        let mut request = Writer::default();
        request.len(head.len() + body.len());
        request.raw(&head);
        request.raw(body);
        let answer = async {
            self.stream.write_all(&request.written()).await?;
            self.stream.flush().await?;
            let mut size = [0; 4];
            self.stream.read_exact(&mut size).await?;
            Ok::<_, std::io::Error>(i32::from_be_bytes(size))
        };
        let size = answer.await.map_err(|error| unreachable_because(&self.name, &error))?;
        let size = u64::try_from(size).ok().filter(|size| (4..=self.answer_bytes_max).contains(size));
        let size = size.ok_or_else(|| {
            garbled(&format!(
                "an answer of another size than 4 to {} bytes (response_bytes_max)",
                self.answer_bytes_max
            ))
        })?;
        let mut bytes = Vec::new();
        let read = (&mut self.stream).take(size).read_to_end(&mut bytes).await;
        let read = read.map_err(|error| unreachable_because(&self.name, &error))?;
        let answered = bytes.get(..4).and_then(|first| first.try_into().ok()).map(i32::from_be_bytes);
        if u64::try_from(read).unwrap_or(0) < size || answered != Some(correlation) {
            return Err(garbled("an answer is cut, or to another request"));
        }
        self.is_used = true;
        bytes.drain(..4);
        Ok(bytes)
    }

    async fn learn_versions(&mut self) -> Result<(), EgressError> {
        let answer = self.ask(API_VERSIONS, 0, &[]).await?;
        let (code, versions) = messages::read_versions(&answer)?;
        if code != 0 {
            return Err(garbled(&format!("it does not say which versions it speaks ({})", code::meaning(code).0)));
        }
        self.versions = versions.into_iter().map(|(key, oldest, newest)| (key, (oldest, newest))).collect();
        self.is_used = false;
        Ok(())
    }

    async fn sign_in(&mut self, mechanism: KafkaMechanism, secret: &Secret) -> Result<(), EgressError> {
        let (user, password) = secret
            .expose()
            .trim()
            .split_once(':')
            .ok_or_else(|| EgressError::Auth("the slot of a Kafka cluster must hold `user:password`".into()))?;
        let version = self.version(SASL_HANDSHAKE)?;
        let answer = self.ask(SASL_HANDSHAKE, version, &messages::sasl_handshake(mechanism.name())).await?;
        let (code, offered) = messages::read_handshake(&answer)?;
        if code != 0 {
            let offered: Vec<String> = offered.iter().take(10).map(|name| shown(name)).collect();
            return Err(EgressError::Auth(format!(
                "broker {} does not take {}; it takes {}",
                self.name,
                mechanism.name(),
                offered.join(", ")
            )));
        }
        match mechanism {
            KafkaMechanism::Plain => {
                self.authenticate(format!("\0{user}\0{password}").as_bytes()).await?;
            }
            KafkaMechanism::ScramSha256 | KafkaMechanism::ScramSha512 => {
                let scram = Scram::new(mechanism == KafkaMechanism::ScramSha512, user);
                let answer = self.authenticate(&scram.first()).await?;
                let proof = scram.prove(password, &answer)?;
                let answer = self.authenticate(&proof.said).await?;
                if !proof.is_answered_by(&answer) {
                    return Err(EgressError::Auth(format!(
                        "broker {} does not prove that it knows the password: nothing is sent to it",
                        self.name
                    )));
                }
            }
        }
        self.is_used = false;
        Ok(())
    }

    async fn authenticate(&mut self, said: &[u8]) -> Result<Vec<u8>, EgressError> {
        let version = self.version(SASL_AUTHENTICATE)?;
        let answer = self.ask(SASL_AUTHENTICATE, version, &messages::sasl_authenticate(said)).await?;
        let (code, answer) = messages::read_authenticated(&answer)?;
        match code {
            0 => Ok(answer),
            _ => Err(EgressError::Auth(format!(
                "broker {} does not take the login ({})",
                self.name,
                code::meaning(code).0
            ))),
        }
    }
}

/// A name of a broker's, without anything that would deceive who reads it.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !renmen_schema::shown::is_deceptive(*c)).take(100).collect()
}

fn unreachable_because(name: &str, error: &std::io::Error) -> EgressError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let why = tls.map_or_else(|| error.kind().to_string(), |tls| format!("TLS: {tls}"));
    EgressError::Unavailable(format!("broker {name}: {why}"))
}
