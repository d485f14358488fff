//! The database from the command line: copied whole, or refused with what to do; its password comes from where the file says.

use crate::harness::{Home, said};

/// A gateway that needs nothing but its database.
const CONFIG: &str = "[gateway]\ndata_dir = \"data\"\ntenant = \"acme\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_copied_and_the_copy_takes_its_place() {
    let home = Home::new(CONFIG);
    home.json(&["key", "new", "erp", "--role", "owner"]).await;
    let copied = home.json(&["store", "copy", "configured", "sqlite:copies/one.db"]).await;
    let of = |name: &str| copied.as_array().unwrap().iter().find(|table| table["name"] == name).cloned().unwrap();
    assert_eq!(of("api_key")["rows"], 1);
    assert_eq!(of("record")["rows"], 0);
    assert_eq!(of("api_key")["hash"].as_str().map(str::len), Some(64));
    home.configure(&format!("{CONFIG}[store]\nurl = \"sqlite:copies/one.db\"\n"));
    let keys = home.json(&["key", "list"]).await;
    assert!(keys.to_string().contains("erp"), "{keys}");

    for (arguments, code, told) in [
        (["configured", "sqlite:copies/one.db"], 2, "same database"),
        (["sqlite:data/renmen.db", "sqlite:copies/one.db"], 2, "exists"),
        (["sqlite:nowhere.db", "sqlite:copies/two.db"], 2, "nowhere.db"),
        (["configured", "mysql://db/hr"], 1, "postgres://"),
        (["configured", "postgres://renmen:canary-hush@db/hr"], 2, "PGPASSWORD"),
        (["configured", "postgres://renmen@127.0.0.1:9/hr?sslmode=allow"], 2, "verify-full"),
    ] {
        let output = home.run(&[&["store", "copy"][..], &arguments].concat()).await;
        let said = said(&output);
        assert!(output.status.code() == Some(code) && said.contains(told), "{arguments:?}: {} {said}", output.status);
        assert!(!said.contains("canary-hush"), "{said}");
    }
    assert!(!home.path().join("copies/two.db").exists());
    let away = home.run(&["store", "copy", "configured", "postgres://renmen@127.0.0.1:9/hr"]).await;
    assert_eq!(away.status.code(), Some(1), "{}", said(&away));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_of_the_database_is_taken_from_where_the_file_says_and_never_shown() {
    let url = "url = \"postgres://renmen@127.0.0.1:9/hr\"\n";
    let with = |password: &str| format!("{CONFIG}[store]\n{url}password = {password}\n");
    let home = Home::new(&with("{ env = \"DB_PASSWORD\" }"));
    let missing = said(&home.run(&["key", "list"]).await);
    assert!(missing.contains("store.password") && missing.contains("DB_PASSWORD"), "{missing}");
    let home = home.env("DB_PASSWORD", "canary-hush");
    // Nothing listens there: the password was found, and not sent.
    let away = said(&home.run(&["key", "list"]).await);
    assert!(away.contains("no connection to PostgreSQL") && !away.contains("canary-hush"), "{away}");
    let vault = format!("{}[vault]\npath = \"vault.json\"\n", with("{ vault = \"store/password\" }"));
    home.configure(&vault);
    let home = home.env("RENMEN_VAULT_KEY", &vault_key());
    let empty = said(&home.run(&["key", "list"]).await);
    assert!(empty.contains("store.password") && empty.contains("store/password"), "{empty}");
    let twice = format!(
        "{CONFIG}[store]\nurl = \"postgres://renmen:${{DB_PASSWORD}}@127.0.0.1:9/hr\"\npassword = {{ env = \"DB_PASSWORD\" }}\n"
    );
    home.configure(&twice);
    let refused = home.run(&["key", "list"]).await;
    assert_eq!(refused.status.code(), Some(2));
    let refused = said(&refused);
    assert!(refused.contains("password already") && !refused.contains("canary-hush"), "{refused}");
}

/// 32 bytes in base64.
fn vault_key() -> String {
    format!("{}=", "A".repeat(43))
}
