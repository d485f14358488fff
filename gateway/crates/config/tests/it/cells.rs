//! `[cells.NAME]`: which tenant is in which database, and what one process has of the file.

use renmen_schema::id::{ConnectionName, TenantId};

use crate::read;

const CONNECTION: &str = "plugin = \"p.wasm\"\n[connections.a.grant]\nhosts = [\"https://a.example\"]\n";

fn cells(more: &str) -> String {
    format!(
        "[cells.b]\nnumber = 1\nurl = \"postgres://renmen@db2/renmen\"\ntenants = [\"globex\"]\npublic_url = \"https://b.example.com\"\n{more}"
    )
}

fn refused(text: &str) -> String {
    read(text, true).expect_err(text).to_string()
}

#[test]
fn a_number_is_one_of_fifteen() {
    for (number, is_good) in [("0", false), ("1", true), ("15", true), ("16", false)] {
        let text = cells("").replace("number = 1", &format!("number = {number}"));
        assert_eq!(read(&text, true).is_ok(), is_good, "{number}");
    }
    assert!(refused("[cells.b]\nurl = \"sqlite:b.db\"\n").contains("number"));
    assert!(refused("[cells.b]\nnumber = 1\n").contains("url"));
}

#[test]
fn no_two_cells_share_a_number_a_database_or_a_tenant() {
    let other = |number: u8, url: &str, tenant: &str| {
        cells(&format!("[cells.c]\nnumber = {number}\nurl = \"{url}\"\ntenants = [\"{tenant}\"]\n"))
    };
    assert!(read(&other(2, "sqlite:c.db", "initech"), true).is_ok());
    assert!(refused(&other(1, "sqlite:c.db", "initech")).contains("number or the database of b"));
    assert!(refused(&other(2, "postgres://renmen@db2/renmen", "initech")).contains("number or the database of b"));
    assert!(refused(&other(2, "sqlite:c.db", "globex")).contains("`globex` is in two cells"));
    let same = "[store]\nurl = \"sqlite:s.db\"\n[cells.c]\nnumber = 2\nurl = \"sqlite:s.db\"\n";
    assert!(refused(same).contains("database of [store]"));
}

#[test]
fn a_process_has_what_belongs_to_the_tenants_of_its_cell_and_knows_where_the_rest_is() {
    let name = |name: &str| ConnectionName::new(name).unwrap();
    let text = cells(&format!(
        "[connections.a]\n{CONNECTION}[connections.g]\ntenant = \"globex\"\n{}",
        CONNECTION.replace("connections.a", "connections.g")
    ));
    let whole = read(&text, true).unwrap();
    assert_eq!(whole.cell_of(&TenantId::new("globex").unwrap()), Some(&name("b")));
    let mut of_store = whole.clone();
    of_store.enter(None).unwrap();
    assert_eq!(of_store.connections.keys().collect::<Vec<_>>(), [&name("a")]);
    assert_eq!(of_store.elsewhere[&name("g")].to_string(), "cell b");
    assert_eq!(of_store.elsewhere[&name("g")].public_url.as_deref(), Some("https://b.example.com"));
    assert_eq!((of_store.store.cell, of_store.store.url.is_postgres()), (Some(0), false));
    let mut of_cell = whole.clone();
    of_cell.enter(Some(&name("b"))).unwrap();
    assert_eq!(of_cell.connections.keys().collect::<Vec<_>>(), [&name("g")]);
    assert!(of_cell.elsewhere.contains_key(&name("a")));
    assert_eq!((of_cell.store.cell, of_cell.store.url.expose()), (Some(1), "postgres://renmen@db2/renmen"));
    assert!(of_cell.gateway.data_dir.ends_with("cells/b"));
    assert_eq!(of_cell.gateway.public_url.as_deref(), Some("https://b.example.com"));
    assert!(whole.clone().enter(Some(&name("c"))).unwrap_err().to_string().contains("there are: b"));
    // Without cells nothing is said of a number.
    let mut alone = read("[gateway]\n", true).unwrap();
    alone.enter(None).unwrap();
    assert_eq!(alone.store.cell, None);
}
