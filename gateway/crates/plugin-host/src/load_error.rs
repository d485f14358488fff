//! Why a plugin was not loaded: one variant a cause, each with what to do next.

use std::path::PathBuf;

use renmen_schema::shown::line;

use crate::release::CONTRACT;

/// Why a plugin was not loaded. Nothing is loaded in part: the one that was there before stays.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {}: {source}; check the path (it is relative to connectors.toml) and its permissions", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is too big.
    #[error("the file has more than {bytes_max} bytes, which is the most that is loaded; build it with `--release`")]
    TooBig {
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// No digest was given, and this is not development.
    #[error(
        "no digest is pinned for this file; if you trust it, add `digest = \"{actual}\"` next to `plugin`, or start with --dev"
    )]
    DigestMissing {
        /// What the file has.
        actual: String,
    },
    /// What was pinned is no digest.
    #[error("`{given}` is not a digest: a digest is `sha256:` and 64 hex digits; this file has `{actual}`")]
    DigestMalformed {
        /// What was given, cut to 80 characters.
        given: String,
        /// What the file has.
        actual: String,
    },
    /// The file is not the one that was pinned.
    #[error(
        "the file is not the one that was pinned: pinned is {pinned}, the file has {actual}; restore the file, or pin the new digest after you have reviewed it"
    )]
    DigestMismatch {
        /// In the configuration.
        pinned: String,
        /// What the file has.
        actual: String,
    },
    /// Signatures are required and there is none.
    #[error(
        "no signature file (the file name plus .minisig) was found next to the plugin and `plugins.require_signature` is set; get it from the publisher of the plugin, or sign it with `renmen plugin sign` after you have reviewed it"
    )]
    SignatureMissing,
    /// The signature file is none.
    #[error(
        "the .minisig file next to the plugin is not a minisign signature; get it again from the publisher of the plugin"
    )]
    SignatureMalformed,
    /// The key is not one of those that are trusted.
    #[error(
        "the plugin was signed with the key {key}, trusted are {trusted}; if you trust it, add it to `plugins.trusted_keys`"
    )]
    SignatureOfStranger {
        /// The key's number.
        key: String,
        /// Names and numbers of the trusted ones.
        trusted: String,
    },
    /// The signature is not of these bytes.
    #[error(
        "the signature of {signer} is not of this file: it was changed after it was signed, or the signature belongs to another version; get both again"
    )]
    SignatureWrong {
        /// The operator's name for the key.
        signer: String,
    },
    /// Machine code compiled by somebody else.
    #[error(
        "this is compiled machine code, not WebAssembly: it could do anything and is never accepted; give the `.wasm` that it was made from"
    )]
    Precompiled,
    /// A core module where a component is wanted.
    #[error("this is a core module, not a component; make a plugin of it with `renmen plugin build`")]
    CoreModule,
    /// A plugin where the code of one is wanted.
    #[error(
        "this is a plugin already, with its manifest inside; give what the compiler wrote (cargo's module is under target/wasm32-unknown-unknown/release)"
    )]
    HasManifest,
    /// Anything else.
    #[error(
        "this is not WebAssembly: it begins with {begins}; a plugin is a `.wasm` component, built with `renmen plugin build`"
    )]
    NotWasm {
        /// The first bytes in hex.
        begins: String,
    },
    /// WebAssembly that does not parse.
    #[error("the WebAssembly is damaged: {reason}; copy or build the file again", reason = line(.reason))]
    Malformed {
        /// What and where.
        reason: String,
    },
    /// No manifest inside.
    #[error("the component carries no manifest; build it with `renmen plugin build`, which puts plugin.toml inside")]
    NoManifest,
    /// Which one would count?
    #[error(
        "the component carries more than one manifest; build it again with `renmen plugin build` from the module that cargo wrote"
    )]
    TwoManifests,
    /// The manifest cannot be understood.
    #[error("{reason}; correct it and build the plugin again", reason = line(.reason))]
    Manifest {
        /// Line, column and what is wrong.
        reason: String,
    },
    /// The manifest contradicts itself.
    #[error("plugin.toml of {plugin}: {}; correct it and build the plugin again", line(&faults.join("; ")), plugin = line(.plugin))]
    ManifestFaults {
        /// The plugin's name.
        plugin: String,
        /// Key and fault, all of them.
        faults: Vec<String>,
    },
    /// Built for a contract that is not served.
    #[error(
        "{plugin} was built for renmen:connector@{built_for}, this gateway serves {CONTRACT}; rebuild it with the renmen-plugin of this release", plugin = line(.plugin), built_for = line(.built_for))]
    Contract {
        /// The plugin's name.
        plugin: String,
        /// The version it names.
        built_for: String,
    },
    /// It asks for what a connector does not get.
    #[error("{plugin} asks for {}, which no connector gets: only http, clock, log and seal of renmen:connector; remove the dependency that asks for it (WASI means the wrong target: build for wasm32-unknown-unknown)", line(&names.join(", ")), plugin = line(.plugin))]
    ForeignImports {
        /// The plugin's name.
        plugin: String,
        /// What it asked for.
        names: Vec<String>,
    },
    /// A module asks for what the host of another platform would give.
    #[error("the module asks for {}, which no connector gets; {}", line(&names.join(", ")), culprit(names))]
    ForeignModuleImports {
        /// `module.name` of each import.
        names: Vec<String>,
    },
    /// The module was not built with the SDK.
    #[error(
        "the module says nothing of the connector contract; depend on renmen-plugin and export your type with `export_source!`"
    )]
    NoBindings,
    /// The manifest promises what the code does not do.
    #[error("{plugin} does not export `{export}` although {because}; export it, or take that out of plugin.toml", plugin = line(.plugin), because = line(.because))]
    MissingExport {
        /// The plugin's name.
        plugin: String,
        /// The interface.
        export: &'static str,
        /// What the manifest says.
        because: String,
    },
    /// The code does what the manifest does not say.
    #[error(
        "{plugin} exports `{export}`, but nothing in its manifest {wanted}; declare it in plugin.toml, or take the export out", plugin = line(.plugin))]
    UndeclaredExport {
        /// The plugin's name.
        plugin: String,
        /// The interface.
        export: &'static str,
        /// What the manifest would have to say.
        wanted: &'static str,
    },
    /// The module cannot become a component.
    #[error("the module cannot become a component: {reason}; build it with the renmen-plugin of this release", reason = line(.reason))]
    Encode {
        /// What the encoder says.
        reason: String,
    },
    /// There is more in it than is compiled.
    #[error("{plugin} is too complex to be compiled: {reason}")]
    TooComplex {
        /// The plugin's name.
        plugin: String,
        /// Which limit, what was found and what to do.
        reason: String,
    },
    /// Compiling it met a limit.
    #[error(
        "{plugin} was not compiled within `plugins.{limit}`: {seen}; look at what it was built from, and raise the limit if you trust it"
    )]
    CompileLimit {
        /// The plugin's name.
        plugin: String,
        /// The key.
        limit: &'static str,
        /// What was seen.
        seen: String,
    },
    /// The process that compiles could not do its work.
    #[error("{plugin} was not compiled: {reason}; it is the gateway's own fault or the machine's, not the plugin's")]
    CompileChild {
        /// The plugin's name.
        plugin: String,
        /// What happened.
        reason: String,
    },
    /// It does not compile.
    #[error(
        "{plugin} does not compile: {reason}; build it again, without features beyond the WebAssembly that this release allows", plugin = line(.plugin), reason = line(.reason))]
    Compile {
        /// The plugin's name.
        plugin: String,
        /// What the compiler says.
        reason: String,
    },
    /// It does not fit the contract in detail.
    #[error(
        "{plugin} does not fit the contract {CONTRACT}: {reason}; rebuild it with the renmen-plugin of this release", plugin = line(.plugin), reason = line(.reason))]
    Link {
        /// The plugin's name.
        plugin: String,
        /// What does not fit.
        reason: String,
    },
    /// It fails before it is asked for anything.
    #[error("{plugin} cannot be started: {reason}; look at what it does before its first call (statics, `start`)", plugin = line(.plugin), reason = line(.reason))]
    Trial {
        /// The plugin's name.
        plugin: String,
        /// What happened.
        reason: String,
    },
    /// The directory for compiled code is not safe to use.
    #[error("the directory {} cannot hold compiled code: {reason}", path.display(), reason = line(.reason))]
    CacheDir {
        /// Which directory.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The engine does not start on this machine.
    #[error("the WebAssembly engine does not start on this machine: {reason}", reason = line(.reason))]
    Engine {
        /// What it says.
        reason: String,
    },
}

