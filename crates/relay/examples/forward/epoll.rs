//! Which sockets have something to receive: level-triggered, so that one receive for each event is enough.

use std::{
    io,
    net::UdpSocket,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// The listening socket's number; all others count from 0.
pub(crate) const LISTENER: usize = usize::MAX;

/// An event queue.
pub(crate) struct Epoll {
    queue: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    pub(crate) fn new(listener: &UdpSocket) -> io::Result<Self> {
        // SAFETY: no pointer is given.
        let queue = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if queue < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's.
        let queue = unsafe { OwnedFd::from_raw_fd(queue) };
        let epoll = Self { queue, events: Vec::with_capacity(1024) };
        epoll.add(listener, LISTENER)?;
        Ok(epoll)
    }

    pub(crate) fn add(&self, socket: &UdpSocket, number: usize) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: number as u64 };
        // SAFETY: both descriptors are open, and the kernel only reads `event`.
        let result = unsafe {
            libc::epoll_ctl(self.queue.as_raw_fd(), libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &raw mut event)
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits, then gives the numbers of the sockets that can be received from.
    pub(crate) fn wait(&mut self) -> io::Result<impl Iterator<Item = usize> + use<>> {
        let (room, capacity) = (self.events.as_mut_ptr(), self.events.capacity() as i32);
        // SAFETY: `room` has place for `capacity` events.
        let count = unsafe { libc::epoll_wait(self.queue.as_raw_fd(), room, capacity, -1) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the kernel has written that many events.
        unsafe { self.events.set_len(count) };
        let ready: Vec<usize> = self.events.iter().map(|event| event.u64 as usize).collect();
        Ok(ready.into_iter())
    }
}
