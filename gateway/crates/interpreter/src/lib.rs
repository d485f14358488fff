//! The interpreter of connectors without code, as a module for the sandbox. `build.rs` compiles it; what puts a mapping into it is
//! `renmen_declarative::embed`.

/// The module. Alone it does nothing: a mapping must be put into it.
pub static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/interpreter.wasm"));

#[cfg(test)]
mod tests {
    use super::MODULE;

    /// What every connector without code weighs. Bytes.
    const MODULE_BYTES_MAX: usize = 2 << 20;

    #[test]
    fn the_module_is_wasm_and_small() {
        assert!(MODULE.starts_with(b"\0asm"));
        assert!(MODULE.len() <= MODULE_BYTES_MAX, "{} bytes; at most {MODULE_BYTES_MAX}", MODULE.len());
    }
}
