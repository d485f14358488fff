//! The expressions of a manifest as trees.
//!
//! Owns the reading of texts with `{{ … }}`: names, members, calls, filters, tests, operators and `a if b else c`. Must not know what a name
//! means: that is `translate`.

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Expr(Expr),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Text(String),
    /// In digits.
    Number(String),
    Bool(bool),
    None,
    List(Vec<Expr>),
    /// A table; those of manifests are empty, as what stands where there is nothing.
    Table,
    Name(String),
    /// `a.b`, `a['b']`, `a[0]`.
    Member(Box<Expr>, Box<Expr>),
    Call(Box<Expr>, Vec<Expr>),
    Filter(Box<Expr>, String, Vec<Expr>),
    /// The test for `none`.
    Is(Box<Expr>, String),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    /// The operator is a word: `and`, `==`, `in`.
    Both(&'static str, Box<Expr>, Box<Expr>),
    If {
        when: Box<Expr>,
        then: Box<Expr>,
        or: Option<Box<Expr>>,
    },
}

/// Levels of an expression.
const DEPTH_MAX: usize = 40;

/// Reads a text.
///
/// # Errors
/// What cannot be read.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut left) = (Vec::new(), text);
    while let Some(at) = left.find('{') {
        let (plain, rest) = left.split_at(at);
        if rest.starts_with("{%") {
            return Err("statements ({% … %})".to_owned());
        }
        if let Some(comment) = rest.strip_prefix("{#") {
            push_text(&mut pieces, plain);
            left = comment.split_once("#}").map_or("", |(_, rest)| rest);
            continue;
        }
        let Some(inner) = rest.strip_prefix("{{") else {
            push_text(&mut pieces, &left[..=at]);
            left = &left[at + 1..];
            continue;
        };
        push_text(&mut pieces, plain);
        let (tokens, rest) = tokens(inner)?;
        let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
        let expr = reader.whole()?;
        if reader.at < tokens.len() {
            return Err(format!("an expression that goes on with `{}`", tokens[reader.at].shown()));
        }
        pieces.push(Piece::Expr(expr));
        left = rest;
    }
    push_text(&mut pieces, left);
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(before)) => before.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) | Self::Number(text) => text,
            Self::Sign(sign) => sign,
        }
    }
}

const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "//", "**", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "+", "-", "*", "/", "%", "~",
    "<", ">", "=",
];

