//! A Kafka cluster on the loopback, as far as a producer sees one: it says which versions it speaks, who leads what, checks logins and
//! batches, and does wrong when it is told to. What it takes is read here by its own reading of the protocol, not by the client's.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::kafka_sasl::{Login, Session};

/// A record as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Stored {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.value).unwrap()
    }
}

/// What the cluster has and does.
#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<SocketAddr>,
    /// How a node calls itself, where not by its address.
    pub(crate) named: BTreeMap<usize, (String, u16)>,
    /// Topics, with the leader of each partition.
    pub(crate) topics: BTreeMap<String, Vec<usize>>,
    pub(crate) forbidden: BTreeSet<String>,
    pub(crate) log: Vec<(String, Stored)>,
    /// Nodes that take no connection and end those that they have.
    pub(crate) down: BTreeSet<usize>,
    /// Requests that are written and not acknowledged.
    pub(crate) lost_acks: usize,
    /// Bytes of a batch.
    pub(crate) batch_max: usize,
    pub(crate) login: Option<Login>,
    /// Requests to write that came, by node, with their count of records.
    pub(crate) requests: Vec<(usize, usize)>,
    /// The code of a partition instead of writing.
    pub(crate) code: i16,
}

#[derive(Clone)]
pub(crate) struct KafkaCluster(pub(crate) Arc<Mutex<Cluster>>);

impl KafkaCluster {
    pub(crate) async fn start(nodes: usize, tls: Option<TlsAcceptor>) -> Self {
        let cluster = Self(Arc::new(Mutex::new(Cluster { batch_max: 1_000_000, ..Cluster::default() })));
        for node in 0..nodes {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            cluster.0.lock().nodes.push(listener.local_addr().unwrap());
            let (cluster, tls) = (cluster.clone(), tls.clone());
            tokio::spawn(async move { cluster.accept(node, listener, tls).await });
        }
        cluster
    }

    pub(crate) fn topic(&self, name: &str, leaders: &[usize]) {
        self.0.lock().topics.insert(name.to_owned(), leaders.to_vec());
    }

    pub(crate) fn stored(&self, topic: &str) -> Vec<Stored> {
        let cluster = self.0.lock();
        cluster.log.iter().filter(|(name, _)| name == topic).map(|(_, stored)| stored.clone()).collect()
    }

    async fn accept(&self, node: usize, listener: TcpListener, tls: Option<TlsAcceptor>) {
        while let Ok((tcp, _)) = listener.accept().await {
            let (cluster, tls) = (self.clone(), tls.clone());
            tokio::spawn(async move {
                let ended = match tls {
                    Some(tls) => match tls.accept(tcp).await {
                        Ok(stream) => cluster.serve(node, stream).await,
                        Err(error) => Err(error),
                    },
                    None => cluster.serve(node, tcp).await,
                };
                // Clients come and go.
                drop(ended);
            });
        }
    }

    async fn serve(&self, node: usize, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut session = Session::new(self.0.lock().login.clone());
        loop {
            if self.0.lock().down.contains(&node) {
                return Ok(());
            }
            let size = stream.read_i32().await?;
            let mut request = vec![0; usize::try_from(size).unwrap()];
            stream.read_exact(&mut request).await?;
            let mut request = In(&request);
            let (api, version, correlation) = (request.i16(), request.i16(), request.i32());
            request.text();
            if self.0.lock().down.contains(&node) {
                return Ok(());
            }
            let Some(answer) = self.answer(node, (api, version), request, &mut session) else { return Ok(()) };
            stream.write_i32(i32::try_from(answer.len() + 4).unwrap()).await?;
            stream.write_i32(correlation).await?;
            stream.write_all(&answer).await?;
            stream.flush().await?;
        }
    }

    /// None: the connection ends without a word.
    fn answer(
        &self,
        node: usize,
        (api, version): (i16, i16),
        request: In<'_>,
        session: &mut Session,
    ) -> Option<Vec<u8>> {
        match api {
            18 => Some(versions()),
            17 | 36 => Some(session.answer(api, request)),
            _ if !session.may_ask() => None,
            3 => Some(self.metadata(version, request)),
            0 => self.produce(node, version, request),
            _ => None,
        }
    }

    fn metadata(&self, version: i16, mut request: In<'_>) -> Vec<u8> {
        let cluster = self.0.lock();
        let asked: Vec<String> = (0..request.i32()).map(|_| request.text()).collect();
        assert!(!request.bool(), "the client wants topics made");
        let mut out = Out::default();
        out.i32(0).i32(i32::try_from(cluster.nodes.len()).unwrap());
        for (id, address) in cluster.nodes.iter().enumerate() {
            let (host, port) = cluster.named.get(&id).cloned().unwrap_or((address.ip().to_string(), address.port()));
            out.i32(i32::try_from(id).unwrap()).text(&host).i32(i32::from(port)).i16(-1);
        }
        out.text("model").i32(0).i32(i32::try_from(asked.len()).unwrap());
        for name in asked {
            let leaders = cluster.topics.get(&name);
            let code = match leaders {
                _ if cluster.forbidden.contains(&name) => 29,
                None => 3,
                Some(_) => 0,
            };
            let leaders = leaders.filter(|_| code == 0).cloned().unwrap_or_default();
            out.i16(code).text(&name).bool(false).i32(i32::try_from(leaders.len()).unwrap());
            for (partition, leader) in (0..).zip(leaders) {
                out.i16(0).i32(partition).i32(i32::try_from(leader).unwrap());
                if version >= 7 {
                    out.i32(1);
                }
                out.i32(1).i32(0).i32(1).i32(0);
                if version >= 5 {
                    out.i32(0);
                }
            }
        }
        out.0
    }

