//! Socket options and control messages that no safe interface offers.

use std::{
    ffi::c_int,
    io,
    net::IpAddr,
    os::fd::{AsFd, AsRawFd},
};

/// Control messages that go with one sending: at most a source address and the size of segments.
#[repr(C)]
pub(crate) struct Control {
    /// Aligns `bytes` as the system wants its headers.
    align: [libc::cmsghdr; 0],
    bytes: [u8; Self::ROOM],
    length: usize,
}

impl Default for Control {
    fn default() -> Self {
        Self { align: [], bytes: [0; Self::ROOM], length: 0 }
    }
}

impl Control {
    const ROOM: usize = 64;

    /// Lets the datagrams leave from `ip`.
    pub(crate) fn source(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                let s_addr = u32::from_ne_bytes(ip.octets());
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                self.push(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            IpAddr::V6(ip) => {
                let ipi6_addr = libc::in6_addr { s6_addr: ip.octets() };
                self.push(
                    libc::IPPROTO_IPV6,
                    libc::IPV6_PKTINFO,
                    libc::in6_pktinfo { ipi6_addr, ipi6_ifindex: 0 },
                );
            }
        }
    }

    /// Lets the system cut what is sent into datagrams of `length` bytes.
    pub(crate) fn segment(&mut self, length: u16) {
        self.push(libc::SOL_UDP, libc::UDP_SEGMENT, length);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push<T: Copy>(&mut self, level: c_int, kind: c_int, value: T) {
        let size = size_of::<T>() as u32;
        // SAFETY: these only calculate.
        let (length, space) = unsafe { (libc::CMSG_LEN(size), libc::CMSG_SPACE(size) as usize) };
        let place = &mut self.bytes[self.length..self.length + space];
        let header = place.as_mut_ptr().cast::<libc::cmsghdr>();
        // SAFETY: `place` begins aligned for a header, since `bytes` does and every `space` is a multiple of that,
        // and has room for the header and, behind it, for an unaligned `T`. Its bytes are initialized.
        unsafe {
            (*header).cmsg_len = length as _;
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            libc::CMSG_DATA(header).cast::<T>().write_unaligned(value);
        }
        self.length += space;
    }
}

/// Lets this machine and routers fragment what exceeds an MTU: the don't-fragment bit stays clear, as RFC 8656 section
/// 14 wants for clients that do not ask for DONT-FRAGMENT. `quinn_udp` sets the opposite. Of the ways that clear it this
/// one alone still reports that a datagram with the bit was too big.
pub(crate) fn allow_fragments(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    if v6 {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)?;
        return set(socket, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, 0);
    }
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)
}

/// Sets the don't-fragment bit, or sends no fragment header, whatever is known of the path: who asks for it measures the
/// path, and wants to hear of every datagram that was too big.
pub(crate) fn forbid_fragments(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    if v6 {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)?;
        return set(socket, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, 1);
    }
    set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)
}

/// Keeps ICMP errors for the socket, to be read with `error_queue::next`.
pub(crate) fn hear_errors(socket: &impl AsFd, v6: bool) -> io::Result<()> {
    match v6 {
        true => set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1),
        false => set(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1),
    }
}

/// Stops the system from telling with each packet what nothing here reads: when it came, its class of traffic, and
/// the address that it came to unless `keep_address`. `quinn_udp` asks for all of that.
pub(crate) fn tell_less(socket: &impl AsFd, v6: bool, keep_address: bool) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 0)?;
    let (level, class, address) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, libc::IPV6_RECVPKTINFO)
    } else {
        (libc::IPPROTO_IP, libc::IP_RECVTOS, libc::IP_PKTINFO)
    };
    set(socket, level, class, 0)?;
    if keep_address { Ok(()) } else { set(socket, level, address, 0) }
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

/// Lets the calling thread sleep for as long as it says, not for up to 50 µs more.
pub(crate) fn sleep_precisely() -> io::Result<()> {
    /// The least that the system takes; zero would stand for its default.
    const NANOSECONDS: libc::c_ulong = 1;
    // SAFETY: no pointer is given.
    let result = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, NANOSECONDS) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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
