//! The drop directory through the same door as HTTP: granted, recorded, replayed.

use std::fs;

use renmen_egress::{EgressError, NoTape};

use crate::support::{Memory, connect, get, post, slot, spec, static_slot, with_slot};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pay 2026.csv"), "id,pay\n1,8-10K\n").unwrap();
    folder
}

#[tokio::test]
async fn a_listing_and_its_files_are_read_and_recorded() {
    let folder = folder();
    let mut spec = spec(&["drop:".into()]);
    spec.grant.drop = Some(folder.path().into());
    let connection = connect(spec);
    let tape = Memory::default();
    let listing = connection.send(get("drop:///"), &tape).await.unwrap();
    let listing: serde_json::Value = serde_json::from_slice(&listing.response.body).unwrap();
    assert_eq!((listing[0]["name"].as_str(), listing[0]["bytes"].as_u64()), (Some("pay 2026.csv"), Some(15)));
    let file = connection.send(get("drop:///pay%202026.csv"), &tape).await.unwrap();
    assert_eq!(file.response.body, "id,pay\n1,8-10K\n");

    // The same call again, with the file gone and nothing but the tape.
    fs::remove_file(folder.path().join("pay 2026.csv")).unwrap();
    let replay =
        Memory { known: parking_lot::Mutex::new(tape.recorded.into_inner()), is_sealed: true, ..Memory::default() };
    assert_eq!(
        connection.send(get("drop:///pay%202026.csv"), &replay).await.unwrap().response.body,
        "id,pay\n1,8-10K\n"
    );
    let gone = connection.send(get("drop:///pay%202026.csv"), &NoTape).await;
    assert!(matches!(gone, Err(EgressError::Unavailable(_))));
}

#[tokio::test]
async fn it_is_read_only_takes_no_credential_and_needs_a_grant_f13() {
    let folder = folder();
    let mut open = spec(&["drop:".into()]);
    open.grant.drop = Some(folder.path().into());
    open.slots.insert(slot("app"), static_slot("s3cret-value", "x-key"));
    let connection = connect(open);
    assert!(matches!(connection.send(post("drop:///new.csv", "x"), &NoTape).await, Err(EgressError::NotGranted(_))));
    assert!(matches!(
        connection.send(with_slot(get("drop:///"), "app"), &NoTape).await,
        Err(EgressError::BadRequest(_))
    ));
    for url in ["drop:///..%2fetc%2fpasswd", "drop:///%2e%2e/%2e%2e/etc/passwd", "drop:///sub/file"] {
        assert!(connection.send(get(url), &NoTape).await.is_err(), "{url}");
    }
    let closed = connect(spec(&["drop:".into()]));
    assert!(matches!(closed.send(get("drop:///"), &NoTape).await, Err(EgressError::NotGranted(_))));
}
