//! The forms that are languages of their own.

use super::master_file::{self, quote};
use super::{NoName, absolute, text};
use crate::record::{Record, RecordData};

/// Resources of the provider hashicorp/aws; `var.zone_id` is the hosted zone's.
pub(super) fn terraform(record: &Record) -> Result<String, NoName> {
    let name = absolute(record)?;
    let label: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // The provider puts quotation marks around the whole, so those between strings are written here.
    let value = match &record.data {
        RecordData::Txt(text) => {
            let strings: String = text.strings().iter().map(|string| quote(string)).collect();
            let inner = strings.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
            inner.unwrap_or_default().to_owned()
        }
        RecordData::Cname(target) => format!("{target}."),
    };
    Ok(format!(
        "resource \"aws_route53_record\" \"dkim_{label}\" {{\n  \
           zone_id = var.zone_id\n  \
           name    = {}\n  \
           type    = \"{}\"\n  \
           ttl     = {}\n  \
           records = [{}]\n\
         }}",
        hcl(&name),
        record.data.kind(),
        record.ttl,
        hcl(&value),
    ))
}

/// A string of HCL: `${` and `%{` would begin a template.
fn hcl(text: &str) -> String {
    quote(text).replace("${", "$${").replace("%{", "%%{")
}

/// An entry of a zone's YAML for each record; octoDNS divides the text into strings itself.
pub(super) fn octodns(records: &[Record]) -> String {
    let entry = |record: &Record| {
        let value = match &record.data {
            // octoDNS wants each semicolon escaped, as in its own escaped_semicolons.
            RecordData::Txt(_) => text(record).replace(';', "\\;"),
            RecordData::Cname(target) => format!("{target}."),
        };
        // In single quotation marks YAML has no escapes but the doubled mark.
        let value = value.replace('\'', "''");
        let (kind, ttl) = (record.data.kind(), record.ttl);
        let name = match record.owner.relative() {
            name if name.contains("._domainkey") => name.to_owned(),
            // Others may be a number, a date or a truth value to YAML.
            name => format!("'{name}'"),
        };
        format!("{name}:\n  ttl: {ttl}\n  type: {kind}\n  value: '{value}'\n")
    };
    records.iter().map(entry).collect()
}

/// Records for a domain that the configuration has a D() for; dnscontrol divides the text itself.
pub(super) fn dnscontrol(records: &[Record]) -> Result<String, NoName> {
    let Some(zone) = records.first().map(|record| record.owner.zone().ok_or(NoName)) else {
        return Ok(String::new());
    };
    let mut program = format!("D_EXTEND(\"{}\"", zone?);
    for record in records {
        let (name, kind, ttl) = (record.owner.relative(), record.data.kind(), record.ttl);
        let value = match &record.data {
            RecordData::Txt(_) => quote(&text(record)),
            RecordData::Cname(target) => format!("\"{target}.\""),
        };
        program += &format!(",\n  {kind}(\"{name}\", {value}, TTL({ttl}))");
    }
    Ok(program + "\n);\n")
}

/// An update that adds; nothing is deleted. Without a line "zone" nsupdate asks for it.
pub(super) fn nsupdate(records: &[Record]) -> Result<String, NoName> {
    let mut script = String::new();
    for record in records {
        let (name, kind) = (absolute(record)?, record.data.kind());
        script +=
            &format!("update add {name}. {} {kind} {}\n", record.ttl, master_file::data(record));
    }
    Ok(script + "send\n")
}
