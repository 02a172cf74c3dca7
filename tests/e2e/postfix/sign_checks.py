"""Our own mail: signed here, and verified by others; and the other way round."""

import base64, os

from mail import Smtp, message
from servers import MAIN, SUBMISSION, Mailproofd, Postfix, dovecot, opendkim, verifier
from world import dkimpy_signs, dkimpy_validates, dkimpy_verifies, key

MAIN_THERE = """myhostname = mail.sender.example
mynetworks = 127.0.0.0/8
milter_default_action = tempfail
"""


def signing_key(domain, selector, file):
    return f'[[sign.key]]\ndomains = ["{domain}"]\nselector = "{selector}"\nfile = "{file}"\n'


def signer(lab, keys):
    """mailproofd that signs beside the other Postfix."""
    return over_there(lab, "sign", "".join(signing_key(*it, key(lab, *it)) for it in keys))


def over_there(lab, role, settings):
    """mailproofd beside the other Postfix; it reads keys as root."""
    path = os.path.join(lab.home, "there.toml")
    dns = f'[dns]\nname-servers = ["{lab.name_server}"]\n' if lab.is_plain else ""
    with open(path, "w") as it:
        it.write(f"""[[listener]]
socket = "inet:8892@127.0.0.1"
roles = ["{role}"]
[log]
to = "stderr"
{settings}
{dns}""")
    Mailproofd(lab, [path], ("127.0.0.1", 8892), user=None, name="mailproofd-there")
    return "inet:127.0.0.1:8892"


def between(lab):
    """Signed by mailproofd with two keys there, verified by mailproofd here, and by dkimpy."""
    daemon = verifier(lab)
    milter = signer(lab, [("sender.example", "rsa"), ("sender.example", "ed")])
    Postfix(lab, True, MAIN)
    there = Postfix(
        lab, False, f"{MAIN_THERE}smtpd_milters = {milter}\nnon_smtpd_milters = {milter}\n"
    )
    box = lab.mailbox()
    there.send(
        "joe@sender.example", f"{box}@receiver.example", message("joe@sender.example"), "127.0.0.1"
    )
    got = lab.delivered(box)
    results = got.results()
    lab.check(results.count("dkim=pass") == 2, "both signatures pass")
    lab.has(results, "header.a=rsa-sha256", "one of RSA")
    lab.has(results, "header.a=ed25519-sha256", "one of Ed25519")
    lab.has(results, "spf=pass", "SPF of a real client")
    lab.has(results, "dmarc=pass", "DMARC")
    lab.check(dkimpy_verifies(lab, got.sent()) == [True, True], "dkimpy verifies both")
    box = lab.mailbox()
    there.sendmail(
        "joe@sender.example",
        f"{box}@receiver.example",
        b"From: joe@sender.example\nTo: x@receiver.example\nSubject: local\n\nBy sendmail.\n",
    )
    got = lab.delivered(box)
    lab.check(got.results().count("dkim=pass") == 2, "mail of sendmail(1) is signed too")
    lab.has(got.results(), "dmarc=pass", "mail of sendmail(1)")
    lab.check(dkimpy_verifies(lab, got.sent()) == [True, True], "dkimpy verifies it")
    # smtp(8) breaks such a line, and would break the signature with it.
    box = lab.mailbox()
    there.sendmail(
        "joe@sender.example",
        f"{box}@receiver.example",
        b"From: joe@sender.example\nTo: x@receiver.example\nSubject: wide\n\n"
        + b"x" * 1500
        + b"\n",
    )
    lab.has(lab.delivered(box).results(), "dkim=none", "a line too long to be signed arrives")
    # What tools that read the logs of OpenDKIM and OpenDMARC look for.
    log = lab.read(lab.home, "mailproofd-there.log")
    lab.has(log, ": DKIM-Signature field added (s=rsa, d=sender.example)", "the log")
    lab.has(log, ": DKIM-Signature field added (s=ed, d=sender.example)", "the log")
    lab.has(daemon.log(), ": DKIM verification successful", "the log")
    lab.has(daemon.log(), ": sender.example pass", "the log")


