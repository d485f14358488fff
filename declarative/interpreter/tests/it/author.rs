//! What an author is told about a mapping that is wrong: the line, the key, and what was most likely meant.

use renmen_declarative::author::read;
use renmen_schema::manifest::Manifest;

use crate::world::{staff, told};

/// The one thing that is wrong with a text, which is the good one with a piece replaced.
fn wrong(from: &str, to: &str) -> String {
    let good = staff(STREAM);
    assert!(read(&good, None).is_ok(), "{}", told(&read(&good, None).unwrap_err()));
    let bad = good.replacen(from, to, 1);
    assert_ne!(good, bad, "{from} is not there");
    let all = read(&bad, None).unwrap_err();
    told(&all)
}

const STREAM: &str = "request = { path = '/staff/{config/unit}', query = { limit = '{page/size}' } }\nitems = '/data'\npaging = { by = 'token', next = '/next' }";

#[test]
fn an_unknown_name_of_any_kind_has_its_line_its_key_and_the_nearest_one() {
    for (from, to, expected) in [
        // Keys and words of the language.
        ("items =", "itms =", "6:1: unknown field `itms`"),
        ("by = 'token'", "by = 'tokn'", "did you mean `token`?"),
        ("items =", "size_mx = 5\nitems =", "did you mean `size_max`?"),
        // Values, functions.
        (
            "{page/size}",
            "{pge/size}",
            "5:54: streams.staff.request.query.limit: unknown value `pge`; did you mean `page`?",
        ),
        ("{page/size}", "{page/size | lowr}", "unknown function `lowr`; did you mean `lower`?"),
        ("{page/size}", "{parent/id}", "`parent` has no meaning in this request"),
        // Entities and fields.
        (
            "entity = \"employee\"",
            "entity = \"employe\"",
            "10:1: streams.staff.records.0.entity: unknown entity `employe`; did you mean `employee`?",
        ),
        (
            "/person/names/formatted",
            "/person/names/formated",
            "14:1: streams.staff.records.0.fields./person/names/formated",
        ),
        ("from = \"/name\"", "from = \"name\"", "begins with `/`"),
        ("required = true", "as = \"mony\"", "unknown meaning `mony`; did you mean `money`?"),
        ("required = true", "as = \"code\", map = \"stages\"", "unknown map `stages`"),
        ("items =", "for_each = { stream = 'staf' }\nitems =", "unknown stream `staf`; did you mean `staff`?"),
    ] {
        let found = wrong(from, to);
        assert!(found.contains(expected), "{to}: {found}");
    }
}

#[test]
fn what_contradicts_itself_is_told_too() {
    for (from, to, expected) in [
        ("'/data'", "'/data/[a=b]'", "without [key=value]"),
        ("query =", "json = {}, form = {}, query =", "`json` or `form`, not both"),
        ("path = '/staff", "path = 'staff", "begins with `/`"),
        (
            "items =",
            "changes = { by = 'time', modified = '/at', overlap = 'soon' }\nitems =",
            "`soon` is not a duration",
        ),
        ("items =", "lookup = { request = { path = '/one' } }\nitems =", "names no `{id}`"),
        (
            "items =",
            "for_each = { list = '{config/a}' }\nchanges = { by = 'sync_token', token = '/t' }\nitems =",
            "staff.changes: a token for each parent cannot be kept",
        ),
        (
            "items =",
            "for_each = { list = '{config/a}' }\nchanges = { by = 'time', modified = '/t', order = 'oldest_first' }\nitems =",
            "staff.changes.order: with `for_each` the lists of all parents are one list",
        ),
        (
            "items =",
            "for_each = { days = { back = '9d', step = '1d' } }\nchanges = { by = 'time', modified = '/t' }\nitems =",
            "staff.changes: does not go together with spans of time",
        ),
        ("items =", "for_each = { months = 0 }\nitems =", "staff.for_each.months: expected 1 to 120"),
        (
            "items =",
            "for_each = { months = 2, list = '{config/a}' }\nitems =",
            "exactly one of `stream`, `list`, `days` and `months`",
        ),
        ("items =", "nested = 'children'\nitems =", "staff.nested: `children` is not a pointer"),
        ("items =", "keyed = true\nitems =", "6:9: "),
        ("items =", "keyed = 'id'\nitems =", "6:1: streams.staff.keyed: `id` is not a pointer"),
        ("items =", "keyed = '/a/b'\nitems =", "staff.keyed: expected one name"),
        ("items =", "keyed = ''\nitems =", "staff.keyed: expected one name"),
        ("items =", "keyed = '/[a=b]'\nitems =", "staff.keyed: expected one name"),
        (
            "items =",
            "keyed = '/id'\nnested = '/children'\nitems =",
            "staff.keyed: the items are the members of one object",
        ),
        ("items =", "keyed = '/id'\nsingle = true\nitems =", "staff.keyed: the items are the members of one object"),
        ("query =", "json = { a = '{each/x}' }, query =", "`{each}` has a meaning only next to `@each`"),
        ("query =", "json = { a = { '@each' = 1 } }, query =", "@each: expected a place"),
        (
            "\"/person/names/formatted\"",
            "\"/person/names\" = \"/x\"\n\"/person/names/formatted\"",
            "/person/names/formatted",
        ),
        ("id = \"/id\"", "id = \"/id\"\ndeleted = \"never\"", "expected \"always\""),
        (
            "from = \"/name\", required = true",
            "from = \"/name\", text = \"{/name}\"",
            "exactly one of `from`, `text`, `value` and `each`",
        ),
        ("\"{config/base_url}\"", "\"{now}\"", "api.base"),
    ] {
        let found = wrong(from, to);
        assert!(found.contains(expected), "{to}: {found}");
    }
}

