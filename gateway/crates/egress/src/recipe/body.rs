//! A credential in the body of a request: the gateway puts it where the manifest says, and only in place of `<secret>`. What the connector
//! handed over, and what is recorded, has that text there.

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use renmen_schema::manifest::Placement;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::EgressError;
use crate::wire::Outgoing;

/// Puts the credential into the body; nothing for a place that is not in one.
///
/// # Errors
/// [`EgressError::BadRequest`] where the body has no such place, or something else than `<secret>` in it.
pub(crate) fn put(place: &Placement, credential: &str, outgoing: &mut Outgoing) -> Result<(), EgressError> {
    let body = match place {
        Placement::Header { .. } | Placement::Query { .. } => return Ok(()),
        Placement::Json { at } => into_json(at, credential, body_of(outgoing))?,
        Placement::Form { name } => into_form(name, credential, body_of(outgoing))?,
    };
    drop_length(&mut outgoing.headers);
    outgoing.body = Some(body.into());
    Ok(())
}

fn body_of(outgoing: &Outgoing) -> &[u8] {
    outgoing.body.as_deref().unwrap_or_default()
}

fn drop_length(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
}

fn into_json(at: &str, credential: &str, body: &[u8]) -> Result<Vec<u8>, EgressError> {
    let mut json: Value = serde_json::from_slice(body).map_err(|_| missing(at, "the body is not JSON"))?;
    match json.pointer_mut(at) {
        Some(place) if place == Placement::BODY_PLACE => *place = credential.into(),
        Some(_) => return Err(missing(at, "something else stands there")),
        None => return Err(missing(at, "the body has nothing there")),
    }
    Ok(json.to_string().into_bytes())
}

fn into_form(name: &str, credential: &str, body: &[u8]) -> Result<Vec<u8>, EgressError> {
    let pairs: Vec<(String, Zeroizing<String>)> = form_urlencoded::parse(body)
        .map(|(key, value)| (key.into_owned(), Zeroizing::new(value.into_owned())))
        .collect();
    let own = pairs.iter().filter(|(key, _)| key == name).collect::<Vec<_>>();
    match own.as_slice() {
        [(_, value)] if value.as_str() == Placement::BODY_PLACE => {}
        [_] => return Err(missing(name, "something else stands there")),
        [] => return Err(missing(name, "the form has no field of this name")),
        _ => return Err(missing(name, "there are several of them")),
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (key, value) in &pairs {
        form.append_pair(key, if key == name { credential } else { value });
    }
    Ok(form.finish().into_bytes())
}

fn missing(at: &str, why: &str) -> EgressError {
    EgressError::BadRequest(format!(
        "the slot's credential goes into the body at `{at}`, where `{}` must stand: {why}",
        Placement::BODY_PLACE
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(place: &Placement, body: &str) -> Result<String, String> {
        let mut outgoing = Outgoing {
            method: http::Method::POST,
            url: url::Url::parse("https://a.test/").unwrap(),
            headers: HeaderMap::new(),
            body: Some(body.to_owned().into()),
        };
        put(place, "s\"3&cret", &mut outgoing).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(outgoing.body.unwrap().to_vec()).unwrap())
    }

    #[test]
    fn the_credential_takes_the_place_of_its_mark_and_of_nothing_else() {
        let json = Placement::Json { at: "/params/args/2".into() };
        let sent = filled(&json, r#"{"params":{"args":["db",2,"<secret>","<secret>"]}}"#).unwrap();
        assert_eq!(sent, r#"{"params":{"args":["db",2,"s\"3&cret","<secret>"]}}"#);
        let form = Placement::Form { name: "key".into() };
        assert_eq!(filled(&form, "a=1%202&key=%3Csecret%3E").unwrap(), "a=1+2&key=s%223%26cret");
    }

    #[test]
    fn a_body_without_the_mark_is_refused_and_the_credential_never_told() {
        let json = Placement::Json { at: "/key".into() };
        let form = Placement::Form { name: "key".into() };
        for (place, body, said) in [
            (&json, "", "not JSON"),
            (&json, "key=<secret>", "not JSON"),
            (&json, r#"{"other":"<secret>"}"#, "has nothing there"),
            (&json, r#"{"key":"mine"}"#, "something else"),
            (&json, r#"{"key":["<secret>"]}"#, "something else"),
            (&form, "", "no field of this name"),
            (&form, "key=mine", "something else"),
            (&form, "key=<secret>&key=<secret>", "several"),
        ] {
            let error = filled(place, body).unwrap_err();
            assert!(error.contains(said) && !error.contains("3&cret"), "{body}: {error}");
        }
    }
}
