//! Alternate keys: the fields by which a record can be referred to without its id in any system, such as a staff
//! number. Which fields of which entity are keys is declared here and nowhere else. A key is not guaranteed to be
//! unique: code that resolves one must expect to find two records.
//!
//! A store announces the keys of each record, and notes which keys its references want; both are read out of the body in `body`.

#[cfg(feature = "gateway")]
mod body;

#[cfg(feature = "gateway")]
pub use body::{RecordKeys, WantedKey};

use crate::kind::EntityKind;
use crate::{Text, text};

/// Bytes of a key's value.
pub(crate) const KEY_BYTES_MAX: usize = 512;

/// How the values of a key are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As they are, without the blanks around them.
    Text,
    /// An e-mail address: small and capital letters are the same.
    Mail,
    /// A telephone number in E.164: what separates its groups of digits does not count.
    Phone,
}

/// Where a key stands in a body: a member of what a pointer pattern leads to, and which kind of it that must be.
struct Place {
    within: &'static str,
    member: &'static str,
    kind: Option<&'static str>,
}

/// A key of an entity.
pub struct KeyScheme {
    /// The entity that has this key.
    pub entity: EntityKind,
    /// `employee_number`.
    pub name: &'static str,
    form: Form,
    places: &'static [Place],
}

const fn place(within: &'static str, member: &'static str) -> Place {
    Place { within, member, kind: None }
}

const fn of_kind(within: &'static str, member: &'static str, kind: &'static str) -> Place {
    Place { within, member, kind: Some(kind) }
}

/// Every key that there is. A store that keeps records has announced the keys that this list had: another one asks for a migration
/// that announces them again.
pub static KEY_SCHEMES: [KeyScheme; 3] = [
    KeyScheme {
        entity: EntityKind::Employee,
        name: "employee_number",
        form: Form::Text,
        places: &[place("", "number")],
    },
    KeyScheme {
        entity: EntityKind::Employee,
        name: "work_email",
        form: Form::Mail,
        places: &[place("/work", "work_email"), of_kind("/person/emails/*", "address", "WORK")],
    },
    KeyScheme {
        entity: EntityKind::Employee,
        name: "mobile",
        form: Form::Phone,
        places: &[of_kind("/person/phones/*", "e164", "MOBILE")],
    },
];

impl KeyScheme {
    /// The scheme of an entity with this name.
    #[must_use]
    pub fn of(entity: EntityKind, name: &str) -> Option<&'static Self> {
        keys_of(entity).find(|scheme| scheme.name == name)
    }

    /// The value by which keys are compared. None for what cannot be one.
    #[must_use]
    pub fn normal(&self, value: &str) -> Option<String> {
        let value = value.trim();
        if value.is_empty() || value.len() > KEY_BYTES_MAX || value.contains(char::is_control) {
            return None;
        }
        match self.form {
            Form::Text => Some(value.to_owned()),
            Form::Mail => {
                let (name, host) = value.rsplit_once('@')?;
                let whole = !name.is_empty() && !host.is_empty() && !value.contains(char::is_whitespace);
                whole.then(|| value.to_lowercase())
            }
            Form::Phone => {
                let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
                crate::entity::is_e164(&digits).then_some(digits)
            }
        }
    }

    /// What a value must be, for people.
    #[must_use]
    pub fn expected(&self) -> Text {
        match self.form {
            Form::Text => text!("1 to 512 bytes", "1 到 512 字节"),
            Form::Mail => text!("an e-mail address", "邮箱地址"),
            Form::Phone => text!("a number in E.164: + and 7 to 15 digits", "E.164 号码：+ 加 7 到 15 位数字"),
        }
    }

    /// A few words that change when records would announce other values for it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let places: Vec<String> = self
            .places
            .iter()
            .map(|place| {
                format!(
                    "{}/{}{}",
                    place.within,
                    place.member,
                    place.kind.map_or(String::new(), |kind| format!("={kind}"))
                )
            })
            .collect();
        format!("{} {} {:?} {}", self.entity, self.name, self.form, places.join(" "))
    }
}

/// The keys of an entity.
pub fn keys_of(entity: EntityKind) -> impl Iterator<Item = &'static KeyScheme> {
    KEY_SCHEMES.iter().filter(move |scheme| scheme.entity == entity)
}
