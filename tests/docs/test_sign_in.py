"""The guide to sign-in works: against a provider on loopback, with forged tokens, and with links that were used."""

import subprocess
import sys
from pathlib import Path

from .test_pages import ROOT, snippets

PROGRAM = Path(__file__).with_name("sign_in_use.py")


def test_the_guide_signs_users_in(tmp_path):
    page = tmp_path / "page.py"
    page.write_text("\n\n".join(snippets(ROOT / "docs" / "sign-in.md")))
    command = [sys.executable, str(PROGRAM), str(page)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert (0, "signed in\n") == (done.returncode, done.stdout), done.stderr
