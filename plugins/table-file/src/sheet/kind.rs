//! Files that are not tables which can be read: each refused by what it is.

use super::parts::Parts;

/// By a file's first bytes: none is a table, or a workbook.
pub(super) fn of_bytes(file: &str, bytes: &[u8]) -> Option<String> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Some(of_compound(file, bytes));
    }
    if starts(b"%PDF") {
        return Some("a PDF; export the table as XLSX or CSV".to_owned());
    }
    let utf16 = starts(&[0xFF, 0xFE]) || starts(&[0xFE, 0xFF]);
    if !starts(b"PK\x03\x04") && !utf16 && bytes.contains(&0) {
        return Some("neither a workbook nor a text; export the table as XLSX or CSV".to_owned());
    }
    None
}

/// The container of old spreadsheets and of workbooks with a password names its content in UTF-16.
fn of_compound(file: &str, bytes: &[u8]) -> String {
    let holds = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(name.len()).any(|window| window == name)
    };
    if holds("EncryptedPackage") {
        "a workbook with a password; save it without one".to_owned()
    } else if file.to_ascii_lowercase().ends_with(".et") {
        "a table of WPS (.et); save it as XLSX".to_owned()
    } else if holds("Workbook") || holds("Book") {
        "an old XLS workbook; save it as XLSX".to_owned()
    } else {
        "an old Office file (XLS or alike), or a file with a password; save it as XLSX without one".to_owned()
    }
}

/// By the parts of an archive.
pub(super) fn of_archive(parts: &Parts<'_>) -> Option<String> {
    if parts.name("xl/workbook.bin").is_some() {
        return Some("a binary workbook (XLSB); save it as XLSX".to_owned());
    }
    if parts.name("content.xml").is_some() {
        return Some("an OpenDocument table (ODS); save it as XLSX".to_owned());
    }
    if parts.name("[Content_Types].xml").is_none() && parts.name("xl/workbook.xml").is_none() {
        return Some(
            "a ZIP archive that is not a workbook; put the files in it into the directory one by one".to_owned(),
        );
    }
    None
}

/// By the beginning of a text: a web page or an XML table under the name of a spreadsheet.
pub(super) fn of_text(text: &str) -> Option<String> {
    let start: String = text.trim_start().chars().take(2048).collect::<String>().to_ascii_lowercase();
    if start.starts_with("mime-version:") {
        return Some("a web page saved as an archive (MHTML); save it as XLSX or CSV".to_owned());
    }
    if !start.starts_with('<') {
        return None;
    }
    Some(if ["<html", "<!doctype html", "<table", "<head", "<meta"].iter().any(|tag| start.contains(tag)) {
        "a web page (HTML) under the name of a table; open it in a spreadsheet and save it as XLSX".to_owned()
    } else {
        "an XML file, not a CSV; open it in a spreadsheet and save it as XLSX".to_owned()
    })
}
