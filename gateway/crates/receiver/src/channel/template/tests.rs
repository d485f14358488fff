#![allow(clippy::unwrap_used)]
use std::path::Path;

use serde_json::json;

use super::*;

fn shanghai() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn built_in() -> Templates {
    Templates::load(None, shanghai()).unwrap_or_else(|error| panic!("{error}"))
}

fn data(value: serde_json::Value) -> Map<String, serde_json::Value> {
    let serde_json::Value::Object(data) = value else { panic!() };
    data
}

fn invitation() -> Map<String, serde_json::Value> {
    data(json!({
        "candidate": "李娜 <b>", "company": "示例科技", "job": "会计", "minutes": 30,
        "starts_at": "2026-11-23T02:00:00Z", "link": "https://interview.example.com/s/0a1b?x=1&y=2",
    }))
}

#[test]
fn every_built_in_message_is_there_in_chinese_and_english_as_mail_and_text() {
    let templates = built_in();
    assert_eq!(templates.messages().count(), 11);
    for (name, message) in &templates.messages {
        for language in ["zh", "en"] {
            for form in [Form::Mail, Form::Sms] {
                let rendered = templates.render(name, form, language, "zh", &message.sample).unwrap();
                assert_eq!(rendered.language, language);
                assert_eq!(rendered.html.is_some(), form == Form::Mail, "{name}");
                assert!(rendered.text.len() > 20 && !rendered.text.contains("{{"), "{name}: {}", rendered.text);
            }
            let required: Map<_, _> =
                message.sample.clone().into_iter().filter(|(field, _)| !message.optional.contains(field)).collect();
            templates.render(name, Form::Mail, language, "zh", &required).unwrap();
        }
        assert!(!message.description.is_empty());
    }
}

#[test]
fn an_invitation_reads_as_it_should() {
    let rendered = built_in().render("interview_invitation", Form::Mail, "zh-CN", "en", &invitation()).unwrap();
    assert_eq!(rendered.subject.as_deref(), Some("面试邀请：示例科技 会计"));
    insta::assert_snapshot!(format!("{}\n---\n{}", rendered.text, rendered.html.unwrap()));
}

#[test]
fn data_is_escaped_in_html_and_not_in_text() {
    let rendered = built_in().render("interview_invitation", Form::Mail, "en", "zh", &invitation()).unwrap();
    assert!(rendered.html.as_ref().unwrap().contains("李娜 &lt;b&gt;") && rendered.text.contains("李娜 <b>"));
    let evil = data(json!({ "link": "javascript:alert(1)" }));
    let evil = invitation().into_iter().chain(evil).collect();
    let error = built_in().render("interview_invitation", Form::Mail, "en", "zh", &evil).unwrap_err();
    assert!(matches!(&error, RenderError::Data(why) if !why.contains("alert")), "{error}");
}

#[test]
fn a_line_break_in_the_data_does_not_end_a_subject() {
    let broken = invitation().into_iter().chain(data(json!({ "company": "a\r\nBcc: b" }))).collect();
    let rendered = built_in().render("interview_invitation", Form::Mail, "zh", "zh", &broken).unwrap();
    assert_eq!(rendered.subject.as_deref(), Some("面试邀请：a Bcc: b 会计"));
}

#[test]
fn the_language_is_the_readers_then_the_channels_then_any() {
    let templates = built_in();
    let language = |wanted, fallback| {
        templates.render("interview_invitation", Form::Sms, wanted, fallback, &invitation()).unwrap().language
    };
    assert_eq!(language("zh-Hans-CN", "en"), "zh");
    assert_eq!(language("EN_us", "zh"), "en");
    assert_eq!(language("fr", "zh"), "zh");
    assert_eq!(language("fr", "de"), "en");
}

#[test]
fn data_that_lacks_a_field_or_has_it_in_another_form_is_refused_by_name() {
    let templates = built_in();
    let error = |data: Map<_, _>| templates.render("interview_invitation", Form::Mail, "zh", "zh", &data).unwrap_err();
    let mut lacking = invitation();
    lacking.remove("job");
    assert_eq!(error(lacking).to_string(), "message `interview_invitation`: field `job` is missing");
    let wrong = invitation().into_iter().chain(data(json!({ "candidate": ["canary"] }))).collect();
    assert_eq!(error(wrong).to_string(), "message `interview_invitation`: field `candidate` must be a text");
    let late = invitation().into_iter().chain(data(json!({ "starts_at": "canary" }))).collect();
    assert!(!error(late).to_string().contains("canary"));
    let unknown = templates.render("canary", Form::Mail, "zh", "zh", &Map::new()).unwrap_err();
    assert!(unknown.to_string().contains("interview_invitation"), "{unknown}");
    assert!(templates.render("interview_invitation", Form::Mail, "zh", "zh", &invitation()).is_ok());
}

