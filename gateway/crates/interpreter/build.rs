//! Compiles the interpreter for the sandbox, so that it is part of the binary.
//!
//! Cargo cannot say yet that a package needs another one as a module of another target, so this asks a second cargo for it. The two do
//! not wait for each other: the second one has its own target and its own profile, and so its own folders in the same target directory,
//! which is also where `cargo xtask` finds what both need. It runs again when one of the sources below has changed, and uses no network
//! where the crates are there.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The target that connectors are compiled for.
const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of connectors.
const PROFILE: &str = "plugin";
/// The package, and the module that is made of it.
const PACKAGE: &str = "renmen-declarative";
const MODULE: &str = "renmen_declarative.wasm";

/// What the module is made of, from the root on.
const SOURCES: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "declarative/interpreter/Cargo.toml",
    "declarative/interpreter/src",
    "declarative/vocabulary/Cargo.toml",
    "declarative/vocabulary/src",
    "plugin-sdk/Cargo.toml",
    "plugin-sdk/src",
    "plugin-sdk/wit/connector.wit",
    "plugin-sdk/schema/Cargo.toml",
    "plugin-sdk/schema/src",
];

/// What cargo tells a build script of its own package, and what was asked of the outer build alone: a linter in the compiler's place, flags
/// for another target. With any of these the second cargo would build something else than `cargo xtask` does.
const OF_THE_OUTER_BUILD: [&str; 15] = [
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
    "RUSTC_LINKER",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
    "DEBUG",
    "NUM_JOBS",
];
const PREFIXES_OF_THE_OUTER_BUILD: [&str; 7] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_BIN_", "CARGO_CRATE_", "DEP_"];

fn main() {
    let here = PathBuf::from(told("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(told("OUT_DIR"));
    let root = here.ancestors().nth(3).expect("three folders below the root");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    let target = target_directory(&out);
    compile(root, &target);
    let module = target.join(TARGET).join(PROFILE).join(MODULE);
    let bytes = fs::read(&module).unwrap_or_else(|error| panic!("{}: {error}", module.display()));
    fs::write(out.join("interpreter.wasm"), bytes).expect("OUT_DIR can be written");
}

fn compile(root: &Path, target: &Path) {
    let mut cargo = Command::new(told("CARGO"));
    cargo.current_dir(root).args(["rustc", "--package", PACKAGE, "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--target", TARGET, "--profile", PROFILE, "--locked", "--target-dir"]).arg(target);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if OF_THE_OUTER_BUILD.contains(&&*text) || PREFIXES_OF_THE_OUTER_BUILD.iter().any(|part| text.starts_with(part))
        {
            cargo.env_remove(&name);
        }
    }
    let status = cargo.stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::inherit()).status();
    let status = status.unwrap_or_else(|error| panic!("cargo cannot be started: {error}"));
    if !status.success() {
        let hint = if target_is_missing(root) {
            format!("the Rust target {TARGET} is not installed: run `rustup target add {TARGET}`, then build again")
        } else {
            "its errors stand above".to_owned()
        };
        panic!("{PACKAGE} cannot be compiled for {TARGET} ({status}): {hint}");
    }
}

/// The target directory of the build that this is part of: cargo marks it with a file. If that build is one of the profile of connectors, it
/// holds the folders that the second cargo needs, which would wait for it for ever: then it gets a directory of its own.
fn target_directory(out: &Path) -> PathBuf {
    let marked = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    match marked {
        Some(folder) if !out.strip_prefix(folder).is_ok_and(|below| below.iter().any(|part| part == PROFILE)) => {
            folder.to_owned()
        }
        _ => out.join("target"),
    }
}

/// Is the standard library for the target absent?
fn target_is_missing(root: &Path) -> bool {
    let mut ask = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    ask.current_dir(root).args(["--print", "target-libdir", "--target", TARGET]).stdin(Stdio::null());
    let answer = ask.stderr(Stdio::null()).output();
    answer.is_ok_and(|answer| {
        answer.status.success() && !Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir()
    })
}

fn told(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"))
}
