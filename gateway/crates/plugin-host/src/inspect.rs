//! What a component says of itself, read without compiling it.

use renmen_schema::manifest::{Manifest, SECTION};
use wasmparser::{Encoding, Parser, Payload};

use crate::digest;
use crate::load_error::LoadError;
use crate::release::interface_of;

/// How code that wasmtime compiled ahead of time begins: it is an ELF file.
const ELF: &[u8] = b"\x7fELF";

/// What a component says of itself.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its manifest.
    pub manifest: Manifest,
    /// `sha256:…`
    pub digest: String,
    /// Names of what it asks for: `renmen:connector/http@0.2.0`.
    pub imports: Vec<String>,
    /// Names of what it offers.
    pub exports: Vec<String>,
    /// Size of the file.
    pub bytes: u64,
}

/// One thing that a connector can do: an interface that it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Reads: `source`.
    Source,
    /// Writes: `sink`.
    Sink,
    /// Takes what the vendor sends: `webhook`.
    Webhook,
    /// Proves its connection: `probe`.
    Probe,
}

impl Capability {
    const ALL: [Self; 4] = [Self::Source, Self::Sink, Self::Webhook, Self::Probe];

    /// The interface's name in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Webhook => "webhook",
            Self::Probe => "probe",
        }
    }
}

impl Inspection {
    /// Does it export this interface of the contract?
    pub(crate) fn exports_interface(&self, interface: &str) -> bool {
        self.exports.iter().any(|name| interface_of(name).is_some_and(|(exported, _)| exported == interface))
    }

    /// What it can do, in the order of the contract.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capability> {
        Capability::ALL.into_iter().filter(|capability| self.exports_interface(capability.as_str())).collect()
    }
}

/// Manifest, digest, imports and exports of a component, without compiling it.
///
/// # Errors
/// When the bytes are not a component, are damaged, or carry no manifest that can be read.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    check_kind(bytes)?;
    inspect_component(bytes, digest::of(bytes))
}

/// The same for bytes that are known to be a component, whose digest is known too.
pub(crate) fn inspect_component(bytes: &[u8], digest: String) -> Result<Inspection, LoadError> {
    let sections = read_sections(bytes)?;
    let manifest = parse_manifest(sections.manifest.ok_or(LoadError::NoManifest)?)?;
    Ok(Inspection { manifest, digest, imports: sections.imports, exports: sections.exports, bytes: bytes.len() as u64 })
}

/// A manifest's TOML text as bytes. Contradictions in it are the contract's business.
pub(crate) fn parse_manifest(text: &[u8]) -> Result<Manifest, LoadError> {
    let text = std::str::from_utf8(text).map_err(|error| LoadError::Manifest { reason: error.to_string() })?;
    Manifest::parse(text).map_err(|error| LoadError::Manifest { reason: error.to_string() })
}

/// Is it a component at all? Looks at the first bytes alone.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), LoadError> {
    if Parser::is_component(bytes) {
        Ok(())
    } else if Parser::is_core_wasm(bytes) {
        Err(LoadError::CoreModule)
    } else if bytes.starts_with(ELF) {
        Err(LoadError::Precompiled)
    } else {
        Err(not_wasm(bytes))
    }
}

pub(crate) fn not_wasm(bytes: &[u8]) -> LoadError {
    let begins = if bytes.is_empty() { "nothing".to_owned() } else { hex::encode(&bytes[..bytes.len().min(8)]) };
    LoadError::NotWasm { begins }
}

#[derive(Default)]
struct Sections<'a> {
    manifest: Option<&'a [u8]>,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Walks the whole binary, nested modules included, so that damage is found here and not inside the compiler; but only what
/// stands at the outermost level counts.
fn read_sections(bytes: &[u8]) -> Result<Sections<'_>, LoadError> {
    let mut sections = Sections::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { num: _, encoding: Encoding::Component | Encoding::Module, range: _ } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 1 && section.name() == SECTION => {
                let other = sections.manifest.replace(section.data());
                other.map_or(Ok(()), |_| Err(LoadError::TwoManifests))?;
            }
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    sections.imports.push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    sections.exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(sections)
}

#[allow(clippy::needless_pass_by_value, reason = "given to map_err")]
pub(crate) fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Malformed { reason: error.to_string() }
}