/// The problems of a directory with one file.
fn load(name: &str, text: &str) -> Result<Templates, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), text).unwrap();
    Templates::load(Some(dir.path()), shanghai()).map_err(|errors| {
        let strip = dir.path().display().to_string() + "/";
        errors.to_string().replace(&strip, "")
    })
}

#[test]
fn an_unknown_field_is_refused_at_load_with_file_and_line() {
    let text =
        "description = \"x\"\n\n[language.zh]\nsubject = \"面试\"\ntext = \"\"\"\n您好，\n{{ candidat }}\n\"\"\"\n";
    let error = load("interview_invitation.toml", text).err().unwrap();
    assert!(error.starts_with("interview_invitation.toml:7: `language.zh.text`: unknown field `candidat`"), "{error}");
    assert!(error.contains("this message has: candidate, "), "{error}");
}

#[test]
fn what_can_be_known_to_be_wrong_is_told_at_load() {
    for (name, text, wanted) in [
        ("own.toml", "[language.zh]\nsms = \"x\"\n", "own.toml:0: the message has no `[sample]`"),
        ("own.toml", "[sample]\na = \"x\"\n", "has no language"),
        ("own.toml", "sms = \"x\"\n", "own.toml:1: unknown field `sms`"),
        ("own.toml", "[sample]\na = 1\n[language.zh]\nsms = \"{{ a \"\n", "own.toml:4: `language.zh.sms`"),
        (
            "own.toml",
            "[sample]\na = 1\n[language.zh]\nsms = \"{{ a | shout }}\"\n",
            "own.toml:4: `language.zh.sms`: unknown filter",
        ),
        (
            "own.toml",
            "[sample]\na = 1\n[language.zh]\nsms = '{% for x in a.b %}{% endfor %}'\n",
            "own.toml:4: `language.zh.sms`",
        ),
        (
            "own.toml",
            "[sample]\na = 1\n[language.zh]\nsms = \"{% for i in range(99999) %}{{ i }}{{ i }}{{ i }}{% endfor %}\"\n",
            "engine ran out of fuel",
        ),
        (
            "own.toml",
            "optional = [\"b\"]\n[sample]\na = 1\n[language.zh]\nsms = \"{{ a }}\"\n",
            "own.toml:1: `optional` names `b`",
        ),
        (
            "own.toml",
            "[sample]\na = 1\n[language.chinese]\nsms = \"{{ a }}\"\n",
            "own.toml:3: `chinese` is not a language code",
        ),
        ("own.toml", "[sample]\na = 1\n[language.zh]\ntext = \"{{ a }}\"\n", "a mail needs `subject` and `text`"),
        ("Own.toml", "", "Own.toml:0: a message's name"),
        ("result_ready.toml", "[sample]\na = 1\n", "result_ready.toml:1: the fields of the built-in message"),
        ("result_ready.toml", "\n= 1\n", "result_ready.toml:2: "),
    ] {
        let error = load(name, text).err().unwrap_or_else(|| panic!("{text} was taken"));
        assert!(error.contains(wanted), "{text}\n{error}");
    }
    let good = "optional = [\"b\"]\n[sample]\na = 1\nb = \"x\"\n[language.zh]\nsms = \"{{ a }}{% if b %}{{ b }}{% endif %}\"\n";
    assert!(load("own.toml", good).is_ok());
}

#[test]
fn a_file_replaces_one_language_and_leaves_the_other() {
    let templates = load("result_ready.toml", "[language.zh]\nsms = \"{{ candidate }}：结果\"\n").ok().unwrap();
    let sample = templates.messages["result_ready"].sample.clone();
    let text = |language| templates.render("result_ready", Form::Sms, language, "zh", &sample).unwrap().text;
    assert_eq!(text("zh"), "张伟：结果");
    assert!(text("en").contains("interview result"));
    // The Chinese mail went with the file that has none.
    assert_eq!(templates.render("result_ready", Form::Mail, "zh", "zh", &sample).unwrap().language, "en");
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let error = Templates::load(Some(Path::new("/nowhere/messages")), shanghai()).err().unwrap();
    assert!(error.to_string().starts_with("/nowhere/messages:0: the directory cannot be read"), "{error}");
}

#[test]
fn a_text_beyond_its_size_is_refused() {
    let long =
        |n: usize| invitation().into_iter().chain(data(json!({ "company": "x".repeat(n) }))).collect::<Map<_, _>>();
    let templates = built_in();
    assert!(templates.render("interview_invitation", Form::Sms, "en", "en", &long(RENDERED_BYTES_MAX - 500)).is_ok());
    let error = templates.render("interview_invitation", Form::Sms, "en", "en", &long(RENDERED_BYTES_MAX)).unwrap_err();
    assert!(error.to_string().contains("are allowed"), "{error}");
}
