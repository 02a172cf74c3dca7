"""Sessions of all kinds, large messages, and peers that do not keep to the protocol."""

import random, socket, struct, time

from mail import Smtp, message
from servers import MAIN, SOCKET, Postfix, verifier
from world import dkimpy_signs


def sessions(lab):
    """Several messages in a connection, pipelined, in chunks, given up, to several recipients."""
    verifier(lab)
    Postfix(lab, True, MAIN)
    box, other = lab.mailbox(), lab.mailbox()
    to = f"{box}@receiver.example"
    good, bad = message("joe@sender.example"), message("ann@reject.example")

    client = Smtp(lab, lab.here, source=lab.there, helo="mail.sender.example")
    for octets, author, result in (
        (good, "joe@sender.example", "pass"),
        (bad, "joe@sender.example", "fail"),
    ) * 2:
        client.send(author, to, octets)
        lab.has(lab.delivered(box).results(), f"dmarc={result}", "one after the other")
    client.say("MAIL FROM:<joe@sender.example>")
    client.say("RSET")
    client.say("MAIL FROM:<joe@sender.example>")
    client.say(f"RCPT TO:<{to}>")
    client.say("EHLO mail.sender.example")
    client.send("joe@sender.example", [to, "nobody@elsewhere.example"], good)
    reply = client.say("RSET")
    lab.check(reply.startswith("250") and not lab.arrived(box), "a message is given up")
    client.send("joe@sender.example", [to, f"{other}@receiver.example"], good)
    for name in (box, other):
        lab.has(lab.delivered(name).results(), "dmarc=pass", "after that, to two recipients")
    client.close()

    client = Smtp(lab, lab.here, source=lab.there)
    envelope = f"MAIL FROM:<joe@sender.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode()
    client.socket.sendall(envelope)
    for _ in range(3):
        client.reply()
    client.socket.sendall(good + b".\r\n" + envelope)
    for _ in range(4):
        client.reply()
    client.socket.sendall(bad + b".\r\nQUIT\r\n")
    reply = client.reply()
    lab.check(reply.startswith("250"), f"pipelined: {reply}")
    got = {lab.delivered(box).results().split("dmarc=")[1][:4] for _ in range(2)}
    lab.check(got == {"pass", "fail"}, "two pipelined messages have their own results")
    client.close()

    signed = dkimpy_signs(lab, message("joe@sender.example", body=".\r\n..\r\nHello.\r\n" * 5000))
    client = Smtp(lab, lab.here, source=lab.evil)
    client.say("MAIL FROM:<joe@sender.example>")
    client.say(f"RCPT TO:<{to}>")
    for start in range(0, len(signed), 30011):
        chunk = signed[start : start + 30011]
        last = " LAST" if start + 30011 >= len(signed) else ""
        client.socket.sendall(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
        reply = client.reply()
    lab.check(reply.startswith("250"), f"BDAT: {reply}")
    lab.has(lab.delivered(box).results(), "dkim=pass", "in chunks")
    client.close()

    client = Smtp(lab, lab.here, source=lab.evil)
    author = "j\u00f8rgen@sender.example"
    octets = message("joe@sender.example", fields=[f"X-Name: {author}".encode().decode("latin-1")])
    client.say(f"MAIL FROM:<{author}> SMTPUTF8 BODY=8BITMIME".encode().decode("latin-1"))
    client.say(f"RCPT TO:<{to}>")
    client.say("DATA")
    client.data(dkimpy_signs(lab, octets))
    results = lab.delivered(box).results()
    lab.has(results, "dkim=pass", "SMTPUTF8")
    lab.has(results, "spf=fail", "SMTPUTF8")
    client.close()


def hostile(lab):
    """Garbage, silence and floods at the socket: logged once, and others notice nothing."""
    daemon = verifier(lab, "[limits]\nidle = 3\n")
    here = Postfix(lab, True, f"{MAIN}header_size_limit = 1000000\n")
    box = lab.mailbox()
    to = f"{box}@receiver.example"

    def others():
        reply = here.send("joe@sender.example", to, message("joe@sender.example"), lab.there)
        lab.check(reply.startswith("250"), f"others: {reply}")
        lab.has(lab.delivered(box).results(), "dmarc=pass", "others")

    def peer(octets):
        it = socket.socket(socket.AF_UNIX)
        it.settimeout(10)
        it.connect(lab.at(SOCKET))
        it.sendall(octets)
        return it

    hello = struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF)
    garbage = [
        random.Random(7).randbytes(4000),
        b"GET / HTTP/1.0\r\n\r\n",
        b"\xff\xff\xff\xff" * 10,
        b"\0\0\0\0",
        hello + hello,
    ]
    for octets in garbage:
        before = daemon.log().count("\n")
        with peer(octets) as it:
            while it.recv(4096):
                pass
        lab.wait("a line in the log", lambda: daemon.log().count("\n") > before)
        lines = daemon.log().count("\n") - before
        lab.check(lines == 1, f"{octets[:8]}: closed, and a line in the log")
    others()
    silent = [peer(hello[:count]) for count in (0, 3, 5, 17) for _ in range(50)]
    others()
    time.sleep(3.5)
    closed = 0
    for it in silent:
        try:
            while it.recv(4096):
                pass
            closed += 1
        except OSError:
            pass
        it.close()
    lab.check(
        closed == len(silent),
        f"{closed} of {len(silent)} silent peers are closed after the 3 s that are set",
    )
    others()

    fields = [f"X-Field-{number}: value" for number in range(10000)]
    reply = here.send(
        "joe@sender.example", to, message("joe@sender.example", fields=fields), lab.there
    )
    lab.check(reply == "550 5.3.4 the header is too large", f"10,000 fields: {reply}")
    others()


def large(lab):
    """A message of 50 MB streams through."""
    daemon = verifier(lab)
    here = Postfix(lab, True, f"{MAIN}message_size_limit = 0\nvirtual_mailbox_limit = 0\n")
    box = lab.mailbox()
    line = b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789\r\n"
    octets = dkimpy_signs(lab, message("joe@sender.example", body=(line * 650_000).decode()))
    start = time.monotonic()
    reply = here.send("joe@sender.example", f"{box}@receiver.example", octets, lab.evil)
    lab.check(
        reply.startswith("250"),
        f"{len(octets) // 1_000_000} MB in {time.monotonic() - start:.1f} s: {reply}",
    )
    path = lab.wait("it arrives", lambda: lab.arrived(box))[0]
    with open(path, "rb") as it:
        lab.has(it.read(4000).decode("latin-1"), "dkim=pass", "a large message")
    status = lab.read(f"/proc/{daemon.process.pid}/status")
    most = int(status.split("VmHWM:")[1].split()[0]) // 1024
    lab.check(most < 64, f"the daemon never had more than {most} MiB")
