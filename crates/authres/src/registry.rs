//! The words of the IANA registries "Email Authentication Methods", "… Result Names" and
//! "… Property Types" (RFC 8601 6).

use std::fmt;

use crate::limits::KEYWORD;

/// A Keyword (RFC 5321 4.1.2: letters, digits and "-"), caseless and so kept in lower case.
///
/// Made from any text: what no Keyword may have becomes "-", and it is cut to 63 octets, so a
/// Keyword is always safe to print. "_" stays, which real fields have (`perm_fail`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Keyword(Box<str>);

impl From<&str> for Keyword {
    fn from(text: &str) -> Keyword {
        let letter = |octet: u8| match octet {
            b'_' => '_',
            _ if octet.is_ascii_alphanumeric() => char::from(octet.to_ascii_lowercase()),
            _ => '-',
        };
        let keyword: String = text.bytes().take(KEYWORD).map(letter).collect();
        Keyword(if keyword.is_empty() { "-".into() } else { keyword.into() })
    }
}

impl Keyword {
    /// The keyword, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An enum of registered keywords, each with its word, and `Other` for every other Keyword.
macro_rules! keywords {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that is not registered.
            Other(Keyword),
        }

        impl $name {
            /// The word, in lower case.
            pub fn keyword(&self) -> &str {
                match self {
                    $($name::$variant => $word,)*
                    $name::Other(keyword) => keyword.as_str(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $(if text.eq_ignore_ascii_case($word) {
                    return $name::$variant;
                })*
                $name::Other(Keyword::from(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.keyword())
            }
        }
    };
}

keywords! {
    /// The method (RFC 8601 2.2): which authentication was evaluated.
    Method {
        /// Authenticated Received Chain (RFC 8617).
        Arc = "arc",
        /// SMTP AUTH (RFC 8601 2.7.4).
        Auth = "auth",
        /// DKIM (RFC 8601 2.7.1).
        Dkim = "dkim",
        /// Author Domain Signing Practices (RFC 5617), deprecated.
        DkimAdsp = "dkim-adsp",
        /// Authorized Third-Party Signatures (RFC 6541).
        DkimAtps = "dkim-atps",
        /// DMARC (RFC 9989 9.1).
        Dmarc = "dmarc",
        /// DNS allow lists (RFC 8904).
        Dnswl = "dnswl",
        /// DomainKeys (RFC 4870), deprecated.
        DomainKeys = "domainkeys",
        /// The reverse name of the client (RFC 8601 3).
        Iprev = "iprev",
        /// Require-Recipient-Valid-Since (RFC 7293).
        Rrvs = "rrvs",
        /// Sender ID (RFC 4406), deprecated.
        SenderId = "sender-id",
        /// S/MIME (RFC 7281).
        Smime = "smime",
        /// SPF (RFC 8601 2.7.2).
        Spf = "spf",
        /// Vouch By Reference (RFC 6212).
        Vbr = "vbr",
    }
}

keywords! {
    /// The result (RFC 8601 2.2): what came out. Its meaning depends on the method.
    ResultCode {
        /// The author's domain discards such mail (RFC 5617), deprecated.
        Discard = "discard",
        /// The check failed.
        Fail = "fail",
        /// A spelling of SPF's "fail" (RFC 5451), deprecated.
        Hardfail = "hardfail",
        /// Nothing can be said.
        Neutral = "neutral",
        /// There was nothing to check.
        None = "none",
        /// The author's domain does not exist (RFC 5617), deprecated.
        Nxdomain = "nxdomain",
        /// The check passed.
        Pass = "pass",
        /// A later attempt is unlikely to produce a final result.
        Permerror = "permerror",
        /// The check passed but local policy refuses it (RFC 8601 2.4).
        Policy = "policy",
        /// SPF's weak fail (RFC 7208 2.6.5).
        Softfail = "softfail",
        /// A later attempt may produce a final result.
        Temperror = "temperror",
        /// Nothing is known (RFC 7293, RFC 5617).
        Unknown = "unknown",
    }
}

keywords! {
    /// The property type (RFC 8601 2.3): where a property was taken from.
    Ptype {
        /// The body of the message.
        Body = "body",
        /// A DNS answer (RFC 8904).
        Dns = "dns",
        /// A header field, or for DKIM a tag of its signature.
        Header = "header",
        /// A local policy (RFC 8601 2.4), or what is in no protocol element.
        Policy = "policy",
        /// A parameter of an SMTP command.
        Smtp = "smtp",
    }
}

impl Method {
    /// The active and deprecated result names of the method (RFC 8601 6.6). A consumer "MUST
    /// ignore any result reported using a 'result' not specified" here (RFC 8601 4.1).
    pub fn results(&self) -> &'static [ResultCode] {
        use ResultCode::{
            Discard, Fail, Hardfail, Neutral, None, Nxdomain, Pass, Permerror, Policy, Softfail,
            Temperror, Unknown,
        };
        match self {
            // RFC 8617 10.1.
            Method::Arc => &[None, Pass, Fail],
            // RFC 8601 2.7.4; RFC 9989 9.1; RFC 6541 8.3; RFC 6212.
            Method::Auth | Method::Dmarc | Method::DkimAtps | Method::Vbr => {
                &[None, Pass, Fail, Temperror, Permerror]
            }
            // RFC 8601 2.7.1, 6.7; RFC 7281.
            Method::Dkim | Method::DomainKeys | Method::Smime => {
                &[None, Pass, Fail, Policy, Neutral, Temperror, Permerror]
            }
            // RFC 5617 5.4.
            Method::DkimAdsp => {
                &[None, Pass, Unknown, Fail, Discard, Nxdomain, Temperror, Permerror]
            }
            // RFC 8904 4.
            Method::Dnswl => &[None, Pass, Temperror, Permerror],
            // RFC 8601 2.7.3.
            Method::Iprev => &[Pass, Fail, Temperror, Permerror],
            // RFC 7293 11.
            Method::Rrvs => &[None, Unknown, Pass, Fail, Temperror, Permerror],
            // RFC 8601 2.7.2, 6.7.
            Method::Spf | Method::SenderId => {
                &[None, Pass, Fail, Softfail, Policy, Neutral, Temperror, Permerror, Hardfail]
            }
            Method::Other(_) => &[],
        }
    }

