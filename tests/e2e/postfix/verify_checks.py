"""Mail of others: what mailproofd writes down, and what it refuses."""

from mail import Smtp, message
from servers import MAIN, Mailproofd, Postfix, verifier
from world import dkimpy_signs

WRONG_IP = [
    ("none.example", "none"),
    ("quarantine.example", "quarantine"),
    ("reject.example", "reject"),
]


def results(lab):
    """Results are written down, and all mail is delivered."""
    verifier(lab)
    here = Postfix(lab, True, MAIN)
    code, output = lab.tool(
        "mailproofd",
        "check-config",
        lab.at("/etc/mailproofd/mailproofd.toml"),
        "--postfix",
        f"{here.etc}/main.cf",
    )
    lab.check(code == 0, f"check-config has no complaint: {output.splitlines()[0]}")
    joe = message("Joe <joe@sender.example>")

    def deliver(octets, source, mail_from="joe@sender.example"):
        box = lab.mailbox()
        reply = here.send(
            mail_from, f"{box}@receiver.example", octets, source, helo="mail.sender.example"
        )
        lab.check(reply.startswith("250 2.0.0"), f"accepted: {reply}")
        return lab.delivered(box)

    def has(got, *wanted):
        for text in wanted:
            lab.check(text in got.results(), f"Authentication-Results has {text}")

    got = deliver(dkimpy_signs(lab, joe), lab.there)
    has(
        got,
        "mx.receiver.example;",
        "spf=pass",
        "smtp.mailfrom=sender.example",
        "dkim=pass",
        "header.d=sender.example",
        "dmarc=pass",
        "header.from=sender.example",
    )
    lab.check(
        got.names().index("authentication-results") < got.names().index("received"),
        "the field is above Received",
    )
    lab.check(len(got.all("Authentication-Results")) == 1, "there is one field")
    got = deliver(dkimpy_signs(lab, joe, canonicalize=(b"simple", b"simple")), lab.evil)
    has(got, "spf=fail", "dkim=pass", "dmarc=pass")
    got = deliver(dkimpy_signs(lab, joe).replace(b"Hello", b"Hell0"), lab.evil)
    has(got, "spf=fail", "dkim=fail", "dmarc=fail")
    got = deliver(dkimpy_signs(lab, joe).replace(b"noon", b"nine"), lab.evil)
    has(got, "dkim=fail", "dmarc=fail")
    got = deliver(joe, lab.there)
    has(got, "spf=pass", "dkim=none", "dmarc=pass")
    got = deliver(joe, lab.evil, "someone@else.example")
    has(got, "spf=none", "dkim=none", "dmarc=fail")
    for domain, _ in WRONG_IP:
        got = deliver(message(f"ann@{domain}"), lab.evil, f"ann@{domain}")
        has(got, "spf=fail", "dmarc=fail", f"header.from={domain}")
    got = deliver(message("ann@unknown.example"), lab.there, "")
    has(got, "spf=pass smtp.mailfrom=mail.sender.example", "dmarc=none")
    # Dots that SMTP doubles, octets beyond ASCII, lines without end: the body is hashed as it is.
    odd = message(
        "joe@sender.example", body=".\r\n..dots\r\n\r\n caf\xe9\t \r\n" + "x" * 900 + "\r\n\r\n\r\n"
    )
    for form in (b"simple", b"relaxed"):
        got = deliver(dkimpy_signs(lab, odd, canonicalize=(form, form)), lab.evil)
        has(got, "dkim=pass")


def policies(lab):
    """Mail that fails DMARC, refused and held."""
    toml = '[policy.dmarc]\nreject = "reject"\nquarantine = "quarantine"\n'
    verifier(lab, toml)
    here = Postfix(lab, True, MAIN)
    box = lab.mailbox()
    for domain, policy in WRONG_IP:
        octets = message(f"ann@{domain}")
        reply = here.send(f"ann@{domain}", f"{box}@receiver.example", octets, lab.evil)
        if policy == "reject":
            lab.check(
                reply == f"550 5.7.26 rejected by DMARC policy for {domain}", f"p={policy}: {reply}"
            )
        else:
            lab.check(reply.startswith("250 2.0.0"), f"p={policy}: {reply}")
    lab.has(lab.delivered(box).results(), "dmarc=fail", "p=none is delivered")
    lab.wait("p=quarantine is held", lambda: len(here.queued("hold")) == 1)
    lab.check(
        not lab.arrived(box) and len(here.queued("hold")) == 1,
        "p=quarantine is in the hold queue, and nothing else is",
    )
    reply = here.send(
        "joe@sender.example", f"{box}@receiver.example", message("joe@sender.example"), lab.there
    )
    lab.check(reply.startswith("250"), f"a pass is accepted: {reply}")
    lab.has(lab.delivered(box).results(), "dmarc=pass", "and delivered")


