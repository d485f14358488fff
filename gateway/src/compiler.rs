//! The program that compiles plugins: this one, started again as a child.

use std::path::PathBuf;

use renmen_plugin_host::{COMPILE_WORKER, ChildCompiler};
use renmen_schema::text;

/// This program as the child that compiles.
pub(crate) fn child() -> std::io::Result<ChildCompiler> {
    Ok(ChildCompiler::new(this_program()?, [COMPILE_WORKER.into()]).announcing(announce))
}

/// Once for each version of a plugin; the code is kept in the cache.
fn announce(plugin: &str) {
    crate::progress::line(&text!(
        "compiling plugin `{plugin}`: once for each version, up to a minute",
        "正在编译插件 `{plugin}`：每个版本一次，最长一分钟"
    ));
}

/// The program that runs, even when its file was replaced since by another release: that one would compile for itself.
fn this_program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}
