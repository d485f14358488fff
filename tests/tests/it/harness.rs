//! The real binary in a folder of its own, with simulators on free loopback ports.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

fn target() -> PathBuf {
    // target/debug/deps/it-… → target/debug
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_path_buf()
}

/// The gateway's binary. `cargo xtask test` builds it first.
pub fn renmen() -> PathBuf {
    let path = std::env::var_os("RENMEN_BIN").map_or_else(|| target().join("renmen"), PathBuf::from);
    assert!(path.exists(), "{} is not built: run `cargo xtask test`", path.display());
    path
}

/// A packed plugin. `cargo xtask plugins` makes it.
pub fn plugin(name: &str) -> PathBuf {
    let folder =
        std::env::var_os("RENMEN_PLUGINS").map_or_else(|| target().parent().unwrap().join("plugins"), PathBuf::from);
    let path = folder.join(format!("{name}.wasm"));
    assert!(path.exists(), "{} is not built: run `cargo xtask plugins`", path.display());
    path
}

/// Serves a simulator for as long as the test's runtime lives.
pub async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A folder with a configuration, in which commands run.
pub struct Home {
    pub folder: TempDir,
    env: Vec<(String, String)>,
}

impl Home {
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("connectors.toml"), config).unwrap();
        Self { folder, env: Vec::new() }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn configure(&self, config: &str) {
        std::fs::write(self.path().join("connectors.toml"), config).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(renmen());
        command.args(arguments).current_dir(self.path()).env_remove("RENMEN_DEV").env_remove("RENMEN_CONFIG");
        // Tests read English, regardless of the language of the machine that they run on.
        command.env("LC_ALL", "C").envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end without blocking the simulators.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs a command with `--json` that must end well.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}\n{}", output.status, said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts a command and leaves it running; killed when dropped.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        let child = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        Running(child)
    }

    /// The same, where the system lets the command open no more than so many files.
    pub fn spawn_with_files(&self, files: u32, arguments: &[&str]) -> Running {
        let gateway = self.command(arguments);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(gateway.get_program());
        shell.args(gateway.get_args()).current_dir(self.path());
        for (name, value) in gateway.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        Running(child)
    }

    /// The whole of every file below the folder.
    pub fn every_byte(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        found
    }
}

/// What a command said on both ways out.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A process that dies with the test.
pub struct Running(pub Child);

impl Running {
    /// The first JSON document that it prints.
    pub async fn document(&mut self) -> Value {
        self.document_that(|_| true).await
    }

    /// Where it listens and with which key: behind the report of `--pull-first`, where there is one.
    pub async fn greeting(&mut self) -> Value {
        self.document_that(|document| document["url"].is_string()).await
    }

    async fn document_that(&mut self, wanted: fn(&Value) -> bool) -> Value {
        let out = self.0.stdout.take().unwrap();
        let read = move || {
            let mut documents = serde_json::Deserializer::from_reader(out).into_iter::<Value>();
            documents.find_map(|document| Some(document.unwrap()).filter(wanted)).unwrap()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
