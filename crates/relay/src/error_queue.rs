//! What ICMP says of the datagrams that a socket sent (`IP_RECVERR` of ip(7)).

use std::{
    io,
    mem::{MaybeUninit, zeroed},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    ptr,
};

use visavis_turn::Icmp;

/// Takes the next entry of the error queue of `socket`: where the datagram went that an ICMP error is about, and the error;
/// none in place of an entry of another kind.
///
/// # Errors
/// `WouldBlock` at the end of the queue.
pub(crate) fn next(socket: &impl AsFd) -> io::Result<Option<(SocketAddr, Icmp)>> {
    let mut room = Room::default();
    let mut name = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    // SAFETY: a message header of zeros is a valid one without any buffer.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_name = name.as_mut_ptr().cast();
    message.msg_namelen = size_of_val(&name) as libc::socklen_t;
    message.msg_control = room.bytes.as_mut_ptr().cast();
    message.msg_controllen = Room::SIZE as _;
    // SAFETY: the descriptor is open while it is borrowed; name and control of `message` are writable for the lengths that
    // stand beside them and live until the end of this function.
    let result = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, libc::MSG_ERRQUEUE) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was all zeros, which is valid, and the system writes only addresses.
    let name = unsafe { name.assume_init() };
    // SAFETY: recvmsg has filled `message` with control messages, and `room` lives.
    let icmp = unsafe { icmp(&message) };
    Ok(address(&name).zip(icmp))
}

/// Where control messages are received.
#[repr(C)]
struct Room {
    /// Aligns `bytes` as the system wants its headers.
    align: [libc::cmsghdr; 0],
    bytes: [u8; Self::SIZE],
}

impl Room {
    /// Enough for the error with its sender's address, and for all else that these sockets ask for.
    const SIZE: usize = 512;
}

impl Default for Room {
    fn default() -> Self {
        Self { align: [], bytes: [0; Self::SIZE] }
    }
}

/// The ICMP error among the control messages.
///
/// # Safety
/// `message` must come from a successful recvmsg, and its control buffer must live.
unsafe fn icmp(message: &libc::msghdr) -> Option<Icmp> {
    // SAFETY: the caller promises that the control buffer holds what recvmsg wrote.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give only whole headers inside the control buffer.
        let libc::cmsghdr { cmsg_len, cmsg_level, cmsg_type, .. } = unsafe { header.read_unaligned() };
        let is_error = matches!(
            (cmsg_level, cmsg_type),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
        );
        // SAFETY: this only calculates.
        let whole = unsafe { libc::CMSG_LEN(size_of::<libc::sock_extended_err>() as u32) };
        if is_error && cmsg_len >= whole as _ {
            // SAFETY: the length says that a whole error follows, which is plain numbers.
            let error = unsafe { libc::CMSG_DATA(header).cast::<libc::sock_extended_err>().read_unaligned() };
            return of_icmp(&error);
        }
        // SAFETY: as for CMSG_FIRSTHDR; `header` is the one that it or CMSG_NXTHDR gave.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    None
}

/// None for an error that the system found by itself.
fn of_icmp(error: &libc::sock_extended_err) -> Option<Icmp> {
    let came_in = matches!(error.ee_origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6);
    came_in.then_some(Icmp { kind: error.ee_type, code: error.ee_code, mtu: error.ee_info })
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let name = ptr::from_ref(name);
    // SAFETY: the storage is larger than either address, aligned for both, initialized, and its family says which it is.
    unsafe {
        match i32::from((*name).ss_family) {
            libc::AF_INET => {
                let libc::sockaddr_in { sin_port, sin_addr, .. } = name.cast::<libc::sockaddr_in>().read();
                Some((sin_addr.s_addr.to_ne_bytes(), u16::from_be(sin_port)).into())
            }
            libc::AF_INET6 => {
                let libc::sockaddr_in6 { sin6_port, sin6_addr, .. } =
                    name.cast::<libc::sockaddr_in6>().read();
                Some((sin6_addr.s6_addr, u16::from_be(sin6_port)).into())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::UdpSocket};

    use super::*;
    use crate::udp::Udp;

    #[test]
    fn an_unreachable_port_is_named_in_both_families() {
        for (here, kind, code) in [("127.0.0.1:0", 3, 3), ("[::1]:0", 1, 4)] {
            let here: SocketAddr = here.parse().unwrap();
            let udp = Udp::relay(here).unwrap();
            assert_eq!(next(&udp.socket).unwrap_err().kind(), ErrorKind::WouldBlock);
            let nobody = UdpSocket::bind(here).unwrap().local_addr().unwrap();
            udp.send(b"anybody?", nobody, None).unwrap();
            // On loopback the error is there when the sending returns.
            assert_eq!(next(&udp.socket).unwrap(), Some((nobody, Icmp { kind, code, mtu: 0 })));
            assert_eq!(next(&udp.socket).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn an_error_of_an_earlier_datagram_costs_no_later_one() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let here: SocketAddr = here.parse().unwrap();
            let udp = Udp::relay(here).unwrap();
            let nobody = UdpSocket::bind(here).unwrap().local_addr().unwrap();
            let somebody = UdpSocket::bind(here).unwrap();
            let address = somebody.local_addr().unwrap();
            somebody.set_nonblocking(true).unwrap();
            for _ in 0..3 {
                udp.send(b"anybody?", nobody, None).unwrap();
                udp.send(b"hello", address, None).unwrap();
                assert_eq!(somebody.recv(&mut [0; 10]).unwrap(), 5);
                udp.send(b"anybody?", nobody, None).unwrap();
                udp.send_train(b"helloyou", 5, address, None).unwrap();
                assert_eq!(somebody.recv(&mut [0; 10]).unwrap(), 5);
                assert_eq!(somebody.recv(&mut [0; 10]).unwrap(), 3);
            }
        }
    }
}
