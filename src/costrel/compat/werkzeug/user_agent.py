"""`werkzeug.user_agent`: the names of the original, and Costrel behind them."""

from costrel.http.user_agent import UserAgent as UserAgent
