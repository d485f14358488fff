//! From a mail's parts to the bytes that a server takes: headers, encodings, both bodies. Owns what an address may look like.

use std::time::SystemTime;

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::MailError;

/// Characters of a subject; some servers refuse longer ones, and people do not read them.
const SUBJECT_CHARS_MAX: usize = 250;

/// One mail.
#[derive(Clone)]
pub struct Mail {
    /// `people@example.com` or `People <people@example.com>`.
    pub from: String,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<String>,
    /// At least one.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// For every reader.
    pub text: String,
    /// For readers that show HTML.
    pub html: Option<String>,
    /// What stays the same when the mail is sent again: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// When it is made.
    pub at: SystemTime,
}

/// A mail is personal data: nothing of its content is shown.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).field("recipients", &self.to.len()).finish_non_exhaustive()
    }
}

/// A mail as it goes over the wire.
pub(super) struct Built {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

impl Built {
    pub(super) fn recipients(&self) -> usize {
        self.envelope.to().len()
    }
}

impl Mail {
    /// # Errors
    /// [`MailError::Invalid`], naming what is wrong without repeating an address or a text.
    pub(super) fn build(&self, bytes_max: u64, recipients_max: u32) -> Result<Built, MailError> {
        let count = self.to.len();
        if count == 0 || count > recipients_max as usize {
            return Err(invalid(format!("{count} recipients, 1 to {recipients_max} are allowed (recipients_max)")));
        }
        let chars = self.subject.chars().count();
        if chars > SUBJECT_CHARS_MAX || self.subject.chars().any(char::is_control) {
            return Err(invalid(format!("the subject must be one line of at most {SUBJECT_CHARS_MAX} characters")));
        }
        let from = mailbox(&self.from, "the sender")?;
        let id = format!("<{}@{}>", self.checked_id()?, from.email.domain());
        let mut message = Message::builder().from(from).subject(&self.subject).message_id(Some(id)).date(self.at);
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(mailbox(reply_to, "the address for answers")?);
        }
        for (number, to) in self.to.iter().enumerate() {
            message = message.to(mailbox(to, &format!("recipient {}", number + 1))?);
        }
        let message = match &self.html {
            Some(html) => message.multipart(MultiPart::alternative_plain_html(self.text.clone(), html.clone())),
            None => message.singlepart(SinglePart::plain(self.text.clone())),
        };
        let message = message.map_err(|_| invalid("the parts make no mail".into()))?;
        let bytes = message.formatted();
        if bytes.len() as u64 > bytes_max {
            let have = bytes.len();
            return Err(invalid(format!("the mail has {have} bytes, {bytes_max} are allowed (request_bytes_max)")));
        }
        Ok(Built { envelope: message.envelope().clone(), bytes })
    }

    fn checked_id(&self) -> Result<&str, MailError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let good = !self.id.is_empty() && self.id.len() <= 128 && self.id.chars().all(fits);
        good.then_some(self.id.as_str()).ok_or_else(|| invalid("the mail id is invalid".into()))
    }
}

fn mailbox(text: &str, whose: &str) -> Result<Mailbox, MailError> {
    text.trim().parse().map_err(|_| invalid(format!("{whose} has no mail address, such as `name@example.com`")))
}

fn invalid(message: String) -> MailError {
    MailError::Invalid(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mail() -> Mail {
        Mail {
            from: "人事部 <hr@example.com>".into(),
            reply_to: None,
            to: vec!["zhang@example.com".into()],
            subject: "面试邀请：后端工程师".into(),
            text: "您好，张伟。".into(),
            html: Some("<p>您好，张伟。</p>".into()),
            id: "0123abcd".into(),
            at: SystemTime::UNIX_EPOCH,
        }
    }

    fn refused(mail: &Mail) -> String {
        match mail.build(100_000, 3) {
            Err(MailError::Invalid(why)) => why,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was taken"),
        }
    }

    #[test]
    fn a_chinese_mail_becomes_plain_ascii_with_both_bodies() {
        let built = mail().build(100_000, 3).unwrap();
        let text = String::from_utf8(built.bytes).unwrap();
        assert!(text.is_ascii());
        assert!(text.contains("Subject: =?utf-8?") && text.contains("Message-ID: <0123abcd@example.com>"), "{text}");
        assert!(text.contains("multipart/alternative") && text.contains("text/plain") && text.contains("text/html"));
        assert_eq!(built.envelope.to().len(), 1);
    }

    #[test]
    fn no_header_can_be_smuggled_in() {
        for bad in ["zhang@example.com\r\nBcc: all@example.com", "a@b@c", "", "zhang", "a@example.com, b@example.com"] {
            let why = refused(&Mail { to: vec![bad.into()], ..mail() });
            assert!(why.starts_with("recipient 1") && !why.contains("zhang@"), "{why}");
        }
        assert!(refused(&Mail { subject: "a\r\nBcc: b".into(), ..mail() }).contains("one line"));
        assert!(refused(&Mail { id: "a>b".into(), ..mail() }).contains("id"));
        assert!(refused(&Mail { from: "hr".into(), ..mail() }).contains("the sender"));
    }

    #[test]
    fn recipients_subject_and_size_are_bounded_on_both_sides() {
        let to = |n: usize| Mail { to: vec!["a@example.com".into(); n], ..mail() };
        assert!(refused(&to(0)).contains("recipients_max"));
        assert!(to(3).build(100_000, 3).is_ok());
        assert!(refused(&to(4)).contains("recipients_max"));
        let subject = |n: usize| Mail { subject: "题".repeat(n), ..mail() };
        assert!(subject(250).build(100_000, 3).is_ok());
        assert!(refused(&subject(251)).contains("250"));
        let size = mail().build(100_000, 3).unwrap().bytes.len() as u64;
        assert!(mail().build(size, 3).is_ok());
        assert!(
            matches!(mail().build(size - 40, 3), Err(MailError::Invalid(why)) if why.contains("request_bytes_max"))
        );
    }
}
