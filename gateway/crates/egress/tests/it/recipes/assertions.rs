//! Assertions that the gateway makes and signs: JWTs and SAML.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use renmen_egress::{Egress, EgressError, NoTape};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{at_now, header, with};
use crate::support::{Vendor, get, ok, reply, with_slot};

/// A key for tests alone.
const RSA: &str = include_str!("../../../../kit/src/conformance/keys/rsa.pem");

const JWT: &str = r#"
type = "oauth2_jwt_bearer"
token_url = "{auth_url}/token"
claims = { iss = "{client_id}", sub = "{config/user}", aud = "https://login.example" }
header = { kid = "{key_id}" }
life_s = 180
"#;

const SAML: &str = r#"
type = "oauth2_saml_bearer"
token_url = "{auth_url}/token"
issuer = "{client_id}"
subject = "{config/user}"
audience = "www.vendor.example"
recipient = "https://api.example/oauth/token?a=1&b=\"2\""
attributes = { api_key = "{client_id}" }
fields = { company_id = "acme<&>", client_id = "{client_id}" }
"#;

fn secret(key: &str) -> String {
    json!({ "client_id": "client-000001", "key_id": "k-1", "private_key": key }).to_string()
}

fn token() -> crate::support::Act {
    ok(r#"{"access_token":"token-one","token_type":"Bearer"}"#)
}

/// What the token endpoint was sent.
async fn asked(auth: &str, secret: &str) -> Vec<(String, String)> {
    let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![token()]).await);
    let connection = Egress::with(at_now()).unwrap().connect(with(&api, &tokens, auth, secret)).unwrap();
    connection.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap();
    assert_eq!(header(&api.requests.lock()[0], "authorization").as_deref(), Some("Bearer token-one"));
    let request = tokens.requests.lock()[0].clone();
    assert!(!request.contains("PRIVATE"), "the key never leaves");
    let form = request.split_once("\r\n\r\n").unwrap().1.to_owned();
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

fn rsa_public() -> Vec<u8> {
    let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(RSA.as_bytes()).unwrap() else { panic!("PKCS#8") };
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap().public_key().as_ref().to_vec()
}

fn part(jwt: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_jwt_says_who_for_whom_and_until_when_and_its_signature_holds() {
    let form = asked(JWT, &secret(RSA)).await;
    assert_eq!(form[0], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
    let jwt = &form[1].1;
    assert_eq!(part(jwt, 0), json!({ "alg": "RS256", "kid": "k-1", "typ": "JWT" }));
    let mut claims = part(jwt, 1);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    claims.as_object_mut().unwrap().remove("jti");
    let wanted = json!({ "iss": "client-000001", "sub": "hr@acme.example", "aud": "https://login.example",
                         "iat": 1_700_000_000, "exp": 1_700_000_180 });
    assert_eq!(claims, wanted);
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa_public());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
}

#[tokio::test]
async fn a_jwt_is_signed_on_p_256_where_the_recipe_says_so() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let form = asked(&format!("{JWT}algorithm = \"ES256\""), &secret(&pair.serialize_pem())).await;
    let (signed, signature) = form[1].1.rsplit_once('.').unwrap();
    assert_eq!(part(&form[1].1, 0)["alg"], "ES256");
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key_raw().to_vec());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap();
    &text[start..start + text[start..].find(to).unwrap() + to.len()]
}

fn inner<'t>(text: &'t str, tag: &str) -> &'t str {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    between(text, &open, &close).strip_prefix(open.as_str()).unwrap().strip_suffix(close.as_str()).unwrap()
}

#[tokio::test]
async fn a_saml_assertion_says_who_for_whom_and_until_when_and_its_signature_holds() {
    let form = asked(SAML, &secret(RSA)).await;
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:saml2-bearer");
    assert_eq!(form[2..], [("client_id".into(), "client-000001".into()), ("company_id".into(), "acme<&>".into())]);
    let xml = String::from_utf8(STANDARD.decode(&form[1].1).unwrap()).unwrap();
    for there in [
        "<saml2:Issuer>client-000001</saml2:Issuer>",
        ">hr@acme.example</saml2:NameID>",
        "<saml2:Audience>www.vendor.example</saml2:Audience>",
        "Recipient=\"https://api.example/oauth/token?a=1&amp;b=&quot;2&quot;\"",
        "NotBefore=\"2023-11-14T22:03:20Z\" NotOnOrAfter=\"2023-11-14T22:23:20Z\"",
        "<saml2:Attribute Name=\"api_key\"><saml2:AttributeValue>client-000001<",
    ] {
        assert!(xml.contains(there), "{there} in {xml}");
    }
    // As a verifier does it: the digest over the assertion without its signature, the signature over what names the digest.
    let signature = between(&xml, "<ds:Signature ", "</ds:Signature>");
    let digest = STANDARD.encode(Sha256::digest(xml.replace(signature, "")));
    assert_eq!(inner(signature, "ds:DigestValue"), digest);
    let signed = between(signature, "<ds:SignedInfo ", "</ds:SignedInfo>");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa_public());
    key.verify(signed.as_bytes(), &STANDARD.decode(inner(signature, "ds:SignatureValue")).unwrap()).unwrap();
    let id = between(&xml, "ID=\"", "\" ").strip_prefix("ID=\"").unwrap().strip_suffix("\" ").unwrap();
    assert!(signed.contains(&format!("URI=\"#{id}\"")), "{signed}");
}

#[tokio::test]
async fn a_certificate_goes_along_where_the_slot_holds_one() {
    let mut held: Value = serde_json::from_str(&secret(RSA)).unwrap();
    held["certificate"] = "-----BEGIN CERTIFICATE-----\nTWFk\nZSB1cA==\n-----END CERTIFICATE-----\n".into();
    let form = asked(SAML, &held.to_string()).await;
    let xml = String::from_utf8(STANDARD.decode(&form[1].1).unwrap()).unwrap();
    assert!(xml.contains("<ds:X509Certificate>TWFkZSB1cA==</ds:X509Certificate>"), "{xml}");
}

#[tokio::test]
async fn without_a_key_that_fits_nothing_is_sent_and_nothing_of_it_is_told() {
    let (api, tokens) = (Vendor::start(vec![ok("{}")]).await, Vendor::start(vec![token()]).await);
    let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let no_user = JWT.replace("{config/user}", "{config/none}");
    for (auth, held, said) in [
        (JWT, secret("canary-key"), "not a private key in PEM"),
        (SAML, secret("canary-key"), "not a private key in PEM"),
        (JWT, secret(&p256), "not a key for RS256"),
        (SAML, secret(&p256), "not a key for RS256"),
        (JWT, json!({ "client_id": "client-000001", "key_id": "k-1" }).to_string(), "no text member `private_key`"),
        (JWT, RSA.to_owned(), "must hold a JSON object"),
        (&no_user, secret(RSA), "configuration key `none`"),
    ] {
        let connection = Egress::with(at_now()).unwrap().connect(with(&api, &tokens, auth, &held)).unwrap();
        let error = connection.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap_err();
        assert!(matches!(&error, EgressError::Auth(why) if why.contains(said)), "{error}");
        assert!(!error.to_string().contains("canary") && !error.to_string().contains("MII"), "{error}");
    }
    assert_eq!((api.connected(), tokens.connected()), (0, 0));
    let refusing = Vendor::start(vec![reply(400, "", r#"{"error":"invalid_grant"}"#)]).await;
    let connection = Egress::with(at_now()).unwrap().connect(with(&api, &refusing, JWT, &secret(RSA))).unwrap();
    let error = connection.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::Auth(why) if why.contains("invalid_grant")), "{error}");
}
