//! What the documents claim is true: links lead somewhere, commands and metrics exist, samples are the code, the Chinese pages
//! show the same code as the English ones. Each reader of a document is shown a case that it must refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::renmen;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page for people, by its path from the root.
fn pages() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in [".", "docs", "docs/zh-CN", "gateway", "declarative", "plugins", "plugin-sdk", "xtask", "tests"] {
        let deep = ![".", "docs", "docs/zh-CN"].contains(&folder);
        pages_in(&root().join(folder), deep, &mut found);
    }
    assert!(found.len() > 30, "{} pages", found.len());
    found
}

fn pages_in(folder: &Path, deep: bool, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && deep && !["target", "node_modules", "fixtures"].contains(&name) {
            pages_in(&path, deep, found);
        } else if name.ends_with(".md") {
            let shown = path.strip_prefix(root()).unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
            found.insert(shown, fs::read_to_string(&path).unwrap());
        }
    }
}

/// A page without its fenced code.
fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// The fenced code of a page: its language and its text.
fn code_blocks(page: &str) -> Vec<(String, String)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).map(|(kind, text)| (kind.to_owned(), text.to_owned())).collect()
}

/// The targets of `[text](target)` in prose.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains(' ')).collect()
}

/// The anchors of a page's headings, as hosting platforms make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = format!("\n{}", prose(page));
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .collect::<String>();
            kept.replace(' ', "-")
        })
        .collect()
}

/// Links that lead nowhere: a file that is not there, or a heading that it does not have.
fn dead_links(pages: &BTreeMap<String, String>, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut dead = Vec::new();
    for (path, page) in pages {
        for link in links(page).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (file, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.clone() } else { resolved(path, file) };
            let known = match (pages.get(&target), anchor) {
                (Some(page), Some(anchor)) => anchors(page).contains(anchor),
                (Some(_), None) => true,
                (None, anchor) => anchor.is_none() && exists(&target),
            };
            if !known {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    dead
}

/// `../x` and `x` from the folder of a page.
fn resolved(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    let dead = dead_links(&pages(), &|path| root().join(path).exists());
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "# One heading\n[a](b.md) [c](b.md#two-words) [d](b.md#three) [e](x.toml) [f](#one-heading)\n```\n[g](no.md)\n```\n";
    let pages =
        BTreeMap::from([("d/a.md".to_owned(), page.to_owned()), ("d/b.md".to_owned(), "## Two words".to_owned())]);
    assert_eq!(dead_links(&pages, &|_| false), ["d/a.md: b.md#three", "d/a.md: x.toml"]);
}

#[test]
fn every_page_is_in_the_index() {
    let index: BTreeSet<String> =
        links(&read("docs/README.md")).iter().map(|link| resolved("docs/README.md", link)).collect();
    let missing: Vec<String> = pages()
        .into_keys()
        .filter(|path| path.starts_with("docs/") && path.matches('/').count() == 1 && path != "docs/README.md")
        .filter(|path| !index.contains(path))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "pages that docs/README.md does not list");
}

#[test]
fn every_crate_of_the_gateway_says_why_it_exists_and_what_it_must_not_know() {
    let folders = fs::read_dir(root().join("gateway/crates")).unwrap().map(|entry| entry.unwrap().path());
    let crates: Vec<PathBuf> = folders.filter(|folder| folder.join("Cargo.toml").is_file()).collect();
    assert!(crates.len() > 10, "{} crates", crates.len());
    for folder in crates {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let page = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        assert!(page.len() > 200, "gateway/crates/{name}/README.md does not say why the crate exists");
        assert!(
            page.to_lowercase().contains("must not know"),
            "gateway/crates/{name}/README.md: what must it not know?"
        );
        let start = page.split("**Start reading at.**").nth(1).unwrap_or_default();
        let modules =
            start.split('`').skip(1).step_by(2).filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        for module in modules {
            let is_there =
                ["src/@.rs", "src/@/mod.rs"].iter().any(|form| folder.join(form.replace('@', module)).is_file());
            assert!(is_there, "gateway/crates/{name}/README.md names the module {module}, which does not exist");
        }
    }
}

/// The names under "Commands:" in a help text.
fn commands_of(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn help(command: &[&str]) -> String {
    let output = Command::new(renmen()).args(command).arg("-h").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Each command of the binary, with its subcommands.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let all = commands_of(&help(&[])).into_iter().map(|name| {
        let own = commands_of(&help(&[name.as_str()])).into_iter().collect();
        (name, own)
    });
    let all: BTreeMap<_, BTreeSet<_>> = all.collect();
    assert!(all.len() > 10 && all["plugin"].contains("test"), "{all:?}");
    all
}

/// Uses of `renmen …` in a text that name a command which does not exist. `a|b` names both.
fn unknown_commands(text: &str, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut unknown = Vec::new();
    for (_, rest) in text.match_indices("renmen ").filter_map(|(at, name)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| "`\n (;".contains(c)).then_some((at, &text[at + name.len()..]))
    }) {
        let words: Vec<&str> = rest.split(['`', '\n']).next().unwrap().split_whitespace().collect();
        let Some(names) = words.first().filter(|word| is_command_word(word)) else { continue };
        for name in names.split(['|', '\\']).filter(|name| !name.is_empty()) {
            let Some(subcommands) = known.get(name) else {
                unknown.push(format!("renmen {name}"));
                continue;
            };
            let asked = words.get(1).filter(|word| is_command_word(word) && !subcommands.is_empty());
            for sub in asked.into_iter().flat_map(|word| word.split(['|', '\\'])).filter(|sub| !sub.is_empty()) {
                if !subcommands.contains(sub) {
                    unknown.push(format!("renmen {name} {sub}"));
                }
            }
        }
    }
    unknown
}

