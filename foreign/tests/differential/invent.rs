//! Requests of every kind, most of them right, some wrong in one way or two.

use std::net::SocketAddr;

use visavis_turn::wire::{Class, Method, TransactionId, Writer, attribute};

use crate::{
    request::{ACCOUNTS, Attribute, Credential, Fingerprint, Length, Nonce, Password, Request, Says, Seal},
    rng::Rng,
    servers::address,
};

/// Peers that our policy has nothing against.
pub(crate) const PEERS: [&str; 6] = [
    "8.8.8.8:5000",
    "8.8.8.8:5001",
    "8.8.4.4:5000",
    "1.1.1.1:9",
    "[2a00:1450::1]:5000",
    "[2a00:1450::2]:5000",
];
/// One that it refuses.
pub(crate) const FORBIDDEN: &str = "10.0.0.1:5000";
pub(crate) const WITHOUT_PORT: &str = "8.8.8.8:0";
pub(crate) const UNKNOWN: u16 = 0x7f00;
pub(crate) const UNKNOWN_OPTIONAL: u16 = 0xc001;
pub(crate) const USERHASH: u16 = 0x001e;
const UDP: [u8; 4] = [17, 0, 0, 0];
const NUMBERS: [u16; 9] = [0x4000, 0x4000, 0x4001, 0x4002, 0x4003, 0x4fff, 0x5000, 0x7fff, 0x4000];
const UNBINDABLE: [u16; 5] = [0, 0x3fff, 0x8000, 0xfffe, 0xffff];
const LIFETIMES: [u32; 9] = [0, 1, 599, 600, 601, 1200, 3600, 3601, u32::MAX];

/// A random request or indication of a client that holds account `account`.
pub(crate) fn request(rng: &mut Rng, account: usize, sha256: bool, relayed: &[SocketAddr]) -> Request {
    let method = rng.of(&[
        Method::ALLOCATE,
        Method::ALLOCATE,
        Method::REFRESH,
        Method::CREATE_PERMISSION,
        Method::CREATE_PERMISSION,
        Method::CREATE_PERMISSION,
        Method::CHANNEL_BIND,
        Method::CHANNEL_BIND,
        Method::CHANNEL_BIND,
        Method::BINDING,
    ]);
    let id = id(rng);
    let body = match method {
        Method::ALLOCATE => allocate(rng),
        Method::REFRESH => refresh(rng),
        Method::CREATE_PERMISSION => create_permission(rng, id, relayed),
        Method::CHANNEL_BIND => channel_bind(rng, id, relayed),
        _ => Vec::new(),
    };
    let mut request = Request::new(Class::Request, method, id, body);
    if method != Method::BINDING {
        request.credential = Some(Credential::right(account, sha256));
    }
    if rng.percent(15) {
        request.fingerprint = Fingerprint::Right;
    }
    if rng.percent(30) {
        spoil(rng, &mut request);
    }
    if rng.percent(8) {
        spoil(rng, &mut request);
    }
    request.settle();
    request
}

/// A Send indication.
pub(crate) fn send(rng: &mut Rng, relayed: &[SocketAddr]) -> Request {
    let id = id(rng);
    let length = rng.below(40);
    let mut body =
        vec![(attribute::XOR_PEER_ADDRESS, peer(rng, id, relayed)), (attribute::DATA, rng.bytes(length))];
    if rng.percent(3) {
        body.remove(rng.below(2));
    }
    if rng.percent(20) {
        body.reverse();
    }
    if rng.percent(4) {
        body.push((attribute::DONT_FRAGMENT, Vec::new()));
    }
    let mut request = Request::new(Class::Indication, Method::SEND, id, body);
    if rng.percent(15) {
        request.fingerprint = Fingerprint::Right;
    }
    if rng.percent(10) {
        spoil_any(rng, &mut request);
    }
    request.settle();
    request
}

/// What a client asks before it knows a nonce.
pub(crate) fn first(rng: &mut Rng) -> Request {
    Request::new(
        Class::Request,
        Method::ALLOCATE,
        id(rng),
        vec![(attribute::REQUESTED_TRANSPORT, UDP.to_vec())],
    )
}

/// A plain Allocate.
pub(crate) fn plain_allocate(rng: &mut Rng, account: usize, sha256: bool) -> Request {
    let mut request = first(rng);
    if rng.percent(30) {
        request.body.push((attribute::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]));
    }
    request.credential = Some(Credential::right(account, sha256));
    request
}

