//! `[plugins]`: whose plugins may be loaded, and what compiling one may cost.

use std::collections::BTreeMap;
use std::time::Duration;

use renmen_schema::text;

use crate::limits::within_range;
use crate::section::Section;

/// Keys that may be trusted at once.
pub const TRUSTED_KEYS_MAX: usize = 100;

/// Which signers of plugins are trusted, and the limits of compiling plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugins {
    /// `trusted_keys`: a name of your choice and the minisign public key, `{ acme = "RWQ…" }`.
    pub trusted_keys: BTreeMap<String, String>,
    /// `require_signature`: a plugin without a good signature of one of them is not loaded. Default false.
    pub require_signature: bool,
    /// `functions_max`: functions of one plugin. Default 100,000.
    pub functions_max: u64,
    /// `function_bytes_max`: bytes of one function; what the compiler needs grows faster than they do. Default `1MiB`.
    pub function_bytes_max: u64,
    /// `items_max`: types, imports, exports, segments and everything else that is listed in one plugin. Default
    /// 500,000.
    pub items_max: u64,
    /// `compile_memory_max`: memory of the process that compiles one plugin, in address space. Default `2GiB`.
    pub compile_memory_max: u64,
    /// `compile_time_max`: processor time for compiling one plugin; by the clock four times as long. Default `60s`.
    pub compile_time_max: Duration,
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            trusted_keys: BTreeMap::new(),
            require_signature: false,
            functions_max: 100_000,
            function_bytes_max: 1 << 20,
            items_max: 500_000,
            compile_memory_max: 2 << 30,
            compile_time_max: Duration::from_secs(60),
        }
    }
}

impl Plugins {
    pub(crate) fn read(section: Option<Section<'_>>) -> Self {
        let mut plugins = Self::default();
        let Some(mut section) = section else { return plugins };
        for (name, node) in section.table("trusted_keys").iter().flat_map(Section::nodes) {
            if plugins.trusted_keys.len() == TRUSTED_KEYS_MAX {
                node.problem(
                    text!("more than {TRUSTED_KEYS_MAX} keys", "密钥超过 {TRUSTED_KEYS_MAX} 个"),
                    text!("remove keys that are no longer in use", "请删除不再使用的密钥"),
                );
                break;
            }
            let like = text!(
                "write the last line of the .pub file: 56 characters that begin with RW",
                "请写 .pub 文件的最后一行：以 RW 开头的 56 个字符"
            );
            let key = |text: &str| {
                let base64 = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
                let fits = text.len() == 56 && text.starts_with("RW") && base64;
                fits.then(|| text.to_owned()).ok_or_else(|| text!("is not a minisign public key", "不是 minisign 公钥"))
            };
            if let Some(key) = node.parsed(key, like) {
                plugins.trusted_keys.insert(name.to_owned(), key);
            }
        }
        if let Some(node) = section.get("require_signature") {
            plugins.require_signature = node.flag().unwrap_or(false);
            if plugins.require_signature && plugins.trusted_keys.is_empty() {
                node.problem_at_key(
                    text!(
                        "signatures are required and no key is trusted, so no plugin could be loaded",
                        "要求签名却没有信任任何密钥，因此任何插件都无法加载"
                    ),
                    text!(
                        "name the keys: `trusted_keys = {{ acme = \"RW…\" }}`",
                        "请写明密钥：`trusted_keys = {{ acme = \"RW…\" }}`"
                    ),
                );
            }
        }
        plugins.read_bounds(&mut section);
        section.finish();
        plugins
    }

    fn read_bounds(&mut self, section: &mut Section<'_>) {
        if let Some(functions) =
            section.get("functions_max").and_then(|node| within_range::count(&node, 1_000, 1_000_000))
        {
            self.functions_max = functions;
        }
        let bytes = section.get("function_bytes_max");
        if let Some(bytes) = bytes.and_then(|node| within_range::bytes(&node, 64 << 10, 7 << 20)) {
            self.function_bytes_max = bytes;
        }
        if let Some(items) = section.get("items_max").and_then(|node| within_range::count(&node, 1_000, 10_000_000)) {
            self.items_max = items;
        }
        let memory = section.get("compile_memory_max");
        if let Some(memory) = memory.and_then(|node| within_range::bytes(&node, 512 << 20, 64 << 30)) {
            self.compile_memory_max = memory;
        }
        let time = section.get("compile_time_max");
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3_600));
        if let Some(time) = time.and_then(|node| within_range::duration(&node, least, most)) {
            self.compile_time_max = time;
        }
    }
}
