//! Loading messages: the built-in ones, then the deployment's directory over them. Every check that needs no data is here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use minijinja::value::Serde;
use serde_json::Map;
use serde_spanned::Spanned;

use super::file::{File, Texts, first_line, line_at};
use super::{Message, Part, TemplateErrors, TemplateProblem, Templates, template_name};

/// Bytes of one message's file.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Messages of one deployment, the built-in ones included.
const MESSAGES_MAX: usize = 200;

/// Problems that are told at once.
const PROBLEMS_MAX: usize = 20;

/// What the engine itself defines; a template may name it.
const GLOBALS: [&str; 6] = ["range", "dict", "namespace", "loop", "self", "debug"];

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../messages/", $name, ".toml")))),+];
    };
}

built_in![
    "border_case",
    "connector_failing",
    "delivery_dead",
    "interview_cancelled",
    "interview_deadline_missed",
    "interview_dropped",
    "interview_feedback",
    "interview_invitation",
    "interview_reminder",
    "interview_reschedule",
    "result_ready",
];

impl Templates {
    /// The built-in messages, and over them those of a directory: a file of the same name replaces languages of a built-in
    /// message or adds one; another name is another message. Times are shown in `zone`.
    ///
    /// # Errors
    /// [`TemplateErrors`] with file and line of everything that is wrong.
    pub fn load(directory: Option<&Path>, zone: TimeZone) -> Result<Self, TemplateErrors> {
        let mut loading = Loading { templates: Self::empty(zone), problems: Vec::new() };
        for (name, source) in BUILT_IN {
            loading.message(name, Path::new(&format!("(built in) {name}.toml")), source);
        }
        if let Some(directory) = directory {
            loading.directory(directory);
        }
        if loading.problems.is_empty() {
            return Ok(loading.templates);
        }
        loading.problems.truncate(PROBLEMS_MAX);
        Err(TemplateErrors(loading.problems))
    }
}

struct Loading {
    templates: Templates,
    problems: Vec<TemplateProblem>,
}

impl Loading {
    fn problem(&mut self, path: &Path, line: usize, message: impl Into<String>) {
        self.problems.push(TemplateProblem { path: path.to_owned(), line, message: message.into() });
    }

