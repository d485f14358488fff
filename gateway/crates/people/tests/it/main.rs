//! Persons are kept through the store, on both backends.
