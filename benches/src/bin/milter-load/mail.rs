//! What is sent, and what must be heard about it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use mailproof_benches::dkim::{DOMAIN, Rsa, SELECTOR};
use mailproof_benches::{HEADER, Kind, body};
use mailproof_dkim::{DkimResult, EightBit, Signer, Template, Verifier};
use mailproof_dns::Answers;
use mailproof_message::split;

/// The name of the MTA, and so the authserv-id.
pub(crate) const MTA: &str = "mx.example.net";

/// The address of the client that may send for example.org.
const GOOD: &str = "192.0.2.17:25";
/// One that may not.
const BAD: &str = "198.51.100.1:25";
/// One whose mail is signed.
const OWN: &str = "127.0.0.1:25";

/// Names and values of header fields, a value with its leading space, folds as LF.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// How a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With its reply.
    Reply,
    /// The MTA gives it up amid the body.
    Abort,
    /// The connection breaks amid the body.
    Break,
}

/// A message.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) client: SocketAddrV4,
    pub(crate) sender: &'static [u8],
    pub(crate) fields: Fields,
    pub(crate) body: Rc<[u8]>,
    pub(crate) end: End,
    pub(crate) expected: Rc<Expected>,
}

/// What must be heard: what was heard the first time, which must have these words.
pub(crate) struct Expected {
    /// The command of the reply.
    reply: u8,
    words: Vec<&'static str>,
    /// By the t= of the signature, if there is one.
    heard: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
    /// The message whose signature is to be verified.
    signed: Option<(Vec<u8>, Answers)>,
}

impl Expected {
    pub(crate) fn new(reply: u8, words: &[&'static str]) -> Rc<Expected> {
        Rc::new(Expected { reply, words: words.to_vec(), heard: RefCell::default(), signed: None })
    }

    /// Whether these frames, the last of them the reply, are right.
    pub(crate) fn check(&self, heard: &[u8], reply: u8) -> Result<(), String> {
        let time = if self.signed.is_some() { signature_time(heard) } else { Vec::new() };
        let mut all = self.heard.borrow_mut();
        if let Some(first) = all.get(&time) {
            return if first == heard {
                Ok(())
            } else {
                Err(format!("{} instead of {}", heard.escape_ascii(), first.escape_ascii()))
            };
        }
        if reply != self.reply {
            return Err(format!("reply {:?}: {}", char::from(reply), heard.escape_ascii()));
        }
        let text = String::from_utf8_lossy(heard);
        if let Some(word) = self.words.iter().find(|word| !text.contains(**word)) {
            return Err(format!("no {word}: {}", heard.escape_ascii()));
        }
        if let Some((message, answers)) = &self.signed {
            verify(heard, message, answers)?;
        }
        all.insert(time, heard.to_vec());
        Ok(())
    }
}

/// The signature that was inserted must be good. The same time gives the same signature, so each is
/// verified once a second.
fn verify(heard: &[u8], message: &[u8], answers: &Answers) -> Result<(), String> {
    let start = find(heard, b"DKIM-Signature\0").ok_or("no signature")? + 15;
    let length = find(&heard[start..], b"\0").ok_or("no end of the signature")?;
    let mut signed = b"DKIM-Signature:".to_vec();
    for &octet in &heard[start..start + length] {
        signed.extend_from_slice(if octet == b'\n' {
            b"\r\n"
        } else {
            std::slice::from_ref(&octet)
        });
    }
    signed.extend_from_slice(b"\r\n");
    signed.extend_from_slice(message);
    let (header, body) = split(&signed);
    let mut verifier = Verifier::new(&header, now());
    verifier.body(body);
    let outcome = verifier.finish().verify(answers).map_err(|_| "its key is not known")?;
    if outcome.result() == DkimResult::Pass { Ok(()) } else { Err(format!("{outcome:?}")) }
}

fn signature_time(heard: &[u8]) -> Vec<u8> {
    let tag = heard.windows(3).position(|it| it.ends_with(b"t=") && it[0].is_ascii_whitespace());
    let start = tag.map_or(heard.len(), |at| at + 3);
    heard[start..].iter().copied().take_while(u8::is_ascii_digit).collect()
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|it| it == what)
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The zone that all the messages need.
pub(crate) fn zone(rsa: &Rsa) -> String {
    let (first, second) = rsa.record.split_at(200);
    format!(
        "{DOMAIN}. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
         {DOMAIN}. MX 10 mail.{DOMAIN}.\n\
         mail.{DOMAIN}. A 192.0.2.17\n\
         mail.{DOMAIN}. TXT \"v=spf1 a -all\"\n\
         17.2.0.192.in-addr.arpa. PTR mail.{DOMAIN}.\n\
         {SELECTOR}._domainkey.{DOMAIN}. TXT \"{first}\" \"{second}\"\n\
         _dmarc.{DOMAIN}. TXT \"v=DMARC1; p=reject\"\n\
         down.example. SERVFAIL\n\
         _dmarc.down.example. SERVFAIL\n\
         dead.example. TIMEOUT\n\
         _dmarc.dead.example. TIMEOUT\n"
    )
}

/// The recipes.
pub(crate) struct Mails {
    rsa: Rsa,
    plain: Vec<u8>,
    signed: Vec<u8>,
}

impl Mails {
    /// Messages with a body of this size; or this message, whatever it is.
    pub(crate) fn new(rsa: Rsa, size: usize, given: Option<Vec<u8>>) -> Mails {
        let plain = given.unwrap_or_else(|| message(size));
        let mut signed = sign(&rsa, &plain);
        signed.extend_from_slice(&plain);
        Mails { rsa, plain, signed }
    }

