//! From the interpreter's module and a mapping to a module of its own: the mapping becomes a data segment in pages of memory that are added
//! for it, and the interpreter is told where it lies. What comes out is an ordinary module.

use std::borrow::Cow;
use std::ops::Range;

use crate::language::Document;
use wasm_encoder::{
    DataCountSection, DataSection, DataSegment, DataSegmentMode, MemorySection, MemoryType, Module, RawSection,
    SectionId,
};
use wasmparser::{DataKind, Operator, Parser, Payload};

/// The bytes by which the place is found; address and length follow them. `embedded` has the same.
const MARK: &[u8] = b"renmen:mapping-stands-at";
/// Bytes of a page of memory.
const PAGE: u64 = 65_536;

/// What the connector does: the gateway takes no component that could do more than its manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// It reads.
    pub streams: bool,
    /// It writes.
    pub actions: bool,
    /// It takes deliveries.
    pub webhook: bool,
}

impl Offers {
    /// What a mapping has.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        Self {
            streams: !document.streams.is_empty(),
            actions: !document.actions.is_empty(),
            webhook: document.webhook.is_some(),
        }
    }

    /// Is this section of the module the description of something that the connector does not do? The functions themselves may stay:
    /// the component exports what is described and nothing else.
    fn leaves_out(self, section: &str) -> bool {
        let parts = [
            (self.streams, "renmen:sdk-reader:reader:"),
            (self.actions, "renmen:sdk-writer:writer:"),
            (self.webhook, "renmen:sdk-listener:listener:"),
        ];
        parts.iter().any(|(offered, part)| !offered && section.starts_with("component-type:") && section.contains(part))
    }
}

/// Puts a mapping, as [`author::read`](crate::author::read) made it, into the interpreter's module.
///
/// # Errors
/// A module that is not the interpreter's.
pub fn embed(module: &[u8], mapping: &[u8], offers: Offers) -> Result<Vec<u8>, String> {
    let found = Found::of(module, offers)?;
    let memory = found.memory.ok_or("the interpreter's module has no memory of its own")?;
    let address = memory.minimum * PAGE;
    let length = mapping.len() as u64;
    let place = Place { address: narrow(address)?, length: narrow(length)? };
    let pages = length.div_ceil(PAGE);
    let grown = MemoryType {
        minimum: memory.minimum + pages,
        maximum: memory.maximum.map(|maximum| maximum.max(memory.minimum + pages)),
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    let mut made = Module::new();
    let mut told = 0;
    for (id, range) in found.sections {
        if id == SectionId::Memory as u8 {
            made.section(MemorySection::new().memory(grown));
        } else if id == SectionId::DataCount as u8 {
            made.section(&DataCountSection { count: u32::try_from(found.data.len() + 1).unwrap_or(u32::MAX) });
        } else if id == SectionId::Data as u8 {
            let mut data = DataSection::new();
            for segment in &found.data {
                told += segment.copy(module, place, &mut data);
            }
            let offset = wasm_encoder::ConstExpr::i32_const(place.address.cast_signed());
            let mode = DataSegmentMode::Active { memory_index: 0, offset: &offset };
            data.segment(DataSegment { mode, data: mapping.iter().copied() });
            made.section(&data);
        } else {
            made.section(&RawSection { id, data: &module[range] });
        }
    }
    match told {
        1 => Ok(made.finish()),
        _ => Err(format!("the place for a mapping stands {told} times in the interpreter's module; expected once")),
    }
}

fn narrow(number: u64) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| "more than a connector's memory can hold".to_owned())
}

#[derive(Clone, Copy)]
struct Place {
    address: u32,
    length: u32,
}

/// What is needed of a module.
#[derive(Default)]
struct Found {
    /// Each section: its number, and where its content lies.
    sections: Vec<(u8, Range<usize>)>,
    memory: Option<Memory>,
    data: Vec<Segment>,
}

#[derive(Clone, Copy)]
struct Memory {
    minimum: u64,
    maximum: Option<u64>,
}

/// A piece of data, and where in memory it goes; none for one that the code copies itself.
struct Segment {
    offset: Option<i32>,
    range: Range<usize>,
}

impl Found {
    fn of(module: &[u8], offers: Offers) -> Result<Self, String> {
        let unread = |error| format!("the interpreter's module cannot be read: {error}");
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.map_err(unread)?;
            match &payload {
                Payload::MemorySection(section) => {
                    for memory in section.clone() {
                        let memory = memory.map_err(unread)?;
                        found.memory = Some(Memory { minimum: memory.initial, maximum: memory.maximum });
                    }
                }
                Payload::DataSection(section) => {
                    for segment in section.clone() {
                        let segment = segment.map_err(unread)?;
                        let end = segment.range.end;
                        let range = end - segment.data.len()..end;
                        let offset = match segment.kind {
                            DataKind::Passive => None,
                            DataKind::Active { offset_expr, .. } => {
                                match offset_expr.get_operators_reader().read().map_err(unread)? {
                                    Operator::I32Const { value } => Some(value),
                                    _ => {
                                        return Err(
                                            "data of the interpreter stand at a place that is not a number".to_owned()
                                        );
                                    }
                                }
                            }
                        };
                        found.data.push(Segment { offset, range });
                    }
                }
                Payload::CustomSection(section) if offers.leaves_out(section.name()) => continue,
                _ => {}
            }
            found.sections.extend(payload.as_section());
        }
        Ok(found)
    }
}

