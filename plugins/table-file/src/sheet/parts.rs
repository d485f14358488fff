//! The parts of a workbook: unpacked within a limit while they are read, and their XML read without any of it in an error. A part is never in
//! memory as a whole: that of a sheet is ten times as long as its file.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::{self, BufReader, Cursor, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;

/// The archive, and how much may still come out of it.
pub(super) struct Parts<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    unpacked_bytes_max: u64,
    left: u64,
}

const DAMAGED: &str = "a damaged ZIP archive: save the workbook again";
const BROKEN: &str = "a workbook whose XML is damaged: save it again";

impl<'a> Parts<'a> {
    pub(super) fn of(bytes: &'a [u8], unpacked_bytes_max: u64) -> Result<Self, String> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| DAMAGED.to_owned())?;
        Ok(Self { archive, unpacked_bytes_max, left: unpacked_bytes_max })
    }

    /// Is there such a part? Case does not count, and some programs write `\` for `/`.
    pub(super) fn name(&self, wanted: &str) -> Option<String> {
        let wanted = wanted.trim_start_matches('/');
        self.archive.file_names().find(|name| name.replace('\\', "/").eq_ignore_ascii_case(wanted)).map(str::to_owned)
    }

    /// Begins to read a part.
    pub(super) fn open(&mut self, wanted: &str) -> Result<Option<Xml<'_>>, String> {
        let Some(name) = self.name(wanted) else { return Ok(None) };
        let part = self.archive.by_name(&name).map_err(|_| DAMAGED.to_owned())?;
        let (left, max) = (&mut self.left, self.unpacked_bytes_max);
        Ok(Some(Xml::of(Unpacked { part: Box::new(part), left, max })))
    }
}

/// A part while it is unpacked. Counts what really comes out: what an archive says of its sizes is its own word.
struct Unpacked<'p> {
    part: Box<dyn Read + 'p>,
    left: &'p mut u64,
    max: u64,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(bytes)?;
        *self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TooLarge(self.max)))?;
        Ok(read)
    }
}

/// More comes out than may.
#[derive(Debug)]
struct TooLarge(u64);

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unpacks to more than limits.unpacked_bytes_max = {} bytes", self.0)
    }
}

impl Error for TooLarge {}

fn told(error: &quick_xml::Error) -> String {
    let quick_xml::Error::Io(error) = error else { return BROKEN.to_owned() };
    match error.get_ref().and_then(|error| error.downcast_ref::<TooLarge>()) {
        Some(too_large) => too_large.to_string(),
        None => DAMAGED.to_owned(),
    }
}

/// What a part says, tag by tag. An empty element is told as its beginning and its end.
pub(super) enum Tag<'a> {
    Start(BytesStart<'a>),
    End(BytesEnd<'a>),
    Text(Cow<'a, str>),
    /// A comment and the like.
    Other,
    Done,
}

/// Reads the XML of a part.
pub(super) struct Xml<'p> {
    reader: Reader<BufReader<Unpacked<'p>>>,
    /// The event that was read last.
    event: Vec<u8>,
    open: usize,
}

impl<'p> Xml<'p> {
    fn of(part: Unpacked<'p>) -> Self {
        let mut reader = Reader::from_reader(BufReader::new(part));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, event: Vec::new(), open: 0 }
    }

    /// The next tag or text; a document that ends within an element is refused.
    pub(super) fn next(&mut self) -> Result<Tag<'_>, String> {
        let broken = |_| BROKEN.to_owned();
        self.event.clear();
        Ok(match self.reader.read_event_into(&mut self.event).map_err(|error| told(&error))? {
            Event::Start(start) => {
                self.open += 1;
                Tag::Start(start)
            }
            Event::End(end) => {
                self.open = self.open.saturating_sub(1);
                Tag::End(end)
            }
            Event::Text(text) => Tag::Text(text.xml10_content().map_err(broken)?),
            Event::CData(text) => Tag::Text(text.xml10_content().map_err(broken)?),
            Event::GeneralRef(reference) => {
                let of_number = reference.resolve_char_ref().map_err(|_| BROKEN.to_owned())?;
                let name = reference.decode().map_err(broken)?;
                let text = match of_number {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name).ok_or(BROKEN)?.to_owned(),
                };
                Tag::Text(Cow::Owned(text))
            }
            Event::Eof if self.open > 0 => return Err(BROKEN.to_owned()),
            Event::Eof => Tag::Done,
            _ => Tag::Other,
        })
    }
}

/// An attribute by its name without a prefix.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start
        .attributes()
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|attribute| attribute.key.local_name().as_ref() == name.as_bytes())?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
}

/// Is an attribute set to yes?
pub(super) fn flag(start: &BytesStart<'_>, name: &str) -> bool {
    attribute(start, name).is_some_and(|value| value == "1" || value == "true")
}

/// `_x000D_` stands for a character that XML cannot hold.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.get(6..7) == Some("_"));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &rest[7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    out
}
