//! From the bytes that a connector gave to canonical bytes, or to all that is wrong with them.

use crate::check::{Defect, Walk};
use crate::kind::{Entity, EntityKind, Visit};
use crate::{Text, text};

/// What one body may hold. The defaults hold a long transcript and no media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body. Default 4 MiB.
    pub body_bytes_max: usize,
    /// Bytes of one string as it stands in the JSON. Default 1 MiB.
    pub string_bytes_max: usize,
    /// How deep objects and lists may be nested. Default 64.
    pub nesting_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 4 << 20, string_bytes_max: 1 << 20, nesting_max: 64 }
    }
}

/// Parses, validates and gives the canonical bytes: fields in the order of the schema, absent fields left out, no blanks.
/// What a Rust connector serialized from these types comes back as it is.
///
/// # Errors
/// Everything that is wrong, as far as it can be told: one defect when the body cannot be read, all of them when it can.
pub fn canonicalize(kind: EntityKind, payload: &[u8]) -> Result<Vec<u8>, Vec<Defect>> {
    let mut canonical = Vec::with_capacity(payload.len());
    canonicalize_into(kind, payload, &Limits::default(), &mut canonical)?;
    Ok(canonical)
}

/// [`canonicalize`] with limits of your own, adding the bytes to a buffer.
///
/// # Errors
/// As [`canonicalize`]; the buffer is then unchanged.
pub fn canonicalize_into(
    kind: EntityKind,
    payload: &[u8],
    limits: &Limits,
    canonical: &mut Vec<u8>,
) -> Result<(), Vec<Defect>> {
    limits.check(payload).map_err(|defect| vec![defect])?;
    kind.visit(Canonicalize { kind, payload, canonical })
}

struct Canonicalize<'p> {
    kind: EntityKind,
    payload: &'p [u8],
    canonical: &'p mut Vec<u8>,
}

impl Visit for Canonicalize<'_> {
    type Output = Result<(), Vec<Defect>>;

    fn visit<E: Entity>(self) -> Self::Output {
        let Ok(value) = serde_json::from_slice::<E>(self.payload) else {
            return Err(vec![crate::diagnose::parse_defect::<E>(self.kind, self.payload)]);
        };
        let defects = Walk::over(&value);
        if !defects.is_empty() {
            return Err(defects);
        }
        serde_json::to_writer(self.canonical, &value)
            .expect("a shape has string keys only, and a Vec takes every write");
        Ok(())
    }
}

impl Limits {
    /// One pass over the bytes, before anything is built from them.
    fn check(&self, payload: &[u8]) -> Result<(), Defect> {
        if payload.len() > self.body_bytes_max {
            let found =
                text!("{} bytes; expected at most {}", "{} 字节；最多 {} 字节", payload.len(), self.body_bytes_max);
            return Err(body_defect("body_too_large", found));
        }
        let mut depth = 0_usize;
        let mut at = 0;
        while at < payload.len() {
            match payload[at] {
                b'"' => at = self.check_string(payload, at)?,
                b'{' | b'[' => {
                    depth += 1;
                    if depth > self.nesting_max {
                        let found = text!(
                            "nesting deeper than {} at byte {at}",
                            "第 {at} 字节处嵌套超过 {} 层",
                            self.nesting_max
                        );
                        return Err(body_defect("nesting_too_deep", found));
                    }
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// Goes from the opening quote to the closing one, or to the end where there is none: the parser says so then.
    fn check_string(&self, payload: &[u8], open: usize) -> Result<usize, Defect> {
        let mut at = open + 1;
        while let Some(found) = payload.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
            at += found;
            if payload[at] == b'"' {
                return self.check_length(open, at);
            }
            if payload[at + 1..].starts_with(b"u0000") {
                let found = text!(
                    "a NUL character in the string at byte {open}; take it out",
                    "第 {open} 字节处的字符串含有 NUL 字符；请删除"
                );
                return Err(body_defect("nul_character", found));
            }
            at += 2;
        }
        self.check_length(open, payload.len())
    }

    /// A string that stands between the quotes at `open` and `at`; gives `at`.
    fn check_length(&self, open: usize, at: usize) -> Result<usize, Defect> {
        let length = at.saturating_sub(open + 1);
        if length > self.string_bytes_max {
            let found = text!(
                "a string of {length} bytes at byte {open}; expected at most {}",
                "第 {open} 字节处的字符串有 {length} 字节；最多 {} 字节",
                self.string_bytes_max
            );
            return Err(body_defect("string_too_long", found));
        }
        Ok(at)
    }
}

fn body_defect(code: &'static str, message: Text) -> Defect {
    Defect { path: String::new(), code, message }
}