/// Which dependency usually brings such imports.
fn culprit(names: &[String]) -> &'static str {
    if names.iter().any(|name| name.starts_with("__wbindgen") || name.starts_with("wbg")) {
        "a dependency thinks it runs in a browser: look with `cargo tree -i js-sys -i wasm-bindgen` and switch off the default features of chrono, uuid or getrandom (time comes from `clock`)"
    } else if names.iter().any(|name| name.starts_with("wasi")) {
        "it was built for WASI: build it for wasm32-unknown-unknown"
    } else {
        "an `extern` block or a C library wants it: connectors are built without"
    }
}

#[cfg(test)]
mod tests {
    use renmen_schema::shown::is_deceptive;

    use super::*;

    #[test]
    fn no_error_repeats_a_text_that_deceives() {
        let liar = || "a\u{1b}[2K\u{202e}\nerror: all is well\u{200b}".to_owned();
        for error in [
            LoadError::Malformed { reason: liar() },
            LoadError::Manifest { reason: liar() },
            LoadError::ManifestFaults { plugin: liar(), faults: vec![liar()] },
            LoadError::Contract { plugin: liar(), built_for: liar() },
            LoadError::ForeignImports { plugin: liar(), names: vec![liar()] },
            LoadError::ForeignModuleImports { names: vec![liar()] },
            LoadError::MissingExport { plugin: liar(), export: "source", because: liar() },
            LoadError::UndeclaredExport { plugin: liar(), export: "source", wanted: "asks for it" },
            LoadError::Encode { reason: liar() },
            LoadError::Compile { plugin: liar(), reason: liar() },
            LoadError::Link { plugin: liar(), reason: liar() },
            LoadError::Trial { plugin: liar(), reason: liar() },
        ] {
            let told = error.to_string();
            assert!(!told.chars().any(is_deceptive), "{told:?}");
            assert!(told.contains("\\u{1b}") && told.contains("\\n"), "{told}");
        }
    }
}