def reject_failures(lab):
    """RejectFailures and HoldQuarantinedMessages of opendmarc.conf."""
    lab.directory("/var/spool/postfix/opendmarc", "opendmarc:postfix", 0o2750)
    socket = "/var/spool/postfix/opendmarc/opendmarc.sock"
    here = Postfix(lab, True, MAIN.replace("mailproofd/milter.sock", "opendmarc/opendmarc.sock"))
    box = lab.mailbox()
    for rejects, holds in ((False, False), (False, True), (True, False), (True, True)):
        lab.write(
            "/etc/opendmarc.conf",
            f"""AuthservID mx.receiver.example
Socket local:{socket}
UMask 0002
RejectFailures {str(rejects).lower()}
HoldQuarantinedMessages {str(holds).lower()}
""",
        )
        daemon = Mailproofd(lab, ["/etc/opendmarc.conf"], socket, user="opendmarc")
        said = f"RejectFailures {rejects}, HoldQuarantinedMessages {holds}"
        for domain, policy in WRONG_IP:
            held = len(here.queued("hold"))
            reply = here.send(
                f"ann@{domain}", f"{box}@receiver.example", message(f"ann@{domain}"), lab.evil
            )
            if policy == "reject" and rejects:
                lab.check(
                    reply == f"550 5.7.26 rejected by DMARC policy for {domain}",
                    f"{said}: p={policy}: {reply}",
                )
                continue
            lab.check(reply.startswith("250 2.0.0"), f"{said}: p={policy}: {reply}")
            if policy == "quarantine" and rejects and holds:
                lab.check(len(here.queued("hold")) == held + 1, f"{said}: p={policy} is held")
            else:
                lab.has(
                    lab.delivered(box).results(), "dmarc=fail", f"{said}: p={policy} is delivered"
                )
        daemon.stop()


def forged(lab):
    """Forged Authentication-Results fields are removed, others stay."""
    verifier(lab)
    here = Postfix(lab, True, MAIN)
    forgeries = [
        "Authentication-Results: mx.receiver.example; dmarc=pass header.from=reject.example",
        "Authentication-Results: mx.receiver.example 1; dmarc=pass header.from=reject.example",
        "authentication-results:MX.Receiver.EXAMPLE; dmarc=pass header.from=reject.example",
        'Authentication-Results: "mx.receiver.example"; dmarc=pass header.from=reject.example',
        "Authentication-Results: (a (nested) comment) mx.receiver.example (b); dmarc=pass",
        "Authentication-Results:\r\n\tmx.receiver.example;\r\n\tdmarc=pass header.from=reject.example",
        "Authentication-Results: mx.receiver.example.; dmarc=pass header.from=reject.example",
        "Authentication-Results: mx.receiver.example; none",
        "AUTHENTICATION-RESULTS : mx.receiver.example; dmarc=pass",
        'Authentication-Results: "mx.receiver\\.example"; dmarc=pass',
        "Authentication-Results: mx.receiver.example; ;;; (unclosed dmarc=pass",
    ]
    other = "Authentication-Results: mx.elsewhere.example; dmarc=pass header.from=reject.example"
    box = lab.mailbox()
    octets = message("ann@reject.example", fields=[*forgeries[:5], other, *forgeries[5:]])
    here.send("ann@reject.example", f"{box}@receiver.example", octets, lab.evil)
    got = lab.delivered(box)
    lab.has(got.results(), "dmarc=fail", "the true result is on top")
    ours = [value for value in got.all("Authentication-Results") if "receiver" in value.lower()]
    lab.check(ours == [got.results()], "no forged field of ours is left")
    lab.check(
        any("elsewhere" in value for value in got.all("Authentication-Results")),
        "the field of another host is left",
    )
    lab.check(
        not any(
            name.strip() == "authentication-results" and name != name.strip()
            for name in got.names()
        ),
        "no field with a space before its colon is left",
    )
    lab.has(str(got), "Hello.", "the body is there")
    # What a policy service prepends counts among the fields that Postfix numbers.
    prepended = "check_client_access static:{PREPEND Authentication-Results: policy.example; none}"
    here.reload(f"{MAIN}smtpd_client_restrictions = {prepended}\n")
    box = lab.mailbox()
    octets = message("ann@reject.example", fields=[forgeries[0], other, forgeries[3], other] * 40)
    here.send("ann@reject.example", f"{box}@receiver.example", octets, lab.evil)
    got = lab.delivered(box)
    lab.has(got.results(), "dmarc=fail", "of 160 fields, 80 forged")
    names = [value.split(";")[0] for value in got.all("Authentication-Results")]
    expected = ["mx.receiver.example", "policy.example", *["mx.elsewhere.example"] * 80]
    lab.check(names == expected, "the right ones are removed")
    here.reload(MAIN)
    for number, forgery in enumerate(forgeries):
        box = lab.mailbox()
        here.send(
            "ann@reject.example",
            f"{box}@receiver.example",
            message("ann@reject.example", fields=[forgery]),
            lab.evil,
        )
        fields = lab.delivered(box).all("Authentication-Results")
        lab.check(
            len(fields) == 1 and "dmarc=fail" in fields[0],
            f"disguise {number + 1}: {forgery.encode()}",
        )


