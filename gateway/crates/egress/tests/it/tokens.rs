//! Tokens: fetched once, kept, renewed when the vendor says so, and never reachable by a connector.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_egress::{Connection, ConnectionSpec, Egress, EgressError, NoTape, SlotSpec};
use renmen_schema::manifest::{AuthRecipe, Placement, StaleToken, TokenBody};
use renmen_vault::Secret;

use crate::support::{Act, Vendor, connect, get, ok, options, post, reply, slot, spec, with_slot};

const SECRET: &str = r#"{"client_id":"app-000001","client_secret":"canary-s3cret"}"#;

fn json_token(stale: Option<StaleToken>) -> AuthRecipe {
    AuthRecipe::JsonToken {
        token_url: "{auth_url}/v1.0/token".into(),
        send: TokenBody::Json,
        fields: [("appKey", "{client_id}"), ("appSecret", "{client_secret}")].map(|(k, v)| (k.into(), v.into())).into(),
        token: "/accessToken".into(),
        expires_in: Some("/expireIn".into()),
        error_code: Some("/errcode".into()),
        stale,
        place: Placement::Header { name: "x-acs-token".into(), prefix: String::new() },
        with: BTreeMap::new(),
    }
}

fn with_recipe(api: &Vendor, tokens: &Vendor, auth: AuthRecipe) -> ConnectionSpec {
    let mut spec = spec(&[api.url("")]);
    spec.config = serde_json::json!({ "auth_url": tokens.url("/") });
    let secret = Some(Secret::new(SECRET.into()));
    spec.slots.insert(
        slot("app"),
        SlotSpec { secret, to: None, audience: vec![], auth: Some(auth), public: vec![], seal: None },
    );
    spec
}

fn token(text: &str) -> Act {
    ok(&format!(r#"{{"accessToken":"{text}","expireIn":7200}}"#))
}

async fn send(connection: &Connection, api: &Vendor) -> Result<u16, EgressError> {
    let exchange = connection.send(with_slot(get(api.url("/staff")), "app"), &NoTape).await?;
    Ok(exchange.response.status)
}

fn tokens_seen(api: &Vendor) -> Vec<String> {
    let of = |request: &String| request.lines().find_map(|line| line.strip_prefix("x-acs-token: ").map(str::to_owned));
    api.requests.lock().iter().filter_map(of).collect()
}

#[tokio::test]
async fn fifty_requests_at_once_fetch_one_token() {
    let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![token("token-one")]).await);
    let connection = connect(with_recipe(&api, &tokens, json_token(None)));
    let sends: Vec<_> = (0..50)
        .map(|n| {
            let (connection, url) = (connection.clone(), api.url(&format!("/{n}")));
            tokio::spawn(async move { connection.send(with_slot(get(url), "app"), &NoTape).await.is_ok() })
        })
        .collect();
    for sent in sends {
        assert!(sent.await.unwrap());
    }
    assert_eq!((tokens.hits(), api.hits()), (1, 50));
    assert!(tokens_seen(&api).iter().all(|token| token == "token-one"));
    let asked = tokens.requests.lock()[0].clone();
    assert!(
        asked.starts_with("POST /v1.0/token ")
            && asked.ends_with(r#"{"appKey":"app-000001","appSecret":"canary-s3cret"}"#),
        "{asked}"
    );
}

#[tokio::test]
async fn a_connection_made_anew_goes_on_with_its_token() {
    let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![token("token-one")]).await);
    let egress = Egress::with(options()).unwrap();
    for _ in 0..2 {
        let connection = egress.connect(with_recipe(&api, &tokens, json_token(None))).unwrap();
        assert_eq!(send(&connection, &api).await.unwrap(), 200);
    }
    assert_eq!(tokens.hits(), 1);
    let mut other = with_recipe(&api, &tokens, json_token(None));
    other.slots.get_mut(&slot("app")).unwrap().secret = Some(Secret::new(SECRET.replace("canary", "other!")));
    send(&egress.connect(other).unwrap(), &api).await.unwrap();
    assert_eq!(tokens.hits(), 2);
}

#[tokio::test]
async fn a_401_renews_the_token_once() {
    let api = Vendor::start(vec![reply(401, "", ""), ok("{}"), reply(401, "", "")]).await;
    let tokens = Vendor::start(vec![token("token-1"), token("token-2"), token("token-3")]).await;
    let connection = connect(with_recipe(&api, &tokens, json_token(None)));
    assert_eq!(send(&connection, &api).await.unwrap(), 200);
    assert_eq!(tokens_seen(&api), ["token-1", "token-2"]);
    // A vendor that refuses every token gets two requests, and the connector its answer.
    assert_eq!(send(&connection, &api).await.unwrap(), 401);
    assert_eq!(tokens_seen(&api), ["token-1", "token-2", "token-2", "token-3"]);
}

