"""Messages, as they are sent and as they arrive, and a client of SMTP that tells what was said."""

import re, socket

DATE = "Wed, 25 Nov 2026 08:00:00 +0000"


def message(
    author, to="user@receiver.example", fields=(), body="Hello.\r\n", subject="lunch at noon?"
):
    """A message of this author, as it is sent."""
    lines = [*fields, f"From: {author}", f"To: {to}", f"Subject: {subject}", f"Date: {DATE}"]
    lines += ["Message-ID: <1@test.example>", "", body]
    return "\r\n".join(lines).encode("latin-1")


class Delivered:
    """A message in a mailbox."""

    def __init__(self, octets):
        self.octets = octets.replace(b"\r\n", b"\n")
        head, _, self.body = self.octets.partition(b"\n\n")
        unfolded = re.sub(rb"\n[ \t]+", b" ", head).decode("latin-1")
        self.header = [tuple(line.partition(":")[::2]) for line in unfolded.split("\n")]

    def __str__(self):
        return self.octets.decode("latin-1")

    def all(self, name):
        """The values of all fields of this name, unfolded."""
        return [value.strip() for field, value in self.header if field.lower() == name.lower()]

    def names(self):
        return [name.lower() for name, _ in self.header]

    def results(self):
        """What the uppermost Authentication-Results field says, if it is above all that came with
        the message."""
        names = self.names()
        first = names.index("received") if "received" in names else len(names)
        above = [
            value for name, value in self.header[:first] if name.lower() == "authentication-results"
        ]
        return above[0].strip() if above else ""

    def sent(self):
        """The message as it was on the wire: without what delivery added."""
        lines = self.octets.split(b"\n")
        local = (b"return-path:", b"x-original-to:", b"delivered-to:")
        while lines[0].lower().startswith(local):
            lines.pop(0)
        return b"\r\n".join(lines)


class Smtp:
    """A connection; the dialogue is kept."""

    def __init__(self, lab, to, port=None, source=None, helo="client.example"):
        self.dialogue = []
        lab.evidence["SMTP"] = lambda: "\n".join(self.dialogue)
        self.socket = socket.create_connection(
            (to, port or lab.port), 120, (source, 0) if source else None
        )
        self.stream = self.socket.makefile("rb")
        self.reply()
        if helo:
            self.say(f"EHLO {helo}")

    def reply(self):
        """The code and the text of a reply."""
        text = []
        while True:
            line = self.stream.readline().decode("latin-1").rstrip("\r\n")
            self.dialogue.append("< " + line)
            text.append(line)
            if line[3:4] != "-":
                return "\n".join(text)

    def say(self, line):
        self.dialogue.append("> " + line)
        self.socket.sendall(line.encode("latin-1") + b"\r\n")
        return self.reply()

    def data(self, octets):
        """Sends a message after 354."""
        stuffed = re.sub(rb"(?m)^\.", b"..", octets)
        self.dialogue += ["> " + line for line in stuffed.decode("latin-1").split("\r\n")[:40]]
        self.socket.sendall(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.reply()

    def send(self, mail_from, to, octets):
        """The reply that decides: the first that is no success, or the last."""
        for line in (
            f"MAIL FROM:<{mail_from}>",
            *(f"RCPT TO:<{it}>" for it in ([to] if isinstance(to, str) else to)),
            "DATA",
        ):
            reply = self.say(line)
            if reply[:1] not in ("2", "3"):
                return reply
        return self.data(octets)

    def close(self):
        self.socket.close()
