//! Sealed slots: what the vendors' own protocols need works, with the vectors that they publish.

mod rig;
mod vendors;
