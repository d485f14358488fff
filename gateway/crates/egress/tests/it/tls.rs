//! Certificates that do not convince: nothing is sent, and plain http is never tried instead.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{CertificateParams, KeyPair};
use renmen_egress::{Connection, Egress, EgressError, EgressOptions, NoTape};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Vendor, get, ok, options, raw, read_request, spec};

/// A vendor that speaks TLS; its certificate as PEM, and how many requests came through.
async fn vendor(names: &[&str], expired: bool) -> (SocketAddr, String, Arc<AtomicUsize>) {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if read_request(&mut stream).await.is_some() {
                counted.fetch_add(1, Ordering::SeqCst);
                stream.write_all(&raw(200, "connection: close\r\n", b"{}")).await.unwrap();
                stream.shutdown().await.unwrap_or_default();
            }
        }
    });
    (address, certificate.pem(), requests)
}

fn trusting(pem: &str, address: SocketAddr) -> Arc<Connection> {
    let egress = Egress::with(EgressOptions { extra_roots_pem: pem.into(), ..options() }).unwrap();
    egress.connect(spec(&[format!("https://{address}"), format!("http://{address}")])).unwrap()
}

async fn refused(connection: &Connection, address: SocketAddr) -> String {
    let error = connection.send(get(format!("https://{address}/")), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::Unavailable(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_trusted_certificate_is_accepted() {
    let (address, pem, requests) = vendor(&["127.0.0.1"], false).await;
    let exchange = trusting(&pem, address).send(get(format!("https://{address}/")), &NoTape).await.unwrap();
    assert_eq!((exchange.response.status, requests.load(Ordering::SeqCst)), (200, 1));
}

#[tokio::test]
async fn self_signed_wrong_host_and_expired_certificates_are_refused_f06() {
    let (address, _, requests) = vendor(&["127.0.0.1"], false).await;
    assert!(refused(&trusting("", address), address).await.contains("certificate"));
    assert_eq!(requests.load(Ordering::SeqCst), 0);

    let (address, pem, requests) = vendor(&["elsewhere.test"], false).await;
    assert!(refused(&trusting(&pem, address), address).await.contains("certificate"));
    assert_eq!(requests.load(Ordering::SeqCst), 0);

    let (address, pem, requests) = vendor(&["127.0.0.1"], true).await;
    assert!(refused(&trusting(&pem, address), address).await.contains("certificate"));
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_host_without_tls_gets_no_plain_request_instead_f06() {
    let plain = Vendor::start(vec![ok("{}")]).await;
    // A TLS greeting is not HTTP: a `Vendor` would wait for the rest of a head that never comes, so a listener that
    // hangs up takes its place.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let bytes = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut first = [0; 1];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first).await.unwrap();
            bytes.lock().push(first[0]);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap_or_default();
        }
    });
    refused(&trusting("", address), address).await;
    // 22: a TLS handshake record (RFC 8446, 5.1). Nothing else was ever said.
    assert!(!seen.lock().is_empty() && seen.lock().iter().all(|byte| *byte == 22));
    assert_eq!(plain.connected(), 0);
}

#[test]
fn an_extra_root_that_is_no_certificate_is_refused() {
    let options = EgressOptions {
        extra_roots_pem: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        ..options()
    };
    assert!(matches!(Egress::with(options), Err(EgressError::BadRequest(_))));
}
