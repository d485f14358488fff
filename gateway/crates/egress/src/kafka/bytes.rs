//! The protocol's numbers, texts and lists, written and read. What a broker says is read within its bounds and never trusted.

use crate::EgressError;

/// A broker's answer is not as the protocol says.
pub(super) fn garbled(what: &str) -> EgressError {
    EgressError::Unavailable(format!("the broker does not speak the Kafka protocol as it should: {what}"))
}

/// Builds a request.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn i8(&mut self, value: i8) {
        self.0.extend(value.to_be_bytes());
    }

    pub(super) fn i16(&mut self, value: i16) {
        self.0.extend(value.to_be_bytes());
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.0.extend(value.to_be_bytes());
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.0.extend(value.to_be_bytes());
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// A count of what follows; nothing here is longer than the protocol can say.
    pub(super) fn len(&mut self, len: usize) {
        self.i32(i32::try_from(len).unwrap_or(i32::MAX));
    }

    /// A text. One that is too long for the protocol is cut, and then unknown to the broker.
    pub(super) fn text(&mut self, text: &str) {
        let bytes = &text.as_bytes()[..text.len().min(i16::MAX as usize)];
        self.i16(i16::try_from(bytes.len()).unwrap_or(i16::MAX));
        self.0.extend(bytes);
    }

    pub(super) fn no_text(&mut self) {
        self.i16(-1);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.0.extend(bytes);
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// A number in seven bits a byte, small ones of either sign in few.
    pub(super) fn varint(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            self.0.push((rest as u8 & 0x7f) | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// Bytes with their count as a varint.
    pub(super) fn var_bytes(&mut self, bytes: &[u8]) {
        self.varint(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.extend(bytes);
    }

    pub(super) fn written(self) -> Vec<u8> {
        self.0
    }
}

/// Reads an answer.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], EgressError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| garbled("an answer ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EgressError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn i8(&mut self) -> Result<i8, EgressError> {
        self.array().map(i8::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, EgressError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, EgressError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, EgressError> {
        self.array().map(i64::from_be_bytes)
    }

    /// A list's count, which its bytes can hold; a missing list is empty.
    pub(super) fn count(&mut self, item_bytes_min: usize) -> Result<usize, EgressError> {
        let count = usize::try_from(self.i32()?.max(0)).unwrap_or(0);
        if count.saturating_mul(item_bytes_min) > self.0.len() {
            return Err(garbled("a list is longer than its answer"));
        }
        Ok(count)
    }

    /// A text; a missing one is empty.
    pub(super) fn text(&mut self) -> Result<String, EgressError> {
        let len = usize::try_from(self.i16()?.max(0)).unwrap_or(0);
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| garbled("a text is not UTF-8"))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], EgressError> {
        let len = usize::try_from(self.i32()?.max(0)).unwrap_or(0);
        self.take(len)
    }

    /// Passes over a list of numbers.
    pub(super) fn skip_i32s(&mut self) -> Result<(), EgressError> {
        let count = self.count(4)?;
        self.take(count * 4).map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_ends_too_early_is_refused() {
        let mut writer = Writer::default();
        writer.i8(-1);
        writer.i16(-2);
        writer.i32(3);
        writer.i64(-4);
        writer.text("张");
        writer.no_text();
        writer.bytes(b"ab");
        writer.len(1);
        writer.i32(7);
        let written = writer.written();
        let mut reader = Reader::new(&written);
        assert_eq!((reader.i8().unwrap(), reader.i16().unwrap()), (-1, -2));
        assert_eq!((reader.i32().unwrap(), reader.i64().unwrap()), (3, -4));
        assert_eq!((reader.text().unwrap(), reader.text().unwrap()), ("张".to_owned(), String::new()));
        assert_eq!(reader.bytes().unwrap(), b"ab");
        reader.skip_i32s().unwrap();
        assert!(reader.i8().is_err());
        assert!(Reader::new(&[0x7f, 0xff, 0xff, 0xff]).count(1).is_err(), "a count alone reserves nothing");
    }

    #[test]
    fn a_varint_is_as_protocol_buffers_have_it() {
        let of = |value| {
            let mut writer = Writer::default();
            writer.varint(value);
            writer.written()
        };
        assert_eq!((of(0), of(-1), of(1), of(63)), (vec![0], vec![1], vec![2], vec![126]));
        assert_eq!((of(64), of(300)), (vec![0x80, 1], vec![0xd8, 4]));
        assert_eq!(of(i64::MIN).len(), 10);
    }
}
