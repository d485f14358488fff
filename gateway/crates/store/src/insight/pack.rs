//! How the parts of a row are packed: numbers by their size, texts by their length, codes by their words, so that a new code in the
//! middle of a vocabulary changes nothing that is kept.

use renmen_schema::code::{
    ApplicationStatus, ConsentStatus, Direction, EndReason, InterviewKind, InterviewStatus, LegalBasis, NodeCode,
    OfferStatus, OutcomeReason, ProbationOutcome, ReviewCycleKind, SourceChannel, StageKind,
};
use renmen_schema::types::{CodeSet, Decimal, Instant, LocalDate};

/// What can be packed.
pub(super) trait Field<'b>: Sized {
    fn pack(&self, to: &mut Vec<u8>);
    /// None for what was not packed so.
    fn unpack(from: &mut &'b [u8]) -> Option<Self>;
}

fn pack_number(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take<'b>(from: &mut &'b [u8], bytes: usize) -> Option<&'b [u8]> {
    let (taken, rest) = from.split_at_checked(bytes)?;
    *from = rest;
    Some(taken)
}

impl Field<'_> for u64 {
    fn pack(&self, to: &mut Vec<u8>) {
        pack_number(*self, to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        loop {
            let (byte, rest) = from.split_first()?;
            *from = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

impl Field<'_> for u32 {
    fn pack(&self, to: &mut Vec<u8>) {
        pack_number(u64::from(*self), to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        u64::unpack(from)?.try_into().ok()
    }
}

/// Small ones are short on either side of zero.
impl Field<'_> for i64 {
    fn pack(&self, to: &mut Vec<u8>) {
        pack_number((*self << 1 ^ *self >> 63) as u64, to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let number = u64::unpack(from)?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

impl Field<'_> for bool {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(take(from, 1)?[0] != 0)
    }
}

impl<'b, const N: usize> Field<'b> for [u8; N] {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        take(from, N)?.try_into().ok()
    }
}

impl<'b> Field<'b> for &'b str {
    fn pack(&self, to: &mut Vec<u8>) {
        pack_number(self.len() as u64, to);
        to.extend_from_slice(self.as_bytes());
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        let length = usize::try_from(u64::unpack(from)?).ok()?;
        std::str::from_utf8(take(from, length)?).ok()
    }
}

impl<'b, T: Field<'b>> Field<'b> for Option<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.is_some().pack(to);
        if let Some(inner) = self {
            inner.pack(to);
        }
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        if bool::unpack(from)? { T::unpack(from).map(Some) } else { Some(None) }
    }
}

impl<'b, T: Field<'b>> Field<'b> for Vec<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        pack_number(self.len() as u64, to);
        self.iter().for_each(|item| item.pack(to));
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        (0..u64::unpack(from)?).map(|_| T::unpack(from)).collect()
    }
}

/// Year, month and day in one number: 20250301.
impl Field<'_> for LocalDate {
    fn pack(&self, to: &mut Vec<u8>) {
        let date = self.civil();
        let number = i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day());
        pack_number(number.unsigned_abs(), to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let number = u64::unpack(from)?;
        let part = |number: u64| i8::try_from(number % 100).ok();
        Self::of(i16::try_from(number / 10_000).ok()?, part(number / 100)?, part(number)?).ok()
    }
}

impl Field<'_> for Instant {
    fn pack(&self, to: &mut Vec<u8>) {
        self.epoch_ms().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Self::from_epoch_ms(i64::unpack(from)?).ok()
    }
}

/// Its digits as a number where that fits, which it nearly always does; else as a text.
impl<'b> Field<'b> for Decimal {
    fn pack(&self, to: &mut Vec<u8>) {
        let (digits, scale) = (self.value().mantissa(), self.value().scale());
        let short = i64::try_from(digits).ok();
        short.pack(to);
        if short.is_some() {
            scale.pack(to);
        } else {
            self.to_string().as_str().pack(to);
        }
    }

    fn unpack(from: &mut &'b [u8]) -> Option<Self> {
        match Option::<i64>::unpack(from)? {
            Some(digits) => Self::from_minor(digits, u32::unpack(from)?).ok(),
            None => Self::parse(<&str>::unpack(from)?).ok(),
        }
    }
}

