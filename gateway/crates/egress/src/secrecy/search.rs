//! Is there a secret in these bytes, and where? Owns the way through a text: in bounded bites, layer after layer of escapes,
//! each layer once for the texts that have no pieces and once, without separators, for the pieces.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use renmen_schema::id::SlotName;

use super::form::{self, Form};
use super::index::Index;
use super::part::{Part, Parts};
use super::piece::pieces;
use super::plain::{self, Spans};

/// What stands where a secret was. Valid inside JSON and headers.
const REDACTED: &[u8] = b"[redacted]";

/// How much is searched at once, in bytes; each bite begins far enough before the end of the last one that what lies
/// across the two is seen whole. The memory that a search needs besides the text does not grow with it.
const BITE: usize = 64 << 10;
const OVERLAP: usize = 8 << 10;

/// Escapes within escapes: percent twice within JSON within JSON, and one more.
const LAYERS_MAX: usize = 5;

/// Times that secrets are taken out of a text; one that still has some is taken out as a whole.
const ROUNDS_MAX: usize = 3;

/// Secrets up to so many bytes are looked for in one encoding within another too.
const COMPOSED_MAX: usize = 512;

/// Members of a secret that are identifiers more often than not, without case and separators. A list, and no rule such as "ends
/// in id": a `secret_id` is a secret, and so is what `sid` names.
const IDENTIFIERS: [&str; 34] = [
    "accesskeyid",
    "account",
    "accountid",
    "accountname",
    "agentid",
    "appid",
    "appkey",
    "applicationid",
    "clientid",
    "companyid",
    "corpid",
    "email",
    "host",
    "id",
    "keyid",
    "login",
    "name",
    "organizationid",
    "orgid",
    "projectid",
    "region",
    "scope",
    "suiteid",
    "suitekey",
    "tenant",
    "tenantid",
    "tenantkey",
    "type",
    "uri",
    "url",
    "user",
    "userid",
    "username",
    "workspaceid",
];

/// Does the author of the bytes see what becomes of them? See [`super::piece`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Yes: requests, answers, and what ends a call.
    Told,
    /// No: records, logs, failures.
    Kept,
}

/// The slot, and the member, that a found secret belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundSecret {
    /// The slot.
    pub slot: SlotName,
    /// The member of a secret that is JSON; `password` of `user:password`; `token` of what a token endpoint gave.
    pub member: Option<String>,
}

impl FoundSecret {
    /// What the operator can write when the member is an identifier after all; none for any other name. This is a hint in a
    /// message: what is secret is never decided by a name.
    #[must_use]
    pub fn public_hint(&self) -> Option<String> {
        let member = self.member.as_deref()?;
        let name = member.rsplit('/').next().unwrap_or(member).to_ascii_lowercase().replace(['_', '-'], "");
        IDENTIFIERS.contains(&name.as_str()).then(|| {
            let pointer = if member.contains('/') { format!("/{member}") } else { member.to_owned() };
            format!("if that member is an identifier and not a secret, write `public = [\"{pointer}\"]` in the slot")
        })
    }
}

impl std::fmt::Display for FoundSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.member {
            Some(member) => write!(f, "`{member}` of the secret of slot `{}`", self.slot),
            None => write!(f, "the secret of slot `{}`", self.slot),
        }
    }
}

/// What a search works with, kept for the next text.
#[derive(Default)]
pub(crate) struct Scratch {
    text: Vec<u8>,
    next: Vec<u8>,
    signs: Vec<u8>,
}

/// Looks for all secrets of one connection.
pub(crate) struct Search {
    owners: Vec<FoundSecret>,
    told: Option<Index>,
    kept: Option<Index>,
    /// Texts without pieces.
    common: Option<Whole>,
    /// All texts.
    every: Option<Whole>,
}

/// Whole texts as they are encoded.
struct Whole {
    automaton: AhoCorasick,
    /// By pattern: its owner, and whether it is a number, which must stand alone.
    patterns: Vec<(u32, bool)>,
}