impl Segment {
    /// Adds the piece, with the place written behind the mark; gives how often that stood in it.
    fn copy(&self, module: &[u8], place: Place, data: &mut DataSection) -> usize {
        let mut bytes = Cow::Borrowed(&module[self.range.clone()]);
        let marks: Vec<usize> =
            bytes.windows(MARK.len()).enumerate().filter(|(_, at)| *at == MARK).map(|(at, _)| at).collect();
        for at in &marks {
            let behind = at + MARK.len();
            if let Some(free) = bytes.to_mut().get_mut(behind..behind + 8) {
                free[..4].copy_from_slice(&place.address.to_le_bytes());
                free[4..].copy_from_slice(&place.length.to_le_bytes());
            }
        }
        match self.offset {
            None => data.passive(bytes.iter().copied()),
            Some(offset) => data.active(0, &wasm_encoder::ConstExpr::i32_const(offset), bytes.iter().copied()),
        };
        marks.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use wasm_encoder::{ConstExpr, CustomSection};

    use super::*;

    /// A module with two pages of memory and some data.
    fn module(data: &[u8]) -> Vec<u8> {
        begun(data).finish()
    }

    fn begun(data: &[u8]) -> Module {
        let mut module = Module::new();
        let memory = MemoryType { minimum: 2, maximum: Some(2), memory64: false, shared: false, page_size_log2: None };
        module.section(MemorySection::new().memory(memory));
        module.section(&DataCountSection { count: 2 });
        let mut section = DataSection::new();
        section.active(0, &ConstExpr::i32_const(1024), data.iter().copied());
        section.passive(*b"passive");
        module.section(&section);
        module.section(&CustomSection { name: "kept".into(), data: Cow::Borrowed(b"as it is") });
        module
    }

    const ALL: Offers = Offers { streams: true, actions: true, webhook: true };

    fn marked() -> Vec<u8> {
        [b"before", MARK, &[0; 8], b"after"].concat()
    }

    #[test]
    fn a_mapping_lies_behind_the_memory_of_the_interpreter_and_the_place_says_where() {
        let mapping = vec![b'm'; 70_000];
        let made = embed(&module(&marked()), &mapping, ALL).unwrap();
        let found = Found::of(&made, ALL).unwrap();
        let memory = found.memory.unwrap();
        assert_eq!((memory.minimum, memory.maximum), (4, Some(4)), "two pages for 70,000 bytes");
        let told = &made[found.data[0].range.clone()];
        let expected = [&b"before"[..], MARK, &131_072_u32.to_le_bytes(), &70_000_u32.to_le_bytes(), b"after"].concat();
        assert_eq!(told, expected);
        assert_eq!(found.data[1].offset, None);
        assert_eq!((found.data[2].offset, &made[found.data[2].range.clone()]), (Some(131_072), mapping.as_slice()));
        assert!(made.windows(8).any(|bytes| bytes == b"as it is"), "custom sections stay");
        assert_eq!(embed(&module(&marked()), &mapping, ALL).unwrap(), made, "the same makes the same");
    }

    #[test]
    fn what_a_connector_does_not_do_is_not_described() {
        let mut whole = begun(&marked());
        let parts =
            ["reader:reader", "writer:writer", "listener:listener", "writer:writer-with-all-of-its-exports-removed"];
        for part in parts {
            let name = format!("component-type:x:renmen:sdk-{part}:y");
            whole.section(&CustomSection { name: name.into(), data: Cow::Borrowed(b"") });
        }
        let whole = whole.finish();
        let described = |offers: Offers| {
            let made = embed(&whole, b"{}", offers).unwrap();
            parts.map(|part| made.windows(part.len() + 2).any(|bytes| bytes == format!("{part}:y").as_bytes()))
        };
        assert_eq!(described(ALL), [true, true, true, true]);
        assert_eq!(described(Offers { actions: false, webhook: false, ..ALL }), [true, false, false, true]);
        assert_eq!(described(Offers { streams: false, ..ALL }), [false, true, true, true]);
    }

    #[test]
    fn a_module_that_is_not_the_interpreters_is_refused() {
        assert!(embed(&module(b"nothing"), b"{}", ALL).unwrap_err().contains("0 times"));
        assert!(embed(&module(&[marked(), marked()].concat()), b"{}", ALL).unwrap_err().contains("2 times"));
        assert!(embed(&Module::new().finish(), b"{}", ALL).unwrap_err().contains("no memory"));
        assert!(embed(b"not wasm", b"{}", ALL).is_err());
    }
}
