//! JWT bearer grants (RFC 7523): a JWT that is made and signed here, handed in for a token.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use renmen_schema::manifest::{Expression, JwtAlgorithm};
use renmen_vault::Secret;
use serde_json::{Map, Value};
use url::Url;

use super::around::Surroundings;
use super::{Token, oauth2_form};
use crate::EgressError;
use crate::recipe::{Moment, Values, members, sign_with};
use crate::wire::WayOut;

/// How it is asked for.
pub(super) struct JwtAsk {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) claims: BTreeMap<String, Expression>,
    pub(super) header: BTreeMap<String, Expression>,
    pub(super) fields: BTreeMap<String, Expression>,
    pub(super) life_s: u32,
}

impl JwtAsk {
    pub(super) async fn fetch(
        &self,
        url: &Url,
        secret: &Secret,
        around: &Surroundings,
        way: &dyn WayOut,
    ) -> Result<Token, EgressError> {
        members(secret)?;
        let moment = around.moment();
        let values = Values::new(secret, &around.config, &moment);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let assertion = self.assertion(&values, &moment)?;
        oauth2_form::token_for_assertion(url, (grant, assertion), &self.fields, &values, way).await
    }

    fn assertion(&self, values: &Values<'_>, moment: &Moment) -> Result<String, EgressError> {
        let filled = |texts: &BTreeMap<String, Expression>| {
            let each = texts.iter().map(|(name, text)| Ok((name.clone(), Value::from(values.text(text)?.as_str()))));
            each.collect::<Result<Map<_, _>, EgressError>>()
        };
        let mut header = filled(&self.header)?;
        header.insert("alg".into(), format!("{:?}", self.algorithm).into());
        header.insert("typ".into(), "JWT".into());
        let mut claims = filled(&self.claims)?;
        let now_s = moment.now_ms.div_euclid(1000);
        claims.insert("iat".into(), now_s.into());
        claims.insert("exp".into(), (now_s + i64::from(self.life_s)).into());
        claims.insert("jti".into(), moment.nonce.as_str().into());
        let part = |object: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(object).to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = sign_with(&values.member("private_key")?, self.algorithm, signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
