//! One secret under two schemes: what one gives away another could need. Every pair of schemes is tried.

use renmen_egress::EgressError;
use renmen_schema::manifest::{AuthRecipe, Placement, SealKind, SealScheme, SealUse};
use renmen_vault::Secret;
use sha2::{Digest as _, Sha256};

use super::rig::{Slot, connect, sealed, specs};
use crate::support::{slot, static_slot};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// 32 bytes in base64: a secret that every scheme takes.
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";

fn used(scheme: SealScheme) -> SealUse {
    if scheme.kind() == SealKind::Hmac { SealUse::Sign } else { SealUse::Host }
}

fn pair<'a>(one: (SealScheme, &'a str), two: (SealScheme, &'a str)) -> [Slot<'a>; 2] {
    [("one", one.0, used(one.0), one.1), ("two", two.0, used(two.0), two.1)]
}

/// What is said where two slots may not hold what they hold.
fn refused(slots: &[Slot<'_>]) -> String {
    match sealed(slots) {
        Err(EgressError::NotGranted(said)) => said,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(_) => panic!("{slots:?} may share"),
    }
}

#[test]
fn each_pair_of_schemes_on_one_secret_has_an_argument_or_is_refused() {
    let mut shared = 0;
    for &one in SealScheme::ALL {
        for &two in SealScheme::ALL {
            let slots = pair((one, SECRET), (two, SECRET));
            if one.may_share(two) {
                assert!(sealed(&slots).is_ok(), "{one:?} {two:?}");
                shared += 1;
            } else {
                let said = refused(&slots);
                assert!(said.contains(one.name()) && said.contains(two.name()), "{said}");
                assert!(said.contains("`one`") && said.contains("`two`") && !said.contains(SECRET), "{said}");
            }
            let apart = pair((one, SECRET), (two, "YXBhcnQtMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3A="));
            assert!(sealed(&apart).is_ok(), "each with its own secret: {one:?} {two:?}");
        }
    }
    // Six HMACs with each other, seven schemes each with itself, and one vendor's pair in both orders.
    assert_eq!(shared, 6 * 6 + 7 + 2);
}

/// The attack that read half of a key: zeros encrypted under one mode and decrypted under the other. It needs both modes on one
/// key, however the two texts are written.
#[test]
fn the_same_key_written_in_two_ways_is_found() {
    let derived = STANDARD.encode(Sha256::digest("a secret"));
    let unpadded = SECRET.trim_end_matches('=');
    let raw = "0123456789abcdefghijklmnopqrstuv";
    for (one, two) in [
        // A key that is the SHA-256 of the other text.
        ((SealScheme::Aes256CbcSha256, "a secret"), (SealScheme::Aes256CbcKeyIvBase64, derived.as_str())),
        // The same bytes with and without padding, with a prefix, with white space around.
        ((SealScheme::Aes256CbcBase64, SECRET), (SealScheme::Aes256CbcKeyIvBase64, unpadded)),
        (
            (SealScheme::Aes256CbcBase64, SECRET),
            (SealScheme::Aes256CbcKeyIvBase64, "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="),
        ),
        (
            (SealScheme::Aes256CbcBase64, SECRET),
            (SealScheme::Aes256CbcKeyIvBase64, " MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=\n"),
        ),
        // A text that is the other's key.
        ((SealScheme::HmacSha256, raw), (SealScheme::Aes256CbcKeyIvBase64, SECRET)),
        ((SealScheme::Sha1Sorted, raw), (SealScheme::Aes256CbcKeyIvBase64, SECRET)),
    ] {
        let said = refused(&pair(one, two));
        assert!(said.contains("hold the same secret"), "{said}");
    }
}

#[test]
fn a_secret_that_goes_onto_requests_is_at_most_a_key_that_checks_hmacs_in_whatever_form_it_is_there() {
    let auth_beside = |scheme: SealScheme, used: SealUse, recipe: AuthRecipe, secret: &str| {
        let mut slots = specs(&[("key", scheme, used, "s3cret-s3cret")]);
        let spec = renmen_egress::SlotSpec {
            secret: Some(Secret::new(secret.to_owned())),
            auth: Some(recipe),
            ..static_slot("", "x")
        };
        slots.insert(slot("app"), spec);
        connect(slots)
    };
    let auth = |recipe: AuthRecipe, secret: &str| auth_beside(SealScheme::HmacSha256, SealUse::Sign, recipe, secret);
    let place = || Placement::Header { name: "x-key".into(), prefix: String::new() };
    let oauth = || AuthRecipe::Oauth2ClientCredentials {
        token_url: "http://127.0.0.1:9/token".into(),
        scopes: vec![],
        place: place(),
    };
    for (recipe, secret) in [
        (AuthRecipe::Static { place: place() }, "s3cret-s3cret"),
        (AuthRecipe::Static { place: place() }, " s3cret-s3cret\n"),
        (AuthRecipe::Basic {}, "service:s3cret-s3cret"),
        (oauth(), r#"{"client_id":"app","client_secret":"s3cret-s3cret"}"#),
    ] {
        assert!(auth_beside(SealScheme::HmacSha256, SealUse::Verify, recipe.clone(), secret).is_ok(), "{secret}");
        assert!(auth_beside(SealScheme::HmacSha256, SealUse::Host, recipe.clone(), secret).is_ok(), "{secret}");
        for scheme in [SealScheme::Sha256, SealScheme::Sha1Sorted, SealScheme::Equal, SealScheme::Aes256CbcSha256] {
            let refused = auth_beside(scheme, SealUse::Host, recipe.clone(), secret);
            assert!(matches!(refused, Err(EgressError::NotGranted(_))), "{scheme:?} {secret}");
        }
        let Err(EgressError::NotGranted(said)) = auth(recipe, secret) else { panic!("{secret}") };
        assert!(said.contains("`key`") && said.contains("`app`") && !said.contains("s3cret"), "{said}");
    }
    assert!(auth(AuthRecipe::Basic {}, "service:another").is_ok());
    // In one slot as well: the manifest's check is not the only one.
    let mut slots = specs(&[("key", SealScheme::HmacSha256, SealUse::Sign, "s3cret-s3cret")]);
    slots.get_mut(&slot("key")).unwrap().auth = Some(AuthRecipe::Static { place: place() });
    assert!(matches!(connect(slots), Err(EgressError::NotGranted(_))));
}

/// Two HMACs on one secret: neither's answers are the other's, so that nothing signed for one passes for the other.
#[test]
fn hmacs_that_share_a_secret_tell_nothing_of_one_another() {
    let hmacs: Vec<SealScheme> =
        SealScheme::ALL.iter().copied().filter(|scheme| scheme.kind() == SealKind::Hmac).collect();
    for &one in &hmacs {
        for &two in hmacs.iter().filter(|two| **two != one) {
            let connection = sealed(&pair((one, SECRET), (two, SECRET))).unwrap();
            for message in [b"".as_slice(), b"m", SECRET.as_bytes(), &[0; 200]] {
                let signed = connection.seal().sign(&slot("one"), &[message]).unwrap();
                let mut other = connection.seal().verifying(&slot("two")).unwrap();
                other.update(message);
                assert!(!other.matches(&signed), "{one:?} {two:?}");
            }
        }
    }
}
