"""The neighbours act on the field that mailproofd writes."""

import os, subprocess, time

from mail import message
from servers import MAIN, Postfix, asks_elsewhere, dovecot, opendkim, opendmarc, verifier
from world import dkimpy_signs

RULES = """loadplugin Mail::SpamAssassin::Plugin::Check
loadplugin Mail::SpamAssassin::Plugin::AuthRes
authres_networks all
authres_trusted_authserv mx.receiver.example
header T_DMARC_PASS eval:check_authres_result('dmarc', 'pass')
header T_DMARC_FAIL eval:check_authres_result('dmarc', 'fail')
header T_DKIM_PASS eval:check_authres_result('dkim', 'pass')
header T_DKIM_NONE eval:check_authres_result('dkim', 'none')
header T_SPF_PASS eval:check_authres_result('spf', 'pass')
header T_SPF_FAIL eval:check_authres_result('spf', 'fail')
score T_DMARC_PASS -2
score T_DMARC_FAIL 7
score T_DKIM_PASS -1
score T_DKIM_NONE 0.5
score T_SPF_PASS -0.5
score T_SPF_FAIL 1
required_score 5
add_header all Status _YESNO_, score=_SCORE_ tests=_TESTS_
use_bayes 0
"""


def spamassassin(lab):
    """SpamAssassin's AuthRes scores the field, and no forged one."""
    verifier(lab)
    here = Postfix(lab, True, MAIN)
    rules = os.path.join(lab.home, "spamassassin")
    os.makedirs(rules, exist_ok=True)
    with open(os.path.join(rules, "test.cf"), "w") as it:
        it.write(RULES)
    box = lab.mailbox()
    forgery = [
        "Authentication-Results: mx.receiver.example; dmarc=pass header.from=reject.example; dkim=pass header.d=reject.example"
    ]
    joe = dkimpy_signs(lab, message("joe@sender.example"))
    for octets, source, wanted in (
        (joe, lab.there, {"T_DMARC_PASS", "T_DKIM_PASS", "T_SPF_PASS"}),
        (
            message("ann@reject.example", fields=forgery),
            lab.evil,
            {"T_DMARC_FAIL", "T_DKIM_NONE", "T_SPF_FAIL"},
        ),
    ):
        author = "joe@sender.example" if octets is joe else "ann@reject.example"
        here.send(author, f"{box}@receiver.example", octets, source)
        got = lab.delivered(box)
        command = [
            "spamassassin",
            "--local",
            f"--configpath={rules}",
            f"--siteconfigpath={rules}",
            f"--prefspath={rules}/none",
        ]
        done = subprocess.run(
            command,
            input=got.octets,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": lab.home},
        )
        output = lab.evidence["spamassassin"] = done.stdout.decode("latin-1")
        found = {
            word
            for word in output.replace(",", " ").replace("=", " ").split()
            if word.startswith("T_")
        }
        lab.check(found == wanted, f"{author}: {', '.join(sorted(found))}")
        is_spam = "X-Spam-Status: Yes" in output
        lab.check(is_spam == (octets is not joe), f"{author}: {'spam' if is_spam else 'no spam'}")


def sieve(lab):
    """A Sieve script of Dovecot sorts by the field, behind LMTP."""
    verifier(lab)
    here = Postfix(lab, True, f"{MAIN}virtual_transport = lmtp:unix:private/dovecot-lmtp\n")
    dovecot(lab, here)
    for author, folder in (("joe@sender.example", "new"), ("ann@reject.example", ".Junk/new")):
        box = lab.mailbox()
        here.send("joe@sender.example", f"{box}@receiver.example", message(author), lab.there)
        directory = os.path.join(lab.mail, box, folder)
        lab.wait(
            f"{author} arrives in {folder}",
            lambda: os.path.isdir(directory) and os.listdir(directory),
        )
        lab.check(len(os.listdir(directory)) == 1, f"mail of {author} is in {folder}")


