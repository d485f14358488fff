//! SAML bearer grants (RFC 7522): an assertion that is made and signed here, handed in for a token.
//!
//! The signature is an enveloped one of XML-DSig: exclusive canonicalisation, SHA-256, RSA. There is no XML library here and none is needed:
//! the assertion is written in its canonical form (RFC 3741) to begin with. Every element has its end tag, namespaces stand before
//! attributes, attributes are in order, nothing stands between elements, and texts are escaped as the canonical form wants it. So the bytes
//! that are hashed are the bytes that are sent, without the signature. What is signed, `SignedInfo`, is likewise sent as it is hashed, its
//! namespace included.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use renmen_schema::manifest::{AuthRecipe, Expression, JwtAlgorithm};
use renmen_vault::Secret;
use sha2::{Digest, Sha256};
use url::Url;

use super::around::Surroundings;
use super::{Token, oauth2_form};
use crate::EgressError;
use crate::recipe::{Moment, Values, members, read_named, sign_with};
use crate::wire::WayOut;

/// How it is asked for.
pub(super) struct SamlAsk {
    issuer: Expression,
    subject: Expression,
    audience: Expression,
    recipient: Expression,
    name_format: String,
    attributes: BTreeMap<String, Expression>,
    fields: BTreeMap<String, Expression>,
    life_s: u32,
}

impl SamlAsk {
    pub(super) fn of(recipe: &AuthRecipe) -> Result<Self, EgressError> {
        let AuthRecipe::Oauth2SamlBearer {
            issuer,
            subject,
            audience,
            recipient,
            name_format,
            attributes,
            fields,
            life_s,
            ..
        } = recipe
        else {
            return Err(EgressError::BadRequest("not a recipe for SAML assertions".into()));
        };
        let read = |name: &str, text: &String| {
            let why = |why| EgressError::BadRequest(format!("`{name}` of the recipe cannot be read: {why}"));
            Expression::parse(text).map_err(why)
        };
        Ok(Self {
            issuer: read("issuer", issuer)?,
            subject: read("subject", subject)?,
            audience: read("audience", audience)?,
            recipient: read("recipient", recipient)?,
            name_format: name_format.clone(),
            attributes: read_named(attributes)?,
            fields: read_named(fields)?,
            life_s: *life_s,
        })
    }

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
        let assertion = STANDARD.encode(self.assertion(&values, &moment)?);
        let grant = "urn:ietf:params:oauth:grant-type:saml2-bearer";
        oauth2_form::token_for_assertion(url, (grant, assertion), &self.fields, &values, way).await
    }

    /// The signed assertion.
    fn assertion(&self, values: &Values<'_>, moment: &Moment) -> Result<String, EgressError> {
        // An id begins with a letter or an underscore.
        let id = format!("_{}", moment.nonce);
        let (head, tail) = self.unsigned(values, moment, &id)?;
        let digest = STANDARD.encode(Sha256::digest(format!("{head}{tail}")));
        let signed = signed_info(&id, &digest);
        let key = values.member("private_key")?;
        let signature = STANDARD.encode(sign_with(&key, JwtAlgorithm::RS256, signed.as_bytes())?);
        let certificate = values.member("certificate").ok().map(|pem| {
            format!(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
                bare(&pem)
            )
        });
        Ok(format!(
            "{head}<ds:Signature xmlns:ds=\"{DSIG}\">{signed}<ds:SignatureValue>{signature}</ds:SignatureValue>{}</ds:Signature>{tail}",
            certificate.unwrap_or_default()
        ))
    }

    /// What stands before the signature, and what behind it.
    fn unsigned(&self, values: &Values<'_>, moment: &Moment, id: &str) -> Result<(String, String), EgressError> {
        let text = |expression: &Expression| Ok::<_, EgressError>(in_text(&values.text(expression)?));
        let now_s = moment.now_ms.div_euclid(1000);
        let (now, from, until) = (at(now_s), at(now_s - i64::from(self.life_s)), at(now_s + i64::from(self.life_s)));
        let (subject, audience) = (text(&self.subject)?, text(&self.audience)?);
        let recipient = in_attribute(&values.text(&self.recipient)?);
        let format = in_attribute(&self.name_format);
        let head = format!(
            "<saml2:Assertion xmlns:saml2=\"{SAML}\" ID=\"{id}\" IssueInstant=\"{now}\" Version=\"2.0\"><saml2:Issuer>{}</saml2:Issuer>",
            text(&self.issuer)?
        );
        let session = URL_SAFE_NO_PAD.encode(moment.nonce.as_bytes());
        let mut tail = format!(
            "<saml2:Subject><saml2:NameID Format=\"{format}\">{subject}</saml2:NameID>\
             <saml2:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml2:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{recipient}\"></saml2:SubjectConfirmationData>\
             </saml2:SubjectConfirmation></saml2:Subject>\
             <saml2:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><saml2:AudienceRestriction>\
             <saml2:Audience>{audience}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>\
             <saml2:AuthnStatement AuthnInstant=\"{now}\" SessionIndex=\"{session}\"><saml2:AuthnContext>\
             <saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef>\
             </saml2:AuthnContext></saml2:AuthnStatement>"
        );
        if !self.attributes.is_empty() {
            tail.push_str("<saml2:AttributeStatement>");
            for (name, expression) in &self.attributes {
                tail.push_str(&format!(
                    "<saml2:Attribute Name=\"{}\"><saml2:AttributeValue>{}</saml2:AttributeValue></saml2:Attribute>",
                    in_attribute(name),
                    text(expression)?
                ));
            }
            tail.push_str("</saml2:AttributeStatement>");
        }
        tail.push_str("</saml2:Assertion>");
        Ok((head, tail))
    }
}

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

fn signed_info(id: &str, digest: &str) -> String {
    format!(
        "<ds:SignedInfo xmlns:ds=\"{DSIG}\"><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
         </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

fn at(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The base64 of a certificate.
fn bare(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.chars())
        .filter(|c| !c.is_whitespace())
        .collect()
}

/// A text as the canonical form writes it. Control characters, which no XML may have, are left out.
fn in_text(text: &str) -> String {
    escaped(text, &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('\r', "&#xD;")])
}

/// The value of an attribute as the canonical form writes it.
fn in_attribute(text: &str) -> String {
    let marks = [('&', "&amp;"), ('<', "&lt;"), ('"', "&quot;"), ('\t', "&#x9;"), ('\n', "&#xA;"), ('\r', "&#xD;")];
    escaped(text, &marks)
}

fn escaped(text: &str, marks: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match marks.iter().find(|(mark, _)| *mark == c) {
            Some((_, written)) => out.push_str(written),
            None if c.is_control() && !matches!(c, '\t' | '\n') || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            None => out.push(c),
        }
    }
    out
}