/// The tokens up to the closing braces, and what stands behind them.
fn tokens(text: &str) -> Result<(Vec<Token>, &str), String> {
    let (mut tokens, mut left, mut open) = (Vec::new(), text.trim_start_matches('-'), 0_usize);
    loop {
        left = left.trim_start();
        if open == 0 && (left.starts_with("}}") || left.starts_with("-}}")) {
            return Ok((tokens, left.trim_start_matches('-').trim_start_matches("}}")));
        }
        let Some(first) = left.chars().next() else { return Err("an expression without its end".to_owned()) };
        if first == '\'' || first == '"' {
            let (word, rest) = quoted(&left[1..], first)?;
            tokens.push(Token::Text(word));
            left = rest;
        } else if first.is_ascii_digit() {
            let end = left.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(left.len());
            tokens.push(Token::Number(left[..end].to_owned()));
            left = &left[end..];
        } else if first.is_alphabetic() || first == '_' {
            let end = left.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(left.len());
            tokens.push(Token::Word(left[..end].to_owned()));
            left = &left[end..];
        } else {
            let sign = SIGNS.iter().find(|sign| left.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("`{first}` in an expression"))?;
            match *sign {
                "{" => open += 1,
                "}" => open = open.saturating_sub(1),
                _ => {}
            }
            tokens.push(Token::Sign(sign));
            left = &left[sign.len()..];
        }
    }
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let (mut word, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => word.extend(chars.next().map(|(_, c)| match c {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            c if c == quote => return Ok((word, &text[at + c.len_utf8()..])),
            c => word.push(c),
        }
    }
    Err("a text without its closing quote".to_owned())
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

/// Operators by how closely they bind, loosest first.
const LEVELS: &[&[&str]] = &[
    &["or"],
    &["and"],
    &["==", "!=", "<=", ">=", "<", ">", "in", "not in"],
    &["~"],
    &["+", "-"],
    &["*", "//", "/", "%"],
];

impl Reader<'_> {
    fn whole(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("an expression of over {DEPTH_MAX} levels"));
        }
        let then = self.binary(0)?;
        let read = if self.word("if") {
            let when = Box::new(self.binary(0)?);
            let or = if self.word("else") { Some(Box::new(self.whole()?)) } else { None };
            Expr::If { when, then: Box::new(then), or }
        } else {
            then
        };
        self.depth -= 1;
        Ok(read)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        // `not a == b` is not (a == b).
        if level == 2 && self.word("not") {
            return Ok(Expr::Not(Box::new(self.binary(2)?)));
        }
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2 && self.word("is") {
                let negated = self.word("not");
                let test = self.name()?;
                let is = Expr::Is(Box::new(left), test);
                left = if negated { Expr::Not(Box::new(is)) } else { is };
                continue;
            }
            let Some(operator) = operators.iter().find(|operator| self.operator(operator)) else { return Ok(left) };
            left = Expr::Both(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.sign("-") {
            return Ok(Expr::Negative(Box::new(self.unary()?)));
        }
        let mut expr = self.atom()?;
        loop {
            expr = if self.sign(".") {
                Expr::Member(Box::new(expr), Box::new(Expr::Text(self.name()?)))
            } else if self.sign("[") {
                let key = self.whole()?;
                self.must("]")?;
                Expr::Member(Box::new(expr), Box::new(key))
            } else if self.sign("(") {
                Expr::Call(Box::new(expr), self.arguments(")")?)
            } else if self.sign("|") {
                let name = self.name()?;
                let arguments = if self.sign("(") { self.arguments(")")? } else { Vec::new() };
                Expr::Filter(Box::new(expr), name, arguments)
            } else {
                return Ok(expr);
            };
        }
    }

    fn atom(&mut self) -> Result<Expr, String> {
        let Some(token) = self.tokens.get(self.at) else { return Err("an expression that ends too soon".to_owned()) };
        self.at += 1;
        match token {
            Token::Text(text) => Ok(Expr::Text(text.clone())),
            Token::Number(digits) => Ok(Expr::Number(digits.clone())),
            Token::Word(word) => Ok(match word.as_str() {
                "true" | "True" => Expr::Bool(true),
                "false" | "False" => Expr::Bool(false),
                "none" | "None" | "null" => Expr::None,
                _ => Expr::Name(word.clone()),
            }),
            Token::Sign("(") => {
                let expr = self.whole()?;
                self.must(")")?;
                Ok(expr)
            }
            Token::Sign("[") => Ok(Expr::List(self.arguments("]")?)),
            Token::Sign("{") if self.sign("}") => Ok(Expr::Table),
            other => Err(format!("`{}` in an expression", other.shown())),
        }
    }

    /// What is divided by commas. The name of a named argument is passed over: the macros of manifests take theirs in order.
    fn arguments(&mut self, end: &'static str) -> Result<Vec<Expr>, String> {
        let mut arguments = Vec::new();
        while !self.sign(end) {
            if let (Some(Token::Word(_)), Some(Token::Sign("="))) =
                (self.tokens.get(self.at), self.tokens.get(self.at + 1))
            {
                self.at += 2;
            }
            arguments.push(self.whole()?);
            if !self.sign(",") {
                self.must(end)?;
                break;
            }
        }
        Ok(arguments)
    }

    fn operator(&mut self, operator: &str) -> bool {
        match operator {
            "not in" => {
                let both = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word == "not")
                    && matches!(self.tokens.get(self.at + 1), Some(Token::Word(word)) if word == "in");
                self.at += if both { 2 } else { 0 };
                both
            }
            "or" | "and" | "in" => self.word(operator),
            _ => self.sign(operator),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn must(&mut self, sign: &'static str) -> Result<(), String> {
        if self.sign(sign) { Ok(()) } else { Err(format!("an expression without its `{sign}`")) }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word.clone())
            }
            _ => Err("an expression in which a name is missing".to_owned()),
        }
    }
}

