//! Libraries that tests ask, in a Python of their own, made once: the official ones of the standards that we speak, and those
//! that write spreadsheets.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::workspace::Workspace;
use crate::{process, say};

/// A Python with libraries.
pub(crate) struct Python {
    /// The variable under which tests find it.
    pub(crate) variable: &'static str,
    /// Its folder below `target`.
    folder: &'static str,
    /// What is installed into it.
    libraries: &'static [&'static str],
    /// What must be there to be imported.
    modules: &'static str,
}

/// With the libraries of the standards that we speak.
pub(crate) const STANDARDS: Python = Python {
    variable: "RENMEN_TEST_PYTHON",
    folder: "official",
    libraries: &["standardwebhooks>=1.1,<2", "cloudevents>=2.2,<3", "dingtalk-stream>=0.24,<1"],
    modules: "standardwebhooks, cloudevents.core, dingtalk_stream",
};

/// With the libraries that write most of the workbooks that people did not write themselves.
pub(crate) const TABLES: Python = Python {
    variable: "RENMEN_TEST_TABLES",
    folder: "tables",
    libraries: &["openpyxl>=3.1,<4", "xlsxwriter>=3.2,<4"],
    modules: "openpyxl, xlsxwriter",
};

/// The Python, made where it is not there yet. None, and a word on it, where there is no Python or the libraries cannot be had:
/// those tests then say that they were left out.
pub(crate) fn python(workspace: &Workspace, wanted: &Python) -> Option<PathBuf> {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        say(&format!("python3 is not there: nothing is tested with {}", wanted.modules));
        return None;
    }
    let home = workspace.target.join(wanted.folder);
    let python = home.join("bin/python");
    let has = |python: &PathBuf| {
        let mut ask = Command::new(python);
        ask.args(["-c", &format!("import {}", wanted.modules)]).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    };
    if has(&python) {
        return Some(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&home);
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(wanted.libraries);
    let made = process::run("making a Python for the tests", &mut make)
        .and_then(|()| process::run("installing its libraries", &mut install));
    match made {
        Ok(()) => Some(python),
        Err(error) => {
            say(&format!("{error:#}: nothing is tested with {}", wanted.modules));
            None
        }
    }
}
