//! Sizes of a socket's kernel buffers.

use std::io;
use std::os::fd::AsFd;

use rustix::net::sockopt;

/// Smallest buffer that may be asked for, in bytes.
pub const BUFFER_BYTES_MIN: usize = 4 * 1024;
/// Largest buffer that may be asked for, in bytes.
pub const BUFFER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Wished sizes of a socket's kernel buffers; `None` leaves the system's default.
///
/// Sizes are clamped to [`BUFFER_BYTES_MIN`]`..=`[`BUFFER_BYTES_MAX`]; the kernel clamps further to
/// `net.core.wmem_max` and `net.core.rmem_max`. On a Unix socket only the sender's size counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SocketBuffers {
    /// `SO_SNDBUF` in bytes.
    pub send_bytes: Option<usize>,
    /// `SO_RCVBUF` in bytes.
    pub receive_bytes: Option<usize>,
}

impl SocketBuffers {
    /// Sets the sizes on `socket`.
    ///
    /// # Errors
    /// What the system says when it refuses the option; a size above its maximum is clamped and is no error.
    pub fn apply(&self, socket: impl AsFd) -> io::Result<()> {
        if let Some(bytes) = self.send_bytes {
            sockopt::set_socket_send_buffer_size(&socket, clamp(bytes))?;
        }
        if let Some(bytes) = self.receive_bytes {
            sockopt::set_socket_recv_buffer_size(&socket, clamp(bytes))?;
        }
        Ok(())
    }
}

fn clamp(bytes: usize) -> usize {
    bytes.clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn sizes_are_clamped_at_their_bounds() {
        let table = [
            (0, BUFFER_BYTES_MIN),
            (BUFFER_BYTES_MIN - 1, BUFFER_BYTES_MIN),
            (BUFFER_BYTES_MIN, BUFFER_BYTES_MIN),
            (BUFFER_BYTES_MAX, BUFFER_BYTES_MAX),
            (BUFFER_BYTES_MAX + 1, BUFFER_BYTES_MAX),
        ];
        for (asked, got) in table {
            assert_eq!(clamp(asked), got, "asked for {asked}");
        }
    }

    #[test]
    fn a_size_reaches_the_socket() {
        let (a, _b) = UnixStream::pair().unwrap();
        SocketBuffers { send_bytes: Some(32 * 1024), receive_bytes: Some(16 * 1024) }.apply(&a).unwrap();
        // Linux doubles what was asked for, to pay for its own bookkeeping.
        assert_eq!(sockopt::socket_send_buffer_size(&a).unwrap(), 64 * 1024);
        assert_eq!(sockopt::socket_recv_buffer_size(&a).unwrap(), 32 * 1024);
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let (a, _b) = UnixStream::pair().unwrap();
        let before = sockopt::socket_send_buffer_size(&a).unwrap();
        SocketBuffers::default().apply(&a).unwrap();
        assert_eq!(sockopt::socket_send_buffer_size(&a).unwrap(), before);
    }
}
