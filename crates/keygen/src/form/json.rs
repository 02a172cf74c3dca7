//! The forms that are JSON.

use serde::Serialize;

use super::master_file::data;
use super::{NoName, absolute, text};
use crate::record::{Record, RecordData};

impl Serialize for Record {
    /// An object with the keys `name`, `relative_name`, `zone`, `type`, `ttl`, `text` and
    /// `strings`; names have no dot at their end, and `name` and `zone` are null where they are
    /// not known.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Object<'a> {
            name: Option<String>,
            relative_name: &'a str,
            zone: Option<String>,
            r#type: &'static str,
            ttl: u32,
            text: String,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            strings: Vec<String>,
        }
        Object {
            name: self.owner.absolute(),
            relative_name: self.owner.relative(),
            zone: self.owner.zone().map(ToString::to_string),
            r#type: self.data.kind(),
            ttl: self.ttl,
            text: text(self),
            strings: match &self.data {
                RecordData::Txt(text) => text.strings(),
                RecordData::Cname(_) => Vec::new(),
            },
        }
        .serialize(serializer)
    }
}

pub(super) fn records(records: &[Record]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        schema_version: u32,
        records: &'a [Record],
    }
    document(&Document { schema_version: 1, records })
}

/// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    changes: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    action: &'static str,
    resource_record_set: RecordSet,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordSet {
    name: String,
    r#type: &'static str,
    #[serde(rename = "TTL")]
    ttl: u32,
    resource_records: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    value: String,
}

pub(super) fn route53(records: &[Record]) -> Result<String, NoName> {
    let change = |record: &Record| {
        Ok(Change {
            // It replaces only what has the same name and type.
            action: "UPSERT",
            resource_record_set: RecordSet {
                name: absolute(record)? + ".",
                r#type: record.data.kind(),
                ttl: record.ttl,
                resource_records: vec![Value { value: data(record) }],
            },
        })
    };
    Ok(document(&Batch { changes: records.iter().map(change).collect::<Result<_, _>>()? }))
}

/// https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/batch/
pub(super) fn cloudflare(records: &[Record]) -> Result<String, NoName> {
    #[derive(Serialize)]
    struct Posts {
        posts: Vec<Post>,
    }
    #[derive(Serialize)]
    struct Post {
        name: String,
        r#type: &'static str,
        content: String,
        ttl: u32,
    }
    let post = |record: &Record| {
        Ok(Post {
            name: absolute(record)?,
            r#type: record.data.kind(),
            content: match &record.data {
                RecordData::Txt(_) => data(record),
                RecordData::Cname(target) => target.to_string(),
            },
            ttl: record.ttl,
        })
    };
    Ok(document(&Posts { posts: records.iter().map(post).collect::<Result<_, _>>()? }))
}

/// https://doc.powerdns.com/authoritative/http-api/zone.html#rrset
pub(super) fn powerdns(records: &[Record]) -> Result<String, NoName> {
    #[derive(Serialize)]
    struct Sets {
        rrsets: Vec<Set>,
    }
    #[derive(Serialize)]
    struct Set {
        name: String,
        r#type: &'static str,
        ttl: u32,
        changetype: &'static str,
        records: Vec<Content>,
    }
    #[derive(Serialize)]
    struct Content {
        content: String,
        disabled: bool,
    }
    let set = |record: &Record| {
        Ok(Set {
            name: absolute(record)? + ".",
            r#type: record.data.kind(),
            ttl: record.ttl,
            changetype: "REPLACE",
            records: vec![Content { content: data(record), disabled: false }],
        })
    };
    Ok(document(&Sets { rrsets: records.iter().map(set).collect::<Result<_, _>>()? }))
}

fn document(value: &impl Serialize) -> String {
    // Strings, numbers and lists of them cannot fail to be written to memory.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
