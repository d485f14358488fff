//! Where a request's head ends and its body ends, byte by byte, next to the HTTP library: to refuse what two readers
//! could read in two ways. A proxy in front and this server must never disagree about where a request ends.
//!
//! The library takes a line that ends with a line feed alone; here it is refused. And where more bytes come than the
//! request has, or where only the library knows its end (a body in chunks), no further request is read from the
//! connection: what a proxy may have taken for a part of one request never becomes another.

/// What no head may hold: the library refuses the request that has it.
const FORBIDDEN: u8 = 0;

/// What the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Of a head, from its first byte on.
    Head {
        /// Something other than an empty line was seen.
        begun: bool,
        /// The line that is being read holds nothing yet.
        line_empty: bool,
    },
    /// Behind a head that the library has not passed on yet.
    Behind { bytes: u64 },
    /// Of a body with so many bytes to come.
    Body { left: u64 },
    /// It cannot be told what the bytes belong to.
    Unknown,
}

const HEAD: Part = Part::Head { begun: false, line_empty: true };

/// What is known of one connection's bytes.
#[derive(Debug)]
pub(super) struct Framing {
    part: Part,
    last: u8,
    /// An answer is under way.
    answering: bool,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self { part: HEAD, last: 0, answering: false }
    }

    /// Bytes that came. Those of a head that no head may hold are made such that the library refuses them.
    pub(super) fn received(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match self.part {
                Part::Head { .. } => at = self.head(bytes, at),
                Part::Behind { bytes: before } => {
                    self.part = Part::Behind { bytes: before + (bytes.len() - at) as u64 };
                    return;
                }
                Part::Body { left } => {
                    let taken = left.min((bytes.len() - at) as u64);
                    self.part = Part::Body { left: left - taken };
                    at += usize::try_from(taken).unwrap_or(bytes.len());
                    if at < bytes.len() {
                        // Behind the body comes the next head, but not before this request was answered.
                        self.part = if self.answering { Part::Unknown } else { HEAD };
                    }
                }
                Part::Unknown => return,
            }
        }
    }

    /// Reads on in a head; where its rest begins.
    fn head(&mut self, bytes: &mut [u8], from: usize) -> usize {
        let Part::Head { mut begun, mut line_empty } = self.part else { return from };
        for (at, byte) in bytes.iter_mut().enumerate().skip(from) {
            let before = std::mem::replace(&mut self.last, *byte);
            match *byte {
                b'\n' if before != b'\r' => *byte = FORBIDDEN,
                b'\n' if begun && line_empty => {
                    self.part = Part::Behind { bytes: 0 };
                    return at + 1;
                }
                b'\n' => line_empty = true,
                b'\r' => {}
                _ => (begun, line_empty) = (true, false),
            }
        }
        self.part = Part::Head { begun, line_empty };
        bytes.len()
    }

    /// The library passed a head on, whose body has so many bytes; none when it is sent in chunks. False: it stands where no
    /// head may be, and must not be answered.
    pub(super) fn began(&mut self, body: Option<u64>) -> bool {
        self.answering = true;
        let Part::Behind { bytes } = self.part else { return false };
        self.part = match body.and_then(|length| length.checked_sub(bytes)) {
            Some(left) => Part::Body { left },
            None => Part::Unknown,
        };
        true
    }

    /// May a further request follow on this connection?
    pub(super) fn may_go_on(&self) -> bool {
        matches!(self.part, Part::Body { .. })
    }

    /// The request was answered. What comes next is the rest of its body, then a head.
    pub(super) fn answered(&mut self) {
        self.answering = false;
        if self.part == (Part::Body { left: 0 }) {
            self.part = HEAD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds text in pieces of each size; what it became.
    fn fed(framing: &mut Framing, text: &str, piece: usize) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for piece in bytes.chunks_mut(piece) {
            framing.received(piece);
        }
        bytes
    }

    #[test]
    fn a_whole_head_passes_as_it_is_and_a_lone_line_feed_does_not() {
        let good = "\r\nPOST /x HTTP/1.1\r\nhost: a\r\n\r\n";
        for piece in 1..good.len() {
            assert_eq!(fed(&mut Framing::new(), good, piece), good.as_bytes(), "{piece}");
        }
        for bad in
            ["GET / HTTP/1.1\nhost: a\r\n\r\n", "\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n"]
        {
            for piece in 1..bad.len() {
                assert!(fed(&mut Framing::new(), bad, piece).contains(&FORBIDDEN), "{bad:?} in {piece}");
            }
        }
        // An empty line of a line feed alone ends no head either.
        assert!(fed(&mut Framing::new(), "GET / HTTP/1.1\r\nhost: a\r\n\n", 7).contains(&FORBIDDEN));
    }

    #[test]
    fn a_body_keeps_its_line_feeds_however_it_is_cut() {
        let head = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n";
        for early in 0..=6 {
            let mut framing = Framing::new();
            fed(&mut framing, &format!("{head}{}", &"a\n\nb\n\n"[..early]), 5);
            assert!(framing.began(Some(6)), "{early}");
            assert_eq!(fed(&mut framing, &"a\n\nb\n\n"[early..], 2), &b"a\n\nb\n\n"[early..]);
            assert!(framing.may_go_on());
            framing.answered();
            assert_eq!(fed(&mut framing, head, 3), head.as_bytes(), "the next request");
            assert!(framing.began(Some(6)), "{early}");
        }
    }

    #[test]
    fn the_rest_of_a_body_that_nobody_read_is_not_taken_for_a_head() {
        let mut framing = Framing::new();
        fed(&mut framing, "POST /x HTTP/1.1\r\nhost: a\r\n\r\nab", 64);
        assert!(framing.began(Some(4)));
        framing.answered();
        let rest = "\n\nGET / HTTP/1.1\r\nhost: a\r\n\r\n";
        assert_eq!(fed(&mut framing, rest, 64), rest.as_bytes());
        assert!(framing.began(Some(0)));
        framing.answered();
        assert!(fed(&mut framing, "GET / HTTP/1.1\n", 64).contains(&FORBIDDEN));
    }

    #[test]
    fn a_request_that_does_not_wait_for_the_answer_before_it_is_not_read() {
        let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut together = Framing::new();
        fed(&mut together, &get.repeat(2), 64);
        assert!(
            together.began(Some(0)) && !together.may_go_on(),
            "two at once: the first is answered, and that is all"
        );
        together.answered();
        assert!(!together.began(Some(0)));
        let mut early = Framing::new();
        fed(&mut early, get, 64);
        assert!(early.began(Some(0)) && early.may_go_on());
        fed(&mut early, get, 64);
        assert!(!early.may_go_on());
        early.answered();
        assert!(!early.began(Some(0)), "one that came during an answer");
    }

    #[test]
    fn behind_a_body_in_chunks_no_further_request_is_read() {
        let mut framing = Framing::new();
        fed(&mut framing, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 64);
        assert!(framing.began(None));
        assert!(!framing.may_go_on());
        framing.answered();
        assert!(!framing.began(Some(0)));
    }
}