def with_opendkim(lab):
    """Signed by mailproofd, verified by stock OpenDKIM; and the other way round."""
    verifier(lab)
    there_signs = opendkim(
        lab,
        "signer",
        f"Mode s\nDomain sender.example\nSelector rsa\nKeyFile {key(lab, 'sender.example', 'rsa')}\nCanonicalization relaxed/simple\nOversignHeaders From",
    )
    here = Postfix(lab, True, MAIN)
    there = Postfix(
        lab,
        False,
        f"{MAIN_THERE}smtpd_milters = {there_signs}\nnon_smtpd_milters = {there_signs}\n",
    )
    box = lab.mailbox()
    there.send(
        "joe@sender.example", f"{box}@receiver.example", message("joe@sender.example"), "127.0.0.1"
    )
    got = lab.delivered(box)
    lab.has(got.results(), "dkim=pass", "OpenDKIM's signature")
    lab.has(got.results(), "header.s=rsa", "OpenDKIM's signature")
    box = lab.mailbox()
    there.sendmail(
        "joe@sender.example",
        f"{box}@receiver.example",
        b"From: joe@sender.example\nTo: x@receiver.example\nSubject: local\n\nBy sendmail.\n",
    )
    lab.has(
        lab.delivered(box).results(), "dkim=pass", "OpenDKIM's signature on mail of sendmail(1)"
    )

    milter = signer(lab, [("sender.example", "rsa")])
    verifies = opendkim(lab, "verifier", "Mode v\nAuthservID opendkim.example")
    here.reload(MAIN.replace("unix:mailproofd/milter.sock", verifies))
    there.reload(f"{MAIN_THERE}smtpd_milters = {milter}\nnon_smtpd_milters = {milter}\n")
    for body in ("Hello.\r\n", ".\r\n..dots\r\n\r\n \t two  spaces \r\n\r\n", "\r\n"):
        box = lab.mailbox()
        there.send(
            "joe@sender.example",
            f"{box}@receiver.example",
            message("Joe <joe@sender.example>", body=body, subject="folded\r\n\t  twice"),
            "127.0.0.1",
        )
        got = lab.delivered(box)
        lab.has(got.results(), "opendkim.example; dkim=pass", "stock OpenDKIM")


def submission(lab):
    """Users who authenticate themselves, from anywhere: their mail is signed."""
    private = "/etc/mailproofd/keys/seal.private"
    lab.write(
        private, lab.read(key(lab, "receiver.example", "seal")), lab.account("mailproofd"), 0o600
    )
    settings = "[sign]\n" + signing_key("receiver.example", "seal", lab.at(private))
    daemon = verifier(lab, settings, roles='["sign", "verify"]')
    here = Postfix(lab, True, MAIN)
    here.reload(MAIN, here.submission())
    Postfix(lab, False, MAIN_THERE)
    dovecot(lab, here)
    box = lab.mailbox()

    def submit(author, password="secret"):
        client = Smtp(lab, lab.here, SUBMISSION, source=lab.evil)
        reply = client.say(
            "AUTH PLAIN " + base64.b64encode(b"\0ann\0" + password.encode()).decode()
        )
        if not reply.startswith("235"):
            return reply
        fields = ["Authentication-Results: mx.receiver.example; dmarc=pass"]
        return client.send(author, f"{box}@far.example", message(author, fields=fields))

    lab.wait(
        "the submission service listens",
        lambda: not submit("ann@receiver.example", "wrong").startswith("4"),
    )
    reply = submit("ann@receiver.example", "wrong")
    lab.check(reply.startswith("535"), f"a wrong password: {reply}")
    reply = submit("ann@receiver.example")
    lab.check(reply.startswith("250"), f"accepted: {reply}")
    got = lab.delivered(box)
    lab.check(dkimpy_verifies(lab, got.sent()) == [True], "signed, and dkimpy verifies it")
    lab.check("d=receiver.example;" in got.all("DKIM-Signature")[0], "by the domain of the author")
    lab.check(
        not got.all("Authentication-Results"), "a user cannot forge our results, and there are none"
    )
    reply = submit("ann@sender.example")
    lab.check(reply.startswith("250"), f"an author without a key: {reply}")
    lab.check(not lab.delivered(box).all("DKIM-Signature"), "is not signed")
    reply = here.send(
        "ann@receiver.example", f"{box}@receiver.example", message("ann@receiver.example"), lab.evil
    )
    got = lab.delivered(box)
    lab.check(not got.all("DKIM-Signature"), "without authentication it is not signed")
    lab.has(got.results(), "dmarc=fail", "but verified")
    daemon.stop()
    verifier(
        lab, settings.replace("[sign]", "[sign]\nauthenticated = false"), roles='["sign", "verify"]'
    )
    submit("ann@receiver.example")
    lab.check(
        not lab.delivered(box).all("DKIM-Signature"), "sign.authenticated = false: not signed"
    )


