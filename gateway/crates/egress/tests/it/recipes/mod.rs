//! How credentials are made that are more than a text in a header: in a body, signed, refreshed, by assertion.

mod assertions;
mod body;
mod refresh;
mod signed;

use std::sync::Arc;

use renmen_egress::{ConnectionSpec, EgressOptions, SlotSpec};
use renmen_schema::manifest::{AuthRecipe, Manifest};
use renmen_vault::Secret;

use crate::support::{Vendor, options, slot, spec};

/// The moment of these tests.
const NOW_MS: i64 = 1_700_000_000_000;

/// The recipe, as a manifest writes it.
fn recipe(auth: &str) -> AuthRecipe {
    let text = format!(
        "name = \"x\"\nversion = \"0.1.0\"\ndescription = \"x\"\ncontract = \"0.2.0\"\n[slots.app]\ndescription = \"x\"\n[slots.app.auth]\n{auth}"
    );
    Manifest::parse(&text).unwrap().slots[&slot("app")].auth.clone().unwrap()
}

/// A connection to the API, whose slot `app` has this recipe and this secret.
fn with(api: &Vendor, tokens: &Vendor, auth: &str, secret: &str) -> ConnectionSpec {
    let mut spec = spec(&[api.url("")]);
    spec.config = serde_json::json!({ "auth_url": tokens.url("/"), "user": "hr@acme.example", "lcid": 2052 });
    let secret = Some(Secret::new(secret.into()));
    let auth = Some(recipe(auth));
    spec.slots.insert(slot("app"), SlotSpec { secret, to: None, audience: vec![], auth, public: vec![], seal: None });
    spec
}

/// With the clock of these tests.
fn at_now() -> EgressOptions {
    EgressOptions { clock: Arc::new(|| NOW_MS), ..options() }
}

/// The value of a header of a request that a vendor saw.
fn header(request: &str, name: &str) -> Option<String> {
    request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}