impl Search {
    /// None when there is nothing to look for.
    ///
    /// # Errors
    /// When the texts are more than an automaton can hold.
    pub(crate) fn new<'a>(slots: impl IntoIterator<Item = (&'a SlotName, &'a Parts)>) -> Result<Option<Self>, String> {
        let mut owners = Vec::new();
        let (mut told, mut kept) = (Vec::new(), Vec::new());
        let (mut common, mut every) = (Vec::new(), Vec::new());
        for (slot, parts) in slots {
            let public: Vec<Vec<u8>> = parts.public.iter().map(|text| form::squeezed(text.as_bytes())).collect();
            for part in &parts.secret {
                let owner = u32::try_from(owners.len()).unwrap_or(u32::MAX);
                owners.push(FoundSecret { slot: slot.clone(), member: part.member.clone() });
                let any = add_pieces(part, owner, &public, Sight::Told, &mut told);
                add_pieces(part, owner, &public, Sight::Kept, &mut kept);
                let number = part.text.bytes().all(|byte| byte.is_ascii_digit());
                let wholes = form::whole_forms(&part.text);
                let wholes = wholes.into_iter().map(|form| {
                    let number = number && form.as_slice() == part.text.as_bytes();
                    (form, owner, number)
                });
                if any {
                    every.extend(wholes);
                } else {
                    common.extend(wholes);
                }
            }
        }
        if owners.is_empty() {
            return Ok(None);
        }
        every.extend(common.iter().cloned());
        Ok(Some(Self {
            told: Index::new(&told),
            kept: Index::new(&kept),
            common: Whole::new(&common)?,
            every: Whole::new(&every)?,
            owners,
        }))
    }

    /// The secret that these bytes contain, if any.
    pub(crate) fn find(&self, bytes: &[u8], sight: Sight) -> Option<&FoundSecret> {
        self.find_with(bytes, sight, &mut Scratch::default())
    }

    /// The same for one of many texts.
    pub(crate) fn find_with(&self, bytes: &[u8], sight: Sight, scratch: &mut Scratch) -> Option<&FoundSecret> {
        let index = self.index(sight);
        let Scratch { text, next, signs } = scratch;
        for bite in bites(bytes.len()) {
            let mut layer = &bytes[bite];
            for _ in 0..LAYERS_MAX {
                let whole = self.common.as_ref().and_then(|common| common.find(layer));
                let owner = whole.or_else(|| {
                    let index = index?;
                    squeeze(layer, signs);
                    index.find(signs)
                });
                if let Some(owner) = owner {
                    return self.owners.get(owner as usize);
                }
                if !plain::has_escapes(layer) || !plain::unescape(layer, next, None) {
                    break;
                }
                std::mem::swap(text, next);
                layer = text;
            }
        }
        None
    }

    /// The bytes without secrets, and the first secret that was found; `None` when there are none.
    pub(crate) fn redact(&self, bytes: &[u8], sight: Sight) -> Option<(Vec<u8>, FoundSecret)> {
        let found = self.find(bytes, sight)?.clone();
        let mut text = cut(bytes, &self.ranges(bytes, sight));
        for _ in 1..ROUNDS_MAX {
            if self.find(&text, sight).is_none() {
                return Some((text, found));
            }
            text = cut(&text, &self.ranges(&text, sight));
        }
        let clean = self.find(&text, sight).is_none();
        Some((if clean { text } else { REDACTED.to_vec() }, found))
    }

    fn index(&self, sight: Sight) -> Option<&Index> {
        match sight {
            Sight::Told => self.told.as_ref(),
            Sight::Kept => self.kept.as_ref(),
        }
    }

    /// Where secrets stand, in order, none touching another.
    fn ranges(&self, bytes: &[u8], sight: Sight) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for bite in bites(bytes.len()) {
            let begin = bite.start;
            self.ranges_of_bite(&bytes[bite], sight, |range| ranges.push(begin + range.start..begin + range.end));
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match apart.last_mut() {
                Some(last) if range.start <= last.end || is_between_pieces(&bytes[last.end..range.start]) => {
                    last.end = last.end.max(range.end);
                }
                _ => apart.push(range),
            }
        }
        apart
    }

    fn ranges_of_bite(&self, bite: &[u8], sight: Sight, mut seen: impl FnMut(Range<usize>)) {
        let mut text = bite.to_vec();
        let whole = |at: usize| (u32::try_from(at).unwrap_or(u32::MAX), u32::try_from(at + 1).unwrap_or(u32::MAX));
        let mut spans: Spans = (0..bite.len()).map(whole).collect();
        for _ in 0..LAYERS_MAX {
            let mut note = |range: Range<usize>| {
                if let (Some(first), Some(last)) = (spans.get(range.start), spans.get(range.end - 1)) {
                    seen(first.0 as usize..last.1 as usize);
                }
            };
            if let Some(every) = &self.every {
                every.find_all(&text).for_each(&mut note);
            }
            if let Some(index) = self.index(sight) {
                let at: Vec<usize> = (0..text.len()).filter(|at| text[*at].is_ascii_alphanumeric()).collect();
                let found = index.find_all(&form::squeezed(&text));
                found.into_iter().for_each(|range| note(at[range.start]..at[range.end - 1] + 1));
            }
            let (mut next, mut from) = (Vec::new(), Spans::new());
            if !plain::unescape(&text, &mut next, Some(&mut from)) {
                return;
            }
            spans = from.iter().map(|(first, last)| (spans[*first as usize].0, spans[*last as usize - 1].1)).collect();
            text = next;
        }
    }
}

