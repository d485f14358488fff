//! `grant.entities`: what a connection may write.

use renmen_schema::EntityKind;

use crate::{DIGEST, read, read_dev, refused};

fn people(entities: &str) -> String {
    format!("[connections.people]\nplugin = \"p.wasm\"\ndigest = \"{DIGEST}\"\ngrant.entities = {entities}\n")
}

#[test]
fn the_entities_of_a_connection_are_named_or_none_at_all() {
    let config = read(&people("[\"employee\", \"org_unit\"]"), false).unwrap();
    let grant = &config.connections.values().next().unwrap().grant;
    assert_eq!(grant.entities.as_deref(), Some(&[EntityKind::Employee, EntityKind::OrgUnit][..]));
    let none = read_dev(&people("[]")).connections;
    assert_eq!(none.values().next().unwrap().grant.entities.as_deref(), Some(&[][..]));
    let absent = read_dev("[connections.people]\nplugin = \"p.wasm\"\n").connections;
    assert!(absent.values().next().unwrap().grant.entities.is_none());
}

#[test]
fn what_is_not_an_entity_and_what_the_gateway_alone_writes_cannot_be_granted() {
    let error = refused(&people("[\"employe\"]"));
    assert!(error.contains("did you mean `employee`?") && error.contains("connectors.toml:4:19"), "{error}");
    for kind in EntityKind::GATEWAY_ONLY {
        let error = refused(&people(&format!("[\"employee\", \"{}\"]", kind.name())));
        assert!(error.contains("written by the gateway alone") && error.contains("connectors.toml:4:31"), "{error}");
    }
}
