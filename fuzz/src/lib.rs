//! The DNS that the targets see.

use mailproof_dns::{Data, Failure, Mx, Question, RecordType, Response};

/// Every selector has a key; its first letter says which of those that sign the corpus.
pub fn key(question: &Question) -> Response {
    let first = question.name.labels().next().and_then(|label| label.first().copied());
    let record = match first {
        Some(b'a'..=b'c') => return Response::NxDomain,
        Some(b'e'..=b'm') => "v=DKIM1; k=ed25519; p=Ykn/uptUgJAYm9G7gsxcPA0nqDeD2lOHcdj5QGaIjhY=",
        Some(b'r') => concat!(
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDlaLJue6z9Yd5lh2uZZiK/BZ",
            "dJSkiioL7k5STSwocK8BeBiXuLCgj9Kjt5IFwjN4KJ/G4D1Vt+pv23fp94zB8R7orXSy13FL+K6izMd0",
            "LzBPmp7ZhFwvLnK4R5iDoOfBJ9wT2ug3duOu6RY/nzZvpS6Q4I4ySfOi6fpJCO12GM9QIDAQAB",
        ),
        _ => concat!(
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id",
            "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lx",
            "j+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        ),
    };
    Response::records([Data::txt(record)])
}

/// A zone of these lines: its octets decide which of them a name has, as its text, or as the names
/// and the address that the other types hold. An empty line is no name, `!` a failure.
pub struct Lines<'a>(pub Vec<&'a [u8]>);

impl Lines<'_> {
    /// What the zone answers.
    pub fn lookup(&self, question: &Question) -> Response {
        let octets = question.name.labels().flatten();
        let sum = octets
            .fold(7, |sum, octet| (sum * 31 + usize::from(octet.to_ascii_lowercase())) % 1009);
        let line = self.0.get(sum % self.0.len().max(1)).copied().unwrap_or_default();
        let words = || {
            let words = line.split(|octet| b" :=/".contains(octet));
            words.filter_map(|word| str::from_utf8(word).ok()?.parse().ok())
        };
        match (line, question.rtype) {
            (b"", _) => Response::NxDomain,
            (b"!", _) => Response::Failure(Failure::ServFail),
            (_, RecordType::Txt) => Response::records([Data::txt(line)]),
            (_, RecordType::A) => Response::records([Data::A([192, 0, 2, (sum % 4) as u8].into())]),
            (_, RecordType::Mx) => {
                Response::records(words().map(|exchange| Data::Mx(Mx { preference: 0, exchange })))
            }
            (_, RecordType::Ptr) => Response::records(words().map(Data::Ptr)),
            _ => Response::NoData,
        }
    }
}
