//! What each name server of a zone says by itself.

use std::net::{IpAddr, SocketAddr};

use mailproof_cli::network;
use mailproof_dns::{Answers, Name, Question, Resolver as _};
use mailproof_dns_hickory::{Limits, NameServer};
use mailproof_records::Server;

use super::Visit;
use super::connect::is_forbidden;

impl Visit<'_> {
    /// The answers of a name server, at the first of its addresses.
    pub(super) async fn server(&self, name: &Name, questions: &[Question]) -> Option<Server> {
        let addresses = self.addresses(name).await.ok()?;
        let is_open = |address: &&IpAddr| self.network.is_private || !is_forbidden(**address);
        let address = *addresses.iter().find(is_open)?;
        let _permit = self.network.permits.acquire().await.ok()?;
        let place = NameServer(SocketAddr::new(address, self.network.ports.ns));
        let limits = Limits { timeout: self.network.timeout, ..Limits::default() };
        let resolver = network::resolver(&[place], &limits).ok()?;
        let mut answers = Answers::new();
        for question in questions {
            answers.insert(question.clone(), resolver.lookup(question).await);
        }
        Some(Server { name: name.clone(), address, answers })
    }
}
