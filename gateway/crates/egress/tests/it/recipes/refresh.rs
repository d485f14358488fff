//! Refresh tokens that end with each use: the new one is kept before anything that came with it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use renmen_egress::{
    Connection, Egress, EgressError, EgressOptions, HeldRefresh, NoTape, RefreshInMemory, RefreshTokens, SlotOf,
};
use renmen_vault::Secret;

use super::with;
use crate::support::{Act, Vendor, get, ok, options, reply, with_slot};

const SECRET: &str = r#"{"client_id":"app-000001","client_secret":"canary-s3cret","refresh_token":"refresh-0001"}"#;
const ROTATES: &str = "type = \"oauth2_refresh_token\"\ntoken_url = \"{auth_url}/token\"\nscopes = [\"read\"]";

/// A vault that can be broken.
#[derive(Default)]
struct Vault {
    kept: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl RefreshTokens for Vault {
    async fn hold(&self, _: &SlotOf) -> Result<Box<dyn HeldRefresh>, String> {
        Ok(Box::new(Self { kept: self.kept.clone(), broken: self.broken.clone() }))
    }
}

#[async_trait::async_trait]
impl HeldRefresh for Vault {
    async fn kept(&self) -> Result<Option<Secret>, String> {
        Ok(self.kept.lock().last().map(|text| Secret::new(text.clone())))
    }

    async fn keep(&self, secret: &Secret) -> Result<(), String> {
        if self.broken.load(Ordering::SeqCst) {
            return Err("the disk is full".into());
        }
        self.kept.lock().push(secret.expose().to_owned());
        Ok(())
    }
}

fn answer(number: u32) -> Act {
    ok(&format!(
        r#"{{"access_token":"token-000{number}","refresh_token":"refresh-000{}","expires_in":3600}}"#,
        number + 1
    ))
}

fn keeping(vault: &Arc<Vault>) -> Arc<Egress> {
    let refresh_tokens = Some(Arc::clone(vault) as Arc<dyn RefreshTokens>);
    Egress::with(EgressOptions { refresh_tokens, ..options() }).unwrap()
}

async fn send(connection: &Connection, api: &Vendor) -> Result<u16, EgressError> {
    let exchange = connection.send(with_slot(get(api.url("/staff")), "app"), &NoTape).await?;
    Ok(exchange.response.status)
}

fn used(tokens: &Vendor) -> Vec<String> {
    let of = |request: &String| {
        let form = request.split_once("\r\n\r\n").unwrap().1.to_owned();
        url::form_urlencoded::parse(form.as_bytes())
            .find(|(name, _)| name == "refresh_token")
            .map(|(_, value)| value.into_owned())
    };
    tokens.requests.lock().iter().filter_map(of).collect()
}

#[tokio::test]
async fn each_use_gives_another_one_which_outlives_the_process() {
    let tokens = Vendor::start(vec![answer(1), answer(2), answer(3)]).await;
    let api = Vendor::start(vec![ok("{}"), reply(401, "", ""), ok("{}")]).await;
    let vault = Arc::new(Vault::default());
    let connection = keeping(&vault).connect(with(&api, &tokens, ROTATES, SECRET)).unwrap();
    assert_eq!(send(&connection, &api).await.unwrap(), 200);
    // A token that is taken back is renewed with the newest refresh token.
    assert_eq!(send(&connection, &api).await.unwrap(), 200);
    let again = keeping(&vault).connect(with(&api, &tokens, ROTATES, SECRET)).unwrap();
    assert_eq!(send(&again, &api).await.unwrap(), 200);
    assert_eq!(used(&tokens), ["refresh-0001", "refresh-0002", "refresh-0003"]);
    let form = tokens.requests.lock()[0].split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(
        form,
        "grant_type=refresh_token&refresh_token=refresh-0001&scope=read&client_id=app-000001&client_secret=canary-s3cret"
    );
    assert_eq!(vault.kept.lock().len(), 3);
}

#[tokio::test]
async fn a_new_one_that_cannot_be_kept_is_not_lost_and_nothing_goes_on_without_it() {
    let tokens = Vendor::start(vec![answer(1), answer(2)]).await;
    let api = Vendor::start(vec![ok("{}")]).await;
    let vault = Arc::new(Vault::default());
    let connection = keeping(&vault).connect(with(&api, &tokens, ROTATES, SECRET)).unwrap();
    vault.broken.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = send(&connection, &api).await.unwrap_err();
        assert!(matches!(&error, EgressError::Unavailable(why) if why.contains("the disk is full")), "{error}");
        assert!(!error.to_string().contains("refresh-0"), "{error}");
    }
    assert_eq!((api.hits(), tokens.hits()), (0, 1));
    vault.broken.store(false, Ordering::SeqCst);
    assert_eq!(send(&connection, &api).await.unwrap(), 200);
    assert_eq!(used(&tokens), ["refresh-0001", "refresh-0002"]);
}