def bounces(lab):
    """Bounces that Postfix filters (internal_mail_filter_classes) are signed as the host's own."""
    private = "/etc/mailproofd/keys/seal.private"
    lab.write(
        private, lab.read(key(lab, "receiver.example", "seal")), lab.account("mailproofd"), 0o600
    )
    settings = "[sign]\n" + signing_key("receiver.example", "seal", lab.at(private))
    verifier(lab, settings, roles='["sign", "verify"]')
    here = Postfix(
        lab, True, f"{MAIN}myorigin = receiver.example\ninternal_mail_filter_classes = bounce\n"
    )
    there = Postfix(lab, False, MAIN_THERE)
    box = lab.mailbox()
    here.sendmail(
        f"{box}@far.example", "nobody@far.example", b"From: x@receiver.example\n\nHello.\n"
    )
    got = lab.delivered(box)
    lab.check("MAILER-DAEMON@receiver.example" in got.all("From")[0], "the bounce arrives")
    lab.check(dkimpy_verifies(lab, got.sent()) == [True], "signed, and dkimpy verifies it")
    lab.check(there.queued("deferred") == [], "nothing is left")


def sealed(lab):
    """Forwarded mail is sealed (ARC), and a host that trusts the sealer takes it."""
    private = "/etc/mailproofd/keys/seal.private"
    lab.write(
        private, lab.read(key(lab, "receiver.example", "seal")), lab.account("mailproofd"), 0o600
    )
    verifier(
        lab, f'[seal]\ndomain = "receiver.example"\nselector = "seal"\nfile = "{lab.at(private)}"\n'
    )
    box, reject = lab.mailbox(), '[policy.dmarc]\nreject = "reject"\n'
    here = Postfix(
        lab,
        True,
        f"{MAIN}virtual_alias_maps = inline:{{list@receiver.example={box}@far.example}}\n",
    )
    milter = over_there(lab, "verify", reject)
    there = Postfix(lab, False, f"{MAIN_THERE}smtpd_milters = {milter}\n")
    joe = message("joe@sender.example", to="list@receiver.example")
    reply = here.send("joe@sender.example", "list@receiver.example", joe, lab.there)
    lab.check(reply.startswith("250"), f"the forwarder takes it: {reply}")
    lab.wait("it is forwarded", lambda: "status=bounced" in here.log())
    lab.has(
        here.log(),
        "550 5.7.26 rejected by DMARC policy for sender.example",
        "without trust, p=reject",
    )

    lab.end("mailproofd-there")
    over_there(lab, "verify", f'{reject}[verify]\ntrusted-sealers = ["receiver.example"]\n')
    for octets in (joe, dkimpy_signs(lab, joe)):
        here.send("joe@sender.example", "list@receiver.example", octets, lab.there)
        got = lab.delivered(box)
        lab.has(got.results(), "arc=pass", "the other host")
        lab.check(len(got.all("ARC-Seal")) == 1, "one seal")
        sent = got.sent()
        lab.check(dkimpy_validates(lab, sent) == "pass", "dkimpy validates the chain")
        code, _ = lab.tool(
            "check-headers", "--zone", f".={lab.home}/dns/zone", "--require", "arc", stdin=sent
        )
        lab.check(code == 0, "check-headers validates it")
        code, _ = lab.tool(
            "check-headers",
            "--zone",
            f".={lab.home}/dns/zone",
            "--require",
            "arc",
            stdin=sent.replace(b"Hello", b"hELLO"),
        )
        lab.check(code == 1, "but not when the body is changed")
    lab.check(
        "dmarc=fail" in got.results() or "dmarc=pass" in got.results(), "DMARC has its own result"
    )
    lab.check("status=bounced" not in there.log(), "nothing bounced")
