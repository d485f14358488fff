//! From a manifest's expressions to texts with places, as `mapping.toml` has them.
//!
//! Owns the counterparts: configuration, parent, window, page token, the clock and its arithmetic, formats of time. What has none is an error
//! that says which part of the expression it is. Must not know where in a request the text goes.

use std::collections::{BTreeMap, BTreeSet};

use super::jinja::{Expr, Piece, parse, path, pointer};
use super::resolve::Parameters;

/// What names mean where a text stands.
#[derive(Debug, Default)]
pub(super) struct Scope<'s> {
    /// `$parameters` that count here.
    pub(super) parameters: Option<&'s Parameters>,
    /// A partition's field to the place that stands for it: `parent/id`, or to a constant.
    pub(super) partition: BTreeMap<String, Partition>,
    /// The functions that give the window's ends the vendor's form; none where there is no window.
    pub(super) window: Option<Vec<String>>,
    /// The next page is asked for by its own address, so what depends on the page is that of the first.
    pub(super) first_page: bool,
    /// Keys of the configuration that are secrets.
    pub(super) secrets: Option<&'s BTreeSet<String>>,
    /// Names a record's own members.
    pub(super) record: bool,
    /// The plain values that keys of the configuration have where nothing is written.
    pub(super) defaults: Option<&'s BTreeMap<String, String>>,
}

/// What stands for a partition's field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Partition {
    /// `parent/id`.
    Place(String),
    Constant(String),
}

/// A translated expression.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    Constant(String),
    /// There is nothing.
    Nothing,
    Place {
        path: String,
        functions: Vec<String>,
    },
    /// A span of time: a number and its unit.
    Span(String),
    Several(Vec<Term>),
}

/// A translated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    /// With places; none where the text is always empty.
    pub(super) text: Option<String>,
    /// The keys of the configuration that it names.
    pub(super) config: BTreeSet<String>,
}

impl Translated {
    /// Does it name a value?
    pub(super) fn is_constant(&self) -> bool {
        self.text.as_deref().is_some_and(|text| !text.replace("{{", "").contains('{'))
    }
}

/// Translates a text.
///
/// # Errors
/// What has no counterpart.
pub(super) fn text(text: &str, scope: &Scope<'_>) -> Result<Translated, String> {
    let pieces = parse(text)?;
    let mut terms = Vec::new();
    for piece in pieces {
        terms.push(match piece {
            Piece::Text(text) => Term::Constant(text),
            Piece::Expr(expr) => scope.term(&expr)?,
        });
    }
    let is_nothing = terms.iter().all(|term| matches!(term, Term::Nothing));
    let mut config = BTreeSet::new();
    let mut written = String::new();
    terms.iter().for_each(|term| write(term, &mut written, &mut config));
    let text = Some(written.trim().to_owned()).filter(|text| !is_nothing && !text.is_empty());
    Ok(Translated { text, config })
}

fn write(term: &Term, out: &mut String, config: &mut BTreeSet<String>) {
    match term {
        Term::Nothing => {}
        Term::Constant(text) | Term::Span(text) => out.push_str(&text.replace('{', "{{").replace('}', "}}")),
        Term::Several(terms) => terms.iter().for_each(|term| write(term, out, config)),
        Term::Place { path, functions } => {
            if let Some(key) = path.strip_prefix("config/") {
                config.insert(key.to_owned());
            }
            let functions: String = functions.iter().map(|function| format!(" | {function}")).collect();
            out.push_str(&format!("{{{path}{functions}}}"));
        }
    }
}

