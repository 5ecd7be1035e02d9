"""A stand-in for nose, which does not run on current Pythons: Flask-RESTful's tests import a few names from it."""

from unittest import SkipTest as SkipTest
