//! Questions on a terminal, each with its default.

use std::io::{BufRead, Write};

use renmen_schema::{Language, Text, text};

use crate::exit::Usage;

/// Who asks, and where answers come from.
pub(super) struct Questions<R, W> {
    input: R,
    output: W,
    /// False: every answer is the default.
    interactive: bool,
    language: Language,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    pub(super) fn new(input: R, output: W, interactive: bool, language: Language) -> Self {
        Self { input, output, interactive, language }
    }

    /// What was said already, or what a person types, or the default.
    pub(super) fn answer(&mut self, question: &Text, said: Option<String>, default: &str) -> anyhow::Result<String> {
        if let Some(said) = said {
            return Ok(said);
        }
        if !self.interactive {
            return Ok(default.to_owned());
        }
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        write!(self.output, "{}{shown}: ", question.in_language(self.language))?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(Usage(text!(
                "the answers ended before the questions: nothing was written",
                "回答在问题之前结束：未写入任何内容"
            ))
            .into());
        }
        let typed = line.trim();
        Ok(if typed.is_empty() { default.to_owned() } else { typed.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use renmen_schema::{Language, Text};

    use super::Questions;

    #[test]
    fn an_answer_is_what_was_said_then_what_is_typed_then_the_default() -> anyhow::Result<()> {
        let mut shown = Vec::new();
        let mut questions = Questions::new(&b"typed\n\n"[..], &mut shown, true, Language::English);
        assert_eq!(questions.answer(&Text::verbatim("a"), Some("said".into()), "default")?, "said");
        assert_eq!(questions.answer(&Text::verbatim("b"), None, "default")?, "typed");
        assert_eq!(questions.answer(&Text::verbatim("c"), None, "default")?, "default");
        assert!(questions.answer(&Text::verbatim("d"), None, "default").is_err(), "there is no more input");
        assert_eq!(String::from_utf8(shown)?, "b [default]: c [default]: d [default]: ");
        let mut silent = Questions::new(&b"typed\n"[..], Vec::new(), false, Language::English);
        assert_eq!(silent.answer(&Text::verbatim("a"), None, "default")?, "default");
        Ok(())
    }
}
