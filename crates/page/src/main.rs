//! The call page: reads the address, starts the driver and mounts the views.
#![forbid(unsafe_code)]

mod browser;
mod driver;
mod local;
mod model;
#[cfg(feature = "scenes")]
mod scene;
mod shell;
mod text;
mod view;

use leptos::prelude::*;

fn main() {
    mount_to_body(|| {
        let address = browser::location::Address::read();
        let model = model::Model::new();
        let driver = driver::Driver::new(model);
        let shell = shell::Shell::start(model, driver, &address);
        #[cfg(feature = "scenes")]
        scene::set(model, &address);
        view::page(shell, text::from_browser(&address))
    });
}
