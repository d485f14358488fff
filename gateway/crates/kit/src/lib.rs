//! The author's kit: what turns a folder into a component that can be trusted.