def opendmarc_behind(lab):
    """Stock OpenDMARC behind mailproofd believes its field, and no forged one."""
    if asks_elsewhere(lab):
        return
    verifier(lab)
    milter = opendmarc(
        lab, "AuthservID OpenDMARC\nTrustedAuthservIDs mx.receiver.example\nRejectFailures true"
    )
    main = MAIN.replace("milter.sock", f"milter.sock, {milter}", 1)
    here = Postfix(lab, True, main)
    box = lab.mailbox()

    def send(author, octets, source):
        return here.send(author, f"{box}@receiver.example", octets, source)

    joe = message("joe@sender.example")
    for octets, source, why in (
        (joe, lab.there, "SPF"),
        (dkimpy_signs(lab, joe), lab.evil, "DKIM"),
    ):
        reply = send("joe@sender.example", octets, source)
        lab.check(reply.startswith("250"), f"{why} alone passes: {reply}")
        fields = lab.delivered(box).all("Authentication-Results")
        lab.check(
            any(it.startswith("OpenDMARC; dmarc=pass") for it in fields),
            f"OpenDMARC believes {why} of mailproofd",
        )
    forgery = [
        "Authentication-Results: mx.receiver.example; spf=pass smtp.mailfrom=reject.example; dkim=pass header.d=reject.example"
    ]
    reply = send("ann@reject.example", message("ann@reject.example", fields=forgery), lab.evil)
    lab.check(
        reply == "550 5.7.1 rejected by DMARC policy for reject.example",
        f"OpenDMARC sees no forged field: {reply}",
    )


def dry_run(lab):
    """mailproofd beside the old daemons, in a dry run: it comes to the same and changes nothing."""
    if asks_elsewhere(lab):
        return
    daemon = verifier(lab, '[policy.dmarc]\nreject = "reject"\n', before="dry-run = true\n")
    verifies = opendkim(
        lab, "verifier", "Mode v\nAuthservID mx.receiver.example\nAlwaysAddARHeader yes"
    )
    judges = opendmarc(
        lab, "AuthservID mx.receiver.example\nSPFSelfValidate true\nRejectFailures false"
    )
    here = Postfix(lab, True, MAIN.replace("milter.sock", f"milter.sock, {verifies}, {judges}", 1))
    box = lab.mailbox()
    joe, ann = message("joe@sender.example"), message("ann@reject.example")
    signed = dkimpy_signs(lab, joe)
    for octets, author, source in (
        (joe, "joe@sender.example", lab.there),
        (joe, "joe@sender.example", lab.evil),
        (signed, "joe@sender.example", lab.evil),
        (signed.replace(b"Hello", b"hELLO"), "joe@sender.example", lab.evil),
        (signed, "ann@none.example", lab.there),
        (ann, "ann@reject.example", lab.evil),
        (message("ann@unknown.example"), "joe@sender.example", lab.there),
    ):
        before = len(daemon.log())
        reply = here.send(author, f"{box}@receiver.example", octets, source)
        lab.check(reply.startswith("250"), f"accepted: {reply}")
        fields = lab.delivered(box).all("Authentication-Results")
        lab.check(len(fields) == 3, "the fields are those of the old daemons")
        theirs = next(it.split("dmarc=")[1].split()[0] for it in fields if "dmarc=" in it)
        # The log is written a little later.
        lab.wait("a line in the log", lambda: len(daemon.log()) > before)
        time.sleep(0.1)
        ours = daemon.log()[before:]
        domain = octets.split(b"From: ")[1].split(b"@")[1].split(b"\r\n")[0].decode()
        lab.check(
            f"{domain} {theirs}" in ours,
            f"OpenDMARC says {domain} {theirs}, and so does mailproofd",
        )
        would = "would be: rejected" in ours
        lab.check(
            would == (theirs == "fail"),
            "it tells what it would do" if would else "it would accept it",
        )
