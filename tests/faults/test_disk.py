"""A full disk under the folder of temporary files: 507, the space is given back at once, the next upload works."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from ..processes import wait_until
from .processes import limited, served
from .traffic import FORM_TYPE, form

pytestmark = [pytest.mark.ci, pytest.mark.xdist_group("faults")]


@pytest.fixture
def small_disk():
    """A folder that holds two megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip(f"only root may mount a small file system: {mounted.stderr.decode().strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("path", ["/upload", "/upload-async", "/raw-async"])
def test_an_upload_that_finds_the_disk_full_is_507_and_gives_the_space_back(small_disk, path):
    with served(TMPDIR=str(small_disk)) as server:
        for _ in range(3):
            status, answer = server.send_body(path, form(6_000_000), FORM_TYPE)

            assert (507, True) == (status, b"Insufficient Storage" in answer)
            wait_until(lambda: shutil.disk_usage(small_disk).used < 100_000, "the disk is empty")
        status, answer = server.ask(path, "POST", form(1_000_000), Content_Type=FORM_TYPE)

        assert (200, 1_000_000) == (status, int(answer) // 1000 * 1000)
        server.wait_for_note(f"teardown {path}", 4)
        assert [f"teardown {path}"] * 3 == server.notes()[:3]
        wait_until(lambda: shutil.disk_usage(small_disk).used < 100_000, "the disk is empty")


@pytest.mark.parametrize("path", ["/upload", "/upload-async", "/raw-async"])
def test_so_does_one_that_may_not_write_as_much(path):
    """Without a disk of its own: no file may get larger than two megabytes (or four)."""
    with served(through=limited("-f 4000")) as server:  # in blocks of 512 bytes, for some shells of 1,024
        files = len(server.temporary_files())
        assert 507 == server.send_body(path, form(6_000_000), FORM_TYPE)[0]
        wait_until(lambda: len(server.temporary_files()) <= files, "no temporary file")
        assert 200 == server.ask(path, "POST", form(1_000_000), Content_Type=FORM_TYPE)[0]
