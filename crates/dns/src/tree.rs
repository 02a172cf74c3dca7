//! The tree of names of a zone (RFC 1034 3.1), and what each name owns.

use std::collections::BTreeMap;

use crate::zone::Record;
use crate::zone_error::MasterFileErrorKind as Kind;
use crate::{Data, Name, RecordType, Response};

/// What a name owns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) sets: BTreeMap<RecordType, Set>,
    /// The answer for types that have no set; NODATA where nothing is scripted.
    pub(crate) otherwise: Option<Response>,
}

#[derive(Debug, Clone)]
pub(crate) enum Set {
    /// Indexes of `Zone::records`, at least one.
    Records(Vec<usize>),
    Scripted(Response),
}

pub(crate) static EMPTY_NODE: Node = Node { sets: BTreeMap::new(), otherwise: None };

impl Node {
    pub(crate) fn script(
        &mut self,
        rtype: Option<RecordType>,
        response: Response,
    ) -> Result<(), Kind> {
        let Some(rtype) = rtype else {
            let other = self.otherwise.replace(response.clone());
            return if other.is_none_or(|other| other == response) {
                Ok(())
            } else {
                Err(Kind::Contradiction)
            };
        };
        match self.sets.get(&rtype) {
            Some(Set::Scripted(other)) if *other == response => Ok(()),
            Some(_) => Err(Kind::Contradiction),
            None => {
                self.sets.insert(rtype, Set::Scripted(response));
                Ok(())
            }
        }
    }

    /// Adds the record that will be the one at `index` of `records`.
    pub(crate) fn add(
        &mut self,
        data: &Data,
        records: &[Record],
        index: usize,
    ) -> Result<(), Kind> {
        let rtype = data.rtype();
        let mut others = self.sets.iter().filter(|(_, set)| matches!(set, Set::Records(_)));
        let is_cname = rtype == RecordType::Cname;
        if others.any(|(other, _)| is_cname != (*other == RecordType::Cname)) {
            return Err(Kind::CnameAndOther);
        }
        match self.sets.get_mut(&rtype) {
            None => {
                self.sets.insert(rtype, Set::Records(vec![index]));
            }
            Some(Set::Scripted(_)) => return Err(Kind::Contradiction),
            Some(Set::Records(set)) => {
                let first = set.first().and_then(|&first| records.get(first));
                if is_cname && first.is_some_and(|first| first.data != *data) {
                    return Err(Kind::SeveralCnames);
                }
                set.push(index);
            }
        }
        Ok(())
    }
}

/// The labels of a name from the root down, each after its length: what is below a name has the
/// name's key as its prefix and so directly follows it in octet order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TreeKey(Vec<u8>);

impl TreeKey {
    pub(crate) fn of(name: &Name) -> TreeKey {
        let mut key = TreeKey(Vec::with_capacity(name.wire().len() + 2));
        let labels: Vec<&[u8]> = name.labels().collect();
        for label in labels.into_iter().rev() {
            key.push_label(label);
        }
        key
    }

    pub(crate) fn push_label(&mut self, label: &[u8]) {
        self.0.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        self.0.extend_from_slice(label);
    }

    /// Takes the lowest label away; `false` at the root.
    pub(crate) fn pop_label(&mut self) -> bool {
        let mut rest = self.0.as_slice();
        let mut last = None;
        while let Some((&length, labels)) = rest.split_first() {
            last = Some(self.0.len() - rest.len());
            rest = labels.get(usize::from(length)..).unwrap_or_default();
        }
        self.0.truncate(last.unwrap_or(0));
        last.is_some()
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_below(&self, ancestor: &TreeKey) -> bool {
        self.0.starts_with(&ancestor.0)
    }
}
