//! A panic ends the call as a trap that says nothing. So its message and line are logged before: the gateway attaches
//! the last such line to the failure.

/// Sets the hook once; on native targets the test harness keeps its own.
pub(crate) fn report() {
    #[cfg(target_arch = "wasm32")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|panic| crate::log::write(crate::log::Level::Error, &line_of(panic))));
        });
    }
}

/// `panicked at src/map.rs:17: vendor field missing`. The gateway takes secrets out and cuts it.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the hook is set in the sandbox only; tested here"))]
fn line_of(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    format!("panicked{place}: {}", panic.payload_as_str().unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    #[test]
    fn the_line_names_file_line_and_message() {
        static LAST: Mutex<String> = Mutex::new(String::new());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(|panic| *LAST.lock().unwrap() = super::line_of(panic)));
        let caught = std::panic::catch_unwind(|| panic!("field {} missing", "mobile"));
        std::panic::set_hook(before);
        assert!(caught.is_err());
        let line = LAST.lock().unwrap();
        assert!(line.contains("panic.rs:") && line.ends_with("field mobile missing"), "{line}");
    }
}
