//! The record as text: what is printed is read back as the same record.

use std::fmt::{self, Display, Formatter};

use crate::record::{
    A, Directive, DomainSpec, DualCidr, Exists, Include, Ip4, Ip6, Macro, MacroLetter, MacroString,
    Mechanism, Modifier, ModifierKind, Mx, Part, Ptr, Qualifier, Record, Term,
};

impl Display for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Directive(directive) => directive.fmt(f),
            Term::Modifier(modifier) => modifier.fmt(f),
        }
    }
}

impl Display for Directive {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.qualifier != Qualifier::Pass {
            self.qualifier.fmt(f)?;
        }
        self.mechanism.fmt(f)
    }
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Qualifier::Pass => "+",
            Qualifier::Fail => "-",
            Qualifier::Softfail => "~",
            Qualifier::Neutral => "?",
        })
    }
}

impl Display for Mechanism {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Mechanism::All => f.write_str("all"),
            Mechanism::Include(Include { domain_spec }) => write!(f, "include:{domain_spec}"),
            Mechanism::A(A { domain_spec, cidr }) => optional(f, "a", domain_spec.as_ref(), *cidr),
            Mechanism::Mx(Mx { domain_spec, cidr }) => {
                optional(f, "mx", domain_spec.as_ref(), *cidr)
            }
            Mechanism::Ptr(Ptr { domain_spec }) => {
                optional(f, "ptr", domain_spec.as_ref(), DualCidr::default())
            }
            Mechanism::Ip4(Ip4 { network }) if network.prefix_len() == 32 => {
                write!(f, "ip4:{}", network.addr())
            }
            Mechanism::Ip4(Ip4 { network }) => write!(f, "ip4:{network}"),
            Mechanism::Ip6(Ip6 { network }) if network.prefix_len() == 128 => {
                write!(f, "ip6:{}", network.addr())
            }
            Mechanism::Ip6(Ip6 { network }) => write!(f, "ip6:{network}"),
            Mechanism::Exists(Exists { domain_spec }) => write!(f, "exists:{domain_spec}"),
        }
    }
}

fn optional(
    f: &mut Formatter<'_>,
    name: &str,
    domain_spec: Option<&DomainSpec>,
    cidr: DualCidr,
) -> fmt::Result {
    f.write_str(name)?;
    if let Some(domain_spec) = domain_spec {
        f.write_str(":")?;
        domain_spec.fmt(f)?;
    }
    cidr.fmt(f)
}

impl Display for DualCidr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.ip4 != 32 {
            write!(f, "/{}", self.ip4)?;
        }
        if self.ip6 != 128 {
            write!(f, "//{}", self.ip6)?;
        }
        Ok(())
    }
}

impl Display for Modifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ModifierKind::Redirect(domain_spec) => write!(f, "redirect={domain_spec}"),
            ModifierKind::Explanation(domain_spec) => write!(f, "exp={domain_spec}"),
            ModifierKind::Unknown { name, value } => write!(f, "{name}={value}"),
        }
    }
}

impl Display for DomainSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.macro_string().fmt(f)
    }
}

impl Display for MacroString {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.parts().iter().try_for_each(|part| part.fmt(f))
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Part::Literal(text) => f.write_str(text),
            Part::Macro(expand) => expand.fmt(f),
            Part::Percent => f.write_str("%%"),
            Part::Space => f.write_str("%_"),
            Part::UrlSpace => f.write_str("%-"),
        }
    }
}

impl Display for Macro {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let letter = self.letter.letter();
        let letter = if self.url_escape { letter.to_ascii_uppercase() } else { letter };
        write!(f, "%{{{letter}")?;
        if self.keep > 0 {
            write!(f, "{}", self.keep)?;
        }
        if self.reverse {
            f.write_str("r")?;
        }
        self.delimiters.iter().try_for_each(|octet| write!(f, "{}", char::from(octet)))?;
        f.write_str("}")
    }
}

impl MacroLetter {
    /// The letter, in lower case.
    pub fn letter(self) -> char {
        match self {
            MacroLetter::Sender => 's',
            MacroLetter::LocalPart => 'l',
            MacroLetter::SenderDomain => 'o',
            MacroLetter::Domain => 'd',
            MacroLetter::Ip => 'i',
            MacroLetter::Ptr => 'p',
            MacroLetter::Version => 'v',
            MacroLetter::Helo => 'h',
            MacroLetter::ReadableIp => 'c',
            MacroLetter::Receiver => 'r',
            MacroLetter::Timestamp => 't',
        }
    }
}
