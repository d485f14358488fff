//! The process-wide part: TLS roots, the resolver and the tokens that connections share, and how a connection is made.
//! Each connection has its own pool, so that no tenant's request travels on another's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::SlotName;
use renmen_schema::manifest::{AuthRecipe, Placement};
use renmen_turns::Account;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::budget::{Budget, BudgetBook, ClockMs};
use crate::connection::{Connection, Parts};
use crate::credential::{Recipe, Slot};
use crate::drop_directory::DropDirectory;
use crate::grant::Grant;
use crate::memory::MemoryBudget;
use crate::parallel::{ParallelBook, SharedPlaces};
use crate::rate::{PaceBook, SharedRate};
use crate::recipe::SignedRecipe;
use crate::redactor::Redactor;
use crate::resolve::{AddressBook, Lookup, SystemLookup};
use crate::retry::Retry;
use crate::seal::Seal;
use crate::secrecy::{SECRET_BYTES_MIN, parts};
use crate::token::{RefreshTokens, SlotOf, Surroundings, TokenCache, TokenEndpoint, Unkept};
use crate::{ConnectionSpec, EgressError, LineBudget, SlotSpec};

/// The longest wait for a connection to be made; a shorter `request_timeout` goes before.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Shorter than what servers and gateways usually keep, so that a request seldom meets a connection that was just closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// What may be set for the whole process.
#[derive(Clone)]
pub struct EgressOptions {
    /// Names to addresses. Every address it gives is checked.
    pub lookup: Arc<dyn Lookup>,
    /// Certificates (PEM, several may follow each other) that are trusted besides the system's: a company's own CA.
    pub extra_roots_pem: Vec<u8>,
    /// The longest first pause before a request is tried again; it doubles with each attempt.
    pub backoff: Duration,
    /// A file of a drop directory that was changed within this time is still being written and not listed.
    pub settle: Duration,
    /// Files of a drop directory that are listed; more are an error.
    pub drop_files_max: usize,
    /// The memory of the process that connections share.
    pub memory: MemoryBudget,
    /// By which months begin and end.
    pub clock: ClockMs,
    /// Where the rates are kept together of vendors that several gateways send to. None: this process alone sends.
    pub shared_rate: Option<Arc<dyn SharedRate>>,
    /// The same for the requests that are under way.
    pub shared_places: Option<Arc<dyn SharedPlaces>>,
    /// Where refresh tokens are kept that change with each use. None: connections with such a slot are refused.
    pub refresh_tokens: Option<Arc<dyn RefreshTokens>>,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            lookup: Arc::new(SystemLookup),
            extra_roots_pem: Vec::new(),
            backoff: Duration::from_millis(250),
            settle: Duration::from_millis(500),
            drop_files_max: 10_000,
            memory: MemoryBudget::default(),
            clock: Arc::new(renmen_clock::now_ms),
            shared_rate: None,
            shared_places: None,
            refresh_tokens: None,
        }
    }
}

impl fmt::Debug for EgressOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressOptions")
            .field("backoff", &self.backoff)
            .field("settle", &self.settle)
            .finish_non_exhaustive()
    }
}

