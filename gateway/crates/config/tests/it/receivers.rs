//! Channels and endpoints: what is taken, and what people are told of mistakes.

use renmen_config::{ChannelKind, EndpointKind, KafkaMode, KafkaSasl, MailSecurity};

use crate::{read, refused};

const MAIL: &str = "[channels.post]\nkind = \"mail\"\nhost = \"smtp.example.com\"\nfrom = \"HR <hr@example.com>\"\n";

const ENDPOINT: &str = "[endpoints.hr]\nurl = \"https://hr.example.com/hooks\"\nentities = [\"employee\"]\nslots.secret = { env = \"HOOK\" }\n";

#[test]
fn a_mail_channel_is_protected_unless_somebody_says_otherwise() {
    let of = |more: &str| {
        let config = read(&format!("{MAIL}{more}"), false).unwrap();
        let channel = config.channels.values().next().unwrap().clone();
        let ChannelKind::Mail(mail) = channel.kind else { panic!() };
        (mail.security, mail.port, mail.recipients_max)
    };
    assert_eq!(of(""), (MailSecurity::StartTls, 587, 50));
    assert_eq!(of("security = \"tls\"\n"), (MailSecurity::Tls, 465, 50));
    assert_eq!(
        of("security = \"plaintext\"\nport = 2525\nrecipients_max = 1000\n"),
        (MailSecurity::Plaintext, 2525, 1000)
    );
}

