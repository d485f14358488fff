//! Requests that are signed one by one, as `type = "signed"` of a recipe says: headers and parameters made from the secret, the clock and the
//! request itself, new for each attempt.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use renmen_schema::manifest::{Expression, SignedParameter};
use renmen_vault::Secret;

use super::values::{Moment, Values};
use crate::EgressError;
use crate::wire::Outgoing;

/// How requests are signed.
pub(crate) struct SignedRecipe {
    with: BTreeMap<String, Expression>,
    headers: Vec<(HeaderName, Expression)>,
    query: Vec<(String, Expression)>,
}

impl SignedRecipe {
    /// Reads the recipe.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] naming what cannot be read.
    pub(crate) fn of(
        with: &BTreeMap<String, String>,
        headers: &BTreeMap<String, String>,
        query: &[SignedParameter],
    ) -> Result<Self, EgressError> {
        let header = |(name, text): (&String, &String)| {
            let header = HeaderName::from_bytes(name.as_bytes());
            Ok((header.map_err(|_| bad(name, "is not a header name"))?, read(name, text)?))
        };
        let parameter = |one: &SignedParameter| Ok((one.name.clone(), read(&one.name, &one.value)?));
        Ok(Self {
            with: named(with)?,
            headers: headers.iter().map(header).collect::<Result<_, EgressError>>()?,
            query: query.iter().map(parameter).collect::<Result<_, EgressError>>()?,
        })
    }

    /// Signs a request that is otherwise complete.
    ///
    /// # Errors
    /// [`EgressError::Auth`] where the secret or the configuration lacks something, or a value cannot be a header's.
    pub(crate) fn sign(
        &self,
        secret: &Secret,
        config: &serde_json::Value,
        moment: &Moment,
        outgoing: &mut Outgoing,
    ) -> Result<(), EgressError> {
        for (name, expression) in &self.query {
            let values = Values::new(secret, config, moment).with(&self.with).of_request(outgoing);
            let value = values.text(expression)?;
            outgoing.url.query_pairs_mut().append_pair(name, &value);
        }
        let values = Values::new(secret, config, moment).with(&self.with).of_request(outgoing);
        let mut made = Vec::with_capacity(self.headers.len());
        for (name, expression) in &self.headers {
            let mut value = HeaderValue::from_str(&values.text(expression)?).map_err(|_| {
                EgressError::Auth(format!("what the recipe makes for `{name}` has characters that no header may have"))
            })?;
            value.set_sensitive(true);
            made.push((name.clone(), value));
        }
        outgoing.headers.extend(made);
        Ok(())
    }
}

/// Named texts, read.
///
/// # Errors
/// [`EgressError::BadRequest`] naming the one that cannot be read.
pub(crate) fn named(texts: &BTreeMap<String, String>) -> Result<BTreeMap<String, Expression>, EgressError> {
    texts.iter().map(|(name, text)| Ok((name.clone(), read(name, text)?))).collect()
}

fn read(name: &str, text: &str) -> Result<Expression, EgressError> {
    Expression::parse(text).map_err(|why| bad(name, &why))
}

fn bad(name: &str, why: &str) -> EgressError {
    EgressError::BadRequest(format!("the recipe of a slot cannot be read: `{name}` {why}"))
}