impl Scope<'_> {
    fn term(&self, expr: &Expr) -> Result<Term, String> {
        if let Some((name, members, default)) = path(expr) {
            let place = self.place(name, &members)?;
            return match default {
                None => Ok(place),
                Some(default) => self.or(place, default),
            };
        }
        match expr {
            Expr::Text(text) => Ok(Term::Constant(text.clone())),
            Expr::Number(digits) => Ok(Term::Constant(digits.clone())),
            Expr::Bool(truth) => Ok(Term::Constant(if *truth { "True" } else { "False" }.to_owned())),
            Expr::None | Expr::Table => Ok(Term::Nothing),
            Expr::Negative(of) => match self.term(of)? {
                Term::Constant(digits) => Ok(Term::Constant(format!("-{digits}"))),
                _ => Err("a value with its sign turned".to_owned()),
            },
            Expr::Call(of, arguments) => self.call(of, arguments),
            Expr::Filter(of, name, arguments) => self.filter(of, name, arguments),
            Expr::Both(operator, left, right) => self.both(operator, left, right),
            Expr::If { when, then, or } => self.choice(when, then, or.as_deref()),
            Expr::List(_) => Err("a list in an expression".to_owned()),
            Expr::Is(..) | Expr::Not(_) => Err("a condition as a value".to_owned()),
            Expr::Name(_) | Expr::Member(..) => Err("a member with a name that is made up as it runs".to_owned()),
        }
    }

    fn place(&self, name: &str, members: &[String]) -> Result<Term, String> {
        let bare = |path: String| Ok(Term::Place { path, functions: Vec::new() });
        match (name, members) {
            ("config", []) => Err("the whole configuration".to_owned()),
            ("config", members) => self.config(members),
            ("parameters" | "options", [key, ..]) => self.parameter(key),
            ("stream_slice" | "stream_interval", [key]) | ("stream_partition", [key])
                if matches!(key.as_str(), "start_time" | "end_time") && !self.partition.contains_key(key) =>
            {
                let Some(functions) = &self.window else {
                    return Err("a window of times in a list without one".to_owned());
                };
                let path = if key == "start_time" { "since" } else { "until" };
                Ok(Term::Place { path: path.to_owned(), functions: functions.clone() })
            }
            ("stream_slice" | "stream_partition" | "stream_interval", [extra, key]) if extra == "extra_fields" => {
                bare(format!("parent{}", pointer(std::slice::from_ref(key))))
            }
            ("stream_slice" | "stream_partition" | "stream_interval", [key, rest @ ..]) => {
                match self.partition.get(key) {
                    Some(Partition::Place(path)) => bare(format!("{path}{}", pointer(rest))),
                    Some(Partition::Constant(text)) => Ok(Term::Constant(text.clone())),
                    None => Err(format!("the partition's `{key}`, which no partition router here gives")),
                }
            }
            ("next_page_token", _) if self.first_page => Ok(Term::Nothing),
            ("next_page_token", _) => bare("page/token".to_owned()),
            ("record", members) if self.record => bare(pointer(members)),
            (other, _) => Err(format!("`{other}`")),
        }
    }

    fn config(&self, members: &[String]) -> Result<Term, String> {
        let key = members.join("/");
        if self.secrets.is_some_and(|secrets| secrets.contains(&key)) {
            return Err(format!("the secret `{key}` in a place that slots do not fill"));
        }
        let default = self.defaults.and_then(|defaults| defaults.get(&key));
        let default = default.filter(|text| is_word(text)).map(|text| format!("default '{text}'"));
        Ok(Term::Place { path: format!("config{}", pointer(members)), functions: default.into_iter().collect() })
    }

    fn parameter(&self, key: &str) -> Result<Term, String> {
        let known = self.parameters.into_iter().flatten().find(|(name, _)| name == key);
        let value = known.and_then(|(_, node)| node.scalar());
        let value = value.ok_or_else(|| format!("the parameter `{key}`, which is not given here"))?;
        let translated = text(&value, self)?;
        Ok(match translated.text {
            None => Term::Nothing,
            Some(_) if translated.is_constant() => Term::Constant(value),
            Some(_) => return Err(format!("the parameter `{key}`, which is an expression itself")),
        })
    }

    fn call(&self, of: &Expr, arguments: &[Expr]) -> Result<Term, String> {
        let argument = |at: usize| arguments.get(at).ok_or_else(|| "a call without what it needs".to_owned());
        let now = |functions: Vec<String>| Term::Place { path: "now".to_owned(), functions };
        match of {
            Expr::Name(name) => match name.as_str() {
                "now_utc" => Ok(now(Vec::new())),
                "today_utc" => Ok(now(vec!["date".to_owned()])),
                "day_delta" => {
                    let Term::Constant(days) = self.term(argument(0)?)? else { return Err("day_delta()".to_owned()) };
                    let moved = match days.strip_prefix('-') {
                        Some(days) => format!("less {days}d"),
                        None => format!("plus {days}d"),
                    };
                    let mut functions = vec![moved];
                    functions.extend(match arguments.get(1) {
                        None => vec!["time".to_owned()],
                        Some(format) => self.format(format)?,
                    });
                    Ok(now(functions))
                }
                "duration" => match argument(0)? {
                    Expr::Text(text) => Ok(Term::Span(span(text)?)),
                    _ => Err("a duration that is made up as it runs".to_owned()),
                },
                "timestamp" => with(self.term(argument(0)?)?, vec!["seconds".to_owned()]),
                "str_to_datetime" => self.term(argument(0)?),
                "format_datetime" if arguments.len() > 2 => {
                    Err("format_datetime() with a form of its input".to_owned())
                }
                "format_datetime" => with(self.term(argument(0)?)?, self.format(argument(1)?)?),
                other => Err(format!("{other}()")),
            },
            Expr::Member(of, method) => match &**method {
                Expr::Text(method) if method == "strftime" => with(self.term(of)?, self.format(argument(0)?)?),
                Expr::Text(method) if method == "lower" || method == "upper" => {
                    with(self.term(of)?, vec![method.clone()])
                }
                Expr::Text(method) if method == "isoformat" => with(self.term(of)?, vec!["time".to_owned()]),
                Expr::Text(method) => Err(format!(".{method}()")),
                _ => Err("a method with a name that is made up as it runs".to_owned()),
            },
            _ => Err("a call".to_owned()),
        }
    }

    fn format(&self, expr: &Expr) -> Result<Vec<String>, String> {
        match expr {
            Expr::Text(text) => time_format(text),
            _ => Err("a form of time that is made up as it runs".to_owned()),
        }
    }

    fn filter(&self, of: &Expr, name: &str, arguments: &[Expr]) -> Result<Term, String> {
        let term = self.term(of)?;
        match (name, arguments) {
            ("int" | "string" | "float", _) if matches!(term, Term::Constant(_)) => Ok(term),
            ("int", _) => match term {
                Term::Place { ref functions, .. } if functions.iter().any(|f| f == "seconds" || f == "ms") => Ok(term),
                term => with(term, vec!["number".to_owned()]),
            },
            ("string", _) => with(term, vec!["text".to_owned()]),
            ("lower" | "upper", _) => with(term, vec![name.to_owned()]),
            ("tojson", _) => with(term, vec!["json".to_owned()]),
            ("join", [Expr::Text(between)]) if is_word(between) => with(term, vec![format!("join '{between}'")]),
            ("default" | "d", [default, ..]) => self.or(term, default),
            _ => Err(format!("the filter `{name}`")),
        }
    }

    fn both(&self, operator: &str, left: &Expr, right: &Expr) -> Result<Term, String> {
        if operator == "or" {
            let left = self.term(left)?;
            return self.or(left, right);
        }
        let (one, other) = (self.term(left)?, self.term(right)?);
        match (operator, one, other) {
            ("-", place @ Term::Place { .. }, Term::Span(span)) => with(place, vec![format!("less {span}")]),
            ("+", place @ Term::Place { .. }, Term::Span(span)) => with(place, vec![format!("plus {span}")]),
            ("*", Term::Place { path, functions }, Term::Constant(thousand))
                if thousand == "1000" && functions.last().is_some_and(|last| last == "seconds") =>
            {
                let mut functions = functions;
                functions.pop();
                functions.push("ms".to_owned());
                Ok(Term::Place { path, functions })
            }
            ("~", one, other) => Ok(Term::Several(vec![one, other])),
            ("+", one, other) if is_text(left) || is_text(right) => Ok(Term::Several(vec![one, other])),
            _ => Err(format!("`{operator}`")),
        }
    }

    /// A value, or another where there is none.
    fn or(&self, term: Term, default: &Expr) -> Result<Term, String> {
        match (term, self.term(default)?) {
            (Term::Nothing, other) => Ok(other),
            (term, Term::Nothing) => Ok(term),
            (term, Term::Constant(text)) if is_word(&text) => with(term, vec![format!("default '{text}'")]),
            _ => Err("a value or, where it is missing, another that is not constant".to_owned()),
        }
    }

    fn choice(&self, when: &Expr, then: &Expr, or: Option<&Expr>) -> Result<Term, String> {
        let otherwise = |scope: &Self| or.map_or(Ok(Term::Nothing), |or| scope.term(or));
        let asks_page = |expr: &Expr| path(expr).is_some_and(|(name, ..)| name == "next_page_token");
        match when {
            when if asks_page(when) && self.first_page => otherwise(self),
            Expr::Not(when) if asks_page(when) && self.first_page => self.term(then),
            Expr::Bool(true) => self.term(then),
            Expr::Bool(false) => otherwise(self),
            // `a if a else b` is `a or b`.
            when if when == then => self.or(self.term(then)?, or.unwrap_or(&Expr::None)),
            _ => Err("a choice by a condition (`… if … else …`)".to_owned()),
        }
    }
}

