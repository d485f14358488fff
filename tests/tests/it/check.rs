//! `renmen check`: what the plugin and the vault refuse is told at its line, all at once; places that flows send to
//! are reached; types of expressions are known before anything changes.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::harness::{Home, plugin, said};
use crate::staff::{config, staff};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plugin_and_the_vault_refuse_is_told_at_once_each_at_its_line() {
    let text = format!(
        "[connections.interview]\nplugin = \"{}\"\nconfig = {{ base_uri = \"http://127.0.0.1:9/v1\" }}\n\
         grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\nslots.key = {{ env = \"NOT_SET_ANYWHERE\" }}\n\
         slots.other = {{ env = \"NOT_SET_EITHER\" }}\nstreams.nothing = {{ manual = true }}\n",
        plugin("interview-vendor").display()
    );
    let home = Home::new(&text);
    for arguments in [&["check", "--dev"][..], &["check", "interview", "--dev"], &["sync", "--dev"]] {
        let output = home.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let told = said(&output);
        for part in [
            "connectors.toml:3:",
            "key: connections.interview.config",
            "base_uri",
            "connectors.toml:5:",
            "NOT_SET_ANYWHERE is not set",
            "connectors.toml:6:",
            "has no slot `other`",
            "connectors.toml:7:",
            "has no stream `nothing`",
        ] {
            assert!(told.contains(part), "{arguments:?}: {part}: {told}");
        }
    }
    let missing = Home::new(&config("http://127.0.0.1:9", "staff-api").replace("staff-api.wasm", "staff-apy.wasm"));
    let told = said(&missing.run(&["check", "--dev"]).await);
    assert!(told.contains("key: connections.staff.plugin") && told.contains("connectors.toml:3:"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_compares_a_text_with_a_number_is_refused_with_line_and_caret() {
    let (_source, home) = staff(3).await;
    let text = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let flow = |condition: &str| {
        format!(
            "{text}[flows.low]\nwhen = {{ entity = \"performance_review\", if = \"{condition}\" }}\n\
             map = {{ a = \"change.id\" }}\nto = {{ connection = \"desk\", action = \"note.put\" }}\n"
        )
    };
    home.configure(&flow("record.rating.value < 60"));
    let refused = home.run(&["check", "--dev"]).await;
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("`record.rating.value` is a text and `60` is a number"), "{told}");
    assert!(told.contains("double(record.rating.value)") && told.contains("key: flows.low.when.if"), "{told}");
    assert!(told.contains("^") && told.contains("connectors.toml:"), "{told}");
    home.configure(&flow("double(record.rating.value) < 60.0"));
    let told = said(&home.run(&["check", "--dev"]).await);
    assert!(!told.contains("is a text") && told.contains("desk"), "what is left is that there is no `desk`: {told}");
}

/// A mail server that takes a session and counts mails.
async fn mail_server() -> (u16, tokio::task::JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mail.test ready\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.to_ascii_uppercase().starts_with("MAIL") {
                return true;
            }
            let quits = line.to_ascii_uppercase().starts_with("QUIT");
            let answer: &[u8] = if quits { b"221 bye\r\n" } else { b"250 mail.test\r\n" };
            write.write_all(answer).await.unwrap();
            if quits {
                break;
            }
        }
        false
    });
    (port, served)
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_and_endpoints_are_reached_and_nothing_is_sent() {
    let (_source, home) = staff(3).await;
    let (port, served) = mail_server().await;
    let text = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let channel = |name: &str, port: u16| {
        format!(
            "[channels.{name}]\nkind = \"mail\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"plaintext\"\nfrom = \"hr@example.com\"\n\
             grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n"
        )
    };
    home.configure(&format!("{text}{}", channel("mail", port)));
    let checked = home.run(&["check", "--dev"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    assert!(said(&checked).contains("takes a session; no mail was sent"), "{}", said(&checked));
    assert!(!served.await.unwrap(), "no mail");
    home.configure(&format!("{text}{}", channel("mail", 9)));
    let away = home.run(&["check", "--dev"]).await;
    assert_eq!(away.status.code(), Some(1), "{}", said(&away));
    assert!(said(&away).contains("FAILED") && said(&away).contains("connecting to the mail server"), "{}", said(&away));
    // One connection alone was asked about: the rest is not looked at.
    assert!(home.run(&["check", "staff", "--dev"]).await.status.success());
}
