"""`flask.sansio.blueprints`: the names of the original, and Costrel behind them."""
