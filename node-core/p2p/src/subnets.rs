//! The limits of connections by subnet: whoever has many addresses next to one another is one stranger here.
//!
//! An IPv4 /24 and an IPv6 /64 are the least that is handed to one customer. Connections are counted in both directions:
//! whom this node dials is what others told it. An operator's own networks are exempt (loopback, private and
//! link-local addresses, and what is no IP address): nobody out there has an address in them, a test network has all
//! of its nodes there, and a proxy in front of the WebSocket port has all of its clients behind one. The limits of all
//! connections, of a peer's and of pending ones hold for them as well.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm, ListenFailure,
    NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId as Theirs};

/// Connections with one subnet: a rack of honest nodes in a data centre, and a thirty-second of the default limit of
/// all connections.
pub(crate) const MAX_ESTABLISHED: u32 = 32;
/// Connections from one subnet that are on their way: an eighth of those that may be at all.
pub(crate) const MAX_PENDING: u32 = 16;

/// A connection was one too many of its subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} connections of subnet {subnet:?}")]
pub(crate) struct Crowded {
    subnet: Subnet,
    limit: u32,
}

/// What one customer has at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subnet {
    /// The first 24 bits of an IPv4 address.
    V4([u8; 3]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
}

/// Counts connections by subnet, and denies those that are too many.
#[derive(Debug, Default)]
pub(crate) struct Subnets {
    pending: Counts,
    established: Counts,
}

/// Connections, and how many of them each subnet has.
#[derive(Debug, Default)]
struct Counts {
    of: HashMap<ConnectionId, Subnet>,
    counts: HashMap<Subnet, u32>,
}

impl Counts {
    fn enter(
        &mut self,
        connection: ConnectionId,
        subnet: Subnet,
        limit: u32,
    ) -> Result<(), ConnectionDenied> {
        let count = self.counts.entry(subnet).or_default();
        if *count >= limit {
            return Err(ConnectionDenied::new(Crowded { subnet, limit }));
        }
        *count += 1;
        if let Some(before) = self.of.insert(connection, subnet) {
            // It was counted already: one of both goes.
            self.discount(before);
        }
        Ok(())
    }

    fn leave(&mut self, connection: ConnectionId) {
        if let Some(subnet) = self.of.remove(&connection) {
            self.discount(subnet);
        }
    }

    fn discount(&mut self, subnet: Subnet) {
        if let Some(count) = self.counts.get_mut(&subnet) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&subnet);
            }
        }
    }
}

impl Subnets {
    fn establish(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        self.pending.leave(connection);
        match subnet(remote) {
            Some(subnet) => self.established.enter(connection, subnet, MAX_ESTABLISHED),
            None => Ok(()),
        }
    }
}

