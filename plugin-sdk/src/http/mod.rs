//! The only way out. The gateway checks the grant, adds the credential of the slot, keeps to the rate, tries again what
//! can be tried again, and records what crossed.
//!
//! ```
//! # use renmen_plugin::{http::Request, testing::Host, Failure};
//! # #[derive(serde::Deserialize)] struct Staff { name: String }
//! # let host = Host::new().answer("GET", "https://hr.example/staff/7?lang=zh%20CN", 200, r#"{"name":"A"}"#);
//! # host.run(|| -> Result<(), Failure> {
//! let staff: Staff = Request::get("https://hr.example/staff/7").query("lang", "zh CN").slot("app").send()?.ok()?.json()?;
//! # assert_eq!(staff.name, "A"); Ok(()) }).unwrap();
//! ```

mod request;
mod response;

pub use request::{Request, path_segment, send_all};
pub use response::Response;

/// The first header of this name, compared without case.
pub(crate) fn header_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