    fn produce(&self, node: usize, version: i16, mut request: In<'_>) -> Option<Vec<u8>> {
        let mut cluster = self.0.lock();
        assert_eq!(request.text(), "", "no transaction");
        assert_eq!(request.i16(), -1, "every replica is to acknowledge");
        request.i32();
        let topics = request.i32();
        let mut out = Out::default();
        out.i32(topics);
        let mut count = 0;
        for _ in 0..topics {
            let topic = request.text();
            let partitions = request.i32();
            out.text(&topic).i32(partitions);
            for _ in 0..partitions {
                let partition = request.i32();
                let batch = request.bytes();
                let leader = cluster.topics.get(&topic).and_then(|all| all.get(usize::try_from(partition).unwrap()));
                let code = match leader {
                    _ if cluster.code != 0 => cluster.code,
                    None => 3,
                    Some(leader) if *leader != node => 6,
                    Some(_) if batch.len() > cluster.batch_max => 10,
                    Some(_) => 0,
                };
                let records = records(batch, partition);
                count += records.len();
                let offset =
                    cluster.log.iter().filter(|(name, one)| *name == topic && one.partition == partition).count();
                if code == 0 {
                    cluster.log.extend(records.into_iter().map(|record| (topic.clone(), record)));
                }
                let offset = if code == 0 { i64::try_from(offset).unwrap() } else { -1 };
                out.i32(partition).i16(code).i64(offset).i64(-1);
                if version >= 5 {
                    out.i64(0);
                }
            }
        }
        out.i32(0);
        cluster.requests.push((node, count));
        if cluster.lost_acks > 0 {
            cluster.lost_acks -= 1;
            return None;
        }
        Some(out.0)
    }
}

/// Those of a broker of today, as far as a producer asks.
fn versions() -> Vec<u8> {
    let mut out = Out::default();
    let all: [(i16, i16, i16); 5] = [(0, 3, 13), (3, 0, 13), (17, 0, 1), (18, 0, 4), (36, 0, 2)];
    out.i16(0).i32(5);
    for (api, oldest, newest) in all {
        out.i16(api).i16(oldest).i16(newest);
    }
    out.0
}

/// The records of a batch whose checksum is right.
fn records(batch: &[u8], partition: i32) -> Vec<Stored> {
    let mut head = In(batch);
    head.i64();
    assert_eq!(usize::try_from(head.i32()).unwrap(), batch.len() - 12, "the batch's length");
    head.i32();
    assert_eq!(head.take(1), [2], "the format");
    assert_eq!(head.i32().cast_unsigned(), crc32c(head.0), "the checksum");
    assert_eq!(head.i16(), 0);
    let last = head.i32();
    head.take(8 + 8 + 8 + 2 + 4);
    let count = head.i32();
    assert_eq!(last, count - 1);
    let record = |at: i32| {
        let size = usize::try_from(head.varint()).unwrap();
        let mut record = In(head.take(size));
        record.take(1);
        record.varint();
        assert_eq!(record.varint(), i64::from(at));
        let (key, value) = (record.var_text(), record.var_text());
        let headers = (0..record.varint()).map(|_| (record.var_text(), record.var_text())).collect();
        assert!(record.0.is_empty());
        Stored { partition, key, value, headers }
    };
    (0..count).map(record).collect()
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// Reads a request; one that ends too early fails the test.
pub(crate) struct In<'a>(pub(crate) &'a [u8]);

impl<'a> In<'a> {
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    pub(crate) fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    pub(crate) fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    fn bool(&mut self) -> bool {
        self.take(1) == [1]
    }

    pub(crate) fn text(&mut self) -> String {
        let len = usize::try_from(self.i16().max(0)).unwrap();
        String::from_utf8(self.take(len).to_vec()).unwrap()
    }

    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::try_from(self.i32().max(0)).unwrap();
        self.take(len)
    }

    fn varint(&mut self) -> i64 {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    fn var_text(&mut self) -> String {
        let len = usize::try_from(self.varint()).unwrap();
        String::from_utf8(self.take(len).to_vec()).unwrap()
    }
}

/// Builds an answer.
#[derive(Default)]
pub(crate) struct Out(pub(crate) Vec<u8>);

impl Out {
    pub(crate) fn i16(&mut self, value: i16) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn i32(&mut self, value: i32) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.i16(i16::try_from(text.len()).unwrap());
        self.0.extend(text.as_bytes());
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.i32(i32::try_from(bytes.len()).unwrap());
        self.0.extend(bytes);
        self
    }
}
