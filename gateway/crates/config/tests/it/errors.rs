//! Mistakes that people make, and what they are told. The sentences are part of the interface: a change shows here.

use renmen_config::PROBLEMS_MAX;
use renmen_schema::Language;

use crate::{DIGEST, read, refused};

/// A connection that is right, with something more in it.
fn people(more: &str) -> String {
    format!("[connections.people]\nplugin = \"plugins/dingtalk.wasm\"\ndigest = \"{DIGEST}\"\n{more}\n")
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    insta::assert_snapshot!(refused(&people(
        "streams.employees = { interval = \"15m\" }\nstreams.roster = { evrey = \"15m\" }"
    )));
}

#[test]
fn an_unknown_section_and_an_unknown_limit_are_named() {
    insta::assert_snapshot!(refused(
        "[gatway]\nlisten = \"127.0.0.1:1\"\n\n[limits]\nmemory_max = \"1GiB\"\nxyzzy = 1\n"
    ));
}

#[test]
fn a_missing_variable_is_named_where_it_stands() {
    insta::assert_snapshot!(refused(&people(
        "config = { base_url = \"${DINGTALK_URL}/a\", tenant_url = \"https://x/${BASE}/y\", price = \"$5\" }"
    )));
}

#[test]
fn a_missing_plugin_and_a_missing_digest_are_told_at_the_connection() {
    insta::assert_snapshot!(refused("[connections.people]\nenabled = true\n"));
}

#[test]
fn a_wrong_digest_and_a_plugin_that_is_no_component_are_told() {
    insta::assert_snapshot!(refused("[connections.people]\nplugin = \"dingtalk.so\"\ndigest = \"sha256:ABC\"\n"));
}

#[test]
fn wrong_types_and_units_say_what_is_wanted() {
    insta::assert_snapshot!(refused(&people(
        "streams.a = { every = 15 }\nstreams.b = { every = \"15 minutes\" }\nlimits = { memory_bytes_max = \"1.5GB\", retries_max = \"3\", quarantine_ratio_max = 2 }\nenabled = \"yes\""
    )));
}

#[test]
fn schedules_that_make_no_sense_are_told_from_each_other() {
    insta::assert_snapshot!(refused(&people(
        "streams.a = { cron = \"0 2 * *\" }\nstreams.b = { cron = \"0 0 31 2 *\" }\nstreams.c = { cron = \"0 2 * * *\", zone = \"Asia/Peking\" }\n\
         streams.d = { every = \"1m\", cron = \"0 2 * * *\" }\nstreams.e = { enabled = true }\nstreams.f = { every = \"1m\", zone = \"UTC\" }\nstreams.g = { manual = false }"
    )));
}

#[test]
fn a_grant_that_is_no_origin_is_explained() {
    insta::assert_snapshot!(refused(&people(
        "grant = { hosts = [\"api.dingtalk.com\", \"https://a.example/v1\", \"https://*\"], methods = [\"FETCH\"], addresses = [\"10.0.0.0/33\"], host = [] }"
    )));
}

#[test]
fn a_slot_without_or_with_two_sources_is_explained() {
    insta::assert_snapshot!(refused(&people(
        "slots.a = {}\nslots.b = { env = \"A\", file = \"b\" }\nslots.c = \"hush-hush\"\nslots.d = { value = \"hush-hush\" }\nslots.e = { env = \"${A}\" }"
    )));
}

#[test]
fn a_place_that_a_secret_may_not_go_to_is_explained() {
    insta::assert_snapshot!(refused(&format!(
        "{}\n[channels.post]\nkind = \"mail\"\nhost = \"smtp.example.com\"\nfrom = \"hr@example.com\"\nslots.login = {{ env = \"A\", to = [\"https://a.example\"] }}\n",
        people(
            "slots.a = { env = \"A\", to = \"https://a.example\" }\nslots.b = { env = \"A\", to = [\"drop:\", \"a.example\", \"https://a.example/x\"] }\nslots.c = { to = [\"https://a.example\"] }"
        )
    )));
}

#[test]
fn a_text_that_is_no_toml_is_told_with_its_place() {
    insta::assert_snapshot!(refused("[gateway]\nlisten = 127.0.0.1:7300\n\n[store\nurl = \"sqlite:a.db\"\n"));
}

#[test]
fn a_database_url_with_a_password_in_clear_is_refused() {
    insta::assert_snapshot!(refused("[store]\nurl = \"postgres://renmen:hush-hush@db/hr\"\nsynchronous = \"off\"\n"));
}

#[test]
fn names_that_are_none_are_told() {
    insta::assert_snapshot!(refused(
        "[gateway]\ntenant = \"Acme Ltd\"\nlisten = \"localhost\"\n\n[connections.\"Big People\"]\nplugin = \"p.wasm\"\n"
    ));
}

#[test]
fn a_key_given_twice_is_told() {
    let error = refused("[gateway]\ntenant = \"a\"\ntenant = \"b\"\n");
    assert!(error.contains("connectors.toml:3:1") && error.contains("duplicate"), "{error}");
}

#[test]
fn problems_are_in_the_order_of_the_file_and_at_most_so_many() {
    let mut text = String::from("[limits]\n");
    for number in 0..PROBLEMS_MAX + 5 {
        text.push_str(&format!("unknown_{number} = 1\n"));
    }
    let error = read(&text, false).unwrap_err();
    assert_eq!((error.problems.len(), error.more), (PROBLEMS_MAX, 5));
    assert!(error.problems.windows(2).all(|pair| pair[0].line < pair[1].line));
    assert!(error.to_string().ends_with("and 5 more"));
    let few = read("[limits]\nunknown_1 = 1\n", false).unwrap_err();
    assert_eq!((few.problems.len(), few.more), (1, 0));
    assert_eq!(
        (few.problems[0].line, few.problems[0].column, few.problems[0].key.as_str()),
        (2, 1, "limits.unknown_1")
    );
}

#[test]
fn a_file_is_explained_in_chinese_where_that_is_shown() {
    let error =
        read("[gateway]\nlisten = \"localhost\"\nlisen = 1\n\n[connections.people]\nplugin = \"p.so\"\n", false)
            .unwrap_err();
    let told = Language::Chinese.show(|| error.to_string());
    for part in [
        "connectors.toml:2:10: `localhost` 不是带端口的地址\n",
        "\n  配置项：gateway.listen\n  处理：请写 IP 地址与端口，例如 \"127.0.0.1:7300\" 或 \"[::]:7300\"\n",
        "connectors.toml:3:1: 未知的配置项 `lisen`；是否想写 `listen`？\n",
        "缺少配置项 `digest`，插件位置上的任何文件都会被运行",
        "插件是以 .wasm 结尾的文件",
    ] {
        assert!(told.contains(part), "{part}\n---\n{told}");
    }
    // What was shown before changes nothing: a log is English.
    assert!(error.to_string().contains("is not an address with a port"), "{error}");
}
