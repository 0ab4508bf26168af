//! The call page: reads the address, starts the driver and mounts the views.
#![forbid(unsafe_code)]

mod browser;
mod driver;
mod local;
mod model;
#[cfg(feature = "scenes")]
mod scene;
mod shell;
mod signals;
mod text;
mod view;

use any_spawner::Executor;
use signals::Owner;

fn main() {
    // Fails only where another executor runs already.
    let _ = Executor::init_wasm_bindgen();
    let owner = Owner::new();
    owner.with(|| {
        let address = browser::location::Address::read();
        let model = model::Model::new();
        let driver = driver::Driver::new(model);
        let shell = shell::Shell::start(model, driver, &address);
        #[cfg(feature = "scenes")]
        scene::set(model, &address);
        view::show(shell, view::language::wanted(address.lang));
    });
    // The page lives as long as its tab.
    std::mem::forget(owner);
}
