//! Markup that cannot be broken out of: what is not a literal of this program's own source gets in through [`Html::text`] alone, which
//! escapes it. So no record, however its source wrote it, can be anything but text on a page.

use std::fmt::Display;

/// A page, or a part of one.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of this program's own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text of anybody's: between tags, or between the double quotes of an attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // No other control character has a place in HTML.
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// The same, kept from reversing the text next to it: a name may be written from right to left, or pretend to be.
    pub(super) fn name(&mut self, text: &str) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// A number or a date of this program's own.
    pub(super) fn show(&mut self, value: impl Display) -> &mut Self {
        self.text(&value.to_string())
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut html = Html::default();
        html.text(text);
        html.into_string()
    }

    #[test]
    fn no_text_becomes_markup() {
        for hostile in [
            "<script>alert(1)</script>",
            "\"><img src=x onerror=alert(1)>",
            "' onmouseover='alert(1)",
            "</textarea><script>",
            "]]>--><!--",
            "&lt;script&gt;",
        ] {
            let shown = shown(hostile);
            assert!(!shown.contains(['<', '>', '"', '\'']), "{shown}");
        }
        assert_eq!(shown("a & b"), "a &amp; b");
        assert_eq!(shown("张\u{0}\u{1b}[2J\u{9b}三"), "张\u{fffd}\u{fffd}[2J\u{fffd}三");
        assert_eq!(shown("two\nlines"), "two\nlines");
    }

    #[test]
    fn a_name_stays_within_itself() {
        let mut html = Html::default();
        html.name("\u{202e}gnp.exe");
        assert_eq!(html.into_string(), "<bdi>\u{202e}gnp.exe</bdi>");
    }
}
