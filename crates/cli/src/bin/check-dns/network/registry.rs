//! Registrations of domains (RFC 9082, RFC 9083, RFC 9224).

use mailproof_cli::instant::Instant;
use mailproof_dns::Name;
use mailproof_records::{Attempt, Registration};
use serde_json::Value;

use super::Visit;

/// The most octets of the list of registries. Local choice: ten times what it has.
const LIST: usize = 1 << 20;
/// The most octets of an answer. Local choice: large ones have some ten thousand.
const ANSWER: usize = 1 << 18;
/// How many states are kept. Local choice: RFC 5731 has nine.
const STATES: usize = 20;

/// Which registry answers for which domains.
#[derive(Debug)]
pub(super) struct Registries {
    /// The ends of names with the URL of their registry.
    services: Vec<(Name, String)>,
}

impl Registries {
    /// RFC 9224 4: lists of names, and of the URLs that answer for them.
    fn parse(octets: &[u8]) -> Option<Registries> {
        let list: Value = serde_json::from_slice(octets).ok()?;
        let mut services = Vec::new();
        for service in list.get("services")?.as_array()? {
            let names = service.get(0).and_then(Value::as_array).into_iter().flatten();
            let urls = service.get(1).and_then(Value::as_array).into_iter().flatten();
            let is_https = |url: &&str| url.starts_with("https://");
            let Some(url) = urls.filter_map(Value::as_str).find(is_https) else { continue };
            for name in names.filter_map(Value::as_str) {
                services.extend(name.parse().ok().map(|name: Name| (name, url.to_owned())));
            }
        }
        Some(Registries { services })
    }

    fn url(&self, domain: &Name) -> Option<String> {
        let fits = self.services.iter().filter(|(end, _)| domain.is_at_or_below(end));
        let (_, base) = fits.max_by_key(|(end, _)| end.label_count())?;
        Some(format!("{}/domain/{domain}", base.trim_end_matches('/')))
    }
}

impl Visit<'_> {
    /// What the registry says of a domain.
    pub(super) async fn registration(&self, domain: &Name) -> (Name, Attempt<Registration>) {
        let registries = self.network.registries.get_or_init(|| self.registries()).await;
        let url = registries.as_ref().and_then(|registries| registries.url(domain));
        let attempt = match url {
            None => Attempt::Lost("no registry is known".to_owned()),
            Some(url) => match self.get(&url, "application/rdap+json", ANSWER).await {
                Attempt::Came(document) => registration(&document.content),
                Attempt::Refused(refusal) => Attempt::Refused(refusal),
                Attempt::Lost(reason) => Attempt::Lost(reason),
            },
        };
        (domain.clone(), attempt)
    }

    async fn registries(&self) -> Option<Registries> {
        match self.get(&self.network.bootstrap, "application/json", LIST).await {
            Attempt::Came(document) => Registries::parse(&document.content),
            _ => None,
        }
    }
}

/// RFC 9083 4.5 and 5.3.
fn registration(octets: &[u8]) -> Attempt<Registration> {
    let Ok(answer) = serde_json::from_slice::<Value>(octets) else {
        return Attempt::Lost("an answer that is no JSON".to_owned());
    };
    let list = |key: &str| answer.get(key).and_then(Value::as_array).into_iter().flatten();
    let end = list("events")
        .find(|event| event.get("eventAction").and_then(Value::as_str) == Some("expiration"));
    let end = end.and_then(|event| event.get("eventDate")?.as_str()?.parse::<Instant>().ok());
    let states = list("status").filter_map(Value::as_str).take(STATES);
    Attempt::Came(Registration {
        ends: end.map(|end| end.0),
        states: states.map(str::to_ascii_lowercase).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_registrations() {
        let list = br#"{"services":[[["com","net"],["http://a.example/","https://b.example/v1/"]],
            [["co.uk"],["https://c.example"]],[["x"],[]]]}"#;
        let registries = Registries::parse(list).unwrap();
        let url = |name: &str| registries.url(&name.parse().unwrap());
        assert_eq!(url("example.com").as_deref(), Some("https://b.example/v1/domain/example.com"));
        assert_eq!(url("example.co.uk").as_deref(), Some("https://c.example/domain/example.co.uk"));
        assert_eq!(url("example.x"), None);
        let answer = br#"{"status":["Active"],"events":[{"eventAction":"registration"},
            {"eventAction":"expiration","eventDate":"2027-01-31T00:00:00.5Z"}]}"#;
        let wanted = Registration { ends: Some(1_801_353_600), states: vec!["active".into()] };
        assert_eq!(registration(answer), Attempt::Came(wanted));
        assert!(matches!(registration(b"x"), Attempt::Lost(_)));
    }
}