    fn directory(&mut self, directory: &Path) {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(directory) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) => return self.problem(directory, 0, format!("the directory cannot be read: {error}")),
        };
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            if !is_name(&name) {
                self.problem(&path, 0, "a message's name has 1 to 63 of a-z, 0-9, `_` and `-`: rename the file");
            } else if self.templates.messages.len() >= MESSAGES_MAX && !self.templates.messages.contains_key(&name) {
                self.problem(&path, 0, format!("more than {MESSAGES_MAX} messages: take some out"));
            } else {
                match read_file(&path) {
                    Ok(source) => self.message(&name, &path, &source),
                    Err(why) => self.problem(&path, 0, why),
                }
            }
        }
    }

    fn message(&mut self, name: &str, path: &Path, source: &str) {
        let file: File = match toml::from_str(source) {
            Ok(file) => file,
            Err(error) => {
                let line = line_at(source, error.span().map_or(0, |span| span.start));
                return self.problem(path, line, error.message().replace('\n', ", "));
            }
        };
        let Some(mut message) = self.known_or_new(name, path, source, &file) else { return };
        for (language, texts) in &file.language {
            if !is_language(language.get_ref()) {
                let line = line_at(source, language.span().start);
                self.problem(
                    path,
                    line,
                    format!("`{}` is not a language code: write two letters, such as `zh`", shown(language)),
                );
                continue;
            }
            let parts = self.texts(&message, name, path, source, (language.get_ref(), texts));
            message.languages.insert(language.get_ref().clone(), parts);
        }
        if message.languages.is_empty() {
            self.problem(path, 0, "the message has no language: add `[language.zh]` with `text` or `sms`");
        }
        self.templates.messages.insert(name.to_owned(), message);
    }

    /// A file over a built-in message keeps that message's fields: what feeds it does not know of the file.
    fn known_or_new(&mut self, name: &str, path: &Path, source: &str, file: &File) -> Option<Message> {
        if let Some(known) = self.templates.messages.remove(name) {
            let fixed = file.sample.as_ref().map(Spanned::span);
            let fixed = fixed.or_else(|| file.optional.first().map(Spanned::span));
            if let Some(span) = fixed {
                let line = line_at(source, span.start);
                self.problem(
                    path,
                    line,
                    format!("the fields of the built-in message `{name}` are fixed: take `sample` and `optional` out"),
                );
            }
            return Some(known);
        }
        let Some(sample) = &file.sample else {
            self.problem(path, 0, "the message has no `[sample]`: write every field with a value as it may come");
            return None;
        };
        let Ok(serde_json::Value::Object(sample)) = serde_json::to_value(sample.get_ref()) else {
            self.problem(
                path,
                line_at(source, sample.span().start),
                "the sample must be made of texts, numbers and lists",
            );
            return None;
        };
        for field in file.optional.iter().filter(|field| !sample.contains_key(field.get_ref())) {
            let line = line_at(source, field.span().start);
            self.problem(path, line, format!("`optional` names `{}`, which `[sample]` does not have", shown(field)));
        }
        Some(Message {
            description: file.description.clone().unwrap_or_default(),
            optional: file.optional.iter().map(|field| field.get_ref().clone()).collect(),
            sample,
            languages: BTreeMap::new(),
        })
    }

    fn texts(
        &mut self,
        message: &Message,
        name: &str,
        path: &Path,
        source: &str,
        (language, texts): (&str, &Texts),
    ) -> BTreeSet<Part> {
        let mut parts = BTreeSet::new();
        for part in Part::ALL {
            let Some(text) = texts.get(part) else { continue };
            parts.insert(part);
            let first = first_line(source, &text.span());
            let key = format!("language.{language}.{}", part.key());
            if let Err((line, why)) = self.text(message, &template_name(name, language, part), text.get_ref()) {
                self.problem(path, first + line.saturating_sub(1), format!("`{key}`: {why}"));
            }
        }
        if parts.contains(&Part::Text) != parts.contains(&Part::Subject)
            || (parts.contains(&Part::Html) && !parts.contains(&Part::Text))
        {
            self.problem(
                path,
                0,
                format!("`language.{language}`: a mail needs `subject` and `text`; `html` is optional"),
            );
        }
        parts
    }

    /// The template's own line and what is wrong in it.
    fn text(&mut self, message: &Message, name: &str, text: &str) -> Result<(), (usize, String)> {
        let environment = &mut self.templates.environment;
        let added = environment.add_template_owned(name.to_owned(), text.to_owned());
        added.map_err(|error| (error.line().unwrap_or(1), why(&error)))?;
        let template = environment.get_template(name).map_err(|error| (1, why(&error)))?;
        let mut named: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        named.sort();
        for field in named {
            if !message.sample.contains_key(&field) && !GLOBALS.contains(&field.as_str()) {
                let known = message.sample.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                return Err((line_of(text, &field), format!("unknown field `{field}`; this message has: {known}")));
            }
        }
        // With everything, and with nothing that may be absent.
        let without = message.sample.iter().map(|(field, value)| {
            let absent = message.optional.contains(field);
            (field.clone(), if absent { serde_json::Value::Null } else { value.clone() })
        });
        for data in [message.sample.clone(), without.collect::<Map<_, _>>()] {
            let rendered = template.render(Serde(data));
            rendered.map_err(|error| (error.line().unwrap_or(1), why(&error)))?;
        }
        Ok(())
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("it has {size} bytes, {FILE_BYTES_MAX} are allowed"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))
}

/// The engine's own message: at load the only data is the sample, which the author of the file knows.
fn why(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// The first line that has the word, from 1.
fn line_of(text: &str, word: &str) -> usize {
    let within = |c: char| c.is_alphanumeric() || c == '_';
    let has = |line: &str| line.split(|c: char| !within(c)).any(|found| found == word);
    text.lines().position(has).map_or(1, |number| number + 1)
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(fits)
}

fn is_language(tag: &str) -> bool {
    (2..=3).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn shown(text: &Spanned<String>) -> String {
    text.get_ref().chars().take(60).collect()
}
