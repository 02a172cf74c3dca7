//! The record (RFC 7208 4.6.1, 12) as types.

use std::ops::Range;

use ipnet::{Ipv4Net, Ipv6Net};
use mailproof_dns::Name;

use crate::literal::Literal;

/// An SPF record (RFC 7208 3): the version section and an ordered list of terms.
///
/// It is read with [`crate::parse`] or [`str::parse`] and printed with [`ToString`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The terms, in order.
    pub terms: Vec<Term>,
}

/// A term (RFC 7208 4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A mechanism with its qualifier.
    Directive(Directive),
    /// A name and a value.
    Modifier(Modifier),
}

/// A directive (RFC 7208 4.6.1): a mechanism and the result it gives when it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The result when the mechanism matches.
    pub qualifier: Qualifier,
    /// What is tested.
    pub mechanism: Mechanism,
    /// Where the directive stands in the octets of the record.
    pub span: Range<usize>,
}

/// A qualifier (RFC 7208 4.6.2), as wide as the room for it in a [`Directive`]: see [`Ip4`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Qualifier {
    /// `+`, or none.
    #[default]
    Pass,
    /// `-`
    Fail,
    /// `~`
    Softfail,
    /// `?`
    Neutral,
}

/// A mechanism (RFC 7208 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Always matches (RFC 7208 5.1).
    All,
    /// Matches if another domain's record gives pass (RFC 7208 5.2).
    Include(Include),
    /// Matches the addresses of a name (RFC 7208 5.3).
    A(A),
    /// Matches the addresses of the mail exchanges of a name (RFC 7208 5.4).
    Mx(Mx),
    /// Matches the validated reverse name of the client (RFC 7208 5.5).
    Ptr(Ptr),
    /// Matches an IPv4 network (RFC 7208 5.6).
    Ip4(Ip4),
    /// Matches an IPv6 network (RFC 7208 5.6).
    Ip6(Ip6),
    /// Matches if a name has an address (RFC 7208 5.7).
    Exists(Exists),
}

/// The `include` mechanism (RFC 7208 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Whose record is evaluated.
    pub domain_spec: DomainSpec,
}

/// The `a` mechanism (RFC 7208 5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct A {
    /// Whose addresses; `None` is the current domain.
    pub domain_spec: Option<DomainSpec>,
    /// How many bits of an address are compared.
    pub cidr: DualCidr,
}

/// The `mx` mechanism (RFC 7208 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mx {
    /// Whose mail exchanges; `None` is the current domain.
    pub domain_spec: Option<DomainSpec>,
    /// How many bits of an address are compared.
    pub cidr: DualCidr,
}

/// The `ptr` mechanism (RFC 7208 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ptr {
    /// Which domain the reverse name is to be in; `None` is the current domain.
    pub domain_spec: Option<DomainSpec>,
}

/// The `ip4` mechanism (RFC 7208 5.6).
///
/// It is aligned because terms are moved by the hundred, and odd pieces of them slowly.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(8))]
pub struct Ip4 {
    /// The network; bits beyond the prefix length may be set.
    pub network: Ipv4Net,
}

/// The `ip6` mechanism (RFC 7208 5.6), aligned as [`Ip4`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(8))]
pub struct Ip6 {
    /// The network; bits beyond the prefix length may be set.
    pub network: Ipv6Net,
}

/// The `exists` mechanism (RFC 7208 5.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exists {
    /// The name that is to have an A record.
    pub domain_spec: DomainSpec,
}

/// `dual-cidr-length` (RFC 7208 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DualCidr {
    /// `ip4-cidr-length`, 0 to 32.
    pub ip4: u8,
    /// `ip6-cidr-length`, 0 to 128.
    pub ip6: u8,
}

impl Default for DualCidr {
    fn default() -> DualCidr {
        DualCidr { ip4: 32, ip6: 128 }
    }
}

/// A modifier (RFC 7208 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modifier {
    /// Which modifier, with its value.
    pub kind: ModifierKind,
    /// Where the modifier stands in the octets of the record.
    pub span: Range<usize>,
}

/// The name and value of a modifier (RFC 7208 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModifierKind {
    /// `redirect=` (RFC 7208 6.1): whose record is evaluated when nothing matches.
    Redirect(DomainSpec),
    /// `exp=` (RFC 7208 6.2): where the explanation of a fail is found.
    Explanation(DomainSpec),
    /// Any other modifier: ignored, but its syntax is checked.
    Unknown {
        /// The name as written.
        name: Box<str>,
        /// The value.
        value: Box<MacroString>,
    },
}

/// `domain-spec` (RFC 7208 7.1): a macro-string that ends in a top label or a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    macro_string: MacroString,
    /// The name it gives where it has no macro, if that is a valid one.
    name: Option<Name>,
}

impl DomainSpec {
    pub(crate) fn new(macro_string: MacroString) -> DomainSpec {
        let mut spec = DomainSpec { macro_string, name: None };
        spec.name = spec.literal().and_then(|text| crate::expand::visible_name(text.as_bytes()));
        spec
    }

    /// Of a text without a macro.
    pub(crate) fn plain(text: &[u8]) -> DomainSpec {
        let macro_string = MacroString::one(Part::Literal(Literal::new(text)));
        DomainSpec { macro_string, name: crate::expand::visible_name(text) }
    }

    /// The macro-string.
    pub fn macro_string(&self) -> &MacroString {
        &self.macro_string
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        self.macro_string().parts()
    }

