//! A message is read or refused at a place in it; what it says answers the question.
#![no_main]

use mailproof_dns::{Question, RecordType, Reply, Response};

const ID: u16 = 0x0102;

// The first octets are the type asked for, the flags, and the counts of the sections; the rest is
// what follows the question.
libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Some((&[rtype, flags, rcode, answers, authorities, additionals], sections)) =
        octets.split_first_chunk()
    else {
        return;
    };
    let rtype = RecordType::ALL[usize::from(rtype) % RecordType::ALL.len()];
    let question = Question::new("a.example".parse().unwrap(), rtype);
    let mut message = question.to_message(ID);
    // Without the OPT record, and as an answer.
    message.truncate(message.len() - 11);
    message[2] = 0x80 | flags & 0x07;
    message[3] = rcode;
    message[6..12].copy_from_slice(&[0, answers, 0, authorities, 0, additionals]);
    message.extend_from_slice(sections);
    match Reply::read(&message, ID, &question) {
        Ok(Reply::Response { response, ttl }) => {
            assert_eq!(response.failure(), None);
            if let Response::Records(set) = response {
                assert!(!set.records.is_empty() && set.aliases.len() <= 16);
                assert!(set.records.iter().all(|data| data.rtype() == rtype));
                assert_eq!(ttl, Some(set.ttl));
            }
        }
        Ok(Reply::Truncated | Reply::Inconclusive) => {}
        Err(error) => assert!(message.get(error.span).is_some()),
    }
});
