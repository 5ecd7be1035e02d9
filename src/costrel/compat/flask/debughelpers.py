"""`flask.debughelpers`: the names of the original, and Costrel behind them."""

from costrel.services.templating import explain_template_loading_attempts as explain_template_loading_attempts
