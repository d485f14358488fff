//! What a connector was not given, it cannot reach: listeners count what arrives.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use renmen_egress::{Egress, EgressError, EgressOptions, Lookup, NoTape};

use crate::support::{Vendor, connect, get, ok, options, reply, spec};

/// One answer a look-up, the last one for ever.
struct Names(Vec<&'static str>, AtomicUsize);

#[async_trait::async_trait]
impl Lookup for Names {
    async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let n = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        Ok(vec![self.0[n].parse().unwrap()])
    }
}

fn egress(names: &[&'static str]) -> Arc<Egress> {
    Egress::with(EgressOptions { lookup: Arc::new(Names(names.to_vec(), AtomicUsize::new(0))), ..options() }).unwrap()
}

#[tokio::test]
async fn no_writing_of_a_private_address_gets_a_packet_through_f13() {
    let v4 = Vendor::start(vec![ok("{}")]).await;
    let port = v4.address.port();
    let v6 = Vendor::at(&format!("[::1]:{port}"), vec![ok("{}")]).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fc00::1]",
        "[fe80::1]",
        "127.0.0.1.",
    ] {
        let url = format!("http://{host}:{port}/");
        let mut spec = spec(&[format!("http://{host}:{port}")]);
        spec.grant.addresses.clear();
        // The real resolver: `localhost` must be looked up to be known as loopback.
        let error = connect(spec).send(get(&url), &NoTape).await.unwrap_err();
        assert!(matches!(error, EgressError::NotGranted(_)), "{url}: {error}");
    }
    assert_eq!((v4.connected(), v6.connected()), (0, 0));
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused_unless_the_operator_means_it_f13() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let origin = format!("http://intranet.test:{}", vendor.address.port());
    let mut closed = spec(std::slice::from_ref(&origin));
    closed.grant.addresses.clear();
    let error = egress(&["127.0.0.1"]).connect(closed).unwrap().send(get(&origin), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("loopback")), "{error}");
    assert_eq!(vendor.connected(), 0);
    let open = egress(&["127.0.0.1"]).connect(spec(std::slice::from_ref(&origin))).unwrap();
    assert!(open.send(get(&origin), &NoTape).await.is_ok());
}

#[tokio::test]
async fn the_connection_is_made_to_the_address_that_was_checked_f13() {
    let checked = Vendor::start(vec![ok("{}")]).await;
    let port = checked.address.port();
    let turned = Vendor::at(&format!("127.0.0.2:{port}"), vec![ok("{}")]).await;
    let origin = format!("http://moving.test:{port}");
    let mut spec = spec(std::slice::from_ref(&origin));
    spec.grant.addresses = vec!["127.0.0.1/32".parse().unwrap()];
    let connection = egress(&["127.0.0.1", "127.0.0.2"]).connect(spec).unwrap();
    assert!(connection.send(get(&origin), &NoTape).await.is_ok());
    assert_eq!((checked.connected(), turned.connected()), (1, 0));
}

#[tokio::test]
async fn redirects_user_parts_other_ports_and_downgrades_lead_nowhere_f13() {
    let inside = Vendor::start(vec![ok("{}")]).await;
    let vendor = Vendor::start(vec![reply(302, &format!("location: {}\r\n", inside.url("/")), "")]).await;
    let connection = connect(spec(&[vendor.url("")]));
    let at = inside.address;
    for url in [
        vendor.url("/"),
        format!("http://{}@{at}/", vendor.address),
        format!("http://user:pass@{}/", vendor.address),
        inside.url("/"),
        format!("https://{at}/"),
        format!("http://{}\\@{at}/", vendor.address),
        format!("ftp://{at}/"),
        "file:///etc/passwd".into(),
    ] {
        let error = connection.send(get(&url), &NoTape).await.unwrap_err();
        let expected = matches!(error, EgressError::NotGranted(_) | EgressError::BadRequest(_));
        assert!(expected, "{url}: {error}");
    }
    assert_eq!(inside.connected(), 0);
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_is_unavailable_f06() {
    struct Nothing;
    #[async_trait::async_trait]
    impl Lookup for Nothing {
        async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Err(io::Error::other("no such name"))
        }
    }
    let egress = Egress::with(EgressOptions { lookup: Arc::new(Nothing), ..options() }).unwrap();
    let connection = egress.connect(spec(&["http://gone.test".into()])).unwrap();
    let error = connection.send(get("http://gone.test/"), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::Unavailable(why) if why.contains("gone.test")), "{error}");
}
