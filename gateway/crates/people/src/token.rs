//! Where a list goes on: numbers as a word that a client hands back.

use renmen_schema::text;

use crate::PeopleError;

pub(crate) fn write<const N: usize>(numbers: [i64; N]) -> String {
    numbers.map(|number| number.to_string()).join("_")
}

/// At the beginning without one.
pub(crate) fn read<const N: usize>(token: Option<&str>) -> Result<[i64; N], PeopleError> {
    let Some(token) = token else { return Ok([0; N]) };
    let numbers: Option<Vec<i64>> = token.split('_').map(|number| number.parse().ok()).collect();
    let bad = || {
        PeopleError::BadInput(text!(
            "this is not a place to go on from: take it from `next` of an answer",
            "这不是可以继续读取的位置：请使用上一次应答中的 `next`"
        ))
    };
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_is_read_back_and_another_word_is_refused() {
        assert_eq!(read::<3>(Some(&write([1, -2, 3]))).unwrap(), [1, -2, 3]);
        assert_eq!(read::<2>(None).unwrap(), [0, 0]);
        for bad in ["", "1", "1_2_3", "a_b"] {
            assert!(matches!(read::<2>(Some(bad)), Err(PeopleError::BadInput(_))), "{bad}");
        }
    }
}