macro_rules! codes {
    (open $($open:ty),*; closed $($closed:ty),*) => {
        $(impl Field<'_> for $open {
            fn pack(&self, to: &mut Vec<u8>) {
                self.as_str().pack(to);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Some(Self::from_code(<&str>::unpack(from)?).unwrap_or(Self::OTHER))
            }
        })*
        $(impl Field<'_> for $closed {
            fn pack(&self, to: &mut Vec<u8>) {
                self.as_str().pack(to);
            }

            fn unpack(from: &mut &[u8]) -> Option<Self> {
                Self::from_code(<&str>::unpack(from)?)
            }
        })*
    };
}
codes! {
    open ApplicationStatus, EndReason, InterviewStatus, LegalBasis, NodeCode, OfferStatus, OutcomeReason, ProbationOutcome, ReviewCycleKind,
        SourceChannel, StageKind;
    closed ConsentStatus, Direction, InterviewKind
}

/// A shape whose fields are packed one after the other.
macro_rules! packed {
    ($($(#[doc = $doc:literal])* struct $name:ident $(<$life:lifetime>)? {
        $($(#[doc = $about:literal])* $field:ident: $kind:ty,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub(super) struct $name $(<$life>)? {
            $($(#[doc = $about])* pub(super) $field: $kind,)*
        }

        $crate::insight::pack::packed!(@field $name $($life)? { $($field: $kind,)* });
    )*};
    (@field $name:ident $life:lifetime { $($field:ident: $kind:ty,)* }) => {
        impl<$life> $crate::insight::pack::Field<$life> for $name<$life> {
            $crate::insight::pack::packed!(@bodies $life { $($field: $kind,)* });
        }
    };
    (@field $name:ident { $($field:ident: $kind:ty,)* }) => {
        impl<'b> $crate::insight::pack::Field<'b> for $name {
            $crate::insight::pack::packed!(@bodies 'b { $($field: $kind,)* });
        }
    };
    (@bodies $life:lifetime { $($field:ident: $kind:ty,)* }) => {
        fn pack(&self, to: &mut Vec<u8>) {
            $(self.$field.pack(to);)*
        }

        fn unpack(from: &mut &$life [u8]) -> Option<Self> {
            Some(Self { $($field: <$kind>::unpack(from)?,)* })
        }
    };
}
pub(super) use packed;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn again<T: for<'b> Field<'b>>(value: &T) -> Option<T> {
        let mut bytes = Vec::new();
        value.pack(&mut bytes);
        let mut rest = bytes.as_slice();
        let read = T::unpack(&mut rest);
        rest.is_empty().then_some(read)?
    }

    proptest! {
        #[test]
        fn what_was_packed_is_read_again(
            whole in any::<u64>(), signed in any::<i64>(), list in any::<Vec<Option<u32>>>(), flag in any::<bool>(),
            digits in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0..=6_u32, days in -600_000..2_000_000_i64,
        ) {
            prop_assert_eq!(again(&whole), Some(whole));
            prop_assert_eq!(again(&signed), Some(signed));
            prop_assert_eq!(again(&list), Some(list));
            prop_assert_eq!(again(&flag), Some(flag));
            let decimal = Decimal::from_minor(digits, scale).unwrap();
            prop_assert_eq!(again(&decimal).map(|read| read.to_string()), Some(decimal.to_string()));
            let at = Instant::from_epoch_ms(days * 86_400_000 + 1).unwrap();
            prop_assert_eq!(again(&at), Some(at));
            let day = LocalDate::from_epoch_ms_at_offset(days * 86_400_000, 0).unwrap();
            prop_assert_eq!(again(&day), Some(day));
        }

        #[test]
        fn bytes_of_something_else_are_refused_and_never_a_fault(bytes in any::<Vec<u8>>()) {
            let _ = u64::unpack(&mut bytes.as_slice());
            let _ = <&str>::unpack(&mut bytes.as_slice());
            let _ = Vec::<Option<Decimal>>::unpack(&mut bytes.as_slice());
            let _ = LocalDate::unpack(&mut bytes.as_slice());
            let _ = Instant::unpack(&mut bytes.as_slice());
        }
    }

    #[test]
    fn the_longest_decimals_keep_their_digits_and_a_code_its_word() {
        for text in ["999999999999999.999999", "-999999999999999.999999", "0.10", "0"] {
            assert_eq!(again(&Decimal::parse(text).unwrap()).unwrap().to_string(), text);
        }
        for code in NodeCode::ALL {
            assert_eq!(again(code), Some(*code));
        }
        let mut unknown = Vec::new();
        "A_NODE_OF_LATER".pack(&mut unknown);
        assert_eq!(NodeCode::unpack(&mut unknown.as_slice()), Some(NodeCode::Other));
        assert_eq!(InterviewKind::unpack(&mut unknown.as_slice()), None);
    }
}
