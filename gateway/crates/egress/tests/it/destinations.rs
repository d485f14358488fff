//! Where a slot's secret may go: to what the operator says AND what the manifest says AND what is granted, on every way that it
//! could take.

use std::collections::BTreeMap;

use renmen_egress::{ConnectionSpec, Egress, EgressError, NoTape, SlotSpec};
use renmen_schema::manifest::{AuthRecipe, EventSocketManifest, Placement, TokenBody};
use renmen_vault::Secret;
use serde_json::json;

use crate::support::{Vendor, connect, get, ok, options, reply, shipped_socket, slot, spec, static_slot, with_slot};

const SECRET: &str = r#"{"client_id":"app-000001","client_secret":"canary-s3cret"}"#;

/// A connection that may reach both vendors, with one slot whose secret may go where the test says.
fn reaching(vendors: &[&Vendor], slot_spec: SlotSpec) -> ConnectionSpec {
    let mut spec = spec(&vendors.iter().map(|vendor| vendor.url("")).collect::<Vec<_>>());
    spec.slots.insert(slot("app"), slot_spec);
    spec
}

fn token_slot(token_url: String, to: Option<Vec<String>>, audience: Vec<String>) -> SlotSpec {
    let auth = AuthRecipe::JsonToken {
        token_url,
        send: TokenBody::Json,
        fields: [("secret".to_owned(), "{client_secret}".to_owned())].into(),
        token: "/token".into(),
        expires_in: None,
        error_code: None,
        stale: None,
        place: Placement::default(),
        with: BTreeMap::new(),
    };
    SlotSpec { secret: Some(Secret::new(SECRET.into())), to, audience, auth: Some(auth), public: vec![], seal: None }
}

fn refused(spec: ConnectionSpec) -> String {
    match Egress::with(options()).unwrap().connect(spec) {
        Err(EgressError::NotGranted(why)) => why,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("taken"),
    }
}

#[tokio::test]
async fn a_credential_goes_where_operator_and_manifest_both_let_it() {
    let (ours, theirs) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![ok("{}")]).await);
    let (here, there) = (ours.url(""), theirs.url(""));
    for (to, audience, goes_there) in [
        (None, vec![], true),
        (Some(vec![here.clone()]), vec![], false),
        (Some(vec![here.clone(), there.clone()]), vec![here.clone()], false),
        (Some(vec![here.clone()]), vec![here.clone(), there.clone()], false),
        (Some(vec![here.clone(), there.clone()]), vec![here.clone(), there.clone()], true),
        (Some(vec!["{unset}".into()]), vec![], false),
        (Some(vec![]), vec![], false),
    ] {
        let slot_spec = SlotSpec { to: to.clone(), audience: audience.clone(), ..static_slot("canary-key", "x-key") };
        let connection = connect(reaching(&[&ours, &theirs], slot_spec));
        let hits = theirs.hits();
        let sent = connection.send(with_slot(get(theirs.url("/x")), "app"), &NoTape).await;
        assert_eq!(sent.is_ok(), goes_there, "{to:?} {audience:?}");
        assert_eq!(theirs.hits(), hits + usize::from(goes_there));
        // The request itself is granted: it is the secret that may not go.
        assert!(connection.send(get(theirs.url("/x")), &NoTape).await.is_ok());
    }
    assert!(!ours.requests.lock().iter().any(|request| request.contains("canary")));
}

#[tokio::test]
async fn the_token_endpoint_is_within_the_operators_word_and_the_manifests_or_nothing_starts() {
    let (api, tokens) =
        (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![ok(r#"{"token":"token-one"}"#)]).await);
    let (api_origin, token_origin) = (api.url(""), tokens.url(""));
    let with = |to: Option<Vec<String>>, audience: Vec<String>| {
        reaching(&[&api, &tokens], token_slot(tokens.url("/token"), to, audience))
    };
    let why = refused(with(Some(vec![api_origin.clone()]), vec![]));
    assert!(why.contains("`app`") && why.contains(&token_origin) && why.contains("`to`"), "{why}");
    let both = vec![api_origin.clone(), token_origin.clone()];
    let why = refused(with(Some(both.clone()), vec![api_origin.clone()]));
    assert!(why.contains(&token_origin) && why.contains("audience"), "{why}");
    let mut narrow = with(Some(both.clone()), both.clone());
    narrow.grant.hosts = Some(vec![api_origin]);
    assert!(refused(narrow).contains("grant.hosts"));
    assert_eq!(tokens.connected(), 0);

    let connection = connect(with(Some(both.clone()), both));
    connection.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap();
    assert_eq!((api.hits(), tokens.hits()), (1, 1));
}

#[tokio::test]
async fn a_redirect_takes_no_credential_to_another_origin() {
    let theirs = Vendor::start(vec![ok("{}")]).await;
    let ours = Vendor::start(vec![reply(302, &format!("location: {}\r\n", theirs.url("/x")), "")]).await;
    let slot_spec = SlotSpec { to: Some(vec![ours.url("")]), ..static_slot("canary-key", "x-key") };
    let connection = connect(reaching(&[&ours, &theirs], slot_spec));
    let sent = connection.send(with_slot(get(ours.url("/x")), "app"), &NoTape).await;
    assert!(matches!(sent, Err(EgressError::NotGranted(_))));
    assert_eq!((ours.hits(), theirs.connected()), (1, 0));
}

#[tokio::test]
async fn an_event_connection_is_asked_for_and_opened_within_the_operators_word_alone() {
    let socket = Vendor::start(vec![ok("{}")]).await;
    let opened = json!({ "endpoint": format!("ws://{}/connect", socket.address), "ticket": "ticket-canary" });
    let api = Vendor::start(vec![ok(&opened.to_string())]).await;
    let wish = EventSocketManifest {
        open_url: api.url("/open"),
        hosts: vec![api.url(""), socket.url("")],
        ..shipped_socket()
    };
    let with = |to: Vec<String>| {
        let slot_spec = SlotSpec {
            to: Some(to),
            audience: vec![api.url("")],
            auth: Some(AuthRecipe::Basic {}),
            ..static_slot(SECRET, "x")
        };
        connect(reaching(&[&api], slot_spec))
    };
    let error = with(vec![socket.url("")]).open_events(&wish).await.unwrap_err().to_string();
    assert!(error.contains(&api.url("")) && error.contains("`to`"), "{error}");
    assert_eq!((api.connected(), socket.connected()), (0, 0), "the secret went nowhere");
    let error = with(vec![api.url("")]).open_events(&wish).await.unwrap_err().to_string();
    assert!(error.contains(&socket.url("")) && error.contains("`to`") && !error.contains("canary"), "{error}");
    assert_eq!((api.hits(), socket.connected()), (1, 0), "the ticket went nowhere");
    let error = with(vec![api.url(""), socket.url("")]).open_events(&wish).await.unwrap_err().to_string();
    assert!(error.contains("where a WebSocket was expected"), "{error}");
    assert_eq!(socket.hits(), 1);
}
