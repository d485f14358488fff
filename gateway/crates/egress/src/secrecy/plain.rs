//! A text with one layer of escapes taken off: those of JSON and of programs (`\u003d`, `\x3d`, `\/`, `\n`, `\075`), HTML's
//! (`&#x3D;`, `&#61;`, `&amp;`) and URLs' (`%3D`, `%u003D`). All at once, because a text does not say which it uses; what is
//! left unread stays as it is. A second layer is taken off by a second call.

/// Where each byte came from, by its first byte and the one behind its last.
pub(super) type Spans = Vec<(u32, u32)>;

/// Escapes of HTML that have a name. The others name letters that no secret has.
const NAMED: [(&str, u8); 36] = [
    ("amp", b'&'),
    ("lt", b'<'),
    ("gt", b'>'),
    ("quot", b'"'),
    ("apos", b'\''),
    ("nbsp", b' '),
    ("sol", b'/'),
    ("bsol", b'\\'),
    ("plus", b'+'),
    ("equals", b'='),
    ("num", b'#'),
    ("dollar", b'$'),
    ("percnt", b'%'),
    ("lpar", b'('),
    ("rpar", b')'),
    ("ast", b'*'),
    ("comma", b','),
    ("period", b'.'),
    ("colon", b':'),
    ("semi", b';'),
    ("quest", b'?'),
    ("commat", b'@'),
    ("lsqb", b'['),
    ("lbrack", b'['),
    ("rsqb", b']'),
    ("rbrack", b']'),
    ("Hat", b'^'),
    ("lowbar", b'_'),
    ("grave", b'`'),
    ("lcub", b'{'),
    ("lbrace", b'{'),
    ("verbar", b'|'),
    ("vert", b'|'),
    ("rcub", b'}'),
    ("excl", b'!'),
    ("hyphen", b'-'),
];

/// Could there be an escape?
pub(super) fn has_escapes(text: &[u8]) -> bool {
    memchr::memchr3(b'\\', b'&', b'%', text).is_some()
}

/// Takes one layer off into `plain`; false when there was none. With `spans` also says where each byte came from.
pub(super) fn unescape(text: &[u8], plain: &mut Vec<u8>, mut spans: Option<&mut Spans>) -> bool {
    plain.clear();
    if let Some(spans) = &mut spans {
        spans.clear();
    }
    let mut note = |from: usize, to: usize, times: usize| {
        if let Some(spans) = &mut spans {
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            spans.extend(std::iter::repeat_n((place(from), place(to)), times));
        }
    };
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        let next = memchr::memchr3(b'\\', b'&', b'%', &text[at..]).map_or(text.len(), |found| at + found);
        plain.extend_from_slice(&text[at..next]);
        (at..next).for_each(|byte| note(byte, byte + 1, 1));
        at = next;
        if at == text.len() {
            break;
        }
        let before = plain.len();
        let length = match escape(&text[at..]) {
            Some((read, length)) => {
                changed = true;
                let mut utf8 = [0; 4];
                plain.extend_from_slice(read.encode_utf8(&mut utf8).as_bytes());
                length
            }
            None => {
                plain.push(text[at]);
                1
            }
        };
        note(at, at + length, plain.len() - before);
        at += length;
    }
    changed
}

/// The escape at the beginning of a text, and its length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    match text[0] {
        b'\\' => backslash(text),
        b'%' => match text.get(1)? {
            b'u' | b'U' => Some((hex(text, 2, 4)?, 6)),
            // A byte that is half a character is not a letter or a digit either way.
            _ => Some((hex(text, 1, 2)?, 3)),
        },
        _ => entity(text),
    }
}

fn backslash(text: &[u8]) -> Option<(char, usize)> {
    let kind = *text.get(1)?;
    match kind {
        b'u' if text.get(2) == Some(&b'{') => {
            let digits = text[3..].iter().take(7).position(|byte| *byte == b'}')?;
            Some((hex(text, 3, digits)?, digits + 4))
        }
        b'u' => Some((hex(text, 2, 4)?, 6)),
        b'U' => Some((hex(text, 2, 8)?, 10)),
        b'x' => Some((hex(text, 2, 2)?, 4)),
        b'0'..=b'3' if text.len() > 3 && text[2..4].iter().all(|byte| (b'0'..=b'7').contains(byte)) => {
            let code = text[1..4].iter().fold(0_u32, |code, digit| code << 3 | u32::from(digit - b'0'));
            Some((char::from_u32(code)?, 4))
        }
        b'n' => Some(('\n', 2)),
        b't' => Some(('\t', 2)),
        b'r' => Some(('\r', 2)),
        b'b' | b'f' | b'v' | b'0' => Some((' ', 2)),
        byte if byte.is_ascii_alphanumeric() || !byte.is_ascii() => None,
        byte => Some((char::from(byte), 2)),
    }
}

fn entity(text: &[u8]) -> Option<(char, usize)> {
    if text.get(1) == Some(&b'#') {
        let hexadecimal = matches!(text.get(2), Some(b'x' | b'X'));
        let begin = if hexadecimal { 3 } else { 2 };
        let is_digit = |byte: &&u8| if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
        let digits = text[begin.min(text.len())..].iter().take(8).take_while(is_digit).count();
        let number = std::str::from_utf8(text.get(begin..begin + digits)?).ok()?;
        let code = u32::from_str_radix(number, if hexadecimal { 16 } else { 10 }).ok()?;
        let end = begin + digits;
        return Some((char::from_u32(code)?, end + usize::from(text.get(end) == Some(&b';'))));
    }
    let length = text.iter().take(9).position(|byte| *byte == b';')?;
    let name = &text[1..length];
    let (_, read) = NAMED.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some((char::from(*read), length + 1))
}

fn hex(text: &[u8], begin: usize, digits: usize) -> Option<char> {
    let number = text.get(begin..begin + digits)?;
    if number.is_empty() || !number.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    char::from_u32(u32::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plain(text: &str) -> String {
        let mut plain = Vec::new();
        unescape(text.as_bytes(), &mut plain, None);
        String::from_utf8(plain).unwrap()
    }

    #[test]
    fn each_escape_is_read() {
        for (text, read) in [
            (r"a\u003db\/c\x2Bd\n\101\u{3d}", "a=b/c+d\nA="),
            ("a&#x3D;b&#61;c&amp;d&Equals;e&#x3df", "a=b=c&d=e\u{3df}"),
            ("a%3db%3Dc%u003Dd", "a=b=c=d"),
            ("a%253db", "a%3db"),
            (r#"\"x\\u003d\""#, r#""x\u003d""#),
        ] {
            assert_eq!(plain(text), read, "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays_as_it_is() {
        for text in
            ["100% of R&D", r"C:\dir", "%", "&", "\\", "%4", "&#;", "&#x;", r"\u00g0", "a & b; c", "%zz", r"\u{}"]
        {
            assert_eq!(plain(text), text);
        }
        assert!(!has_escapes("plain, 人事部".as_bytes()));
        assert!(!unescape(b"100% of R&D", &mut Vec::new(), None));
    }

    #[test]
    fn every_byte_knows_where_it_came_from() {
        let (mut plain, mut spans) = (Vec::new(), Spans::new());
        assert!(unescape(br"a\u4eba=%3db", &mut plain, Some(&mut spans)));
        assert_eq!(String::from_utf8(plain).unwrap(), "a人==b");
        assert_eq!(spans, [(0, 1), (1, 7), (1, 7), (1, 7), (7, 8), (8, 11), (11, 12)]);
    }
}
