//! coturn's client and peer exchange packets through our relay.
#![allow(clippy::unwrap_used)]

use std::fs;

use anyhow::{Result, ensure};
use visavis_lab::{
    Lab,
    coturn::{self, Transport},
    lab,
};

#[test]
fn no_packet_is_lost_over_udp() {
    lab::run(async |lab| exchange(lab, Transport::Udp).await);
}

#[test]
fn no_packet_is_lost_over_tcp() {
    lab::run(async |lab| exchange(lab, Transport::Tcp).await);
}

#[test]
fn no_packet_is_lost_over_tls_on_the_port_of_the_page() {
    lab::run(async |lab| exchange(lab, Transport::Tls(8443)).await);
}

async fn exchange(lab: &mut Lab, transport: Transport) -> Result<()> {
    let password = lab.folder().join("password");
    fs::write(&password, "secret\n")?;
    lab.server(&["--turn-user", &format!("lab:{}", password.display())]).await?;
    let machine = lab.machine("peer")?;
    let _peer = coturn::peer(&machine, &lab.folder())?;
    let (sent, received) =
        coturn::exchange(&lab.machine("client")?, transport, ("lab", "secret"), machine.address)?;
    ensure!(sent >= 400 && received == sent, "{received} of {sent} packets came back");
    Ok(())
}