#[tokio::test]
async fn what_the_operator_gives_the_slot_counts_and_what_was_kept_of_another_does_not() {
    let tokens = Vendor::start(vec![answer(1), answer(7)]).await;
    let api = Vendor::start(vec![ok("{}")]).await;
    let vault = Arc::new(Vault::default());
    send(&keeping(&vault).connect(with(&api, &tokens, ROTATES, SECRET)).unwrap(), &api).await.unwrap();
    let given = SECRET.replace("refresh-0001", "refresh-given");
    send(&keeping(&vault).connect(with(&api, &tokens, ROTATES, &given)).unwrap(), &api).await.unwrap();
    assert_eq!(used(&tokens), ["refresh-0001", "refresh-given"]);
}

#[tokio::test]
async fn one_that_changes_needs_a_place_to_be_kept_in_and_one_that_stays_does_not() {
    let tokens = Vendor::start(vec![answer(1), answer(2)]).await;
    let api = Vendor::start(vec![ok("{}")]).await;
    let refused = Egress::with(options()).unwrap().connect(with(&api, &tokens, ROTATES, SECRET)).unwrap_err();
    assert!(matches!(&refused, EgressError::BadRequest(why) if why.contains("[vault]")), "{refused}");
    let stays = format!("{ROTATES}\nrotates = false\nclient = \"basic\"");
    for _ in 0..2 {
        let connection = Egress::with(options()).unwrap().connect(with(&api, &tokens, &stays, SECRET)).unwrap();
        assert_eq!(send(&connection, &api).await.unwrap(), 200);
    }
    assert_eq!(used(&tokens), ["refresh-0001", "refresh-0001"]);
    let asked = tokens.requests.lock()[0].clone();
    // base64 of `app-000001:canary-s3cret`
    assert!(asked.contains("authorization: Basic YXBwLTAwMDAwMTpjYW5hcnktczNjcmV0\r\n"), "{asked}");
    assert!(!asked.split_once("\r\n\r\n").unwrap().1.contains("client_secret"), "{asked}");
}

#[tokio::test]
async fn neither_token_can_be_seen_or_sent_by_a_connector_and_a_refusal_repeats_nothing() {
    let tokens = Vendor::start(vec![answer(1)]).await;
    let api = Vendor::start(vec![ok(r#"{"seen":"token-0001 refresh-0002"}"#)]).await;
    let keeper = Some(Arc::new(RefreshInMemory::default()) as Arc<dyn RefreshTokens>);
    let egress = Egress::with(EgressOptions { refresh_tokens: keeper, ..options() }).unwrap();
    let connection = egress.connect(with(&api, &tokens, ROTATES, SECRET)).unwrap();
    let exchange = connection.send(with_slot(get(api.url("/staff")), "app"), &NoTape).await.unwrap();
    let shown = String::from_utf8_lossy(&exchange.response.body).into_owned();
    assert!(!shown.contains("token-0001") && !shown.contains("refresh-0002"), "{shown}");
    let leak = connection.send(get(api.url("/x?t=refresh-0002")), &NoTape).await;
    assert!(matches!(leak, Err(EgressError::NotGranted(_))));

    let refusing = Vendor::start(vec![reply(400, "", r#"{"error":"invalid_grant","was":"refresh-0001"}"#)]).await;
    let connection = egress.connect(with(&api, &refusing, ROTATES, SECRET)).unwrap();
    let error = send(&connection, &api).await.unwrap_err();
    assert!(matches!(&error, EgressError::Auth(why) if why.contains("invalid_grant")), "{error}");
    assert!(!error.to_string().contains("refresh-0001"), "{error}");
    for secret in ["canary-s3cret", r#"{"client_id":"app-000001"}"#] {
        let connection = egress.connect(with(&api, &tokens, ROTATES, secret)).unwrap();
        let error = send(&connection, &api).await.unwrap_err();
        assert!(matches!(&error, EgressError::Auth(why) if !why.contains("canary")), "{error}");
    }
}