    fn mail(&self, octets: &[u8], client: &str, expected: Rc<Expected>) -> Mail {
        let (header, body) = split(octets);
        let unix =
            |value: &[u8]| value.iter().copied().filter(|it| *it != b'\r').collect::<Vec<u8>>();
        let fields = header.fields().filter_map(|field| {
            let value = unix(field.value());
            let value = value.strip_suffix(b"\n").unwrap_or(&value).to_vec();
            Some((field.name()?.to_vec(), value))
        });
        Mail {
            client: client.parse().expect("an address"),
            sender: b"<alice@example.org>",
            fields: fields.collect(),
            body: body.into(),
            end: End::Reply,
            expected,
        }
    }

    /// Signed, from the right address, to be verified; the words must be in what is heard.
    pub(crate) fn good(&self, words: &[&'static str]) -> Mail {
        self.mail(&self.signed, GOOD, Expected::new(b'a', words))
    }

    /// As it comes behind a daemon that has verified the signature.
    pub(crate) fn verified(&self, words: &[&'static str]) -> Mail {
        let mut mail = self.good(words);
        let results = format!(
            " {MTA}; dkim=pass header.d={DOMAIN} header.i=@{DOMAIN};\n\
             \tspf=pass smtp.mailfrom={DOMAIN}"
        );
        mail.fields.insert(0, (b"Authentication-Results".to_vec(), results.into_bytes()));
        mail
    }

    /// To be signed.
    pub(crate) fn own(&self) -> Mail {
        let expected = Expected {
            reply: b'a',
            words: vec!["DKIM-Signature"],
            heard: RefCell::default(),
            signed: Some((self.plain.clone(), self.rsa.answers())),
        };
        self.mail(&self.plain, OWN, Rc::new(expected))
    }

    /// With a body that is not the one that was signed.
    pub(crate) fn tampered(&self) -> Mail {
        let mut mail = self.good(&[]);
        mail.body = [&mail.body[..], b"Buy this.\r\n"].concat().into();
        mail.expected = Expected::new(b'a', &["spf=pass", "dkim=fail", "dmarc=pass"]);
        mail
    }

    /// Neither signed nor from the right address, which p=reject refuses.
    pub(crate) fn forged(&self) -> Mail {
        self.mail(&self.plain, BAD, Expected::new(b'y', &["550 5.7.26"]))
    }

    /// With results that claim to be ours.
    pub(crate) fn forged_results(&self) -> Mail {
        let mut mail = self.good(&[]);
        let results = format!(" {MTA}; dmarc=pass header.from=bank.example");
        for _ in 0..3 {
            mail.fields
                .insert(2, (b"Authentication-Results".to_vec(), results.clone().into_bytes()));
        }
        let delete = "\0\0\0\u{1}Authentication-Results\0\0";
        mail.expected = Expected::new(b'a', &["dkim=pass", "dmarc=pass", delete]);
        mail
    }

    /// With a header of this many fields more, each of this many octets.
    pub(crate) fn header(&self, fields: usize, octets: usize, expected: Rc<Expected>) -> Mail {
        let mut mail = self.good(&[]);
        let value = [b" ".as_slice(), &vec![b'x'; octets]].concat();
        mail.fields.extend((0..fields).map(|_| (b"X-Trace".to_vec(), value.clone())));
        mail.expected = expected;
        mail
    }

    /// Of this domain, unsigned.
    pub(crate) fn of(&self, domain: &str, sender: &'static [u8], expected: Rc<Expected>) -> Mail {
        let mut mail = self.mail(&self.plain, GOOD, expected);
        for (name, value) in &mut mail.fields {
            if name == b"From" {
                *value = format!(" Alice <alice@{domain}>").into_bytes();
            }
        }
        mail.sender = sender;
        mail
    }

    /// With a body of this size, signed.
    pub(crate) fn large(&self, size: usize) -> Mail {
        let plain = message(size);
        let signed = [sign(&self.rsa, &plain), plain].concat();
        self.mail(&signed, GOOD, Expected::new(b'a', &["spf=pass", "dkim=pass", "dmarc=pass"]))
    }

    /// The text of the key record.
    pub(crate) fn record(&self) -> &str {
        &self.rsa.record
    }

    pub(crate) fn rsa(&mut self) -> &mut Rsa {
        &mut self.rsa
    }
}

/// The DKIM-Signature field, made now.
fn sign(rsa: &Rsa, message: &[u8]) -> Vec<u8> {
    let (header, body) = split(message);
    let names = (DOMAIN.parse().expect("a name"), SELECTOR.parse().expect("a name"));
    let template = Template::new(&rsa.private, names.0, names.1, now());
    let mut signer =
        Signer::new(&header, vec![template], EightBit::Sign).expect("it may be signed");
    signer.body(body).expect("it may be signed");
    signer.finish().expect("the key signs").concat()
}

/// More fields, as a message that has come a long way has.
const MORE: &[u8] = b"Received: from [10.1.2.3] (client.example.org [10.1.2.3])\r\n\
    \tby mail.example.org (Postfix) with ESMTPSA id 4XyZ0123456789aa\r\n\
    \tfor <bob@example.net>; Tue, 24 Nov 2026 10:11:11 +0000 (UTC)\r\n\
    Reply-To: Alice <alice@example.org>\r\n\
    Content-Language: en-GB\r\n\
    User-Agent: Mail 3.1\r\n\
    Organization: Example\r\n\
    X-Priority: 3\r\n\
    X-Originating-IP: 10.1.2.3\r\n\
    X-Report-Abuse: abuse@example.org\r\n\
    Feedback-ID: 4711:minutes:example\r\n";

/// A message of 21 fields and a body of text.
fn message(size: usize) -> Vec<u8> {
    [HEADER, MORE, b"\r\n", &body(Kind::Text, size.max(2))].concat()
}
