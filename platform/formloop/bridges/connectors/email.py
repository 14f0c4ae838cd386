"""E-mail over SMTP."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from formloop.bridges.connectors.letters import Channel, Letter
from formloop.core.text import M
from formloop.events.outbox import DeliveryError
from formloop.settings import Settings

SECONDS = 10


class Email(Channel):
    """Letters by `FORMLOOP_SMTP_URL`: `smtps://` encrypts from the start, `smtp://` where the server offers it."""

    name = "email"
    title = M("Mail")
    icon = "mail"
    how_at_first = "at_once"

    def is_set_up(self, settings: Settings) -> bool:
        return bool(settings.smtp_url)

    def reaches(self, email: str, phone: str) -> bool:
        return "@" in email

    def send(self, settings: Settings, letter: Letter) -> None:
        if not settings.smtp_url:
            raise DeliveryError(M("{channel} is not set up.", channel=self.title), permanent=True)
        try:
            with _server(settings.smtp_url) as server:
                server.send_message(_message(settings, letter))
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _refused(code, text) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(M("The mail server does not answer: {error}", error=str(error))) from error


def _message(settings: Settings, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(letter.subject.split())[:200]
    message["From"] = settings.mail_from
    message["To"] = letter.email
    message["Date"] = formatdate()
    # the same for every try, so that mail programs show a letter once
    message["Message-ID"] = f"<{letter.key}@{settings.mail_from.rpartition('@')[2].strip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


@contextmanager
def _server(url: str) -> Iterator[smtplib.SMTP]:
    parts = urlsplit(url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    with server:
        if parts.scheme != "smtps":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def _refused(code: int, text: bytes | str) -> DeliveryError:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    reason = M("The mail server refused the letter: {code} {reason}", code=code, reason=said[:200])
    return DeliveryError(reason, permanent=500 <= code < 600)
