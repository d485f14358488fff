//! People: the one who is candidate, employee and leaver, and what is known of them.

use crate::check::Walk;
use crate::code::{Gender, NationalIdKind};
use crate::shape::{entity, shape};
use crate::text;
use crate::types::{Coded, Decimal, Instant, LocalDate, MediaRef};

entity! {
    /// A person, linking the candidates, employees and reviewers of all systems that are the same one.
    pub struct Person {
        /// The person's details.
        pub person: PersonDetails,
        /// Why the linked records are held to be the same person.
        pub matches: Vec<IdentityMatch>,
    }
}

shape! {
    /// What is known of a person. Embedded in candidates and employees, so that one vendor row can be one record.
    pub struct PersonDetails {
        /// Names.
        pub names: Option<Names>,
        /// E-mail addresses.
        pub emails: Vec<Email>,
        /// Telephone numbers.
        pub phones: Vec<Phone>,
        /// Identity documents.
        pub national_ids: Vec<NationalId>,
        /// Day of birth.
        pub birth_date: Option<LocalDate> => PERSONAL,
        /// Gender. Never for scoring.
        pub gender: Option<Coded<Gender>> => SPECIAL,
        /// Nationality, ISO 3166-1 alpha-2 where the source has it.
        pub nationality: Option<String> => SPECIAL,
        /// Ethnic group, where the law asks for it. Never for scoring.
        pub ethnicity: Option<String> => SPECIAL,
        /// Marital status in the source's own words.
        pub marital_status: Option<String> => SPECIAL,
        /// Addresses.
        pub addresses: Vec<Address> => PERSONAL,
        /// Bank accounts.
        pub bank_accounts: Vec<BankAccount> => SENSITIVE,
        /// A picture of the face.
        pub photo: Option<MediaRef> => SPECIAL,
    }
}

impl PersonDetails {
    /// A person of whom only the full name is known.
    #[must_use]
    pub fn named(formatted: impl Into<String>) -> Self {
        Self { names: Some(Names::formatted(formatted)), ..Self::new() }
    }
}

shape! {
    /// A person's names. Many sources give one whole name; given and family name are filled only where the source has them.
    pub struct Names {
        /// The whole name as the source writes it.
        pub formatted: String => PERSONAL,
        /// Given name.
        pub given: Option<String> => PERSONAL,
        /// Family name.
        pub family: Option<String> => PERSONAL,
        /// What the person wishes to be called.
        pub preferred: Option<String> => PERSONAL,
        /// Other names: English name, former name.
        pub alias: Vec<String> => PERSONAL,
    }
    rules name_rules
}

impl Names {
    /// A whole name.
    #[must_use]
    pub fn formatted(name: impl Into<String>) -> Self {
        Self::new(name.into())
    }
}

fn name_rules(names: &Names, walk: &mut Walk<'_>) {
    if names.formatted.trim().is_empty() {
        walk.defect_in(
            "formatted",
            "empty_name",
            text!("an empty text; expected a name, or no names at all", "文本为空；应为姓名，或完全省略"),
        );
    }
}

shape! {
    /// An e-mail address.
    pub struct Email {
        /// As the source writes it.
        pub address: String => PERSONAL,
        /// WORK, PRIVATE or the source's own word.
        pub kind: Option<String>,
        /// The one to write to.
        pub primary: Option<bool>,
    }
}

impl Email {
    /// A work address.
    #[must_use]
    pub fn work(address: impl Into<String>) -> Self {
        Self { kind: Some("WORK".to_owned()), ..Self::new(address.into()) }
    }
}

shape! {
    /// A telephone number.
    pub struct Phone {
        /// As the source writes it.
        pub number: String => PERSONAL,
        /// The same in E.164, where it can be told: +8613800000000.
        pub e164: Option<String> => PERSONAL,
        /// ISO 3166-1 alpha-2.
        pub country: Option<String>,
        /// MOBILE, WORK, HOME or the source's own word.
        pub kind: Option<String>,
    }
    rules phone_rules
}

impl Phone {
    /// A number with its country calling code (`86`). E.164 is filled only when both are digits and fit.
    #[must_use]
    pub fn with_calling_code(code: &str, number: &str) -> Self {
        let e164 = format!("+{}{number}", code.trim_start_matches('+'));
        Self { e164: is_e164(&e164).then_some(e164), ..Self::new(number.to_owned()) }
    }
}

/// `+` and 7 to 15 digits.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

fn phone_rules(phone: &Phone, walk: &mut Walk<'_>) {
    if !phone.e164.as_deref().is_none_or(is_e164) {
        walk.defect_in(
            "e164",
            "bad_phone",
            text!(
                "a text that is not an E.164 number; expected + and 7 to 15 digits, or nothing",
                "文本不是 E.164 号码；应为 + 加 7 到 15 位数字，或省略"
            ),
        );
    }
}

shape! {
    /// An identity document.
    pub struct NationalId {
        /// Kind of document.
        pub kind: Coded<NationalIdKind>,
        /// The country that gave it, ISO 3166-1 alpha-2.
        pub country: Option<String>,
        /// Number.
        pub value: String => SENSITIVE,
        /// The last day on which it is valid.
        pub expires_on: Option<LocalDate>,
    }
}

shape! {
    /// An address.
    pub struct Address {
        /// The whole address as the source writes it.
        pub formatted: Option<String> => PERSONAL,
        /// ISO 3166-1 alpha-2.
        pub country: Option<String> => PERSONAL,
        /// Province or state.
        pub region: Option<String> => PERSONAL,
        /// City.
        pub city: Option<String> => PERSONAL,
        /// Street and number.
        pub street: Option<String> => PERSONAL,
        /// Postal code.
        pub postal_code: Option<String> => PERSONAL,
        /// HOME, REGISTERED (户口) or the source's own word.
        pub kind: Option<String>,
    }
}

shape! {
    /// A bank account.
    pub struct BankAccount {
        /// Number.
        pub number: String => SENSITIVE,
        /// The bank.
        pub bank: Option<String> => SENSITIVE,
        /// The branch.
        pub branch: Option<String> => SENSITIVE,
        /// Account holder.
        pub holder: Option<String> => SENSITIVE,
    }
}

shape! {
    /// Why two records are held to be one person.
    pub struct IdentityMatch {
        /// The rule that found it.
        pub rule: String,
        /// Which fields agreed, without their values.
        pub evidence: Vec<String>,
        /// How sure, 0 to 1.
        pub score: Option<Decimal>,
        /// The rule, or the person who decided.
        pub decided_by: Option<String> => PERSONAL,
        /// When they were matched.
        pub at: Option<Instant>,
    }
}
