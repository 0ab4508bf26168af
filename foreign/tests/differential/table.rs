//! The differences themselves. The first row that holds explains; a row that never holds is no longer true.

use visavis_turn::wire::{Class, Method, attribute};

use crate::{
    differences::{
        DATA, Difference, Facet, Right, SILENCE, SUCCESS, has_length, has_unexpected, is_told, peers, unknown,
    },
    invent::{FORBIDDEN, USERHASH},
    request::{Fingerprint, Length, Nonce, Says, Seal},
    servers::{LISTEN, NONCE_LIFETIME, address},
};

/// Every difference, the narrow before the wide.
pub(crate) const DIFFERENCES: &[Difference] = &[
    // How a message is read.
    Difference {
        name: "who sends no magic cookie is answered as an RFC 3489 client",
        section: "RFC 8489 section 11",
        right: Right::Both,
        why: "compatibility is optional; theirs takes the message for no STUN",
        facet: Facet::Act,
        holds: |case| {
            let is_answered = matches!(case.codes(), (SUCCESS | 420, SILENCE));
            is_answered && case.asks(Method::BINDING, |request| request.classic)
        },
    },
    Difference {
        name: "bytes behind a message make it unsound",
        section: "RFC 8489 section 6.3",
        right: Right::Ours,
        why: "the length must be sensible, and a datagram carries one message; theirs reads what stands behind the end as attributes",
        facet: Facet::Act,
        holds: |case| {
            case.codes().0 == SILENCE && case.is(|request| matches!(request.length, Length::More(_)))
        },
    },
    Difference {
        name: "nothing stands behind FINGERPRINT",
        section: "RFC 8489 section 14.7",
        right: Right::Ours,
        why: "FINGERPRINT must be the last attribute; theirs ignores what follows",
        facet: Facet::Act,
        holds: |case| {
            case.codes().0 == SILENCE && case.is(|request| request.fingerprint == Fingerprint::NotLast)
        },
    },
    Difference {
        name: "a message must be sound behind MESSAGE-INTEGRITY too",
        section: "RFC 8489 sections 6.3 and 14.7",
        right: Right::Ours,
        why: "what stands there is ignored, and yet lengths and FINGERPRINT must hold; theirs stops reading at the first attribute",
        facet: Facet::Act,
        holds: |case| {
            case.codes().0 == SILENCE
                && case.is(|request| {
                    let is_odd = matches!(request.length, Length::Odd(_));
                    (is_odd || request.fingerprint == Fingerprint::Wrong) && !request.behind.is_empty()
                })
        },
    },
    Difference {
        name: "a method that is not known is no request to answer",
        section: "RFC 8489 section 6.3",
        right: Right::Ours,
        why: "an unknown method is discarded silently; theirs asks for credentials and then says 400 or 437, and knows RFC 6062's methods",
        facet: Facet::Act,
        holds: |case| {
            let is_unknown = |method| {
                let known = [
                    Method::BINDING,
                    Method::ALLOCATE,
                    Method::REFRESH,
                    Method::CREATE_PERMISSION,
                    Method::CHANNEL_BIND,
                ];
                !known.contains(&method)
            };
            case.codes().0 == SILENCE
                && case.is(|request| request.class == Class::Request && is_unknown(request.method))
        },
    },
    // Who may.
    Difference {
        name: "a nonce's age is told otherwise",
        section: "RFC 8489 section 9.2.4",
        right: Right::Both,
        why: "when a nonce ends is the server's choice; ours are new with each challenge and count in whole seconds, theirs stay until they end",
        facet: Facet::Act,
        holds: |case| {
            let [ours, theirs] = case.ages;
            let second = std::time::Duration::from_secs(1);
            let is_old = match case.codes() {
                (438, _) => ours + second >= NONCE_LIFETIME,
                (_, 438) => theirs >= NONCE_LIFETIME,
                _ => false,
            };
            is_old && case.is(is_told)
        },
    },
    Difference {
        name: "a nonce with other security features is told to be stale",
        section: "RFC 8489 section 9.2.4",
        right: Right::Both,
        why: "it is not one that was given out: 438 gives a good client another; theirs says 401 where somebody changed the features on the way",
        facet: Facet::Act,
        holds: |case| {
            let is_other = |nonce| nonce == Nonce::OtherFeatures;
            case.codes() == (438, 401)
                && case.is(|request| request.credential.as_ref().is_some_and(|c| is_other(c.nonce)))
        },
    },
    Difference {
        name: "the nonce is looked at before the password algorithms",
        section: "RFC 8489 section 9.2.4",
        right: Right::Theirs,
        why: "the RFC names the algorithms first; ours cannot know what was offered with a nonce that it did not give, and both refuse",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (438, 400)
                && case.is(|request| {
                    request.credential.as_ref().is_some_and(|credential| {
                        !matches!(credential.says, Says::Nothing) && credential.nonce != Nonce::Missing
                    })
                })
        },
    },
    Difference {
        name: "a key of one hash signs with the attribute of the other",
        section: "RFC 8489 section 9.2.4",
        right: Right::Ours,
        why: "the RFC checks the attribute that is there, with whatever key PASSWORD-ALGORITHM names; theirs wants the one to go with the other",
        facet: Facet::Act,
        holds: |case| {
            let is_mixed =
                |says_sha256, seal| matches!((says_sha256, seal), (true, Seal::Sha1) | (false, Seal::Sha256));
            case.codes().1 == 401
                && case.is(|request| request.credential.as_ref().is_some_and(|c| is_mixed(c.sha256, c.seal)))
        },
    },
    Difference {
        name: "a MESSAGE-INTEGRITY of a wrong length is one that does not hold",
        section: "RFC 8489 section 9.2.4",
        right: Right::Both,
        why: "theirs takes it as missing and says 401; ours says what else is wrong first",
        facet: Facet::Act,
        holds: |case| {
            matches!(case.codes(), (400 | 438, 401))
                && case.is(|request| request.credential.as_ref().is_some_and(|c| c.seal == Seal::Short))
        },
    },
    Difference {
        name: "a USERNAME that is not UTF-8 is nobody's",
        section: "RFC 8489 section 14.3",
        right: Right::Both,
        why: "theirs takes it as missing and says 400; ours compares bytes and finds nobody",
        facet: Facet::Act,
        holds: |case| {
            let is_text = |username: &Vec<u8>| std::str::from_utf8(username).is_ok();
            matches!(case.codes(), (401 | 438, 400))
                && case.is(|request| {
                    let username = request.credential.as_ref().and_then(|c| c.username.as_ref());
                    username.is_some_and(|username| !is_text(username))
                })
        },
    },
    Difference {
        name: "USERHASH is not understood",
        section: "RFC 8489 section 14.4",
        right: Right::Both,
        why: "ours does not offer the feature in its nonce, so that it is an unknown attribute; theirs looks for who has the hash",
        facet: Facet::Act,
        holds: |case| matches!(case.codes(), (400 | 420, 401)) && case.is(|request| request.has(USERHASH)),
    },
    // What a request says.
    Difference {
        name: "of two attributes of one type the first counts",
        section: "RFC 8489 section 14",
        right: Right::Ours,
        why: "the RFC says the first and that the rest may be ignored; theirs takes the last",
        facet: Facet::Act,
        holds: |case| case.is(|request| request.contradicts_itself()),
    },
    Difference {
        name: "of two attributes of one type the first counts, also in the answer",
        section: "RFC 8489 section 14",
        right: Right::Ours,
        why: "as above, where both grant",
        facet: Facet::Value,
        holds: |case| case.is(|request| request.contradicts_itself()),
    },
    Difference {
        name: "attributes known to STUN or TURN are not unknown where they mean nothing",
        section: "RFC 8489 section 6.3",
        right: Right::Ours,
        why: "known but unexpected attributes are ignored; theirs has a list for each method and says 420, or drops an indication",
        facet: Facet::Act,
        holds: |case| {
            let is_refused = match case.codes() {
                (_, 420) => true,
                (DATA, SILENCE) => case.is(|request| !request.has(attribute::DONT_FRAGMENT)),
                _ => false,
            };
            is_refused && case.is(has_unexpected)
        },
    },
    Difference {
        name: "UNKNOWN-ATTRIBUTES names only what is unknown",
        section: "RFC 8489 section 14.9",
        right: Right::Ours,
        why: "as above: theirs names known attributes that the method does not use as well",
        facet: Facet::UnknownAttributes,
        holds: |case| {
            let Some((ours, theirs)) = case.both() else { return false };
            case.is(has_unexpected)
                && ours.unknown.iter().all(|kind| theirs.unknown.contains(kind))
                && theirs.unknown.iter().all(|kind| ours.unknown.contains(kind) || attribute::is_known(*kind))
        },
    },
    Difference {
        name: "a Send with DONT-FRAGMENT is relayed",
        section: "RFC 8656 section 11.2",
        right: Right::Ours,
        why: "theirs does not know the attribute in a Send and drops it, as a server may that cannot set DF",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (DATA, SILENCE)
                && case.asks(Method::SEND, |request| request.has(attribute::DONT_FRAGMENT))
        },
    },
    Difference {
        name: "an attribute that is not understood is refused before the state is looked at",
        section: "RFC 8489 section 6.3.1",
        right: Right::Ours,
        why: "the RFC answers 420 before the method is processed; theirs first says 400, 437 or 441",
        facet: Facet::Act,
        holds: |case| {
            matches!(case.codes(), (420, 400 | 437 | 441))
                && case.is(|request| unknown(request).next().is_some())
        },
    },
    // Allocate.
    Difference {
        name: "an Allocate that comes again is answered the same",
        section: "RFC 8656 section 7.2",
        right: Right::Ours,
        why: "a retransmission gets the answer of the first; theirs says 437, so that a lost answer leaves the client without its allocation",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (SUCCESS, 437)
                && case.asks(Method::ALLOCATE, |request| case.allocated_by == Some(request.id))
        },
    },
    Difference {
        name: "an Allocate on somebody else's five-tuple is a mismatch of allocations",
        section: "RFC 8656 sections 5 and 7.2",
        right: Right::Ours,
        why: "441 is for all requests but Allocate; theirs says it there too",
        facet: Facet::Act,
        holds: |case| case.codes() == (437, 441) && case.asks(Method::ALLOCATE, |_| true),
    },
    Difference {
        name: "TCP is a transport that is not supported",
        section: "RFC 8656 section 7.2, RFC 6062 section 5.1",
        right: Right::Both,
        why: "theirs knows RFC 6062, which allows it to clients over TCP and wants 400 from those over UDP; ours does not and says 442",
        facet: Facet::Act,
        holds: |case| {
            let is_tcp = |value: &[u8]| value.len() == 4 && value[0] == 6;
            matches!(case.codes(), (442, 400 | SUCCESS))
                && case.asks(Method::ALLOCATE, |request| {
                    request.first(attribute::REQUESTED_TRANSPORT).is_some_and(is_tcp)
                })
        },
    },
    Difference {
        name: "the transport is looked at before the families",
        section: "RFC 8656 section 7.2",
        right: Right::Ours,
        why: "of two faults in one Allocate the RFC lists 442 first; theirs says 400 as soon as it sees both attributes of families",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (442, 400)
                && case.asks(Method::ALLOCATE, |request| {
                    request.has(attribute::REQUESTED_ADDRESS_FAMILY)
                        && request.has(attribute::ADDITIONAL_ADDRESS_FAMILY)
                })
        },
    },
    Difference {
        name: "a family that nobody knows is not supported",
        section: "RFC 8656 section 7.2",
        right: Right::Both,
        why: "ours says 440, as for every family that it does not have; theirs says 400, as for what cannot be read",
        facet: Facet::Act,
        holds: |case| {
            let is_odd = |value: &[u8]| value.len() == 4 && !matches!(value[0], 1 | 2);
            case.codes() == (440, 400)
                && case.asks(Method::ALLOCATE, |request| {
                    request.first(attribute::REQUESTED_ADDRESS_FAMILY).is_some_and(is_odd)
                })
        },
    },
    Difference {
        name: "a port is not kept back, and that is told",
        section: "RFC 8656 section 7.2",
        right: Right::Ours,
        why: "who cannot reserve a port, or knows no such token, says 508; theirs overlooks EVEN-PORT and RESERVATION-TOKEN and grants",
        facet: Facet::Act,
        holds: |case| {
            let reserves = |value: &[u8]| value.len() == 1 && value[0] & 0x80 != 0;
            case.codes() == (508, SUCCESS)
                && case.asks(Method::ALLOCATE, |request| {
                    request.has(attribute::RESERVATION_TOKEN)
                        || request.first(attribute::EVEN_PORT).is_some_and(reserves)
                })
        },
    },
    Difference {
        name: "an even port and both families may be wanted together",
        section: "RFC 8656 section 7.2",
        right: Right::Ours,
        why: "only EVEN-PORT with the R bit contradicts ADDITIONAL-ADDRESS-FAMILY; theirs refuses any",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (SUCCESS, 400)
                && case.asks(Method::ALLOCATE, |request| {
                    request.has(attribute::EVEN_PORT) && request.has(attribute::ADDITIONAL_ADDRESS_FAMILY)
                })
        },
    },
    Difference {
        name: "a LIFETIME, EVEN-PORT or family of a wrong length is a bad request",
        section: "RFC 8489 section 6.3.1",
        right: Right::Ours,
        why: "what cannot be read is refused with 400; theirs does as if it were not there",
        facet: Facet::Act,
        holds: |case| {
            let is_method = |method| matches!(method, Method::ALLOCATE | Method::REFRESH);
            matches!(case.codes(), (400, SUCCESS | 437 | 441 | 443))
                && case.is(|request| {
                    let is_whole = has_length(request, attribute::LIFETIME, 4)
                        && has_length(request, attribute::EVEN_PORT, 1)
                        && has_length(request, attribute::REQUESTED_ADDRESS_FAMILY, 4);
                    is_method(request.method) && !is_whole
                })
        },
    },
    // Refresh.
    Difference {
        name: "a Refresh of a family that nobody has is a mismatch of families",
        section: "RFC 8656 section 8.2",
        right: Right::Ours,
        why: "443 for a family other than the allocation's; theirs overlooks a family that it cannot read and refreshes all",
        facet: Facet::Act,
        holds: |case| {
            let is_odd = |value: &[u8]| value.len() == 4 && !matches!(value[0], 1 | 2);
            case.codes() == (443, SUCCESS)
                && case.asks(Method::REFRESH, |request| {
                    request.first(attribute::REQUESTED_ADDRESS_FAMILY).is_some_and(is_odd)
                })
        },
    },
    // Peers.
    Difference {
        name: "some peers are forbidden",
        section: "RFC 8656 sections 10.2, 12.2 and 21.3",
        right: Right::Both,
        why: "who may be a peer is the server's policy; theirs has none",
        facet: Facet::Act,
        holds: |case| {
            let is_forbidden =
                |request: &crate::request::Request| peers(request).any(|peer| peer == address(FORBIDDEN));
            matches!(case.codes(), (403, SUCCESS | 400 | 443)) && case.is(is_forbidden)
        },
    },
    Difference {
        name: "nobody is reached at port 0",
        section: "RFC 8656 section 12.2",
        right: Right::Both,
        why: "no datagram can be sent there; theirs binds the channel and would relay",
        facet: Facet::Act,
        holds: |case| {
            let is_refused = matches!(case.codes(), (403, SUCCESS | 400 | 443) | (SILENCE, DATA));
            is_refused && case.is(|request| peers(request).any(|peer| peer.port() == 0))
        },
    },
    Difference {
        name: "all peers of a CreatePermission are permitted or none",
        section: "RFC 8656 section 10.2",
        right: Right::Ours,
        why: "theirs answers 443 to a list with a peer of the wrong family, and yet permits those before it",
        facet: Facet::Act,
        holds: |case| case.codes() == (SILENCE, DATA) && case.is_half_permitted,
    },
    Difference {
        name: "a channel number has one peer",
        section: "RFC 8656 section 12.2",
        right: Right::Ours,
        why: "a number that is bound to another peer is refused with 400; theirs looks only for the peer, and binds the number twice",
        facet: Facet::Act,
        holds: |case| {
            case.codes() == (400, SUCCESS)
                && case.asks(Method::CHANNEL_BIND, |request| {
                    has_length(request, attribute::CHANNEL_NUMBER, 4) && peers(request).next().is_some()
                })
        },
    },
    Difference {
        name: "a number that cannot be bound and a peer of the wrong family are both wrong",
        section: "RFC 8656 section 12.2",
        right: Right::Both,
        why: "two faults in one request: ours names the number with 400, theirs the family with 443",
        facet: Facet::Act,
        holds: |case| case.codes() == (400, 443) && case.asks(Method::CHANNEL_BIND, |_| true),
    },
    Difference {
        name: "a channel outlives the permission",
        section: "RFC 8656 section 12.6",
        right: Right::Both,
        why: "of ChannelData the RFC discards what comes on an unbound channel, and does not ask for a permission; theirs does",
        facet: Facet::Act,
        holds: |case| case.codes() == (DATA, SILENCE) && case.request().is_none() && case.is_permission_old,
    },
    // How an answer looks.
    Difference {
        name: "an answer goes to who asked",
        section: "RFC 8489 section 6.3.1.1",
        right: Right::Ours,
        why: "theirs addresses the success of a Binding to itself",
        facet: Facet::Destination,
        holds: |case| {
            let is_misled = case.both().is_some_and(|(_, theirs)| LISTEN.contains(&&*theirs.to.to_string()));
            is_misled && case.asks(Method::BINDING, |_| true)
        },
    },
    Difference {
        name: "NONCE and REALM stand only in challenges",
        section: "RFC 8489 section 9.2.4",
        right: Right::Ours,
        why: "they should not stand in other answers, and a client ignores a nonce that announces password algorithms without PASSWORD-ALGORITHMS (section 9.2.5); theirs puts them into every answer to who was challenged",
        facet: Facet::Challenge,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| {
                !matches!(ours.code, 401 | 438) && ours.nonce.is_none() && theirs.nonce.is_some()
            })
        },
    },
    Difference {
        name: "every challenge offers the password algorithms",
        section: "RFC 8489 section 9.2.4",
        right: Right::Ours,
        why: "401 and 438 must have PASSWORD-ALGORITHMS if the nonce announces them, else the client must not try again (section 9.2.5); theirs leaves them out of 438, and of 401 to who has proved himself before",
        facet: Facet::PasswordAlgorithms,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| {
                matches!(ours.code, 401 | 438) && ours.algorithms.is_some() && theirs.algorithms.is_none()
            })
        },
    },
    Difference {
        name: "an answer does not say how the key was made",
        section: "RFC 8489 section 14.12",
        right: Right::Ours,
        why: "PASSWORD-ALGORITHM is for requests; theirs repeats it in signed answers",
        facet: Facet::PasswordAlgorithm,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| ours.algorithm.is_none() && theirs.algorithm.is_some())
        },
    },
    Difference {
        name: "a challenge is not signed",
        section: "RFC 8489 section 9.2.4",
        right: Right::Ours,
        why: "401 should have no MESSAGE-INTEGRITY, but may where the name is wrong; theirs signs it with the key of who proved himself from there before",
        facet: Facet::Integrity,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| {
                ours.code == 401 && ours.seal.is_none() && theirs.seal.is_some()
            })
        },
    },
    Difference {
        name: "an answer has a FINGERPRINT if the request had one",
        section: "RFC 8489 section 7",
        right: Right::Both,
        why: "the RFC leaves it to the usage; theirs has one in the success of a Binding, in 437 and in 443, asked or not, and in no other answer",
        facet: Facet::Fingerprint,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| match theirs.fingerprint {
                true => matches!(ours.code, 437 | 443) || ours.method == Method::BINDING,
                false => case.is(|request| request.fingerprint == Fingerprint::Right),
            })
        },
    },
    Difference {
        name: "an answer says everything once",
        section: "RFC 8489 section 14",
        right: Right::Both,
        why: "a receiver takes the first; theirs repeats LIFETIME and XOR-MAPPED-ADDRESS for each of two relayed addresses",
        facet: Facet::Repeated,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| {
                ours.repeated.is_empty()
                    && ours.relayed.len() == 2
                    && theirs.repeated == [attribute::LIFETIME, attribute::XOR_MAPPED_ADDRESS]
            })
        },
    },
    Difference {
        name: "nobody says what program this is",
        section: "RFC 8489 section 14.14",
        right: Right::Both,
        why: "SOFTWARE is recommended; ours keeps answers short, theirs has it in 420",
        facet: Facet::Software,
        holds: |case| {
            case.both().is_some_and(|(ours, theirs)| ours.code == 420 && !ours.software && theirs.software)
        },
    },
];