fn is_text(expr: &Expr) -> bool {
    match expr {
        Expr::Text(_) => true,
        Expr::Both("+", left, right) => is_text(left) || is_text(right),
        _ => false,
    }
}

/// May it stand in the quotes of a function?
fn is_word(text: &str) -> bool {
    !text.contains(['\'', '{', '}'])
}

fn with(term: Term, more: Vec<String>) -> Result<Term, String> {
    match term {
        Term::Place { path, mut functions } => {
            functions.extend(more);
            Ok(Term::Place { path, functions })
        }
        Term::Constant(text) if more.iter().all(|function| function == "time") => Ok(Term::Constant(text)),
        Term::Nothing => Ok(Term::Nothing),
        _ => Err("a function of what is not a single value".to_owned()),
    }
}

/// The functions that write a point in time as `strftime` would.
///
/// # Errors
/// A form that there is no function for.
pub(super) fn time_format(format: &str) -> Result<Vec<String>, String> {
    let one = |function: &str| Ok(vec![function.to_owned()]);
    match format {
        "%s" => return one("seconds"),
        "%ms" => return one("ms"),
        "%Y-%m-%d" => return one("date"),
        "%Y-%m-%dT%H:%M:%S.%_msZ" => return one("time"),
        _ => {}
    }
    // Milliseconds and microseconds, with all of their digits.
    let written = format.replace("%_ms", "%3f").replace("%f", "%6f");
    let known = |c: char| "YmdHMSjyBbAaIpzZ3f6%".contains(c);
    let mut letters = written.split('%').skip(1).filter_map(|piece| piece.chars().next());
    match letters.all(known) && is_word(&written) && !format.contains("%s_as_float") {
        true => Ok(vec![format!("format '{written}'")]),
        false => Err(format!("the form of time `{format}`")),
    }
}

