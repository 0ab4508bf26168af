//! The browser's interfaces that the page uses; nothing outside this module touches `web_sys` calls of weight.

pub(crate) mod clipboard;
pub(crate) mod connection;
pub(crate) mod devices;
pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod link;
pub(crate) mod location;
pub(crate) mod media;
pub(crate) mod meter;
pub(crate) mod room;
pub(crate) mod settings;
pub(crate) mod storage;
pub(crate) mod timer;
