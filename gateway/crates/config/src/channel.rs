//! `[channels.NAME]`: how messages reach people: a mail server, or a provider of text messages described as data.

use std::collections::BTreeMap;

use renmen_schema::id::{SlotName, TenantId};
use renmen_schema::manifest::AuthRecipe;
use renmen_schema::{Text, text};
use url::Url;

use crate::limits::within_range;
use crate::section::{Node, Section};
use crate::{Grant, Limits, Slot};

/// Recipients of one mail: default, least, most.
const RECIPIENTS: (u32, u32, u32) = (50, 1, 1_000);

/// Characters of one text message: default, least, most. Longer ones are cut into several by the provider, each at its price.
const CHARS: (u32, u32, u32) = (300, 1, 2_000);

/// One way to reach people.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// `enabled`. Default true.
    pub enabled: bool,
    /// `language`: for readers whose language is unknown. Default `zh`.
    pub language: String,
    /// `grant`: of it, `plaintext` and `addresses` count here.
    pub grant: Grant,
    /// `slots`.
    pub slots: BTreeMap<SlotName, Slot>,
    /// `limits`: of them, `request_timeout`, `request_bytes_max`, `response_bytes_max`, `parallel_max` and `rate` count here.
    pub limits: Limits,
    /// `kind` and what belongs to it.
    pub kind: ChannelKind,
}

/// What a channel speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelKind {
    /// `kind = "mail"`
    Mail(Mail),
    /// `kind = "sms"`
    Sms(Box<Sms>),
}

/// A mail server. Its slot is `login`, which holds `user:password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `host`
    pub host: String,
    /// `port`. Default: 587 for `starttls`, 465 for `tls`, 25 for `plaintext`.
    pub port: u16,
    /// `security`. Default `starttls`; `plaintext` must be said.
    pub security: MailSecurity,
    /// `from`: `"HR <hr@example.com>"`.
    pub from: String,
    /// `reply_to`
    pub reply_to: Option<String>,
    /// `recipients_max`: of one mail. Default 50.
    pub recipients_max: u32,
}

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS after a command.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// No protection.
    Plaintext,
}

/// A provider of text messages. Its slot is `key`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sms {
    /// `method`. Default `POST`.
    pub method: String,
    /// `url`: a template.
    pub url: String,
    /// `headers`: name to template.
    pub headers: Vec<(String, String)>,
    /// `body`: a template.
    pub body: Option<String>,
    /// `auth`: how the slot `key` becomes a credential, as in a manifest.
    pub auth: Option<AuthRecipe>,
    /// `success.status`: empty means 200 to 299.
    pub success_status: Vec<u16>,
    /// `success.pointer`
    pub success_pointer: Option<String>,
    /// `success.values`
    pub success_values: Vec<String>,
    /// `success.refused`
    pub success_refused: Vec<String>,
    /// `reference`: pointer to the provider's id.
    pub reference: Option<String>,
    /// `status`: where to ask what became of a message.
    pub status: Option<SmsStatus>,
    /// `chars_max`: of one message. Default 300.
    pub chars_max: u32,
}

/// `status` of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsStatus {
    /// `url`: a template over `reference`.
    pub url: String,
    /// `pointer` to the state.
    pub pointer: String,
    /// `delivered`: states that end well.
    pub delivered: Vec<String>,
    /// `failed`: states that end badly.
    pub failed: Vec<String>,
}

impl Channel {
    pub(crate) fn read(mut section: Section<'_>, tenant: &TenantId, limits: &Limits) -> Option<Self> {
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        let language = match section.get("language") {
            Some(node) => node.parsed(
                check_language,
                text!("write a language, such as \"zh\" or \"en\"", "请写语言，例如 \"zh\" 或 \"en\""),
            ),
            None => Some("zh".to_owned()),
        };
        let grant = section.table("grant").map(Grant::read_of_receiver).unwrap_or_default();
        let limits = match section.table("limits") {
            Some(own) => Limits::read(own, limits),
            None => limits.clone(),
        };
        let kind = section.require(
            "kind",
            text!("write `kind = \"mail\"` or `kind = \"sms\"`", "请写 `kind = \"mail\"` 或 `kind = \"sms\"`"),
        );
        let kind = kind
            .and_then(|node| node.parsed(check_kind, text!("write \"mail\" or \"sms\"", "请写 \"mail\" 或 \"sms\"")));
        let slots = section.table("slots");
        let (kind, slot) = match kind? {
            "mail" => (Mail::read(&mut section).map(ChannelKind::Mail), "login"),
            _ => (Sms::read(&mut section).map(|sms| ChannelKind::Sms(Box::new(sms))), "key"),
        };
        let slots = slots.map(|slots| read_slots(slots, &[slot])).unwrap_or_default();
        section.finish();
        Some(Self { tenant: tenant?, enabled, language: language?, grant, slots, limits, kind: kind? })
    }
}

