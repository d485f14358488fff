//! What is wrong with a mapping, each with the keys that lead to it, so that its author can be shown the line.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The keys that lead to it; a number is an item of a list.
    pub at: Vec<String>,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at.join("."), self.message)
    }
}

/// Faults as they are found, and where we are.
#[derive(Debug, Default)]
pub struct Faults {
    at: Vec<String>,
    found: Vec<Fault>,
}

impl Faults {
    /// Goes into a key.
    pub fn within<R>(&mut self, key: impl Into<String>, inside: impl FnOnce(&mut Self) -> R) -> R {
        self.at.push(key.into());
        let result = inside(self);
        self.at.pop();
        result
    }

    /// Something is wrong here.
    pub fn add(&mut self, message: impl Into<String>) {
        self.found.push(Fault { at: self.at.clone(), message: message.into() });
    }

    /// The value of a key, or what stands for one that is wrong.
    pub fn take<T: Default>(&mut self, key: &str, read: Result<T, String>) -> T {
        read.unwrap_or_else(|message| {
            self.within(key, |faults| faults.add(message));
            T::default()
        })
    }

    /// The same for a key that may be absent.
    pub fn take_some<V: ?Sized + AsRef<str>, T>(
        &mut self,
        key: &str,
        value: Option<&V>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(value?.as_ref()) {
            Ok(read) => Some(read),
            Err(message) => {
                self.within(key, |faults| faults.add(message));
                None
            }
        }
    }

    /// All that was found.
    #[must_use]
    pub fn all(self) -> Vec<Fault> {
        self.found
    }
}
