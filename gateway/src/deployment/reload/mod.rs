//! Another configuration in the place of the one that is in use, while the gateway runs: read, checked as a start checks it, and put
//! in place whole or not at all. What a run or an attempt under way began with, it ends with.
//!
//! A start goes on without a connection that cannot be loaded. A reload does not: it was well before, so what was meant is something
//! else. Only a connection that is off already may stay so.

mod difference;
mod draft;
mod state;

use std::sync::Arc;

use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};

use super::engine::Current;
use super::interviews::LoopBasis;
use super::secrets::SecretsPrint;
use super::{Deployment, Running, budgets, loading, now_ms};
pub(crate) use difference::{Difference, Names};
use draft::{Code, Draft};
pub(crate) use state::ConfigurationState;
pub(super) use state::Reloading;

impl Running {
    /// Reads the file again, with the secrets that it names and the plugins, and puts it in the place of what is in use. One at a time.
    ///
    /// # Errors
    /// What is wrong with the file, with its lines. What was in use stays.
    pub(crate) async fn reload(&self) -> anyhow::Result<Difference> {
        let _turn = self.reloading.turn().await;
        let stamp = self.reloading.stamp_now();
        match self.try_reload().await {
            Ok((difference, secrets)) => {
                self.reloading.took(stamp, now_ms(), &difference, secrets);
                tracing::info!(
                    connections = %difference.connections, channels = %difference.channels,
                    endpoints = %difference.endpoints, flows = %difference.flows, "Configuration reloaded"
                );
                if !difference.needs_restart.is_empty() {
                    let keys = difference.needs_restart.join(", ");
                    tracing::warn!(
                        keys,
                        "Restart the gateway for these keys of the configuration; until then their former values count"
                    );
                }
                Ok(difference)
            }
            Err(error) => {
                self.reloading.refused(Text::rendered(|| format!("{error:#}")));
                tracing::error!(error = %format!("{error:#}"), "The configuration was not reloaded; the former one stays in use");
                Err(error)
            }
        }
    }

    /// Takes the secrets of the vault as they are now, where any that the configuration in use names differs. False: none does. What a run
    /// or an attempt under way began with, it ends with.
    ///
    /// # Errors
    /// What is wrong with the vault. The former secrets stay in use.
    pub(crate) async fn take_secrets(&self) -> anyhow::Result<bool> {
        let _turn = self.reloading.turn().await;
        if self.reloading.sees_password(self.current().deployment.password_print()) {
            tracing::warn!(
                "The vault holds another password for the database (`store.password`); the one in use was read when this gateway was \
                 started. Restart it"
            );
        }
        let ended = self.try_take_secrets().await;
        match &ended {
            Ok(Some(secrets)) => {
                self.reloading.took_secrets(Some(*secrets), now_ms());
                tracing::info!("Secrets of the vault changed; they are in use from now on");
            }
            Ok(None) => self.reloading.secrets_are_in_use(),
            Err(error) => {
                let why = format!("{error:#}");
                if self.reloading.refused_secrets(Text::rendered(|| why.clone())) {
                    tracing::error!(error = %why, "The vault changed and cannot be used; the former secrets stay in use");
                }
            }
        }
        ended.map(|taken| taken.is_some())
    }

    async fn try_take_secrets(&self) -> anyhow::Result<Option<SecretsPrint>> {
        let before = self.current();
        let secrets = before.deployment.secrets_print()?;
        if self.reloading.uses(secrets) {
            return Ok(None);
        }
        let deployment = Deployment { config: before.deployment.config.clone() };
        let draft = Draft::make(self, &before, deployment, Code::InUse).await?;
        self.put_in_place(draft).await?;
        Ok(Some(secrets))
    }

    async fn try_reload(&self) -> anyhow::Result<(Difference, Option<SecretsPrint>)> {
        let before = self.current();
        let (deployment, mut needs_restart) = before.deployment.read_again()?;
        let known = self.egress.budgets();
        let secrets = deployment.secrets_print().ok();
        let draft = Draft::make(self, &before, deployment, Code::OfFiles).await?;
        // Which interviews are acted on can follow from which connections there are.
        let is_other_loop = LoopBasis::of(&draft.deployment, &draft.runtimes()) != self.loop_basis;
        if is_other_loop && !needs_restart.iter().any(|key| key == "interview") {
            needs_restart.push("interview".to_owned());
        }
        budgets::load_new(&self.egress, &known, &*self.store).await?;
        let difference = Difference::of(&before.deployment.config, &draft.deployment.config, needs_restart);
        self.put_in_place(draft).await?;
        Ok((difference, secrets))
    }

    /// From here on nothing is refused any more.
    async fn put_in_place(&self, draft: Draft) -> anyhow::Result<()> {
        let Draft { deployment, connections, off, reaches, mut catalogues } = draft;
        for (name, connection) in &deployment.config.connections {
            self.store.set_quota(&connection.tenant, name, loading::quota(&connection.limits));
        }
        let names = deployment.endpoint_names();
        let tenants = deployment.tenants();
        let registry = self.endpoints.get();
        for ((tenant, name), entry) in registry.map(|registry| registry.destinations()).unwrap_or_default() {
            let key = (tenant.clone(), name.clone());
            if !names.taken.contains(&key) && !names.configured.contains_key(&key) {
                catalogues.entry(tenant).or_default().add(name, entry);
            }
        }
        let runtimes = connections.into_iter().map(draft::LoadedConnection::put_in_place).collect::<Vec<_>>();
        let current = Arc::new(Current { deployment, off, reaches });
        self.current.store(Arc::clone(&current));
        self.engine.replace_connections(runtimes);
        if let Some(registry) = registry {
            registry.replace_names(names);
        }
        self.flows.replace_catalogues(catalogues);
        current.deployment.register_flows(&self.flows).await?;
        if let Some(registry) = registry {
            registry.load(&tenants).await?;
        }
        Ok(())
    }

    /// How the configuration in use stands to its file.
    pub(crate) fn configuration_state(&self) -> ConfigurationState {
        self.reloading.state()
    }

    /// Is this the tenant of who runs the gateway?
    pub(crate) fn is_operators(&self, tenant: &TenantId) -> bool {
        self.current().deployment.config.gateway.tenant == *tenant
    }
}

impl Deployment {
    /// The file as it is now, with the sections that a running gateway cannot change as they were, and the keys of those that differ.
    fn read_again(&self) -> anyhow::Result<(Self, Vec<String>)> {
        let env = |name: &str| std::env::var(name).ok();
        let options = renmen_config::LoadOptions { dev: self.config.dev, env: &env };
        let mut config = renmen_config::Config::load(&self.config.path, options)?;
        // Which tenants are in which cell may have changed: theirs come and go as connections do.
        config.enter(self.config.cell.as_ref()).map_err(crate::exit::Usage)?;
        if config.gateway.tenant != self.config.gateway.tenant {
            // Everything that names no tenant would change hands.
            return Err(crate::exit::Usage(text!(
                "`gateway.tenant` cannot change while the gateway runs: restart it",
                "`gateway.tenant` 不能在网关运行时更改：请重启网关"
            ))
            .into());
        }
        let needs_restart = difference::keep_what_cannot_change(&self.config, &mut config);
        let api = crate::api_options::of(&config);
        api.map(|_| (Self { config }, needs_restart))
    }
}
