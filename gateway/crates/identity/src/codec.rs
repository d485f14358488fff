//! Facts as bytes, for the store that keeps them: it reads those of a few records for each change, and of all for a pass.

use crate::facts::{Claim, ClaimKind, Facts, Key};
use crate::id::Span;
use crate::name::NameForm;

/// The form that is written. Another one asks for a pass over all records, which makes their facts from the bodies again.
const FORM: u8 = 1;

const KINDS: [ClaimKind; 4] = [ClaimKind::StaffNumber, ClaimKind::NationalId, ClaimKind::BirthDate, ClaimKind::OneEach];

impl Facts {
    /// All of it: about 20 bytes a value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend(self.source.to_le_bytes());
        bytes.extend(self.place.to_le_bytes());
        bytes.extend(self.left_out.to_le_bytes());
        bytes.extend(self.unusable.to_le_bytes());
        // The collector takes fewer of each than a byte counts.
        bytes.extend([self.keys.len() as u8, self.claims.len() as u8, self.names.len() as u8]);
        for key in &self.keys {
            bytes.push(key.rule);
            bytes.extend(key.digest.to_le_bytes());
        }
        for claim in &self.claims {
            let (from, to) = claim.span.ends();
            bytes.push(claim.kind as u8);
            bytes.extend(claim.family.to_le_bytes());
            bytes.extend(claim.value.to_le_bytes());
            bytes.extend(from.to_le_bytes());
            bytes.extend(to.to_le_bytes());
        }
        for name in &self.names {
            bytes.extend([u8::from(name.latin), name.parts.len() as u8]);
            for hash in [name.whole, name.near].iter().chain(&name.parts) {
                bytes.extend(hash.to_le_bytes());
            }
        }
        bytes
    }

    /// Reads them back; none for what was not written so.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.byte()? != FORM {
            return None;
        }
        let (source, place) = (rest.long()?, u32::from_le_bytes(rest.take()?));
        let (left_out, unusable) = (u16::from_le_bytes(rest.take()?), u16::from_le_bytes(rest.take()?));
        let (keys, claims, names) = (rest.byte()?, rest.byte()?, rest.byte()?);
        let key = |rest: &mut Rest<'_>| Some(Key { rule: rest.byte()?, digest: rest.long()? });
        let keys: Box<[Key]> = (0..keys).map(|_| key(&mut rest)).collect::<Option<_>>()?;
        let claims: Box<[Claim]> = (0..claims).map(|_| rest.claim()).collect::<Option<_>>()?;
        let names: Box<[NameForm]> = (0..names).map(|_| rest.name()).collect::<Option<_>>()?;
        let whole = rest.0.is_empty() && keys.is_sorted() && claims.is_sorted();
        whole.then_some(Self { source, place, keys, claims, names, left_out, unusable })
    }
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn claim(&mut self) -> Option<Claim> {
        let kind = *KINDS.get(usize::from(self.byte()?))?;
        let (family, value) = (self.long()?, self.long()?);
        let span = Span::between(i32::from_le_bytes(self.take()?), i32::from_le_bytes(self.take()?));
        Some(Claim { family, value, span, kind })
    }

    fn name(&mut self) -> Option<NameForm> {
        let (latin, parts) = (self.byte()? == 1, self.byte()?);
        let (whole, near) = (self.long()?, self.long()?);
        let parts = (0..parts).map(|_| self.long()).collect::<Option<_>>()?;
        Some(NameForm { latin, whole, near, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digests;
    use crate::facts::Collector;
    use crate::id::Day;
    use crate::name::NAMES_MAX;
    use crate::rules::Rules;

    fn facts() -> Facts {
        let (rules, digests) = (Rules::default(), Digests::new([8; 32]));
        let mut record = Collector::new(&rules, &digests, "hr", "employee", "1");
        record.name("Kevin 王伟");
        record.staff_number("E1", Span::of(Day::parse("2020-03-02"), None));
        record.national_id("ID_CARD", "CN", "11010119900101001X", true);
        record.birth_date(Day(19_900_101));
        record.mail("wei@acme.example", true);
        record.done()
    }

    #[test]
    fn facts_are_read_back_as_they_were_written() {
        let facts = facts();
        let bytes = facts.to_bytes();
        assert_eq!(Facts::from_bytes(&bytes).as_ref(), Some(&facts));
        assert!(bytes.len() < 300, "{} bytes", bytes.len());
        for kind in KINDS {
            assert_eq!(KINDS[kind as usize], kind);
        }
    }

    #[test]
    fn a_cut_a_longer_or_another_form_is_refused() {
        let bytes = facts().to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Facts::from_bytes(&bytes[..end]), None, "{end}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        let mut other = bytes;
        other[0] = FORM + 1;
        assert_eq!((Facts::from_bytes(&longer), Facts::from_bytes(&other)), (None, None));
    }

    #[test]
    fn a_record_that_says_too_much_is_still_counted_in_a_byte() {
        let (rules, digests) = (Rules::default(), Digests::new([8; 32]));
        let mut record = Collector::new(&rules, &digests, "hr", "employee", "1");
        for number in 0..1_000 {
            record.staff_number(&format!("E{number}"), Span::ALWAYS);
            record.name(&format!("Name {number} {}", "part ".repeat(50)));
        }
        record.mobile("010 1234 5678");
        let facts = record.done();
        let taken = usize::from(rules.values_max);
        assert_eq!((facts.keys.len(), facts.claims.len(), facts.names.len()), (taken, taken, NAMES_MAX));
        assert_eq!(usize::from(facts.left_out), 3 * 1_000 - taken - taken - NAMES_MAX, "and what is left out is told");
        assert_eq!(facts.unusable, 1);
        assert_eq!(Facts::from_bytes(&facts.to_bytes()), Some(facts));
    }
}