/// True when the part has pieces.
fn add_pieces(part: &Part, owner: u32, public: &[Vec<u8>], sight: Sight, forms: &mut Vec<(Form, u32)>) -> bool {
    let composed = part.text.len() <= COMPOSED_MAX;
    let is_public = |piece: &[u8]| {
        let signs = form::squeezed(piece);
        public.iter().any(|public| public.windows(signs.len()).any(|window| window == signs))
    };
    let mut any = false;
    for piece in pieces(&part.text, sight) {
        let piece = &part.text.as_bytes()[piece];
        if is_public(piece) {
            continue;
        }
        any = true;
        forms.extend(form::forms(piece, composed).into_iter().map(|form| (form, owner)));
    }
    any
}

impl Whole {
    fn new(forms: &[(Form, u32, bool)]) -> Result<Option<Self>, String> {
        if forms.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind((forms.len() > 400).then_some(AhoCorasickKind::ContiguousNFA))
            .build(forms.iter().map(|(form, _, _)| form.as_slice()))
            .map_err(|_| "the connection's secrets are too long to be looked for".to_owned())?;
        let patterns = forms.iter().map(|(_, owner, number)| (*owner, *number)).collect();
        Ok(Some(Self { automaton, patterns }))
    }

    fn find(&self, text: &[u8]) -> Option<u32> {
        self.matches(text).next().map(|(_, owner)| owner)
    }

    fn find_all<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        self.matches(text).map(|(range, _)| range)
    }

    fn matches<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (Range<usize>, u32)> + 't {
        self.automaton.find_iter(text).filter_map(|found| {
            let (owner, number) = self.patterns[found.pattern().as_usize()];
            let is_digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
            let alone = !is_digit(found.start().checked_sub(1)) && !is_digit(Some(found.end()));
            (!number || alone).then(|| (found.range(), owner))
        })
    }
}

fn bites(length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length.max(1)).step_by(BITE - OVERLAP).map(move |begin| begin..length.min(begin + BITE)).take_while(
        // The last bite may lie wholly within the one before it.
        move |bite| bite.start == 0 || bite.start + OVERLAP < length,
    )
}

/// The letters and digits of a text in small letters: [`form::squeezed`], fast.
fn squeeze(text: &[u8], signs: &mut Vec<u8>) {
    const SMALL: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let sign = byte as u8;
            if sign.is_ascii_alphanumeric() {
                table[byte] = sign.to_ascii_lowercase();
            }
            byte += 1;
        }
        table
    };
    // Eight at a time, each written where the next one may write over it: there is nothing to guess for the processor.
    signs.resize(text.len() + 8, 0);
    let mut length = 0;
    let (eights, rest) = text.as_chunks::<8>();
    for eight in eights {
        let Some(out) = signs[length..].first_chunk_mut::<8>() else { break };
        let mut kept = 0;
        for byte in eight {
            let sign = SMALL[usize::from(*byte)];
            out[kept & 7] = sign;
            kept += usize::from(sign != 0);
        }
        length += kept;
    }
    for byte in rest {
        let sign = SMALL[usize::from(*byte)];
        signs[length] = sign;
        length += usize::from(sign != 0);
    }
    signs.truncate(length);
}

/// What may stand between two pieces of one text; quotes, commas and brackets may stand between two texts.
fn is_between_pieces(gap: &[u8]) -> bool {
    gap.len() <= 4 && gap.iter().all(|byte| b"+-_/=.".contains(byte))
}

/// The bytes with every range replaced.
fn cut(bytes: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for range in ranges {
        clean.extend_from_slice(&bytes[copied..range.start]);
        let bare = is_bare_json(&bytes[..range.start], &bytes[range.end..]);
        // A number or a list of numbers: what stands in its place must not make the JSON around it unreadable.
        if bare {
            clean.push(b'"');
        }
        clean.extend_from_slice(REDACTED);
        if bare {
            clean.push(b'"');
        }
        copied = range.end;
    }
    clean.extend_from_slice(&bytes[copied..]);
    clean
}

fn is_bare_json(before: &[u8], after: &[u8]) -> bool {
    let before = before.trim_ascii_end().last();
    let after = after.trim_ascii_start().first();
    matches!(before, Some(b'[' | b':' | b',')) && matches!(after, Some(b']' | b',' | b'}'))
}