    /// The registered properties of the method (RFC 8601 6.3), policy properties beside.
    pub fn properties(&self) -> &'static [(Ptype, &'static str)] {
        use Ptype::{Body, Dns, Header, Policy, Smtp};
        match self {
            // RFC 8617 10.2.
            Method::Arc => &[(Smtp, "remote-ip"), (Header, "oldest-pass")],
            // RFC 8601 6.3.
            Method::Auth => &[(Smtp, "auth"), (Smtp, "mailfrom")],
            // RFC 8601 6.3; RFC 6008 4 for "b".
            Method::Dkim => {
                &[(Header, "d"), (Header, "i"), (Header, "a"), (Header, "s"), (Header, "b")]
            }
            // RFC 5617 5.4; RFC 6541 8.2.
            Method::DkimAdsp | Method::DkimAtps => &[(Header, "from")],
            // RFC 9989 9.1.
            Method::Dmarc => &[(Header, "from"), (Policy, "dmarc")],
            // RFC 8904 4.
            Method::Dnswl => &[(Dns, "zone"), (Dns, "sec"), (Policy, "ip"), (Policy, "txt")],
            // RFC 5451 6.2.
            Method::DomainKeys | Method::SenderId => &[(Header, "from"), (Header, "sender")],
            // RFC 8601 6.3.
            Method::Iprev => &[(Policy, "iprev")],
            // RFC 7293 11.
            Method::Rrvs => &[(Smtp, "rcptto")],
            // RFC 7281.
            Method::Smime => &[
                (Body, "smime-part"),
                (Body, "smime-identifier"),
                (Body, "smime-serial"),
                (Body, "smime-issuer"),
            ],
            // RFC 8601 6.3.
            Method::Spf => &[(Smtp, "mailfrom"), (Smtp, "helo")],
            // RFC 6212.
            Method::Vbr => &[(Header, "md"), (Header, "mv")],
            Method::Other(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_caseless() {
        assert_eq!(Method::from("DKIM"), Method::Dkim);
        assert_eq!(ResultCode::from("Pass"), ResultCode::Pass);
        assert_eq!(Method::from("X-Own").to_string(), "x-own");
    }

    #[test]
    fn no_text_escapes_a_keyword() {
        assert_eq!(Keyword::from("spf=pass;\r\n dkim").as_str(), "spf-pass----dkim");
        assert_eq!(Keyword::from("").as_str(), "-");
        assert_eq!(Keyword::from("x".repeat(1000).as_str()).as_str().len(), 63);
    }

    #[test]
    fn the_registry() {
        assert!(Method::Iprev.results().contains(&ResultCode::Permerror));
        assert!(!Method::Iprev.results().contains(&ResultCode::None));
        assert!(!Method::Dmarc.results().contains(&ResultCode::Policy));
        assert!(Method::from("compauth").results().is_empty());
        assert!(Method::Dkim.properties().contains(&(Ptype::Header, "b")));
    }
}
