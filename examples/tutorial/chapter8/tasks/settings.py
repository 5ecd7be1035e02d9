"""The settings: defaults, overridden by environment variables.

Their names begin with `TASKS_`.
"""

import os
import typing as t
from collections.abc import Mapping

from costrel import Costrel


def configure(app: Costrel, settings: Mapping[str, t.Any]) -> None:
    """Configure `app`. The `settings` of a test take precedence."""
    app.config.from_mapping(
        MAX_CONTENT_LENGTH=5 * 1024 * 1024,
        DATABASE=os.path.join(app.instance_path, "tasks.sqlite"),
        UPLOADS=os.path.join(app.instance_path, "uploads"),
        LIVE_SECONDS=1.0,
    )
    app.config.from_prefixed_env("TASKS")
    app.config.from_mapping(settings)
