//! What a person may see of a value that linked two records: enough to know which one is meant, too little to use it.

use crate::rules::Scheme;

/// The first and last few characters of a value in its normal form.
pub(crate) fn masked(scheme: Scheme, value: &str) -> String {
    match scheme {
        Scheme::WorkMail | Scheme::Mail => match value.rsplit_once('@') {
            Some((name, host)) => format!("{}@{host}", ends(name, 1, 0)),
            None => ends(value, 1, 0),
        },
        Scheme::Mobile => ends(value, 4, 3),
        Scheme::NationalId => ends(value.rsplit('\0').next().unwrap_or_default(), 0, 2),
        Scheme::StaffNumber => ends(value, 2, 1),
        // No secret, or nothing that can be shown in part.
        Scheme::Application => value.rsplit('\0').next().unwrap_or_default().to_owned(),
        Scheme::UnitCode | Scheme::UnitName => value.to_owned(),
        Scheme::BirthDate | Scheme::NameAndBirthDate => "***".to_owned(),
    }
}

/// So many characters of the beginning and of the end, and never more than half of it.
fn ends(value: &str, first: usize, last: usize) -> String {
    let chars: Vec<char> = value.chars().collect();
    if chars.len() < (first + last) * 2 {
        return "***".to_owned();
    }
    let begin: String = chars[..first].iter().collect();
    let end: String = chars[chars.len() - last..].iter().collect();
    format!("{begin}***{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_value_at_least_is_never_shown() {
        for (scheme, value, shown) in [
            (Scheme::StaffNumber, "e00123", "e0***3"),
            (Scheme::StaffNumber, "e001", "***"),
            (Scheme::WorkMail, "wang.wei@acme.example", "w***@acme.example"),
            (Scheme::Mail, "w@acme.example", "***@acme.example"),
            (Scheme::Mobile, "+8613800000001", "+861***001"),
            (Scheme::NationalId, "ID_CARD\0CN\0X1010119900101001X", "***1X"),
            (Scheme::BirthDate, "19900101", "***"),
            (Scheme::Application, "ats\0A7", "A7"),
        ] {
            assert_eq!(masked(scheme, value), shown, "{scheme:?}");
        }
    }
}