fn id(rng: &mut Rng) -> [u8; 12] {
    let mut id = [0; 12];
    id.copy_from_slice(&rng.bytes(12));
    id
}

fn allocate(rng: &mut Rng) -> Vec<Attribute> {
    let mut body = Vec::new();
    match rng.below(40) {
        0 => {}
        1 => body.push((attribute::REQUESTED_TRANSPORT, vec![6, 0, 0, 0])),
        2 => body.push((attribute::REQUESTED_TRANSPORT, vec![rng.of(&[0, 1, 132]), 0, 0, 0])),
        3 => body.push((attribute::REQUESTED_TRANSPORT, vec![17, 0, 0])),
        _ => body.push((attribute::REQUESTED_TRANSPORT, UDP.to_vec())),
    }
    if rng.percent(50) {
        body.push(lifetime(rng));
    }
    if rng.percent(15) {
        body.push(family(rng, attribute::REQUESTED_ADDRESS_FAMILY));
    }
    if rng.percent(15) {
        body.push(family(rng, attribute::ADDITIONAL_ADDRESS_FAMILY));
    }
    if rng.percent(4) {
        body.push((attribute::REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0]));
        body.push((attribute::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]));
        body.insert(0, (attribute::REQUESTED_TRANSPORT, vec![132, 0, 0, 0]));
    }
    if rng.percent(4) {
        body.push((attribute::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]));
        body.push((attribute::EVEN_PORT, vec![0]));
    }
    if rng.percent(8) {
        let even = rng.of(&[&[0][..], &[0x80], &[0, 0], &[]]);
        body.push((attribute::EVEN_PORT, even.to_vec()));
    }
    if rng.percent(3) {
        body.push((attribute::RESERVATION_TOKEN, rng.bytes(8)));
    }
    if rng.percent(5) {
        body.push((attribute::DONT_FRAGMENT, Vec::new()));
    }
    body
}

fn refresh(rng: &mut Rng) -> Vec<Attribute> {
    let mut body = Vec::new();
    if rng.percent(80) {
        body.push(lifetime(rng));
    }
    if rng.percent(20) {
        body.push(family(rng, attribute::REQUESTED_ADDRESS_FAMILY));
    }
    body
}

fn lifetime(rng: &mut Rng) -> Attribute {
    let value = rng.of(&LIFETIMES).to_be_bytes().to_vec();
    (attribute::LIFETIME, if rng.percent(4) { value[..3].to_vec() } else { value })
}

fn family(rng: &mut Rng, kind: u16) -> Attribute {
    let value =
        rng.of(&[&[2, 0, 0, 0][..], &[2, 0, 0, 0], &[1, 0, 0, 0], &[1, 0, 0, 0], &[3, 0, 0, 0], &[2, 0]]);
    (kind, value.to_vec())
}

fn create_permission(rng: &mut Rng, id: [u8; 12], relayed: &[SocketAddr]) -> Vec<Attribute> {
    let count = rng.of(&[1, 1, 1, 1, 1, 2, 2, 3, 0]);
    (0..count).map(|_| (attribute::XOR_PEER_ADDRESS, peer(rng, id, relayed))).collect()
}

fn channel_bind(rng: &mut Rng, id: [u8; 12], relayed: &[SocketAddr]) -> Vec<Attribute> {
    let number = if rng.percent(5) { rng.of(&UNBINDABLE) } else { rng.of(&NUMBERS) };
    let mut value = number.to_be_bytes().to_vec();
    value.extend(if rng.percent(3) { &[0][..] } else { &[0, 0] });
    let mut body =
        vec![(attribute::CHANNEL_NUMBER, value), (attribute::XOR_PEER_ADDRESS, peer(rng, id, relayed))];
    if rng.percent(4) {
        body.remove(rng.below(2));
    }
    body
}

/// An XOR-PEER-ADDRESS.
fn peer(rng: &mut Rng, id: [u8; 12], relayed: &[SocketAddr]) -> Vec<u8> {
    let peer = match rng.below(50) {
        0 => address(FORBIDDEN),
        1 => address(WITHOUT_PORT),
        2 => {
            return rng
                .of(&[&[0, 1, 0, 0, 1][..], &[0, 3, 0, 0, 1, 1, 1, 1], &[], &[0, 2, 0, 0, 1, 1, 1, 1]])
                .to_vec();
        }
        3..8 if !relayed.is_empty() => relayed[rng.below(relayed.len())],
        _ => address(rng.of(&PEERS)),
    };
    xor_address(id, peer)
}

