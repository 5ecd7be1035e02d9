"""Thousands of generated requests to the gallery and to the application with every feature: `make contract`."""

import logging
import sys
import tempfile

from examples.gallery import create_app

from .everything import app as everything
from .generated import send


def main() -> int:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        gallery = create_app({"TESTING": True, "INSTANCE": folder, "SAMPLES": False})
        total, failed = 0, False
        for name, app, examples in (("gallery", gallery, 150), ("everything", everything, 20)):
            sent, failures = send(app, examples)
            total += sent
            failed = failed or bool(failures)
            print(f"{name}: {sent} requests, {len(failures)} operations with failures", flush=True)
            for label, text in failures.items():
                print(f"--- {label}\n{text}", flush=True)
    print(f"{total} requests in all")
    return int(failed or total < 2000)


if __name__ == "__main__":
    sys.exit(main())
