//! Step 7: names to addresses. Owns the look-up and the check of every address; the HTTP stack gets its addresses from here and
//! nowhere else, so that what was checked is what is connected to.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;

use crate::address::refusal;

/// How long checked addresses of a name are used again: long enough for one request's steps and a burst of pages, short
/// enough to follow a vendor that moves.
const CHECKED_FOR: Duration = Duration::from_secs(5);

/// Names remembered at once; the book is emptied when it is full.
const NAMES_MAX: usize = 256;

/// Turns a host name into addresses.
#[async_trait::async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// What the system's resolver says.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Default)]
pub struct SystemLookup;

#[async_trait::async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ResolveError {
    /// At least one address is refused.
    #[error(
        "{host} resolves to {kind} address {address}, which is not allowed; add its range to `grant.addresses` if it is meant"
    )]
    Refused { host: String, address: IpAddr, kind: &'static str },
    /// There is no address.
    #[error("{host} cannot be resolved: {reason}")]
    Unknown { host: String, reason: String },
}

/// The resolver of one connection.
#[derive(Clone)]
pub(crate) struct AddressBook {
    shared: Arc<Shared>,
}

/// When a name was checked, and its addresses.
type Checked = (Instant, Arc<[IpAddr]>);

struct Shared {
    lookup: Arc<dyn Lookup>,
    allowed: Vec<IpNet>,
    checked: Mutex<HashMap<String, Checked>>,
}

impl AddressBook {
    pub(crate) fn new(lookup: Arc<dyn Lookup>, allowed: Vec<IpNet>) -> Self {
        Self { shared: Arc::new(Shared { lookup, allowed, checked: Mutex::default() }) }
    }

    /// The addresses of a host, every one of them checked. An address as host stands for itself.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub(crate) async fn resolve(&self, host: &str) -> Result<Arc<[IpAddr]>, ResolveError> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return self.check(host, vec![address]);
        }
        if let Some((at, known)) = self.shared.checked.lock().get(host)
            && at.elapsed() < CHECKED_FOR
        {
            return Ok(known.clone());
        }
        let unknown = |reason: String| ResolveError::Unknown { host: host.to_owned(), reason };
        let found = self.shared.lookup.addresses(host).await.map_err(|e| unknown(e.to_string()))?;
        if found.is_empty() {
            return Err(unknown("it has no address".into()));
        }
        let checked = self.check(host, found)?;
        let mut book = self.shared.checked.lock();
        if book.len() >= NAMES_MAX {
            book.clear();
        }
        book.insert(host.to_owned(), (Instant::now(), checked.clone()));
        Ok(checked)
    }

    /// One bad address spoils the name: which of them would be connected to is chance.
    fn check(&self, host: &str, found: Vec<IpAddr>) -> Result<Arc<[IpAddr]>, ResolveError> {
        for address in &found {
            if let Some(kind) = refusal(*address, &self.shared.allowed) {
                return Err(ResolveError::Refused { host: host.to_owned(), address: *address, kind });
            }
        }
        Ok(found.into())
    }
}

impl Resolve for AddressBook {
    fn resolve(&self, name: Name) -> Resolving {
        let book = self.clone();
        Box::pin(async move {
            let found = AddressBook::resolve(&book, name.as_str()).await?;
            let sockets: Vec<SocketAddr> = found.iter().map(|address| SocketAddr::new(*address, 0)).collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Answers what the script says, one line a look-up; the last one for ever.
    struct Script(Vec<Vec<&'static str>>, AtomicUsize);

    #[async_trait::async_trait]
    impl Lookup for Script {
        async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            let n = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            Ok(self.0[n].iter().map(|text| text.parse().unwrap()).collect())
        }
    }

    fn book(script: &[&[&'static str]]) -> AddressBook {
        let lines = script.iter().map(|line| line.to_vec()).collect();
        AddressBook::new(Arc::new(Script(lines, AtomicUsize::new(0))), vec![])
    }

    #[tokio::test]
    async fn one_private_address_among_public_ones_spoils_the_name_f13() {
        assert!(book(&[&["8.8.8.8", "8.8.4.4"]]).resolve("a.test").await.is_ok());
        let error = book(&[&["8.8.8.8", "10.0.0.1"]]).resolve("a.test").await.unwrap_err();
        assert!(matches!(error, ResolveError::Refused { kind: "private", .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_turns_private_is_refused_at_the_look_up_that_says_so_f13() {
        let book = book(&[&["8.8.8.8"], &["127.0.0.1"]]);
        assert!(book.resolve("a.test").await.is_ok());
        // Within the time the first answer stands, and it is the one that the HTTP stack connects to.
        let again = Resolve::resolve(&book, "a.test".parse().unwrap()).await.unwrap();
        assert_eq!(again.map(|a| a.ip().to_string()).collect::<Vec<_>>(), ["8.8.8.8"]);
        tokio::time::advance(CHECKED_FOR).await;
        assert!(book.resolve("a.test").await.is_err());
        assert!(Resolve::resolve(&book, "a.test".parse().unwrap()).await.is_err());
    }

    #[tokio::test]
    async fn an_address_is_no_way_around_the_check_f13() {
        let book = book(&[&["8.8.8.8"]]);
        for host in ["127.0.0.1", "[::1]", "[::ffff:a00:1]"] {
            assert!(matches!(book.resolve(host).await, Err(ResolveError::Refused { .. })), "{host}");
        }
        assert!(book.resolve("[2606:4700::1111]").await.is_ok());
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_unknown() {
        assert!(matches!(book(&[&[]]).resolve("a.test").await, Err(ResolveError::Unknown { .. })));
    }
}