/// `response['a'].get('b', {})`: the name, the members, and what stands where there is nothing. None for anything else.
pub(super) fn path(expr: &Expr) -> Option<(&str, Vec<String>, Option<&Expr>)> {
    match expr {
        Expr::Name(name) => Some((name, Vec::new(), None)),
        Expr::Member(of, key) => {
            let (name, mut members, _) = path(of)?;
            members.push(match &**key {
                Expr::Text(text) => text.clone(),
                Expr::Number(digits) => digits.clone(),
                _ => return None,
            });
            Some((name, members, None))
        }
        Expr::Call(of, arguments) => {
            let Expr::Member(of, method) = &**of else { return None };
            let (Expr::Text(method), Some(Expr::Text(key))) = (&**method, arguments.first()) else { return None };
            if method != "get" {
                return None;
            }
            let (name, mut members, _) = path(of)?;
            members.push(key.clone());
            let default = arguments.get(1).filter(|default| !matches!(default, Expr::Table | Expr::None));
            Some((name, members, default))
        }
        _ => None,
    }
}

/// Members as an RFC 6901 pointer.
pub(super) fn pointer(members: &[String]) -> String {
    members.iter().map(|member| format!("/{}", member.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(text: &str) -> Expr {
        match parse(text).unwrap().as_slice() {
            [Piece::Expr(expr)] => expr.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_are_read_in_each_of_their_forms() {
        for text in [
            "{{ config['a']['b'] }}",
            "{{config.a.b}}",
            "{{ config.get('a', {}).get(\"b\") }}",
            "{{- config['a'].b -}}",
        ] {
            let expr = one(text);
            let (name, members, default) = path(&expr).unwrap();
            assert_eq!((name, pointer(&members), default), ("config", "/a/b".to_owned(), None), "{text}");
        }
        assert_eq!(path(&one("{{ config.get('a', 'x') }}")).unwrap().2, Some(&Expr::Text("x".to_owned())));
        assert_eq!(path(&one("{{ a[b] }}")), None);
    }

    #[test]
    fn operators_bind_as_they_do_there() {
        let text = "{{ not a == 1 and 'x' not in b or c is not none }}";
        let Expr::Both("or", left, right) = one(text) else { panic!("or") };
        assert!(matches!(*right, Expr::Not(is) if matches!(*is, Expr::Is(..))));
        let Expr::Both("and", not, within) = *left else { panic!("and") };
        assert!(matches!(*not, Expr::Not(inner) if matches!(*inner, Expr::Both("==", ..))));
        assert!(matches!(*within, Expr::Both("not in", ..)));
        assert!(matches!(one("{{ 'a' if config['s'] else 'b' }}"), Expr::If { or: Some(_), .. }));
        assert!(matches!(one("{{ timestamp(config['d']) * 1000 }}"), Expr::Both("*", ..)));
        assert!(matches!(one("{{ (now_utc() - duration('P1D')).strftime('%Y') }}"), Expr::Call(..)));
        assert!(matches!(one("{{ format_datetime(a, format='%Y') | int }}"), Expr::Filter(..)));
    }

    #[test]
    fn texts_around_expressions_stay_and_single_braces_are_texts() {
        let pieces = parse("a {b} {{ c }}{# no #} d").unwrap();
        assert_eq!(pieces[0], Piece::Text("a {b} ".to_owned()));
        assert_eq!(pieces[2], Piece::Text(" d".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for text in ["{% if a %}", "{{ a", "{{ 'a }}", "{{ a b }}", "{{ a ? b }}", "{{ }}", "{{ a[1 }}"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("{{{{ {}1{} }}}}", "(".repeat(99), ")".repeat(99))).unwrap_err().contains("levels"));
    }
}
