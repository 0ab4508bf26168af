use std::{io, net::SocketAddr};

/// Why the relay could not start. Each says what was attempted; nothing stays bound or running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another socket, perhaps another process', holds the port.
    #[error("bind UDP {address}: address in use")]
    InUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on: it is not of this machine, or the port needs privileges.
    #[error("bind UDP {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no event queue or no thread.
    #[error("start relay shard {shard}: {source}")]
    Shard {
        /// Which shard, from 0.
        shard: u16,
        /// What the system said.
        source: io::Error,
    },
    /// None, or more than 1,024.
    #[error("start {shards} relay shards: between 1 and 1024 are possible")]
    Shards {
        /// How many were asked for.
        shards: usize,
    },
}

impl StartError {
    pub(crate) fn bind(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            _ => Self::Bind { address, source },
        }
    }
}
