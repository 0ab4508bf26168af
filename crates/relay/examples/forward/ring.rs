//! io_uring: receives that stay armed and fill buffers from a common store, sends handed in by the dozen.

use std::{
    alloc::{Layout, alloc_zeroed},
    io, mem,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    os::fd::{AsRawFd, RawFd},
    ptr,
    sync::atomic::{AtomicU16, Ordering},
};

use io_uring::{
    IoUring, cqueue, opcode, squeue,
    types::{BufRingEntry, Fd, RecvMsgOut},
};

use crate::table::{Table, Way, hello};

const BUFFERS: u16 = 4096;
/// One packet with its address and what the system writes before it.
const LENGTH: usize = 2048;
const GROUP: u16 = 1;
/// Sends handed in at once.
const SENDS: usize = 256;
/// The listening socket's number; all others count from 0.
const LISTENER: u64 = u64::MAX;
/// Marks what became of a send. Only failures are told.
const SENT: u64 = u64::MAX - 1;

/// Forwards IPv4.
pub(crate) fn forward(listener: &UdpSocket, mut table: Table) -> io::Result<()> {
    let mut ring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_coop_taskrun()
        .setup_defer_taskrun()
        .setup_cqsize(u32::from(BUFFERS) * 2)
        .build(1024)?;
    let mut store = Store::new(&ring)?;
    let mut sends = Sends::new();
    // SAFETY: all zeroes is a valid header.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
    let header: &'static libc::msghdr = Box::leak(Box::new(header));
    arm(&mut ring, listener.as_raw_fd(), LISTENER, header)?;
    loop {
        ring.submit_and_wait(1)?;
        store.give_back(&mut sends);
        let received: Vec<cqueue::Entry> = ring.completion().take(SENDS).collect();
        for entry in received {
            let number = entry.user_data();
            if number == SENT {
                continue;
            }
            if !cqueue::more(entry.flags()) {
                let fd = if number == LISTENER { listener } else { &table.sockets[number as usize].0 };
                arm(&mut ring, fd.as_raw_fd(), number, header)?;
            }
            let (Some(id), true) = (cqueue::buffer_select(entry.flags()), entry.result() >= 0) else {
                continue;
            };
            let Some((from, packet)) = store.packet(id, header) else { continue };
            let (fd, to) = if number != LISTENER {
                (listener.as_raw_fd(), table.sockets[number as usize].1)
            } else if let Some(port) = hello(packet) {
                let (answer, is_new) = table.hello(from, port)?;
                if is_new {
                    let index = table.sockets.len() - 1;
                    arm(&mut ring, table.sockets[index].0.as_raw_fd(), index as u64, header)?;
                }
                listener.send_to(&answer.to_be_bytes(), from)?;
                sends.done.push(id);
                continue;
            } else {
                match table.way(from) {
                    Some(Way::Out(index)) => (table.sockets[index].0.as_raw_fd(), table.peer),
                    Some(Way::Across(other)) => (listener.as_raw_fd(), other),
                    None => continue,
                }
            };
            let send = sends.push(fd, to, packet, id);
            // SAFETY: what it points to lives in `sends` and `store` until it is submitted, which completes it.
            unsafe { push(&mut ring, &send)? };
        }
    }
}

/// Lets a socket receive until told otherwise.
fn arm(ring: &mut IoUring, fd: RawFd, number: u64, header: &'static libc::msghdr) -> io::Result<()> {
    let receive = opcode::RecvMsgMulti::new(Fd(fd), header, GROUP).build().user_data(number);
    // SAFETY: the header lives forever.
    unsafe { push(ring, &receive) }
}

