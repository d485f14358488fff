//! The requests that a producer makes, and their answers. Of each the versions before the tagged encoding, which every broker since 1.0
//! takes, those of today among them.

use super::bytes::{Reader, Writer};
use crate::EgressError;

/// A kind of request: its number, and the versions that are spoken here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Api {
    pub(super) key: i16,
    pub(super) name: &'static str,
    pub(super) oldest: i16,
    pub(super) newest: i16,
}

pub(super) const PRODUCE: Api = Api { key: 0, name: "Produce", oldest: 3, newest: 7 };
/// From version 4 on it says that no topic is to be made.
pub(super) const METADATA: Api = Api { key: 3, name: "Metadata", oldest: 4, newest: 7 };
pub(super) const SASL_HANDSHAKE: Api = Api { key: 17, name: "SaslHandshake", oldest: 1, newest: 1 };
pub(super) const API_VERSIONS: Api = Api { key: 18, name: "ApiVersions", oldest: 0, newest: 0 };
pub(super) const SASL_AUTHENTICATE: Api = Api { key: 36, name: "SaslAuthenticate", oldest: 0, newest: 1 };

/// A kind of request, and the oldest and newest version of it that a broker speaks.
type Spoken = (i16, i16, i16);

/// The code, and what a broker speaks.
pub(super) fn read_versions(answer: &[u8]) -> Result<(i16, Vec<Spoken>), EgressError> {
    let mut reader = Reader::new(answer);
    let code = reader.i16()?;
    let mut versions = Vec::new();
    for _ in 0..reader.count(6)? {
        versions.push((reader.i16()?, reader.i16()?, reader.i16()?));
    }
    Ok((code, versions))
}

/// Asks about one topic.
pub(super) fn metadata(topics: &[&str]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.len(topics.len());
    topics.iter().for_each(|topic| writer.text(topic));
    // Topics are the operator's to make.
    writer.bool(false);
    writer.written()
}

/// A broker as the cluster names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) id: i32,
    pub(super) host: String,
    pub(super) port: u16,
}

/// A topic's partitions: code and leader of each, in their order.
pub(super) struct TopicState {
    pub(super) name: String,
    pub(super) code: i16,
    pub(super) leaders: Vec<(i32, i32)>,
}

/// What a cluster says of itself.
pub(super) struct ClusterState {
    pub(super) nodes: Vec<Node>,
    pub(super) topics: Vec<TopicState>,
}

pub(super) fn read_metadata(answer: &[u8], version: i16) -> Result<ClusterState, EgressError> {
    let mut reader = Reader::new(answer);
    reader.i32()?;
    let mut nodes = Vec::new();
    for _ in 0..reader.count(12)? {
        let (id, host, port) = (reader.i32()?, reader.text()?, reader.i32()?);
        reader.text()?;
        nodes.push(Node { id, host, port: u16::try_from(port).unwrap_or(0) });
    }
    reader.text()?;
    reader.i32()?;
    let mut topics = Vec::new();
    for _ in 0..reader.count(9)? {
        let (code, name) = (reader.i16()?, reader.text()?);
        reader.i8()?;
        let mut leaders = Vec::new();
        for _ in 0..reader.count(18)? {
            reader.i16()?;
            leaders.push((reader.i32()?, reader.i32()?));
            if version >= 7 {
                reader.i32()?;
            }
            reader.skip_i32s()?;
            reader.skip_i32s()?;
            if version >= 5 {
                reader.skip_i32s()?;
            }
        }
        leaders.sort_unstable();
        topics.push(TopicState { name, code, leaders });
    }
    Ok(ClusterState { nodes, topics })
}

/// Batches for partitions of topics, to be acknowledged by every replica that keeps up.
pub(super) fn produce(batches: &[(&str, i32, Vec<u8>)], timeout_ms: i32) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.no_text();
    writer.i16(-1);
    writer.i32(timeout_ms);
    writer.len(batches.len());
    for (topic, partition, batch) in batches {
        writer.text(topic);
        writer.len(1);
        writer.i32(*partition);
        writer.bytes(batch);
    }
    writer.written()
}

/// What became of one batch.
pub(super) struct Produced {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) code: i16,
    /// Of its first record.
    pub(super) offset: i64,
}

/// What became of the batches, and how long the broker wants to be left alone, in milliseconds.
pub(super) fn read_produced(answer: &[u8], version: i16) -> Result<(Vec<Produced>, i32), EgressError> {
    let mut reader = Reader::new(answer);
    let mut produced = Vec::new();
    for _ in 0..reader.count(6)? {
        let topic = reader.text()?;
        for _ in 0..reader.count(22)? {
            let (partition, code, offset) = (reader.i32()?, reader.i16()?, reader.i64()?);
            reader.i64()?;
            if version >= 5 {
                reader.i64()?;
            }
            produced.push(Produced { topic: topic.clone(), partition, code, offset });
        }
    }
    Ok((produced, reader.i32()?))
}

pub(super) fn sasl_handshake(mechanism: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.text(mechanism);
    writer.written()
}

/// The code, and the mechanisms that the broker takes.
pub(super) fn read_handshake(answer: &[u8]) -> Result<(i16, Vec<String>), EgressError> {
    let mut reader = Reader::new(answer);
    let code = reader.i16()?;
    let mut mechanisms = Vec::new();
    for _ in 0..reader.count(2)? {
        mechanisms.push(reader.text()?);
    }
    Ok((code, mechanisms))
}

pub(super) fn sasl_authenticate(said: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(said);
    writer.written()
}

/// The code, and what the broker says.
pub(super) fn read_authenticated(answer: &[u8]) -> Result<(i16, Vec<u8>), EgressError> {
    let mut reader = Reader::new(answer);
    let code = reader.i16()?;
    // Its message may repeat the user.
    reader.text()?;
    Ok((code, reader.bytes()?.to_vec()))
}
