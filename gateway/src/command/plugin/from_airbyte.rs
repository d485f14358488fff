//! `renmen plugin from-airbyte`: a connector's folder from a declarative manifest, and the list of what was left behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use renmen_kit::airbyte::{Import, Imported};
use renmen_kit::scaffold::PluginName;
use renmen_schema::{EntityKind, Text, text};
use serde_json::json;

use crate::cli::plugin::FromAirbyte as Ask;
use crate::exit::{Outcome, Usage};
use crate::output::{Output, counted};

/// Reads the manifest, writes the folder, and says what is in it and what is not.
pub(super) fn run(out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let name = match &ask.name {
        Some(name) => PluginName::new(name)?,
        None => PluginName::new(&name_of(ask))?,
    };
    let folder = ask.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let entities = ask.stream.iter().map(|pair| entity(pair)).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    let import = Import { manifest: ask.manifest.clone(), name, auth: ask.auth.clone(), entities };
    let imported = import.run()?;
    if let Some(unknown) = import.entities.keys().find(|said| imported.streams.iter().all(|one| one.stream != **said)) {
        let names = imported.streams.iter().map(|one| one.stream.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Usage(text!(
            "--stream {unknown}: the manifest has no such stream; it has {names}",
            "--stream {unknown}：清单中没有该流；现有 {names}"
        ))
        .into());
    }
    if !ask.dry_run {
        write(&folder, &imported)?;
    }
    show(out, &folder, &imported, ask.dry_run)?;
    Ok(if imported.wrong.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// The name of the folder, or else of the manifest, as connectors are named.
fn name_of(ask: &Ask) -> String {
    let from = ask.dir.as_deref().and_then(Path::file_name).or(ask.manifest.file_stem());
    let name = from.unwrap_or_default().to_string_lossy().to_lowercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    name.trim_matches('-').trim_start_matches("source-").to_owned()
}

fn entity(pair: &str) -> anyhow::Result<(String, EntityKind)> {
    let found =
        pair.rsplit_once('=').and_then(|(stream, entity)| Some((stream.to_owned(), EntityKind::from_name(entity)?)));
    found.ok_or_else(|| {
        Usage(text!(
            "--stream {pair}: expected STREAM=ENTITY, as opportunities=candidate; `renmen schema` lists the entities",
            "--stream {pair}：应为 流=实体，例如 opportunities=candidate；`renmen schema` 列出所有实体"
        ))
        .into()
    })
}

fn write(folder: &Path, imported: &Imported) -> anyhow::Result<()> {
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        let shown = folder.display();
        return Err(Usage(text!(
            "{shown} is not empty: name another folder, or take its files away",
            "{shown} 不为空：请指定其他目录，或清空该目录"
        ))
        .into());
    }
    for (path, text) in &imported.files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn show(out: Output, folder: &Path, imported: &Imported, dry_run: bool) -> anyhow::Result<()> {
    if out.json {
        let files: Vec<PathBuf> = imported.files.keys().map(|file| folder.join(file)).collect();
        return out.document(&json!({
            "folder": (!dry_run).then_some(folder), "files": files, "streams": imported.streams, "left": imported.left,
            "wrong": imported.wrong,
        }));
    }
    let rows = imported.streams.iter().map(|one| {
        let (entity, fields) = (one.entity.clone().unwrap_or_default(), one.fields.to_string());
        let read = if one.is_read() { "yes" } else { "no" };
        vec![one.stream.clone(), read.to_owned(), entity, fields, one.blocked.join("; ")]
    });
    out.table(&["stream", "read", "entity", "fields", "why not"], rows, &())?;
    if !imported.left.is_empty() {
        let rows = imported
            .left
            .iter()
            .map(|left| vec![left.line.to_string(), left.at.clone(), left.what.clone(), left.why.clone()]);
        out.say(text!("\nnot carried over:", "\n未能转换："));
        out.table(&["line", "where", "what", "what that means"], rows, &())?;
    }
    if !imported.wrong.is_empty() {
        out.say(text!("\nit cannot be built as it is:", "\n尚不能构建："));
        imported.wrong.iter().for_each(|wrong| out.say(Text::verbatim(format!("  {wrong}"))));
    }
    let read = imported.streams.iter().filter(|one| one.is_read()).count();
    let all = counted(imported.streams.len(), "stream", "个流");
    let (shown, left) = (folder.display(), imported.left.len());
    match dry_run {
        true => out.say(text!("\n{read} of {all} can be read; {left} left behind", "\n可读取 {all} 中的 {read} 个；{left} 处未转换")),
        false => out.say(text!(
            "\n{read} of {all} can be read; {left} left behind, all of it in {shown}/README.md\nNext: compare {shown}/mapping.toml with what the vendor sends, then\n  renmen plugin check {shown}\n  renmen plugin test {shown}",
            "\n可读取 {all} 中的 {read} 个；{left} 处未转换，均列于 {shown}/README.md\n接下来：请将 {shown}/mapping.toml 与厂商实际数据对照，然后\n  renmen plugin check {shown}\n  renmen plugin test {shown}"
        )),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_comes_from_the_folder_or_the_manifest() {
        let ask = |manifest: &str, dir: Option<&str>| Ask {
            manifest: manifest.into(),
            dir: dir.map(Into::into),
            ..Ask::default()
        };
        assert_eq!(name_of(&ask("x/manifest.yaml", Some("out/Acme_HR"))), "acme-hr");
        assert_eq!(name_of(&ask("x/source-acme.yaml", None)), "acme");
    }

    #[test]
    fn an_entity_is_said_after_the_last_sign_of_equality() {
        assert_eq!(entity("a=b=candidate").unwrap(), ("a=b".to_owned(), EntityKind::Candidate));
        for pair in ["a", "a=canditate", ""] {
            assert!(entity(pair).unwrap_err().to_string().contains("STREAM=ENTITY"), "{pair}");
        }
    }
}