fn xor_address(id: [u8; 12], peer: SocketAddr) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out, Class::Request, Method::BINDING, TransactionId::new(id))
        .xor_address(attribute::XOR_PEER_ADDRESS, peer);
    out[24..].to_vec()
}

/// Makes something about a request wrong or odd.
fn spoil(rng: &mut Rng, request: &mut Request) {
    if rng.percent(40) {
        return spoil_any(rng, request);
    }
    let Some(credential) = &mut request.credential else { return spoil_any(rng, request) };
    match rng.below(16) {
        0 => request.credential = None,
        1 => credential.username = None,
        2 => credential.has_realm = false,
        3 => credential.nonce = Nonce::Missing,
        4 => credential.nonce = Nonce::Altered,
        5 => credential.nonce = Nonce::Invented,
        6 => credential.nonce = Nonce::OtherFeatures,
        7 => credential.password = Password::Wrong,
        8 => credential.username = Some(b"nobody".to_vec()),
        9 => credential.username = Some(vec![0xff, 0xfe, b'x']),
        10 => *credential = Credential::right(1 - credential.account, credential.sha256),
        11 => *credential = Credential::right(credential.account, !credential.sha256),
        12 => {
            credential.says = rng.of(&[Says::OnlyChosen, Says::OnlyOffered, Says::OtherOffer, Says::Nothing]);
            if rng.percent(20) {
                credential.nonce = Nonce::Altered;
            }
        }
        13 => credential.seal = rng.of(&[Seal::Sha1, Seal::Sha256]),
        14 => credential.seal = rng.of(&[Seal::Short, Seal::None]),
        _ => credential.username = Some(ACCOUNTS[1 - credential.account].0.into()),
    }
}

/// The same for what indications have too.
fn spoil_any(rng: &mut Rng, request: &mut Request) {
    let place = rng.below(request.body.len() + 1);
    match rng.below(16) {
        0 | 1 => {
            request.body.insert(place, (UNKNOWN + rng.below(3) as u16, rng.bytes(4)));
            if rng.percent(10) {
                request.body.insert(place, (attribute::XOR_MAPPED_ADDRESS, rng.bytes(8)));
            }
        }
        2 => request.body.insert(place, (UNKNOWN_OPTIONAL, rng.bytes(5))),
        3 | 4 => {
            let kind = rng.of(&[
                attribute::DATA,
                attribute::CHANNEL_NUMBER,
                attribute::LIFETIME,
                attribute::EVEN_PORT,
                attribute::XOR_MAPPED_ADDRESS,
                attribute::DONT_FRAGMENT,
                attribute::REQUESTED_TRANSPORT,
            ]);
            if !request.has(kind) {
                request.body.insert(place, (kind, vec![0; 4]));
            }
        }
        5 => request.body.insert(place, (USERHASH, rng.bytes(32))),
        6 => request.body.insert(place, (attribute::SOFTWARE, b"random".to_vec())),
        7 | 8 if !request.body.is_empty() => {
            let (kind, mut value) = request.body[rng.below(request.body.len())].clone();
            if rng.percent(80) {
                value.last_mut().into_iter().for_each(|last| *last ^= 1);
                value.first_mut().into_iter().for_each(|first| *first ^= u8::from(rng.percent(20)));
            }
            request.body.push((kind, value));
        }
        9 => request.fingerprint = Fingerprint::Wrong,
        10 => request.fingerprint = Fingerprint::NotLast,
        11 => request.length = Length::Cut(1 + rng.below(24)),
        12 => request.length = Length::More(rng.of(&[1, 2, 3, 4, 8])),
        13 => request.length = Length::Odd(rng.of(&[1, 2, 3, 4, 8])),
        14 => request.classic = true,
        _ if rng.percent(40) => {
            request.method = rng.of(&[Method(0x00b), Method(0x00c), Method(0x002), Method(0x7ff)]);
        }
        _ if rng.percent(40) => {
            request.class = rng.of(&[Class::Indication, Class::Success, Class::Error]);
        }
        _ => {
            let kind = rng.of(&[UNKNOWN, attribute::LIFETIME, attribute::XOR_PEER_ADDRESS]);
            request.behind.push((kind, vec![0; 4]));
            match rng.below(6) {
                0 => request.fingerprint = Fingerprint::Wrong,
                1 => request.length = Length::Odd(4),
                _ => {}
            }
        }
    }
}
