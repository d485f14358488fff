//! The official libraries of the standards that we speak, for the tests that ask them: a Python of their own, made once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::workspace::Workspace;
use crate::{process, say};

/// The variable under which tests find that Python.
pub(crate) const PYTHON: &str = "RENMEN_TEST_PYTHON";

/// What is installed into it.
const LIBRARIES: [&str; 3] = ["standardwebhooks>=1.1,<2", "cloudevents>=2.2,<3", "dingtalk-stream>=0.24,<1"];

/// A Python with the libraries. None, and a word on it, where there is no Python or they cannot be had: those tests then say
/// that they were left out.
pub(crate) fn python(workspace: &Workspace) -> Option<PathBuf> {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        say("python3 is not there: nothing is asked of the official libraries");
        return None;
    }
    let home = workspace.target.join("official");
    let python = home.join("bin/python");
    let has = |python: &PathBuf| {
        let mut ask = Command::new(python);
        ask.args(["-c", "import standardwebhooks, cloudevents.core, dingtalk_stream"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    };
    if has(&python) {
        return Some(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&home);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(LIBRARIES);
    let made = process::run("making a Python for the official libraries", &mut make)
        .and_then(|()| process::run("installing the official libraries", &mut install));
    match made {
        Ok(()) => Some(python),
        Err(error) => {
            say(&format!("{error:#}: nothing is asked of the official libraries"));
            None
        }
    }
}
