//! Libraries that tests ask, in a Python or a Node of their own, made once: the official ones of the standards that we speak, those of
//! vendors, and those that write spreadsheets.

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
    /// What is installed without the libraries that it names as its own, because it names some that do not exist.
    alone: &'static [&'static str],
    /// What must be there to be imported.
    modules: &'static str,
}

/// With the libraries of the standards that we speak.
pub(crate) const STANDARDS: Python = Python {
    variable: "RENMEN_TEST_PYTHON",
    folder: "official",
    libraries: &["standardwebhooks>=1.1,<2", "cloudevents>=2.2,<3", "dingtalk-stream>=0.24,<1"],
    alone: &[],
    modules: "standardwebhooks, cloudevents.core, dingtalk_stream",
};

/// With the libraries that write most of the workbooks that people did not write themselves.
pub(crate) const TABLES: Python = Python {
    variable: "RENMEN_TEST_TABLES",
    folder: "tables",
    libraries: &["openpyxl>=3.1,<4", "xlsxwriter>=3.2,<4"],
    alone: &[],
    modules: "openpyxl, xlsxwriter",
};

/// With the libraries of vendors whose systems we simulate, and with those that others wrote for these systems.
pub(crate) const CLIENTS: Python = Python {
    variable: "RENMEN_TEST_CLIENTS",
    folder: "clients",
    libraries: &[
        "kingdee.cdp.webapi.sdk>=8.2,<9",
        "simple-salesforce>=1.12.10,<2",
        "pyodata>=1.12,<2",
        "xmlsec>=1.3.17,<2",
        "lxml>=6,<7",
        "PyJWT[crypto]>=2.10,<3",
        "requests>=2.32,<3",
        "pycryptodomex>=3.20,<4",
    ],
    alone: &["yonyouopenapisdk1==0.0.2"],
    modules: "k3cloud_webapi_sdk.main, yonbip_open_api_sdk.token_opt, simple_salesforce, pyodata, xmlsec, lxml, jwt",
};

/// The variable under which tests find a Node with [`PACKAGES`] around it.
pub(crate) const NODE: &str = "RENMEN_TEST_NODE";

/// A client of Salesforce, and what makes a server of OData 2.
const PACKAGES: [&str; 5] = [
    "jsforce@3.10.26",
    "@sap/cds@10.1.1",
    "@cap-js/sqlite@3.1.1",
    "@cap-js-community/odata-v2-adapter@1.15.10",
    "express@5",
];

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
    let install = |libraries: &[&str], more: &[&str]| {
        if libraries.is_empty() {
            return Ok(());
        }
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(more).args(libraries);
        process::run("installing its libraries", &mut install)
    };
    let made = process::run("making a Python for the tests", &mut make)
        .and_then(|()| install(wanted.libraries, &[]))
        .and_then(|()| install(wanted.alone, &["--no-deps"]));
    match made {
        Ok(()) => Some(python),
        Err(error) => {
            say(&format!("{error:#}: nothing is tested with {}", wanted.modules));
            None
        }
    }
}

/// A Node that is new enough for [`PACKAGES`], with them around it, made where it is not there yet. None, and a word on it, where npm
/// is not there or the packages cannot be had.
pub(crate) fn node(workspace: &Workspace) -> Option<PathBuf> {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let name = format!("node-{system}-{processor}");
    let home = workspace.target.join("node-clients");
    let node = home.join("node_modules").join(&name).join("bin/node");
    let has = || {
        let check = "const load = require('node:module').createRequire(process.execPath); process.argv.slice(1).forEach((name) => load.resolve(name))";
        let mut ask = Command::new(&node);
        ask.args(["-e", check])
            .args(PACKAGES.iter().filter_map(|package| package.rsplit_once('@')).map(|(name, _)| name));
        ask.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if has() {
        return Some(node);
    }
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"]).arg(&home);
    install.arg(format!("{name}@22")).args(PACKAGES);
    match process::run("installing Node and its packages", &mut install) {
        Ok(()) if has() => Some(node),
        Ok(()) => None,
        Err(error) => {
            say(&format!("{error:#}: nothing is tested with {}", PACKAGES.join(", ")));
            None
        }
    }
}