/// The slots that this kind of receiver has; another name is noted.
pub(crate) fn read_slots(section: Section<'_>, known: &[&str]) -> BTreeMap<SlotName, Slot> {
    let mut slots = BTreeMap::new();
    for (name, node) in section.named::<SlotName>() {
        if !known.contains(&name.as_str()) {
            node.problem_at_key(
                text!("unknown slot `{name}`", "未知的凭据槽 `{name}`"),
                text!("use: {}", "可用的为：{}", known.join(", ")),
            );
        } else if let Some(slot) = Slot::read_of_receiver(&node) {
            slots.insert(name, slot);
        }
    }
    slots
}

impl Mail {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let host = section.require(
            "host",
            text!("name the server: `host = \"smtp.example.com\"`", "请写明服务器：`host = \"smtp.example.com\"`"),
        );
        let host = host.and_then(|node| {
            node.parsed(
                check_host,
                text!("write its name alone, such as \"smtp.example.com\"", "请只写主机名，例如 \"smtp.example.com\""),
            )
        });
        let security = match section.get("security") {
            Some(node) => node.parsed(
                check_security,
                text!("write \"starttls\", \"tls\" or \"plaintext\"", "请写 \"starttls\"、\"tls\" 或 \"plaintext\""),
            ),
            None => Some(MailSecurity::StartTls),
        };
        let from = section.require(
            "from",
            text!("write the sender: `from = \"HR <hr@example.com>\"`", "请写发件人：`from = \"HR <hr@example.com>\"`"),
        );
        let from = from.and_then(|node| {
            node.parsed(check_address, text!("write \"HR <hr@example.com>\"", "请写成 \"HR <hr@example.com>\""))
        });
        let reply_to = match section.get("reply_to") {
            Some(node) => Some(
                node.parsed(check_address, text!("write \"HR <hr@example.com>\"", "请写成 \"HR <hr@example.com>\""))?,
            ),
            None => None,
        };
        let recipients_max = read_count(section, "recipients_max", RECIPIENTS);
        let port = section.get("port").and_then(|node| within_range::count(&node, 1, u16::MAX));
        let security = security?;
        let usual = match security {
            MailSecurity::StartTls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::Plaintext => 25,
        };
        Some(Self { host: host?, port: port.unwrap_or(usual), security, from: from?, reply_to, recipients_max })
    }
}

impl Sms {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let method = match section.get("method") {
            Some(node) => node
                .parsed(check_method, text!("write \"POST\", \"PUT\" or \"GET\"", "请写 \"POST\"、\"PUT\" 或 \"GET\"")),
            None => Some("POST".to_owned()),
        };
        let url = section.require(
            "url",
            text!(
                "say where messages go: `url = \"https://sms.example.com/send\"`",
                "请写明短信发往哪里：`url = \"https://sms.example.com/send\"`"
            ),
        );
        let url = url.and_then(|node| read_url(&node));
        let headers = section.table("headers").map(|headers| read_texts(&headers)).unwrap_or_default();
        let body = section.get("body").and_then(|node| node.text()).map(|text| text.value);
        let auth = section.get("auth").and_then(|node| read_auth(&node));
        let reference = section.get("reference").and_then(|node| node.filled()).map(|text| text.value);
        let status = section.table("status").and_then(SmsStatus::read);
        let chars_max = read_count(section, "chars_max", CHARS);
        let success = section.table("success");
        let mut sms = Self {
            method: method.unwrap_or_default(),
            url: String::new(),
            headers,
            body,
            auth,
            success_status: vec![],
            success_pointer: None,
            success_values: vec![],
            success_refused: vec![],
            reference,
            status,
            chars_max,
        };
        if let Some(success) = success {
            sms.read_success(success);
        }
        // Only now: every problem is to be told.
        Some(Self { url: url?, ..sms })
    }

    fn read_success(&mut self, mut section: Section<'_>) {
        let statuses = section.get("status").and_then(|node| node.list()).unwrap_or_default();
        self.success_status = statuses.iter().filter_map(|node| within_range::count(node, 100_u16, 599)).collect();
        self.success_pointer = section.get("pointer").and_then(|node| node.filled()).map(|text| text.value);
        self.success_values = list(section.get("values"));
        self.success_refused = list(section.get("refused"));
        if self.success_pointer.is_some() && self.success_values.is_empty() {
            section.problem(
                text!("no value means success", "没有写明哪个值表示成功"),
                text!(
                    "write `values = [\"0\"]` with what stands at `pointer` then",
                    "请写 `values = [\"0\"]`，即成功时 `pointer` 处的值"
                ),
            );
        }
        section.finish();
    }
}

