//! `renmen plugin build`: cargo compiles the module, we make the component of it in this process. An author needs no other
//! tool than cargo and this binary; of a connector without code ([`crate::declared`]) nothing is compiled, and this binary is enough.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renmen_plugin_host::Inspection;
use renmen_schema::text;
use serde::Deserialize;

use crate::{KitError, component, declared};

/// The target that connectors are compiled for: no WASI, nothing but the contract's own imports.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How to build.
#[derive(Debug, Clone)]
pub struct Build {
    /// The connector's folder, with `plugin.toml` and either `Cargo.toml` or `mapping.toml`.
    pub folder: PathBuf,
    /// Where the component goes; by default `NAME.wasm` in the folder.
    pub out: Option<PathBuf>,
    /// Tell cargo to use no network.
    pub offline: bool,
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// The component's file.
    pub path: PathBuf,
    /// What it says of itself.
    pub inspection: Inspection,
}

impl Build {
    /// Compiles and makes the component. What cargo has to say goes to our standard error as it is.
    ///
    /// # Errors
    /// [`KitError::Usage`] for a folder without a connector or a target that is not installed; [`KitError::Compile`] when
    /// cargo failed; [`KitError::Component`] when what it made cannot be a connector.
    pub fn run(&self) -> Result<Built, KitError> {
        if declared::is_declared(&self.folder) {
            return self.declared();
        }
        let manifest = self.folder.join("plugin.toml");
        for file in [&self.folder.join("Cargo.toml"), &manifest] {
            if !file.is_file() {
                let (shown, folder) = (file.display(), self.folder.display());
                return Err(KitError::Usage(text!(
                    "{shown} is not there: {folder} is not a connector's folder; `renmen plugin new NAME` makes one, with --declarative one without code",
                    "{shown} 不存在：{folder} 不是连接器目录；可用 `renmen plugin new NAME` 创建，加上 --declarative 则无需代码"
                )));
            }
        }
        // Before the minutes that cargo takes: most that is wrong with a connector is wrong in here.
        let name = crate::manifest::read(&manifest)?.name;
        let module = self.compile()?;
        let out = self.out_of(&name);
        Ok(Built { inspection: component::make(&module, &manifest, &out)?, path: out })
    }

    /// The same for a connector without code.
    fn declared(&self) -> Result<Built, KitError> {
        let declared = declared::read(&self.folder)?;
        let (made, out) = (declared.made()?, self.out_of(&declared.manifest.name));
        let inspection = component::join(&made.module, &made.manifest, &declared.sheet, &out)?;
        Ok(Built { inspection, path: out })
    }

    fn out_of(&self, name: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| self.folder.join(format!("{name}.wasm")))
    }

    /// The module that cargo wrote.
    fn compile(&self) -> Result<PathBuf, KitError> {
        let mut command = Command::new(program("CARGO", "cargo"));
        command.current_dir(&self.folder).args(["build", "--release", "--lib", "--target", TARGET]);
        command.arg("--message-format=json-render-diagnostics");
        if self.offline {
            command.arg("--offline");
        }
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| {
            KitError::Usage(text!(
                "cargo cannot be started ({error}): install Rust with rustup, or put cargo into PATH",
                "无法启动 cargo（{error}）：请用 rustup 安装 Rust，或把 cargo 加入 PATH"
            ))
        })?;
        if !output.status.success() {
            return Err(match target_is_missing(&self.folder) {
                true => KitError::Usage(text!(
                    "the Rust target {TARGET} is not installed: run `rustup target add {TARGET}`, then build again",
                    "未安装 Rust 目标 {TARGET}：请运行 `rustup target add {TARGET}`，再重新构建"
                )),
                false => KitError::Compile(text!(
                    "cargo build failed ({}): its errors stand above",
                    "cargo build 失败（{}）：错误见上文",
                    output.status
                )),
            });
        }
        let folder = self.folder.canonicalize().map_err(|source| KitError::file(&self.folder, source))?;
        module_of(&String::from_utf8_lossy(&output.stdout), &folder.join("Cargo.toml")).ok_or_else(|| {
            let cargo = self.folder.join("Cargo.toml");
            KitError::Usage(text!(
                "{}: cargo made no module: write `crate-type = [\"cdylib\", \"rlib\"]` under [lib]",
                "{}：cargo 没有生成模块：请在 [lib] 下写 `crate-type = [\"cdylib\", \"rlib\"]`",
                cargo.display()
            ))
        })
    }
}

/// The cargo or rustc that called us, else the one in the path.
fn program(variable: &str, name: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| name.into())
}

/// Is the standard library for the target absent? Asked in the connector's folder: its `rust-toolchain.toml` counts.
fn target_is_missing(folder: &Path) -> bool {
    let mut ask = Command::new(program("RUSTC", "rustc"));
    ask.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]).stdin(Stdio::null());
    let Ok(output) = ask.stderr(Stdio::null()).output() else { return false };
    output.status.success() && !Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
}

/// The part of cargo's messages that is needed here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The wasm file among the artifacts of this package.
fn module_of(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest)
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_module_is_that_of_the_package_itself() {
        let artifact = |package: &str, file: &str| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": format!("/w/{package}/Cargo.toml"), "filenames": [file],
            })
            .to_string()
        };
        let messages = [
            "not json".to_owned(),
            artifact("sdk", "/t/sdk.wasm"),
            artifact("acme", "/t/libacme.rlib"),
            artifact("acme", "/t/acme.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = module_of(&messages.join("\n"), Path::new("/w/acme/Cargo.toml"));
        assert_eq!(found.as_deref(), Some(Path::new("/t/acme.wasm")));
        assert_eq!(module_of(&messages.join("\n"), Path::new("/w/other/Cargo.toml")), None);
    }

    #[test]
    fn a_folder_without_a_connector_is_told_before_anything_is_compiled() {
        let dir = tempfile::tempdir().unwrap();
        let build = Build { folder: dir.path().to_owned(), out: None, offline: true };
        let error = build.run().unwrap_err().to_string();
        assert!(error.contains("renmen plugin new NAME"), "{error}");
    }

    #[test]
    fn a_manifest_with_an_unknown_key_is_told_with_its_place_before_anything_is_compiled() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "not a Cargo manifest").unwrap();
        std::fs::write(dir.path().join("plugin.toml"), "name = \"a\"\nversio = \"1.0.0\"\n").unwrap();
        let build = Build { folder: dir.path().to_owned(), out: None, offline: true };
        let error = build.run().unwrap_err().to_string();
        assert!(error.contains("plugin.toml:2:1") && error.contains("`version`"), "{error}");
    }
}
