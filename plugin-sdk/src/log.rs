//! Lines for the operator: limited in number and length by the gateway, secrets taken out. Never a person's data.

pub use crate::level::Level;

/// Writes a line; see the macros [`error!`](crate::error), [`warn!`](crate::warn), [`info!`](crate::info) and
/// [`debug!`](crate::debug).
pub fn write(level: Level, message: &str) {
    crate::host::log(level, message);
}

/// Formats and writes a line for the operator: something is lost or cannot go on.
#[macro_export]
macro_rules! error {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Error, &format!($($part)+)) };
}

/// Formats and writes a line for the operator: something is not as it should be.
#[macro_export]
macro_rules! warn {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Warn, &format!($($part)+)) };
}

/// Formats and writes a line for the operator: something worth knowing.
#[macro_export]
macro_rules! info {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Info, &format!($($part)+)) };
}

/// Formats and writes a line for the developer of the connector.
#[macro_export]
macro_rules! debug {
    ($($part:tt)+) => { $crate::log::write($crate::log::Level::Debug, &format!($($part)+)) };
}

#[cfg(test)]
mod tests {
    use super::Level;
    use crate::testing::Host;

    #[test]
    fn the_macros_format_and_keep_their_level() {
        let host = Host::new();
        host.run(|| {
            let page = 3;
            crate::warn!("page {page} of {}", 9);
            crate::debug!("done");
        });
        assert_eq!(host.logs(), [(Level::Warn, "page 3 of 9".to_owned()), (Level::Debug, "done".to_owned())]);
    }
}