#[test]
fn a_field_that_the_schema_needs_must_be_mapped_and_is_required_of_the_vendor() {
    let text = "[api]\nbase = \"{config/base_url}\"\n[streams.s]\nrequest = { path = '/s' }\n[[streams.s.records]]\nentity = \"org_unit\"\nid = \"/id\"\nfields = { \"/name\" = { from = \"/name\", as = \"localized\", lang = \"en\" } }\n";
    let found = told(&read(text, None).unwrap_err());
    assert!(found.starts_with("5:1: streams.s.records.0: org_unit needs `/kind`"), "{found}");
    let good = text.replace("id = \"/id\"", "id = \"/id\"\nset = { \"/kind\" = { code = \"TEAM\" } }");
    let embedded = String::from_utf8(read(&good, None).unwrap().embedded).unwrap();
    assert!(embedded.contains("\"required\":true"), "{embedded}");
}

#[test]
fn lineage_is_derived_from_the_fields() {
    let text = staff(STREAM).replace(
        "required = true }",
        "required = true }\n\"/work/status\" = { from = \"/state\", as = \"code\", map = {} }\n\"/person/emails\" = { each = \"/mails\", fields = { \"/address\" = \"/v\" } }",
    );
    let lineage = read(&text, None).unwrap().lineage;
    for line in [
        "[lineage.employee]",
        "\"/person/names/formatted\" = \"/name\"",
        "\"/work/status\" = { from = \"/state\", transform = \"coded; the raw text is kept\" }",
        "\"/person/emails/*/address\" = \"/mails/*/v\"",
    ] {
        assert!(lineage.contains(line), "{line} is not in\n{lineage}");
    }
}

const MANIFEST: &str = "name = \"a\"\nversion = \"1.0.0\"\ndescription = \"\"\ncontract = \"0.2.0\"\n[slots.key]\ndescription = \"\"\nauth = { type = \"basic\" }\n[streams.staff]\ndescription = \"\"\nentities = [\"employee\"]\n";

