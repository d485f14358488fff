//! A workbook's own parts: its sheets, its texts and its number formats.

use std::collections::HashMap;

use super::format::{self, Format};
use super::parts::{Parts, Tag, Xml, attribute, flag, unescaped};

/// What a workbook says outside its sheets.
pub(super) struct Book {
    /// Name and part of each sheet with cells, in order, and whether people see it.
    pub(super) sheets: Vec<Sheet>,
    /// Serials count from 1904.
    pub(super) from_1904: bool,
    /// It asks to be calculated when it is opened: its writer has not done so.
    pub(super) uncalculated: bool,
    /// The texts that cells name by number.
    pub(super) texts: Vec<String>,
    /// The format of each style that cells name by number.
    pub(super) formats: Vec<Format>,
}

pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) part: String,
    pub(super) visible: bool,
}

pub(super) fn read(parts: &mut Parts<'_>) -> Result<Book, String> {
    let main = links(parts, "_rels/.rels", "")?
        .into_values()
        .find(|link| link.kind == "officeDocument")
        .map_or_else(|| "xl/workbook.xml".to_owned(), |link| link.part);
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
    let links = links(parts, &format!("{folder}/_rels/{file}.rels"), folder)?;
    let xml = parts.open(&main)?.ok_or("not a workbook that can be read: save it as XLSX")?;
    let mut book = sheets(xml, &links)?;
    let part = |kind: &str, usual: &str| {
        links
            .values()
            .find(|link| link.kind == kind)
            .map_or_else(|| format!("{folder}/{usual}"), |link| link.part.clone())
    };
    if let Some(xml) = parts.open(&part("sharedStrings", "sharedStrings.xml"))? {
        book.texts = texts(xml)?;
    }
    if let Some(xml) = parts.open(&part("styles", "styles.xml"))? {
        book.formats = formats(xml)?;
    }
    Ok(book)
}

/// The sheets of a workbook, and how it counts and calculates.
fn sheets(mut xml: Xml<'_>, links: &HashMap<String, Link>) -> Result<Book, String> {
    let mut book =
        Book { sheets: Vec::new(), from_1904: false, uncalculated: false, texts: Vec::new(), formats: Vec::new() };
    loop {
        match xml.next()? {
            Tag::Start(start) => match start.local_name().as_ref() {
                b"workbookPr" => book.from_1904 = flag(&start, "date1904"),
                b"calcPr" => book.uncalculated = flag(&start, "fullCalcOnLoad"),
                b"sheet" => {
                    let link = attribute(&start, "id").and_then(|id| links.get(&id));
                    if let Some(link) = link.filter(|link| link.kind == "worksheet") {
                        let visible = attribute(&start, "state").is_none_or(|state| state == "visible");
                        let name = attribute(&start, "name").unwrap_or_default();
                        book.sheets.push(Sheet { name, part: link.part.clone(), visible });
                    }
                }
                _ => {}
            },
            Tag::Done => return Ok(book),
            _ => {}
        }
    }
}

struct Link {
    /// The last part of its type's address.
    kind: String,
    part: String,
}

/// The parts that one names, by id.
fn links(parts: &mut Parts<'_>, of: &str, folder: &str) -> Result<HashMap<String, Link>, String> {
    let mut links = HashMap::new();
    let Some(mut xml) = parts.open(of)? else { return Ok(links) };
    loop {
        match xml.next()? {
            Tag::Start(start) if start.local_name().as_ref() == b"Relationship" => {
                let (Some(id), Some(kind), Some(target)) =
                    (attribute(&start, "Id"), attribute(&start, "Type"), attribute(&start, "Target"))
                else {
                    continue;
                };
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                let part = match target.strip_prefix('/') {
                    Some(whole) => whole.to_owned(),
                    None if folder.is_empty() => target,
                    None => format!("{folder}/{}", target.trim_start_matches("./")),
                };
                links.insert(id, Link { kind, part });
            }
            Tag::Done => return Ok(links),
            _ => {}
        }
    }
}

/// Each text without its reading aids (phonetic runs).
fn texts(mut xml: Xml<'_>) -> Result<Vec<String>, String> {
    let (mut texts, mut text, mut within, mut aids) = (Vec::new(), String::new(), false, 0);
    loop {
        match xml.next()? {
            Tag::Start(start) => match start.local_name().as_ref() {
                b"si" => text.clear(),
                b"rPh" => aids += 1,
                b"t" => within = aids == 0,
                _ => {}
            },
            Tag::Text(part) if within => text.push_str(&part),
            Tag::End(end) => match end.local_name().as_ref() {
                b"t" => within = false,
                b"rPh" => aids -= 1,
                b"si" => texts.push(unescaped(&text)),
                _ => {}
            },
            Tag::Done => return Ok(texts),
            Tag::Text(_) | Tag::Other => {}
        }
    }
}

/// The number format of each cell style.
fn formats(mut xml: Xml<'_>) -> Result<Vec<Format>, String> {
    let (mut own, mut formats, mut within) = (HashMap::new(), Vec::new(), false);
    loop {
        match xml.next()? {
            Tag::Start(start) => match start.local_name().as_ref() {
                b"numFmt" => {
                    let id: Option<u32> = attribute(&start, "numFmtId").and_then(|id| id.parse().ok());
                    if let (Some(id), Some(code)) = (id, attribute(&start, "formatCode")) {
                        own.insert(id, format::of_code(&code));
                    }
                }
                b"cellXfs" => within = true,
                b"xf" if within => {
                    let id = attribute(&start, "numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                    formats.push(own.get(&id).copied().unwrap_or_else(|| format::builtin(id)));
                }
                _ => {}
            },
            Tag::End(end) if end.local_name().as_ref() == b"cellXfs" => within = false,
            Tag::Done => return Ok(formats),
            _ => {}
        }
    }
}
