//! Other people's TURN beside ours. There is nothing here but tests: `tests/clients` has their clients talk with our relay over
//! real sockets, `tests/differential` gives the same packets to their server and to ours.

#![forbid(unsafe_code)]