#[test]
fn the_mapping_and_plugin_toml_must_say_the_same() {
    let manifest = |text: &str| Manifest::parse(text).unwrap();
    let good = staff(STREAM);
    assert!(read(&good, Some(&manifest(MANIFEST))).is_ok());
    for (text, other, expected) in [
        (good.clone(), MANIFEST.replace("streams.staff", "streams.people"), "plugin.toml names the stream `people`"),
        (good.clone(), MANIFEST.replace("employee", "person"), "plugin.toml does not name `employee`"),
        (good.replacen("[api]", "[api]\nslot = \"kee\"", 1), MANIFEST.to_owned(), "did you mean `key`?"),
        (good.clone(), MANIFEST.to_owned() + "[lineage.employee]\n\"/number\" = \"/n\"\n", "take it out there"),
        (good.clone(), MANIFEST.to_owned() + "[actions.\"a.b\"]\ndescription = \"\"\n", "the action `a.b`"),
    ] {
        let found = told(&read(&text, Some(&manifest(&other))).unwrap_err());
        assert!(found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn the_slot_of_a_pseudonym_is_one_of_plugin_toml_that_is_sealed_for_signing() {
    let id = |slot: &str| staff(STREAM).replace("id = \"/id\"", &format!("id = \"{{/id | pseudonym '{slot}'}}\""));
    let sealed = |used: &str| {
        let seal = format!("seal = {{ scheme = \"hmac-sha256\", use = \"{used}\" }}");
        Manifest::parse(&format!("{MANIFEST}[slots.names]\ndescription = \"\"\n{seal}\n")).unwrap()
    };
    assert!(read(&id("names"), Some(&sealed("sign"))).is_ok());
    let unknown = told(&read(&id("nams"), Some(&sealed("sign"))).unwrap_err());
    assert!(unknown.contains("streams.staff: ") && unknown.contains("did you mean `names`?"), "{unknown}");
    for (slot, used) in [("names", "verify"), ("key", "sign")] {
        let found = told(&read(&id(slot), Some(&sealed(used))).unwrap_err());
        assert!(found.contains(&format!("`pseudonym '{slot}'` needs the slot to be sealed")), "{found}");
    }
}

#[test]
fn words_that_a_map_or_a_constant_leads_to_must_be_words_of_the_field() {
    let field = |source: &str| format!("from = \"/name\", required = true }}\n\"/work/status\" = {source}");
    let own = "from = \"/name\", required = true }";
    for (source, expected) in [
        (
            "{ from = \"/s\", as = \"code\", map = { a = \"ACTVE\" } }",
            "fields./work/status.map.a: unknown word of this field `ACTVE`; did you mean `ACTIVE`?",
        ),
        (
            "{ from = \"/s\", as = \"code\", map = {}, default = { code = \"LEAV\" } }",
            "default.code: unknown word of this field `LEAV`; did you mean `LEAVE`?",
        ),
        (
            "[{ value = { code = \"RETIRD\" }, when = { \"/r\" = 1 } }, { value = { code = \"ACTIVE\" } }]",
            "status.0.value.code: unknown word of this field `RETIRD`; did you mean `RETIRED`?",
        ),
        ("\"/s\"", "a coded field: write as = \"code\""),
        ("{ from = \"/s\", as = \"choice\", map = {} }", "a coded field: write as = \"code\""),
    ] {
        let found = wrong(own, &field(source));
        assert!(found.contains(expected), "{source}: {found}");
    }
    let found = wrong("required = true", "required = true, as = \"code\", map = {}");
    assert!(found.contains("this field is not coded"), "{found}");
    let shared =
        wrong(own, &field("{ from = \"/s\", as = \"code\", map = \"states\" }\n[maps]\nstates = { x = \"LEAV\" }"));
    assert!(shared.contains("[maps] states, `x`: unknown word of this field `LEAV`"), "{shared}");
    let closed =
        staff(STREAM).replace("id = \"/id\"", "id = \"/id\"\nset = { \"/work/status\" = { code = \"ACTIV\" } }");
    assert!(told(&read(&closed, None).unwrap_err()).contains("set./work/status.code: unknown word"), "{closed}");
}

#[test]
fn keys_of_the_configuration_and_of_an_input_must_be_those_of_plugin_toml_where_it_has_all() {
    let open = MANIFEST.to_owned();
    let closed = open.clone()
        + "[config_schema]\ntype = \"object\"\nadditionalProperties = false\nproperties = { base_url = { type = \"string\" }, unit = { type = \"string\" } }\n";
    let manifest = |text: &str| Manifest::parse(text).unwrap();
    let bad = staff(STREAM).replace("{config/unit}", "{config/unti}");
    assert!(read(&bad, Some(&manifest(&open))).is_ok(), "nothing says which keys there are");
    assert!(read(&staff(STREAM), Some(&manifest(&closed))).is_ok());
    let found = told(&read(&bad, Some(&manifest(&closed))).unwrap_err());
    assert!(
        found.contains(
            "streams.staff.request.path: unknown key of config_schema in plugin.toml `unti`; did you mean `unit`?"
        ),
        "{found}"
    );
}

#[test]
fn what_works_and_was_hardly_meant_so_is_a_warning_with_its_line() {
    let warned = |text: &str, manifest: &str| {
        let checked =
            read(text, Some(&Manifest::parse(manifest).unwrap())).unwrap_or_else(|wrong| panic!("{}", told(&wrong)));
        told(&checked.warnings)
    };
    let token = STREAM.replace("limit = '{page/size}'", "limit = '{page/size}', cursor = '{page/token}'");
    assert_eq!(warned(&staff(&token), MANIFEST), "");
    let explicit = MANIFEST.replace("entities = [\"employee\"]", "entities = [\"employee\"]\ndeletes = \"explicit\"");
    let diff = explicit.replace("explicit", "diff");
    let changes = format!("{token}\nchanges = {{ by = 'time', modified = '/at' }}");
    for (text, manifest, expected) in [
        (staff(STREAM), MANIFEST, "7:1: streams.staff.paging: the request has no {page/token}"),
        (staff(&changes), MANIFEST, "the request has no {since}"),
        (staff(&token), explicit.as_str(), "no record has `deleted`"),
        (
            staff(&token).replace("id = \"/id\"", "id = \"/id\"\ndeleted = { \"/gone\" = true }"),
            MANIFEST,
            "write deletes = \"explicit\"",
        ),
        (staff(&changes), diff.as_str(), "lists that are read whole"),
        (staff(&token) + "\n[maps]\nidle = { a = \"B\" }\n", MANIFEST, "maps.idle: no field names this map"),
    ] {
        let found = warned(&text, manifest);
        assert!(found.contains(expected), "{expected}: {found}");
    }
}
