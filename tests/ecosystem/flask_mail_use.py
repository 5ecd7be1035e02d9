"""Flask-Mail: messages of a view are recorded in tests, with attachments, templates and the signal."""

import smtplib

import pytest
from flask import Flask, render_template_string
from flask_mail import BadHeaderError, Mail, Message, email_dispatched


@pytest.fixture
def app():
    app = Flask(__name__)
    app.config.update(TESTING=True, MAIL_DEFAULT_SENDER=("Costrel", "noreply@example.org"))
    mail = Mail(app)

    @app.post("/invite/<name>")
    def invite(name):
        message = Message("Come in", recipients=[f"{name}@example.org"], bcc=["log@example.org"])
        message.html = render_template_string("<p>Dear {{ name }}</p>", name=name)
        message.body = f"Dear {name}"
        message.attach("plan.txt", "text/plain", "go north", headers={"X-Part": "1"})
        mail.send(message)
        return "sent"

    @app.post("/bulk")
    def bulk():
        with mail.connect() as connection:
            for name in ("ada", "bob"):
                connection.send(Message("News", recipients=[f"{name}@example.org"], body="none"))
        return "sent"

    return app


def test_a_message_is_recorded(app):
    mail = app.extensions["mail"]

    with app.app_context(), mail.record_messages() as outbox:
        assert "sent" == app.test_client().post("/invite/ada").text

    (message,) = outbox
    with app.app_context():
        text = message.as_string()
    assert "Subject: Come in" in text
    assert "Costrel <noreply@example.org>" == message.sender
    assert "<p>Dear ada</p>" == message.html
    assert {"ada@example.org", "log@example.org"} == message.send_to
    assert "log@example.org" not in text
    assert "plan.txt" in text


def test_several_messages_through_one_connection(app):
    with app.app_context(), app.extensions["mail"].record_messages() as outbox:
        app.test_client().post("/bulk")

    assert ["ada@example.org", "bob@example.org"] == [message.recipients[0] for message in outbox]


def test_the_signal_and_a_header_that_is_refused(app):
    heard = []
    with app.app_context():
        with email_dispatched.connected_to(lambda app, message: heard.append((message.subject, app.name)), app):
            app.test_client().post("/invite/bob")
        with pytest.raises(BadHeaderError):
            app.extensions["mail"].send_message("a\r\nBcc: x@example.org", recipients=["a@example.org"], body="x")

    assert [("Come in", app.name)] == heard


def test_what_goes_to_the_mail_server(app, monkeypatch):
    sent = []

    class Server:
        def __init__(self, host, port):
            sent.append((host, port))

        def set_debuglevel(self, level):
            pass

        def sendmail(self, sender, recipients, text, mail_options, rcpt_options):
            sent.append((sender, sorted(recipients)))

        def quit(self):
            sent.append("quit")

    monkeypatch.setattr(smtplib, "SMTP", Server)
    app.config.update(MAIL_SUPPRESS_SEND=False, MAIL_SERVER="mail.example", MAIL_PORT=25)
    app.testing = False
    Mail(app)

    with app.app_context():
        app.extensions["mail"].send_message("Hi", recipients=["ada@example.org"], body="hello")

    assert [("mail.example", 25), ("=?utf-8?q?Costrel?= <noreply@example.org>", ["ada@example.org"]), "quit"] == sent
