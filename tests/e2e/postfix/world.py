"""Who there is: domains, their keys and their records."""

import os, subprocess

import dkim

# Domain, selector, type of the key.
KEYS = [
    ("sender.example", "rsa", "rsa"),
    ("sender.example", "ed", "ed25519"),
    ("reject.example", "rsa", "rsa"),
    ("receiver.example", "seal", "rsa"),
    ("subdomain.domain.example", "default", "rsa"),
    ("mail.example.com", "20250222", "rsa"),
    ("example.com", "default", "rsa"),
]


def key(lab, domain, selector):
    """The file of a private key."""
    return os.path.join(lab.home, "keys", domain, f"{selector}.private")


def records(lab):
    """Makes the keys, and returns all records."""
    lines = [
        f"mx.receiver.example. A {lab.here}",
        "receiver.example. MX 10 mx.receiver.example.",
        f'receiver.example. TXT "v=spf1 ip4:{lab.here} -all"',
        '_dmarc.receiver.example. TXT "v=DMARC1; p=reject"',
        f"mail.sender.example. A {lab.there}",
        f'mail.sender.example. TXT "v=spf1 ip4:{lab.there} -all"',
        ".".join(reversed(lab.there.split("."))) + ".in-addr.arpa. PTR mail.sender.example.",
        "far.example. MX 10 mail.sender.example.",
        'six.example. TXT "v=spf1 ip6:2001:db8::/64 -all"',
        '_dmarc.six.example. TXT "v=DMARC1; p=reject"',
        'softfail.example. TXT "v=spf1 ~all"',
        'broken.example. TXT "v=spf1 ip4:192.0.2.300 -all"',
        'explained.example. TXT "v=spf1 -all exp=why.explained.example"',
        'why.explained.example. TXT "%{i} may not send for %{d}"',
        # Answered with SERVFAIL, as all below servfail.example.
        '_dmarc.lame.example. TXT "v=DMARC1; p=reject"',
        'lame.example. TXT "v=spf1 include:servfail.example -all"',
    ]
    for domain, address, policy in (
        ("sender.example", lab.there, "reject"),
        ("none.example", lab.there, "none"),
        ("quarantine.example", lab.there, "quarantine"),
        ("reject.example", lab.there, "reject"),
        # Those of the guides.
        ("subdomain.domain.example", lab.here, "quarantine; adkim=s; aspf=s;"),
        ("mail.example.com", lab.here, "quarantine; rua=mailto:hoge@mail.example.com"),
        ("example.com", lab.here, "none"),
    ):
        lines += [
            f'{domain}. TXT "v=spf1 ip4:{address} -all"',
            f'_dmarc.{domain}. TXT "v=DMARC1; p={policy}"',
        ]
    for domain, selector, kind in KEYS:
        directory = os.path.dirname(key(lab, domain, selector))
        os.makedirs(directory, exist_ok=True)
        options = f"--type {kind} -a -d {domain} -s {selector} -D".split()
        command = [os.path.join(lab.bin, "genkey"), *options, directory]
        subprocess.run(command, check=True, capture_output=True)
        lines.append(lab.read(directory, f"{selector}.txt"))
    text = "\n".join(lines)
    with open(os.path.join(lab.home, "records"), "w") as it:
        it.write(text)
    return text


def dkimpy_signs(lab, octets, domain="sender.example", selector="rsa", **options):
    """The message with a signature of dkimpy in front."""
    with open(key(lab, domain, selector), "rb") as it:
        private = it.read()
    return dkim.sign(octets, selector.encode(), domain.encode(), private, **options) + octets


def dkimpy_verifies(lab, octets):
    """Whether each signature of a message is good by dkimpy."""
    message = dkim.DKIM(octets)
    count = sum(name.lower() == b"dkim-signature" for name, _ in message.headers)
    return [message.verify(idx=index, dnsfunc=lookup(lab)) for index in range(count)]


def dkimpy_validates(lab, octets):
    """The state of the ARC chain by dkimpy."""
    return dkim.ARC(octets).verify(dnsfunc=lookup(lab))[0].decode()


def lookup(lab):
    """How dkimpy asks for TXT records: of the public keys that genkey wrote."""

    def txt(name, timeout=5):
        selector, _, domain = name.decode().rstrip(".").partition("._domainkey.")
        path = os.path.join(lab.home, "keys", domain, f"{selector}.txt")
        if not os.path.exists(path):
            return None
        return "".join(lab.read(path).split('"')[1::2]).encode()

    return txt