/// Letters in lower case and what joins them: not an option, a placeholder or the rest of a sentence.
fn is_command_word(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase() || "-|\\".contains(c))
        && word.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The code of a page: fenced, or between backquotes.
fn code(page: &str) -> String {
    let fenced =
        code_blocks(page).into_iter().filter(|(kind, _)| ["sh", "console", "bash", "ini"].contains(&kind.as_str()));
    let mut all: Vec<String> = fenced.map(|(_, text)| format!("\n{text}")).collect();
    all.extend(prose(page).split('`').skip(1).step_by(2).map(|code| format!("`{code}`")));
    all.join("\n")
}

#[test]
fn commands_that_documents_name_exist_and_the_readme_names_them_all() {
    let known = commands();
    let mut wrong = Vec::new();
    for (path, page) in pages() {
        wrong.extend(unknown_commands(&code(&page), &known).into_iter().map(|command| format!("{path}: {command}")));
    }
    assert!(wrong.is_empty(), "documents name commands that do not exist:\n{}", wrong.join("\n"));
    let table = read("README.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `renmen ")).collect();
    let mut missing = Vec::new();
    for (name, subcommands) in &known {
        let own: Vec<&str> = rows.iter().filter(|row| row.starts_with(&format!("| `renmen {name}"))).copied().collect();
        let named = |sub: &String| {
            own.iter().any(|row| row.split('`').nth(1).unwrap().split([' ', '|', '\\']).any(|word| word == sub))
        };
        if own.is_empty() {
            missing.push(format!("renmen {name}"));
        }
        missing.extend(subcommands.iter().filter(|sub| !named(sub)).map(|sub| format!("renmen {name} {sub}")));
    }
    assert!(missing.is_empty(), "README.md does not name these commands:\n{}", missing.join("\n"));
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let known = BTreeMap::from([
        ("check".to_owned(), BTreeSet::new()),
        ("key".to_owned(), BTreeSet::from(["new".to_owned(), "list".to_owned()])),
    ]);
    let text = code("`renmen key new\\|revoke` and `renmen check people`\n```sh\nrenmen chek\nrenmen key list\n```\n");
    assert_eq!(unknown_commands(&text, &known), ["renmen chek", "renmen key revoke"]);
}

