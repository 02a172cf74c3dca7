//! The forms of key records that people paste and programs read.

mod json;
mod master_file;
mod program;

use std::fmt;
use std::str::FromStr;

use crate::record::{Record, RecordData};

/// A form of key records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A master file (RFC 1035 5), to the byte as opendkim-genkey writes it.
    Bind,
    /// The text alone, for a web form with one field.
    SingleLine,
    /// The text as quoted character-strings of at most 255 octets, for a web form that wants them.
    Strings,
    /// A JSON document that has each record's name, in full and in its zone, text and strings.
    Json,
    /// A change batch of Amazon Route 53: `aws route53 change-resource-record-sets`.
    Route53,
    /// A batch of the Cloudflare API: `POST /zones/ZONE/dns_records/batch`.
    Cloudflare,
    /// Terraform and OpenTofu, for Route 53: resources `aws_route53_record`.
    Terraform,
    /// YAML of an octoDNS zone file.
    Octodns,
    /// JavaScript of a dnscontrol configuration.
    Dnscontrol,
    /// A script for nsupdate (RFC 2136).
    Nsupdate,
    /// A master file with a whole record on each line, for NSD and Knot DNS as for all others.
    Nsd,
    /// A change of the PowerDNS API: `PATCH /api/v1/servers/localhost/zones/ZONE`.
    Powerdns,
}

/// Why records cannot be printed in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The form has the whole name of the record, or its zone, and they are not known.
    #[error("the form {0} has the whole name of a record: name the domain")]
    NoDomain(Form),
}

/// Not the keyword of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no form of records has this name")]
pub struct UnknownForm;

impl Form {
    /// All forms.
    pub const ALL: [Form; 12] = [
        Form::Bind,
        Form::SingleLine,
        Form::Strings,
        Form::Json,
        Form::Route53,
        Form::Cloudflare,
        Form::Terraform,
        Form::Octodns,
        Form::Dnscontrol,
        Form::Nsupdate,
        Form::Nsd,
        Form::Powerdns,
    ];

    /// A stable word for the form.
    pub fn keyword(self) -> &'static str {
        match self {
            Form::Bind => "bind",
            Form::SingleLine => "single-line",
            Form::Strings => "strings",
            Form::Json => "json",
            Form::Route53 => "route53",
            Form::Cloudflare => "cloudflare",
            Form::Terraform => "terraform",
            Form::Octodns => "octodns",
            Form::Dnscontrol => "dnscontrol",
            Form::Nsupdate => "nsupdate",
            Form::Nsd => "nsd",
            Form::Powerdns => "powerdns",
        }
    }

    /// Records of one zone in this form, as one document that ends with a line end.
    ///
    /// # Errors
    /// The form needs the domain, and it is not known.
    pub fn print(self, records: &[Record]) -> Result<String, FormError> {
        let lines = |line: &dyn Fn(&Record) -> Result<String, NoName>| {
            records.iter().map(|record| Ok(line(record)? + "\n")).collect()
        };
        match self {
            Form::Bind => lines(&master_file::bind),
            Form::SingleLine => lines(&|record| Ok(text(record))),
            Form::Strings => lines(&|record| Ok(master_file::data(record))),
            Form::Nsd => lines(&master_file::line),
            Form::Json => Ok(json::records(records)),
            Form::Route53 => json::route53(records),
            Form::Cloudflare => json::cloudflare(records),
            Form::Powerdns => json::powerdns(records),
            Form::Terraform => lines(&program::terraform),
            Form::Octodns => Ok(program::octodns(records)),
            Form::Dnscontrol => program::dnscontrol(records),
            Form::Nsupdate => program::nsupdate(records),
        }
        .map_err(|NoName| FormError::NoDomain(self))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Form, UnknownForm> {
        Form::ALL.into_iter().find(|form| form.keyword() == text).ok_or(UnknownForm)
    }
}

/// The name of a record is not known in full.
struct NoName;

fn absolute(record: &Record) -> Result<String, NoName> {
    record.owner.absolute().ok_or(NoName)
}

/// What the record says, joined and without quotation marks.
fn text(record: &Record) -> String {
    match &record.data {
        RecordData::Txt(text) => text.to_string(),
        RecordData::Cname(target) => target.to_string(),
    }
}
