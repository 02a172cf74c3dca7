//! What was had over the network, as a case writes it down.

use mailproof_dns::Zone;
use mailproof_records::{
    Attempt, Certificate, Document, Fetched, Mark, Presented, Refusal, Registration, Server,
    Session,
};
use serde::Deserialize;

#[derive(Deserialize, Default)]
pub struct Facts {
    pub policy: Option<Fetch<Text>>,
    pub logo: Option<Fetch<Text>>,
    pub mark: Option<Fetch<Certified>>,
    #[serde(default)]
    pub exchange: Vec<Exchange>,
    #[serde(default)]
    pub registration: Vec<Registered>,
    #[serde(default)]
    pub server: Vec<Says>,
}

/// What came, or the status refused with, or why nothing came.
#[derive(Deserialize)]
pub struct Fetch<T> {
    pub came: Option<T>,
    pub status: Option<u16>,
    pub certificate: Option<String>,
    pub lost: Option<String>,
}

#[derive(Deserialize)]
pub struct Text {
    #[serde(rename = "type")]
    pub media_type: String,
    pub text: String,
}

#[derive(Deserialize)]
pub struct Exchange {
    pub host: String,
    /// It does not offer STARTTLS.
    #[serde(default)]
    pub plain: bool,
    #[serde(default)]
    pub names: Vec<String>,
    pub ends: Option<u64>,
    pub fault: Option<String>,
    pub lost: Option<String>,
    /// The certificate and the key, any octets as text.
    #[serde(default)]
    pub certificate: String,
    #[serde(default)]
    pub key: String,
}

#[derive(Deserialize)]
pub struct Certified {
    pub names: Vec<String>,
    pub ends: Option<u64>,
    pub begins: Option<u64>,
    #[serde(default)]
    pub other_use: bool,
    pub logo: Option<String>,
    pub fault: Option<String>,
}

#[derive(Deserialize)]
pub struct Registered {
    pub domain: String,
    pub ends: Option<u64>,
    #[serde(default)]
    pub states: Vec<String>,
    pub status: Option<u16>,
    pub lost: Option<String>,
}

/// A name server with a zone of its own.
#[derive(Deserialize)]
pub struct Says {
    pub name: String,
    pub zone: String,
}

impl<T> Fetch<T> {
    fn attempt<U>(&self, came: impl FnOnce(&T) -> U) -> Attempt<U> {
        match (&self.came, self.status, &self.certificate, &self.lost) {
            (Some(one), ..) => Attempt::Came(came(one)),
            (_, Some(status), ..) => Attempt::Refused(Refusal::Status(status)),
            (_, _, Some(reason), _) => Attempt::Refused(Refusal::Certificate(reason.clone())),
            (_, _, _, reason) => Attempt::Lost(reason.clone().unwrap()),
        }
    }
}

impl Facts {
    pub fn fetched(&self) -> Fetched {
        let document = |text: &Text| Document {
            media_type: text.media_type.clone(),
            content: text.text.clone().into_bytes(),
        };
        let mark = |mark: &Certified| Mark {
            names: mark.names.clone(),
            begins: mark.begins,
            ends: mark.ends,
            is_for_marks: !mark.other_use,
            logo: mark.logo.clone().map(String::into_bytes),
            fault: mark.fault.clone(),
        };
        Fetched {
            policy: self.policy.as_ref().map(|fetch| fetch.attempt(document)),
            logo: self.logo.as_ref().map(|fetch| fetch.attempt(document)),
            mark: self.mark.as_ref().map(|fetch| fetch.attempt(mark)),
            exchanges: self.exchange.iter().map(Exchange::fact).collect(),
            registrations: self.registration.iter().map(Registered::fact).collect(),
            servers: self.server.iter().map(Says::fact).collect(),
        }
    }
}

impl Exchange {
    fn fact(&self) -> (mailproof_dns::Name, Attempt<Session>) {
        let session = Session::Tls(Presented {
            certificates: vec![Certificate {
                whole: self.certificate.clone().into_bytes(),
                key: self.key.clone().into_bytes(),
            }],
            names: self.names.clone(),
            ends: self.ends,
            fault: self.fault.clone(),
        });
        let attempt = match &self.lost {
            Some(reason) => Attempt::Lost(reason.clone()),
            None => Attempt::Came(if self.plain { Session::Plain } else { session }),
        };
        (self.host.parse().unwrap(), attempt)
    }
}

impl Registered {
    fn fact(&self) -> (mailproof_dns::Name, Attempt<Registration>) {
        let registration = Registration { ends: self.ends, states: self.states.clone() };
        let attempt = match (&self.lost, self.status) {
            (Some(reason), _) => Attempt::Lost(reason.clone()),
            (None, Some(status)) => Attempt::Refused(Refusal::Status(status)),
            (None, None) => Attempt::Came(registration),
        };
        (self.domain.parse().unwrap(), attempt)
    }
}

impl Says {
    fn fact(&self) -> Server {
        let zone = Zone::parse(&self.zone).unwrap();
        let questions = [
            mailproof_dns::Question::txt("example.com".parse().unwrap()),
            mailproof_dns::Question::new(
                "example.com".parse().unwrap(),
                mailproof_dns::RecordType::Mx,
            ),
        ];
        let answers = questions.map(|question| {
            let response = zone.lookup(&question);
            (question, response)
        });
        Server {
            name: self.name.parse().unwrap(),
            address: [192, 0, 3, 53].into(),
            answers: answers.into_iter().collect(),
        }
    }
}
