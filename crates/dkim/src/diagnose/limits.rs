//! What a diagnosis may cost.

/// The bounds of one diagnosis. The search in the body and the one in the header section have them
/// each, so that neither starves the other.
///
/// The worst case is the sum of all three budgets, twice: with the defaults 128 MiB hashed, 40,000
/// variants, and 4,000 uses of a public key. The worst message made for it takes 2.7 s in a build
/// without optimization. Memory is at most twelve copies of the body, and 10 MB for the variants of
/// the header fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosisLimits {
    /// How many octets are hashed, or looked through to make a variant. Local choice.
    pub octets: u64,
    /// How many variants are hashed; cutting off one line more counts as one. Local choice.
    pub variants: u64,
    /// How many times the public key is used. An RSA key is used once, because the signature itself
    /// tells the digest that was signed (RFC 8017 5.2.2); an Ed25519 key once for each variant.
    /// Local choice.
    pub signatures: u64,
    /// How many lines at the end are cut off one by one. Local choice.
    pub footer_lines: usize,
    /// How many lines at the beginning of a part are cut off one by one. Local choice.
    pub banner_lines: usize,
    /// How many MIME parts are looked at. Local choice.
    pub parts: usize,
    /// How many instances of signed fields are looked at. Local choice; mail as it is has about 20.
    pub fields: usize,
    /// How long a field may be to be looked at, in octets. Local choice.
    pub field_octets: usize,
}

impl Default for DiagnosisLimits {
    fn default() -> DiagnosisLimits {
        DiagnosisLimits {
            octets: 64 << 20,
            variants: 20_000,
            signatures: 2_000,
            footer_lines: 100,
            banner_lines: 20,
            parts: 16,
            fields: 64,
            field_octets: 4096,
        }
    }
}

/// The limit at which a search ended before everything was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// [`DiagnosisLimits::octets`].
    Octets,
    /// [`DiagnosisLimits::variants`].
    Variants,
    /// [`DiagnosisLimits::signatures`].
    Signatures,
}

impl Exhausted {
    /// The name of the limit in the corpus and in JSON.
    pub fn keyword(self) -> &'static str {
        match self {
            Exhausted::Octets => "octets",
            Exhausted::Variants => "variants",
            Exhausted::Signatures => "signatures",
        }
    }
}

/// What a search has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Octets hashed or looked through.
    pub octets: u64,
    /// Variants hashed.
    pub variants: u64,
    /// Uses of a public key.
    pub signatures: u64,
}

/// The work done and what it may become.
pub(super) struct Budget<'l> {
    pub(super) limits: &'l DiagnosisLimits,
    pub(super) work: Work,
}

impl Budget<'_> {
    pub(super) fn new(limits: &DiagnosisLimits) -> Budget<'_> {
        Budget { limits, work: Work::default() }
    }

    /// Before so many octets are hashed or looked through.
    pub(super) fn octets(&mut self, count: usize) -> Result<(), Exhausted> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        spend(&mut self.work.octets, count, self.limits.octets).ok_or(Exhausted::Octets)
    }

    /// Before a variant is compared.
    pub(super) fn variant(&mut self) -> Result<(), Exhausted> {
        spend(&mut self.work.variants, 1, self.limits.variants).ok_or(Exhausted::Variants)
    }

    /// Before a public key is used.
    pub(super) fn signature(&mut self) -> Result<(), Exhausted> {
        spend(&mut self.work.signatures, 1, self.limits.signatures).ok_or(Exhausted::Signatures)
    }
}

fn spend(spent: &mut u64, more: u64, most: u64) -> Option<()> {
    *spent = spent.checked_add(more).filter(|&sum| sum <= most)?;
    Some(())
}
