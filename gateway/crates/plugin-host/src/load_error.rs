//! Why a plugin was not loaded: one variant a cause, each with what to do next.

use std::path::PathBuf;

use renmen_schema::shown::line;
use renmen_schema::{Text, text};

use crate::release::CONTRACT;

/// Why a plugin was not loaded. Nothing is loaded in part: the one that was there before stays.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("{}", text!(
        "cannot read {}: {source}; check the path (it is relative to connectors.toml) and its permissions",
        "无法读取 {}：{source}；请检查路径（相对于 connectors.toml）及其权限",
        path.display()
    ))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is too big.
    #[error("{}", text!(
        "the file has more than {bytes_max} bytes, which is the most that is loaded; build it with `--release`",
        "文件超过 {bytes_max} 字节，这是可加载的上限；请用 `--release` 构建"
    ))]
    TooBig {
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// No digest was given, and this is not development.
    #[error("{}", text!(
        "no digest is pinned for this file; if you trust it, add `digest = \"{actual}\"` next to `plugin`, or start with --dev",
        "没有为此文件固定摘要；若信任它，请在 `plugin` 旁加上 `digest = \"{actual}\"`，或以 --dev 启动"
    ))]
    DigestMissing {
        /// What the file has.
        actual: String,
    },
    /// What was pinned is not a digest.
    #[error("{}", text!(
        "`{given}` is not a digest: a digest is `sha256:` and 64 hex digits; this file has `{actual}`",
        "`{given}` 不是摘要：摘要为 `sha256:` 加 64 位十六进制数字；此文件的摘要为 `{actual}`"
    ))]
    DigestMalformed {
        /// What was given, cut to 80 characters.
        given: String,
        /// What the file has.
        actual: String,
    },
    /// The file is not the one that was pinned.
    #[error("{}", text!(
        "the file is not the one that was pinned: pinned is {pinned}, the file has {actual}; restore the file, or pin the new digest after you have reviewed it",
        "文件与固定的摘要不符：固定的是 {pinned}，文件为 {actual}；请恢复文件，或在审查后固定新的摘要"
    ))]
    DigestMismatch {
        /// In the configuration.
        pinned: String,
        /// What the file has.
        actual: String,
    },
    /// Signatures are required and there is none.
    #[error("{}", text!(
        "no signature file (the file name plus .minisig) was found next to the plugin and `plugins.require_signature` is set; get it from the publisher of the plugin, or sign it with `renmen plugin sign` after you have reviewed it",
        "插件旁没有签名文件（文件名加 .minisig），而 `plugins.require_signature` 已启用；请向插件的发布者索取，或在审查后用 `renmen plugin sign` 签名"
    ))]
    SignatureMissing,
    /// The signature file is malformed.
    #[error("{}", text!(
        "the .minisig file next to the plugin is not a minisign signature; get it again from the publisher of the plugin",
        "插件旁的 .minisig 文件不是 minisign 签名；请重新向插件的发布者索取"
    ))]
    SignatureMalformed,
    /// The key is not one of those that are trusted.
    #[error("{}", text!(
        "the plugin was signed with the key {key}, trusted are {trusted}; if you trust it, add it to `plugins.trusted_keys`",
        "插件由密钥 {key} 签名，受信任的为 {trusted}；若信任它，请加到 `plugins.trusted_keys`"
    ))]
    SignatureOfStranger {
        /// The key's number.
        key: String,
        /// Names and numbers of the trusted ones.
        trusted: String,
    },
    /// The signature is not of these bytes.
    #[error("{}", text!(
        "the signature of {signer} is not of this file: it was changed after it was signed, or the signature belongs to another version; get both again",
        "{signer} 的签名不属于此文件：文件在签名后被更改，或签名属于其他版本；请重新获取两者"
    ))]
    SignatureWrong {
        /// The operator's name for the key.
        signer: String,
    },
    /// Machine code that was already compiled elsewhere.
    #[error("{}", text!(
        "this is compiled machine code, not WebAssembly: it could do anything and is never accepted; give the `.wasm` that it was made from",
        "这是编译后的机器码，不是 WebAssembly：它可以做任何事，绝不接受；请给出生成它的 `.wasm`"
    ))]
    Precompiled,
    /// A core module where a component is wanted.
    #[error("{}", text!(
        "this is a core module, not a component; make a plugin of it with `renmen plugin build`",
        "这是核心模块，不是组件；请用 `renmen plugin build` 制成插件"
    ))]
    CoreModule,
    /// A plugin where the code of one is wanted.
    #[error("{}", text!(
        "this is a plugin already, with its manifest inside; give what the compiler wrote (cargo's module is under target/wasm32-unknown-unknown/release)",
        "这已经是含清单的插件；请给出编译器的产物（cargo 的模块在 target/wasm32-unknown-unknown/release 下）"
    ))]
    HasManifest,
    /// Anything else.
    #[error("{}", text!(
        "this is not WebAssembly: it begins with {begins}; a plugin is a `.wasm` component, built with `renmen plugin build`",
        "这不是 WebAssembly：开头为 {begins}；插件是用 `renmen plugin build` 构建的 `.wasm` 组件"
    ))]
    NotWasm {
        /// The first bytes in hex.
        begins: String,
    },
    /// WebAssembly that does not parse.
    #[error("{}", text!(
        "the WebAssembly is damaged: {reason}; copy or build the file again",
        "WebAssembly 已损坏：{reason}；请重新复制或构建该文件",
        reason = line(reason)
    ))]
    Malformed {
        /// What and where.
        reason: String,
    },
    /// No manifest inside.
    #[error("{}", text!(
        "the component carries no manifest; build it with `renmen plugin build`, which puts plugin.toml inside",
        "组件不含清单；请用 `renmen plugin build` 构建，它会放入 plugin.toml"
    ))]
    NoManifest,
    /// Which one would count?
    #[error("{}", text!(
        "the component carries more than one manifest; build it again with `renmen plugin build` from the module that cargo wrote",
        "组件含有多个清单；请用 `renmen plugin build` 从 cargo 的模块重新构建"
    ))]
    TwoManifests,
    /// The manifest cannot be understood.
    #[error("{}", text!(
        "{reason}; correct it and build the plugin again",
        "{reason}；请更正并重新构建插件",
        reason = line(reason)
    ))]
    Manifest {
        /// Line, column and what is wrong.
        reason: String,
    },
    /// The manifest contradicts itself.
    #[error("{}", text!(
        "plugin.toml of {plugin}: {}; correct it and build the plugin again",
        "{plugin} 的 plugin.toml：{}；请更正并重新构建插件",
        line(&faults.join("; ")), plugin = line(plugin)
    ))]
    ManifestFaults {
        /// The plugin's name.
        plugin: String,
        /// Key and fault, all of them.
        faults: Vec<String>,
    },
    /// Built for a contract that is not served.
    #[error("{}", text!(
        "{plugin} was built for renmen:connector@{built_for}, this gateway serves {CONTRACT}; rebuild it with the renmen-plugin of this release",
        "{plugin} 为 renmen:connector@{built_for} 构建，而此网关支持 {CONTRACT}；请用此版本的 renmen-plugin 重新构建",
        plugin = line(plugin), built_for = line(built_for)
    ))]
    Contract {
        /// The plugin's name.
        plugin: String,
        /// The version it names.
        built_for: String,
    },
    /// It asks for what a connector does not get.
    #[error("{}", text!(
        "{plugin} asks for {}, which no connector gets: only http, clock, log and seal of renmen:connector; remove the dependency that asks for it (WASI means the wrong target: build for wasm32-unknown-unknown)",
        "{plugin} 请求 {}，任何连接器都得不到：只有 renmen:connector 的 http、clock、log 与 seal；请去掉请求它的依赖（出现 WASI 说明目标不对：请为 wasm32-unknown-unknown 构建）",
        line(&names.join(", ")), plugin = line(plugin)
    ))]
    ForeignImports {
        /// The plugin's name.
        plugin: String,
        /// What it asked for.
        names: Vec<String>,
    },
    /// A module asks for what the host of another platform would give.
    #[error("{}", text!(
        "the module asks for {}, which no connector gets; {}",
        "模块请求 {}，任何连接器都得不到；{}",
        line(&names.join(", ")), culprit(names)
    ))]
    ForeignModuleImports {
        /// `module.name` of each import.
        names: Vec<String>,
    },
    /// The module was not built with the SDK.
    #[error("{}", text!(
        "the module says nothing of the connector contract; depend on renmen-plugin and export your type with `export_source!`",
        "模块与连接器契约无关；请依赖 renmen-plugin，并用 `export_source!` 导出类型"
    ))]
    NoBindings,
    /// The manifest promises what the code does not do.
    #[error("{}", text!(
        "{plugin} does not export `{export}` although {because}; export it, or take that out of plugin.toml",
        "{plugin} 没有导出 `{export}`，然而 {because}；请导出，或从 plugin.toml 中删除",
        plugin = line(plugin), because = line(because)
    ))]
    MissingExport {
        /// The plugin's name.
        plugin: String,
        /// The interface.
        export: &'static str,
        /// What the manifest says.
        because: String,
    },
    /// The code does what the manifest does not say.
    #[error("{}", text!(
        "{plugin} exports `{export}`, but nothing in its manifest {wanted}; declare it in plugin.toml, or take the export out",
        "{plugin} 导出了 `{export}`，但其清单中没有相应声明（{wanted}）；请在 plugin.toml 中声明，或去掉该导出",
        plugin = line(plugin)
    ))]
    UndeclaredExport {
        /// The plugin's name.
        plugin: String,
        /// The interface.
        export: &'static str,
        /// What the manifest would have to say.
        wanted: &'static str,
    },
    /// The module cannot become a component.
    #[error("{}", text!(
        "the module cannot become a component: {reason}; build it with the renmen-plugin of this release",
        "模块无法制成组件：{reason}；请用此版本的 renmen-plugin 构建",
        reason = line(reason)
    ))]
    Encode {
        /// What the encoder says.
        reason: String,
    },
    /// There is more in it than is compiled.
    #[error("{}", text!(
        "{plugin} is too complex to be compiled: {reason}",
        "{plugin} 过于复杂，无法编译：{reason}"
    ))]
    TooComplex {
        /// The plugin's name.
        plugin: String,
        /// Which limit, what was found and what to do.
        reason: String,
    },
    /// Compiling it met a limit.
    #[error("{}", text!(
        "{plugin} was not compiled within `plugins.{limit}`: {seen}; look at what it was built from, and raise the limit if you trust it",
        "{plugin} 未能在 `plugins.{limit}` 内编译：{seen}；请查看其来源，信任它时可调高限额"
    ))]
    CompileLimit {
        /// The plugin's name.
        plugin: String,
        /// The key.
        limit: &'static str,
        /// What was seen.
        seen: String,
    },
    /// The process that compiles could not do its work.
    #[error("{}", text!(
        "{plugin} was not compiled: {reason}; it is the gateway's own fault or the machine's, not the plugin's",
        "{plugin} 未能编译：{reason}；这是网关或机器的问题，不是插件的问题"
    ))]
    CompileChild {
        /// The plugin's name.
        plugin: String,
        /// What happened.
        reason: String,
    },
    /// It does not compile.
    #[error("{}", text!(
        "{plugin} does not compile: {reason}; build it again, without features beyond the WebAssembly that this release allows",
        "{plugin} 无法编译：{reason}；请重新构建，不要使用此版本允许范围之外的 WebAssembly 特性",
        plugin = line(plugin), reason = line(reason)
    ))]
    Compile {
        /// The plugin's name.
        plugin: String,
        /// What the compiler says.
        reason: String,
    },
    /// It does not fit the contract in detail.
    #[error("{}", text!(
        "{plugin} does not fit the contract {CONTRACT}: {reason}; rebuild it with the renmen-plugin of this release",
        "{plugin} 不符合契约 {CONTRACT}：{reason}；请用此版本的 renmen-plugin 重新构建",
        plugin = line(plugin), reason = line(reason)
    ))]
    Link {
        /// The plugin's name.
        plugin: String,
        /// What does not fit.
        reason: String,
    },
    /// It fails before it is asked for anything.
    #[error("{}", text!(
        "{plugin} cannot be started: {reason}; look at what it does before its first call (statics, `start`)",
        "{plugin} 无法启动：{reason}；请检查它在首次调用之前做了什么（静态变量、`start`）",
        plugin = line(plugin), reason = line(reason)
    ))]
    Trial {
        /// The plugin's name.
        plugin: String,
        /// What happened.
        reason: String,
    },
    /// The directory for compiled code is not safe to use.
    #[error("{}", text!(
        "the directory {} cannot hold compiled code: {reason}",
        "目录 {} 不能存放编译后的代码：{reason}",
        path.display(), reason = line(reason)
    ))]
    CacheDir {
        /// The directory.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The engine does not start on this machine.
    #[error("{}", text!(
        "the WebAssembly engine does not start on this machine: {reason}",
        "WebAssembly 引擎无法在此机器上启动：{reason}",
        reason = line(reason)
    ))]
    Engine {
        /// What it says.
        reason: String,
    },
}

/// Which dependency usually brings such imports.
fn culprit(names: &[String]) -> Text {
    if names.iter().any(|name| name.starts_with("__wbindgen") || name.starts_with("wbg")) {
        text!(
            "a dependency thinks it runs in a browser: look with `cargo tree -i js-sys -i wasm-bindgen` and switch off the default features of chrono, uuid or getrandom (time comes from `clock`)",
            "某个依赖以为自己在浏览器中运行：请用 `cargo tree -i js-sys -i wasm-bindgen` 查找，并关闭 chrono、uuid 或 getrandom 的默认特性（时间来自 `clock`）"
        )
    } else if names.iter().any(|name| name.starts_with("wasi")) {
        text!(
            "it was built for WASI: build it for wasm32-unknown-unknown",
            "它为 WASI 构建：请为 wasm32-unknown-unknown 构建"
        )
    } else {
        text!(
            "an `extern` block or a C library wants it: connectors are built without",
            "某个 `extern` 块或 C 库需要它：连接器不能使用"
        )
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
