"""The gallery in the strict profile: as it is, and as an application that has Flask's defaults otherwise."""

import os

import examples.gallery as gallery

from costrel.app.application import Flask

PROFILE = {"SECURITY_PROFILE": "strict"}

if os.environ["GALLERY_PROFILE"] == "flask":
    gallery.Costrel = Flask

app = gallery.create_app(PROFILE)
