//! What the API asks through traits of its own, because the engine behind them links the sandbox: one bridge for each trait.

mod configuration;
mod control;
mod hooks;

pub(crate) use configuration::ConfigurationBridge;
pub(crate) use control::ControlBridge;
pub(crate) use hooks::HooksBridge;
