//! The call page: mounts the views and starts the driver.

mod model;

fn main() {}
