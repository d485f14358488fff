//! The four imports: played by the gateway in the sandbox, by [`crate::testing`] anywhere else.

#[cfg(target_arch = "wasm32")]
mod gateway;
#[cfg(target_arch = "wasm32")]
pub(crate) use gateway::*;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::imports::*;
