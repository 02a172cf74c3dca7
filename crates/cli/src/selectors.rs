//! Selectors (RFC 6376 3.1) that are often in use.

/// Selectors that mail software and providers use by default. Which others
/// there are the DNS does not tell (RFC 6376 3.6.2.1): a message does.
pub const USUAL: [&str; 28] = [
    "default",
    "mail",
    "dkim",
    "email",
    "key1",
    "key2",
    "s1",
    "s2",
    "s1024",
    "s2048",
    "k1",
    "k2",
    "k3",
    "smtp",
    "google",
    "selector1",
    "selector2",
    "fm1",
    "fm2",
    "fm3",
    "protonmail",
    "protonmail2",
    "protonmail3",
    "mandrill",
    "zoho",
    "mxvault",
    "dkim1",
    "rsa",
];
