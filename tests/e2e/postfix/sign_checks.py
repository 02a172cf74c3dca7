"""Our own mail: signed here, and verified by others; and the other way round."""
import os

from mail import message
from servers import MAIN, Mailproofd, Postfix, opendkim, verifier
from world import dkimpy_verifies, key

MAIN_THERE = """myhostname = mail.sender.example
mynetworks = 127.0.0.0/8
milter_default_action = tempfail
"""


def signing_key(lab, domain, selector):
    return f'[[sign.key]]\ndomains = ["{domain}"]\nselector = "{selector}"\nfile = "{key(lab, domain, selector)}"\n'


def signer(lab, keys):
    """mailproofd beside the other Postfix; it reads the keys as root."""
    path = os.path.join(lab.home, "signer.toml")
    with open(path, "w") as it:
        it.write('[[listener]]\nsocket = "inet:8892@127.0.0.1"\nroles = ["sign"]\n')
        it.write("".join(signing_key(lab, *it) for it in keys))
    Mailproofd(lab, [path], ("127.0.0.1", 8892), user=None, name="mailproofd-there")
    return "inet:127.0.0.1:8892"


def between(lab):
    """Signed by mailproofd with two keys there, verified by mailproofd here, and by dkimpy."""
    verifier(lab)
    milter = signer(lab, [("sender.example", "rsa"), ("sender.example", "ed")])
    here = Postfix(lab, True, MAIN)
    there = Postfix(lab, False, f"{MAIN_THERE}smtpd_milters = {milter}\nnon_smtpd_milters = {milter}\n")
    box = lab.mailbox()
    there.send("joe@sender.example", f"{box}@receiver.example", message("joe@sender.example"), "127.0.0.1")
    got = lab.delivered(box)
    results = got.results()
    lab.check(results.count("dkim=pass") == 2, "both signatures pass")
    lab.has(results, "header.a=rsa-sha256", "one of RSA")
    lab.has(results, "header.a=ed25519-sha256", "one of Ed25519")
    lab.has(results, "spf=pass", "SPF of a real client")
    lab.has(results, "dmarc=pass", "DMARC")
    lab.check(dkimpy_verifies(lab, got.sent()) == [True, True], "dkimpy verifies both")
    box = lab.mailbox()
    there.sendmail("joe@sender.example", f"{box}@receiver.example", b"From: joe@sender.example\nTo: x@receiver.example\nSubject: local\n\nBy sendmail.\n")
    got = lab.delivered(box)
    lab.check(got.results().count("dkim=pass") == 2, "mail of sendmail(1) is signed too")
    lab.has(got.results(), "dmarc=pass", "mail of sendmail(1)")
    lab.check(dkimpy_verifies(lab, got.sent()) == [True, True], "dkimpy verifies it")


def with_opendkim(lab):
    """Signed by mailproofd, verified by stock OpenDKIM; and the other way round."""
    verifier(lab)
    there_signs = opendkim(lab, "signer", f"Mode s\nDomain sender.example\nSelector rsa\nKeyFile {key(lab, 'sender.example', 'rsa')}\nCanonicalization relaxed/simple\nOversignHeaders From")
    here = Postfix(lab, True, MAIN)
    there = Postfix(lab, False, f"{MAIN_THERE}smtpd_milters = {there_signs}\nnon_smtpd_milters = {there_signs}\n")
    box = lab.mailbox()
    there.send("joe@sender.example", f"{box}@receiver.example", message("joe@sender.example"), "127.0.0.1")
    got = lab.delivered(box)
    lab.has(got.results(), "dkim=pass", "OpenDKIM's signature")
    lab.has(got.results(), "header.s=rsa", "OpenDKIM's signature")
    box = lab.mailbox()
    there.sendmail("joe@sender.example", f"{box}@receiver.example", b"From: joe@sender.example\nTo: x@receiver.example\nSubject: local\n\nBy sendmail.\n")
    lab.has(lab.delivered(box).results(), "dkim=pass", "OpenDKIM's signature on mail of sendmail(1)")

    milter = signer(lab, [("sender.example", "rsa")])
    verifies = opendkim(lab, "verifier", "Mode v\nAuthservID opendkim.example")
    here.reload(MAIN.replace("unix:mailproofd/milter.sock", verifies))
    there.reload(f"{MAIN_THERE}smtpd_milters = {milter}\nnon_smtpd_milters = {milter}\n")
    for body in ("Hello.\r\n", ".\r\n..dots\r\n\r\n \t two  spaces \r\n\r\n", "\r\n"):
        box = lab.mailbox()
        there.send("joe@sender.example", f"{box}@receiver.example", message("Joe <joe@sender.example>", body=body, subject="folded\r\n\t  twice"), "127.0.0.1")
        got = lab.delivered(box)
        lab.has(got.results(), "opendkim.example; dkim=pass", "stock OpenDKIM")