impl NetworkBehaviour for Subnets {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match subnet(remote) {
            Some(subnet) => self.pending.enter(connection, subnet, MAX_PENDING),
            None => Ok(()),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: Theirs,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.establish(connection, remote).map(|()| dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: Theirs,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.establish(connection, remote).map(|()| dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.established.leave(connection_id);
            }
            // Another behaviour may have denied a connection that was counted here as established.
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.pending.leave(connection_id);
                self.established.leave(connection_id);
            }
            FromSwarm::DialFailure(DialFailure { connection_id, .. }) => {
                self.established.leave(connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: Theirs, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// The subnet of an address; `None` if it is exempt.
fn subnet(address: &Multiaddr) -> Option<Subnet> {
    let address = address.iter().find_map(|part| match part {
        Protocol::Ip4(address) => Some(IpAddr::V4(address)),
        Protocol::Ip6(address) => Some(IpAddr::V6(address)),
        _ => None,
    })?;
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let own = address.is_loopback() || address.is_private() || address.is_link_local();
            let [a, b, c, _] = address.octets();
            (!own).then_some(Subnet::V4([a, b, c]))
        }
        IpAddr::V6(address) => {
            let own = address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local();
            let prefix = address.octets().first_chunk().copied()?;
            (!own).then_some(Subnet::V6(prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: &str) -> Multiaddr {
        let version = if ip.contains(':') { "ip6" } else { "ip4" };
        format!("/{version}/{ip}/tcp/4001").parse().unwrap()
    }

    fn arrive(subnets: &mut Subnets, number: usize, ip: &str) -> Result<(), Crowded> {
        let own = address("203.0.113.1");
        let crowded = |denied: ConnectionDenied| denied.downcast::<Crowded>().unwrap();
        let connection = ConnectionId::new_unchecked(number);
        subnets.handle_pending_inbound_connection(connection, &own, &address(ip)).map_err(crowded)
    }

    fn shake(subnets: &mut Subnets, number: usize, ip: &str) -> Result<(), Crowded> {
        let own = address("203.0.113.1");
        let crowded = |denied: ConnectionDenied| denied.downcast::<Crowded>().unwrap();
        let connection = ConnectionId::new_unchecked(number);
        subnets
            .handle_established_inbound_connection(connection, Theirs::random(), &own, &address(ip))
            .map(|_| ())
            .map_err(crowded)
    }

    fn leave(subnets: &mut Subnets, number: usize, ip: &str) {
        let (peer_id, send_back_addr, local_addr) = (Theirs::random(), address(ip), address("203.0.113.1"));
        let endpoint = libp2p::core::ConnectedPoint::Listener { local_addr, send_back_addr };
        subnets.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
            peer_id,
            connection_id: ConnectionId::new_unchecked(number),
            endpoint: &endpoint,
            cause: None,
            remaining_established: 0,
        }));
    }

    #[test]
    fn one_subnet_takes_its_share_and_no_more() {
        for (crowd, neighbour) in [("198.51.100", "198.51.101.1"), ("2001:db8:0:1:", "2001:db8:0:2::1")] {
            let mut subnets = Subnets::default();
            let ip = |number: usize| {
                if crowd.contains(':') { format!("{crowd}:{number:x}") } else { format!("{crowd}.{number}") }
            };
            let of = subnet(&address(&ip(1))).unwrap();
            for number in 0..MAX_ESTABLISHED as usize {
                arrive(&mut subnets, number, &ip(number)).unwrap();
                shake(&mut subnets, number, &ip(number)).unwrap();
            }
            for number in 100..100 + MAX_PENDING as usize {
                arrive(&mut subnets, number, &ip(number)).unwrap();
            }
            let pending = Err(Crowded { subnet: of, limit: MAX_PENDING });
            assert_eq!(arrive(&mut subnets, 200, &ip(200)), pending);
            let established = Err(Crowded { subnet: of, limit: MAX_ESTABLISHED });
            assert_eq!(shake(&mut subnets, 100, &ip(100)), established);
            arrive(&mut subnets, 201, neighbour).unwrap();
            shake(&mut subnets, 201, neighbour).unwrap();
            leave(&mut subnets, 0, &ip(0));
            shake(&mut subnets, 101, &ip(101)).unwrap();
            // One that was denied after all left no trace.
            arrive(&mut subnets, 202, &ip(202)).unwrap();
        }
    }

    #[test]
    fn an_ended_connection_leaves_no_count() {
        let mut subnets = Subnets::default();
        for number in 0..100 {
            arrive(&mut subnets, number, "198.51.100.1").unwrap();
            shake(&mut subnets, number, "198.51.100.1").unwrap();
            leave(&mut subnets, number, "198.51.100.1");
        }
        assert!(subnets.pending.counts.is_empty() && subnets.pending.of.is_empty());
        assert!(subnets.established.counts.is_empty() && subnets.established.of.is_empty());
    }

    #[test]
    fn own_networks_are_exempt_and_a_mapped_address_is_what_it_maps() {
        let exempt = [
            "127.0.0.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fe80::1",
            "fd00::1",
        ];
        for ip in exempt {
            assert_eq!(subnet(&address(ip)), None, "{ip}");
        }
        assert_eq!(subnet(&"/memory/1".parse().unwrap()), None);
        assert_eq!(subnet(&address("::ffff:198.51.100.7")), Some(Subnet::V4([198, 51, 100])));
        assert_eq!(subnet(&address("::ffff:127.0.0.1")), None);
        assert!(subnet(&address("100.64.0.1")).is_some(), "shared by a carrier's customers");
    }
}