#[test]
fn a_provider_of_text_messages_is_data() {
    let config = read(
        "[channels.sms]\nkind = \"sms\"\nurl = \"https://sms.example.com/send?to={{ to | urlencode }}\"\nbody = '{\"text\": {{ text | tojson }}}'\n\
         headers = { content-type = \"application/json\" }\nauth = { type = \"basic\" }\nslots.key = { env = \"SMS\" }\nreference = \"/id\"\n\
         success = { status = [200, 202], pointer = \"/code\", values = [\"0\"] }\n\
         status = { url = \"https://sms.example.com/m/{{ reference }}\", pointer = \"/state\", delivered = [\"OK\"] }\n",
        false,
    )
    .unwrap();
    let channel = config.channels.values().next().unwrap();
    let ChannelKind::Sms(sms) = &channel.kind else { panic!() };
    assert_eq!((sms.method.as_str(), sms.success_status.as_slice(), sms.chars_max), ("POST", &[200, 202][..], 300));
    assert_eq!(sms.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert!(sms.auth.is_some() && sms.status.is_some() && channel.slots.len() == 1);
}

#[test]
fn mistakes_in_a_channel_are_told() {
    insta::assert_snapshot!(refused(
        "[channels.a]\nkind = \"fax\"\n\n[channels.b]\nkind = \"mail\"\nhost = \"smtp.example.com:25\"\nfrom = \"HR\"\nsecurity = \"ssl\"\nrecipients_max = 0\n\
         slots.password = { env = \"X\" }\n\n[channels.c]\nkind = \"sms\"\nurl = \"https://{{ to }}.example.com/\"\nauth = { type = \"magic\" }\n\
         success = { pointer = \"/code\" }\nstatus = { url = \"https://a.example/\", pointer = \"/x\" }\n"
    ));
}

#[test]
fn an_endpoint_gets_every_change_and_no_field_unless_it_is_said() {
    let config = read(&format!("{ENDPOINT}fields = {{ employee = [\"/name\"] }}\n"), false).unwrap();
    let endpoint = config.endpoints.values().next().unwrap();
    assert_eq!(endpoint.changes.len(), 3);
    assert_eq!(endpoint.fields["employee"], ["/name"]);
    assert!(read(ENDPOINT, false).unwrap().endpoints.values().next().unwrap().fields.is_empty());
    let rotating = "slots.previous_secret = { vault = \"old\" }\nprevious_until = \"2026-12-01T00:00:00+08:00\"\n";
    let config = read(&format!("{ENDPOINT}{rotating}"), false).unwrap();
    assert_eq!(config.endpoints.values().next().unwrap().previous_until_ms(), Some(1_796_054_400_000));
}

#[test]
fn mistakes_in_an_endpoint_are_told() {
    insta::assert_snapshot!(refused(
        "[endpoints.a]\nurl = \"https://user:hush-hush@hr.example.com/\"\nentities = [\"employe\", \"xyzzy\"]\nchanges = [\"changed\"]\n\n\
         [endpoints.b]\nurl = \"hr.example.com\"\nentities = [\"employee\"]\nfields = { candidate = [\"/name\"], employee = [\"name\"] }\n\
         slots.secret = { env = \"HOOK\" }\nprevious_until = \"tomorrow\"\nprevious_untill = \"x\"\n"
    ));
}

#[test]
fn a_grant_of_a_receiver_says_only_what_counts_there() {
    for (key, value) in [("hosts", "[\"https://a.example\"]"), ("methods", "[\"GET\"]"), ("drop", "\"inbox\"")] {
        for receiver in [MAIL, ENDPOINT] {
            let error = refused(&format!("{receiver}grant = {{ {key} = {value} }}\n"));
            assert!(error.contains(&format!("`{key}` does not count here")), "{error}");
        }
    }
    assert!(read(&format!("{ENDPOINT}grant = {{ plaintext = true, addresses = [\"10.0.0.0/8\"] }}\n"), false).is_ok());
}

#[test]
fn a_name_belongs_to_one_receiver() {
    let error = refused(&format!("{MAIL}{}", ENDPOINT.replace("endpoints.hr", "endpoints.post")));
    assert!(error.contains("connectors.toml:5:") && error.contains("this name is taken"), "{error}");
}

#[test]
fn a_zone_that_is_none_is_told() {
    assert!(refused("[templates]\nzone = \"Asia/Peking\"\n").contains("is not a known time zone"));
    assert!(read("[templates]\ndir = \"texts\"\nzone = \"UTC\"\n", false).is_ok());
}

const KAFKA: &str = "[endpoints.lake]\nkind = \"kafka\"\nbrokers = [\"kafka-1.example.com:9093\", \"[::1]:9092\"]\ntopic = \"renmen.{tenant}.{entity}\"\nentities = [\"employee\"]\n";

#[test]
fn topics_of_a_cluster_are_an_endpoint_with_brokers_instead_of_a_url() {
    let config =
        read(&format!("{KAFKA}sasl = \"scram-sha-256\"\nslots.login = {{ env = \"LOGIN\" }}\n"), false).unwrap();
    let endpoint = config.endpoints.values().next().unwrap();
    let EndpointKind::Kafka(kafka) = &endpoint.kind else { panic!("{endpoint:?}") };
    assert_eq!(kafka.brokers, [("kafka-1.example.com".to_owned(), 9_093), ("::1".to_owned(), 9_092)]);
    assert_eq!((kafka.tls, kafka.sasl, kafka.mode), (true, KafkaSasl::ScramSha256, KafkaMode::Structured));
    assert_eq!(endpoint.url(), "kafka://kafka-1.example.com:9093/renmen.{tenant}.{entity}");
    assert_eq!(endpoint.previous_until_ms(), None);
}

#[test]
fn mistakes_in_topics_of_a_cluster_are_told() {
    for (line, told) in [
        ("kind = \"amqp\"", "is not a kind of endpoint"),
        ("brokers = [\"kafka-1.example.com\"]", "is not `host:port`"),
        ("brokers = [\"user@kafka:9092\"]", "is not `host:port`"),
        ("brokers = [\"kafka:0\"]", "is not `host:port`"),
        ("brokers = []", "it does not name 1 to 20 brokers"),
        ("topic = \"a b\"", "is not a name for a topic"),
        ("topic = \"{flow}\"", "is not a name for a topic"),
        ("topic = \"..\"", "is not a name for a topic"),
        ("security = \"ssl\"", "is not a security mode for a Kafka cluster"),
        ("sasl = \"gssapi\"\nslots.login = { env = \"L\" }", "is not a way to sign in"),
        ("sasl = \"plain\"", "there is no login that it could prove"),
        (
            "sasl = \"plain\"\nsecurity = \"plaintext\"\nslots.login = { env = \"L\" }",
            "would go over the network in clear",
        ),
        ("mode = \"avro\"", "is not a form of an event"),
        ("url = \"https://a.example.com\"", "unknown key"),
        ("slots.secret = { env = \"S\" }", "unknown slot `secret`"),
    ] {
        let key = line.split(' ').next().unwrap();
        let base: String =
            KAFKA.lines().filter(|have| !have.starts_with(key)).map(|have| format!("{have}\n")).collect();
        let error = refused(&format!("{base}{line}\n"));
        assert!(error.contains(told), "{line}: {error}");
    }
    let many: Vec<String> = (0..21).map(|n| format!("\"kafka-{n}:9092\"")).collect();
    let text = KAFKA.replace("\"kafka-1.example.com:9093\", \"[::1]:9092\"", &many.join(", "));
    assert!(refused(&text).contains("it does not name 1 to 20 brokers"));
    assert!(read(&text.replace(", \"kafka-20:9092\"", ""), false).is_ok());
}
