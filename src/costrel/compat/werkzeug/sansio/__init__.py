"""`werkzeug.sansio`: the names of the original, and Costrel behind them."""