#[tokio::test]
async fn a_stale_code_in_a_200_renews_the_token_where_the_recipe_says_so() {
    let sign = StaleToken { pointer: "/errcode".into(), also: Vec::new(), codes: vec!["40014".into()] };
    let stale = || ok(r#"{"errcode":40014,"errmsg":"invalid access_token"}"#);
    for (sign, requests) in [(Some(sign), 2), (None, 1)] {
        let (api, tokens) = (
            Vendor::start(vec![stale(), ok("{}")]).await,
            Vendor::start(vec![token("token-1"), token("token-2")]).await,
        );
        assert_eq!(send(&connect(with_recipe(&api, &tokens, json_token(sign))), &api).await.unwrap(), 200);
        assert_eq!((api.hits(), tokens.hits()), (requests, requests));
    }
}

#[tokio::test]
async fn a_refused_secret_is_an_auth_error_and_the_api_hears_nothing() {
    let bodies = [
        reply(400, "", r#"{"errcode":"InvalidClient","errmsg":"canary-s3cret"}"#),
        ok(r#"{"errcode":40089}"#),
        reply(401, "", "{}"),
    ];
    for body in bodies {
        let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![body]).await);
        let error = send(&connect(with_recipe(&api, &tokens, json_token(None))), &api).await.unwrap_err();
        assert!(matches!(&error, EgressError::Auth(why) if !why.contains("canary")), "{error}");
        assert_eq!((api.connected(), tokens.hits()), (0, 1));
    }
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_is_unavailable() {
    let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![reply(502, "", "")]).await);
    let error = send(&connect(with_recipe(&api, &tokens, json_token(None))), &api).await.unwrap_err();
    assert!(matches!(error, EgressError::Unavailable(_)), "{error}");
    assert_eq!((api.connected(), tokens.hits()), (0, 3));
}