/// Hands in one more request.
///
/// # Safety
/// What it points to must live until it is completed.
unsafe fn push(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<()> {
    // SAFETY: the caller's promise.
    while unsafe { ring.submission().push(entry) }.is_err() {
        ring.submit()?;
    }
    Ok(())
}

/// Buffers that the system takes from by itself.
struct Store {
    entries: *mut BufRingEntry,
    buffers: Vec<u8>,
    tail: u16,
}

impl Store {
    fn new(ring: &IoUring) -> io::Result<Self> {
        let layout = Layout::from_size_align(usize::from(BUFFERS) * size_of::<BufRingEntry>(), 4096)
            .expect("a sound layout");
        // SAFETY: the layout is not empty.
        let entries = unsafe { alloc_zeroed(layout) }.cast::<BufRingEntry>();
        // SAFETY: the memory is aligned to pages, has room for that many entries and is never freed.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0)? };
        let mut store = Self { entries, buffers: vec![0; usize::from(BUFFERS) * LENGTH], tail: 0 };
        (0..BUFFERS).for_each(|id| store.put(id));
        store.publish();
        Ok(store)
    }

    fn put(&mut self, id: u16) {
        let buffer = self.buffers[usize::from(id) * LENGTH..].as_mut_ptr();
        // SAFETY: the index is within the ring.
        let entry = unsafe { &mut *self.entries.add(usize::from(self.tail % BUFFERS)) };
        entry.set_addr(buffer as u64);
        entry.set_len(LENGTH as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&self) {
        // SAFETY: the address is that of the first entry, in which the tail is.
        let tail = unsafe { &*BufRingEntry::tail(self.entries).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }

    fn give_back(&mut self, sends: &mut Sends) {
        if sends.done.is_empty() {
            return;
        }
        for id in mem::take(&mut sends.done) {
            self.put(id);
        }
        sends.used = 0;
        self.publish();
    }

    /// What was received into a buffer, and from where.
    fn packet(&self, id: u16, header: &libc::msghdr) -> Option<(SocketAddr, &[u8])> {
        let buffer = &self.buffers[usize::from(id) * LENGTH..][..LENGTH];
        let message = RecvMsgOut::parse(buffer, header).ok()?;
        let name = message.name_data();
        if name.len() < size_of::<libc::sockaddr_in>() {
            return None;
        }
        // SAFETY: there are enough bytes, and any of them are a valid address.
        let name = unsafe { ptr::read_unaligned(name.as_ptr().cast::<libc::sockaddr_in>()) };
        let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
        let payload = message.payload_data();
        let start = payload.as_ptr().addr() - buffer.as_ptr().addr();
        Some((
            SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into(),
            &buffer[start..start + payload.len()],
        ))
    }
}

/// What the sends that are being handed in point to.
struct Sends {
    places: Box<[Place]>,
    used: usize,
    done: Vec<u16>,
}

struct Place {
    header: libc::msghdr,
    slice: libc::iovec,
    to: libc::sockaddr_in,
}

impl Sends {
    fn new() -> Self {
        // SAFETY: all zeroes is valid for each of the three.
        let places = (0..SENDS).map(|_| unsafe { mem::zeroed() }).collect();
        Self { places, used: 0, done: Vec::new() }
    }

    /// A send that completes when it is submitted: it never waits.
    fn push(&mut self, fd: RawFd, to: SocketAddr, packet: &[u8], id: u16) -> squeue::Entry {
        let place = &mut self.places[self.used];
        self.used += 1;
        self.done.push(id);
        let SocketAddr::V4(to) = to else { unreachable!("this forwards IPv4") };
        place.to.sin_family = libc::AF_INET as u16;
        place.to.sin_port = to.port().to_be();
        place.to.sin_addr.s_addr = u32::from(*to.ip()).to_be();
        place.slice = libc::iovec { iov_base: packet.as_ptr().cast_mut().cast(), iov_len: packet.len() };
        place.header.msg_name = (&raw mut place.to).cast();
        place.header.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
        place.header.msg_iov = &raw mut place.slice;
        place.header.msg_iovlen = 1;
        opcode::SendMsg::new(Fd(fd), &raw const place.header)
            .flags(libc::MSG_DONTWAIT as u32)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(SENT)
    }
}
