//! Connections whose queries ask for the AD bit, for which hickory-resolver has no option.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use hickory_resolver::config::ConnectionConfig;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::DnsHandle;
use hickory_resolver::proto::op::DnsRequest;
use hickory_resolver::{ConnectionProvider, PoolContext};

/// Makes the connections of a Tokio runtime.
#[derive(Clone, Default)]
pub(crate) struct Connections(TokioRuntimeProvider);

/// A connection whose queries have the AD bit.
#[derive(Clone)]
pub(crate) struct Connection(<TokioRuntimeProvider as ConnectionProvider>::Conn);

impl ConnectionProvider for Connections {
    type Conn = Connection;
    type FutureConn = Pin<Box<dyn Future<Output = Result<Connection, NetError>> + Send>>;
    type RuntimeProvider = TokioRuntimeProvider;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        context: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let connecting = self.0.new_connection(ip, config, context)?;
        Ok(Box::pin(async { connecting.await.map(Connection) }))
    }

    fn runtime_provider(&self) -> &TokioRuntimeProvider {
        &self.0
    }
}

impl DnsHandle for Connection {
    type Response = <<TokioRuntimeProvider as ConnectionProvider>::Conn as DnsHandle>::Response;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, mut request: DnsRequest) -> Self::Response {
        // RFC 6840 5.7: "setting the AD bit in a query as a signal indicating that the requester
        // understands and is interested in the value of the AD bit in the response".
        request.metadata.authentic_data = true;
        self.0.send(request)
    }
}
