//! Socket options that no safe interface offers.

use std::{
    ffi::c_int,
    io,
    os::fd::{AsFd, AsRawFd},
};

/// Lets the system fragment what exceeds the path's MTU, and leaves the don't-fragment bit clear: what
/// RFC 8656 section 14 wants for clients that do not ask for DONT-FRAGMENT. `quinn_udp` sets the opposite.
pub(crate) fn allow_fragments(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)?;
    if v6 {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)?;
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, 0)?;
    }
    Ok(())
}

/// Stops the stamping of received packets, which nothing here reads. `quinn_udp` asks for it.
pub(crate) fn no_timestamps(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 0)
}

/// Sizes both buffers, past the system's limits if this process may, else up to them.
pub(crate) fn size_buffers(socket: &impl AsFd, receive: c_int, send: c_int) -> io::Result<()> {
    for (force, ask, bytes) in
        [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, receive), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, send)]
    {
        set(socket, libc::SOL_SOCKET, force, bytes).or_else(|_| set(socket, libc::SOL_SOCKET, ask, bytes))?;
    }
    Ok(())
}

/// How many packets the system dropped because the receive buffer of `socket` was full, modulo 2³².
pub(crate) fn receive_drops(socket: &impl AsFd) -> io::Result<u32> {
    /// Index of the drops in what SO_MEMINFO answers (`SK_MEMINFO_DROPS` of linux/sock_diag.h).
    const DROPS: usize = 8;
    let mut values = [0_u32; DROPS + 1];
    let mut length = size_of_val(&values) as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed, `values` is writable for `length` bytes, and the
    // kernel writes no more than that.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(values[DROPS]) } else { Err(io::Error::last_os_error()) }
}

fn set(socket: &impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open while it is borrowed, and the kernel reads only the four bytes of `value`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
