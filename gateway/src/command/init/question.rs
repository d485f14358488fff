//! Questions on a terminal, each with its default.

use std::io::{BufRead, Write};

use crate::exit::Usage;

/// Who asks, and where answers come from.
pub(super) struct Questions<R, W> {
    input: R,
    output: W,
    /// False: every answer is the default.
    interactive: bool,
}

impl<R: BufRead, W: Write> Questions<R, W> {
    pub(super) fn new(input: R, output: W, interactive: bool) -> Self {
        Self { input, output, interactive }
    }

    /// What was said already, or what a person types, or the default.
    pub(super) fn answer(&mut self, question: &str, said: Option<String>, default: &str) -> anyhow::Result<String> {
        if let Some(said) = said {
            return Ok(said);
        }
        if !self.interactive {
            return Ok(default.to_owned());
        }
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        write!(self.output, "{question}{shown}: ")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(Usage("the answers ended before the questions: nothing was written".to_owned()).into());
        }
        let typed = line.trim();
        Ok(if typed.is_empty() { default.to_owned() } else { typed.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Questions;

    #[test]
    fn an_answer_is_what_was_said_then_what_is_typed_then_the_default() -> anyhow::Result<()> {
        let mut shown = Vec::new();
        let mut questions = Questions::new(&b"typed\n\n"[..], &mut shown, true);
        assert_eq!(questions.answer("a", Some("said".into()), "default")?, "said");
        assert_eq!(questions.answer("b", None, "default")?, "typed");
        assert_eq!(questions.answer("c", None, "default")?, "default");
        assert!(questions.answer("d", None, "default").is_err(), "nobody is there any more");
        assert_eq!(String::from_utf8(shown)?, "b [default]: c [default]: d [default]: ");
        let mut silent = Questions::new(&b"typed\n"[..], Vec::new(), false);
        assert_eq!(silent.answer("a", None, "default")?, "default");
        Ok(())
    }
}