impl SmsStatus {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let url = section.require(
            "url",
            text!(
                "write `url = \"https://…/{{{{ reference | urlencode }}}}\"`",
                "请写 `url = \"https://…/{{{{ reference | urlencode }}}}\"`"
            ),
        );
        let url = url.and_then(|node| read_url(&node));
        let pointer =
            section.require("pointer", text!("write `pointer = \"/status\"`", "请写 `pointer = \"/status\"`"));
        let pointer = pointer.and_then(|node| node.filled()).map(|text| text.value);
        let (delivered, failed) = (list(section.get("delivered")), list(section.get("failed")));
        if delivered.is_empty() {
            section.problem(
                text!("no state means that a message arrived", "没有写明哪个状态表示已送达"),
                text!("write `delivered = [\"DELIVERED\"]`", "请写 `delivered = [\"DELIVERED\"]`"),
            );
        }
        section.finish();
        Some(Self { url: url?, pointer: pointer?, delivered, failed })
    }
}

fn read_count(section: &mut Section<'_>, name: &'static str, (usual, least, most): (u32, u32, u32)) -> u32 {
    section.get(name).and_then(|node| within_range::count(&node, least, most)).unwrap_or(usual)
}

fn read_texts(section: &Section<'_>) -> Vec<(String, String)> {
    section.nodes().filter_map(|(name, node)| Some((name.to_owned(), node.text()?.value))).collect()
}

fn list(node: Option<Node<'_>>) -> Vec<String> {
    let items = node.and_then(|node| node.list()).unwrap_or_default();
    items.iter().filter_map(|node| node.filled().map(|text| text.value)).collect()
}

/// The origin must be written out, regardless of what the rest is made of: it is what the channel may reach.
pub(crate) fn read_url(node: &Node<'_>) -> Option<String> {
    let url = node.text().map(|text| text.value)?;
    let head = url.split("{{").next().unwrap_or_default();
    // Not repeated in a message: it may be a password.
    if head.contains('@') && Url::parse(head).map_or(true, |url| !url.username().is_empty() || url.password().is_some())
    {
        node.problem(
            text!("this URL has a user or a password in it", "此 URL 中含有用户名或密码"),
            text!("take them out, and give the secret to a slot", "请删除，并把密钥放到凭据槽"),
        );
        return None;
    }
    node.parsed(
        check_url,
        text!(
            "write an address such as \"https://receiver.example.com/hooks\"",
            "请写地址，例如 \"https://receiver.example.com/hooks\""
        ),
    )
}

fn read_auth(node: &Node<'_>) -> Option<AuthRecipe> {
    let read = serde_json::from_value(node.json()?);
    if let Err(error) = &read {
        node.problem(
            text!("this is not a valid credential definition: {error}", "不是有效的凭据定义：{error}"),
            text!("write `{{ type = \"static\", place = {{ in = \"header\", name = \"x-api-key\" }} }}` or `{{ type = \"basic\" }}`", "请写 `{{ type = \"static\", place = {{ in = \"header\", name = \"x-api-key\" }} }}` 或 `{{ type = \"basic\" }}`"),
        );
    }
    read.ok()
}

fn check_kind(text: &str) -> Result<&'static str, Text> {
    ["mail", "sms"]
        .into_iter()
        .find(|kind| *kind == text)
        .ok_or_else(|| text!("is not a kind of channel", "不是渠道的种类"))
}

fn check_security(text: &str) -> Result<MailSecurity, Text> {
    match text {
        "starttls" => Ok(MailSecurity::StartTls),
        "tls" => Ok(MailSecurity::Tls),
        "plaintext" => Ok(MailSecurity::Plaintext),
        _ => Err(text!("is not a security mode for a mail server", "不是邮件服务器的安全模式")),
    }
}

fn check_language(text: &str) -> Result<String, Text> {
    let fits = (2..=35).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| text.to_owned()).ok_or_else(|| text!("is not a language code", "不是语言代码"))
}

fn check_host(text: &str) -> Result<String, Text> {
    let parsed = Url::parse(&format!("https://{text}/"));
    let whole = parsed.is_ok_and(|url| url.path() == "/" && url.port().is_none() && url.username().is_empty());
    (whole && !text.contains(['/', '@', '?']))
        .then(|| text.to_owned())
        .ok_or_else(|| text!("is not a host name", "不是主机名"))
}

/// What the mail itself checks at each sending is checked here roughly, for the likely mistakes.
fn check_address(text: &str) -> Result<String, Text> {
    let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    let whole = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    (whole && !text.chars().any(char::is_control))
        .then(|| text.to_owned())
        .ok_or_else(|| text!("is not an email address", "不是邮箱地址"))
}

fn check_method(text: &str) -> Result<String, Text> {
    let upper = text.to_ascii_uppercase();
    ["POST", "PUT", "GET"]
        .contains(&upper.as_str())
        .then_some(upper)
        .ok_or_else(|| text!("is not a method that can be used here", "不是此处可用的方法"))
}

fn check_url(text: &str) -> Result<String, Text> {
    // A template's braces may stand behind the host alone.
    let head = text.split("{{").next().unwrap_or_default();
    let url = Url::parse(head).map_err(|_| text!("is not a URL", "不是 URL"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(text!("does not begin with https://", "不是以 https:// 开头"));
    }
    if head.len() != text.len() && head.matches('/').count() < 3 {
        return Err(text!("has a template in its host", "的主机名中含有模板"));
    }
    Ok(text.to_owned())
}