def shapes(lab):
    """Headers of all shapes: forged results are removed from each, and each is delivered."""
    verifier(lab, "[verify]\nreceived-spf = true\n")
    here = Postfix(
        lab, True, f"{MAIN}inet_protocols = all\nsmtpd_authorized_xclient_hosts = {lab.evil}\n"
    )
    box = lab.mailbox()
    to = f"{box}@receiver.example"
    forged = "Authentication-Results: mx.receiver.example; dmarc=pass header.from=reject.example"
    rest = "Subject: x\r\nDate: Wed, 25 Nov 2026 08:00:00 +0000\r\n\r\nHello.\r\n"
    for name, header, wanted in (
        (
            "two From fields",
            "From: ann@reject.example\r\nFrom: joe@sender.example",
            "dmarc=permerror",
        ),
        ("authors of two domains", "From: ann@reject.example, joe@sender.example", "dmarc=fail"),
        ("no From", "To: x@receiver.example", "dmarc="),
        ("an empty From", "From:", "dmarc="),
        ("no address in From", "From: Ann the Nobody", "dmarc="),
        ("a group in From", "From: undisclosed:;", "dmarc="),
        ("octets in From", "From: =?x?= \xff\xfe <ann@reject.example>", "dmarc=fail"),
        ("an A-label in From", "From: a@xn--bcher-kva.example", "dmarc=none"),
        (
            "a DKIM-Signature of garbage",
            "DKIM-Signature: v=\x80;;=\r\nFrom: ann@reject.example",
            "dkim=neutral",
        ),
        ("an empty DKIM-Signature", "DKIM-Signature:\r\nFrom: ann@reject.example", "dkim="),
        (
            "20 signatures",
            "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=x; h=From; bh=; b=\r\n" * 20
            + "From: ann@reject.example",
            "dmarc=fail",
        ),
        ("an ARC set of garbage", "ARC-Seal: i=1; cv=none\r\nFrom: ann@reject.example", "arc=fail"),
        ("a field without name", "From: ann@reject.example\r\n: x", "dmarc=fail"),
    ):
        octets = f"{forged}\r\n{header}\r\n{rest}".encode("latin-1")
        reply = here.send("ann@reject.example", to, octets, lab.evil)
        lab.check(reply.startswith("250"), f"{name}: {reply}")
        got = lab.delivered(box)
        lab.has(got.results(), wanted, name)
        lab.check(len(got.all("Authentication-Results")) == 1, f"{name}: the forged field is gone")
        lab.check("dmarc=pass" not in str(got), f"{name}: nothing passes")
    lab.has(got.all("Received-SPF")[0], "fail ", "Received-SPF on request")
    reply = here.send("ann@reject.example", to, b".\r\n"[:0], lab.evil)
    lab.check(reply.startswith("250"), f"an empty message: {reply}")
    lab.has(lab.delivered(box).results(), "spf=fail", "an empty message")

    client = Smtp(lab, lab.here, source=lab.evil)
    client.say("XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7")
    client.say("EHLO client.example")
    client.send("joe@six.example", to, message("joe@six.example"))
    results = lab.delivered(box).results()
    lab.has(results, "spf=pass", "a client of IPv6")
    lab.has(results, "dmarc=pass", "a client of IPv6")
    client.close()
    client = Smtp(lab, lab.here, source=lab.evil)
    client.say("XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]")
    client.say("EHLO client.example")
    reply = client.send("joe@six.example", to, message("joe@six.example"))
    lab.check(reply.startswith("250"), f"a client without an address: {reply}")
    lab.check(
        "dmarc=pass" not in lab.delivered(box).results(),
        "a client without an address passes nothing",
    )
    client.close()
