//! A batch of records as brokers keep it (message format 2), its checksum, and to which partition a key belongs.

use super::bytes::Writer;

/// One record.
#[derive(Clone)]
pub struct KafkaRecord {
    /// Where to.
    pub topic: String,
    /// Records of one key keep their order.
    pub key: Vec<u8>,
    /// Name and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What it says. Personal data.
    pub value: Vec<u8>,
    /// When what it tells of happened. Milliseconds since the epoch.
    pub at_ms: i64,
}

impl std::fmt::Debug for KafkaRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaRecord").field("topic", &self.topic).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl KafkaRecord {
    /// Bytes of its key, value and headers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.key.len() + self.value.len() + headers
    }
}

/// The batch of these records of one partition.
pub(super) fn batch(records: &[&KafkaRecord]) -> Vec<u8> {
    let first_ms = records.first().map_or(0, |record| record.at_ms);
    let last_ms = records.iter().map(|record| record.at_ms).max().unwrap_or(0);
    let count = i32::try_from(records.len()).unwrap_or(i32::MAX);
    let mut body = Writer::default();
    // Neither packed nor of a transaction.
    body.i16(0);
    body.i32(count - 1);
    body.i64(first_ms);
    body.i64(last_ms);
    // No producer that brokers count for: repeats are known by the event's id.
    body.i64(-1);
    body.i16(-1);
    body.i32(-1);
    body.i32(count);
    for (at, record) in (0_i64..).zip(records) {
        body.var_bytes(&one(record, at, record.at_ms.saturating_sub(first_ms)));
    }
    let body = body.written();
    let mut batch = Writer::default();
    batch.i64(0);
    batch.len(4 + 1 + 4 + body.len());
    batch.i32(-1);
    batch.i8(2);
    batch.i32(crc32c(&body) as i32);
    batch.raw(&body);
    batch.written()
}

fn one(record: &KafkaRecord, at: i64, later_ms: i64) -> Vec<u8> {
    let mut one = Writer::default();
    one.i8(0);
    one.varint(later_ms);
    one.varint(at);
    one.var_bytes(&record.key);
    one.var_bytes(&record.value);
    one.varint(i64::try_from(record.headers.len()).unwrap_or(0));
    for (name, value) in &record.headers {
        one.var_bytes(name.as_bytes());
        one.var_bytes(value);
    }
    one.written()
}

/// The Castagnoli polynomial, its bits in reverse.
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

/// The partition of a key among so many: the one that the Java client's default would take, so that other producers of the same key
/// meet in it.
pub(super) fn partition_of(key: &[u8], count: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % count.max(1)
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in words.by_ref() {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn a_key_has_the_partition_that_the_java_client_gives_it() {
        // Of the tests of that client.
        let cases: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key) as i32, hash, "{}", String::from_utf8_lossy(key));
        }
        assert!((0..9).contains(&partition_of(b"foobar", 9)));
    }

    #[test]
    fn a_record_shows_its_size_and_not_what_it_says() {
        let record = KafkaRecord {
            topic: "t".into(),
            key: b"k".to_vec(),
            headers: vec![("a".into(), b"b".to_vec())],
            value: b"secret".to_vec(),
            at_ms: 1,
        };
        let shown = format!("{record:?}");
        assert!(shown.contains("bytes: 9") && !shown.contains("secret"), "{shown}");
    }
}