/// The process-wide client: TLS, name resolution, tokens.
pub struct Egress {
    options: EgressOptions,
    tls: rustls::ClientConfig,
    /// The same, without HTTP/2: a WebSocket begins as HTTP/1.1.
    socket_tls: Arc<rustls::ClientConfig>,
    /// The same, for what is not HTTP.
    plain_tls: Arc<rustls::ClientConfig>,
    tokens: TokenCache,
    /// Refresh tokens that could not be kept yet.
    unkept: Arc<Unkept>,
    budgets: BudgetBook,
    paces: PaceBook,
    parallels: ParallelBook,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Egress {
    /// With the system's certificates and resolver.
    ///
    /// # Errors
    /// As [`Egress::with`].
    pub fn new() -> Result<Arc<Self>, EgressError> {
        Self::with(EgressOptions::default())
    }

    /// A client with these options.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] when an extra root is not a certificate.
    pub fn with(options: EgressOptions) -> Result<Arc<Self>, EgressError> {
        let tls = tls_config(&options.extra_roots_pem)?;
        let mut socket_tls = tls.clone();
        socket_tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut plain_tls = tls.clone();
        plain_tls.alpn_protocols = Vec::new();
        let (tokens, budgets, paces) = (TokenCache::default(), BudgetBook::default(), PaceBook::default());
        let parallels = ParallelBook::default();
        let (socket_tls, plain_tls) = (Arc::new(socket_tls), Arc::new(plain_tls));
        let unkept = Arc::default();
        Ok(Arc::new(Self { options, tls, socket_tls, plain_tls, tokens, unkept, budgets, paces, parallels }))
    }

    /// Checks the grant, the audience and the recipes before anything is sent.
    ///
    /// # Errors
    /// [`EgressError::BadRequest`] for a pattern, rate or token URL that cannot be read; [`EgressError::NotGranted`] for a token
    /// endpoint that the operator does not allow, and for a secret that stands in two slots which may not share one;
    /// [`EgressError::Auth`] for a sealed secret of the wrong form. The text names the key and the fix.
    pub fn connect(self: &Arc<Self>, spec: ConnectionSpec) -> Result<Arc<Connection>, EgressError> {
        let mut grant = Grant::new(&spec.wish, &spec.grant, &spec.config)?;
        let mut slots = BTreeMap::new();
        let mut reserved: Vec<Placement> = Vec::new();
        for (name, slot) in &spec.slots {
            reserved.extend(slot.auth.iter().flat_map(AuthRecipe::places));
            slots.insert(name.clone(), self.slot(&spec, name, slot, &mut grant)?);
        }
        let addresses = AddressBook::new(self.options.lookup.clone(), spec.grant.addresses.clone());
        let key = || (spec.tenant.clone(), spec.connection.clone());
        let pace = spec
            .limits
            .rate
            .map(|rate| self.paces.open(key(), (rate, spec.limits.request_timeout), self.options.shared_rate.as_ref()));
        let pace = pace.transpose()?;
        let budget = spec.limits.budget.as_ref();
        let budget = budget.map(|rule| self.budgets.open(key(), rule, &self.options.clock)).transpose()?;
        let parallel = self.parallels.open(key(), spec.limits.parallel_max, self.options.shared_places.as_ref());
        let drop_directory = spec.grant.drop.clone().map(|path| {
            DropDirectory::new(path, self.options.settle, self.options.drop_files_max, spec.limits.response_bytes_max)
        });
        let retry = Retry {
            retries_max: spec.limits.retries_max,
            wait_max: spec.limits.retry_wait_max,
            backoff: self.options.backoff,
            headers: spec.wish.retry_headers.clone(),
        };
        let seal = Seal::new(&spec.slots, spec.limits.request_bytes_max)?;
        Ok(Arc::new(Connection::new(Parts {
            client: self.http_client(&spec, &addresses)?,
            redactor: Arc::new(redactor(&spec)?),
            memory: self.options.memory.share(&spec.tenant, spec.connection.as_str()),
            guest_lines: LineBudget::new(spec.limits.logs.lines_per_minute),
            refusal_lines: LineBudget::new(spec.limits.logs.refusals_per_minute),
            seal,
            tenant: spec.tenant,
            name: spec.connection,
            limits: spec.limits,
            grant,
            slots,
            reserved,
            addresses,
            pace,
            parallel,
            budget,
            retry,
            drop_directory,
            operator: spec.grant,
            clock: Arc::clone(&self.options.clock),
            config: spec.config,
            socket_tls: Arc::clone(&self.socket_tls),
        })))
    }

    /// The month's budget of each connection that has one.
    #[must_use]
    pub fn budgets(&self) -> Vec<Arc<Budget>> {
        self.budgets.all()
    }

    pub(crate) fn lookup(&self) -> Arc<dyn Lookup> {
        self.options.lookup.clone()
    }

    pub(crate) fn plain_tls(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(&self.plain_tls)
    }

    pub(crate) fn extra_roots_pem(&self) -> &[u8] {
        &self.options.extra_roots_pem
    }

    fn slot(
        &self,
        spec: &ConnectionSpec,
        name: &SlotName,
        slot: &SlotSpec,
        grant: &mut Grant,
    ) -> Result<Slot, EgressError> {
        let read = |what: &str, patterns: &[String]| {
            renmen_origin::read_all(patterns, &spec.config)
                .map_err(|why| EgressError::BadRequest(format!("{what} of slot `{name}`: {why}")))
        };
        // Nothing, where no pattern of it can be read: the operator named origins, and this connection has none of them.
        let to = slot.to.as_deref().map(|to| read("`to`", to)).transpose()?;
        let audience = read("audience", &slot.audience)?;
        if audience.is_empty() && !slot.audience.is_empty() {
            // All its patterns name configuration keys that are not set; an empty audience would mean any host.
            return Err(EgressError::BadRequest(format!(
                "audience of slot `{name}`: set one of the configuration keys {:?}",
                slot.audience
            )));
        }
        let mut made = Slot { name: name.clone(), secret: slot.secret.clone(), to, audience, recipe: None };
        made.recipe = match &slot.auth {
            Some(recipe) => self.recipe(spec, &made, recipe, grant)?,
            None => None,
        };
        Ok(made)
    }

    fn recipe(
        &self,
        spec: &ConnectionSpec,
        slot: &Slot,
        recipe: &AuthRecipe,
        grant: &mut Grant,
    ) -> Result<Option<Recipe>, EgressError> {
        let place = recipe.places().into_iter().next().unwrap_or_default();
        match recipe {
            AuthRecipe::Static { .. } => return Ok(Some(Recipe::Static(place))),
            AuthRecipe::Basic {} => return Ok(Some(Recipe::Basic)),
            AuthRecipe::Signed { with, headers, query } => {
                return Ok(Some(Recipe::Signed(Box::new(SignedRecipe::of(with, headers, query)?))));
            }
            _ => {}
        }
        // An empty slot needs no endpoint; its configuration may be missing too.
        let Some(secret) = &slot.secret else { return Ok(Some(Recipe::Static(place))) };
        let around = Surroundings {
            slot: SlotOf { tenant: spec.tenant.clone(), connection: spec.connection.clone(), slot: slot.name.clone() },
            config: Arc::new(spec.config.clone()),
            clock: Arc::clone(&self.options.clock),
            keeper: self.options.refresh_tokens.clone(),
            unkept: Arc::clone(&self.unkept),
        };
        let Some(endpoint) = TokenEndpoint::of(recipe, around)? else { return Ok(None) };
        slot.check_destination(&grant.add_token_endpoint(&endpoint.url)?)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(endpoint.url.as_str().as_bytes());
        hasher.update(&[0]);
        hasher.update(format!("{recipe:?}").as_bytes());
        hasher.update(&[0]);
        hasher.update(secret.expose().as_bytes());
        let key = (spec.tenant.clone(), spec.connection.clone(), slot.name.clone());
        let cell = self.tokens.cell(key, *hasher.finalize().as_bytes());
        Ok(Some(Recipe::Token { endpoint: Box::new(endpoint), cell, place }))
    }

    fn http_client(&self, spec: &ConnectionSpec, addresses: &AddressBook) -> Result<reqwest::Client, EgressError> {
        reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A proxy from the environment would resolve names itself, past the address check.
            .no_proxy()
            .referer(false)
            .dns_resolver(addresses.clone())
            .connect_timeout(spec.limits.request_timeout.min(CONNECT_TIMEOUT_MAX))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(spec.limits.parallel_max.max(1) as usize)
            .user_agent(concat!("renmen/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| EgressError::Unavailable("the HTTP client cannot be built".into()))
    }
}

fn redactor(spec: &ConnectionSpec) -> Result<Redactor, EgressError> {
    let mut secrets = BTreeMap::new();
    for (name, slot) in &spec.slots {
        let Some(secret) = &slot.secret else { continue };
        let parts = parts(secret.expose(), slot.auth.as_ref(), &slot.public)
            .map_err(|why| EgressError::BadRequest(format!("slot `{name}`: {why}")))?;
        if parts.too_short > 0 {
            tracing::warn!(
                tenant = %spec.tenant, connection = %spec.connection, slot = %name, members = parts.too_short,
                "A secret is shorter than {SECRET_BYTES_MIN} bytes: requests and responses are not searched for it"
            );
        }
        secrets.insert(name.clone(), parts);
    }
    Redactor::new(secrets, Account::of(spec.connection.as_str()))
}

fn tls_config(extra_roots_pem: &[u8]) -> Result<rustls::ClientConfig, EgressError> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(
            unusable,
            "The system has no trusted certificates: HTTPS works only with certificates configured in the gateway"
        );
    }
    for certificate in CertificateDer::pem_slice_iter(extra_roots_pem) {
        let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        added.ok_or_else(|| {
            EgressError::BadRequest("an extra root certificate cannot be read; it must be PEM".into())
        })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| EgressError::Unavailable(format!("TLS cannot be set up: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
