"""What goes wrong: no DNS, a daemon that is killed, a configuration that changes under load."""

import os, re, signal, threading, time

from lab import answers
from mail import Smtp, message
from servers import MAIN, SOCKET, Postfix, verifier
from sign_checks import MAIN_THERE
from world import dkimpy_signs

QUICK_DNS = "[dns]\ntimeout = 1\nmessage-timeout = 3\n"
# Postfix itself asks for the name of each client, and waits.
MAIN_DEAF = f"{MAIN}smtpd_peername_lookup = no\n"


def dns_down(lab):
    """Nobody answers, or with SERVFAIL: annotated or put off, never refused, and not lost."""
    reject = (
        '[policy.dmarc]\nreject = "reject"\nquarantine = "reject"\n[policy.spf]\nfail = "reject"\n'
    )
    daemon = verifier(lab, QUICK_DNS + reject)
    here = Postfix(lab, True, MAIN_DEAF)
    there = Postfix(lab, False, f"{MAIN_THERE}smtpd_peername_lookup = no\n")
    box = lab.mailbox()
    to = f"{box}@receiver.example"

    reply = here.send("ann@lame.example", to, message("ann@lame.example"), lab.evil)
    lab.check(reply.startswith("250"), f"SPF answered with SERVFAIL: {reply}")
    results = lab.delivered(box).results()
    lab.has(results, "spf=temperror", "SERVFAIL")
    lab.has(results, "dmarc=temperror", "SERVFAIL")
    lab.check("dmarc=fail" not in results, "SERVFAIL is no failure of DMARC")
    reply = here.send("ann@servfail.example", to, message("ann@servfail.example"), lab.evil)
    lab.check(reply.startswith("250"), f"all answered with SERVFAIL: {reply}")
    lab.has(lab.delivered(box).results(), "dmarc=temperror", "SERVFAIL")

    lab.dns.pause()
    signed = dkimpy_signs(lab, message("joe@sender.example"))
    start = time.monotonic()
    reply = here.send("joe@sender.example", to, signed, lab.evil)
    lab.check(reply.startswith("250"), f"nobody answers, p=reject: {reply}")
    took = time.monotonic() - start
    lab.check(took < 10, f"it took {took:.1f} s, the limits are 1 and 3 s")
    results = lab.delivered(box).results()
    for text in ("spf=temperror", "dkim=temperror", "dmarc=temperror"):
        lab.has(results, text, "nobody answers")
    lab.dns.resume()

    daemon.stop()
    later = verifier(
        lab, QUICK_DNS + reject.replace("[policy.spf]", 'temporary = "tempfail"\n[policy.spf]')
    )
    lab.dns.pause()
    reply = here.send("joe@sender.example", to, signed, lab.evil)
    lab.check(reply.startswith("451 4.4.3"), f"put off: {reply}")
    lab.check(not lab.arrived(box), "and not delivered")
    there.send("joe@sender.example", to, message("joe@sender.example"), "127.0.0.1")
    lab.wait("a real client is put off", lambda: "status=deferred" in there.log())
    lab.check(
        "451 4.4.3" in there.log() and "status=bounced" not in there.log(),
        "a real client keeps the message",
    )
    lab.dns.resume()
    there.flush()
    lab.has(lab.delivered(box).results(), "dmarc=pass", "it arrives when the DNS is there again")
    later.stop()