#[tokio::test]
async fn a_connector_cannot_call_the_token_endpoint_nor_send_or_see_the_token_f14() {
    let vendor = Vendor::start(vec![token("token-canary"), Act::Echo]).await;
    let connection = connect(with_recipe(&vendor, &vendor, json_token(None)));
    let error = connection.send(post(vendor.url("/v1.0//TOKEN"), "{}"), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    assert_eq!(vendor.connected(), 0);

    let exchange = connection.send(with_slot(get(vendor.url("/x")), "app"), &NoTape).await.unwrap();
    assert!(vendor.requests.lock()[1].contains("token-canary"));
    assert!(!String::from_utf8_lossy(&exchange.response.body).contains("token-canary"));
    let leak = connection.send(post(vendor.url("/x"), "token-canary"), &NoTape).await;
    assert!(matches!(leak, Err(EgressError::NotGranted(_))));
}

#[tokio::test]
async fn a_token_endpoint_obeys_the_address_and_plaintext_rules_f13() {
    let tokens = Vendor::start(vec![token("token-1")]).await;
    let api = Vendor::at("127.0.0.2:0", vec![ok("{}")]).await;
    let mut narrow = with_recipe(&api, &tokens, json_token(None));
    narrow.grant.addresses = vec!["127.0.0.2/32".parse().unwrap()];
    let error = send(&connect(narrow), &api).await.unwrap_err();
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    let mut secure = with_recipe(&api, &tokens, json_token(None));
    secure.grant.plaintext = false;
    assert!(matches!(Egress::with(options()).unwrap().connect(secure), Err(EgressError::NotGranted(_))));
    let mut listed = with_recipe(&api, &tokens, json_token(None));
    listed.grant.hosts = Some(vec![api.url("")]);
    assert!(matches!(Egress::with(options()).unwrap().connect(listed), Err(EgressError::NotGranted(_))));
    assert_eq!((tokens.connected(), api.connected()), (0, 0));
}

#[tokio::test]
async fn oauth2_client_credentials_are_asked_for_as_rfc_6749_says() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let answer = ok(r#"{"access_token":"bearer-one","token_type":"Bearer","expires_in":3600}"#);
    let tokens = Vendor::start(vec![answer, reply(401, "", r#"{"error":"invalid_client"}"#)]).await;
    let recipe = || AuthRecipe::Oauth2ClientCredentials {
        token_url: "{auth_url}/oauth/token".into(),
        scopes: vec!["read".into(), "staff".into()],
        place: Placement::default(),
    };
    assert_eq!(send(&connect(with_recipe(&api, &tokens, recipe())), &api).await.unwrap(), 200);
    let asked = tokens.requests.lock()[0].clone();
    // base64 of `app-000001:canary-s3cret`
    assert!(asked.contains("authorization: Basic YXBwLTAwMDAwMTpjYW5hcnktczNjcmV0\r\n"), "{asked}");
    assert!(asked.ends_with("grant_type=client_credentials&scope=read+staff"), "{asked}");
    assert!(api.requests.lock()[0].contains("authorization: Bearer bearer-one\r\n"));

    let error = send(&connect(with_recipe(&api, &tokens, recipe())), &api).await.unwrap_err();
    assert!(matches!(&error, EgressError::Auth(why) if why.contains("invalid_client")), "{error}");
    assert_eq!(api.hits(), 1);
}

fn oauth2() -> AuthRecipe {
    AuthRecipe::Oauth2ClientCredentials {
        token_url: "{auth_url}/oauth/token".into(),
        scopes: vec![],
        place: Placement::default(),
    }
}

#[tokio::test]
async fn a_token_answer_is_taken_in_every_form_that_vendors_write() {
    let answers = [
        ok(r#"{"access_token":"bearer-one","token_type":"Bearer","expires_in":"3600"}"#),
        ok(r#"{"access_token":"bearer-one","token_type":"bearer","expires_in":3600.0}"#),
        ok(r#"{"access_token":"bearer-one"}"#),
        ok(r#"{"access_token":"bearer-one","expires_in":null,"scope":["read","staff"]}"#),
        ok(r#"{"access_token":"bearer-one","token_type":"bearer","expires_in":3600,"scope":"read,staff"}"#),
        reply(201, "", r#"{"access_token":"bearer-one","token_type":"bearer"}"#),
        reply(200, "content-type: text/plain\r\n", r#"{"access_token":"bearer-one","token_type":"bearer"}"#),
    ];
    for answer in answers {
        let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![answer]).await);
        let connection = connect(with_recipe(&api, &tokens, oauth2()));
        for _ in 0..2 {
            assert_eq!(send(&connection, &api).await.unwrap(), 200);
        }
        assert!(api.requests.lock()[0].contains("authorization: Bearer bearer-one\r\n"));
        assert_eq!(tokens.hits(), 1, "a life that is not stated is five minutes");
    }
}

#[tokio::test]
async fn a_token_answer_that_cannot_be_used_is_told_by_what_is_wrong_and_never_quoted() {
    let cases = [
        (ok(r#"{"access_token":"canary-token","expires_in":-1}"#), "`expires_in` is negative"),
        (ok(r#"{"access_token":"canary-token","expires_in":"canary"}"#), "`expires_in` is not a number of seconds"),
        (ok(r#"{"access_token":"canary-token","expires_in":["canary"]}"#), "`expires_in` is not a number of seconds"),
        (ok(r#"{"token":"canary-token"}"#), "has no `access_token`; check token_url"),
        (ok(r#"{"access_token":{"canary":1}}"#), "has an `access_token` that is not a text"),
        (ok("<html>canary</html>"), "is not a JSON object; check token_url"),
        (ok(r#"["canary"]"#), "is not a JSON object; check token_url"),
        (ok(r#"{"error":"invalid_client","error_description":"canary"}"#), "refuses the slot's secret: invalid_client"),
        (reply(404, "", "canary"), "answers status 404 and not with an OAuth 2.0 error"),
    ];
    for (answer, words) in cases {
        let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![answer]).await);
        let error = send(&connect(with_recipe(&api, &tokens, oauth2())), &api).await.unwrap_err();
        assert!(matches!(&error, EgressError::Auth(why) if why.contains(words) && !why.contains("canary")), "{error}");
        assert_eq!((api.connected(), tokens.hits()), (0, 1));
    }
}

#[tokio::test]
async fn a_configuration_key_that_is_missing_is_named_when_the_connection_is_made() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let mut spec = with_recipe(&api, &api, json_token(None));
    spec.config = serde_json::json!({});
    let error = Egress::with(options()).unwrap().connect(spec.clone()).map(|_: Arc<Connection>| ()).unwrap_err();
    assert!(matches!(&error, EgressError::BadRequest(why) if why.contains("`auth_url`")), "{error}");
    // An empty slot needs no endpoint.
    spec.slots.get_mut(&slot("app")).unwrap().secret = None;
    assert!(Egress::with(options()).unwrap().connect(spec).is_ok());
}
