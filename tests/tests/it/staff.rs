//! The connector of the README against its simulator, with the real binary: what tests of the engine as a whole share.

use renmen_tests::staff_api::{self, Source};

use crate::harness::{Home, plugin, serve};

/// A source of `n` employees and a home that pulls from it.
pub async fn staff(n: usize) -> (Source, Home) {
    let source = staff_api::source(n);
    let url = serve(staff_api::router(source.clone())).await;
    let home = Home::new(&config(&url, "staff-api"));
    (source, home)
}

/// A configuration with one connection.
pub fn config(url: &str, name: &str) -> String {
    format!(
        r#"
[connections.staff]
plugin = "{}"
config = {{ base_url = "{url}/v1" }}
grant = {{ hosts = ["{{base_url}}"], methods = ["GET"], entities = ["employee"], plaintext = true, addresses = ["127.0.0.0/8"] }}
streams.employees = {{ manual = true }}
limits = {{ page_records_max = 1000 }}
"#,
        plugin(name).display()
    )
}