    /// Its text if it has no macro: the same name for every message.
    pub fn literal(&self) -> Option<&str> {
        match self.parts() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The name of a domain-spec without a macro, if it is a valid one.
    pub(crate) fn literal_name(&self) -> Option<&Name> {
        self.name.as_ref()
    }
}

/// `macro-string` or `explain-string` (RFC 7208 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroString(Parts);

/// The parts of a macro-string; a single one, the common case, without a list of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Parts {
    One(Part),
    List(Vec<Part>),
}

impl MacroString {
    pub(crate) fn one(part: Part) -> MacroString {
        MacroString(Parts::One(part))
    }

    /// No two literals in a row, and not one part alone.
    pub(crate) fn list(parts: Vec<Part>) -> MacroString {
        MacroString(Parts::List(parts))
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        match &self.0 {
            Parts::One(part) => std::slice::from_ref(part),
            Parts::List(parts) => parts,
        }
    }
}

/// A part of a macro-string (RFC 7208 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Visible characters other than `%`; spaces too in an explain-string.
    Literal(Literal),
    /// `%{…}`
    Macro(Macro),
    /// `%%`, a percent sign.
    Percent,
    /// `%_`, a space.
    Space,
    /// `%-`, a URL-encoded space.
    UrlSpace,
}

/// `%{…}` (RFC 7208 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Macro {
    /// Whose value.
    pub letter: MacroLetter,
    /// The letter is upper case: the value is URL-escaped.
    pub url_escape: bool,
    /// How many right-hand parts are kept; 0 is all.
    pub keep: u32,
    /// `r`: the parts are reversed.
    pub reverse: bool,
    /// What the value is split at.
    pub delimiters: Delimiters,
}

/// `macro-letter` (RFC 7208 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacroLetter {
    /// `s`, the sender.
    Sender,
    /// `l`, the local-part of the sender.
    LocalPart,
    /// `o`, the domain of the sender.
    SenderDomain,
    /// `d`, the current domain.
    Domain,
    /// `i`, the address of the client.
    Ip,
    /// `p`, the validated reverse name of the client.
    Ptr,
    /// `v`, `in-addr` or `ip6`.
    Version,
    /// `h`, the HELO domain.
    Helo,
    /// `c`, the address of the client for humans; only in an explanation.
    ReadableIp,
    /// `r`, the receiving host; only in an explanation.
    Receiver,
    /// `t`, the time; only in an explanation.
    Timestamp,
}

/// A set of delimiters (RFC 7208 7.1): `. - + , / _ =`; empty stands for `.`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Delimiters(u8);

impl Delimiters {
    const ALL: [u8; 7] = *b".-+,/_=";

    /// Adds a delimiter; `false` if `octet` is none.
    pub(crate) fn insert(&mut self, octet: u8) -> bool {
        let position = Delimiters::ALL.iter().position(|&delimiter| delimiter == octet);
        if let Some(bit) = position {
            self.0 |= 1 << bit;
        }
        position.is_some()
    }

    /// The delimiters, in the order of the grammar.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let set = move |(bit, octet): (usize, u8)| (self.0 & (1 << bit) != 0).then_some(octet);
        Delimiters::ALL.into_iter().enumerate().filter_map(set)
    }

    /// Whether nothing is written: the value is split at dots.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a value is split at `octet`.
    pub fn splits_at(self, octet: u8) -> bool {
        if self.is_empty() {
            return octet == b'.';
        }
        self.iter().any(|delimiter| delimiter == octet)
    }
}

impl Record {
    /// The directives, in order.
    pub fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.terms.iter().filter_map(|term| match term {
            Term::Directive(directive) => Some(directive),
            Term::Modifier(_) => None,
        })
    }

    /// The modifiers, in order.
    pub fn modifiers(&self) -> impl Iterator<Item = &Modifier> {
        self.terms.iter().filter_map(|term| match term {
            Term::Directive(_) => None,
            Term::Modifier(modifier) => Some(modifier),
        })
    }

    /// The `redirect=` modifier with its span, if there is one.
    pub fn redirect(&self) -> Option<(&DomainSpec, &Range<usize>)> {
        self.modifiers().find_map(|modifier| match &modifier.kind {
            ModifierKind::Redirect(spec) => Some((spec, &modifier.span)),
            ModifierKind::Explanation(_) | ModifierKind::Unknown { .. } => None,
        })
    }

    /// The `exp=` modifier with its span, if there is one.
    pub fn explanation(&self) -> Option<(&DomainSpec, &Range<usize>)> {
        self.modifiers().find_map(|modifier| match &modifier.kind {
            ModifierKind::Explanation(spec) => Some((spec, &modifier.span)),
            ModifierKind::Redirect(_) | ModifierKind::Unknown { .. } => None,
        })
    }
}

impl Mechanism {
    /// The domain-spec, if the mechanism has one.
    pub fn domain_spec(&self) -> Option<&DomainSpec> {
        match self {
            Mechanism::Include(Include { domain_spec })
            | Mechanism::Exists(Exists { domain_spec }) => Some(domain_spec),
            Mechanism::A(A { domain_spec, .. })
            | Mechanism::Mx(Mx { domain_spec, .. })
            | Mechanism::Ptr(Ptr { domain_spec }) => domain_spec.as_ref(),
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => None,
        }
    }

    /// Whether the mechanism causes DNS queries and so counts against the limit of ten
    /// (RFC 7208 4.6.4).
    pub fn counts(&self) -> bool {
        match self {
            Mechanism::Include(_)
            | Mechanism::A(_)
            | Mechanism::Mx(_)
            | Mechanism::Ptr(_)
            | Mechanism::Exists(_) => true,
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => false,
        }
    }
}
