//! A vendor that misbehaves on demand.
