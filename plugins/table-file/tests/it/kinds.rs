//! Files that are not tables: left out, or refused by what they are, with nothing of them in the words.

use crate::world::{Drop, archive, ids, refused, slips};

const GOOD: &str = "期间,工号,应发,实发,奖金\n2025-03,E1,9000,8000,500\n";

#[test]
fn lock_files_hidden_files_and_files_under_way_are_left_out() {
    let mut drop = Drop::default();
    for name in [
        "~$pay.xlsx",
        ".~lock.pay.xlsx#",
        ".pay.csv",
        "._pay.csv",
        "pay.csv.tmp",
        "pay.csv.part",
        "pay.csv.crdownload",
        "PAY.TMP",
    ] {
        drop = drop.with(name, "\u{7}owner");
    }
    let run =
        drop.with("pay.csv", GOOD).with("~pay.csv", GOOD.replace("E1", "E2")).run(&slips(), "payroll_records", None);
    assert_eq!(ids(&run.unwrap()), ["2025-03|E1", "2025-03|E2"]);
}

#[test]
fn every_other_kind_of_file_is_refused_by_what_it_is() {
    let compound = |content: &str| -> Vec<u8> {
        let content = content.encode_utf16().flat_map(u16::to_le_bytes);
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1].into_iter().chain(content).collect()
    };
    let cases: [(&str, Vec<u8>, &str); 13] = [
        ("a.xls", compound("Workbook"), "an old XLS workbook"),
        ("a.et", compound("Workbook"), "a table of WPS (.et)"),
        ("a.xlsx", compound("EncryptedPackage"), "a workbook with a password"),
        ("a.doc", compound("WordDocument"), "an old Office file"),
        ("a.xls", b"<html><body><table><tr><td>secret".to_vec(), "a web page (HTML)"),
        ("a.xls", "\u{feff}\r\n <META charset=utf-8><table>".as_bytes().to_vec(), "a web page (HTML)"),
        ("a.xls", b"<?xml version=\"1.0\"?><Workbook>".to_vec(), "an XML file"),
        ("a.xls", b"MIME-Version: 1.0\r\nContent-Type: multipart/related".to_vec(), "a web page saved as an archive"),
        ("a.xlsb", archive(&[("[Content_Types].xml", ""), ("xl/workbook.bin", "x")]), "a binary workbook (XLSB)"),
        ("a.ods", archive(&[("mimetype", "x"), ("content.xml", "<x/>")]), "an OpenDocument table"),
        ("a.zip", archive(&[("secret.csv", GOOD)]), "a ZIP archive that is not a workbook"),
        ("a.pdf", b"%PDF-1.7".to_vec(), "a PDF"),
        ("a.bin", b"\x01\x02secret\x00\x03".to_vec(), "neither a workbook nor a text"),
    ];
    for (name, bytes, words) in cases {
        let reason = refused(&slips(), name, bytes);
        assert!(reason.starts_with(&format!("{name}: {words}")), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[test]
fn a_file_without_its_header_is_refused_without_a_word_of_what_stands_in_it() {
    let reason = refused(&slips(), "pay", "2025-03,110101199003078515,王小明,38500.00,离职补偿\n");
    assert_eq!(
        reason,
        "pay: no column `期间` among the 5 of the header; correct `column` or `key`, or `skip_rows` and `header_rows` if the \
         header is elsewhere"
    );
}
