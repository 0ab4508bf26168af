//! DONT-FRAGMENT (RFC 8656 sections 7.2, 11.2 and 14).

use visavis_turn::{
    Server,
    wire::{Class, Method, Writer, attribute},
};

use crate::harness::{Client, Got, PEER, World, address, channel_data, config};

/// Sends with the attribute.
fn send(world: &mut World, alice: &mut Client) -> Got {
    let mut packet = Vec::new();
    Writer::new(&mut packet, Class::Indication, Method::SEND, alice.id())
        .xor_address(attribute::XOR_PEER_ADDRESS, address(PEER))
        .attribute(attribute::DONT_FRAGMENT, b"")
        .attribute(attribute::DATA, b"x");
    world.send(alice.tuple, &packet)
}

/// Allocates with the attribute; the code and the attributes that are unknown.
fn allocate(world: &mut World, alice: &mut Client) -> (u16, Option<Vec<u8>>) {
    let response = alice.ask_allocate(world, |writer| {
        writer.attribute(attribute::DONT_FRAGMENT, b"");
    });
    (response.code(), response.get(attribute::UNKNOWN_ATTRIBUTES).map(<[u8]>::to_vec))
}

#[test]
fn a_send_says_of_each_datagram_whether_it_may_be_fragmented() {
    let mut world = World::default();
    let mut alice = Client::new(1);
    assert_eq!(allocate(&mut world, &mut alice), (0, None));
    alice.bind(&mut world, 0x4000, PEER);
    assert!(matches!(send(&mut world, &mut alice), Got::ToPeer { dont_fragment: true, .. }));
    assert!(matches!(alice.send(&mut world, PEER, b"x"), Got::ToPeer { dont_fragment: false, .. }));
    let on_channel = world.send(alice.tuple, &channel_data(0x4000, b"x"));
    assert!(matches!(on_channel, Got::ToPeer { dont_fragment: false, .. }));
}

#[test]
fn where_it_cannot_be_done_it_is_an_attribute_that_must_be_known() {
    let server = Server::new(config(), [3; 32]).without_dont_fragment();
    let mut world = World { server, ..World::default() };
    let mut alice = Client::new(1);
    assert_eq!(allocate(&mut world, &mut alice), (420, Some(vec![0, 0x1a])));
    alice.allocate(&mut world);
    alice.permit(&mut world, &[PEER]);
    assert_eq!(send(&mut world, &mut alice), Got::Nothing);
    assert!(matches!(alice.send(&mut world, PEER, b"x"), Got::ToPeer { .. }));
}
