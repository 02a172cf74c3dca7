//! A question as the octets of a message (RFC 1035 4.1).

use crate::Question;

/// How long a UDP answer may be (RFC 6891 6.2.3): what fits into one packet of IPv6 on nearly every
/// way, so that no answer comes in fragments, which can be forged.
const PAYLOAD: u16 = 1232;

/// RFC 1035 4.1.1: RD, "directs the name server to pursue the query recursively".
const RECURSION_DESIRED: u16 = 0x0100;
/// RFC 6840 5.7: "setting the AD bit in a query as a signal indicating that the requester
/// understands and is interested in the value of the AD bit in the response".
const AUTHENTIC_DATA: u16 = 0x0020;
/// RFC 1035 3.2.4: IN.
pub(crate) const CLASS_IN: u16 = 1;
/// RFC 6891 6.1.1.
pub(crate) const TYPE_OPT: u16 = 41;

impl Question {
    /// The message that asks a recursive name server this question (RFC 1035 4.1), with EDNS(0)
    /// (RFC 6891) for UDP answers of up to 1232 octets. [`crate::Reply`] reads what comes back.
    ///
    /// The `id` must not be foreseeable (RFC 5452 9.2).
    pub fn to_message(&self, id: u16) -> Vec<u8> {
        let name = self.name.wire();
        // The header: one question, and the OPT record among the additional ones.
        let header = [id, RECURSION_DESIRED | AUTHENTIC_DATA, 1, 0, 0, 1];
        let fields = [self.rtype.code(), CLASS_IN];
        // The OPT record after its name, the root: version, flags and length are all 0.
        let opt = [TYPE_OPT, PAYLOAD, 0, 0, 0];
        let mut message = Vec::with_capacity(12 + name.len() + 1 + 4 + 1 + 10);
        message.extend(header.into_iter().flat_map(u16::to_be_bytes));
        message.extend_from_slice(name);
        message.push(0);
        message.extend(fields.into_iter().flat_map(u16::to_be_bytes));
        message.push(0);
        message.extend(opt.into_iter().flat_map(u16::to_be_bytes));
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet() {
        let question = Question::txt("a.Example".parse().unwrap());
        let message = question.to_message(0x1234);
        let header = [0x12, 0x34, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1];
        let section = b"\x01a\x07example\0\0\x10\0\x01";
        let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
        assert_eq!(message, [&header[..], section, &opt].concat());
    }
}