def killed(lab):
    """The daemon is killed amid a message: it is put off and arrives later, once."""
    daemon = verifier(lab)
    here = Postfix(lab, True, MAIN)
    there = Postfix(lab, False, MAIN_THERE)
    box = lab.mailbox()
    to = f"{box}@receiver.example"
    client = Smtp(lab, lab.here, source=lab.there)
    for line in ("MAIL FROM:<joe@sender.example>", f"RCPT TO:<{to}>", "DATA"):
        client.say(line)
    octets = message("joe@sender.example", body="Hello.\r\n" * 20000)
    client.socket.sendall(octets[: len(octets) // 2])
    daemon.stop(signal.SIGKILL)
    client.socket.sendall(octets[len(octets) // 2 :] + b".\r\n")
    reply = client.reply()
    lab.check(reply.startswith("451 4.7.1"), f"killed amid the body: {reply}")
    client.close()
    reply = here.send("joe@sender.example", to, octets, lab.there)
    lab.check(reply.startswith("451 4.7.1"), f"while it is away: {reply}")

    daemon.start()
    daemon.tell(signal.SIGSTOP)
    there.send("joe@sender.example", to, message("joe@sender.example"), "127.0.0.1")
    lab.wait(
        "Postfix waits for the daemon",
        lambda: "connect from" in here.log().split("lost connection")[-1],
    )
    daemon.stop(signal.SIGKILL)
    lab.wait("the real client is put off", lambda: "status=deferred" in there.log())
    daemon.start()
    there.flush()
    got = lab.delivered(box)
    lab.has(got.results(), "dmarc=pass", "it arrives after a restart on the stale socket")
    time.sleep(1)
    lab.check(not lab.arrived(box) and not there.queued("deferred"), "once")
    lab.check("status=bounced" not in there.log(), "nothing bounced")


def stopped(lab):
    """SIGTERM: what is under way is finished."""
    daemon = verifier(lab)
    Postfix(lab, True, MAIN)
    box = lab.mailbox()
    client = Smtp(lab, lab.here, source=lab.there)
    for line in ("MAIL FROM:<joe@sender.example>", f"RCPT TO:<{box}@receiver.example>", "DATA"):
        client.say(line)
    octets = message("joe@sender.example", body="Hello.\r\n" * 20000)
    client.socket.sendall(octets[: len(octets) // 2])
    time.sleep(0.5)
    daemon.tell(signal.SIGTERM)
    lab.wait("nobody can connect any more", lambda: not answers(daemon.socket))
    lab.check(daemon.process.poll() is None, "it waits for the message")
    client.socket.sendall(octets[len(octets) // 2 :] + b".\r\n")
    reply = client.reply()
    lab.check(reply.startswith("250"), f"the message is accepted: {reply}")
    lab.has(lab.delivered(box).results(), "dmarc=pass", "and has its results")
    client.close()
    lab.check(daemon.process.wait(10) == 0, "it ends with 0")
    lab.check(not os.path.exists(lab.at(SOCKET)), "the socket is gone")


def reloaded(lab):
    """SIGHUP again and again under load: nothing lost, no reply wrong."""
    settings = ['[policy.dmarc]\nreject = "reject"\n', "[verify]\nreceived-spf = true\n"]
    daemon = verifier(lab, settings[0])
    Postfix(
        lab,
        True,
        f"{MAIN}smtpd_client_connection_rate_limit = 0\nsmtpd_client_connection_count_limit = 0\n",
    )
    toml = lab.at("/etc/mailproofd/mailproofd.toml")
    first, good, bad = lab.read(toml), lab.mailbox(), lab.mailbox()
    replies, is_over = [], threading.Event()
    messages = (
        ("good", good, message("joe@sender.example")),
        ("bad", bad, message("ann@reject.example")),
    )

    def load():
        # Each with a connection of its own, that is kept for six messages.
        while not is_over.is_set():
            client = Smtp(lab, lab.here, source=lab.there)
            for kind, box, octets in messages * 3:
                to = f"{box}@receiver.example"
                replies.append((kind, client.send("joe@sender.example", to, octets)))
            client.close()

    def reloads():
        log = daemon.log()
        return [log.count(it) for it in ("configuration reloaded", "the old configuration stays")]

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for count in range(30):
            before = reloads()
            is_nonsense = count % 5 == 4
            text = first.replace(settings[0], settings[count % 2])
            with open(toml + ".new", "w") as it:
                it.write("nonsense = [\n" if is_nonsense else text)
            os.rename(toml + ".new", toml)
            daemon.tell(signal.SIGHUP)
            lab.wait("it is told that the configuration was read", lambda: reloads() != before)
            time.sleep(0.1)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    lab.check(daemon.process.poll() is None, "the daemon is there")
    lab.check(
        reloads() == [24, 6], "it reloaded 24 times, and kept the old one 6 times for nonsense"
    )
    kinds = {kind: [reply for it, reply in replies if it == kind] for kind in ("good", "bad")}
    accepted = {
        kind: [reply for reply in kinds[kind] if reply.startswith("250 2.0.0")] for kind in kinds
    }
    lab.check(
        len(accepted["good"]) == len(kinds["good"]),
        f"all {len(kinds['good'])} good messages are accepted",
    )
    others = {
        re.sub(r"(?s) queued as.*", "", it) for it in kinds["bad"] if it not in accepted["bad"]
    }
    lab.check(
        others == {"550 5.7.26 rejected by DMARC policy for reject.example"},
        f"{len(kinds['bad']) - len(accepted['bad'])} of {len(kinds['bad'])} bad ones are rejected: {others}",
    )
    lab.check(len(accepted["bad"]) > 0, "the others under the other configuration")
    for box, kind, result in ((good, "good", "dmarc=pass"), (bad, "bad", "dmarc=fail")):
        lab.wait(
            f"all {kind} messages arrive", lambda: len(lab.arrived(box)) >= len(accepted[kind])
        )
        wrong = [path for path in lab.arrived(box) if result not in lab.read(path)]
        lab.check(
            len(lab.arrived(box)) == len(accepted[kind]) and not wrong,
            f"all {len(accepted[kind])} {kind} messages arrive with {result}",
        )
