//! Requests that are signed one by one, and token requests that are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use renmen_egress::{Egress, EgressError, NoTape, Request};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{at_now, header, with};
use crate::support::{Vendor, get, ok, post, reply, with_slot};

const SECRET: &str = r#"{"app_id":"app-000001","app_secret":"canary-s3cret"}"#;

const SIGNED: &str = r#"
type = "signed"
with = { text = "{method}\n{path}\n{sorted_query}\n{time_s}\n{nonce}\n{body | sha256 | hex}" }
headers = { x-app = "{app_id}", x-time = "{time_s}", x-nonce = "{nonce}", x-signature = "{text | hmac-sha256 app_secret | base64}" }
"#;

const IN_QUERY: &str = r#"
type = "signed"
query = [{ name = "ts", value = "{time_ms}" }, { name = "sign", value = "{sorted_pairs | hmac-sha1 app_secret | hex}" }]
"#;

fn hmac_sha256(key: &str, text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test]
async fn a_signature_is_over_what_is_sent_and_another_one_for_each_attempt() {
    let api = Vendor::start(vec![reply(503, "", ""), ok("{}")]).await;
    let request = Request { method: "PUT".into(), ..post(api.url("/v1/a%20b?b=2&a=x/y"), "{\"n\":1}") };
    let mut spec = with(&api, &api, SIGNED, SECRET);
    spec.wish.methods.push("PUT".into());
    let connection = Egress::with(at_now()).unwrap().connect(spec).unwrap();
    connection.send(with_slot(request, "app"), &NoTape).await.unwrap();
    let seen = api.requests.lock().clone();
    assert_eq!(seen.len(), 2);
    let mut nonces = Vec::new();
    for request in seen {
        let (nonce, time) = (header(&request, "x-nonce").unwrap(), header(&request, "x-time").unwrap());
        assert_eq!((time.as_str(), nonce.len()), ("1700000000", 32));
        let body = hex::encode(Sha256::digest("{\"n\":1}"));
        let text = format!("PUT\n/v1/a%20b\na=x%2Fy&b=2\n{time}\n{nonce}\n{body}");
        assert_eq!(header(&request, "x-signature").unwrap(), STANDARD.encode(hmac_sha256("canary-s3cret", &text)));
        assert_eq!(header(&request, "x-app").as_deref(), Some("app-000001"));
        assert!(!request.contains("canary"), "{request}");
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_signature_in_the_query_is_over_the_parameters_before_it() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let connection = Egress::with(at_now()).unwrap().connect(with(&api, &api, IN_QUERY, SECRET)).unwrap();
    connection.send(with_slot(get(api.url("/v1?b=2&a=1")), "app"), &NoTape).await.unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(b"canary-s3cret").unwrap();
    mac.update(b"a1b2ts1700000000000");
    let wanted = format!("GET /v1?b=2&a=1&ts=1700000000000&sign={} ", hex::encode(mac.finalize().into_bytes()));
    let seen = api.requests.lock()[0].clone();
    assert!(seen.starts_with(&wanted), "{seen}");
}

#[tokio::test]
async fn what_a_recipe_adds_no_connector_can_set() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let egress = Egress::with(at_now()).unwrap();
    let connection = egress.connect(with(&api, &api, SIGNED, SECRET)).unwrap();
    for name in ["x-signature", "X-NONCE", "x_time"] {
        let mut request = with_slot(get(api.url("/x")), "app");
        request.headers.push((name.into(), "mine".into()));
        let sent = connection.send(request, &NoTape).await;
        assert!(matches!(sent, Err(EgressError::NotGranted(_))), "{name}");
    }
    let connection = egress.connect(with(&api, &api, IN_QUERY, SECRET)).unwrap();
    let error = connection.send(with_slot(get(api.url("/x?SIGN=mine")), "app"), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("`sign`")), "{error}");
    assert_eq!(api.hits(), 0);
}

#[tokio::test]
async fn a_secret_or_a_configuration_that_lacks_something_sends_nothing() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let egress = Egress::with(at_now()).unwrap();
    let lacking = SIGNED.replace("{app_id}", "{config/none}");
    for (auth, secret, said) in [
        (SIGNED, r#"{"app_id":"app-000001"}"#, "no text member `app_secret`"),
        (SIGNED, "canary-s3cret", "no text member"),
        (SIGNED, r#"{"app_id":"app-000001","app_secret":""}"#, "key of the recipe is empty"),
        (SIGNED, "{\"app_id\":\"app\\n01\",\"app_secret\":\"canary-s3cret\"}", "no header may have"),
        (&lacking, SECRET, "configuration key `none`"),
    ] {
        let connection = egress.connect(with(&api, &api, auth, secret)).unwrap();
        let error = connection.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap_err();
        assert!(matches!(&error, EgressError::Auth(why) if why.contains(said)), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert_eq!(api.hits(), 0);
}

#[tokio::test]
async fn a_token_request_is_signed_as_its_vendor_shows_it() {
    let tokens = Vendor::start(vec![ok(r#"{"code":"00000","data":{"access_token":"token-one","expire":7200}}"#)]).await;
    let api = Vendor::start(vec![ok("{}")]).await;
    let auth = r#"
type = "json_token"
token_url = "{auth_url}/getAccessToken"
send = "query"
with = { text = "appKey{app_id}timestamp{time_ms}" }
fields = { appKey = "{app_id}", timestamp = "{time_ms}", signature = "{text | hmac-sha256 app_secret | base64}" }
token = "/data/access_token"
expires_in = "/data/expire"
place = { in = "query", name = "access_token" }
"#;
    let connection = Egress::with(at_now()).unwrap().connect(with(&api, &tokens, auth, SECRET)).unwrap();
    connection.send(with_slot(get(api.url("/staff")), "app"), &NoTape).await.unwrap();
    let asked = tokens.requests.lock()[0].clone();
    let url = url::Url::parse(&format!("http://x{}", asked.split(' ').nth(1).unwrap())).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let signature = STANDARD.encode(hmac_sha256("canary-s3cret", "appKeyapp-000001timestamp1700000000000"));
    let wanted = [("appKey", "app-000001"), ("signature", signature.as_str()), ("timestamp", "1700000000000")];
    assert_eq!(pairs, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(api.requests.lock()[0].starts_with("GET /staff?access_token=token-one "));
}
