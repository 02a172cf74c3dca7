//! The envelope of a message that is no longer in its SMTP session.

use std::net::IpAddr;

use clap::Args;
use mailproof_cli::escape::safe;
use mailproof_message::{AddressList, Field, Header, Limits, Received, return_path};

/// The envelope on the command line.
#[derive(Debug, Args)]
#[command(next_help_heading = "Envelope")]
pub(crate) struct EnvelopeOptions {
    /// The host that hands the message over; with this and the next two, the tool tells what
    /// receivers will say when this host sends the message
    #[arg(long, value_name = "IP")]
    pub(crate) sending_ip: Option<IpAddr>,

    /// The name that it gives in HELO
    #[arg(long, value_name = "NAME")]
    pub(crate) helo: Option<String>,

    /// The reverse-path, empty for the null one; without it that of Return-Path, else the address
    /// in From
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// Believe the Received field at the top if this host wrote it, and each below it if the one
    /// above says that the message came from such a host; the last tells the envelope, where the
    /// message came in (a name or an address; may be given several times)
    #[arg(long, value_name = "HOST")]
    pub(crate) trust: Vec<String>,

    /// Whose results these are, in the Authentication-Results field
    #[arg(long, value_name = "NAME", default_value = "check-headers.invalid")]
    pub(crate) receiver: String,
}

/// The envelope, and where it is from.
pub(crate) struct Envelope {
    pub(crate) ip: IpAddr,
    pub(crate) helo: String,
    pub(crate) mail_from: String,
    /// What was not given but taken from the message, safe to print.
    pub(crate) derived: Vec<String>,
}

/// What is known of the envelope, or why nothing is.
pub(crate) fn envelope(options: &EnvelopeOptions, header: &Header) -> Result<Envelope, String> {
    let mut derived = Vec::new();
    let hop = match (&options.sending_ip, options.trust.as_slice()) {
        (Some(_), _) => None,
        (None, []) => {
            return Err(
                "no envelope: give --sending-ip, or --trust with the name of the host that \
                        received the message"
                    .into(),
            );
        }
        (None, trusted) => Some(entry(header, trusted, &mut derived)?),
    };
    let ip = match (options.sending_ip, &hop) {
        (Some(ip), _) => ip,
        (None, Some((field, received))) => {
            let ip = received.client.ok_or_else(|| {
                format!(
                    "the Received field in {} does not tell the client's address",
                    line(header, field)
                )
            })?;
            derived.push(format!("client {ip} from Received in {}", line(header, field)));
            ip
        }
        (None, None) => return Err("no envelope".into()),
    };
    let from_hop = hop.as_ref().and_then(|(field, received)| Some((field, received.helo.clone()?)));
    let helo = match (&options.helo, from_hop) {
        (Some(helo), _) => helo.clone(),
        (None, Some((field, helo))) => {
            derived.push(format!("HELO {} from Received in {}", safe(&helo), line(header, field)));
            helo
        }
        // RFC 5321 4.1.4: a client without a name gives an address literal.
        (None, None) => format!("[{ip}]"),
    };
    let mail_from = match &options.mail_from {
        Some(path) => path.clone(),
        None => reverse_path(header, hop.as_ref(), &mut derived)?,
    };
    Ok(Envelope { ip, helo, mail_from, derived })
}

/// The Received field of the trusted host where the message came in.
///
/// A sender can write fields below it that name any host. So one counts only if the field above it,
/// which counts, says that the message came from a trusted host.
fn entry<'h>(
    header: &'h Header,
    trusted: &[String],
    derived: &mut Vec<String>,
) -> Result<(Field<'h>, Received), String> {
    let is_trusted = |host: &str| trusted.iter().any(|trusted| same_host(trusted, host));
    let mut found: Option<(Field<'h>, Received)> = None;
    for field in header.named("Received") {
        let received = Received::parse(field.value());
        let by = received.by.clone().unwrap_or_default();
        // A filter on the same host.
        let is_local =
            found.as_ref().is_some_and(|(_, above)| above.client.is_some_and(is_loopback))
                && same_host("localhost", &by);
        match &found {
            None if !is_trusted(&by) => {
                return Err(format!(
                    "no envelope: the Received field at the top ({}) is of {:?}, which --trust \
                     does not name",
                    line(header, &field),
                    safe(&by).to_string()
                ));
            }
            Some(_) if !is_trusted(&by) && !is_local => break,
            Some((above, hop)) if !came_from(hop, is_trusted) => {
                let client = hop.client.map(|client| format!(" {client}")).unwrap_or_default();
                derived.push(format!(
                    "that Received in {} is not of {}: the one in {} came from another \
                     client{client} (which --trust may name, too)",
                    line(header, &field),
                    safe(&by),
                    line(header, above)
                ));
                break;
            }
            _ => found = Some((field, received)),
        }
    }
    found.ok_or_else(|| "no envelope: the message has no Received field".into())
}

/// Whether a field that can be believed says that the message came from a trusted host: what the
/// client says of itself, in HELO, does not count if there is an address.
fn came_from(hop: &Received, is_trusted: impl Fn(&str) -> bool) -> bool {
    match hop.client {
        Some(ip) => {
            let name = hop.client_name.as_deref().unwrap_or_default();
            is_loopback(ip) || is_trusted(&ip.to_string()) || is_trusted(name)
        }
        // Handed over within a host, or by LMTP, where addresses are not told.
        None => hop.helo.as_deref().is_none_or(is_trusted),
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn same_host(one: &str, other: &str) -> bool {
    let plain = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
    plain(one) == plain(other)
}

fn reverse_path(
    header: &Header,
    hop: Option<&(Field<'_>, Received)>,
    derived: &mut Vec<String>,
) -> Result<String, String> {
    // Below the field of the host where the message came in, it is the sender's word.
    let is_told =
        |field: &Field<'_>| hop.is_none_or(|(entry, _)| field.range().start < entry.range().start);
    if let Some((field, path)) = return_path(header).filter(|(field, _)| is_told(field)) {
        derived.push(format!(
            "MAIL FROM <{}> from Return-Path in {}",
            safe(&path),
            line(header, &field)
        ));
        return Ok(path);
    }
    if let Some(path) = hop.and_then(|(_, hop)| hop.envelope_from.clone()) {
        derived.push(format!("MAIL FROM <{}> from Received", safe(&path)));
        return Ok(path);
    }
    let author = header.named("From").next().and_then(|field| {
        let list = AddressList::parse(field.value(), &Limits::default()).ok()?;
        let mailbox = list.mailboxes.first()?;
        let local = std::str::from_utf8(field.value().get(mailbox.local_part.clone())?).ok()?;
        Some((field, format!("{local}@{}", mailbox.domain.name().ok()?)))
    });
    let (field, path) = author.ok_or_else(|| String::from("no envelope: give --mail-from"))?;
    derived.push(format!("MAIL FROM <{}> from From in {}", safe(&path), line(header, &field)));
    Ok(path)
}

/// In which line of the message a field begins, in words.
fn line(header: &Header, field: &Field<'_>) -> String {
    format!("line {}", line_number(header, field))
}

/// In which line of the message a field begins, from 1.
pub(crate) fn line_number(header: &Header, field: &Field<'_>) -> usize {
    let before = header.octets().get(..field.range().start).unwrap_or_default();
    before.iter().filter(|&&octet| octet == b'\n').count() + 1
}