#[test]
fn exit_codes_of_the_readme_are_those_of_the_binary() {
    let page = read("README.md");
    let table = page.split("| code | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let codes: Vec<i32> = rows.filter_map(|row| row.split('|').nth(1)?.trim().parse().ok()).collect();
    let long = Command::new(renmen()).arg("--help").output().unwrap();
    let long = String::from_utf8(long.stdout).unwrap();
    let told = long.split("Exit codes:").nth(1).expect("the help tells the exit codes").split("\n\n").next().unwrap();
    let of_help: Vec<i32> =
        told.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
    assert_eq!(codes, of_help);
    let code_of = |arguments: &[&str]| Command::new(renmen()).args(arguments).output().unwrap().status.code();
    assert_eq!(code_of(&["schema", "employee"]), Some(0));
    assert_eq!(code_of(&["check", "--config", "/nowhere/connectors.toml"]), Some(2));
}

#[test]
fn the_sample_of_the_readme_is_the_example_and_the_number_of_checks_is_right() {
    let page = read("README.md");
    let example = read("plugin-sdk/examples/staff-api/src/lib.rs");
    let (_, sample) = code_blocks(&page).into_iter().find(|(kind, _)| kind == "rust").unwrap();
    assert!(example.contains(sample.trim()), "the Rust sample of README.md differs from staff-api/src/lib.rs");
    let checks = read("docs/conformance.md");
    let catalogue = read("gateway/crates/kit/src/conformance/catalogue.rs");
    let listed =
        checks.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(id, _)| id.to_owned()));
    let listed: BTreeSet<String> = listed.filter(|id| catalogue.contains(&format!("\"{id}\""))).collect();
    assert!(page.contains(&format!("{} checks", listed.len())), "docs/conformance.md lists {} checks", listed.len());
}

/// Metrics that documents name, without those that the sources have.
fn unknown_metrics(text: &str, sources: &str) -> Vec<String> {
    let names = text
        .match_indices("renmen_")
        .map(|(at, _)| text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>());
    let ours = ["_total", "_seconds", "_waiting", "_set_aside"];
    let names: BTreeSet<String> = names.filter(|name| ours.iter().any(|end| name.ends_with(end))).collect();
    names.into_iter().filter(|name| !sources.contains(&format!("\"{name}\""))).collect()
}

#[test]
fn metrics_that_documents_name_exist() {
    let mut sources = String::new();
    sources_in(&root().join("gateway"), &mut sources);
    for (path, page) in pages() {
        assert_eq!(unknown_metrics(&page, &sources), Vec::<String>::new(), "{path} names metrics that do not exist");
    }
    assert_eq!(
        unknown_metrics("`renmen_runs_total`, `renmen_gone_total`", "counter!(\"renmen_runs_total\")"),
        ["renmen_gone_total"]
    );
}

fn sources_in(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests" && name != "target") {
            sources_in(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The code of a page without its comments, which are in the page's language.
fn code_without_comments(page: &str) -> Vec<String> {
    let lines = |text: &str| {
        let code = text.lines().map(|line| line.split(" #").next().unwrap().trim_end());
        code.filter(|line| !line.trim_start().starts_with('#') && !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    code_blocks(page).into_iter().filter(|(kind, _)| !kind.is_empty()).map(|(_, text)| lines(&text)).collect()
}

/// What the rows of a page's tables begin with, where that is code.
fn keys(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn chinese_pages_show_the_code_of_the_english_ones() {
    for (english, chinese) in [
        ("README.md", "README.zh-CN.md"),
        ("docs/first-connector.md", "docs/zh-CN/first-connector.md"),
        ("docs/operations.md", "docs/zh-CN/operations.md"),
        ("docs/flows.md", "docs/zh-CN/flows.md"),
        ("docs/people.md", "docs/zh-CN/people.md"),
        ("docs/export.md", "docs/zh-CN/export.md"),
    ] {
        let (wanted, found) = (code_without_comments(&read(english)), code_without_comments(&read(chinese)));
        assert!(!wanted.is_empty(), "{english} has code");
        assert_eq!(found, wanted, "the code of {chinese} differs from that of {english}");
        if english.starts_with("docs/") {
            assert_eq!(keys(&read(chinese)), keys(&read(english)), "the tables of {chinese}");
        }
    }
    let (one, other) = ("\n```sh\na # here\n```\n", "\n```sh\nb # 这里\n```\n");
    assert_ne!(code_without_comments(one), code_without_comments(other));
    assert_eq!(code_without_comments(one), code_without_comments("\n```sh\n# 说明\na # 这里\n```\n"));
}