/// An ISO 8601 duration as `30d`, `12h` or `90s`.
///
/// # Errors
/// One with months or years, which are not of one length, or none at all.
pub(super) fn span(text: &str) -> Result<String, String> {
    let refuse = || format!("the duration `{text}`");
    let (date, time) = text.strip_prefix('P').ok_or_else(refuse)?.split_once('T').unwrap_or((&text[1..], ""));
    let mut ms = 0.0_f64;
    for (part, units) in [
        (date, &[('W', 604_800_000.0), ('D', 86_400_000.0)][..]),
        (time, &[('H', 3_600_000.0), ('M', 60_000.0), ('S', 1000.0)]),
    ] {
        let mut left = part;
        while !left.is_empty() {
            let end = left.find(|c: char| c.is_alphabetic()).ok_or_else(refuse)?;
            let unit = left[end..].chars().next().unwrap_or_default();
            let of = units.iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?.1;
            ms += left[..end].parse::<f64>().map_err(|_| refuse())? * of;
            left = &left[end + 1..];
        }
    }
    let ms = ms.round();
    for (unit, of) in [("d", 86_400_000.0), ("h", 3_600_000.0), ("m", 60_000.0), ("s", 1000.0), ("ms", 1.0)] {
        if ms % of == 0.0 {
            return Ok(format!("{}{unit}", ms / of));
        }
    }
    Err(refuse())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn translated(source: &str) -> Result<Option<String>, String> {
        let partition = BTreeMap::from([
            ("job".to_owned(), Partition::Place("parent/id".to_owned())),
            ("live".to_owned(), Partition::Constant("true".to_owned())),
        ]);
        let secrets = BTreeSet::from(["key".to_owned()]);
        let defaults = BTreeMap::from([("zone".to_owned(), "eu".to_owned())]);
        let scope = Scope {
            partition,
            window: Some(vec!["ms".to_owned()]),
            first_page: true,
            secrets: Some(&secrets),
            defaults: Some(&defaults),
            ..Scope::default()
        };
        text(source, &scope).map(|translated| translated.text)
    }

    #[test]
    fn what_has_a_counterpart_is_translated() {
        for (source, wanted) in [
            ("plain {x}", "plain {{x}}"),
            ("{{ config['board'] }}", "{config/board}"),
            ("{{ config.get('board', 'all') }}-x", "{config/board | default 'all'}-x"),
            ("{{ config['zone'] }}", "{config/zone | default 'eu'}"),
            ("{{ config['board'] or 'all' }}", "{config/board | default 'all'}"),
            ("{{ config['board'] if config['board'] else 'all' }}", "{config/board | default 'all'}"),
            ("/jobs/{{ stream_partition.job }}/x", "/jobs/{parent/id}/x"),
            ("{{ stream_slice['live'] }}", "true"),
            ("{{ stream_slice.extra_fields['code'] }}", "{parent/code}"),
            ("{{ stream_interval['start_time'] }}", "{since | ms}"),
            ("{{ now_utc().strftime('%Y-%m-%d') }}", "{now | date}"),
            ("{{ today_utc() }}", "{now | date}"),
            (
                "{{ (now_utc() - duration('P1DT12H')).strftime('%Y-%m-%dT%H:%M:%SZ') }}",
                "{now | less 36h | format '%Y-%m-%dT%H:%M:%SZ'}",
            ),
            ("{{ day_delta(-7, format='%Y%m%d') }}", "{now | less 7d | format '%Y%m%d'}"),
            ("{{ timestamp(config['from']) * 1000 }}", "{config/from | ms}"),
            ("{{ timestamp(config['from']) | int }}", "{config/from | seconds}"),
            ("{{ format_datetime(config['from'], '%Y-%m-%d') }}", "{config/from | date}"),
            ("{{ 'a' ~ config['x'] }}{{ 'b' + config['y'] }}", "a{config/x}b{config/y}"),
            ("{{ config['ids'] | join(',') }}", "{config/ids | join ','}"),
            ("{{ 'all' if not next_page_token else '' }}", "all"),
            ("{{ True }}", "True"),
        ] {
            assert_eq!(translated(source).unwrap().as_deref(), Some(wanted), "{source}");
        }
        assert_eq!(translated("{{ next_page_token['next_page_token'] }}"), Ok(None));
        assert_eq!(translated("{{ 'x' if next_page_token }}"), Ok(None));
    }

    #[test]
    fn what_has_none_says_which_part_it_is() {
        for (source, part) in [
            ("{{ config['key'] }}", "secret `key`"),
            ("{{ 'a' if config['s'] else 'b' }}", "choice"),
            ("{{ config['a'] | hash('md5') }}", "filter `hash`"),
            ("{{ generate_uuid() }}", "generate_uuid()"),
            ("{{ stream_partition.other }}", "`other`"),
            ("{{ last_record['id'] }}", "`last_record`"),
            ("{{ record['id'] }}", "`record`"),
            ("{{ config['a'] - 1 }}", "`-`"),
            ("{{ now_utc().strftime('%Q') }}", "form of time"),
            ("{{ now_utc() - duration('P1M') }}", "duration"),
            ("{{ config['a'].split(',') }}", ".split()"),
        ] {
            let why = translated(source).unwrap_err();
            assert!(why.contains(part), "{source}: {why}");
        }
    }

    #[test]
    fn durations_of_one_length_are_read() {
        for (text, wanted) in [("P30D", "30d"), ("PT1H30M", "90m"), ("P1W", "7d"), ("PT0.001S", "1ms"), ("P0D", "0d")] {
            assert_eq!(span(text).unwrap(), wanted);
        }
        for text in ["P1M", "P1Y", "30D", "PT", "P1", "PXD"] {
            assert!(text == "PT" || span(text).is_err(), "{text}");
        }
    }
}
