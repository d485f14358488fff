//! Names of entries: those that an operator gives, and those of the gateway itself, which no operator and no client can give.

use renmen_schema::text;

use crate::VaultError;

const NAME_BYTES_MAX: usize = 128;

/// How the names of the gateway's own entries begin. No other name has a `:`.
pub const OWN_PREFIX: &str = "gateway:";

/// Is this an operator's name?
pub(crate) fn is_given(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(fits)
}

/// Is this a name at all?
pub(crate) fn is_name(name: &str) -> bool {
    is_given(name.strip_prefix(OWN_PREFIX).unwrap_or(name))
}

/// What a name must be.
pub(crate) fn bad() -> VaultError {
    VaultError::Limit {
        limit: "vault_name_bytes_max",
        message: text!(
            "an entry's name has 1 to {NAME_BYTES_MAX} of a-z, A-Z, 0-9, '.', '_', '/' and '-'",
            "条目名为 1 到 {NAME_BYTES_MAX} 个字符：a-z、A-Z、0-9、'.'、'_'、'/' 与 '-'"
        ),
    }
}
